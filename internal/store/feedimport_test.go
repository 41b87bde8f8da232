package store_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// advisory makes a record about npm packages, fixed in a version.
func advisory(id, fixed string, names ...string) breakwater.Advisory {
	a := breakwater.Advisory{ID: id, Aliases: []string{"CVE-2026-0" + id[len(id)-3:]}, Published: epoch, Modified: epoch, Summary: "about " + id,
		URL: "https://h/" + id, CVSS: []string{"v"}, VendorWord: "high", Score: 7.5, Severity: breakwater.SeverityHigh}
	for _, n := range names {
		a.Affected = append(a.Affected, breakwater.Affected{Ecosystem: "npm", Name: n, Versions: []string{"0.1"},
			Ranges: []breakwater.Range{{Type: "SEMVER", Events: []breakwater.Event{{Introduced: "0"}, {Fixed: fixed}}}}})
	}
	return a
}

// dump yields records and then, if there is one, an error.
func dump(fail error, list ...breakwater.Advisory) iter.Seq2[breakwater.Advisory, error] {
	return func(yield func(breakwater.Advisory, error) bool) {
		for _, a := range list {
			if !yield(a, nil) {
				return
			}
		}
		if fail != nil {
			yield(breakwater.Advisory{}, fail)
		}
	}
}

// take imports records as the npm feed of a day.
func (w *world) take(day int, o store.ImportOptions, list ...breakwater.Advisory) (store.Changes, error) {
	w.Helper()
	f := breakwater.Feed{Name: "npm", URL: "u", ETag: fmt.Sprint(day), Newest: epoch.AddDate(0, 0, day), Records: len(list)}
	return w.db.ImportFeed(w.ctx, &f, dump(nil, list...), o)
}

// known is the ids and fixes of every visible record about the names.
func (w *world) known(names ...string) map[string]string {
	w.Helper()
	var keys []store.PackageName
	for _, n := range names {
		keys = append(keys, store.PackageName{Ecosystem: "npm", Name: n})
	}
	found, err := w.db.Candidates(w.ctx, keys)
	w.must(err)
	out := map[string]string{}
	for k, list := range found {
		for _, c := range list {
			out[c.Advisory.ID+" "+k.Name] = c.Advisory.Affected[0].Ranges[0].Events[1].Fixed
		}
	}
	return out
}

func (w *world) pending() (out []string) {
	w.Helper()
	list, err := w.db.PendingNames(w.ctx, 1000)
	w.must(err)
	for _, p := range list {
		out = append(out, p.Ecosystem+" "+p.Name)
	}
	w.must(w.db.DeletePending(w.ctx, list[min(1, len(list)):]))
	w.must(w.db.DeletePending(w.ctx, list[:min(1, len(list))]))
	return out
}

func (w *world) count(table string) (n int) {
	w.Helper()
	w.must(w.db.Writer().QueryRowContext(w.ctx, `SELECT COUNT(*) FROM `+table).Scan(&n))
	return n
}

func TestImportFeed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		expect := func(what string, got store.Changes, err error, want store.Changes, pending []string, known map[string]string) {
			t.Helper()
			w.must(err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
			if diff := cmp.Diff(pending, w.pending()); diff != "" {
				t.Errorf("%s: pending %s", what, diff)
			}
			if diff := cmp.Diff(known, w.known("a", "b", "c")); diff != "" {
				t.Errorf("%s: known %s", what, diff)
			}
		}
		c, err := w.take(1, store.ImportOptions{}, advisory("GHSA-001", "1", "a", "b"), advisory("GHSA-002", "1", "b"), advisory("GHSA-003", "1", "c"))
		expect("the first import", c, err, store.Changes{Added: 3, Names: 4}, []string{"* *", "npm a", "npm b", "npm c"},
			map[string]string{"GHSA-001 a": "1", "GHSA-001 b": "1", "GHSA-002 b": "1", "GHSA-003 c": "1"})

		same := []breakwater.Advisory{advisory("GHSA-001", "1", "a", "b"), advisory("GHSA-002", "1", "b"), advisory("GHSA-003", "1", "c")}
		c, err = w.take(1, store.ImportOptions{}, same...)
		expect("the same again", c, err, store.Changes{Unchanged: 3}, nil,
			map[string]string{"GHSA-001 a": "1", "GHSA-001 b": "1", "GHSA-002 b": "1", "GHSA-003 c": "1"})

		gone := advisory("GHSA-002", "1", "b")
		gone.Withdrawn = epoch
		c, err = w.take(2, store.ImportOptions{}, advisory("GHSA-001", "2", "a"), gone, advisory("GHSA-004", "1", "c"))
		expect("changes", c, err, store.Changes{Added: 1, Updated: 2, Removed: 1, Names: 3}, []string{"npm a", "npm b", "npm c"},
			map[string]string{"GHSA-001 a": "2", "GHSA-004 c": "1"})
		w.must(db.SweepAdvisories(w.ctx))
		if n := w.count("advisory"); n != 3 {
			t.Errorf("%d rows after the sweep, want 3", n)
		}
		if n := w.count("advisory_range"); n != 2 {
			t.Errorf("%d entries after the sweep, want 2", n)
		}
		got, err := db.AdvisoryByID(w.ctx, "GHSA-001")
		w.must(err)
		if diff := cmp.Diff(advisory("GHSA-001", "2", "a"), got); diff != "" {
			t.Errorf("read back: %s", diff)
		}
		if _, err := db.AdvisoryByID(w.ctx, "GHSA-003"); !breakwater.IsNotFound(err) {
			t.Errorf("a record that is gone: %v", err)
		}
	})
}

func TestRefusedImports(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		five := func(fixed string) (out []breakwater.Advisory) {
			for n := range 5 {
				out = append(out, advisory(fmt.Sprintf("GHSA-%03d", n), fixed, "a"))
			}
			return out
		}
		_, err := w.take(5, store.ImportOptions{}, five("1")...)
		w.must(err)
		w.pending()
		before := w.known("a")
		f := breakwater.Feed{Name: "npm", Newest: epoch.AddDate(0, 0, 9), Records: 5}
		boom := errors.New("truncated")
		for what, run := range map[string]func() error{
			"a sequence that fails": func() error {
				_, err := db.ImportFeed(w.ctx, &f, dump(boom, five("2")...), store.ImportOptions{})
				return err
			},
			"no record": func() error { _, err := w.take(9, store.ImportOptions{}); return err },
			"older":     func() error { _, err := w.take(4, store.ImportOptions{}, five("2")...); return err },
			"far fewer": func() error { _, err := w.take(9, store.ImportOptions{}, five("2")[:2]...); return err },
			"cancelled": func() error {
				ctx, cancel := context.WithCancel(w.ctx)
				_, err := db.ImportFeed(ctx, &f, func(yield func(breakwater.Advisory, error) bool) {
					cancel()
					yield(five("2")[0], nil)
				}, store.ImportOptions{})
				return err
			},
		} {
			if err := run(); err == nil {
				t.Errorf("%s: taken", what)
			}
			if diff := cmp.Diff(before, w.known("a")); diff != "" {
				t.Errorf("%s changed what is known: %s", what, diff)
			}
			if n := w.count("advisory"); n != 5 {
				t.Errorf("%s left rows: %d", what, n)
			}
			if p := w.pending(); len(p) > 0 {
				t.Errorf("%s left names: %v", what, p)
			}
		}
		if _, err := w.take(4, store.ImportOptions{Force: true}, five("2")[:2]...); err != nil {
			t.Errorf("forced: %v", err)
		}
		feed, err := db.Feed(w.ctx, "npm")
		w.must(err)
		if feed.Records != 2 || feed.ETag != "4" || !feed.Newest.Equal(epoch.AddDate(0, 0, 4)) || feed.Imported.IsZero() || feed.Checked.IsZero() {
			t.Errorf("feed %+v", feed)
		}
	})
}

// The starter set gives way to any other source, and asks nobody.
func TestStarterGivesWay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		f := breakwater.Feed{Name: "npm", Starter: true, Newest: epoch.AddDate(0, 0, 50), Records: 5}
		_, err := db.ImportFeed(w.ctx, &f, dump(nil, advisory("GHSA-001", "1", "a"), advisory("GHSA-002", "1", "a"), advisory("GHSA-003", "1", "a")), store.ImportOptions{})
		w.must(err)
		if due, err := db.FeedsDue(w.ctx, db.Now().Add(-time.Hour)); err != nil || !due {
			t.Errorf("due = %v, %v after the starter set", due, err)
		}
		_, err = w.take(1, store.ImportOptions{}, advisory("GHSA-001", "2", "a"))
		w.must(err)
		feed, err := db.Feed(w.ctx, "npm")
		w.must(err)
		if feed.Starter || feed.Records != 1 {
			t.Errorf("feed %+v", feed)
		}
		if due, err := db.FeedsDue(w.ctx, db.Now().Add(-time.Hour)); err != nil || due {
			t.Errorf("due = %v, %v right after an import", due, err)
		}
		w.must(db.PutFeedCheck(w.ctx, "npm", "no answer"))
		if feed, err = db.Feed(w.ctx, "npm"); err != nil || feed.LastError != "no answer" || feed.Records != 1 {
			t.Errorf("feed %+v, %v", feed, err)
		}
	})
}

// A second import that begins while one is under way wins; the first one stops
// and shows nothing.
func TestOvertakenImport(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		f := breakwater.Feed{Name: "npm", Newest: epoch, Records: 700}
		_, err := db.ImportFeed(w.ctx, &f, func(yield func(breakwater.Advisory, error) bool) {
			for n := range 700 {
				if n == 600 { // the first batches are written
					if _, err := w.take(1, store.ImportOptions{}, advisory("GHSA-777", "1", "a")); err != nil {
						t.Errorf("the second import: %v", err)
					}
				}
				if !yield(advisory(fmt.Sprintf("GHSA-%03d", n), "9", "a"), nil) {
					return
				}
			}
		}, store.ImportOptions{})
		if breakwater.KindOf(err) != breakwater.KindConflict {
			t.Errorf("the first import: %v", err)
		}
		if diff := cmp.Diff(map[string]string{"GHSA-777 a": "1"}, w.known("a")); diff != "" {
			t.Error(diff)
		}
		if n := w.count("advisory"); n != 1 {
			t.Errorf("%d rows are left", n)
		}
	})
}

func TestImportExploited(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("a")
		image := w.image("1", "a", "v", "a", 1).ID
		id, packages := w.finish("a", "left")
		w.advise(1, "low", packages[0], "CVE-2024-0001")
		w.must(db.RefreshCounters(w.ctx, []int64{id}))
		level := func() breakwater.Level { return w.row("1", image).Level }
		if level() != breakwater.LevelLow {
			t.Fatalf("level %s", level())
		}
		kev := func(day int, list ...string) (store.Changes, error) {
			var e []breakwater.Exploited
			for _, cve := range list {
				e = append(e, breakwater.Exploited{CVE: cve, Added: epoch})
			}
			return db.ImportExploited(w.ctx, breakwater.Feed{Name: breakwater.FeedKEV, Newest: epoch.AddDate(0, 0, day), Records: len(list)}, e, store.ImportOptions{})
		}
		c, err := kev(1, "CVE-2024-0001", "CVE-2024-0002")
		if err != nil || c != (store.Changes{Added: 2}) || level() != breakwater.LevelHigh {
			t.Errorf("listed: %+v, %v, level %s", c, err, level())
		}
		if _, err := kev(2); err == nil || level() != breakwater.LevelHigh {
			t.Errorf("an empty list: %v, level %s", err, level())
		}
		if _, err := kev(0, "CVE-2024-0002", "CVE-2024-0003"); err == nil || level() != breakwater.LevelHigh {
			t.Errorf("an older list: %v, level %s", err, level())
		}
		c, err = kev(3, "CVE-2024-0002", "CVE-2024-0003")
		if err != nil || c != (store.Changes{Added: 1, Removed: 1, Unchanged: 1}) || level() != breakwater.LevelLow {
			t.Errorf("delisted: %+v, %v, level %s", c, err, level())
		}
	})
}

func TestImportLikelihoods(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		take := func(day, n int, fail error) error {
			f := breakwater.Feed{Name: breakwater.FeedEPSS, Newest: epoch.AddDate(0, 0, day), Records: n}
			_, err := db.ImportLikelihoods(w.ctx, &f, func(yield func(breakwater.Likelihood, error) bool) {
				for i := range n {
					if !yield(breakwater.Likelihood{CVE: fmt.Sprintf("CVE-2024-%05d", i), Score: float64(day) / 100}, nil) {
						return
					}
				}
				if fail != nil {
					yield(breakwater.Likelihood{}, fail)
				}
			}, store.ImportOptions{})
			return err
		}
		shown := func() (n int, score float64) {
			w.must(db.Writer().QueryRowContext(w.ctx, `SELECT COUNT(*), COALESCE(max(e.score), 0) FROM feed f JOIN epss e ON e.generation = f.generation WHERE f.name = 'epss'`).Scan(&n, &score))
			return n, score
		}
		w.must(take(1, 4000, nil))
		w.must(take(2, 4000, nil))
		for what, err := range map[string]error{"broken": take(3, 4000, errors.New("x")), "short": take(3, 100, nil), "older": take(1, 4000, nil)} {
			if err == nil {
				t.Errorf("%s: taken", what)
			}
		}
		if n, score := shown(); n != 4000 || score != 0.02 {
			t.Errorf("%d lines of score %v", n, score)
		}
		w.must(take(4, 4000, nil))
		if n := w.count("epss"); n != 4000 {
			t.Errorf("%d lines are kept", n)
		}
	})
}

// What an import reads must be found by index, whatever the size of the tables.
func TestFeedQueryPlans(t *testing.T) {
	db := storetest.SQLite(t)
	for _, statement := range []string{
		`SELECT a.id FROM advisory_range r JOIN advisory a ON a.id = r.advisory_id JOIN feed f ON f.name = a.feed WHERE r.ecosystem = 'npm' AND r.name IN (SELECT value FROM json_each('["a"]')) AND a.since <= f.generation`,
		`SELECT id FROM package WHERE feed = 'npm' AND name IN (SELECT value FROM json_each('["a"]'))`,
		`SELECT id FROM advisory WHERE feed = 'npm' AND since > 3 LIMIT 2000`,
		`UPDATE advisory SET until = 0 WHERE feed = 'npm' AND until > 3`,
	} {
		rows, err := db.Writer().Query(`EXPLAIN QUERY PLAN ` + statement)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var a, b, c int
			var detail string
			if err := rows.Scan(&a, &b, &c, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(detail, "SCAN") && !strings.Contains(detail, "json_each") {
				t.Errorf("%s: %s", statement, detail)
			}
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Fatal(err)
		}
	}
}
