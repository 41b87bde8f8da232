package store

import (
	"context"
	"time"

	"breakwater"
)

// MaxChanges is the largest page of changes, MaxTouched the number up to which
// the images that a change touches are counted.
const (
	MaxChanges = 1000
	MaxTouched = 1000
)

// ChangeFilter selects changes; the zero value selects the newest.
type ChangeFilter struct {
	Since  time.Time // zero: all that are kept
	ID     string    // an advisory's id or alias; empty: all
	Before int64     // the Change.ID that ended the page before; 0: from the newest
	Limit  int       // 1 to MaxChanges; 0: 50
}

// TouchedChange is a change with the number of images that hold its package
// version now: multi-arch images are counted once. More says that there are
// more than MaxTouched.
type TouchedChange struct {
	Change
	Images int
	More   bool
}

const changeColumns = `c.id, c.package_id, p.ecosystem, p.name, p.version, c.osv_id, c.cve, c.what, c.why, c.feed, c.generation, c.dated_ms, c.newest_ms,
	c.old_severity, c.new_severity, c.old_fixed, c.new_fixed, c.at_ms`

func scanChange(scan func(...any) error) (c Change, err error) {
	var dated, newest, at int64
	err = scan(&c.ID, &c.Package.ID, &c.Package.Ecosystem, &c.Package.Name, &c.Package.Version, &c.AdvisoryID, &c.CVE, &c.What, &c.Why, &c.Feed, &c.Generation,
		&dated, &newest, &c.OldSeverity, &c.NewSeverity, &c.OldFixed, &c.NewFixed, &at)
	c.Dated, c.Newest, c.At = fromMS(dated), fromMS(newest), fromMS(at)
	return c, err
}

// ImageChanges is what changed since then in the findings of the package
// versions that a digest holds, the newest first, at most limit (0: MaxChanges);
// for an index, that any of its platforms holds. A package that the image did
// not hold yet when the change came is among them. NotFound when the digest is
// not known. The caller has made sure that the project holds the digest.
func (db *DB) ImageChanges(ctx context.Context, digest breakwater.Digest, since time.Time, limit int) (out []Change, err error) {
	if limit <= 0 || limit > MaxChanges {
		limit = MaxChanges
	}
	err = db.View(ctx, func(tx *DB) error {
		a, err := tx.Artifact(ctx, digest)
		if err != nil {
			return err
		}
		digests := []breakwater.Digest{digest}
		for _, c := range a.Children {
			if c.Image {
				digests = append(digests, c.Digest)
			}
		}
		rows, err := tx.query(ctx, `SELECT `+changeColumns+` FROM verdict_change c JOIN package p ON p.id = c.package_id
			WHERE c.package_id IN (SELECT ap.package_id FROM artifact a JOIN artifact_package ap ON ap.artifact_id = a.id WHERE a.digest `+tx.inTexts()+`)
			AND c.at_ms >= ? ORDER BY c.id DESC LIMIT ?`, jsonSet(digests), ms(since), limit)
		return each(rows, err, func(scan func(...any) error) error {
			c, err := scanChange(scan)
			out = append(out, c)
			return err
		})
	})
	return out, wrap(err, "store.ImageChanges(%s)", digest)
}

// ProjectChanges is a page of the changes that touch images of a project, the
// newest first.
func (db *DB) ProjectChanges(ctx context.Context, projectID string, f ChangeFilter) ([]TouchedChange, error) {
	out, err := db.changes(ctx, projectID, f)
	return out, wrap(err, "store.ProjectChanges(%s)", projectID)
}

// Changes is ProjectChanges over all projects, for the operator: changes that
// touch no image any more are in it.
func (db *DB) Changes(ctx context.Context, f ChangeFilter) ([]TouchedChange, error) {
	out, err := db.changes(ctx, "", f)
	return out, wrap(err, "store.Changes")
}

func (db *DB) changes(ctx context.Context, projectID string, f ChangeFilter) (out []TouchedChange, err error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	f.Limit = min(f.Limit, MaxChanges)
	if !storable(f.ID) {
		return nil, nil
	}
	touched := map[int64]int{} // by package
	err = db.View(ctx, func(tx *DB) error {
		for len(out) < f.Limit {
			page, err := tx.changePage(ctx, f)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, c := range page {
				f.Before = c.ID
				n, ok := touched[c.Package.ID]
				if !ok {
					if n, err = tx.touchedImages(ctx, projectID, c.Package.ID); err != nil {
						return err
					}
					touched[c.Package.ID] = n
				}
				if (n > 0 || projectID == "") && len(out) < f.Limit {
					out = append(out, TouchedChange{Change: c, Images: min(n, MaxTouched), More: n > MaxTouched})
				}
			}
		}
		return nil
	})
	return out, err
}

func (db *DB) changePage(ctx context.Context, f ChangeFilter) (out []Change, err error) {
	where, args := `c.at_ms >= ?`, []any{ms(f.Since)}
	if f.Before > 0 {
		where, args = where+` AND c.id < ?`, append(args, f.Before)
	}
	if f.ID != "" {
		where += ` AND c.id IN (SELECT x.id FROM verdict_change x WHERE x.osv_id = ? UNION SELECT x.id FROM verdict_change x WHERE x.cve = ? AND x.cve <> ''
			UNION SELECT x.id FROM advisory_alias l JOIN advisory o ON o.id = l.advisory_id JOIN verdict_change x ON x.osv_id = o.osv_id WHERE l.alias = ?)`
		args = append(args, f.ID, f.ID, f.ID)
	}
	rows, err := db.query(ctx, `SELECT `+changeColumns+` FROM verdict_change c JOIN package p ON p.id = c.package_id
		WHERE `+where+` ORDER BY c.id DESC LIMIT ?`, append(args, f.Limit)...)
	return out, each(rows, err, func(scan func(...any) error) error {
		c, err := scanChange(scan)
		out = append(out, c)
		return err
	})
}

// touchedImages counts the images of a project, or of all, that hold a package
// version, up to one more than MaxTouched.
func (db *DB) touchedImages(ctx context.Context, projectID string, packageID int64) (n int, err error) {
	project, args := ``, []any{packageID, MaxTouched + 1, packageID, MaxTouched + 1}
	if projectID != "" {
		project, args = ` AND i.project_id = ?`, []any{packageID, projectID, MaxTouched + 1, packageID, projectID, MaxTouched + 1}
	}
	err = db.queryRow(ctx, `SELECT count(*) FROM (
		SELECT id FROM (SELECT i.id FROM artifact_package ap JOIN artifact a ON a.id = ap.artifact_id JOIN image i ON i.digest = a.digest
			WHERE ap.package_id = ?`+project+` LIMIT ?) AS whole
		UNION SELECT id FROM (SELECT DISTINCT i.id FROM artifact_package ap JOIN artifact a ON a.id = ap.artifact_id
			JOIN artifact_child c ON c.digest = a.digest AND c.image JOIN artifact pa ON pa.id = c.parent_id JOIN image i ON i.digest = pa.digest
			WHERE ap.package_id = ?`+project+` LIMIT ?) AS platforms) AS n`, args...).Scan(&n)
	return n, err
}

// changeBatch is how many changes one transaction deletes, maxChangeRows how
// many are kept whatever their age.
const (
	changeBatch   = 5000
	maxChangeRows = 5_000_000
)

// SweepChanges deletes the changes from before that time, and the oldest of
// those above five million, in small transactions.
func (db *DB) SweepChanges(ctx context.Context, before time.Time) error {
	for {
		n, err := db.affected(ctx, `DELETE FROM verdict_change WHERE id IN (SELECT c.id FROM verdict_change c
			WHERE c.at_ms < ? ORDER BY c.at_ms LIMIT ?)`, ms(before), changeBatch)
		if err == nil && n == 0 {
			n, err = db.affected(ctx, `DELETE FROM verdict_change WHERE id IN (SELECT c.id FROM verdict_change c
				WHERE c.id <= (SELECT max(m.id) FROM verdict_change m) - ? ORDER BY c.id LIMIT ?)`, maxChangeRows, changeBatch)
		}
		if err != nil || n == 0 {
			return wrap(err, "store.SweepChanges")
		}
	}
}
