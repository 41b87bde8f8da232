package osv

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"breakwater"

	"github.com/google/go-cmp/cmp"
)

// rec is a small record of an ecosystem.
func rec(id, ecosystem, modified string) string {
	return fmt.Sprintf(`{"id":%q,"modified":%q,"affected":[{"package":{"ecosystem":%q,"name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"}]}]}]}`, id, modified, ecosystem)
}

const day = "2024-01-02T00:00:00Z"

// dir writes files into a new directory.
func dir(t *testing.T, files map[string][]byte) string {
	t.Helper()
	root := t.TempDir()
	for name, body := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func squeeze(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read answers the ids of a feed of a source.
func read(t *testing.T, s Source, name string) (ids []string, r Report, err error) {
	t.Helper()
	d, err := s.Open(context.Background(), name, breakwater.Feed{})
	if err != nil {
		return nil, r, err
	}
	defer func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}()
	for a, e := range d.Advisories(context.Background(), &r) {
		if e != nil {
			return ids, r, e
		}
		ids = append(ids, a.ID)
	}
	return ids, r, nil
}

func TestDirectory(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }
	future := strings.Replace(day, "2024", "2027", 1)
	both := `{"id":"GHSA-3","modified":"2024-01-01T00:00:00Z","affected":[
		{"package":{"ecosystem":"npm","name":"p"},"versions":["1"]},{"package":{"ecosystem":"Maven","name":"a:b"},"versions":["1"]}]}`
	root := dir(t, map[string][]byte{
		"npm.zip":           pack(t, "GHSA-1.json", rec("GHSA-1", "npm", day), "GHSA-2.json", rec("GHSA-2", "npm", future), "GHSA-3.json", both, "GHSA-4.json", rec("GHSA-4", "PyPI", day)),
		"Debian/all.zip":    pack(t, "DSA-1.json", rec("DSA-1", "Debian:12", day)),
		"PyPI.zip":          pack(t, "GHSA-4.json", rec("GHSA-4", "npm", day)),
		"Go.zip":            pack(t),
		"kev.json":          []byte(`{}`),
		"notes.txt":         nil,
		"empty/else.zip":    nil,
		"crates.io.zip":     pack(t, "A-1.json", rec("RUSTSEC-1", "crates.io", day), "A-2.json", "{"),
		"Maven.zip/all.zip": nil,
	})
	s := NewDir(root, Options{Now: now})
	names, err := s.Names(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"kev", "Debian", "Go", "PyPI", "crates.io", "npm"}, names); diff != "" {
		t.Error(diff)
	}
	ids, report, err := read(t, s, "npm")
	if diff := cmp.Diff([]string{"GHSA-1", "GHSA-2", "GHSA-3"}, ids); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	want := Report{Records: 4, Foreign: 1, Newest: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Error(diff)
	}
	if ids, _, err := read(t, s, "Debian"); len(ids) != 1 || err != nil {
		t.Errorf("Debian: %v, %v", ids, err)
	}
	for name, want := range map[string]string{"PyPI": "no good record", "Go": "empty", "crates.io": "1 of 2 records are broken", "NuGet": "not found", "../npm": "named like", "Maven": "not found"} {
		if _, _, err := read(t, s, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

func TestDirectoryUnchanged(t *testing.T) {
	root := dir(t, map[string][]byte{"npm.zip": pack(t, "GHSA-1.json", rec("GHSA-1", "npm", day))})
	s := NewDir(root, Options{})
	d, err := s.Open(context.Background(), "npm", breakwater.Feed{})
	if err != nil || d.Close() != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(context.Background(), "npm", d.Feed); !errors.Is(err, ErrNotModified) {
		t.Fatalf("the same bytes: %v", err)
	}
	if _, err := NewDir(root, Options{Limits: Limits{Download: 10}}).Open(context.Background(), "npm", breakwater.Feed{}); breakwater.KindOf(err) != breakwater.KindTooLarge {
		t.Fatalf("a file over the limit: %v", err)
	}
	if _, err := NewDir(t.TempDir(), Options{}).Names(context.Background()); breakwater.KindOf(err) != breakwater.KindInvalid {
		t.Fatalf("an empty directory: %v", err)
	}
}

func TestOneBrokenRecordInAHundred(t *testing.T) {
	files := func(good, broken int) []string {
		var f []string
		for i := range good {
			f = append(f, fmt.Sprintf("G-%d.json", i), rec(fmt.Sprintf("G-%d", i), "npm", day))
		}
		for i := range broken {
			f = append(f, fmt.Sprintf("B-%d.json", i), `{"id":"B"}`)
		}
		return f
	}
	for _, c := range []struct {
		good, broken int
		refused      bool
	}{{99, 1, false}, {98, 2, true}, {0, 1, true}} {
		root := dir(t, map[string][]byte{"npm.zip": pack(t, files(c.good, c.broken)...)})
		ids, report, err := read(t, NewDir(root, Options{}), "npm")
		if (err != nil) != c.refused || report.Broken != c.broken || len(ids) != c.good || len(report.Problems) != c.broken {
			t.Errorf("%+v: %d ids, %+v, %v", c, len(ids), report, err)
		}
	}
	twice := dir(t, map[string][]byte{"npm.zip": pack(t, append(files(99, 0), "again.json", rec("G-1", "npm", day))...)})
	if ids, report, err := read(t, NewDir(twice, Options{}), "npm"); err != nil || len(ids) != 99 || report.Broken != 1 {
		t.Errorf("an id twice: %d ids, %+v, %v", len(ids), report, err)
	}
}

func TestExploited(t *testing.T) {
	list := func(extra string) string {
		return `{"dateReleased":"2026-08-07T16:45:47.0648Z","count":2,"vulnerabilities":[
		{"cveID":"CVE-2024-0001","dateAdded":"2024-05-06","dueDate":"2024-05-27","knownRansomwareCampaignUse":"Known","cwes":[1]},
		{"cveID":"CVE-2024-0002","dateAdded":"2024-05-07","dueDate":"soon","knownRansomwareCampaignUse":"Unknown"}` + extra + `]}`
	}
	var r Report
	got, err := parseKEV(strings.NewReader(list("")), 1<<20, &r)
	want := []breakwater.Exploited{
		{CVE: "CVE-2024-0001", Added: time.Date(2024, 5, 6, 0, 0, 0, 0, time.UTC), Due: time.Date(2024, 5, 27, 0, 0, 0, 0, time.UTC), Ransomware: true},
		{CVE: "CVE-2024-0002", Added: time.Date(2024, 5, 7, 0, 0, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || r.Records != 2 || r.Newest.Year() != 2026 {
		t.Fatalf("%v %+v %s", err, r, diff)
	}
	for what, body := range map[string]string{
		"no JSON": "x", "nothing": "{}", "an array": "[]", "truncated": strings.Replace(list(""), `"count":2`, `"count":3`, 1),
		"mostly broken": list(`,{"cveID":"x","dateAdded":"2024-05-06"}`), "a repeat": list(`,{"cveID":"CVE-2024-0001","dateAdded":"2024-05-06"}`),
	} {
		if _, err := parseKEV(strings.NewReader(body), 1<<20, &Report{}); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	if _, err := parseKEV(strings.NewReader(list("")), 20, &Report{}); err == nil {
		t.Error("over the limit: taken")
	}
}

func TestLikelihoods(t *testing.T) {
	body := "#model_version:v1,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\nCVE-2024-0001,0.5,0.9\r\n\nCVE-2024-0002,1,0\n"
	s := NewDir(dir(t, map[string][]byte{"epss.csv.gz": squeeze(t, body)}), Options{})
	d, err := s.Open(context.Background(), breakwater.FeedEPSS, breakwater.Feed{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	var r Report
	var got []breakwater.Likelihood
	for l, err := range d.Likelihoods(context.Background(), &r) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, l)
	}
	want := []breakwater.Likelihood{{CVE: "CVE-2024-0001", Score: 0.5, Percentile: 0.9}, {CVE: "CVE-2024-0002", Score: 1}}
	if diff := cmp.Diff(want, got); diff != "" || r.Records != 2 || !r.Newest.Equal(time.Date(2026, 8, 16, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("%+v %s", r, diff)
	}
	for what, body := range map[string]string{
		"no header": "CVE-2024-0001,0.5,0.9\n", "nothing": "", "no line": "cve,epss,percentile\n",
		"half broken": "cve,epss,percentile\nCVE-2024-0001,0.5,0.9\nCVE-2024-0002,2,0\n", "NaN": "cve,epss,percentile\nCVE-2024-0001,NaN,0.9\n",
		"a long line": "cve,epss,percentile\n" + strings.Repeat("x", 5000),
	} {
		var last error
		for _, err := range parseEPSS(strings.NewReader(body), 1<<20, &Report{}) {
			last = err
		}
		if last == nil {
			t.Errorf("%s: taken", what)
		}
	}
	whole := squeeze(t, body)
	cut := NewDir(dir(t, map[string][]byte{"epss.csv.gz": whole[:len(whole)-6]}), Options{})
	d2, err := cut.Open(context.Background(), breakwater.FeedEPSS, breakwater.Feed{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d2.Close() }()
	var last error
	for _, err := range d2.Likelihoods(context.Background(), &Report{}) {
		last = err
	}
	if last == nil {
		t.Error("a truncated gzip: taken")
	}
}

func FuzzExploited(f *testing.F) {
	f.Add([]byte(`{"dateReleased":"2026-08-07T16:45:47Z","count":1,"vulnerabilities":[{"cveID":"CVE-2024-0001","dateAdded":"2024-05-06","dueDate":"2024-05-27"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := parseKEV(bytes.NewReader(body), 1<<20, &Report{})
		for _, e := range list {
			if err == nil && (!breakwater.IsCVE(e.CVE) || e.Added.IsZero() && e.Added.Year() != 1) {
				t.Fatalf("got %+v", e)
			}
		}
	})
}

func FuzzLikelihoods(f *testing.F) {
	f.Add([]byte("#model_version:v1,score_date:2026-08-16T00:00:00+0000\ncve,epss,percentile\nCVE-2024-0001,0.5,0.9\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		for l, err := range parseEPSS(bytes.NewReader(body), 1<<20, &Report{}) {
			if err == nil && (!breakwater.IsCVE(l.CVE) || !(l.Score >= 0 && l.Score <= 1 && l.Percentile >= 0 && l.Percentile <= 1)) {
				t.Fatalf("got %+v", l)
			}
		}
	})
}
