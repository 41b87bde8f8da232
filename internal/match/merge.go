package match

import (
	"cmp"
	"slices"
	"strings"

	"breakwater"
)

// merge turns the records that apply to one package into one verdict for each
// problem, sorted by the id shown. Package doc, "One problem, one finding".
func (o order) merge(ecosystem string, found []finding) []breakwater.Verdict {
	found = newest(found)
	var single, bulletins []finding
	for _, f := range found {
		if len(f.advisory.Upstream) > 1 {
			bulletins = append(bulletins, f)
		} else {
			single = append(single, f)
		}
	}
	groups := group(single)
	covered := map[string]int{} // a CVE → the group that reports it
	for i, g := range groups {
		for _, f := range g {
			for _, cve := range f.advisory.CVEs() {
				covered[cve] = i
			}
		}
	}
	also := make(map[int][]string)
	for _, b := range bulletins {
		if at, ok := reported(b.advisory, covered); ok {
			for _, i := range at {
				also[i] = append(also[i], b.advisory.ID)
			}
			continue
		}
		groups = append(groups, []finding{b})
	}
	out := make([]breakwater.Verdict, 0, len(groups))
	for i, g := range groups {
		out = append(out, o.verdict(ecosystem, g, also[i]))
	}
	slices.SortFunc(out, func(a, b breakwater.Verdict) int { return cmp.Compare(a.AdvisoryID, b.AdvisoryID) })
	return out
}

// reported tells whether each CVE of a bulletin is some group's, and whose.
func reported(a breakwater.Advisory, covered map[string]int) (groups []int, ok bool) {
	cves := a.CVEs()
	for _, cve := range cves {
		i, ok := covered[cve]
		if !ok {
			return nil, false
		}
		if !slices.Contains(groups, i) {
			groups = append(groups, i)
		}
	}
	return groups, len(cves) > 0
}

// group joins records that share an id among their own, their aliases and what
// they derive from.
func group(found []finding) [][]finding {
	parent := make([]int, len(found))
	for i := range parent {
		parent[i] = i
	}
	var root func(i int) int
	root = func(i int) int {
		if parent[i] != i {
			parent[i] = root(parent[i])
		}
		return parent[i]
	}
	owner := map[string]int{}
	for i, f := range found {
		a := f.advisory
		for _, ids := range [][]string{{a.ID}, a.Aliases, a.Upstream} {
			for _, id := range ids {
				if j, ok := owner[id]; ok {
					parent[root(i)] = root(j)
				} else {
					owner[id] = i
				}
			}
		}
	}
	at := map[int]int{}
	var out [][]finding
	for i, f := range found {
		r := root(i)
		n, ok := at[r]
		if !ok {
			n = len(out)
			at[r] = n
			out = append(out, nil)
		}
		out[n] = append(out[n], f)
	}
	return out
}

// verdict picks the record that is shown for a group and gathers the rest. Where
// the records name different fixes the latest counts: it satisfies them all.
func (o order) verdict(ecosystem string, g []finding, also []string) breakwater.Verdict {
	best := slices.MinFunc(g, func(a, b finding) int {
		return cmp.Or(
			cmp.Compare(cveRank(a.advisory), cveRank(b.advisory)),
			cmp.Compare(homeRank(ecosystem, a.advisory.ID), homeRank(ecosystem, b.advisory.ID)),
			cmp.Compare(a.advisory.ID, b.advisory.ID))
	})
	v := breakwater.Verdict{AdvisoryID: best.advisory.ID, Rule: best.rule, Fixed: best.fixed, Score: -1}
	for _, f := range g {
		v.Score = max(v.Score, f.score)
		v.Fixed = o.later(v.Fixed, f.fixed)
		if worse(f.severity, v.Severity) {
			v.Severity = f.severity
		}
		if f.advisory.ID == best.advisory.ID {
			continue
		}
		also = append(also, f.advisory.ID)
	}
	if v.Severity == "" {
		v.Severity = breakwater.SeverityMedium
	}
	slices.Sort(also)
	v.Also = slices.Compact(also)
	return v
}

// later is the newer of two fixes; anything is newer than none.
func (o order) later(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	v, err1 := o.parse(a)
	w, err2 := o.parse(b)
	if err1 != nil || err2 != nil {
		return a
	}
	if c, err := v.Compare(w); err == nil && c < 0 {
		return b
	}
	return a
}

// cveRank puts records that name a CVE first, so that the CVE is never lost.
func cveRank(a breakwater.Advisory) int {
	if len(a.CVEs()) > 0 {
		return 0
	}
	return 1
}

// homeRank is the place of an id's database in the ecosystem's own list.
func homeRank(ecosystem, id string) int {
	list := home(breakwater.BaseEcosystem(ecosystem))
	for i, prefix := range list {
		if strings.HasPrefix(id, prefix) {
			return i
		}
	}
	return len(list)
}

// home lists the databases whose ids are shown first.
func home(base string) []string {
	switch base {
	case "Debian":
		return []string{"DEBIAN-CVE-", "DSA-", "DLA-", "CVE-"}
	case "Ubuntu":
		return []string{"UBUNTU-CVE-", "USN-", "LSN-", "CVE-"}
	case "Alpine":
		return []string{"ALPINE-CVE-", "CVE-"}
	case "AlmaLinux":
		return []string{"ALSA-"}
	case "Rocky Linux":
		return []string{"RLSA-", "RXSA-"}
	case "Red Hat":
		return []string{"RHSA-"}
	case "Azure Linux":
		return []string{"AZL-"}
	case "Chainguard", "Wolfi", "MinimOS":
		return []string{"CGA-", "MINI-"}
	case "PyPI":
		return []string{"PYSEC-", "GHSA-", "CVE-"}
	case "Go":
		return []string{"GO-", "GHSA-", "CVE-"}
	case "crates.io":
		return []string{"RUSTSEC-", "GHSA-", "CVE-"}
	case "Hex":
		return []string{"EEF-", "GHSA-", "CVE-"}
	case "CRAN", "Bioconductor":
		return []string{"RSEC-"}
	case "Bitnami":
		return []string{"BIT-"}
	case "Packagist":
		return []string{"DRUPAL-", "GHSA-", "CVE-"}
	}
	return []string{"MAL-", "GHSA-", "CVE-"}
}

func worse(a, b breakwater.Severity) bool { return rank(a) > rank(b) }

func rank(s breakwater.Severity) int {
	switch s {
	case breakwater.SeverityHigh:
		return 3
	case breakwater.SeverityMedium:
		return 2
	case breakwater.SeverityLow:
		return 1
	}
	return 0
}
