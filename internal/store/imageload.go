package store

import (
	"context"
	"database/sql"
	"errors"
)

const factColumns = `i.id, i.namespace, i.name, i.version, i.registry_id, i.enterprise_project_id, i.instance_id, i.instance_name,
	i.updated_ms, i.synced_ms, i.scanned_ms, i.size, i.latest, i.multi_arch, i.scan_status, i.scan_code, i.level,
	i.vul_num, i.unsafe_setting_num, i.malicious_file_num`

// The statements that fill columns: the revision a project is at, and all of its
// images.
const (
	revQuery  = `SELECT image_rev, image_floor FROM project WHERE id = ?`
	loadQuery = `SELECT ` + factColumns + ` FROM image i WHERE i.project_id = ?`
)

// deltaQuery is the images of a project that are newer than a revision. On
// PostgreSQL triggers keep what they are found by in a table beside image
// (migration 4 says why).
func (db *DB) deltaQuery() string {
	if db.dialect == PostgreSQL {
		return `SELECT ` + factColumns + ` FROM image_stamp s JOIN image i ON i.id = s.image_id WHERE s.project_id = ? AND s.rev > ?`
	}
	return `SELECT ` + factColumns + ` FROM image i WHERE i.project_id = ? AND i.rev > ?`
}

// eachImageFacts hands the rows of one of the two statements to f.
func (db *DB) eachImageFacts(ctx context.Context, f func(imageFacts), query string, args ...any) error {
	rows, err := db.queryList(ctx, query, args...)
	return each(rows, err, func(scan func(...any) error) error {
		var r imageFacts
		err := scan(&r.id, &r.namespace, &r.name, &r.version, &r.origin.registryID, &r.origin.enterpriseProjectID, &r.origin.instanceID, &r.origin.instanceName,
			&r.updated, &r.synced, &r.scanned, &r.size, &r.latest, &r.multiArch, &r.status, &r.code, &r.level, &r.vul, &r.unsafe, &r.malicious)
		f(r)
		return err
	})
}

// loadImages fills the project's columns if they are not there. Others who ask
// meanwhile wait without a connection; a load goes on when its caller leaves.
func (db *DB) loadImages(ctx context.Context, ix *imageIndex, projectID string) error {
	if ix.loaded() {
		return nil
	}
	select {
	case ix.loading <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-ix.loading }()
	if ix.loaded() {
		return nil
	}
	cols := (*columns)(nil)
	var rev int64
	rows := 0
	err := db.View(context.WithoutCancel(ctx), func(tx *DB) (err error) {
		ctx := context.WithoutCancel(ctx)
		err = tx.queryRow(ctx, `SELECT p.image_rev, (SELECT count(*) FROM image i WHERE i.project_id = p.id) FROM project p WHERE p.id = ?`, projectID).Scan(&rev, &rows)
		if errors.Is(err, sql.ErrNoRows) { // no such project: no images
			err = nil
		}
		if err != nil || rows > maxIndexedRows {
			return err
		}
		cols = newColumns(slack(rows))
		if err := tx.eachImageFacts(ctx, cols.load, loadQuery, projectID); err != nil {
			return err
		}
		cols.finish()
		return nil
	})
	if err != nil {
		return err
	}
	ix.refresh.Lock()
	ix.mu.Lock()
	ix.cols, ix.rev, ix.huge = cols, rev, rows > maxIndexedRows
	ix.mu.Unlock()
	ix.refresh.Unlock()
	if cols != nil {
		db.index.keep(ix, rows)
	}
	return nil
}

func (ix *imageIndex) loaded() bool {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.cols != nil || ix.huge
}

func (ix *imageIndex) tooLarge() bool {
	ix.mu.RLock()
	defer ix.mu.RUnlock()
	return ix.huge
}

// WarmImages loads the columns of the projects with the most images, as many as
// there is room for, so that the first list of each is as fast as the next.
func (db *DB) WarmImages(ctx context.Context) error {
	type project struct {
		id   string
		rows int
	}
	var all []project
	rows, err := db.query(ctx, `SELECT project_id, count(*) FROM image GROUP BY project_id ORDER BY 2 DESC, 1`)
	err = each(rows, err, func(scan func(...any) error) error {
		var p project
		err := scan(&p.id, &p.rows)
		all = append(all, p)
		return err
	})
	room := maxIndexedRows
	for _, p := range all {
		if room -= p.rows; room < 0 {
			room += p.rows
			continue
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = db.loadImages(ctx, db.index.of(p.id), p.id)
		}
	}
	return wrap(err, "store.WarmImages")
}
