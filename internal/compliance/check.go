package compliance

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"breakwater"
)

// maxFindings bounds what one image answers.
const maxFindings = 10_000

// candidate is a finding about a package, before those of one source are merged.
type candidate struct {
	finding breakwater.Finding
	pkg     *breakwater.Package // nil: about no package
	group   string              // findings of one rule and group are one
}

// Check holds the rules and tables against an image's software as of now. It is
// pure; its findings are sorted by rule, subject, version and path.
func Check(inv breakwater.Inventory, r *Rules, now time.Time) []breakwater.Finding {
	var all []candidate
	for i := range r.rules {
		if one := &r.rules[i]; !one.Off && !one.Support {
			all = append(all, one.candidates(inv)...)
		}
	}
	for i := range r.products {
		all = append(all, r.product(&r.products[i], inv, now)...)
	}
	out := append(r.system(inv, now), merge(all)...)
	out = r.except(out, now)
	slices.SortStableFunc(out, func(a, b breakwater.Finding) int {
		return cmp.Or(strings.Compare(a.Rule, b.Rule), strings.Compare(a.Subject, b.Subject), strings.Compare(a.Version, b.Version), strings.Compare(a.Path, b.Path))
	})
	return out[:min(len(out), maxFindings)]
}

// Skipped lists the packages that a rule names and whose version could not be
// compared with the rule's, at most MaxSkips.
func Skipped(inv breakwater.Inventory, r *Rules) []breakwater.Skip {
	var out []breakwater.Skip
	for j := range inv.Packages {
		p := &inv.Packages[j]
		for i := range r.rules {
			one := &r.rules[i]
			if one.Off || len(one.ranges) == 0 || !one.about(p) {
				continue
			}
			if _, known := within(one.ranges, *p); !known && len(out) < breakwater.MaxSkips {
				out = append(out, breakwater.Skip{Layer: p.Layer, Path: p.Path, Reason: fmt.Sprintf("%s: the version of %s cannot be compared", one.ID, p.Name)})
			}
		}
	}
	return out
}

// candidates are the packages that a rule is about.
func (one *rule) candidates(inv breakwater.Inventory) []candidate {
	var out []candidate
	for i := range inv.Packages {
		p := &inv.Packages[i]
		if !one.about(p) {
			continue
		}
		if in, _ := within(one.ranges, *p); !in {
			continue
		}
		f := one.finding()
		if !one.Licences.empty() {
			licence, ok := denied(p.Licences, &one.Licences)
			if !ok {
				continue
			}
			f.Current = "licence " + licence
		}
		out = append(out, candidate{f, p, family(*p)})
	}
	return out
}

// about reports whether a rule names a package, whatever its version. What an
// OS package installed for a language is that package, and is not named twice.
func (one *rule) about(p *breakwater.Package) bool {
	return p.OwnedBy == "" && (len(one.Packages) == 0 || named(one.Packages, p))
}

func named(list []names, p *breakwater.Package) bool {
	for i := range list {
		if list[i].match(p) {
			return true
		}
	}
	return false
}

func (n *names) match(p *breakwater.Package) bool {
	switch n.Type {
	case "*", p.Type:
	case "os":
		if p.Kind != breakwater.PackageOS {
			return false
		}
	default:
		return false
	}
	in := func(g *globSet) bool { return g.match(p.Name) }
	if ecosystem := folded[p.Type]; ecosystem != "" {
		name := strings.ToLower(breakwater.NormalName(ecosystem, p.Name))
		in = func(g *globSet) bool { return g.fold(name) }
	}
	return in(&n.Names) && !in(&n.Not) && n.Vendor.match(p.Version)
}

// folded are the types whose names do not regard case, with their ecosystems.
var folded = map[string]string{"pypi": "PyPI", "nuget": "NuGet", "composer": "Packagist"}

func globMatch(glob, name string) bool {
	ok, _ := path.Match(glob, name)
	return ok
}

// family is what the packages of one piece of software have in common: the
// source without its release ("gcc" of gcc-12 and gcc-defaults), and for
// languages the package and its version.
func family(p breakwater.Package) string {
	if p.Kind != breakwater.PackageOS {
		return p.Type + " " + p.Name + " " + p.Version + " " + p.Path
	}
	name := strings.TrimSuffix(cmp.Or(p.SourceName, p.Name), "-defaults")
	return p.Type + " " + strings.TrimRight(name, "0123456789.-")
}

// merge makes one finding of those of one rule and group: about the package
// that is named like the group, or has the shortest name.
func merge(all []candidate) []breakwater.Finding {
	groups := map[string][]candidate{}
	var order []string
	for _, c := range all {
		key := c.finding.Rule + " " + c.group
		if _, ok := groups[key]; !ok {
			order = append(order, key)
		}
		groups[key] = append(groups[key], c)
	}
	out := make([]breakwater.Finding, 0, len(order))
	for _, key := range order {
		list := groups[key]
		like := func(c candidate) int {
			if c.pkg != nil && strings.HasSuffix(c.group, " "+c.pkg.Name) {
				return 1
			}
			return 0
		}
		slices.SortStableFunc(list, func(a, b candidate) int {
			if a.pkg == nil || b.pkg == nil {
				return 0
			}
			return cmp.Or(like(b)-like(a), cmp.Compare(len(a.pkg.Name), len(b.pkg.Name)), strings.Compare(a.pkg.Name, b.pkg.Name), strings.Compare(a.pkg.Version, b.pkg.Version), strings.Compare(a.pkg.Path, b.pkg.Path))
		})
		out = append(out, list[0].whole(list[1:]))
	}
	return out
}

// whole is the finding with its package, and the others that it stands for.
func (c candidate) whole(others []candidate) breakwater.Finding {
	f := c.finding
	if c.pkg == nil {
		return f
	}
	f.Subject, f.Version, f.Path, f.Layer = c.pkg.Name, c.pkg.Version, c.pkg.Path, c.pkg.Layer
	var also []string
	for _, o := range others {
		if o.pkg != nil && o.pkg.Name != f.Subject && !slices.Contains(also, o.pkg.Name) && len(also) < 20 {
			also = append(also, o.pkg.Name)
		}
	}
	if len(also) > 0 {
		f.Description = strings.TrimSpace(f.Description + " Also installed: " + strings.Join(also, ", ") + ".")
	}
	return f
}

// except takes off what an exception covers. One that has run out is told.
func (r *Rules) except(list []breakwater.Finding, now time.Time) []breakwater.Finding {
	out := list[:0]
	for _, f := range list {
		kept := true
		for _, e := range r.exceptions {
			if !globMatch(e.Rule, f.Rule) || !globMatch(e.Package, f.Subject) {
				continue
			}
			if now.Before(e.Until.AddDate(0, 0, 1)) {
				kept = false
				break
			}
			f.Description = strings.TrimSpace(f.Description + " An exception ended on " + e.Until.Format(time.DateOnly) + ".")
		}
		if kept {
			out = append(out, f)
		}
	}
	return out
}
