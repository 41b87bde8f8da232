package store_test

import (
	"testing"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
)

// TestAdvisoriesNamed finds records by id and by alias, and only those that are
// shown and not withdrawn.
func TestAdvisoriesNamed(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.sql(`INSERT INTO feed (name, generation) VALUES ('npm', 2)`)
		for n, row := range []struct {
			id                      string
			since, until, withdrawn int64
		}{{"GHSA-1", 1, 0, 0}, {"GHSA-2", 3, 0, 0}, {"GHSA-3", 1, 2, 0}, {"GHSA-4", 1, 3, 0}, {"GHSA-5", 1, 0, 7}, {"CVE-2024-0001", 2, 0, 0}} {
			w.sql(`INSERT INTO advisory (id, feed, since, until, osv_id, hash, severity, withdrawn_ms) VALUES (?, 'npm', ?, ?, ?, '', 'low', ?)`,
				n+1, row.since, row.until, row.id, row.withdrawn)
			w.sql(`INSERT INTO advisory_alias (alias, advisory_id) VALUES ('CVE-2024-0001', ?), ('ALIAS', ?)`, n+1, n+1)
		}
		for id, want := range map[string][]string{
			"GHSA-1": {"GHSA-1"}, "GHSA-2": nil, "GHSA-3": nil, "GHSA-4": {"GHSA-4"}, "GHSA-5": nil, "": nil, "\x00": nil,
			"CVE-2024-0001": {"CVE-2024-0001", "GHSA-1", "GHSA-4"},
		} {
			all, err := db.AdvisoriesNamed(w.ctx, id)
			w.must(err)
			var got []string
			for _, a := range all {
				got = append(got, a.ID)
				if diff := cmp.Diff([]string{"ALIAS", "CVE-2024-0001"}, a.Aliases); diff != "" {
					t.Errorf("%q: aliases %s", id, diff)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q: %s", id, diff)
			}
		}
	})
}

func TestImagesOfDigest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("a")
		one, two, other := w.image("1", "x", "v1", "a", 1), w.image("1", "y", "v1", "a", 1), w.image("2", "x", "v1", "a", 1)
		digest := w.row("1", one.ID).Digest
		for _, c := range []struct {
			project string
			digest  breakwater.Digest
			limit   int
			want    []int64
		}{
			{"p1", digest, 9, []int64{one.ID, two.ID}}, {"p1", digest, 1, []int64{one.ID}}, {"p2", digest, 9, []int64{other.ID}},
			{"p1", breakwater.DigestOf([]byte("none")), 9, []int64{}},
		} {
			got, err := db.ImagesOfDigest(w.ctx, c.project, c.digest, c.limit)
			w.must(err)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: %s", c.project, diff)
			}
		}
	})
}
