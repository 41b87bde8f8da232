package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"breakwater"
)

// Ecosystems lists, sorted, where the advisories of an image's packages are
// looked up: what Report.Spoken is about.
func Ecosystems(inv breakwater.Inventory) []string {
	set := map[string]bool{}
	for _, p := range inv.Packages {
		if p.Ecosystem != "" && p.OwnedBy == "" {
			for _, e := range breakwater.LookupEcosystems(p.Ecosystem) {
				set[e] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// maxSilent is how many ecosystems are named.
const maxSilent = 5

// silent says for which packages there are no advisories at all: no feed has
// them, or the feed does not know the release. Without it an image that nothing
// is known of would look like one without faults.
func (v *view) silent() string {
	if v.Spoken == nil {
		return ""
	}
	counts := map[string]int{}
	for _, p := range v.Inventory.Packages {
		switch {
		case p.OwnedBy != "", p.Ecosystem == "" && p.Kind == breakwater.PackageOS: // the scan has said it of the system
		case p.Ecosystem == "":
			counts[p.Type]++
		case !slices.ContainsFunc(breakwater.LookupEcosystems(p.Ecosystem), func(e string) bool { return v.Spoken[e] }):
			counts[p.MatchEcosystem()]++
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if len(out) == maxSilent {
			out = append(out, fmt.Sprintf("%d more", len(counts)-maxSilent))
			break
		}
		out = append(out, fmt.Sprintf("%s (packages: %d)", name, counts[name]))
	}
	if len(out) == 0 {
		return ""
	}
	return "no advisory here speaks of " + strings.Join(out, ", ")
}
