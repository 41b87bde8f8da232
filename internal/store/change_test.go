package store_test

import (
	"fmt"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
)

// note writes a change of a package as an import would have.
func (w *world) note(pkg int64, id, cve string, at time.Time) {
	w.Helper()
	w.sql(`INSERT INTO verdict_change (package_id, osv_id, cve, what, why, feed, generation, new_severity, at_ms) VALUES (?, ?, ?, 'came', 'advisory published', 'npm', 1, 'low', ?)`,
		pkg, id, cve, at.UnixMilli())
}

func TestChangesAreRead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("a")
		w.artifact("b")
		w.artifact("index", "a", "b")
		_, ids := w.finish("a", "left", "right")
		w.finish("b", "right")
		w.image("1", "a", "v", "a", 1)
		w.image("1", "i", "v", "index", 1)
		w.image("2", "b", "v", "b", 1)
		left, right := ids[0], ids[1]
		now := db.Now()
		w.note(left, "GHSA-1", "CVE-2026-0001", now.Add(-200*24*time.Hour))
		w.note(right, "GHSA-2", "CVE-2026-0002", now.Add(-time.Hour))
		w.note(left, "GHSA-3", "", now.Add(-time.Minute))
		w.advise(7, "low", left, "CVE-2026-0003")
		w.sql(`UPDATE advisory SET osv_id = 'GHSA-3'`)

		text := func(list []store.TouchedChange, err error) (out []string) {
			t.Helper()
			w.must(err)
			for _, c := range list {
				out = append(out, fmt.Sprint(c.AdvisoryID, " ", c.Package.Name, " ", c.Images))
			}
			return out
		}
		for name, tt := range map[string]struct {
			project string
			filter  store.ChangeFilter
			want    []string
		}{
			"all":                  {"", store.ChangeFilter{}, []string{"GHSA-3 left 2", "GHSA-2 right 3", "GHSA-1 left 2"}},
			"of project 1":         {"p1", store.ChangeFilter{}, []string{"GHSA-3 left 2", "GHSA-2 right 2", "GHSA-1 left 2"}},
			"of project 2":         {"p2", store.ChangeFilter{Limit: 1}, []string{"GHSA-2 right 1"}},
			"since":                {"p1", store.ChangeFilter{Since: now.Add(-time.Hour)}, []string{"GHSA-3 left 2", "GHSA-2 right 2"}},
			"by id":                {"p1", store.ChangeFilter{ID: "GHSA-1"}, []string{"GHSA-1 left 2"}},
			"by CVE":               {"p1", store.ChangeFilter{ID: "CVE-2026-0002"}, []string{"GHSA-2 right 2"}},
			"by an alias of today": {"p1", store.ChangeFilter{ID: "CVE-2026-0003"}, []string{"GHSA-3 left 2"}},
			"by nothing known":     {"p1", store.ChangeFilter{ID: "CVE-2026-9999"}, nil},
			"by text of no id":     {"p1", store.ChangeFilter{ID: "\x00"}, nil},
		} {
			got := text(db.ProjectChanges(w.ctx, tt.project, tt.filter))
			if tt.project == "" {
				got = text(db.Changes(w.ctx, tt.filter))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		first, err := db.ProjectChanges(w.ctx, "p1", store.ChangeFilter{Limit: 2})
		w.must(err)
		if diff := cmp.Diff([]string{"GHSA-1 left 2"}, text(db.ProjectChanges(w.ctx, "p1", store.ChangeFilter{Limit: 2, Before: first[1].ID}))); diff != "" {
			t.Errorf("the second page: %s", diff)
		}

		of := func(d string, since time.Time) (out []string) {
			t.Helper()
			list, err := db.ImageChanges(w.ctx, digest(d), since, 0)
			w.must(err)
			for _, c := range list {
				out = append(out, c.AdvisoryID)
			}
			return out
		}
		for d, want := range map[string][]string{"a": {"GHSA-3", "GHSA-2", "GHSA-1"}, "b": {"GHSA-2"}, "index": {"GHSA-3", "GHSA-2", "GHSA-1"}} {
			if diff := cmp.Diff(want, of(d, time.Time{})); diff != "" {
				t.Errorf("%s: %s", d, diff)
			}
		}
		if _, err := db.ImageChanges(w.ctx, digest("x"), time.Time{}, 0); !breakwater.IsNotFound(err) {
			t.Errorf("of an unknown digest: %v", err)
		}
		w.must(db.SweepChanges(w.ctx, now.Add(-180*24*time.Hour)))
		if diff := cmp.Diff([]string{"GHSA-3", "GHSA-2"}, of("a", time.Time{})); diff != "" {
			t.Errorf("after the sweep: %s", diff)
		}
	})
}
