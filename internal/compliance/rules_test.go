package compliance

import (
	"strings"
	"testing"

	"breakwater"

	"github.com/google/go-cmp/cmp"
)

func TestOurRulesAreWhole(t *testing.T) {
	r := mustRules(t, "")
	if len(r.All()) < 20 || r.Dated().IsZero() || r.Version() == "" {
		t.Errorf("%d rules, dated %v, version %q", len(r.All()), r.Dated(), r.Version())
	}
	for _, one := range r.rules {
		if one.Description == "" || one.Remediation == "" || r.Rule(one.ID).ID != one.ID {
			t.Errorf("%s says too little", one.ID)
		}
	}
	for _, p := range r.products {
		if !strings.HasPrefix(p.Reference, "https://") || len(p.Ends) == 0 {
			t.Errorf("%s: no reference or no ends", p.Name)
		}
	}
	if r.Rule("NOPE").ID != "" {
		t.Error("a rule that is none")
	}
}

// TestVersionRanges: the order is the ecosystem's own.
func TestVersionRanges(t *testing.T) {
	for _, c := range []struct {
		kind, eco, version, ranges string
		in, known                  bool
	}{
		{"deb", "Debian:12", "1:2.0-1", "<3", false, true}, // an epoch is above every version without
		{"deb", "Debian:12", "7.88.1-10+deb12u5", "<7.89", true, true},
		{"deb", "Debian:12", "1.0~rc1-1", "<1.0", true, true},
		{"apk", "Alpine:v3.20", "1.2.3-r10", ">=1.2.3-r9 <1.2.3-r11", true, true},
		{"rpm", "", "1.10-1.el9", ">1.9", true, true}, // of a distribution that no advisories speak of
		{"rpm", "Red Hat:9", "1.0~beta-1", "<1.0", true, true},
		{"npm", "npm", "4.17.21", "<4.17.21", false, true},
		{"npm", "npm", "4.17.21", "=4.17.21", true, true},
		{"npm", "npm", "5.0.0-rc.1", "<5.0.0", true, true},
		{"pypi", "PyPI", "2.0rc1", "<2.0", true, true},
		{"maven", "Maven", "1.2.17", "<=1.2.17", true, true},
		{"golang", "Go", "1.20.3", "<1.21", true, true},
		{"gem", "RubyGems", "6.1.0", ">=6 <7", true, true},
		{"odd", "", "1", "<2", false, false},
		{"npm", "npm", "not a version", "<2", false, false},
	} {
		r, err := parseRange(c.ranges)
		if err != nil {
			t.Fatal(err)
		}
		in, known := within([]versionRange{r}, breakwater.Package{Type: c.kind, Ecosystem: c.eco, Version: c.version})
		if in != c.in || known != c.known {
			t.Errorf("%s %s in %q: %v, %v", c.kind, c.version, c.ranges, in, known)
		}
	}
}

// TestLicences: AND needs both, OR lets one choose.
func TestLicences(t *testing.T) {
	deny := &mustRules(t, "rules: [{id: A, title: t, severity: low, licences: ['AGPL-*', 'AGPLv*', 'SSPL-*']}]").rules[0].Licences
	for _, c := range []struct {
		licences []string
		want     string
	}{
		{[]string{"MIT"}, ""},
		{[]string{"AGPL-3.0-only"}, "AGPL-3.0-only"},
		{[]string{"agpl-3.0-or-later"}, "agpl-3.0-or-later"},
		{[]string{"MIT OR AGPL-3.0-only"}, ""},
		{[]string{"MIT AND AGPL-3.0-only"}, "AGPL-3.0-only"},
		{[]string{"(MIT OR Apache-2.0) AND (AGPL-3.0-only OR SSPL-1.0)"}, "AGPL-3.0-only"},
		{[]string{"MIT AND BSD-2-Clause OR AGPL-3.0-only"}, ""},
		{[]string{"AGPL-3.0-only WITH Classpath-exception-2.0 OR SSPL-1.0"}, "AGPL-3.0-only"},
		{[]string{"MIT", "SSPL-1.0"}, "SSPL-1.0"},
		{[]string{"AGPLv3+ and MIT"}, "AGPLv3+"},
		{[]string{"AGPLv3+ or Artistic 2.0"}, ""},
		{[]string{"LGPL-2.1-only"}, ""},
		{[]string{"((((", "", "))))", "OR", "AND AGPL-1.0"}, "AGPL-1.0"},
		{[]string{strings.Repeat("(", 4000) + "AGPL-3.0"}, ""},
		{[]string{strings.Repeat("AGPL-3.0 ", 4000)}, ""},
	} {
		got, ok := denied(c.licences, deny)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%.80q: %q, %v", c.licences, got, ok)
		}
	}
}

// TestOwnRules tries every kind of rule that an operator can write.
func TestOwnRules(t *testing.T) {
	now := day("2026-11-01")
	list := append(pkgs("deb", "Debian:12", "curl 7.88.1-10", "curl-doc 7.88.1-10", "tcpdump 4.99-1"), pkgs("npm", "npm", "left-pad 1.0.0")...)
	list = append(list, pkgs("pypi", "PyPI", "Flask_Login 0.5")...)
	list[3].Licences = []string{"AGPL-3.0-only"}
	for own, want := range map[string][]string{
		"disable: [BW-SW-001]":            nil,
		"severity: {BW-SW-001: critical}": {"001 critical tcpdump 4.99-1"},
		"enable: [BW-SW-080]":             {"001 medium tcpdump 4.99-1", "080 medium left-pad 1.0.0"},
		"disable: [BW-SW-001]\nrules: [{id: A, title: t, severity: low, packages: [{type: deb, names: ['curl*'], not: ['*-doc']}]}]":                        {"A low curl 7.88.1-10"},
		"disable: [BW-SW-001]\nrules: [{id: A, title: t, severity: low, packages: [{type: os, names: [curl]}], versions: ['<7.0', '>=8']}]":                 nil,
		"disable: [BW-SW-001]\nrules: [{id: A, title: t, severity: low, packages: [{type: os, names: [curl]}], versions: ['<7.0', '>=7.8']}]":               {"A low curl 7.88.1-10"},
		"disable: [BW-SW-001]\nrules: [{id: A, title: t, severity: low, packages: [{type: '*', names: [left-pad]}], licences: [MIT]}]":                      nil,
		"disable: [BW-SW-001]\nrules: [{id: A, title: t, severity: low, licences: ['AGPL-3.0*']}]":                                                          {"A low left-pad 1.0.0"},
		"disable: [BW-SW-001]\nrules: [{id: A, title: t, severity: low, packages: [{type: pypi, names: [Flask-Login]}]}]":                                   {"A low Flask_Login 0.5"},
		"exceptions: [{rule: BW-SW-001, package: 'tcp*', reason: it traces, until: 2026-11-01}]":                                                            nil,
		"exceptions: [{rule: 'BW-*', package: tcpdump, reason: it traces, until: 2026-10-31}]":                                                              {"001 medium tcpdump 4.99-1"},
		"disable: [BW-SW-001]\nsystems: [{id: ours, name: Ours, rule: BW-SW-100, reference: here, ends: {'1': 2026-01-01}}]":                                {"100 high ours 1.4"},
		"disable: [BW-SW-001]\nproducts: [{name: Curl, rule: BW-SW-102, reference: here, packages: [{type: deb, names: [curl]}], ends: {'7': 2026-01-01}}]": {"102 medium curl 7.88.1-10"},
	} {
		r := mustRules(t, own)
		got := Check(breakwater.Inventory{OS: breakwater.OS{ID: "ours", VersionID: "1.4"}, Packages: list}, r, now)
		if diff := cmp.Diff(want, show(got)); diff != "" {
			t.Errorf("%s:\n%s", own, diff)
		}
		if !strings.HasPrefix(r.Version(), mustRules(t, "").Version()+"+") {
			t.Errorf("version %q", r.Version())
		}
	}
}

// TestExceptionThatRanOut is told in the finding.
func TestExceptionThatRanOut(t *testing.T) {
	r := mustRules(t, "exceptions: [{rule: BW-SW-001, package: tcpdump, reason: x, until: 2026-10-31}]")
	got := Check(breakwater.Inventory{Packages: pkgs("deb", "", "tcpdump 1-1")}, r, day("2026-11-01"))
	if len(got) != 1 || !strings.Contains(got[0].Description, "An exception ended on 2026-10-31.") {
		t.Errorf("%+v", got)
	}
}

// TestVersionsThatCannotBeComparedAreSaid.
func TestVersionsThatCannotBeComparedAreSaid(t *testing.T) {
	r := mustRules(t, "rules: [{id: A, title: t, severity: low, packages: [{type: '*', names: [x]}], versions: ['<2']}]")
	got := Skipped(breakwater.Inventory{Packages: pkgs("odd", "", "x 1", "y 1")}, r)
	if diff := cmp.Diff([]breakwater.Skip{{Path: "db", Reason: "A: the version of x cannot be compared"}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestRuleFileIsRefused: an error is of kind Invalid and says where.
func TestRuleFileIsRefused(t *testing.T) {
	one := func(s string) string { return "rules: [{id: X, title: t, severity: low, " + s + "}]" }
	for own, want := range map[string]string{
		"{": "no YAML", "nonsense: 1": "another form", "a: &a [1]\nb: *a": "aliases", "disable: [X]": "no such rule", "enable: [X]": "no such rule", "severity: {X: low}": "no such rule",
		"severity: {BW-SW-001: bad}": "a severity is", one("off: true"): "needs packages or licences", one("packages: [{type: deb}]"): "need a type and names",
		one("packages: [{type: deb, names: ['[']}]"): "no list of globs", one("licences: ['[']"): "no list of globs", one("licences: [a], versions: ['<']"): "a bound needs", one("licences: [a], versions: ['']"): "a range needs",
		one("packages: [{type: deb, names: [a], vendor: '('}]"): "another form", strings.Repeat("#", MaxRuleBytes+1): "larger than", "rules: [{id: BW-SW-999, title: t, severity: low, licences: [a]}]": "are ours",
		"exceptions: [{rule: A, package: b}]": "needs rule, package, reason and until", "systems: [{id: a, name: b}]": "needs ends", "products: [{name: a, env: [B], ends: {'': 2020-01-01}}]": "a release and a day",
		"systems: [{id: a, name: b, rule: NOPE, ends: {'1': 2020-01-01}}]": "a rule that is none", "rules: [{id: X, title: t, severity: bad, licences: [a]}]": "a severity is",
	} {
		_, err := LoadRules([]byte(own))
		if breakwater.KindOf(err) != breakwater.KindInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", own, err, want)
		}
	}
}

func FuzzLoadRules(f *testing.F) {
	for _, name := range []string{"rules/software.yaml", "rules/system.yaml", "rules/product.yaml"} {
		b, err := embedded.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(strings.ReplaceAll(string(b), "id: BW-SW", "id: OUR")))
	}
	f.Add([]byte("exceptions: [{rule: BW-SW-001, package: tcpdump, reason: x, until: 2026-10-31}]\nenable: [BW-SW-080]"))
	inv := breakwater.Inventory{OS: breakwater.OS{ID: "debian", VersionID: "10"}, Packages: pkgs("deb", "Debian:10", "tcpdump 1-1", "gcc 1-1")}
	now := day("2026-11-01")
	f.Fuzz(func(t *testing.T, own []byte) {
		r, err := LoadRules(own)
		if err != nil {
			if breakwater.KindOf(err) != breakwater.KindInvalid {
				t.Error(err)
			}
			return
		}
		Check(inv, r, now)
	})
}

func FuzzLicence(f *testing.F) {
	f.Add("(MIT OR Apache-2.0) AND AGPL-3.0-only WITH x")
	deny := &mustRules(f, "rules: [{id: A, title: t, severity: low, licences: ['AGPL-*']}]").rules[0].Licences
	f.Fuzz(func(t *testing.T, s string) {
		if hit, ok := denied([]string{s}, deny); ok && !strings.HasPrefix(strings.ToUpper(hit), "AGPL-") {
			t.Errorf("%q: %q", s, hit)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	var list []breakwater.Package
	for range 500 {
		list = append(list, pkgs("deb", "Debian:12", "libfoo 1-1", "gcc-12 12-1", "python3.11 3.11-1", "bar-doc 2-1")...)
	}
	r := mustRules(b, "")
	inv := breakwater.Inventory{OS: breakwater.OS{ID: "debian", VersionID: "10"}, Packages: list}
	now := day("2026-11-01")
	b.ReportAllocs()
	for b.Loop() {
		Check(inv, r, now)
	}
}
