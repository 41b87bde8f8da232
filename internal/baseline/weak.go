package baseline

import (
	"cmp"
	"slices"
	"strings"

	"breakwater"
)

// Weak are the weak passwords of an image, with the layer of their file, sorted
// by service, user, path and line. They were guessed when the files were read.
func Weak(inv breakwater.Inventory) []breakwater.WeakPassword {
	var out []breakwater.WeakPassword
	for _, f := range inv.Configs {
		for _, w := range f.Weak {
			w.Path, w.Layer = f.Path, f.Layer
			out = append(out, w)
		}
	}
	slices.SortFunc(out, func(a, b breakwater.WeakPassword) int {
		return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.User, b.User), strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	return out
}

// Weakness is a check that no weak password is in the files of some services.
type Weakness struct {
	Services []string `yaml:"services"` // as WeakPassword.Service; every one when empty
	Except   []string `yaml:"except"`
}

// weak is applicable where a file of such a service has accounts or passwords.
func (v *view) weak(c *Weakness) ([]breakwater.CheckCase, bool) {
	var cases []breakwater.CheckCase
	for i := range v.inv.Configs {
		f := &v.inv.Configs[i]
		service := serviceOf(f.Kind)
		if len(c.Services) > 0 && !slices.Contains(c.Services, service) || slices.Contains(c.Except, service) || !guarded(f) {
			continue
		}
		for _, w := range f.Weak {
			cases = append(cases, caseOf(f, w.Line, true, strings.TrimSpace("the password of "+cmp.Or(w.User, service)+" is weak: "+w.Reason+" "+w.Masked), "a long random password, or none in the image"))
		}
		if len(f.Weak) == 0 {
			current := "none was guessed"
			if f.Untried != "" {
				current += "; not all was tried"
			}
			cases = append(cases, caseOf(f, 0, false, current, "a long random password, or none in the image"))
		}
	}
	return cases, len(cases) > 0
}

// guarded reports whether a file has a password at all.
func guarded(f *breakwater.ConfigFile) bool {
	if len(f.Weak) > 0 || f.Untried != "" {
		return true
	}
	for i := range f.Accounts {
		if p := f.Accounts[i].Password; p == passwordHash || p == passwordEmpty {
			return true
		}
	}
	for i := range f.Entries {
		if f.Entries[i].Secret {
			return true
		}
	}
	return false
}
