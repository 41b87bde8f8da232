package store

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"breakwater"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestColumnsFollowChanges holds columns to a plain list of rows, through many
// rows at once, rows out of order, deletions and compactions.
func TestColumnsFollowChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := map[int64]imageFacts{}
		draw := func(id int64) imageFacts {
			n := rapid.Uint32().Draw(t, "row")
			return imageFacts{id: id, name: fmt.Sprint("i", n%5), origin: origin{registryID: fmt.Sprint("r", n>>3%3)}, updated: int64(n >> 5 % 50), scanned: int64(n >> 11 % 9),
				size: int64(n >> 15 % 4), vul: int64(n >> 17 % 2), status: breakwater.ScanSuccess}
		}
		c, next := newColumns(0), int64(1)
		for range rapid.IntRange(0, 100).Draw(t, "loaded") {
			rows[next] = draw(next)
			c.load(rows[next])
			next++
		}
		c.finish()
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			var gone []int64
			var changed []imageFacts
			limit := rapid.SampledFrom([]int{3, 100}).Draw(t, "many")
			for _, id := range sortedIDs(rows) {
				switch rapid.IntRange(0, 5).Draw(t, "fate") {
				case 0:
					if len(gone) < limit {
						gone = append(gone, id)
						delete(rows, id)
					}
				case 1:
					if len(changed) < limit {
						rows[id] = draw(id)
						changed = append(changed, rows[id])
					}
				}
			}
			fresh := rapid.IntRange(0, limit).Draw(t, "new")
			for n := range fresh { // backwards, as late commits may come
				id := next + int64(fresh-n)
				rows[id] = draw(id)
				changed = append(changed, rows[id])
			}
			next += int64(fresh) + 1
			c.apply(gone, changed)
			if rapid.Bool().Draw(t, "compact") {
				c.compact()
			}
			sameRows(t, c, rows)
		}
	})
}

func sortedIDs(rows map[int64]imageFacts) []int64 {
	ids := make([]int64, 0, len(rows))
	for id := range rows {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func sameRows(t *rapid.T, c *columns, rows map[int64]imageFacts) {
	yes, size := true, int64(2)
	for _, f := range []struct {
		filter ImageFilter
		right  func(imageFacts) bool
	}{
		{ImageFilter{}, func(imageFacts) bool { return true }},
		{ImageFilter{Name: "i1"}, func(r imageFacts) bool { return r.name == "i1" }},
		{ImageFilter{HasVul: &yes}, func(r imageFacts) bool { return r.vul > 0 }},
		{ImageFilter{Size: &size}, func(r imageFacts) bool { return r.size == 2 }},
	} {
		var want []imageFacts
		for _, id := range sortedIDs(rows) {
			if f.right(rows[id]) {
				want = append(want, rows[id])
			}
		}
		sel, count := c.choose(selection{ImageFilter: f.filter}, nil)
		if count != len(want) {
			t.Fatalf("%+v selects %d rows, want %d", f.filter, count, len(want))
		}
		slices.SortFunc(want, func(a, b imageFacts) int { return cmp.Or(cmp.Compare(b.updated, a.updated), cmp.Compare(b.id, a.id)) })
		p := ImagePage{Offset: rapid.IntRange(0, len(want)).Draw(t, "offset"), Limit: rapid.IntRange(1, 20).Draw(t, "limit")}
		checkPage(t, c.page(sel, count, p), want, p)
		slices.SortFunc(want, func(a, b imageFacts) int { return cmp.Or(cmp.Compare(a.scanned, b.scanned), cmp.Compare(a.id, b.id)) })
		p.SortScanned = true
		checkPage(t, c.page(sel, count, p), want, p)
	}
}

func checkPage(t *rapid.T, got []int64, all []imageFacts, p ImagePage) {
	var want []int64
	for n := p.Offset; n < min(p.Offset+p.Limit, len(all)); n++ {
		want = append(want, all[n].id)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Fatalf("page %+v: %s", p, diff)
	}
}
