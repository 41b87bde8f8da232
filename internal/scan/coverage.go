package scan

import (
	"cmp"
	"fmt"
	"slices"

	"breakwater"
)

// coverage says what became of each of the eight checks. Vulnerabilities are
// judged from the package list later, so that check is done as far as a scan
// can be when there is one.
func coverage(inv breakwater.Inventory, skipped []breakwater.Skip) []breakwater.Coverage {
	software := breakwater.Coverage{Check: breakwater.CheckSoftware, State: breakwater.StateDone}
	vulnerability := breakwater.Coverage{Check: breakwater.CheckVulnerability, State: breakwater.StateDone}
	slices.SortFunc(skipped, func(a, b breakwater.Skip) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Reason, b.Reason))
	})
	if n := len(skipped); n > breakwater.MaxSkips {
		skipped = skipped[:breakwater.MaxSkips]
		software.Reason = fmt.Sprintf("%d files were not wholly read; the first %d are listed", n, breakwater.MaxSkips)
	}
	software.Skipped = skipped
	switch {
	case noDatabase(inv):
		vulnerability.State = breakwater.StateFailed
		vulnerability.Reason = "no package database of the operating system was found: " + cmp.Or(inv.OS.Name, inv.OS.ID)
	case len(inv.Packages) == 0:
		software.Reason = cmp.Or(software.Reason, "no package database, lock file or program with a module list was found")
		vulnerability.Reason = "there are no packages to judge"
		if len(skipped) == 0 {
			software.State = breakwater.StateNotApplicable
		}
		vulnerability.State = breakwater.StateNotApplicable
	case unknownRelease(inv):
		vulnerability.Reason = "packages of the operating system are listed, but not judged: no advisory source speaks of " + cmp.Or(inv.OS.Name, "an image without an os-release")
	}
	out := []breakwater.Coverage{vulnerability, software}
	for _, c := range []breakwater.Check{
		breakwater.CheckFile, breakwater.CheckSecret, breakwater.CheckBaseline,
		breakwater.CheckCompliance, breakwater.CheckBuildCommand, breakwater.CheckBaseImage,
	} {
		out = append(out, breakwater.Coverage{Check: c, State: breakwater.StateNotBuilt})
	}
	return out
}

// noDatabase reports whether the image says which distribution it is and lists
// none of its packages: the database was deleted, or lies where nobody looks.
func noDatabase(inv breakwater.Inventory) bool {
	return inv.OS.ID != "" && !slices.ContainsFunc(inv.Packages, func(p breakwater.Package) bool { return p.Kind == breakwater.PackageOS })
}

func unknownRelease(inv breakwater.Inventory) bool {
	return slices.ContainsFunc(inv.Packages, func(p breakwater.Package) bool {
		return p.Kind == breakwater.PackageOS && p.Ecosystem == ""
	})
}
