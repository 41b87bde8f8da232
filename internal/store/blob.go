package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"breakwater"
)

// A blob row says that the bytes are in the blob store; a repo_blob row that a
// repository may serve them. See package registry for how both are removed.

// LinkBlob lets a repository serve a blob whose bytes are in place. It takes
// the blob's row, so that no DropBlob of it runs until the transaction ends.
func (db *DB) LinkBlob(ctx context.Context, repositoryID int64, d breakwater.Digest, size int64) error {
	err := db.Tx(ctx, func(tx *DB) error {
		now := ms(tx.Now())
		_, err := tx.exec(ctx, `INSERT INTO blob (digest, size, created_ms) VALUES (?, ?, ?)
			ON CONFLICT (digest) DO UPDATE SET created_ms = excluded.created_ms`, string(d), size, now)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `INSERT INTO repo_blob (repo_id, digest, linked_ms) VALUES (?, ?, ?)
			ON CONFLICT (repo_id, digest) DO UPDATE SET linked_ms = excluded.linked_ms`, repositoryID, string(d), now)
		return err
	})
	if isForeign(err) {
		return breakwater.NotFound("repository") // deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("store.LinkBlob(%s): %w", d, err)
	}
	return nil
}

// LinkedBlob is the size of a blob that the repository may serve, and when it
// was last linked or touched.
func (db *DB) LinkedBlob(ctx context.Context, repositoryID int64, d breakwater.Digest) (size int64, linked time.Time, err error) {
	var at int64
	err = db.queryRow(ctx, `SELECT b.size, r.linked_ms FROM repo_blob r JOIN blob b ON b.digest = r.digest WHERE r.repo_id = ? AND r.digest = ?`,
		repositoryID, string(d)).Scan(&size, &at)
	return size, fromMS(at), notFound(err, "blob")
}

// PullableBlob is the size of a blob that some repository visible to the
// project serves.
func (db *DB) PullableBlob(ctx context.Context, projectID string, d breakwater.Digest) (size int64, err error) {
	err = db.queryRow(ctx, `SELECT b.size FROM repo_blob l JOIN repo r ON r.id = l.repo_id JOIN blob b ON b.digest = l.digest
		WHERE l.digest = ? AND (r.project_id = ? OR r.is_public) LIMIT 1`, string(d), projectID).Scan(&size)
	return size, notFound(err, "blob")
}

// TouchBlobs renews the links of the given blobs, which keeps UnlinkUnused from
// them, and answers how many there are. In a transaction the links then stay
// until it ends, whatever runs beside it.
func (db *DB) TouchBlobs(ctx context.Context, repositoryID int64, digests []breakwater.Digest) (linked int64, err error) {
	for chunk := range slices.Chunk(digests, listChunk) {
		n, err := db.affected(ctx, `UPDATE repo_blob SET linked_ms = ? WHERE repo_id = ? AND digest IN (`+marks(len(chunk))+`)`,
			append([]any{ms(db.Now()), repositoryID}, anys(chunk)...)...)
		if err != nil {
			return 0, fmt.Errorf("store.TouchBlobs: %w", err)
		}
		linked += n
	}
	return linked, nil
}

// unneeded is a link that no manifest of its repository needs.
//
// PostgreSQL looks at other tables as they were when a statement began, even if
// the statement then waited for somebody else's lock on the row. A link is
// therefore locked by one statement and judged by the next, which sees what the
// push that held it has written.
const unneeded = `NOT EXISTS (SELECT 1 FROM manifest_ref m WHERE m.repo_id = repo_blob.repo_id AND m.target = repo_blob.digest AND m.is_blob)`

// UnlinkBlob stops a repository from serving a blob: Conflict while one of its
// manifests names it.
func (db *DB) UnlinkBlob(ctx context.Context, repositoryID int64, d breakwater.Digest) error {
	return db.Tx(ctx, func(tx *DB) error {
		n, err := tx.affected(ctx, `UPDATE repo_blob SET linked_ms = linked_ms WHERE repo_id = ? AND digest = ?`, repositoryID, string(d))
		if err == nil && n == 0 {
			return breakwater.NotFound("blob")
		}
		if err == nil {
			n, err = tx.affected(ctx, `DELETE FROM repo_blob WHERE repo_id = ? AND digest = ? AND `+unneeded, repositoryID, string(d))
		}
		if err != nil {
			return fmt.Errorf("store.UnlinkBlob(%s): %w", d, err)
		}
		if n == 0 {
			return breakwater.Errorf(breakwater.KindConflict, "a manifest of the repository names the blob")
		}
		return nil
	})
}

// UnlinkUnused removes the links that no manifest of their repository needs and
// that nothing has renewed since before. It looks for them without holding
// anything, and then takes a few at a time.
func (db *DB) UnlinkUnused(ctx context.Context, before time.Time) (removed int64, err error) {
	var last link
	for {
		page, err := db.unusedLinks(ctx, before, last)
		if err != nil || len(page) == 0 {
			return removed, err
		}
		var n int64
		err = db.Tx(ctx, func(tx *DB) error {
			n, err = tx.unlink(ctx, page, before)
			return err
		})
		if err != nil {
			return removed, fmt.Errorf("store.UnlinkUnused: %w", err)
		}
		removed, last = removed+n, page[len(page)-1]
	}
}

type link struct {
	repositoryID int64
	digest       string
}

func (db *DB) unusedLinks(ctx context.Context, before time.Time, last link) (page []link, err error) {
	rows, err := db.query(ctx, `SELECT repo_id, digest FROM repo_blob WHERE linked_ms < ? AND (repo_id > ? OR (repo_id = ? AND digest > ?)) AND `+unneeded+
		` ORDER BY repo_id, digest LIMIT ?`, ms(before), last.repositoryID, last.repositoryID, last.digest, listChunk)
	err = each(rows, err, func(scan func(...any) error) error {
		var l link
		err := scan(&l.repositoryID, &l.digest)
		page = append(page, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store.UnlinkUnused: %w", err)
	}
	return page, nil
}

// unlink removes those of the links that are still unused.
func (db *DB) unlink(ctx context.Context, links []link, before time.Time) (removed int64, err error) {
	for _, l := range links {
		_, err := db.exec(ctx, `UPDATE repo_blob SET linked_ms = linked_ms WHERE repo_id = ? AND digest = ?`, l.repositoryID, l.digest)
		if err != nil {
			return 0, err
		}
		n, err := db.affected(ctx, `DELETE FROM repo_blob WHERE repo_id = ? AND digest = ? AND linked_ms < ? AND `+unneeded, l.repositoryID, l.digest, ms(before))
		if err != nil {
			return 0, err
		}
		removed += n
	}
	return removed, nil
}

// UnlinkedBlobs are blobs that no repository serves and that nothing has put in
// place since before, in order after last.
func (db *DB) UnlinkedBlobs(ctx context.Context, before time.Time, last breakwater.Digest, limit int) (out []breakwater.Digest, err error) {
	rows, err := db.query(ctx, `SELECT digest FROM blob WHERE created_ms < ? AND digest > ?
		AND NOT EXISTS (SELECT 1 FROM repo_blob r WHERE r.digest = blob.digest) ORDER BY digest LIMIT ?`, ms(before), string(last), limit)
	err = each(rows, err, func(scan func(...any) error) error {
		var d string
		err := scan(&d)
		out = append(out, breakwater.Digest(d))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store.UnlinkedBlobs: %w", err)
	}
	return out, nil
}

// DropBlob removes the row of a blob that is still unlinked and still older
// than before, and calls remove, which deletes its bytes, while it holds the
// row: a LinkBlob of the same digest waits until both are done. It answers
// false when the blob has come into use meanwhile.
func (db *DB) DropBlob(ctx context.Context, d breakwater.Digest, before time.Time, remove func() error) (dropped bool, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		dropped = false
		// Locked first and judged then, as links are.
		n, err := tx.affected(ctx, `UPDATE blob SET created_ms = created_ms WHERE digest = ?`, string(d))
		if err != nil || n == 0 {
			return err
		}
		n, err = tx.affected(ctx, `DELETE FROM blob WHERE digest = ? AND created_ms < ?
			AND NOT EXISTS (SELECT 1 FROM repo_blob r WHERE r.digest = blob.digest)`, string(d), ms(before))
		dropped = n > 0
		if err != nil || !dropped {
			return err
		}
		return remove()
	})
	if err != nil {
		return false, fmt.Errorf("store.DropBlob(%s): %w", d, err)
	}
	return dropped, nil
}

// AdoptBlob gives bytes that a crash left without a row one as of now, so that
// they are removed like any other blob that nothing comes to need.
func (db *DB) AdoptBlob(ctx context.Context, d breakwater.Digest, size int64) error {
	_, err := db.exec(ctx, `INSERT INTO blob (digest, size, created_ms) VALUES (?, ?, ?) ON CONFLICT (digest) DO NOTHING`, string(d), size, ms(db.Now()))
	if err != nil {
		return fmt.Errorf("store.AdoptBlob(%s): %w", d, err)
	}
	return nil
}

// KnownBlob reports whether the blob has a row.
func (db *DB) KnownBlob(ctx context.Context, d breakwater.Digest) (bool, error) {
	var one int
	err := db.queryRow(ctx, `SELECT 1 FROM blob WHERE digest = ?`, string(d)).Scan(&one)
	if err = notFound(err, "blob"); errors.Is(err, &breakwater.Error{Kind: breakwater.KindNotFound}) {
		return false, nil
	}
	return err == nil, err
}
