package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater"
)

func parse(t *testing.T, text string) []Exemption {
	t.Helper()
	list, err := ParseExemptions(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestParseExemptions(t *testing.T) {
	got := parse(t, `
# accepted
- id: CVE-2024-0001
  reason: not reachable
- id: aws-access-token
  check: secret
  path: app/**
  package: "*"
  image: docker.io/library/*
  expires: 2026-12-31
  reason: |
    a test key
- {id: X, reason: y, expires: 2026-12-31T12:00:00+02:00}
`)
	want := []Exemption{
		{ID: "CVE-2024-0001", Reason: "not reachable", Line: 3},
		{ID: "aws-access-token", Check: "secret", Path: "app/**", Package: "*", Image: "docker.io/library/*", Reason: "a test key",
			Expires: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), Line: 5},
		{ID: "X", Reason: "y", Expires: time.Date(2026, 12, 31, 10, 0, 0, 0, time.UTC), Line: 13},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, nothing := range []string{"", "# only a comment\n", "---\n", "[]", "~"} {
		if list := parse(t, nothing); len(list) != 0 {
			t.Errorf("%q: %v", nothing, list)
		}
	}
}

func TestRefusedExemptions(t *testing.T) {
	const ok = "- id: A\n  reason: b\n"
	for _, test := range []struct{ text, want string }{
		{"a: b", "line 1: the file must be a list"},
		{"- x", "line 1: an exemption has keys"},
		{ok + "- id: B\n", "line 3: reason is missing"},
		{"- id: '*'\n  reason: c\n  check: secret\n  image: d\n", "line 1: an exemption of every id needs a package or a path"},
		{ok + "- reason: B\n", "line 3: id is missing"},
		{ok + "- id: B\n  reason: c\n  pth: d\n", "line 5: unknown key"},
		{"- id: B\n  id: C\n  reason: c\n", "line 2: id stands twice"},
		{"- id: B\n  reason: ''\n", "line 2: reason is empty"},
		{"- id: B\n  reason: ~\n", "line 2: reason is empty"},
		{"- id: B\n  reason: [c]\n", "line 2: reason must be a plain text"},
		{"- id: &a B\n  reason: c\n", "line 1: id must be a plain text"},
		{"- id: B\n  reason: *a\n", "no YAML"},
		{"- id: B\n  reason: c\n  check: secrets\n", "line 3: unknown check"},
		{"- id: B\n  reason: c\n  expires: tomorrow\n", "line 3: expires must be"},
		{"- id: B\n  reason: c\n  expires: 2026-02-30\n", "line 3: expires must be"},
		{"- id: " + strings.Repeat("x", 1025) + "\n  reason: c\n", "line 1: id is longer"},
		{"- {id: [", "no YAML"},
		{"--- []\n--- []\n", "one YAML document"},
		{"- ? [a]\n  : b\n", "unknown key"},
	} {
		_, err := ParseExemptions(strings.NewReader(test.text))
		if breakwater.KindOf(err) != breakwater.KindInvalid || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got %v, want %q", test.text, err, test.want)
		}
	}
	for name, text := range map[string]string{
		"bytes":   "# " + strings.Repeat("x", MaxExemptionBytes),
		"entries": "[" + strings.Repeat("a,", MaxExemptions+1) + "]",
	} {
		if _, err := ParseExemptions(strings.NewReader(text)); breakwater.KindOf(err) != breakwater.KindTooLarge {
			t.Errorf("too many %s: %v", name, err)
		}
	}
}

func TestExempt(t *testing.T) {
	tests := []struct {
		name    string
		file    string
		removed int
		expired int
		unused  int
	}{
		{"by advisory", "{id: DEBIAN-CVE-2024-0001}", 1, 0, 0},
		{"by CVE", "{id: cve-2024-0001}", 1, 0, 0},
		{"by alias of another database", "{id: CVE-2021-44228}", 1, 0, 0},
		{"by rule", "{id: aws-access-token}", 1, 0, 0},
		{"the right check", "{id: aws-access-token, check: secret, path: app/*}", 1, 0, 0},
		{"the wrong check", "{id: aws-access-token, check: baseline}", 0, 0, 1},
		{"the wrong check of an advisory", "{id: CVE-2024-0001, check: secret}", 0, 0, 1},
		{"by source package", "{id: CVE-2024-0001, package: openssl}", 1, 0, 0},
		{"by package pattern", "{id: CVE-2024-0001, package: 'lib*'}", 0, 0, 0}, // one of the two places stays
		{"another package", "{id: CVE-2024-0001, package: zlib}", 0, 0, 1},
		{"all places", "{id: GHSA-aaaa-bbbb-cccc, path: '**/lodash/*'}", 1, 0, 0},
		{"one place of two", "{id: GHSA-aaaa-bbbb-cccc, path: app/node_modules/lodash/package.json}", 0, 0, 0},
		{"this image", "{id: aws-access-token, image: 'docker.io/*/app:*'}", 1, 0, 0},
		{"another image", "{id: aws-access-token, image: other}", 0, 0, 0},
		{"still counts on its last day", "{id: aws-access-token, expires: 2026-11-27}", 1, 0, 0},
		{"expired", "{id: aws-access-token, expires: 2026-11-26}", 0, 1, 0},
		{"whatever is in a package", "{id: '*', package: openssl}", 2, 0, 0},
		{"whatever is in one of the packages of a source", "{id: '*', package: 'lib*'}", 0, 0, 0},
		{"whatever is in a path", "{id: '*', check: secret, path: 'app/**'}", 1, 0, 0},
		{"whatever is in another package", "{id: '*', package: zlib}", 0, 0, 1},
		{"unknown", "{id: CVE-1999-0001}", 0, 0, 1},
		{"an account", "{id: weak-password, package: root}", 1, 0, 0},
	}
	for _, test := range tests {
		r := debian()
		r.Exempted = 0
		before := len(r.Vulnerabilities) + len(r.Findings)
		out := Exempt(parse(t, "- "+strings.Replace(test.file, "}", ", reason: r}", 1)), &r)
		if out.Removed != test.removed || len(out.Expired) != test.expired || len(out.Unused) != test.unused {
			t.Errorf("%s: %d removed, %d expired, %d unused", test.name, out.Removed, len(out.Expired), len(out.Unused))
		}
		if after := len(r.Vulnerabilities) + len(r.Findings); before-after != test.removed || r.Exempted != test.removed {
			t.Errorf("%s: %d left of %d, %d counted", test.name, after, before, r.Exempted)
		}
	}
}

func TestExemptTakesOnePlace(t *testing.T) {
	r := debian()
	Exempt(parse(t, "- {id: GHSA-aaaa-bbbb-cccc, path: app/node_modules/lodash/*, reason: r}"), &r)
	for _, v := range r.Vulnerabilities {
		if v.AdvisoryID == "GHSA-aaaa-bbbb-cccc" && (len(v.Found) != 1 || !strings.Contains(v.Found[0].Path, "/x/")) {
			t.Errorf("left: %v", v.Found)
		}
	}
	if diff := cmp.Diff(debian().Inventory, r.Inventory); diff != "" {
		t.Errorf("the inventory was changed:\n%s", diff)
	}
}

func TestMatchGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "anything/at all", true},
		{"a", "a", true}, {"a", "b", false}, {"a", "ab", false},
		{"/a/b", "a/b", true},
		{"*", "abc", true}, {"*", "", true}, {"*", "a/b", false},
		{"**", "a/b/c", true},
		{"a/*/c", "a/b/c", true}, {"a/*/c", "a/b/b/c", false}, {"a/**/c", "a/b/b/c", true}, {"a/**/c", "a/c", true}, {"a/**/c", "a/xc", false},
		{"**/c", "c", true}, {"**/c", "a/b/c", true}, {"**/c", "a/bc", false},
		{"a/**", "a/b/c", true}, {"a/**", "a", false},
		{"a?c", "abc", true}, {"a?c", "a/c", false}, {"a?c", "ac", false},
		{"*.jar", "x.jar", true}, {"*.jar", "d/x.jar", false},
		{"[a]", "[a]", true}, {"[a]", "a", false},
	} {
		if got := matchGlob(test.pattern, test.text); got != test.want {
			t.Errorf("%q on %q: %v", test.pattern, test.text, got)
		}
	}
	// No pattern takes long: this one would, with backtracking.
	if matchGlob(strings.Repeat("*a", 500), strings.Repeat("a", 1000)+"b") {
		t.Error("matched")
	}
}

func FuzzParseExemptions(f *testing.F) {
	f.Add([]byte("- id: CVE-2024-0001\n  reason: a\n  path: '**/x'\n  expires: 2027-01-31\n"))
	f.Add([]byte("- &a {id: [*a]}\n"))
	f.Add([]byte("- {id: a, reason: b, check: secret, package: '*?', image: '**'}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ParseExemptions(bytes.NewReader(b))
		if err != nil {
			if k := breakwater.KindOf(err); k != breakwater.KindInvalid && k != breakwater.KindTooLarge {
				t.Fatalf("kind %s", k)
			}
			return
		}
		for _, e := range list {
			if e.ID == "" || e.Reason == "" || e.Line < 1 {
				t.Fatalf("%+v", e)
			}
		}
		r := debian()
		before := len(r.Vulnerabilities) + len(r.Findings)
		if out := Exempt(list, &r); len(r.Vulnerabilities)+len(r.Findings)+out.Removed != before {
			t.Fatal("something was lost")
		}
	})
}
