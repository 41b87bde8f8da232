package store

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// The list is answered in one read snapshot: the project's revision is read, the
// columns are brought to exactly that revision, the filter runs over them, and
// the rows of the page are read by their ids in the same snapshot. So total and
// page are of one moment, and nothing that is written has to know of this.
//
// Three locks, taken in this order and never the other way round, nor while
// waiting for a connection but for the first: loading (one load of a project),
// refresh (one change of its columns), mu (readers against that change).

// maxIndexedRows is how many images all projects' columns hold together, about
// 400 MB. A project that alone is larger is answered by SQL.
const maxIndexedRows = 5_000_000

// retries is how often a list that was overtaken by a newer one looks again,
// before it answers by SQL.
const retries = 8

// imageIndexes holds the columns of the projects that were asked for last.
type imageIndexes struct {
	mu       sync.Mutex
	projects map[string]*imageIndex
	clock    int64
}

// imageIndex is the columns of one project at one revision.
type imageIndex struct {
	loading chan struct{} // holds a token while a load runs
	refresh sync.Mutex
	mu      sync.RWMutex
	cols    *columns // nil until loaded
	rev     int64
	huge    bool      // too large for columns
	buffers sync.Pool // of *bitmap

	used int64 // guarded by imageIndexes.mu, as is rows
	rows int
}

// of is the project's index, empty at first.
func (x *imageIndexes) of(projectID string) *imageIndex {
	x.mu.Lock()
	defer x.mu.Unlock()
	ix := x.projects[projectID]
	if ix == nil {
		ix = &imageIndex{loading: make(chan struct{}, 1)}
		if x.projects == nil {
			x.projects = map[string]*imageIndex{}
		}
		x.projects[projectID] = ix
	}
	x.clock++
	ix.used = x.clock
	return ix
}

// keep says how large an index has become, and lets go of those that were not
// asked for the longest until the rest fits.
func (x *imageIndexes) keep(ix *imageIndex, rows int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	ix.rows = rows
	for {
		total, oldest := 0, ""
		for id, p := range x.projects {
			total += p.rows
			if p != ix && p.rows > 0 && (oldest == "" || p.used < x.projects[oldest].used) {
				oldest = id
			}
		}
		if total <= maxIndexedRows || oldest == "" {
			return
		}
		delete(x.projects, oldest)
	}
}

// Images answers one page of the project's images and how many the filter
// selects in all, both of one moment. Inside a transaction it is of that
// transaction, and slower.
func (db *DB) Images(ctx context.Context, projectID string, f ImageFilter, p ImagePage) (rows []ImageRow, total int, err error) {
	if db.q != nil {
		rows, total, err = db.imagesBySQL(ctx, projectID, f, p)
		return rows, total, wrap(err, "store.Images")
	}
	done := false
	for attempt := 0; !done && err == nil && attempt <= retries; attempt++ {
		rows, total, done, err = db.tryImages(ctx, projectID, f, p, attempt == retries)
	}
	return rows, total, wrap(err, "store.Images")
}

// tryImages looks once, by SQL if that is asked for or the project is too large.
func (db *DB) tryImages(ctx context.Context, projectID string, f ImageFilter, p ImagePage, bySQL bool) (rows []ImageRow, total int, done bool, err error) {
	ix := db.index.of(projectID)
	if err := errors.Join(db.prepareList(ctx), db.loadImages(ctx, ix, projectID)); err != nil {
		return nil, 0, false, err
	}
	if err := db.list.enter(ctx); err != nil {
		return nil, 0, false, err
	}
	defer db.list.leave()
	err = db.View(ctx, func(tx *DB) error {
		if bySQL || ix.tooLarge() {
			done = true
			rows, total, err = tx.imagesBySQL(ctx, projectID, f, p)
			return err
		}
		rows, total, done, err = tx.imagesByIndex(ctx, ix, projectID, f, p)
		return err
	})
	return rows, total, done, err
}

// imagesByIndex answers from columns; done is false when they are of a later
// moment than this snapshot, or cannot be brought to it.
func (db *DB) imagesByIndex(ctx context.Context, ix *imageIndex, projectID string, f ImageFilter, p ImagePage) (rows []ImageRow, total int, done bool, err error) {
	var rev, floor int64
	found := false
	revs, err := db.queryList(ctx, revQuery, projectID)
	err = each(revs, err, func(scan func(...any) error) error {
		found = true
		return scan(&rev, &floor)
	})
	if err != nil || !found {
		return nil, 0, err == nil, err
	}
	registries, err := db.chosenRegistries(ctx, projectID, f)
	if err != nil {
		return nil, 0, false, err
	}
	ids, total, ok, err := db.chooseAt(ctx, ix, projectID, rev, floor, selection{f, registries}, p)
	if !ok || err != nil {
		return nil, 0, false, err
	}
	rows, err = db.imagesByID(ctx, projectID, ids)
	return rows, total, err == nil, err
}

// chooseAt runs the filter over the columns at revision rev.
func (db *DB) chooseAt(ctx context.Context, ix *imageIndex, projectID string, rev, floor int64, f selection, p ImagePage) (ids []int64, total int, ok bool, err error) {
	for range 2 {
		ix.mu.RLock()
		at, loaded := ix.rev, ix.cols != nil
		if loaded && at == rev {
			buf, _ := ix.buffers.Get().(*bitmap)
			if buf == nil {
				buf = new(bitmap)
			}
			sel, count := ix.cols.choose(f, *buf)
			if count > 0 {
				ids = ix.cols.page(sel, count, p)
			}
			*buf = sel
			ix.buffers.Put(buf)
			ix.mu.RUnlock()
			return ids, count, true, nil
		}
		ix.mu.RUnlock()
		if !loaded || at > rev {
			return nil, 0, false, nil
		}
		if err := db.refreshColumns(ctx, ix, projectID, rev, floor); err != nil {
			return nil, 0, false, err
		}
	}
	return nil, 0, false, nil
}

// refreshColumns brings the columns to revision rev of this snapshot, unless
// another list did so, or went further, meanwhile.
func (db *DB) refreshColumns(ctx context.Context, ix *imageIndex, projectID string, rev, floor int64) error {
	ix.refresh.Lock()
	defer ix.refresh.Unlock()
	if ix.cols == nil || ix.rev >= rev { // only written under refresh
		return nil
	}
	if ix.rev < floor { // tombstones are missing: load again
		ix.mu.Lock()
		ix.cols = nil
		ix.mu.Unlock()
		return nil
	}
	gone, err := db.ids(ctx, `SELECT image_id FROM image_gone WHERE project_id = ? AND rev > ?`, projectID, ix.rev)
	if err != nil {
		return err
	}
	var changed []imageFacts
	err = db.eachImageFacts(ctx, func(f imageFacts) { changed = append(changed, f) }, db.deltaQuery(), projectID, ix.rev)
	if err != nil {
		return err
	}
	ix.mu.Lock()
	ix.cols.apply(gone, changed)
	ix.rev = rev
	rows := len(ix.cols.id)
	ix.mu.Unlock()
	if len(gone)+len(changed) > 1000 {
		db.index.keep(ix, rows)
	}
	return nil
}

// chosenRegistries is the ids of the registries that the filter selects; nil for any.
func (db *DB) chosenRegistries(ctx context.Context, projectID string, f ImageFilter) (map[string]bool, error) {
	if !f.wantsRegistry() {
		return nil, nil
	}
	out := map[string]bool{}
	if !storable(f.RegistryID) || !storable(f.RegistryName) {
		return out, nil
	}
	c := &condition{}
	c.and("r.project_id = ?", projectID)
	c.registry(db, f)
	rows, err := db.query(ctx, `SELECT r.id FROM registry r WHERE `+c.text.String(), c.args...)
	err = each(rows, err, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		out[id] = true
		return err
	})
	return out, err
}

// imagesByID reads rows by their ids and answers them in that order.
func (db *DB) imagesByID(ctx context.Context, projectID string, ids []int64) ([]ImageRow, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	place := make(map[int64]int, len(ids))
	for n, id := range ids {
		place[id] = n
	}
	rows, err := db.scanImages(db.queryList(ctx, db.pageQuery(), projectID, jsonSet(ids)))
	if err != nil {
		return nil, err
	}
	if len(rows) != len(ids) {
		return nil, errors.New("the list and the images do not agree")
	}
	slices.SortFunc(rows, func(a, b ImageRow) int { return place[a.ID] - place[b.ID] })
	return rows, db.addChildren(ctx, projectID, rows)
}
