package worker_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
	"breakwater/internal/worker"

	"github.com/google/go-cmp/cmp"
)

// changes is what was noted since the last call, oldest first:
// "package what id why feed@generation old→new".
func (s *shelf) changes(after *int64) (out []string) {
	s.Helper()
	list, err := s.db.Changes(s.ctx, store.ChangeFilter{Limit: 1000})
	must(s.T, err)
	last := *after
	for _, c := range list {
		if c.ID <= last {
			continue
		}
		*after = max(*after, c.ID)
		feed, err := s.db.Feed(s.ctx, c.Feed)
		must(s.T, err)
		if !c.Dated.Equal(feed.Dated) || !c.Newest.Equal(feed.Newest) || c.At.IsZero() {
			s.Errorf("%+v is not of the feed as it is: %+v", c, feed)
		}
		out = append(out, fmt.Sprintf("%s@%s %s %s (%s) %s %s@%d %s %s→%s %s", c.Package.Name, c.Package.Version, c.What, c.AdvisoryID, c.CVE, c.Why,
			c.Feed, c.Generation, c.OldSeverity, c.OldFixed, c.NewSeverity, c.NewFixed))
	}
	slices.Sort(out)
	return out
}

// revs is the revision of every image, which rises when the image changes.
func (s *shelf) revs() map[string]int64 {
	s.Helper()
	out := map[string]int64{}
	rows, err := s.db.Writer().Query(`SELECT name, rev FROM image`)
	must(s.T, err)
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		var rev int64
		must(s.T, rows.Scan(&name, &rev))
		out[name] = rev
	}
	must(s.T, rows.Err())
	return out
}

// Each step is a state of the feed; it says what must be noted, and which images
// change: those and no other.
func TestChangesSayWhatAndWhy(t *testing.T) {
	const base = "GHSA-1|npm|a|1.0.5|CVE-2026-0001"
	steps := []struct {
		name    string
		records []string
		changes []string
		images  []string
	}{
		{"one new advisory", []string{base, "GHSA-2|npm|b|2.0.0|CVE-2026-0002"},
			[]string{"b@1.0.0 came GHSA-2 (CVE-2026-0002) advisory published npm@2  →medium 2.0.0"}, []string{"both", "only-b"}},
		{"the same once more", []string{base, "GHSA-2|npm|b|2.0.0|CVE-2026-0002"}, nil, nil},
		{"another fix", []string{base, "GHSA-2|npm|b|2.0.1|CVE-2026-0002"},
			[]string{"b@1.0.0 changed GHSA-2 (CVE-2026-0002) advisory changed npm@4 medium 2.0.0→medium 2.0.1"}, nil},
		{"the range narrowed", []string{"GHSA-1|npm|a|0.9|CVE-2026-0001", "GHSA-2|npm|b|2.0.1|CVE-2026-0002"},
			[]string{"a@1.0.0 went GHSA-1 (CVE-2026-0001) no longer affects this version npm@5 medium 1.0.5→ "}, []string{"both", "only-a"}},
		{"the range widened", []string{base, "GHSA-2|npm|b|2.0.1|CVE-2026-0002"},
			[]string{"a@1.0.0 came GHSA-1 (CVE-2026-0001) advisory changed npm@6  →medium 1.0.5"}, []string{"both", "only-a"}},
		{"withdrawn", []string{"withdrawn " + base, "GHSA-2|npm|b|2.0.1|CVE-2026-0002"},
			[]string{"a@1.0.0 went GHSA-1 (CVE-2026-0001) advisory withdrawn npm@7 medium 1.0.5→ "}, []string{"both", "only-a"}},
		{"gone from the feed", []string{"GHSA-3|npm|z|1|CVE-2026-0003"},
			[]string{"b@1.0.0 went GHSA-2 (CVE-2026-0002) advisory no longer in the feed npm@8 medium 2.0.1→ "}, []string{"both", "only-b"}},
		{"another problem", []string{"GHSA-4|npm|a|1.0.5|CVE-2026-0004"},
			[]string{"a@1.0.0 came GHSA-4 (CVE-2026-0004) advisory published npm@9  →medium 1.0.5"}, []string{"both", "only-a"}},
		{"another record joins it", []string{"GHSA-4|npm|a|1.0.5|CVE-2026-0004", "CVE-2026-0004|npm|a|1.0.5|GHSA-4"}, nil, nil},
		{"another record stands for it", []string{"GHSA-4|npm|a|1.0.5|CVE-2026-0004", "CVE-2026-0004|npm|a|1.0.5|GHSA-4", "GHSA-33|npm|a|1.0.5|CVE-2026-0004"},
			[]string{"a@1.0.0 came GHSA-33 (CVE-2026-0004) alias merged npm@11  →medium 1.0.5", "a@1.0.0 went GHSA-4 (CVE-2026-0004) alias merged npm@11 medium 1.0.5→ "}, nil},
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newShelf(t, db)
		var last int64
		s.feed("npm", "2026-01-01T00:00:00Z", base)
		must(t, s.update(worker.FeedOptions{}).Err())
		s.image("only-a", "npm|a|1.0.0")
		s.image("only-b", "npm|b|1.0.0")
		s.image("both", "npm|a|1.0.0", "npm|b|1.0.0")
		s.image("other", "npm|a|1.0.5", "npm|c|1")
		if first := s.changes(&last); first != nil {
			t.Fatalf("a first verdict is no change: %q", first)
		}
		for n, step := range steps {
			before := s.revs()
			s.feed("npm", fmt.Sprintf("2026-01-%02dT00:00:00Z", n+2), step.records...)
			must(t, s.update(worker.FeedOptions{Force: true}).Err())
			if diff := cmp.Diff(step.changes, s.changes(&last)); diff != "" {
				t.Errorf("%s: %s", step.name, diff)
			}
			var moved []string
			for name, rev := range s.revs() {
				if rev != before[name] {
					moved = append(moved, name)
				}
			}
			slices.Sort(moved)
			if diff := cmp.Diff(step.images, moved); diff != "" {
				t.Errorf("%s: images that changed: %s", step.name, diff)
			}
		}
	})
}

// What CISA lists is high, and what it no longer lists is what it was.
func TestChangesByExploitation(t *testing.T) {
	kev := func(s *shelf, day int, cves ...string) {
		var list []string
		for _, c := range cves {
			list = append(list, fmt.Sprintf(`{"cveID":%q,"dateAdded":"2026-01-02"}`, c))
		}
		must(s.T, os.WriteFile(filepath.Join(s.dir, "kev.json"), fmt.Appendf(nil, `{"dateReleased":"2026-01-%02dT00:00:00Z","count":%d,"vulnerabilities":[%s]}`,
			day, len(cves), strings.Join(list, ",")), 0o600))
		must(s.T, s.update(worker.FeedOptions{Feeds: []string{"kev"}, Force: true}).Err())
	}
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newShelf(t, db)
		var last int64
		s.feed("npm", "2026-01-01T00:00:00Z", "GHSA-1|npm|a|1.0.5|CVE-2026-0001", "GHSA-2|npm|unheld|1.0.5|CVE-2026-0002")
		must(t, s.update(worker.FeedOptions{}).Err())
		s.image("a", "npm|a|1.0.0")
		for n, step := range []struct {
			cves []string
			want []string
		}{
			{[]string{"CVE-2026-0001", "CVE-2026-0002"}, []string{"a@1.0.0 changed GHSA-1 (CVE-2026-0001) KEV listed it kev@1 medium 1.0.5→high 1.0.5"}},
			{[]string{"CVE-2026-0001"}, nil},
			{[]string{"CVE-2026-0002"}, []string{"a@1.0.0 changed GHSA-1 (CVE-2026-0001) KEV no longer lists it kev@3 high 1.0.5→medium 1.0.5"}},
		} {
			kev(s, n+3, step.cves...)
			if diff := cmp.Diff(step.want, s.changes(&last)); diff != "" {
				t.Errorf("%v: %s", step.cves, diff)
			}
		}
	})
}

// A re-match that is cut short after its first transaction and begun again
// notes each change once.
func TestChangesAreNotedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newShelf(t, db)
		s.feed("npm", "2026-01-01T00:00:00Z", "GHSA-0|npm|z|1|CVE-2026-0000")
		must(t, s.update(worker.FeedOptions{}).Err())
		s.image("a", "npm|a|1.0.0", "npm|b|1.0.0")
		f := breakwater.Feed{Name: "npm", Records: 2, Newest: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
		advisory := func(id, name string) breakwater.Advisory {
			return breakwater.Advisory{ID: id, Severity: breakwater.SeverityLow, Score: 1, Affected: []breakwater.Affected{{Ecosystem: "npm", Name: name, Versions: []string{"1.0.0"}}}}
		}
		_, err := db.ImportFeed(s.ctx, &f, func(yield func(breakwater.Advisory, error) bool) {
			_ = yield(advisory("GHSA-1", "a"), nil) && yield(advisory("GHSA-2", "b"), nil)
		}, store.ImportOptions{})
		must(t, err)
		ctx, cancel := context.WithCancel(s.ctx)
		_, _, err = worker.Rematch(ctx, db, func(int) { cancel() }) // judged, and not forgotten yet
		if err == nil {
			t.Fatal("the run was not cut short")
		}
		if judged, changed, err := worker.Rematch(s.ctx, db, nil); err != nil || judged != 2 || changed != 0 {
			t.Fatalf("judged %d, changed %d, %v", judged, changed, err)
		}
		var last int64
		if diff := cmp.Diff([]string{
			"a@1.0.0 came GHSA-1 () advisory published npm@2  →low ", "b@1.0.0 came GHSA-2 () advisory published npm@2  →low ",
		}, s.changes(&last)); diff != "" {
			t.Error(diff)
		}
	})
}
