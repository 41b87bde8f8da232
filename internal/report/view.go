package report

import (
	"cmp"
	"slices"
	"strings"

	"breakwater"
)

// view is a report made ready to be written: sorted copies of its lists and
// what all formats derive from it. The caller's lists are never changed.
type view struct {
	Report
	layer    map[breakwater.Digest]int // the place of a layer, 1 is the lowest
	checks   []checkLine
	gaps     []gap
	upgrades []upgrade
	software []component
}

// checkLine is what the summary says of one check.
type checkLine struct {
	Coverage breakwater.Coverage
	Counts   Counts
}

func newView(r Report, o Options) *view {
	r.Tool = cmp.Or(r.Tool, "breakwater")
	r.Digest = cmp.Or(r.Digest, r.Inventory.Digest)
	r.Time = r.Time.UTC()
	v := &view{Report: r, layer: map[breakwater.Digest]int{}}
	for i, l := range r.Inventory.Layers {
		if _, ok := v.layer[l.Digest]; !ok {
			v.layer[l.Digest] = i + 1
		}
	}
	v.Vulnerabilities = sortedVulnerabilities(r.Vulnerabilities)
	v.Findings = slices.Clone(r.Findings)
	slices.SortStableFunc(v.Findings, compareFindings)
	v.Feeds = slices.Clone(r.Feeds)
	slices.SortStableFunc(v.Feeds, func(a, b breakwater.Feed) int { return cmp.Compare(a.Name, b.Name) })
	v.Inventory.Packages = slices.Clone(r.Inventory.Packages)
	slices.SortStableFunc(v.Inventory.Packages, comparePackages)
	v.checks = checkLines(v)
	v.gaps = gaps(v.checks)
	v.upgrades = upgrades(v.Vulnerabilities, o.Compare)
	v.software = components(v)
	return v
}

// sortedVulnerabilities is a copy, worst first, that is the same whatever the
// order of the list and of its inner lists.
func sortedVulnerabilities(list []breakwater.Vulnerability) []breakwater.Vulnerability {
	out := slices.Clone(list)
	for i := range out {
		out[i].Found = slices.Clone(out[i].Found)
		slices.SortStableFunc(out[i].Found, comparePackages)
		out[i].Aliases = slices.Sorted(slices.Values(out[i].Aliases))
		out[i].CVEs = slices.Sorted(slices.Values(out[i].CVEs))
	}
	slices.SortFunc(out, func(a, b breakwater.Vulnerability) int {
		return cmp.Or(
			cmp.Compare(rank(severityOf(b)), rank(severityOf(a))),
			first(a.Exploited, b.Exploited),
			cmp.Compare(b.Score, a.Score),
			cmp.Compare(b.EPSS, a.EPSS),
			cmp.Compare(a.AdvisoryID, b.AdvisoryID),
			comparePackageVersions(a.Package, b.Package),
			slices.CompareFunc(a.Found, b.Found, comparePackages),
			cmp.Compare(a.Fixed, b.Fixed))
	})
	return out
}

// first puts what is true before what is not.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func comparePackageVersions(a, b breakwater.PackageVersion) int {
	return cmp.Or(cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
}

func comparePackages(a, b breakwater.Package) int {
	return cmp.Or(
		cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Type, b.Type),
		cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.PURL, b.PURL), cmp.Compare(a.OwnedBy, b.OwnedBy),
		slices.Compare(a.Licences, b.Licences))
}

func compareFindings(a, b breakwater.Finding) int {
	return cmp.Or(
		cmp.Compare(checkPlace(a.Check), checkPlace(b.Check)), cmp.Compare(a.Check, b.Check),
		cmp.Compare(rank(b.Severity), rank(a.Severity)),
		cmp.Compare(a.Where, b.Where), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line),
		cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Layer, b.Layer),
		cmp.Compare(a.Current, b.Current), cmp.Compare(a.Suggest, b.Suggest))
}

// checks lists the eight checks in the order that they are shown in.
func checks() []breakwater.Check {
	return []breakwater.Check{
		breakwater.CheckVulnerability, breakwater.CheckSoftware, breakwater.CheckFile, breakwater.CheckSecret,
		breakwater.CheckBaseline, breakwater.CheckCompliance, breakwater.CheckBuildCommand, breakwater.CheckBaseImage,
	}
}

// checkPlace is the place of a check among the eight; an unknown one is last.
func checkPlace(c breakwater.Check) int {
	if i := slices.Index(checks(), c); i >= 0 {
		return i
	}
	return len(checks())
}

// checkLines is a line for each of the eight checks, and for others that have
// findings or coverage. A check without a coverage was not built: silence is
// never read as clean.
func checkLines(v *view) []checkLine {
	var out []checkLine
	at := map[breakwater.Check]int{}
	line := func(c breakwater.Check) *checkLine {
		i, ok := at[c]
		if !ok {
			i = len(out)
			at[c] = i
			out = append(out, checkLine{Coverage: breakwater.Coverage{Check: c, State: breakwater.StateNotBuilt}})
		}
		return &out[i]
	}
	for _, c := range checks() {
		line(c)
	}
	coverage := slices.Clone(v.Inventory.Coverage)
	slices.SortStableFunc(coverage, func(a, b breakwater.Coverage) int { return cmp.Compare(a.Check, b.Check) })
	for _, c := range coverage {
		c.Skipped = slices.Clone(c.Skipped)
		slices.SortStableFunc(c.Skipped, func(a, b breakwater.Skip) int {
			return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Layer, b.Layer))
		})
		line(c.Check).Coverage = c
	}
	if c := &line(breakwater.CheckVulnerability).Coverage; c.State == breakwater.StateDone {
		if text := v.silent(); text != "" {
			c.Reason = strings.TrimPrefix(c.Reason+"; "+text, "; ")
		}
	}
	for _, vul := range v.Vulnerabilities {
		line(breakwater.CheckVulnerability).Counts.add(severityOf(vul))
	}
	for _, f := range v.Findings {
		line(f.Check).Counts.add(f.Severity)
	}
	return out
}

// shownID is the id that people look for: the CVE where a distribution's record
// is that CVE's with a prefix (DEBIAN-CVE-2024-1), and the record's own otherwise.
func shownID(vul breakwater.Vulnerability) string {
	if i := strings.Index(vul.AdvisoryID, "-CVE-"); i > 0 && breakwater.IsCVE(vul.AdvisoryID[i+1:]) {
		return vul.AdvisoryID[i+1:]
	}
	return vul.AdvisoryID
}

// otherIDs lists the ids of the problem but the one that is shown, sorted.
func otherIDs(vul breakwater.Vulnerability) []string {
	ids := append([]string{vul.AdvisoryID}, vul.Aliases...)
	ids = append(ids, vul.CVEs...)
	slices.Sort(ids)
	shown := shownID(vul)
	return slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == shown })
}

// inherited reports whether a layer is one of the base image's.
func (v *view) inherited(layer breakwater.Digest) bool {
	n := v.layer[layer]
	return v.Base != nil && n > 0 && n <= v.Base.Layers
}

// inheritedVulnerability reports whether every place of it is in the base.
func (v *view) inheritedVulnerability(vul breakwater.Vulnerability) bool {
	for _, p := range vul.Found {
		if !v.inherited(p.Layer) {
			return false
		}
	}
	return len(vul.Found) > 0
}

// size is the compressed bytes of all layers.
func (v *view) size() (bytes int64) {
	for _, l := range v.Inventory.Layers {
		bytes += l.Size
	}
	return bytes
}

// osName is the distribution for people; empty when the image has none.
func (v *view) osName() string {
	system := v.Inventory.OS
	return cmp.Or(system.Name, strings.TrimSpace(system.ID+" "+system.VersionID))
}

// platform is what the image runs on; empty when it does not say.
func (v *view) platform() string {
	if p := v.Inventory.Platform; p.OS != "" || p.Architecture != "" {
		return p.String()
	}
	return ""
}
