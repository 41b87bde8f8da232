package store

import (
	"context"

	"breakwater"
)

// AdvisoriesNamed is the visible, not withdrawn advisories that have this id or
// alias, by id, with their aliases and without what they affect; none when
// nothing has it. An id in several feeds is there once for each.
func (db *DB) AdvisoriesNamed(ctx context.Context, id string) (out []breakwater.Advisory, err error) {
	if !storable(id) {
		return nil, nil
	}
	err = db.View(ctx, func(tx *DB) error {
		var rowIDs []int64
		position := map[int64]int{}
		rows, err := tx.query(ctx, `SELECT a.id, a.osv_id, a.published_ms, a.modified_ms, a.summary, a.url, a.score, a.severity
			FROM advisory a JOIN feed f ON f.name = a.feed
			WHERE a.since <= f.generation AND (a.until = 0 OR a.until > f.generation) AND a.withdrawn_ms = 0
			AND a.id IN (SELECT o.id FROM advisory o WHERE o.osv_id = ? UNION SELECT l.advisory_id FROM advisory_alias l WHERE l.alias = ?)
			ORDER BY a.osv_id, a.feed`, id, id)
		err = each(rows, err, func(scan func(...any) error) error {
			var a breakwater.Advisory
			var row, published, modified int64
			err := scan(&row, &a.ID, &published, &modified, &a.Summary, &a.URL, &a.Score, &a.Severity)
			a.Published, a.Modified = fromMS(published), fromMS(modified)
			position[row] = len(out)
			rowIDs, out = append(rowIDs, row), append(out, a)
			return err
		})
		if err != nil || len(rowIDs) == 0 {
			return err
		}
		rows, err = tx.query(ctx, `SELECT advisory_id, alias FROM advisory_alias WHERE advisory_id IN `+tx.idSet()+` ORDER BY advisory_id, alias`, jsonSet(rowIDs))
		return each(rows, err, func(scan func(...any) error) error {
			var row int64
			var alias string
			err := scan(&row, &alias)
			a := &out[position[row]]
			a.Aliases = append(a.Aliases, alias)
			return err
		})
	})
	return out, wrap(err, "store.AdvisoriesNamed")
}
