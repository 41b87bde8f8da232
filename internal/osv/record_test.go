package osv

import (
	"strings"
	"testing"
	"time"

	"breakwater"

	"github.com/google/go-cmp/cmp"
)

func TestParseAdvisory(t *testing.T) {
	body := `{"schema_version":"1.7.0","id":"GHSA-aaaa-bbbb-cccc","modified":"2024-02-03T04:05:06.789Z","published":"2024-02-01T00:00:00+02:00",
	"aliases":["CVE-2024-0001","CVE-2024-0001","not an id!","GHSA-aaaa-bbbb-cccc"],"upstream":null,"related":["CVE-2024-0009"],
	"summary":" Two\nlines\u0000 ","details":"long","surprise":{"a":[1]},
	"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"},{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:P/I:P/A:P"}],
	"affected":[
	 {"package":{"ecosystem":"PyPI","name":"Flask_Login"},"ranges":[{"type":"GIT","repo":"x","events":[{"introduced":"0"}]},{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2.0"}]}],"versions":["1.1","1.0","1.1"]},
	 {"package":{"ecosystem":"PyPI","name":"flask-login"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"3.0","fixed":"3.1"}]}]},
	 {"package":{"ecosystem":"Ubuntu:22.04:LTS","name":"python3-flask"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}],"ecosystem_specific":{"ubuntu_priority":"low"}},
	 {"package":{"ecosystem":"npm","name":"only-git"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]},
	 {"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}],
	"references":[{"type":"WEB","url":"https://example.com/else"},{"type":"WEB","url":"https://example.com/advisories/ghsa-AAAA-bbbb-cccc"}],
	"database_specific":{"severity":"MODERATE"}}`
	got, err := ParseAdvisory([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	want := breakwater.Advisory{
		ID: "GHSA-aaaa-bbbb-cccc", Aliases: []string{"CVE-2024-0001"}, Summary: "Two lines", URL: "https://example.com/advisories/ghsa-AAAA-bbbb-cccc",
		Modified: time.Date(2024, 2, 3, 4, 5, 6, 789e6, time.UTC), Published: time.Date(2024, 1, 31, 22, 0, 0, 0, time.UTC),
		CVSS:  []string{"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "AV:N/AC:L/Au:N/C:P/I:P/A:P"},
		Score: 9.8, Severity: breakwater.SeverityHigh, VendorWord: "moderate",
		Affected: []breakwater.Affected{
			{Ecosystem: "PyPI", Name: "flask-login", Versions: []string{"1.0", "1.1"}, Ranges: []breakwater.Range{
				{Type: "ECOSYSTEM", Events: []breakwater.Event{{Introduced: "0"}, {Fixed: "2.0"}}},
				{Type: "ECOSYSTEM", Events: []breakwater.Event{{Introduced: "3.0"}, {Fixed: "3.1"}}}}},
			{Ecosystem: "Ubuntu:22.04", Name: "python3-flask", Severity: breakwater.SeverityLow, Ranges: []breakwater.Range{
				{Type: "ECOSYSTEM", Events: []breakwater.Event{{Introduced: "0"}}}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
}

func TestBrokenRecords(t *testing.T) {
	for what, body := range map[string]string{
		"not JSON":               `{"id":`,
		"an array":               `[]`,
		"no id":                  `{"modified":"2024-01-01T00:00:00Z"}`,
		"an id with a slash":     `{"id":"../etc","modified":"2024-01-01T00:00:00Z"}`,
		"an id that is too long": `{"id":"` + strings.Repeat("A", 200) + `","modified":"2024-01-01T00:00:00Z"}`,
		"no modified":            `{"id":"X-1"}`,
		"modified is no time":    `{"id":"X-1","modified":"yesterday"}`,
		"published is no time":   `{"id":"X-1","modified":"2024-01-01T00:00:00Z","published":"x"}`,
		"withdrawn is no time":   `{"id":"X-1","modified":"2024-01-01T00:00:00Z","withdrawn":"x"}`,
		"affected is no list":    `{"id":"X-1","modified":"2024-01-01T00:00:00Z","affected":{}}`,
		"a version too long":     `{"id":"X-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},"versions":["` + strings.Repeat("1", 300) + `"]}]}`,
		"a control character":    `{"id":"X-1","modified":"2024-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"p"},"ranges":[{"type":"SEMVER","events":[{"fixed":"1\u0007"}]}]}]}`,
	} {
		if a, err := ParseAdvisory([]byte(body)); err == nil {
			t.Errorf("%s: taken as %+v", what, a)
		}
	}
}

func TestErrata(t *testing.T) {
	a, err := ParseAdvisory([]byte(`{"id":"ALSA-2024:2193","modified":"2024-05-07T15:12:28Z","summary":"Moderate: podman security update","related":["CVE-2023-39326","ALBA-2024:1"],
		"affected":[{"package":{"ecosystem":"AlmaLinux:9","name":"podman"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2:4.9.4-0.1.el9"}]}]}],
		"references":[{"url":"https://errata.almalinux.org/9/ALSA-2024-2193.html","type":"ADVISORY"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"CVE-2023-39326"}, a.Upstream); diff != "" {
		t.Error(diff)
	}
	if a.VendorWord != "moderate" || a.Severity != breakwater.SeverityMedium || a.Score != -1 || a.URL != "https://errata.almalinux.org/9/ALSA-2024-2193.html" {
		t.Errorf("got %+v", a)
	}
}

func TestSeverity(t *testing.T) {
	for _, c := range []struct {
		what, fields string
		score        float64
		word         string
		want         breakwater.Severity
	}{
		{"nothing", `"severity":[]`, -1, "", "medium"},
		{"CVSS 2", `"severity":[{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"}]`, 10, "", "high"},
		{"CVSS 3.0", `"severity":[{"type":"CVSS_V3","score":"CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"}]`, 5.5, "", "medium"},
		{"CVSS 3.1 low", `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}]`, 1.8, "", "low"},
		{"CVSS 4.0", `"severity":[{"type":"CVSS_V4","score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}]`, 9.3, "", "high"},
		{"the newer replaces CVSS 2", `"severity":[{"type":"CVSS_V2","score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"},{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}]`, 1.8, "", "low"},
		{"a vector that is none", `"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:X"}],"database_specific":{"severity":"LOW"}`, -1, "low", "low"},
		{"GitHub's word", `"database_specific":{"severity":"CRITICAL"}`, -1, "critical", "high"},
		{"Ubuntu's priority", `"severity":[{"type":"Ubuntu","score":"negligible"}]`, -1, "negligible", "low"},
		{"a vendor's high wins over a medium score", `"severity":[{"type":"CVSS_V3","score":"CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"}],"database_specific":{"severity":"High"}`, 5.5, "high", "high"},
		{"a number", `"database_specific":{"cvss_v3":"6.5","cvss_v2":9}`, 6.5, "", "medium"},
		{"a strange number", `"database_specific":{"cvss_v3":"NaN"}`, -1, "", "medium"},
		{"the entry's vector", `"affected":[{"package":{"ecosystem":"Bitnami","name":"p"},"versions":["1"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]}]`, 9.8, "", "high"},
		{"Debian's urgency", `"affected":[{"package":{"ecosystem":"Debian:12","name":"p"},"versions":["1"],"ecosystem_specific":{"urgency":"unimportant"}}]`, -1, "unimportant", "low"},
		{"RustSec's notice", `"affected":[{"package":{"ecosystem":"crates.io","name":"p"},"versions":["1"],"database_specific":{"informational":"unmaintained"}}]`, -1, "unmaintained", "low"},
		{"not yet assigned", `"affected":[{"package":{"ecosystem":"Debian:12","name":"p"},"versions":["1"],"ecosystem_specific":{"urgency":"not yet assigned"}}]`, -1, "", "medium"},
	} {
		a, err := ParseAdvisory([]byte(`{"id":"X-1","modified":"2024-01-01T00:00:00Z",` + c.fields + `}`))
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
		} else if a.Score != c.score || a.VendorWord != c.word || a.Severity != c.want {
			t.Errorf("%s: score %v, word %q, %s; want %v, %q, %s", c.what, a.Score, a.VendorWord, a.Severity, c.score, c.word, c.want)
		}
	}
	if a, err := ParseAdvisory([]byte(`{"id":"MAL-2024-1","modified":"2024-01-01T00:00:00Z"}`)); err != nil || a.Severity != breakwater.SeverityHigh {
		t.Errorf("malware: %+v, %v", a, err)
	}
}

func TestPages(t *testing.T) {
	for want, refs := range map[string]string{
		"https://osv.dev/vulnerability/X-1":    `[{"type":"WEB","url":"https://user:pw@h/X-1"},{"type":"ADVISORY","url":"javascript:X-1"},{"type":"ADVISORY","url":"https://h/\"X-1"}]`,
		"https://h/x-1.html":                   `[{"type":"WEB","url":"https://h/x-1"},{"type":"ADVISORY","url":"https://h/x-1.html"}]`,
		"https://h/advisory?id=X-1&lang=en#it": `[{"type":"REPORT","url":"https://h/advisory?id=X-1&lang=en#it"}]`,
	} {
		a, err := ParseAdvisory([]byte(`{"id":"X-1","modified":"2024-01-01T00:00:00Z","references":` + refs + `}`))
		if err != nil || a.URL != want {
			t.Errorf("URL = %q, %v; want %q", a.URL, err, want)
		}
	}
}

// Whatever the bytes, the parser answers a record that keeps its promises, or an
// error that does not repeat them.
func FuzzParseAdvisory(f *testing.F) {
	f.Add([]byte(`{"id":"X-1","modified":"2024-01-01T00:00:00Z","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],"affected":[{"package":{"ecosystem":"Debian:12.1","name":"p"},"versions":["1"],"ranges":[{"type":"SEMVER","events":[{"introduced":"0","fixed":"1"}]}]}],"references":[{"type":"WEB","url":"https://h/X-1"}]}`))
	f.Add([]byte(`{"id":"X-1","modified":"2024-01-01T00:00:00Z","severity":[{"score":"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"},{"score":"AV:N/AC:L/Au:N/C:C/I:C/A:C"},{"score":"CVSS:3.0/AV:L"}],"database_specific":{"severity":7,"cvss_v3":[]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := ParseAdvisory(body)
		if err != nil {
			if len(err.Error()) > 200 {
				t.Fatalf("a long error: %q", err)
			}
			return
		}
		if !validID(a.ID) || a.Modified.IsZero() || a.Published.IsZero() || a.URL == "" || len(a.Summary) > maxSummary || a.Severity == "" || !(a.Score == -1 || a.Score >= 0 && a.Score <= 10) {
			t.Fatalf("got %+v", a)
		}
		for _, e := range a.Affected {
			if breakwater.NormalEcosystem(e.Ecosystem) != e.Ecosystem || breakwater.NormalName(e.Ecosystem, e.Name) != e.Name || len(e.Ranges)+len(e.Versions) == 0 {
				t.Fatalf("entry %+v", e)
			}
		}
	})
}
