package report

import (
	"cmp"
	"slices"

	"breakwater"
)

// upgrade is the advice for one package version: the lowest version that repairs
// every problem of it that can be repaired.
type upgrade struct {
	Package breakwater.PackageVersion
	To      []string // one version; several when they could not be compared, sorted
	Fixes   []string // the ids that it repairs, sorted
	Left    int      // how many problems no version repairs
	Worst   breakwater.Severity
}

// upgrades gives the advice for each package version that has a repairable
// problem: those with the worst problems first, then by name.
func upgrades(list []breakwater.Vulnerability, compare func(ecosystem, a, b string) (int, error)) []upgrade {
	at := map[breakwater.PackageVersion]int{}
	var all []upgrade
	for _, v := range list {
		i, ok := at[v.Package]
		if !ok {
			i = len(all)
			at[v.Package] = i
			all = append(all, upgrade{Package: v.Package})
		}
		u := &all[i]
		if v.Fixed == "" {
			u.Left++
			continue
		}
		u.Fixes = append(u.Fixes, shownID(v))
		u.To = append(u.To, v.Fixed)
		if rank(severityOf(v)) > rank(u.Worst) {
			u.Worst = severityOf(v)
		}
	}
	out := all[:0]
	for _, u := range all {
		if len(u.To) == 0 {
			continue
		}
		slices.Sort(u.Fixes)
		u.Fixes = slices.Compact(u.Fixes)
		u.To = latest(u.Package.Ecosystem, u.To, compare)
		out = append(out, u)
	}
	slices.SortStableFunc(out, func(a, b upgrade) int {
		return cmp.Or(cmp.Compare(rank(b.Worst), rank(a.Worst)),
			cmp.Compare(a.Package.Name, b.Package.Name), comparePackageVersions(a.Package, b.Package))
	})
	return out
}

// latest is the newest of the versions, or all of them when one pair cannot be
// compared: then no single one can be said to repair everything.
func latest(ecosystem string, versions []string, compare func(ecosystem, a, b string) (int, error)) []string {
	slices.Sort(versions)
	versions = slices.Compact(versions)
	if len(versions) < 2 || compare == nil {
		return versions
	}
	best := versions[0]
	for _, v := range versions[1:] {
		c, err := compare(ecosystem, best, v)
		if err != nil {
			return versions
		}
		if c < 0 {
			best = v
		}
	}
	return []string{best}
}
