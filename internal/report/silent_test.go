package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"breakwater"
)

// TestSilent: packages that no advisory speaks of are named, and the report is
// not complete.
func TestSilent(t *testing.T) {
	pkg := func(ecosystem, owner string) breakwater.Package {
		return breakwater.Package{Kind: breakwater.PackageOS, Type: "deb", Ecosystem: ecosystem, Name: "x", Version: "1", OwnedBy: owner}
	}
	with := func(spoken map[string]bool, list ...breakwater.Package) Report {
		b := build("a").checked(checks()...)
		for _, p := range list {
			b.pkg(p)
		}
		b.r.Spoken, b.r.Inventory.OS = spoken, breakwater.OS{}
		return b.r
	}
	var many []breakwater.Package
	for i := range 8 {
		many = append(many, pkg(fmt.Sprintf("Debian:%d", 20+i), ""))
	}
	known := map[string]bool{"Debian:12": true, "npm": true, "AlmaLinux": true}
	for _, tt := range []struct {
		name, want string // empty: complete
		r          Report
	}{
		{"known", "", with(known, pkg("Debian:12", ""), pkg("npm", ""), pkg("AlmaLinux:9", ""))},
		{"not known what is known", "", with(nil, pkg("Debian:13", ""))},
		{"judged by the distribution", "", with(known, pkg("PyPI", "python3-x"), pkg("", "python3-x"))},
		{"no feed", "no advisory here speaks of PyPI (packages: 1)", with(known, pkg("PyPI", ""), pkg("npm", ""))},
		{"another release", "no advisory here speaks of Debian:13 (packages: 2)", with(known, pkg("Debian:13", ""), pkg("Debian:13.1", ""), pkg("Debian:12", ""))},
		{"a type without advisories", "no advisory here speaks of conan (packages: 1)", with(known, pkg("", ""), breakwater.Package{Type: "conan", Name: "x", Version: "1"})},
		{"many", "Debian:24 (packages: 1), 3 more", with(known, many...)},
	} {
		for _, format := range []string{"table", "json", "sarif"} {
			var out bytes.Buffer
			if err := Write(&out, format, tt.r, Options{Width: 200}); err != nil {
				t.Fatal(err)
			}
			if want := tt.want; want == "" && strings.Contains(out.String(), "no advisory") || !strings.Contains(out.String(), want) {
				t.Errorf("%s, %s: want %q:\n%s", tt.name, format, want, out.String())
			}
		}
		if Complete(tt.r) != (tt.want == "") {
			t.Errorf("%s: complete is %v", tt.name, Complete(tt.r))
		}
	}
	if got := Ecosystems(with(nil, pkg("Debian:12.5", ""), pkg("PyPI", "python3-x"), pkg("npm", ""), pkg("", "")).Inventory); !slices.Equal(got, []string{"Debian", "Debian:12", "npm"}) {
		t.Errorf("ecosystems: %v", got)
	}
}
