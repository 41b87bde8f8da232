package store_test

import (
	"sync"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
)

// advise writes advisory n of severity s about the package with that id.
func (w *world) advise(n int64, s string, pkg int64, alias string) {
	w.Helper()
	w.sql(`INSERT INTO advisory (id, feed, since, osv_id, hash, severity) VALUES (?, 'npm', 1, ?, '', ?) ON CONFLICT DO NOTHING`, n, "GHSA-"+alias, s)
	w.sql(`INSERT INTO advisory_alias (alias, advisory_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, alias, n)
	w.sql(`INSERT INTO package_advisory (package_id, advisory_id, severity, fixed) VALUES (?, ?, ?, '2')`, pkg, n, s)
}

func TestVerdictsReachEveryImage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		a, b := w.artifact("a"), w.artifact("b")
		w.artifact("index", "a", "b")
		ids := map[string]int64{
			"a": w.image("1", "a", "v", "a", 1).ID, "b": w.image("1", "b", "v", "b", 1).ID, "index": w.image("1", "i", "v", "index", 1).ID,
		}
		other := w.image("2", "a", "v", "a", 1).ID
		expect := func(when string, want map[string]string) {
			t.Helper()
			got := map[string]string{}
			for name, id := range ids {
				row := w.row("1", id)
				got[name] = string(row.Level) + " " + string(rune('0'+row.VulNum))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s: %s", when, diff)
			}
			if x, y := w.row("1", ids["a"]), w.row("2", other); x.Level != y.Level || x.VulNum != y.VulNum {
				t.Fatalf("%s: two projects see the same digest differently", when)
			}
		}
		expect("before any scan", map[string]string{"a": " 0", "b": " 0", "index": " 0"})

		_, unmatched := w.finish("a", "left", "right")
		if len(unmatched) != 2 {
			t.Fatalf("unmatched %v", unmatched)
		}
		left, right := unmatched[0], unmatched[1]
		w.finish("b", "right")
		w.must(db.RefreshCounters(w.ctx, []int64{a, b}))
		expect("unmatched packages are not secure", map[string]string{"a": " 0", "b": " 0", "index": " 0"})

		w.sql(`UPDATE package SET matched = TRUE`)
		w.must(db.RefreshPackages(w.ctx, []int64{left, right}))
		expect("without a feed nothing is secure", map[string]string{"a": " 0", "b": " 0", "index": " 0"})
		w.sql(`INSERT INTO feed (name, generation) VALUES ('npm', 1)`)
		w.must(db.RefreshPackages(w.ctx, []int64{left, right}))
		expect("nothing found", map[string]string{"a": "Security 0", "b": "Security 0", "index": "Security 0"})

		w.advise(1, "low", left, "CVE-2024-0001")
		w.must(db.RefreshPackages(w.ctx, []int64{left}))
		expect("one low", map[string]string{"a": "Low 1", "b": "Security 0", "index": "Low 1"})
		w.advise(2, "medium", right, "CVE-2024-0002")
		w.must(db.RefreshPackages(w.ctx, []int64{left, right, right}))
		expect("one medium", map[string]string{"a": "Medium 2", "b": "Medium 1", "index": "Medium 2"})
		w.sql(`INSERT INTO kev (cve, added_ms) VALUES ('CVE-2024-0001', 1)`)
		w.must(db.RefreshPackages(w.ctx, []int64{left}))
		expect("exploited is high", map[string]string{"a": "High 2", "b": "Medium 1", "index": "High 2"})
		w.must(db.RefreshCounters(w.ctx, []int64{a, b}))
		expect("counted anew", map[string]string{"a": "High 2", "b": "Medium 1", "index": "High 2"})

		late := w.image("2", "late", "v", "index", 1).ID
		if row := w.row("2", late); row.Level != breakwater.LevelHigh || row.VulNum != 2 || row.ScanStatus != breakwater.ScanNone {
			t.Fatalf("an image of a digest that was scanned: %+v", row)
		}
		w.finish("a", "right")
		w.must(db.RefreshCounters(w.ctx, []int64{a}))
		expect("a rescan without the package", map[string]string{"a": "Medium 1", "b": "Medium 1", "index": "Medium 1"})
		w.sql(`DELETE FROM package_advisory`)
		w.must(db.RefreshPackages(w.ctx, []int64{left, right}))
		expect("withdrawn", map[string]string{"a": "Security 0", "b": "Security 0", "index": "Security 0"})
	})
}

// An image of which a file was not read, or whose operating system shows no
// package, may hold anything.
func TestUnreadIsNotSecure(t *testing.T) {
	done := func(c breakwater.Check) breakwater.Coverage {
		return breakwater.Coverage{Check: c, State: breakwater.StateDone}
	}
	for name, tt := range map[string]struct {
		change func(*breakwater.Inventory)
		want   breakwater.Level
	}{
		"all read": {func(*breakwater.Inventory) {}, breakwater.LevelSecurity},
		"one file skipped": {func(inv *breakwater.Inventory) {
			inv.Coverage[1].Skipped = []breakwater.Skip{{Path: "var/lib/dpkg/status", Reason: "too large"}}
		}, ""},
		"no package database": {func(inv *breakwater.Inventory) { inv.Coverage[0].State = breakwater.StateFailed }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) {
				w := newWorld(t, db)
				id := w.artifact("a")
				inv := breakwater.Inventory{Digest: breakwater.DigestOf([]byte("a")), Scanner: "t",
					Coverage: []breakwater.Coverage{done(breakwater.CheckVulnerability), done(breakwater.CheckSoftware)}}
				tt.change(&inv)
				_, _, err := db.PutInventory(w.ctx, inv)
				w.must(err)
				image := w.image("1", "a", "v", "a", 1).ID
				w.must(db.RefreshCounters(w.ctx, []int64{id}))
				if got := w.row("1", image).Level; got != tt.want {
					t.Errorf("level %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestImageFindings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("a")
		w.artifact("b")
		w.artifact("index", "a", "b")
		_, unmatched := w.finish("a", "left", "right")
		w.finish("b", "right")
		w.advise(1, "low", unmatched[0], "CVE-2024-0001")
		w.advise(2, "medium", unmatched[1], "CVE-2024-0002")
		w.sql(`INSERT INTO kev (cve, added_ms) VALUES ('CVE-2024-0001', 1)`)
		w.sql(`INSERT INTO feed (name, generation) VALUES ('epss', 3)`)
		w.sql(`INSERT INTO epss (cve, generation, score, percentile) VALUES ('CVE-2024-0002', 3, 0.5, 0.9), ('CVE-2024-0002', 4, 0.7, 0.9)`)
		list := func(s string, f store.FindingFilter) (out []string, total int) {
			t.Helper()
			page, total, err := db.ImageFindings(w.ctx, digest(s), f)
			w.must(err)
			for _, x := range page {
				out = append(out, x.Package.Name+" "+x.AdvisoryID+" "+string(x.Severity)+" "+x.Fixed)
			}
			return out, total
		}
		both := []string{"left GHSA-CVE-2024-0001 high 2", "right GHSA-CVE-2024-0002 medium 2"}
		for name, c := range map[string]struct {
			digest string
			filter store.FindingFilter
			want   []string
			total  int
		}{
			"all":         {"a", store.FindingFilter{}, both, 2},
			"index":       {"index", store.FindingFilter{}, both, 2},
			"page":        {"index", store.FindingFilter{Offset: 1, Limit: 1}, both[1:], 2},
			"beyond":      {"index", store.FindingFilter{Offset: 9, Limit: 1}, nil, 2},
			"by severity": {"a", store.FindingFilter{Severity: breakwater.SeverityHigh}, both[:1], 1},
			"by alias":    {"a", store.FindingFilter{ID: "CVE-2024-0002"}, both[1:], 1},
			"by package":  {"a", store.FindingFilter{PackageName: "left"}, both[:1], 1},
			"by kind":     {"a", store.FindingFilter{Kind: breakwater.PackageOS}, nil, 0},
		} {
			got, total := list(c.digest, c.filter)
			if diff := cmp.Diff(c.want, got); diff != "" || total != c.total {
				t.Errorf("%s: total %d, %s", name, total, diff)
			}
		}
		page, _, err := db.ImageFindings(w.ctx, digest("b"), store.FindingFilter{})
		w.must(err)
		if len(page) != 1 || page[0].EPSS != 0.5 || page[0].Exploited || page[0].Found[0].Path != "app/right" || page[0].CVEs[0] != "CVE-2024-0002" {
			t.Fatalf("findings of b: %+v", page)
		}
		if _, _, err := db.ImageFindings(w.ctx, digest("x"), store.FindingFilter{}); !breakwater.IsNotFound(err) {
			t.Fatalf("findings of an unknown digest: %v", err)
		}
	})
}

func TestInventoryAndLayerCache(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		inv := breakwater.Inventory{Digest: digest("a"), Scanner: "t1", Layers: []breakwater.LayerRef{{Digest: digest("l"), Size: 3}},
			Packages: []breakwater.Package{{Ecosystem: "Debian:12.5", Name: "libssl3", SourceName: "openssl", Version: "3", Kind: breakwater.PackageOS}, {Name: "odd"}},
			Coverage: []breakwater.Coverage{}}
		if _, _, err := db.PutInventory(w.ctx, inv); !breakwater.IsNotFound(err) {
			t.Fatalf("facts of an unknown artifact: %v", err)
		}
		w.artifact("a")
		if _, err := db.Inventory(w.ctx, digest("a")); !breakwater.IsNotFound(err) {
			t.Fatalf("before the scan: %v", err)
		}
		_, unmatched, err := db.PutInventory(w.ctx, inv)
		if err != nil || len(unmatched) != 1 {
			t.Fatalf("PutInventory: %v, %v", unmatched, err)
		}
		got, err := db.Inventory(w.ctx, digest("a"))
		w.must(err)
		if diff := cmp.Diff(inv, got); diff != "" {
			t.Fatal(diff)
		}
		cache := db.LayerCache()
		if _, err := cache.Get(w.ctx, "k"); !breakwater.IsNotFound(err) {
			t.Fatalf("empty cache: %v", err)
		}
		w.must(cache.Put(w.ctx, "k", []byte("facts")))
		if b, err := cache.Get(w.ctx, "k"); err != nil || string(b) != "facts" {
			t.Fatalf("cache: %q, %v", b, err)
		}
		known, err := db.KnownArtifacts(w.ctx, []breakwater.Digest{digest("a"), digest("x")})
		if err != nil || len(known) != 1 || known[digest("a")].ConfigDigest != digest("config a") {
			t.Fatalf("known: %v, %v", known, err)
		}
	})
}

// TestResultsHaveVectors: those of the visible records that go by one of the ids,
// each once, the record's own first.
func TestResultsHaveVectors(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("a")
		_, unmatched := w.finish("a", "left")
		w.sql(`INSERT INTO feed (name, generation) VALUES ('npm', 1)`)
		w.advise(7, "high", unmatched[0], "CVE-2024-0007")
		for id, r := range map[int64]struct {
			name, vectors string
			since, gone   int64
		}{
			8:  {"CVE-2024-0007", `"CVSS:3.1/B","CVSS:3.1/A"`, 1, 0},
			9:  {"CVE-2024-0008", `"CVSS:3.1/other"`, 1, 0},
			10: {"CVE-2024-0007", `"CVSS:3.1/future"`, 2, 0},
			11: {"GHSA-CVE-2024-0007", `"CVSS:3.1/withdrawn"`, 2, 5},
		} {
			w.sql(`INSERT INTO advisory (id, feed, since, osv_id, hash, severity, withdrawn_ms, body) VALUES (?, 'npm', ?, ?, '', 'high', ?, ?)`,
				id, r.since, r.name, r.gone, `{"c":[`+r.vectors+`]}`)
		}
		w.sql(`UPDATE advisory SET body = '{"c":["CVSS:3.1/A"]}' WHERE id = 7`)
		r, err := db.Results(w.ctx, "", digest("a"))
		w.must(err)
		if len(r.Vulnerabilities) != 1 {
			t.Fatalf("%d vulnerabilities", len(r.Vulnerabilities))
		}
		want := []breakwater.Vector{{AdvisoryID: "GHSA-CVE-2024-0007", Text: "CVSS:3.1/A"}, {AdvisoryID: "CVE-2024-0007", Text: "CVSS:3.1/B"}}
		if diff := cmp.Diff(want, r.Vulnerabilities[0].Vectors); diff != "" {
			t.Error(diff)
		}
	})
}

// TestImageThatComesDuringAJudgement: a project that did not hold a digest gets an
// image of it while the digest is being judged anew; whichever ends first, the
// image says in the end what the artifact does.
func TestImageThatComesDuringAJudgement(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("a")
		w.artifact("b")
		w.image("1", "a", "v", "a", 1)
		_, unmatched := w.finish("a", "left")
		w.sql(`UPDATE package SET matched = TRUE`)
		w.sql(`INSERT INTO feed (name, generation) VALUES ('npm', 1)`)
		w.must(db.RefreshPackages(w.ctx, unmatched))
		moved := w.image("2", "b", "v", "b", 1).ID
		w.advise(1, "high", unmatched[0], "CVE-2024-0001")
		var came sync.WaitGroup
		var created int64
		w.must(db.Tx(w.ctx, func(tx *store.DB) error {
			if err := tx.RefreshPackages(w.ctx, unmatched); err != nil {
				return err
			}
			came.Go(func() { created = w.image("2", "a", "v", "a", 1).ID })
			came.Go(func() { w.image("2", "b", "v", "a", 1) })
			time.Sleep(300 * time.Millisecond) // enough to read what the artifact said before
			return nil
		}))
		came.Wait()
		for name, id := range map[string]int64{"created": created, "moved": moved} {
			if row := w.row("2", id); row.Level != "High" || row.VulNum != 1 {
				t.Errorf("%s: the image says %s %d, its artifact High 1", name, row.Level, row.VulNum)
			}
		}
	})
}
