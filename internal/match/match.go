package match

import (
	"cmp"
	"slices"
	"strings"

	"breakwater"

	"github.com/google/osv-scalibr/semantic"
)

// Lookup answers the advisories that have an entry for this exact ecosystem and
// name, both in their normal spelling.
type Lookup func(ecosystem, name string) []breakwater.Advisory

// Outcome is what is known, and what is not.
type Outcome struct {
	Verdicts []breakwater.Verdict // in the order of the packages, then by advisory id
	Gaps     []Gap
}

// Reason is why a package, or one advisory for it, could not be judged.
type Reason string

// The reasons of a gap.
const (
	GapEcosystem Reason = "ecosystem" // nobody here compares versions of this ecosystem
	GapRelease   Reason = "release"   // the distribution's release is not known, and its advisories depend on it
	GapVersion   Reason = "version"   // the installed version is no version of the ecosystem; only lists of versions can name it
	GapAdvisory  Reason = "advisory"  // an advisory names versions that cannot be compared
)

// Gap is something that could not be decided.
type Gap struct {
	PackageID  int64
	Reason     Reason
	AdvisoryID string // of GapAdvisory
}

// Match judges each package. It asks lookup once for each package and ecosystem
// that applies to it.
func Match(packages []breakwater.PackageVersion, lookup Lookup) Outcome {
	var out Outcome
	for _, p := range packages {
		p.Ecosystem = breakwater.NormalEcosystem(p.Ecosystem)
		p.Name = breakwater.NormalName(p.Ecosystem, p.Name)
		o, ok := orderOf(p.Ecosystem)
		if !ok {
			out.Gaps = append(out.Gaps, Gap{PackageID: p.ID, Reason: GapEcosystem})
			continue
		}
		if o.released && !strings.Contains(p.Ecosystem, ":") {
			out.Gaps = append(out.Gaps, Gap{PackageID: p.ID, Reason: GapRelease})
		}
		text, version, err := o.parseInstalled(p.Version)
		if err != nil {
			out.Gaps = append(out.Gaps, Gap{PackageID: p.ID, Reason: GapVersion})
		}
		var found []finding
		for _, ecosystem := range breakwater.LookupEcosystems(p.Ecosystem) {
			for _, a := range lookup(ecosystem, p.Name) {
				f, unread := o.judge(a, ecosystem, p.Name, text, version)
				if unread && f == nil {
					out.Gaps = append(out.Gaps, Gap{PackageID: p.ID, Reason: GapAdvisory, AdvisoryID: a.ID})
				}
				if f != nil {
					found = append(found, *f)
				}
			}
		}
		for _, v := range o.merge(p.Ecosystem, found) {
			v.PackageID = p.ID
			out.Verdicts = append(out.Verdicts, v)
		}
	}
	return out
}

// finding is a record that applies, before merging.
type finding struct {
	advisory breakwater.Advisory
	rule     string
	fixed    string
	severity breakwater.Severity // as rated for this package; empty when nobody rated it
	score    float64
}

// judge evaluates one record for one package; nil when it does not apply. v is
// nil for a version that cannot be read, which can still be listed by its name.
func (o order) judge(a breakwater.Advisory, ecosystem, name, text string, v semantic.Version) (*finding, bool) {
	if !Vulnerability(a) {
		return nil, false
	}
	unread := false
	for _, entry := range a.Affected {
		if entry.Ecosystem != ecosystem || entry.Name != name {
			continue
		}
		d := o.decide(entry, text, v)
		unread = unread || d.unread > 0
		if !d.affected {
			continue
		}
		f := &finding{advisory: a, rule: d.rule, fixed: d.fixed, score: a.Score}
		switch {
		case entry.Severity != "":
			f.severity = entry.Severity // the schema: an entry's severity replaces the record's
		case a.Score >= 0 || a.VendorWord != "":
			f.severity = a.Severity
		}
		return f, unread
	}
	return nil, unread
}

// Vulnerability reports whether a record stands for one: it is not withdrawn,
// and it is none of the errata that repair bugs (…BA-), bring features (…EA-) or
// are merely recommended (SUSE's -RU-, -FU-, -OU-), unless it names a CVE.
func Vulnerability(a breakwater.Advisory) bool {
	return a.Withdrawn.IsZero() && (!isPlainErratum(a.ID) || len(a.CVEs()) > 0)
}

// Affects evaluates one entry of a record for one installed version. It fails
// when the version is none of the entry's ecosystem.
func Affects(entry breakwater.Affected, version string) (affected bool, fixed string, err error) {
	o, ok := orderOf(entry.Ecosystem)
	if !ok {
		return false, "", errVersion
	}
	text, v, err := o.parseInstalled(version)
	if err != nil {
		return false, "", err
	}
	d := o.decide(entry, text, v)
	return d.affected, d.fixed, nil
}

func isPlainErratum(id string) bool {
	for _, prefix := range []string{
		"ALBA-", "ALEA-", "RLBA-", "RLEA-", "RHBA-", "RHEA-",
		"SUSE-RU-", "SUSE-FU-", "SUSE-OU-", "openSUSE-RU-", "openSUSE-FU-", "openSUSE-OU-",
	} {
		if strings.HasPrefix(id, prefix) {
			return true
		}
	}
	return false
}

// newest keeps one record of each id: the one modified last. The same record
// comes twice when two feeds carry it.
func newest(found []finding) []finding {
	slices.SortFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.advisory.ID, b.advisory.ID), b.advisory.Modified.Compare(a.advisory.Modified))
	})
	return slices.CompactFunc(found, func(a, b finding) bool { return a.advisory.ID == b.advisory.ID })
}
