package match_test

import (
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/match"

	"github.com/google/go-cmp/cmp"
)

// lookup answers from a list, as the store does from its tables.
func lookup(list ...breakwater.Advisory) match.Lookup {
	return func(ecosystem, name string) []breakwater.Advisory {
		var out []breakwater.Advisory
		for _, a := range list {
			for _, f := range a.Affected {
				if f.Ecosystem == ecosystem && f.Name == name {
					out = append(out, a)
					break
				}
			}
		}
		return out
	}
}

// span makes events from "i:1.0", "f:2.0", "l:3.0" and "m:4.0" (limit).
func span(events ...string) breakwater.Range {
	r := breakwater.Range{Type: "ECOSYSTEM"}
	for _, e := range events {
		switch v := e[2:]; e[0] {
		case 'i':
			r.Events = append(r.Events, breakwater.Event{Introduced: v})
		case 'f':
			r.Events = append(r.Events, breakwater.Event{Fixed: v})
		case 'l':
			r.Events = append(r.Events, breakwater.Event{LastAffected: v})
		case 'm':
			r.Events = append(r.Events, breakwater.Event{Limit: v})
		}
	}
	return r
}

func advisory(id, ecosystem, name string, ranges ...breakwater.Range) breakwater.Advisory {
	return breakwater.Advisory{ID: id, Modified: time.Unix(1, 0), Score: -1, Severity: breakwater.SeverityMedium,
		Affected: []breakwater.Affected{{Ecosystem: ecosystem, Name: name, Ranges: ranges}}}
}

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		what, ecosystem, version string
		ranges                   []breakwater.Range
		affected                 bool
		fixed                    string
	}{
		{"below the fix", "npm", "4.17.20", []breakwater.Range{span("i:0", "f:4.17.21")}, true, "4.17.21"},
		{"at the fix", "npm", "4.17.21", []breakwater.Range{span("i:0", "f:4.17.21")}, false, ""},
		{"a pre-release of the fix", "npm", "4.17.21-rc.1", []breakwater.Range{span("i:0", "f:4.17.21")}, true, "4.17.21"},
		{"at last_affected", "npm", "1.0.0", []breakwater.Range{span("i:0", "l:1.0.0")}, true, ""},
		{"past last_affected", "npm", "1.0.1", []breakwater.Range{span("i:0", "l:1.0.0")}, false, ""},
		{"before introduced", "npm", "0.9.0", []breakwater.Range{span("i:1.0.0", "f:2.0.0")}, false, ""},
		{"events out of order", "npm", "1.5.0", []breakwater.Range{span("f:2.0.0", "i:1.0.0")}, true, "2.0.0"},
		{"never fixed", "npm", "99.0.0", []breakwater.Range{span("i:0")}, true, ""},
		{"old branch", "Maven", "2.3", []breakwater.Range{span("i:2.13.0", "f:2.15.0"), span("i:0", "f:2.3.1"), span("i:2.4", "f:2.12.2")}, true, "2.3.1"},
		{"middle branch", "Maven", "2.12.1", []breakwater.Range{span("i:2.13.0", "f:2.15.0"), span("i:0", "f:2.3.1"), span("i:2.4", "f:2.12.2")}, true, "2.12.2"},
		{"new branch", "Maven", "2.14.1", []breakwater.Range{span("i:2.13.0", "f:2.15.0"), span("i:0", "f:2.3.1"), span("i:2.4", "f:2.12.2")}, true, "2.15.0"},
		{"between branches", "Maven", "2.12.3", []breakwater.Range{span("i:2.13.0", "f:2.15.0"), span("i:0", "f:2.3.1"), span("i:2.4", "f:2.12.2")}, false, ""},
		{"a fix that another range reopens", "npm", "1.0.0", []breakwater.Range{span("i:0", "f:1.1.0"), span("i:1.0.5", "f:1.2.0")}, true, "1.2.0"},
		{"fixed and introduced again at once", "npm", "1.0.0", []breakwater.Range{span("i:0", "f:1.0.0", "i:1.0.0", "f:1.2.0")}, true, "1.2.0"},
		{"an empty range", "npm", "1.5.0", []breakwater.Range{span("i:1.0.0", "f:1.0.0")}, false, ""},
		{"below the limit", "npm", "1.0.0", []breakwater.Range{span("i:0", "m:2.0.0")}, true, ""},
		{"at the limit", "npm", "2.0.0", []breakwater.Range{span("i:0", "m:2.0.0")}, false, ""},
		{"no limit", "npm", "2.0.0", []breakwater.Range{span("i:0", "m:*")}, true, ""},

		{"dpkg tilde", "Debian:12", "1.0~rc1-1", []breakwater.Range{span("i:0", "f:1.0-1")}, true, "1.0-1"},
		{"dpkg epoch", "Debian:12", "1:0.5-1", []breakwater.Range{span("i:0", "f:2.0-1")}, false, ""},
		{"dpkg deb12u", "Debian:12", "3.0.11-1~deb12u1", []breakwater.Range{span("i:0", "f:3.0.11-1~deb12u2")}, true, "3.0.11-1~deb12u2"},
		{"Ubuntu suffix", "Ubuntu:22.04:LTS", "2.35-0ubuntu3.1", []breakwater.Range{span("i:0", "f:2.35-0ubuntu3.10")}, true, "2.35-0ubuntu3.10"},
		{"apk revision", "Alpine:v3.19", "1.36.1-r2", []breakwater.Range{span("i:0", "f:1.36.1-r15")}, true, "1.36.1-r15"},
		{"apk suffix", "Alpine:3.19.1", "3.1.4_git20230717-r0", []breakwater.Range{span("i:0", "f:3.1.4-r1")}, false, ""},
		{"rpm epoch", "AlmaLinux:9.4", "2:4.9.4-0.1.el9", []breakwater.Range{span("i:0", "f:2:4.9.4-0.1.el9")}, false, ""},
		{"rpm release", "Rocky Linux:8", "102.10.0-1.el8", []breakwater.Range{span("i:0", "f:0:102.11.0-2.el8_7")}, true, "0:102.11.0-2.el8_7"},
		{"Azure Linux", "Azure Linux:3.0", "2.16.1-1.azl3", []breakwater.Range{span("i:0", "f:2.16.2-1.azl3")}, true, "2.16.2-1.azl3"},
		{"Red Hat CPE release", "Red Hat:enterprise_linux:9::baseos", "1.1-1.el9", []breakwater.Range{span("i:0", "f:1.1-2.el9")}, true, "1.1-2.el9"},
		{"PEP 440 zeros", "PyPI", "2.0", []breakwater.Range{span("i:0", "f:2.0.0")}, false, ""},
		{"PEP 440 rc", "PyPI", "2.0rc1", []breakwater.Range{span("i:0", "f:2.0.0")}, true, "2.0.0"},
		{"PEP 440 post", "PyPI", "2.0.post1", []breakwater.Range{span("i:0", "f:2.0.0")}, false, ""},
		{"Go with v", "Go", "v1.2.3", []breakwater.Range{span("i:0", "f:1.2.4")}, true, "1.2.4"},
		{"Go pseudo version", "Go", "v0.0.0-20210220033148-5ea612d1eb83", []breakwater.Range{span("i:0", "f:0.0.0-20220314234659-1baeb1ce4c0b")}, true, "0.0.0-20220314234659-1baeb1ce4c0b"},
		{"Go incompatible", "Go", "v24.0.7+incompatible", []breakwater.Range{span("i:0", "f:24.0.9")}, true, "24.0.9"},
		{"Go standard library", "Go", "go1.21.3", []breakwater.Range{span("i:1.21.0-0", "f:1.21.4")}, true, "1.21.4"},
		{"Go toolchain note", "Go", "go1.21.4 X:nocoverageredesign", []breakwater.Range{span("i:1.21.0-0", "f:1.21.4")}, false, ""},
		{"Maven qualifier", "Maven", "5.3.17.RELEASE", []breakwater.Range{span("i:5.3.0", "f:5.3.18")}, true, "5.3.18"},
		{"Maven snapshot", "Maven", "1.0-SNAPSHOT", []breakwater.Range{span("i:0", "f:1.0")}, true, "1.0"},
		{"NuGet four parts", "NuGet", "4.7.2.1", []breakwater.Range{span("i:0", "f:4.7.2.2")}, true, "4.7.2.2"},
		{"gem platform", "RubyGems", "1.13.2-x86_64-linux", []breakwater.Range{span("i:0", "f:1.13.2")}, false, ""},
		{"gem pre", "RubyGems", "7.0.0.rc1", []breakwater.Range{span("i:0", "f:7.0.0")}, true, "7.0.0"},
		{"composer v", "Packagist", "v4.4.10", []breakwater.Range{span("i:0", "f:4.4.13")}, true, "4.4.13"},
		{"cargo", "crates.io", "0.7.1", []breakwater.Range{span("i:0.0.0-0", "f:0.7.2")}, true, "0.7.2"},
		{"a program of two parts", "Bitnami", "15.20", []breakwater.Range{span("i:15.0.0", "f:15.20.0")}, false, ""},
		{"a program of two parts below the fix", "Bitnami", "15.20", []breakwater.Range{span("i:15.0.0", "f:15.21.0")}, true, "15.21.0"},
		{"a candidate is older than its release", "Bitnami", "3.13.0rc2", []breakwater.Range{span("i:3.13.0", "f:3.13.1")}, false, ""},
		{"Hex", "Hex", "1.10.3", []breakwater.Range{span("i:0", "f:1.10.4")}, true, "1.10.4"},
		{"Hex candidate", "Hex", "1.7.0-rc.2", []breakwater.Range{span("i:0", "f:1.7.0")}, true, "1.7.0"},
		{"pub build", "Pub", "0.13.3+1", []breakwater.Range{span("i:0", "f:0.13.3+2")}, true, "0.13.3+2"},
		{"pub dev", "Pub", "2.0.0-nullsafety.0", []breakwater.Range{span("i:0", "f:2.0.0")}, true, "2.0.0"},
		{"pub fixed", "Pub", "5.0.3", []breakwater.Range{span("i:0", "f:5.0.3")}, false, ""},
		{"Swift, as its record says", "SwiftURL", "2.41.1", []breakwater.Range{span("i:2.41.0", "f:2.42.0"), span("i:2.39.0", "f:2.39.1"), span("i:0", "f:2.29.1")}, true, "2.42.0"},
		{"CRAN dash", "CRAN", "1.2-3", []breakwater.Range{span("i:0", "f:1.2-10")}, true, "1.2-10"},
		{"CRAN dash and dot are one", "CRAN", "0.9-28.1", []breakwater.Range{span("i:0", "f:0.9.28.1")}, false, ""},
		{"CRAN four parts", "CRAN", "0.9.8.1", []breakwater.Range{span("i:0.9.8", "f:0.9.8.2")}, true, "0.9.8.2"},
		{"CRAN year", "CRAN", "2012.04-0", []breakwater.Range{span("i:0", "f:2012.4-0")}, false, ""},
		{"Conan", "ConanCenter", "1.2.11", []breakwater.Range{span("i:0", "f:1.2.12")}, true, "1.2.12"},
		{"Conan date", "ConanCenter", "cci.20210118", []breakwater.Range{span("i:0", "f:cci.20230101")}, true, "cci.20230101"},
		{"Conan date at the fix", "ConanCenter", "cci.20230101", []breakwater.Range{span("i:0", "f:cci.20230101")}, false, ""},
		{"Conan update", "ConanCenter", "2019_U9", []breakwater.Range{span("i:0", "f:2020.3")}, true, "2020.3"},
		{"Bitnami revision", "Bitnami", "5.4.6-3", []breakwater.Range{span("i:0", "f:5.4.6")}, false, ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			ecosystem := breakwater.NormalEcosystem(c.ecosystem)
			out := match.Match([]breakwater.PackageVersion{{ID: 7, Ecosystem: c.ecosystem, Name: "p", Version: c.version}},
				lookup(advisory("X-1", ecosystem, "p", c.ranges...)))
			if len(out.Gaps) > 0 {
				t.Fatalf("gaps %+v", out.Gaps)
			}
			if got := len(out.Verdicts) == 1; got != c.affected {
				t.Fatalf("affected = %v, want %v", got, c.affected)
			}
			if c.affected && (out.Verdicts[0].Fixed != c.fixed || out.Verdicts[0].PackageID != 7 || out.Verdicts[0].Rule != match.RuleRange) {
				t.Fatalf("got %+v, want fix %q", out.Verdicts[0], c.fixed)
			}
		})
	}
}

func TestVersionsListedOneByOne(t *testing.T) {
	a := advisory("CVE-2020-5398", "Maven", "org.springframework:spring-web")
	a.Affected[0].Versions = []string{"5.0.13.RELEASE", "5.2.2.RELEASE"}
	for version, want := range map[string]bool{"5.2.2.RELEASE": true, "5.2.2": true, "5.2.3.RELEASE": false, "5.0.14.RELEASE": false} {
		out := match.Match([]breakwater.PackageVersion{{Ecosystem: "Maven", Name: "org.springframework:spring-web", Version: version}}, lookup(a))
		if got := len(out.Verdicts) == 1; got != want {
			t.Errorf("%s affected = %v, want %v", version, got, want)
		} else if got && out.Verdicts[0].Rule != match.RuleVersions {
			t.Errorf("%s rule = %s", version, out.Verdicts[0].Rule)
		}
	}
}

func TestListedVersionThatCannotBeRead(t *testing.T) {
	a := advisory("PYSEC-1", "PyPI", "pytz", span("i:0"))
	a.Affected[0].Versions = []string{"2004b-x!"}
	out := match.Match([]breakwater.PackageVersion{{ID: 1, Ecosystem: "PyPI", Name: "pytz", Version: "2004b-x!"}, {ID: 2, Ecosystem: "PyPI", Name: "pytz", Version: "2005?"}}, lookup(a))
	want := match.Outcome{
		Verdicts: []breakwater.Verdict{{PackageID: 1, AdvisoryID: "PYSEC-1", Rule: match.RuleVersions, Severity: breakwater.SeverityMedium, Score: -1}},
		Gaps:     []match.Gap{{PackageID: 1, Reason: match.GapVersion}, {PackageID: 2, Reason: match.GapVersion}},
	}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Fatal(diff)
	}
}

func TestGaps(t *testing.T) {
	list := lookup(
		advisory("DEBIAN-CVE-2024-1", "Debian:12", "p", span("i:0", "f:2")),
		advisory("DSA-1", "Debian", "p", span("i:0", "f:2")),
		advisory("PYSEC-1", "PyPI", "odd", span("i:0", "f:one or two")),
	)
	for _, c := range []struct {
		p    breakwater.PackageVersion
		want match.Outcome
	}{
		{breakwater.PackageVersion{ID: 1, Ecosystem: "", Name: "p", Version: "1"}, match.Outcome{Gaps: []match.Gap{{PackageID: 1, Reason: match.GapEcosystem}}}},
		{breakwater.PackageVersion{ID: 2, Ecosystem: "Plan 9", Name: "p", Version: "1"}, match.Outcome{Gaps: []match.Gap{{PackageID: 2, Reason: match.GapEcosystem}}}},
		{breakwater.PackageVersion{ID: 3, Ecosystem: "Debian", Name: "p", Version: "1"}, match.Outcome{
			Verdicts: []breakwater.Verdict{{PackageID: 3, AdvisoryID: "DSA-1", Fixed: "2", Rule: "range", Severity: breakwater.SeverityMedium, Score: -1}},
			Gaps:     []match.Gap{{PackageID: 3, Reason: match.GapRelease}}}},
		{breakwater.PackageVersion{ID: 4, Ecosystem: "npm", Name: "p", Version: "git+ssh://x"}, match.Outcome{Gaps: []match.Gap{{PackageID: 4, Reason: match.GapVersion}}}},
		{breakwater.PackageVersion{ID: 5, Ecosystem: "Go", Name: "p", Version: "(devel)"}, match.Outcome{Gaps: []match.Gap{{PackageID: 5, Reason: match.GapVersion}}}},
		{breakwater.PackageVersion{ID: 6, Ecosystem: "Maven", Name: "p", Version: "${project.version}"}, match.Outcome{Gaps: []match.Gap{{PackageID: 6, Reason: match.GapVersion}}}},
		{breakwater.PackageVersion{ID: 7, Ecosystem: "PyPI", Name: "odd", Version: "1.0"}, match.Outcome{Gaps: []match.Gap{{PackageID: 7, Reason: match.GapAdvisory, AdvisoryID: "PYSEC-1"}}}},
		{breakwater.PackageVersion{ID: 8, Ecosystem: "Debian:12.5", Name: "p", Version: "3"}, match.Outcome{}},
		{breakwater.PackageVersion{ID: 9, Ecosystem: "CRAN", Name: "p", Version: "1.2-beta"}, match.Outcome{Gaps: []match.Gap{{PackageID: 9, Reason: match.GapVersion}}}},
		{breakwater.PackageVersion{ID: 10, Ecosystem: "ConanCenter", Name: "p", Version: "system"}, match.Outcome{Gaps: []match.Gap{{PackageID: 10, Reason: match.GapVersion}}}},
	} {
		if diff := cmp.Diff(c.want, match.Match([]breakwater.PackageVersion{c.p}, list)); diff != "" {
			t.Errorf("package %d: %s", c.p.ID, diff)
		}
	}
}
