package report

import (
	_ "embed"
	"encoding/json"
	"io"
	"time"

	"breakwater"
)

// SchemaVersion is the version of the JSON format. A field may be added without
// a new version; none is taken away or changes its meaning.
const SchemaVersion = 1

//go:embed schema/report-1.schema.json
var schema []byte

// Schema is the JSON schema (draft 2020-12) of the JSON format.
func Schema() []byte { return append([]byte(nil), schema...) }

// document is the JSON format. Layers are counted from 1, the lowest; 0 stands
// for a layer that is not known. A number that is not known is null.
type document struct {
	SchemaVersion   int                   `json:"schema_version"`
	Tool            jsonTool              `json:"tool"`
	ScannedAt       *time.Time            `json:"scanned_at"`
	Image           jsonImage             `json:"image"`
	Base            *jsonBase             `json:"base"`
	Summary         jsonSummary           `json:"summary"`
	Coverage        []breakwater.Coverage `json:"coverage"`
	Vulnerabilities []jsonVulnerability   `json:"vulnerabilities"`
	Upgrades        []jsonUpgrade         `json:"upgrades"`
	Findings        []jsonFinding         `json:"findings"`
	Packages        []jsonPackage         `json:"packages"`
	Files           breakwater.FileStat   `json:"files"`
	Feeds           []jsonFeed            `json:"feeds"`
}

type jsonTool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Scanner string `json:"scanner"` // the version of the rules that read the facts
}

type jsonImage struct {
	Name     string               `json:"name"`
	Digest   breakwater.Digest    `json:"digest"`
	Platform breakwater.Platform  `json:"platform"`
	OS       breakwater.OS        `json:"os"`
	Size     int64                `json:"size"` // compressed bytes of all layers
	Layers   []jsonLayer          `json:"layers"`
	History  []breakwater.History `json:"history"`
	Setup    breakwater.Setup     `json:"setup"`
}

type jsonLayer struct {
	Index     int               `json:"index"`
	Digest    breakwater.Digest `json:"digest"`
	DiffID    breakwater.Digest `json:"diff_id"`
	Size      int64             `json:"size"`
	Inherited bool              `json:"inherited"`
}

type jsonBase struct {
	Name      string            `json:"name"`
	Digest    breakwater.Digest `json:"digest"`
	Layers    int               `json:"layers"`
	Newest    string            `json:"newest"`
	Removes   *int              `json:"removes"`
	Inherited int               `json:"inherited"` // vulnerabilities and findings that lie in the base alone
	Added     int               `json:"added"`     // the others
}

type jsonSummary struct {
	Complete bool        `json:"complete"`
	Counts   Counts      `json:"counts"`
	Checks   []jsonCheck `json:"checks"`
	Exempted int         `json:"exempted"`
	Unfixed  int         `json:"unfixed_left_out"`
}

type jsonCheck struct {
	Check  breakwater.Check      `json:"check"`
	State  breakwater.CheckState `json:"state"`
	Counts Counts                `json:"counts"`
}

type jsonVulnerability struct {
	ID         string              `json:"id"`
	Aliases    []string            `json:"aliases"`
	CVEs       []string            `json:"cves"`
	Severity   breakwater.Severity `json:"severity"`
	Score      *float64            `json:"score"`
	CVSS       []jsonCVSS          `json:"cvss"`
	EPSS       *float64            `json:"epss"`
	Percentile *float64            `json:"epss_percentile"`
	Exploited  bool                `json:"exploited"`
	Summary    string              `json:"summary"`
	URL        string              `json:"url"`
	Published  *time.Time          `json:"published"`
	Fixed      string              `json:"fixed"`
	Rule       string              `json:"rule"`
	Feed       string              `json:"feed"`
	Package    jsonVersion         `json:"package"`
	Found      []jsonPlace         `json:"found"`
	Inherited  bool                `json:"inherited"`
}

type jsonCVSS struct {
	Version string  `json:"version"`
	Vector  string  `json:"vector"`
	Score   float64 `json:"score"`
	Source  string  `json:"source"` // the advisory that gives it
}

type jsonVersion struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	Version   string `json:"version"`
}

type jsonPlace struct {
	Name       string            `json:"name"`
	Version    string            `json:"version"`
	Type       string            `json:"type"`
	PURL       string            `json:"purl"`
	Arch       string            `json:"arch"`
	Path       string            `json:"path"`
	Layer      breakwater.Digest `json:"layer"`
	LayerIndex int               `json:"layer_index"`
	Inherited  bool              `json:"inherited"`
}

type jsonUpgrade struct {
	Package jsonVersion `json:"package"`
	To      []string    `json:"to"` // one version; several when they cannot be compared: the newest of them
	Repairs []string    `json:"repairs"`
	Leaves  int         `json:"leaves"` // problems that no version repairs
}

type jsonFinding struct {
	breakwater.Finding
	LayerIndex int  `json:"layer_index"`
	Inherited  bool `json:"inherited"`
}

type jsonPackage struct {
	breakwater.Package
	LayerIndex int    `json:"layer_index"`
	Inherited  bool   `json:"inherited"`
	Licence    string `json:"licence_expression"` // SPDX; empty when the words do not say exactly one
}

type jsonFeed struct {
	Name      string     `json:"name"`
	URL       string     `json:"url"`
	Records   int        `json:"records"`
	Dated     *time.Time `json:"dated"`
	Newest    *time.Time `json:"newest"`
	Imported  *time.Time `json:"imported"`
	Starter   bool       `json:"starter"`
	LastError string     `json:"last_error"`
}

func writeJSON(w io.Writer, v *view) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v.document())
}

func (v *view) document() document {
	d := document{
		SchemaVersion: SchemaVersion,
		Tool:          jsonTool{v.Tool, v.Version, v.Inventory.Scanner},
		ScannedAt:     known(v.Time),
		Image:         v.jsonImage(),
		Base:          v.jsonBase(),
		Summary:       jsonSummary{Complete: complete(v.checks), Checks: []jsonCheck{}, Exempted: v.Exempted, Unfixed: v.Unfixed},
		Coverage:      []breakwater.Coverage{},
		Files:         v.Inventory.Files,
		Findings:      []jsonFinding{}, Packages: []jsonPackage{}, Feeds: []jsonFeed{},
		Vulnerabilities: []jsonVulnerability{}, Upgrades: []jsonUpgrade{},
	}
	for _, l := range v.checks {
		d.Coverage = append(d.Coverage, l.Coverage)
		d.Summary.Checks = append(d.Summary.Checks, jsonCheck{l.Coverage.Check, l.Coverage.State, l.Counts})
	}
	for _, vul := range v.Vulnerabilities {
		d.Summary.Counts.add(severityOf(vul))
		d.Vulnerabilities = append(d.Vulnerabilities, v.jsonVulnerability(vul))
	}
	for _, u := range v.upgrades {
		d.Upgrades = append(d.Upgrades, jsonUpgrade{jsonVersionOf(u.Package), u.To, u.Fixes, u.Left})
	}
	for _, f := range v.Findings {
		d.Summary.Counts.add(f.Severity)
		d.Findings = append(d.Findings, jsonFinding{f, v.layer[f.Layer], v.inherited(f.Layer)})
	}
	for _, p := range v.Inventory.Packages {
		d.Packages = append(d.Packages, jsonPackage{p, v.layer[p.Layer], v.inherited(p.Layer), joinLicences(p.Licences)})
	}
	for _, f := range v.Feeds {
		d.Feeds = append(d.Feeds, jsonFeed{f.Name, f.URL, f.Records, known(f.Dated), known(f.Newest), known(f.Imported), f.Starter, f.LastError})
	}
	return d
}

func (v *view) jsonImage() jsonImage {
	i := jsonImage{
		Name: v.Name, Digest: v.Digest, Platform: v.Inventory.Platform, OS: v.Inventory.OS, Size: v.size(),
		Layers: []jsonLayer{}, History: v.Inventory.History, Setup: v.Inventory.Setup,
	}
	if i.History == nil {
		i.History = []breakwater.History{}
	}
	for n, l := range v.Inventory.Layers {
		i.Layers = append(i.Layers, jsonLayer{n + 1, l.Digest, l.DiffID, l.Size, v.Base != nil && n < v.Base.Layers})
	}
	return i
}

func (v *view) jsonBase() *jsonBase {
	if v.Base == nil {
		return nil
	}
	b := &jsonBase{Name: v.Base.Name, Digest: v.Base.Digest, Layers: v.Base.Layers, Newest: v.Base.Newest}
	if v.Base.Removes >= 0 && v.Base.Newest != "" {
		b.Removes = &v.Base.Removes
	}
	count := func(inherited bool) {
		if inherited {
			b.Inherited++
		} else {
			b.Added++
		}
	}
	for _, vul := range v.Vulnerabilities {
		count(v.inheritedVulnerability(vul))
	}
	for _, f := range v.Findings {
		count(v.inherited(f.Layer))
	}
	return b
}

func (v *view) jsonVulnerability(vul breakwater.Vulnerability) jsonVulnerability {
	out := jsonVulnerability{
		ID: vul.AdvisoryID, Aliases: list(vul.Aliases), CVEs: list(vul.CVEs),
		Severity: severityOf(vul), Score: rated(vul.Score), CVSS: []jsonCVSS{}, EPSS: rated(vul.EPSS), Exploited: vul.Exploited,
		Summary: vul.Summary, URL: vul.URL, Published: known(vul.Published), Fixed: vul.Fixed, Rule: vul.Rule, Feed: vul.Feed,
		Package: jsonVersionOf(vul.Package), Found: []jsonPlace{}, Inherited: v.inheritedVulnerability(vul),
	}
	for _, c := range readVectors(vul) {
		out.CVSS = append(out.CVSS, jsonCVSS{c.Version, c.Text, c.Score, c.AdvisoryID})
	}
	if out.EPSS != nil {
		out.Percentile = rated(vul.Percentile)
	}
	for _, p := range vul.Found {
		out.Found = append(out.Found, jsonPlace{
			p.Name, p.Version, p.Type, p.PURL, p.Arch, p.Path, p.Layer, v.layer[p.Layer], v.inherited(p.Layer)})
	}
	return out
}

func jsonVersionOf(p breakwater.PackageVersion) jsonVersion {
	return jsonVersion{p.Ecosystem, p.Name, p.Version}
}

// known is a time, or nil for none.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// rated is a figure, or nil for none.
func rated(f float64) *float64 {
	if f < 0 {
		return nil
	}
	return &f
}

// list is never null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
