package storebench

import (
	"context"
	"fmt"

	"breakwater"
	"breakwater/internal/store"
)

// told is what an image row says.
type told struct {
	level breakwater.Level
	vul   int32
	rev   int64
}

// images reads every image row; image n is the one with artifact n.
func (r *rematch) images(ctx context.Context) ([]told, error) {
	out := make([]told, r.o.Images)
	rows, err := r.db.Writer().QueryContext(ctx, `SELECT a.id, i.level, i.vul_num, i.rev, a.level, a.vul_num FROM artifact a JOIN image i ON i.digest = a.digest`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var t, artifact told
		if err := rows.Scan(&id, &t.level, &t.vul, &t.rev, &artifact.level, &artifact.vul); err != nil {
			return nil, err
		}
		if t.level != artifact.level || t.vul != artifact.vul {
			t.level = breakwater.Level(fmt.Sprintf("%s, its artifact %s %d", t.level, artifact.level, artifact.vul))
		}
		out[id-1] = t
	}
	return out, rows.Err()
}

// expect is what every image must say by the advisories of now, found without
// the database.
func (r *rematch) expect() []told {
	sums := r.sum(r.feeds.Counts())
	out := make([]told, r.o.Images)
	for n, c := range sums {
		out[n] = c.told()
		if isMulti(n) { // it says what the worst of its platforms says
			a, b := sums[n-1].told(), sums[n-2].told()
			if order[a.level] < order[b.level] {
				a.level = b.level
			}
			a.vul = max(a.vul, b.vul)
			out[n] = a
		}
	}
	return out
}

// sum adds up for each image what its packages have.
func (r *rematch) sum(packages []counts) []counts {
	sets := make([]counts, len(r.software.Sets))
	for n, set := range r.software.Sets {
		for _, p := range set {
			sets[n].plus(packages[p])
		}
	}
	out := make([]counts, r.o.Images)
	for n, hold := range r.software.Holds {
		for _, set := range hold {
			out[n].plus(sets[set])
		}
	}
	return out
}

// concerned tells of every image whether the last step changed the number of
// findings of one of its packages.
func (r *rematch) concerned(before []counts) []bool {
	changed := r.feeds.Counts()
	for n := range changed {
		moved := changed[n] != before[n]
		changed[n] = counts{}
		if moved {
			changed[n][0] = 1
		}
	}
	out := make([]bool, r.o.Images)
	for n, c := range r.sum(changed) {
		out[n] = c[0] > 0
		if isMulti(n) {
			out[n] = out[n-1] || out[n-2]
		}
	}
	return out
}

func (c *counts) plus(d counts) {
	for k := range c {
		c[k] += d[k]
	}
}

var order = map[breakwater.Level]int{breakwater.LevelSecurity: 0, breakwater.LevelLow: 1, breakwater.LevelMedium: 2, breakwater.LevelHigh: 3}

func (c counts) told() told {
	t := told{vul: c[0] + c[1] + c[2], level: breakwater.LevelSecurity}
	switch {
	case c[0] > 0:
		t.level = breakwater.LevelHigh
	case c[1] > 0:
		t.level = breakwater.LevelMedium
	case c[2] > 0:
		t.level = breakwater.LevelLow
	}
	return t
}

// totals asks the image list of every project for its exact numbers, by level.
func (r *rematch) totals(ctx context.Context) (map[breakwater.Level]int, error) {
	out := map[breakwater.Level]int{}
	for _, p := range NewWorld(r.o.Images, 5).Projects {
		for level := range order {
			_, n, err := r.db.Images(ctx, p.ID, store.ImageFilter{Level: level}, store.ImagePage{Limit: 10})
			if err != nil {
				return nil, err
			}
			out[level] += n
		}
	}
	return out, nil
}

func (r *rematch) lastChange(ctx context.Context) (id int64, err error) {
	err = r.db.Writer().QueryRowContext(ctx, `SELECT COALESCE(max(id), 0) FROM verdict_change`).Scan(&id)
	return id, err
}

// noted counts the changes of findings that were noted since.
func (r *rematch) noted(ctx context.Context, last int64) (n int, err error) {
	err = r.db.Writer().QueryRowContext(ctx, fmt.Sprintf(`SELECT count(*) FROM verdict_change WHERE id > %d`, last)).Scan(&n)
	return n, err
}

// compare answers how many images changed, and what is not as it must be.
func (r *rematch) compare(before, after []told, was []counts, totals map[breakwater.Level]int, noted int) (moved int, wrong []string) {
	concerned := r.concerned(was)
	bad := func(format string, args ...any) {
		if len(wrong) < 10 {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	sum := map[breakwater.Level]int{}
	for n, want := range r.expect() {
		is := after[n]
		sum[want.level]++
		if is.level != want.level || is.vul != want.vul {
			bad("image %d says %s %d, and the advisories %s %d", n, is.level, is.vul, want.level, want.vul)
		}
		changed := is.rev != before[n].rev
		if changed && !concerned[n] {
			bad("image %d was touched, and no advisory concerns it", n)
		}
		if differs := want.level != before[n].level || want.vul != before[n].vul; differs && !changed {
			bad("image %d changed without a new revision", n)
		}
		if changed {
			moved++
		}
	}
	for level, n := range sum {
		if totals[level] != n {
			bad("the lists hold %d images of level %s, and the advisories make %d", totals[level], level, n)
		}
	}
	if want := r.feeds.Differences(r.held); noted != want {
		bad("%d changes of findings are noted, and there are %d", noted, want)
	}
	return moved, wrong
}
