package osv

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"breakwater"
)

// record is the part of the OSV schema (1.x) that Breakwater reads. Fields whose
// shape is a database's own stay raw, so that a strange one cannot break the record.
type record struct {
	ID               string          `json:"id"`
	Modified         string          `json:"modified"`
	Published        string          `json:"published"`
	Withdrawn        string          `json:"withdrawn"`
	Aliases          []string        `json:"aliases"`
	Upstream         []string        `json:"upstream"`
	Related          []string        `json:"related"`
	Summary          string          `json:"summary"`
	Details          string          `json:"details"`
	Severity         []severity      `json:"severity"`
	Affected         []affected      `json:"affected"`
	References       []reference     `json:"references"`
	DatabaseSpecific json.RawMessage `json:"database_specific"`
}

type severity struct {
	Type  string `json:"type"`
	Score string `json:"score"`
}

type reference struct {
	Type string `json:"type"`
	URL  string `json:"url"`
}

type affected struct {
	Package struct {
		Ecosystem string `json:"ecosystem"`
		Name      string `json:"name"`
	} `json:"package"`
	Severity          []severity      `json:"severity"`
	Ranges            []affectedRange `json:"ranges"`
	Versions          []string        `json:"versions"`
	EcosystemSpecific json.RawMessage `json:"ecosystem_specific"`
	DatabaseSpecific  json.RawMessage `json:"database_specific"`
}

type affectedRange struct {
	Type   string             `json:"type"`
	Events []breakwater.Event `json:"events"`
}

// ParseAdvisory reads one OSV record. It refuses a record without a sound id or
// modification time and one whose versions cannot be meant; what it does not
// know it ignores. The error never repeats the record.
func ParseAdvisory(body []byte) (breakwater.Advisory, error) {
	var r record
	if err := json.Unmarshal(body, &r); err != nil {
		return breakwater.Advisory{}, fmt.Errorf("not an OSV record: %w", shortJSONError(err))
	}
	if !validID(r.ID) {
		return breakwater.Advisory{}, errors.New("the id is missing or malformed")
	}
	a := breakwater.Advisory{ID: r.ID}
	var err error
	if a.Modified, err = parseTime(r.Modified); err != nil || a.Modified.IsZero() {
		return breakwater.Advisory{}, errors.New("modified is missing or malformed")
	}
	if a.Published, err = parseTime(r.Published); err != nil {
		return breakwater.Advisory{}, errors.New("published is malformed")
	}
	if a.Published.IsZero() {
		a.Published = a.Modified
	}
	if a.Withdrawn, err = parseTime(r.Withdrawn); err != nil {
		return breakwater.Advisory{}, errors.New("withdrawn is malformed")
	}
	a.Aliases = cleanIDs(r.Aliases, r.ID)
	a.Upstream = cleanIDs(r.Upstream, r.ID)
	if a.Affected, err = readAffected(r.Affected); err != nil {
		return breakwater.Advisory{}, err
	}
	if len(a.Aliases)+len(a.Upstream) == 0 && isErratum(a) {
		a.Upstream = onlyCVEs(cleanIDs(r.Related, r.ID))
	}
	a.Summary = summary(r.Summary, r.Details)
	a.URL = pageOf(r)
	rate(&a, r)
	return a, nil
}

// shortJSONError keeps the position and drops the text, which may quote the input.
func shortJSONError(err error) error {
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("malformed JSON at byte %d", syntax.Offset)
	case errors.As(err, &shape):
		return fmt.Errorf("wrong type at byte %d", shape.Offset)
	}
	return errors.New("malformed JSON")
}

// parseTime reads RFC 3339; the empty string is no time. The schema asks for
// UTC, and some databases write an offset.
func parseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1970 || t.Year() > 9998 {
		return time.Time{}, errors.New("not a time")
	}
	return t.UTC(), nil
}

// validID admits the ids of the databases that OSV registers ("ALSA-2024:2193",
// "openSUSE-SU-2021:0226-1", "x_FOP-…"): visible ASCII without what means
// something in a path, a query or a page.
func validID(id string) bool {
	if id == "" || len(id) > maxID || id[0] == '.' {
		return false
	}
	for i := 0; i < len(id); i++ {
		c := id[i]
		alnum := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !alnum && !strings.ContainsRune("-_.:+@~", rune(c)) {
			return false
		}
	}
	return true
}

// cleanIDs sorts, drops repeats, the record's own id and whatever is no id.
func cleanIDs(ids []string, own string) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if validID(id) && id != own {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	if len(out) > maxIDs {
		out = out[:maxIDs]
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func onlyCVEs(ids []string) []string {
	out := slices.DeleteFunc(ids, func(id string) bool { return !breakwater.IsCVE(id) })
	if len(out) == 0 {
		return nil
	}
	return out
}

// isErratum tells the bulletins of the rpm distributions, which speak of one
// package update and name the CVEs it repairs under "related".
func isErratum(a breakwater.Advisory) bool {
	for _, f := range a.Affected {
		switch breakwater.BaseEcosystem(f.Ecosystem) {
		case "AlmaLinux", "Rocky Linux", "Red Hat", "SUSE", "openSUSE", "openEuler", "Mageia", "Azure Linux":
			return true
		}
	}
	return false
}

// readAffected merges the entries of one package, in the record's order, and
// drops entries that name no package or no version.
func readAffected(in []affected) ([]breakwater.Affected, error) {
	var out []breakwater.Affected
	at := map[[2]string]int{}
	for _, f := range in {
		ecosystem := breakwater.NormalEcosystem(f.Package.Ecosystem)
		name := breakwater.NormalName(ecosystem, f.Package.Name)
		if !printable(ecosystem, maxID) || !printable(name, maxName) {
			continue
		}
		ranges, err := readRanges(f.Ranges)
		if err != nil {
			return nil, err
		}
		for _, v := range f.Versions {
			if !printable(v, maxVersion) {
				return nil, errors.New("an affected version is malformed")
			}
		}
		if len(ranges) == 0 && len(f.Versions) == 0 {
			continue
		}
		word, vectors := rateAffected(f)
		key := [2]string{ecosystem, name}
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, breakwater.Affected{Ecosystem: ecosystem, Name: name})
		}
		out[i].Ranges = append(out[i].Ranges, ranges...)
		out[i].Versions = append(out[i].Versions, f.Versions...)
		if own := levelOf(vectors.value(), word); own != "" && worse(own, out[i].Severity) {
			out[i].Severity = own
		}
	}
	for i := range out {
		slices.Sort(out[i].Versions)
		out[i].Versions = slices.Compact(out[i].Versions)
	}
	return out, nil
}

// readRanges keeps SEMVER and ECOSYSTEM ranges. An event with several fields is
// from before schema 1.0 and is read as that many events.
func readRanges(in []affectedRange) ([]breakwater.Range, error) {
	var out []breakwater.Range
	for _, r := range in {
		if r.Type != "SEMVER" && r.Type != "ECOSYSTEM" {
			continue
		}
		kept := breakwater.Range{Type: r.Type}
		for _, e := range r.Events {
			for _, one := range []breakwater.Event{
				{Introduced: e.Introduced}, {Fixed: e.Fixed}, {LastAffected: e.LastAffected}, {Limit: e.Limit},
			} {
				if one == (breakwater.Event{}) {
					continue
				}
				if !printable(one.Introduced+one.Fixed+one.LastAffected+one.Limit, maxVersion) {
					return nil, errors.New("a version of a range is malformed")
				}
				kept.Events = append(kept.Events, one)
			}
		}
		if len(kept.Events) > 0 {
			out = append(out, kept)
		}
	}
	return out, nil
}

// printable: not empty, not too long, valid UTF-8 without control characters.
func printable(s string, limit int) bool {
	if s == "" || len(s) > limit || !utf8.ValidString(s) {
		return false
	}
	return strings.IndexFunc(s, unicode.IsControl) < 0
}

// summary is one line of at most maxSummary bytes: the record's own, or the
// beginning of its details.
func summary(short, long string) string {
	s := short
	if strings.TrimSpace(s) == "" {
		s, _, _ = strings.Cut(strings.TrimSpace(long), "\n")
	}
	s = strings.ToValidUTF8(s, "")
	s = strings.Join(strings.FieldsFunc(s, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }), " ")
	if len(s) <= maxSummary {
		return s
	}
	cut := maxSummary - len("…")
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
