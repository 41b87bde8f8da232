package scan

import (
	"cmp"
	"fmt"
	"slices"

	"breakwater"
)

// fileChecks are those that look into the files of layers.
var fileChecks = [...]breakwater.Check{breakwater.CheckSoftware, breakwater.CheckFile, breakwater.CheckSecret, breakwater.CheckBaseline}

// missed is what each check did not look at, which checks failed by it, and which
// package database of the operating system could not be read at all.
type missed struct {
	skips    map[breakwater.Check][]breakwater.Skip
	failed   map[breakwater.Check]string
	database *string
}

func newMissed() missed {
	return missed{map[breakwater.Check][]breakwater.Skip{}, map[breakwater.Check]string{}, new(string)}
}

// broken remembers one of the databases, always the same one.
func (m missed) broken(database string) {
	if *m.database == "" || database < *m.database {
		*m.database = database
	}
}

// unread is why no package of the operating system is known although it has a
// database of them; empty when some are known, or there is none.
func (m missed) unread(inv breakwater.Inventory) string {
	if *m.database == "" || hasOS(inv) {
		return ""
	}
	return "the package database of the operating system could not be read: " + *m.database
}

func (m missed) add(c breakwater.Check, s breakwater.Skip) { m.skips[c] = append(m.skips[c], s) }

// fail remembers one of the reasons, always the same one.
func (m missed) fail(one Miss) {
	if have := m.failed[one.Check]; one.Failed && (have == "" || one.Reason < have) {
		m.failed[one.Check] = one.Reason
	}
}

// coverage says what became of each of the eight checks as far as a scan goes:
// what is judged later from the facts (vulnerabilities, compliance, baseline,
// build commands, the base image) is done as far as a scan can do it when its
// facts are there.
func coverage(inv breakwater.Inventory, want checks, m missed) []breakwater.Coverage {
	var out []breakwater.Coverage
	for _, check := range breakwater.Checks() {
		c := breakwater.Coverage{Check: check, State: breakwater.StateDone}
		switch check {
		case breakwater.CheckVulnerability:
			vulnerability(inv, m, &c)
		case breakwater.CheckSoftware, breakwater.CheckCompliance:
			software(inv, m, &c)
		case breakwater.CheckFile:
			asked(&c, want.malware)
		case breakwater.CheckSecret:
			asked(&c, want.secrets)
		case breakwater.CheckBaseline:
			asked(&c, want.config)
		case breakwater.CheckBuildCommand:
			if len(inv.History) == 0 {
				c.State, c.Reason = breakwater.StateNotApplicable, "the image does not say how it was built"
			}
		}
		if check != breakwater.CheckCompliance {
			skips(&c, m.skips[check])
		}
		if reason := m.failed[check]; reason != "" && c.State != breakwater.StateNotAsked {
			c.State, c.Code, c.Reason = breakwater.StateFailed, check.Code(), reason
		}
		out = append(out, c)
	}
	return out
}

func asked(c *breakwater.Coverage, asked bool) {
	if !asked {
		c.State, c.Reason = breakwater.StateNotAsked, "the scan was not asked for this check"
	}
}

// skips lists what was not looked at, the first of it when it is much.
func skips(c *breakwater.Coverage, list []breakwater.Skip) {
	slices.SortFunc(list, func(a, b breakwater.Skip) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Reason, b.Reason))
	})
	if n := len(list); n > breakwater.MaxSkips {
		list = list[:breakwater.MaxSkips]
		c.Reason = fmt.Sprintf("%d files were not wholly looked at; the first %d are listed", n, breakwater.MaxSkips)
	}
	if c.State != breakwater.StateNotAsked {
		c.Skipped = list
	}
}

// software fails when it is known that there are packages and not which; what is
// judged of those that are known, compliance, is done as far as it can be.
func software(inv breakwater.Inventory, m missed, c *breakwater.Coverage) {
	unread := m.unread(inv)
	switch {
	case unread != "":
		if c.Reason = unread; c.Check == breakwater.CheckSoftware {
			c.State, c.Code = breakwater.StateFailed, breakwater.CodeSoftware
		}
	case len(inv.Packages) == 0:
		c.Reason = "no package database, lock file or program with a module list was found"
		if len(m.skips[breakwater.CheckSoftware]) == 0 {
			c.State = breakwater.StateNotApplicable
		}
	}
}

// vulnerability is judged from the package list, so it is done as far as a scan
// can be when there is one.
func vulnerability(inv breakwater.Inventory, m missed, c *breakwater.Coverage) {
	unread := m.unread(inv)
	switch {
	case unread != "":
		c.State, c.Code, c.Reason = breakwater.StateFailed, breakwater.CodeVulnerability, unread
	case inv.OS.ID != "" && !hasOS(inv):
		// The database was deleted, or lies where nobody looks.
		c.State, c.Code = breakwater.StateFailed, breakwater.CodeVulnerability
		c.Reason = "no package database of the operating system was found: " + cmp.Or(inv.OS.Name, inv.OS.ID)
	case len(inv.Packages) == 0:
		c.State = breakwater.StateNotApplicable
		c.Reason = "there are no packages to judge"
	case unknownRelease(inv):
		c.Reason = "packages of the operating system are listed, but not judged: no advisory source speaks of " + cmp.Or(inv.OS.Name, "an image without an os-release")
	case len(m.skips[breakwater.CheckSoftware]) > 0:
		c.Reason = "packages of files that were not read are not judged"
	}
}

// hasOS reports whether the image lists packages of an operating system.
func hasOS(inv breakwater.Inventory) bool {
	return slices.ContainsFunc(inv.Packages, func(p breakwater.Package) bool { return p.Kind == breakwater.PackageOS })
}

func unknownRelease(inv breakwater.Inventory) bool {
	return slices.ContainsFunc(inv.Packages, func(p breakwater.Package) bool {
		return p.Kind == breakwater.PackageOS && p.Ecosystem == ""
	})
}
