package store

import (
	"context"

	"breakwater"
)

// ImagesOfDigest is the ids of the project's images with this manifest digest,
// in order, at most limit; never nil.
func (db *DB) ImagesOfDigest(ctx context.Context, projectID string, d breakwater.Digest, limit int) ([]int64, error) {
	ids := []int64{}
	rows, err := db.query(ctx, `SELECT id FROM image WHERE digest = ? AND project_id = ? ORDER BY id LIMIT ?`, string(d), projectID, limit)
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, wrap(err, "store.ImagesOfDigest(%s)", d)
}
