package match_test

import (
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/match"

	"github.com/google/go-cmp/cmp"
)

func TestOneProblemIsOneFinding(t *testing.T) {
	rec := func(id string, aliases, upstream []string, score float64, fix string) breakwater.Advisory {
		a := advisory(id, "PyPI", "p", span("i:0", "f:"+fix))
		a.Aliases, a.Upstream, a.Score = aliases, upstream, score
		switch {
		case score >= 7:
			a.Severity = breakwater.SeverityHigh
		case score >= 0 && score < 4:
			a.Severity = breakwater.SeverityLow
		}
		return a
	}
	deb := func(id string, upstream []string) breakwater.Advisory {
		a := advisory(id, "Debian:12", "p", span("i:0", "f:2"))
		a.Upstream = upstream
		return a
	}
	for _, c := range []struct {
		what, ecosystem string
		list            []breakwater.Advisory
		want            []breakwater.Verdict
	}{
		{"three names of one problem", "PyPI", []breakwater.Advisory{
			rec("GHSA-aaaa-bbbb-cccc", []string{"CVE-2024-0001"}, nil, 7.5, "2.0"),
			rec("PYSEC-2024-1", []string{"CVE-2024-0001", "GHSA-aaaa-bbbb-cccc"}, nil, -1, "1.9"),
			rec("CVE-2024-0001", nil, nil, 5, "2.0.0"),
		}, []breakwater.Verdict{{AdvisoryID: "PYSEC-2024-1", Fixed: "2.0.0", Rule: "range", Severity: "high", Score: 7.5, Also: []string{"CVE-2024-0001", "GHSA-aaaa-bbbb-cccc"}}}},
		{"joined by a third id only", "PyPI", []breakwater.Advisory{
			rec("GHSA-aaaa-bbbb-cccc", []string{"CVE-2024-0001"}, nil, -1, "2"),
			rec("PYSEC-2024-1", []string{"CVE-2024-0001"}, nil, -1, "2"),
		}, []breakwater.Verdict{{AdvisoryID: "PYSEC-2024-1", Fixed: "2", Rule: "range", Severity: "medium", Score: -1, Also: []string{"GHSA-aaaa-bbbb-cccc"}}}},
		{"the record that names the CVE is shown", "PyPI", []breakwater.Advisory{
			rec("GHSA-aaaa-bbbb-cccc", []string{"CVE-2024-0001"}, nil, 2, "2"),
			rec("PYSEC-2024-1", []string{"GHSA-aaaa-bbbb-cccc"}, nil, -1, "2"),
		}, []breakwater.Verdict{{AdvisoryID: "GHSA-aaaa-bbbb-cccc", Fixed: "2", Rule: "range", Severity: "low", Score: 2, Also: []string{"PYSEC-2024-1"}}}},
		{"two problems stay two", "PyPI", []breakwater.Advisory{
			rec("PYSEC-2024-2", []string{"CVE-2024-0002"}, nil, -1, "2"),
			rec("PYSEC-2024-1", []string{"CVE-2024-0001"}, nil, -1, "2"),
		}, []breakwater.Verdict{
			{AdvisoryID: "PYSEC-2024-1", Fixed: "2", Rule: "range", Severity: "medium", Score: -1},
			{AdvisoryID: "PYSEC-2024-2", Fixed: "2", Rule: "range", Severity: "medium", Score: -1}}},
		{"a bulletin that is covered", "Debian:12", []breakwater.Advisory{
			deb("DSA-5000-1", []string{"CVE-2024-0001", "CVE-2024-0002"}),
			deb("DEBIAN-CVE-2024-0001", []string{"CVE-2024-0001"}), deb("DEBIAN-CVE-2024-0002", []string{"CVE-2024-0002"}),
		}, []breakwater.Verdict{
			{AdvisoryID: "DEBIAN-CVE-2024-0001", Fixed: "2", Rule: "range", Severity: "medium", Score: -1, Also: []string{"DSA-5000-1"}},
			{AdvisoryID: "DEBIAN-CVE-2024-0002", Fixed: "2", Rule: "range", Severity: "medium", Score: -1, Also: []string{"DSA-5000-1"}}}},
		{"a bulletin that says more", "Debian:12", []breakwater.Advisory{
			deb("DSA-5000-1", []string{"CVE-2024-0001", "CVE-2024-0002"}), deb("DEBIAN-CVE-2024-0001", []string{"CVE-2024-0001"}),
		}, []breakwater.Verdict{
			{AdvisoryID: "DEBIAN-CVE-2024-0001", Fixed: "2", Rule: "range", Severity: "medium", Score: -1},
			{AdvisoryID: "DSA-5000-1", Fixed: "2", Rule: "range", Severity: "medium", Score: -1}}},
		{"a bulletin of one CVE is that problem", "Debian:12", []breakwater.Advisory{
			deb("DSA-5000-1", []string{"CVE-2024-0001"}), deb("DEBIAN-CVE-2024-0001", []string{"CVE-2024-0001"}),
		}, []breakwater.Verdict{{AdvisoryID: "DEBIAN-CVE-2024-0001", Fixed: "2", Rule: "range", Severity: "medium", Score: -1, Also: []string{"DSA-5000-1"}}}},
	} {
		t.Run(c.what, func(t *testing.T) {
			out := match.Match([]breakwater.PackageVersion{{Ecosystem: c.ecosystem, Name: "p", Version: "1"}}, lookup(c.list...))
			if diff := cmp.Diff(c.want, out.Verdicts); diff != "" {
				t.Fatal(diff)
			}
		})
	}
}

func TestWhatNeverMatches(t *testing.T) {
	withdrawn := advisory("GHSA-1", "npm", "p", span("i:0"))
	withdrawn.Withdrawn = time.Unix(5, 0)
	bugfix := advisory("ALBA-2024:1", "AlmaLinux:9", "p", span("i:0"))
	out := match.Match([]breakwater.PackageVersion{
		{Ecosystem: "npm", Name: "p", Version: "1.0.0"},
		{Ecosystem: "AlmaLinux:9", Name: "p", Version: "1"},
	}, lookup(withdrawn, bugfix))
	if len(out.Verdicts)+len(out.Gaps) > 0 {
		t.Fatalf("got %+v", out)
	}
	bugfix.Upstream = []string{"CVE-2024-0001"}
	if out = match.Match([]breakwater.PackageVersion{{Ecosystem: "AlmaLinux:9", Name: "p", Version: "1"}}, lookup(bugfix)); len(out.Verdicts) != 1 {
		t.Fatal("an erratum that names a CVE is a vulnerability")
	}
}

func TestOwnSeverityOfAPackage(t *testing.T) {
	a := advisory("CVE-2024-0001", "Debian:12", "p", span("i:0"))
	a.Score, a.Severity = 9.8, breakwater.SeverityHigh
	a.Affected[0].Severity = breakwater.SeverityLow
	out := match.Match([]breakwater.PackageVersion{{Ecosystem: "Debian:12", Name: "p", Version: "1"}}, lookup(a))
	if out.Verdicts[0].Severity != breakwater.SeverityLow {
		t.Fatalf("got %s, want the distribution's own word for its package", out.Verdicts[0].Severity)
	}
}
