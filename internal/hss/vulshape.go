package hss

import (
	"context"
	"slices"
	"strings"

	"breakwater"
)

// vulInfos is one problem of one package version on the wire, with the
// contract's limits on its texts.
type vulInfos struct {
	ID          string `json:"vul_id"`
	Necessity   string `json:"repair_necessity"`
	Description string `json:"description"`
	Position    string `json:"position"`
	AppName     string `json:"app_name"`
	AppPath     string `json:"app_path,omitempty"`
	Version     string `json:"version"`
	Solution    string `json:"solution"`
	URL         string `json:"url"`
}

// newVulInfo shows a finding. wanted is the package name that the request asked
// for: of several packages built from one source, that one is shown.
func newVulInfo(f breakwater.Vulnerability, wanted string, platforms map[breakwater.PackageVersion][]string) vulInfos {
	shown := shownPackage(f, wanted)
	key := f.Package
	key.ID = 0
	return vulInfos{
		ID: cut(f.AdvisoryID, 128), Necessity: f.Severity.RepairNecessity(), Description: cut(description(f, shown), 128),
		Position: cut(position(shown, platforms[key]), 128), AppName: cut(shown.Name, 128), AppPath: cut(shown.Path, 512),
		Version: cut(shown.Version, 128), Solution: cut(solution(f, shown), 256), URL: advisoryURL(f),
	}
}

// shownPackage is the installed package that stands for a finding: the wanted
// one, else the first place where the image holds it. Without any inventory it
// is the name that the advisory uses.
func shownPackage(f breakwater.Vulnerability, wanted string) breakwater.Package {
	if i := slices.IndexFunc(f.Found, func(p breakwater.Package) bool { return p.Name == wanted }); i >= 0 {
		return f.Found[i]
	}
	if len(f.Found) > 0 {
		return f.Found[0]
	}
	return breakwater.Package{Name: f.Package.Name, Version: f.Package.Version}
}

// position says where the package lies: the layer that brought it, and the
// platforms of a multi-arch image that hold it.
func position(p breakwater.Package, platforms []string) string {
	var parts []string
	if p.Layer != "" {
		parts = append(parts, "layer "+p.Layer.String())
	}
	if len(platforms) > 0 {
		parts = append(parts, strings.Join(platforms, ", "))
	}
	return strings.Join(parts, "; ")
}

func description(f breakwater.Vulnerability, p breakwater.Package) string {
	if f.Summary != "" {
		return f.Summary
	}
	return f.AdvisoryID + " affects " + p.Name + " " + p.Version
}

// solution says what to do. The fixed version is the source package's where a
// distribution's advisories speak of sources, so that name is said.
func solution(f breakwater.Vulnerability, p breakwater.Package) string {
	name := p.Name
	if f.Package.Name != breakwater.NormalName(f.Package.Ecosystem, p.Name) {
		name += " (source package " + f.Package.Name + ")"
	}
	if f.Fixed == "" {
		return "No fixed version of " + name + " is known."
	}
	return "Upgrade " + name + " to " + f.Fixed + " or later."
}

// advisoryURL is the record's own link where it fits the wire, else the page of
// the record in the OSV database.
func advisoryURL(f breakwater.Vulnerability) string {
	if f.URL != "" && len(f.URL) <= 128 {
		return f.URL
	}
	return cut("https://osv.dev/vulnerability/"+f.AdvisoryID, 128)
}

// cveInfo is one CVE on the wire; an unscored one has no score.
type cveInfo struct {
	ID          string   `json:"cve_id"`
	Score       *float64 `json:"cvss_score,omitempty"`
	Published   int64    `json:"publish_time,omitempty"`
	Description string   `json:"description"`
}

// cves is what the advisory data says of each CVE behind an id, in their order.
// An advisory that names no CVE has none; an id that nobody knows is NotFound.
func (s *Server) cves(ctx context.Context, id string) ([]cveInfo, error) {
	records, err := s.db.AdvisoriesNamed(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(records) == 0 {
		return nil, breakwater.NotFound("vulnerability")
	}
	var own, all []string
	for _, r := range records {
		all = append(all, r.CVEs()...)
		if r.ID == id {
			own = append(own, r.CVEs()...)
		}
	}
	ids := own
	switch {
	case breakwater.IsCVE(id): // asked for one: that one, not what a record groups with it
		ids = []string{id}
	case len(own) == 0: // the id is another name of these records
		ids = all
	}
	slices.Sort(ids)
	var out []cveInfo
	for _, cve := range slices.Compact(ids) {
		about, err := s.db.AdvisoriesNamed(ctx, cve)
		if err != nil {
			return nil, err
		}
		out = append(out, newCVEInfo(cve, about))
	}
	return out, nil
}

// newCVEInfo gathers one CVE from every record that speaks of it: the highest
// score, the first publication, and the words of its own record before others'.
func newCVEInfo(cve string, about []breakwater.Advisory) cveInfo {
	info := cveInfo{ID: cve}
	slices.SortStableFunc(about, func(a, b breakwater.Advisory) int {
		return distance(a, cve) - distance(b, cve)
	})
	for _, a := range about {
		if a.Score >= 0 && (info.Score == nil || a.Score > *info.Score) {
			info.Score = &a.Score
		}
		if ms := millis(a.Published); ms > 0 && (info.Published == 0 || ms < info.Published) {
			info.Published = ms
		}
		if info.Description == "" {
			info.Description = a.Summary
		}
	}
	return info
}

// distance is how closely a record is about one CVE: its own record, one that
// speaks of it alone, one that speaks of several.
func distance(a breakwater.Advisory, cve string) int {
	switch {
	case a.ID == cve:
		return 0
	case len(a.CVEs()) == 1:
		return 1
	}
	return 2
}
