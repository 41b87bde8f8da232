package store

import (
	"context"
	"fmt"
	"strings"

	"breakwater"
)

// PutTag lets a tag name a manifest that the repository holds. It is updated
// even when it named that manifest before: that is a push too.
func (db *DB) PutTag(ctx context.Context, repositoryID int64, name string, d breakwater.Digest) error {
	now := ms(db.Now())
	_, err := db.exec(ctx, `INSERT INTO tag (repo_id, name, digest, created_ms, updated_ms) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (repo_id, name) DO UPDATE SET digest = excluded.digest, updated_ms = excluded.updated_ms`,
		repositoryID, name, string(d), now, now)
	if err != nil {
		return fmt.Errorf("store.PutTag: %w", err)
	}
	return nil
}

// DeleteTag removes a tag; the manifest it named stays.
func (db *DB) DeleteTag(ctx context.Context, repositoryID int64, name string) error {
	return db.Tx(ctx, func(tx *DB) error {
		n, err := tx.affected(ctx, `DELETE FROM tag WHERE repo_id = ? AND name = ?`, repositoryID, name)
		if err != nil {
			return fmt.Errorf("store.DeleteTag: %w", err)
		}
		if n == 0 {
			return breakwater.NotFound("tag")
		}
		return tx.TouchRepository(ctx, repositoryID)
	})
}

// TagNames are the repository's tags in byte order after last ("" starts), at
// most limit (-1: all).
func (db *DB) TagNames(ctx context.Context, repositoryID int64, last string, limit int) (out []string, err error) {
	query, args := `SELECT name FROM tag WHERE repo_id = ? AND name > ? ORDER BY name`, []any{repositoryID, last}
	if limit >= 0 {
		query, args = query+` LIMIT ?`, append(args, limit)
	}
	rows, err := db.query(ctx, query, args...)
	err = each(rows, err, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		out = append(out, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store.TagNames: %w", err)
	}
	return out, nil
}

// TagFilter narrows and orders the tag list; zero fields do not narrow.
type TagFilter struct {
	Tag    string // anywhere in the name
	Asc    bool   // false: the newest first
	Limit  int    // 0: 100
	Offset int
}

const repositoryTagColumns = `t.id, t.repo_id, t.name, t.digest, t.created_ms, t.updated_ms, m.config_digest, m.media_type, m.size, m.is_index`

func scanRepositoryTag(scan func(...any) error) (t breakwater.RepositoryTag, err error) {
	var digest, config string
	var created, updated int64
	err = scan(&t.ID, &t.RepositoryID, &t.Name, &digest, &created, &updated, &config, &t.MediaType, &t.Size, &t.Index)
	t.Digest, t.ConfigDigest = breakwater.Digest(digest), breakwater.Digest(config)
	t.Created, t.Updated = fromMS(created), fromMS(updated)
	return t, err
}

const repositoryTagTables = ` FROM tag t JOIN manifest m ON m.repo_id = t.repo_id AND m.digest = t.digest `

// RepositoryTag is one tag and what it names.
func (db *DB) RepositoryTag(ctx context.Context, repositoryID int64, name string) (breakwater.RepositoryTag, error) {
	t, err := scanRepositoryTag(db.queryRow(ctx, `SELECT `+repositoryTagColumns+repositoryTagTables+`WHERE t.repo_id = ? AND t.name = ?`, repositoryID, name).Scan)
	return t, notFound(err, "tag")
}

// RepositoryTags is one page of the tags by time, and how many there are in all.
func (db *DB) RepositoryTags(ctx context.Context, repositoryID int64, f TagFilter) (page []breakwater.RepositoryTag, total int, err error) {
	where, args := `WHERE t.repo_id = ?`, []any{repositoryID}
	if f.Tag != "" {
		where, args = where+` AND LOWER(t.name) LIKE ? ESCAPE '\'`, append(args, containing(strings.ToLower(f.Tag)))
	}
	order := ` ORDER BY t.updated_ms DESC, t.id DESC`
	if f.Asc {
		order = ` ORDER BY t.updated_ms, t.id`
	}
	if f.Limit == 0 {
		f.Limit = 100
	}
	err = db.View(ctx, func(tx *DB) error {
		page = nil
		if err := tx.queryRow(ctx, `SELECT COUNT(*)`+repositoryTagTables+where, args...).Scan(&total); err != nil {
			return err
		}
		rows, err := tx.query(ctx, `SELECT `+repositoryTagColumns+repositoryTagTables+where+order+` LIMIT ? OFFSET ?`, append(args, f.Limit, f.Offset)...)
		return each(rows, err, func(scan func(...any) error) error {
			t, err := scanRepositoryTag(scan)
			page = append(page, t)
			return err
		})
	})
	if err != nil {
		return nil, 0, fmt.Errorf("store.RepositoryTags: %w", err)
	}
	return page, total, nil
}
