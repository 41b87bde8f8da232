package store

import (
	"context"
	"maps"
	"slices"
)

// tombstoneRevs is for how many revisions of a project the ids of deleted
// images are kept. An index that is further behind reads everything again.
const tombstoneRevs = 10_000

// raise gives the project its next image revision, once in a transaction, and
// holds the project's row until the end of it: revisions become visible in
// their order, and changes of a project's images are one after the other.
func (db *DB) raise(ctx context.Context, projectID string) (rev int64, err error) {
	if rev, ok := db.revs[projectID]; ok {
		return rev, nil
	}
	err = db.writeRow(ctx, `UPDATE project SET image_rev = image_rev + 1 WHERE id = ? RETURNING image_rev`, projectID).Scan(&rev)
	if err != nil {
		return 0, notFound(err, "project")
	}
	if db.revs == nil {
		db.revs = map[string]int64{}
	}
	db.revs[projectID] = rev
	return rev, nil
}

// raiseAll is raise for several projects, always in the same order, so that two
// transactions cannot wait for each other.
func (db *DB) raiseAll(ctx context.Context, projects map[string]bool) error {
	for _, p := range slices.Sorted(maps.Keys(projects)) {
		if _, err := db.raise(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// bury remembers that images are gone, and forgets the oldest of those memories.
func (db *DB) bury(ctx context.Context, projectID string, rev int64, ids []int64) error {
	_, err := db.exec(ctx, `INSERT INTO image_gone (project_id, rev, image_id)
		SELECT i.project_id, CAST(? AS BIGINT), i.id FROM image i WHERE i.project_id || '' = ? AND i.id `+db.inIDs(),
		rev, projectID, jsonSet(ids))
	if err != nil {
		return err
	}
	floor := rev - tombstoneRevs
	if floor <= 0 {
		return nil
	}
	n, err := db.affected(ctx, `DELETE FROM image_gone WHERE project_id = ? AND rev <= ?`, projectID, floor)
	if err != nil || n == 0 {
		return err
	}
	_, err = db.exec(ctx, `UPDATE project SET image_floor = ? WHERE id = ? AND image_floor < ?`, floor, projectID, floor)
	return err
}
