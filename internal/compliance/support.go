package compliance

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"breakwater"
)

// system is the support of a distribution's releases.
type system struct {
	ID        string  `yaml:"id"`         // os-release ID
	Pretty    string  `yaml:"pretty"`     // and PRETTY_NAME contains this
	PrettyNot string  `yaml:"pretty_not"` // and not this
	Name      string  `yaml:"name"`       // for people
	Rule      string  `yaml:"rule"`
	Reference string  `yaml:"reference"`
	Ends      endings `yaml:"ends"`
}

// product is the support of a runtime, a server or a library.
type product struct {
	Name      string  `yaml:"name"`
	Rule      string  `yaml:"rule"`
	Reference string  `yaml:"reference"`
	Packages  []names `yaml:"packages"` // built by its makers, or with no distribution
	// Env are variables that official images set to the version of what they
	// built from source, where no package manager knows it.
	Env []string `yaml:"env"`
	// Distro are the names under which distributions package it.
	Distro globSet `yaml:"distro"`
	Ends   endings `yaml:"ends"`
}

// endings are the last days of support by release: "3.9" stands for 3.9 and 3.9.x.
type endings map[string]time.Time

func (e endings) check() error {
	if len(e) == 0 || len(e) > maxList {
		return errors.New("a table needs ends")
	}
	for cycle, end := range e {
		if cycle == "" || len(cycle) > 64 || end.IsZero() {
			return errors.New("an end needs a release and a day")
		}
	}
	return nil
}

func (s system) check() error {
	if s.ID == "" || s.Name == "" {
		return errors.New("a system needs id and name")
	}
	return s.Ends.check()
}

func (p product) check() error {
	if p.Name == "" || len(p.Packages)+len(p.Env) == 0 && p.Distro.empty() {
		return errors.New("a product needs a name, and packages or env")
	}
	if len(p.Env) > maxList {
		return errors.New("env is too long")
	}
	for _, n := range p.Packages {
		if err := n.check(); err != nil {
			return err
		}
	}
	return p.Ends.check()
}

// of finds the longest release that a version belongs to.
func (e endings) of(version string) (cycle string, end time.Time, ok bool) {
	if _, rest, epoch := strings.Cut(version, ":"); epoch {
		version = rest
	}
	version = strings.TrimLeftFunc(version, func(r rune) bool { return r < '0' || r > '9' }) // v1.2, go1.2, jdk-11
	for c, t := range e {
		rest, has := strings.CutPrefix(version, c)
		if has && (rest == "" || rest[0] < '0' || rest[0] > '9') && len(c) > len(cycle) {
			cycle, end, ok = c, t, true
		}
	}
	return cycle, end, ok
}

// soon is how long before its end support is spoken of.
const soon = 90 * 24 * time.Hour

// verdict turns an end of support into a finding; ok is false when there is none yet.
func (r *Rules) verdict(id, name, cycle, reference string, end, now time.Time) (breakwater.Finding, bool) {
	over := now.After(end.AddDate(0, 0, 1)) || now.Equal(end.AddDate(0, 0, 1)) // the last day counts whole
	if !over {
		if end.Sub(now) > soon {
			return breakwater.Finding{}, false
		}
		id = "BW-SW-104"
	}
	one, ok := r.active(id)
	if !ok {
		return breakwater.Finding{}, false
	}
	f := one.finding()
	word := "ended"
	if !over {
		word = "ends"
	}
	day := end.Format(time.DateOnly)
	f.Current = fmt.Sprintf("support of %s %s %s on %s", name, cycle, word, day)
	f.Description = fmt.Sprintf("Support of %s %s %s on %s (%s; as known on %s).", name, cycle, word, day, reference, r.dated.Format(time.DateOnly))
	return f, true
}

// systems judges the distribution.
func (r *Rules) system(inv breakwater.Inventory, now time.Time) []breakwater.Finding {
	for _, s := range r.systems {
		if s.ID != inv.OS.ID || !strings.Contains(inv.OS.Name, s.Pretty) || s.PrettyNot != "" && strings.Contains(inv.OS.Name, s.PrettyNot) {
			continue
		}
		cycle, end, ok := s.Ends.of(inv.OS.VersionID)
		if !ok {
			continue
		}
		f, ok := r.verdict(s.Rule, s.Name, cycle, s.Reference, end, now)
		if !ok {
			return nil
		}
		f.Subject, f.Version, f.Path = inv.OS.ID, inv.OS.VersionID, "etc/os-release"
		return []breakwater.Finding{f}
	}
	return nil
}

// product judges one product: its packages, and where there is none the
// variable that an official image sets.
func (r *Rules) product(p *product, inv breakwater.Inventory, now time.Time) []candidate {
	var out []candidate
	for i := range inv.Packages {
		pkg := &inv.Packages[i]
		own := named(p.Packages, pkg)
		if pkg.OwnedBy != "" || !own && !(pkg.Kind == breakwater.PackageOS && p.Distro.match(pkg.Name)) {
			continue
		}
		cycle, end, ok := p.Ends.of(pkg.Version)
		if !ok {
			continue
		}
		id := p.Rule
		if !own {
			if id = "BW-SW-105"; !now.After(end) {
				continue
			}
		}
		if f, ok := r.verdict(id, p.Name, cycle, p.Reference, end, now); ok {
			out = append(out, candidate{f, pkg, p.Name + " " + cycle})
		}
	}
	if len(out) > 0 {
		return out
	}
	return r.variable(p, inv, now)
}

func (r *Rules) variable(p *product, inv breakwater.Inventory, now time.Time) []candidate {
	for _, name := range p.Env {
		for _, kv := range inv.Setup.Env {
			key, value, _ := strings.Cut(kv, "=")
			if key != name || value == "" || len(value) > 128 {
				continue
			}
			cycle, end, ok := p.Ends.of(value)
			if !ok {
				continue
			}
			if f, ok := r.verdict(p.Rule, p.Name, cycle, p.Reference, end, now); ok {
				f.Where, f.Path, f.Subject, f.Version = breakwater.WhereEnv, name, p.Name, value
				return []candidate{{f, nil, p.Name}}
			}
		}
	}
	return nil
}
