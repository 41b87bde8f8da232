package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"breakwater"
)

const repositoryColumns = `r.id, r.project_id, r.namespace_id, n.name, r.name, r.category, r.description, r.is_public,
	r.creator_id, r.creator_name, r.num_download, r.created_ms, r.updated_ms`

const repositoryTables = ` FROM repo r JOIN namespace n ON n.id = r.namespace_id `

func scanRepository(scan func(...any) error, more ...any) (r breakwater.Repository, err error) {
	var created, updated int64
	err = scan(append([]any{&r.ID, &r.ProjectID, &r.NamespaceID, &r.Namespace, &r.Name, &r.Category, &r.Description, &r.Public,
		&r.CreatorID, &r.CreatorName, &r.Downloads, &created, &updated}, more...)...)
	r.Created, r.Updated = fromMS(created), fromMS(updated)
	return r, err
}

// Repository is one of the project's; another project's is NotFound.
func (db *DB) Repository(ctx context.Context, projectID, namespace, name string) (breakwater.Repository, error) {
	r, err := scanRepository(db.queryRow(ctx, `SELECT `+repositoryColumns+repositoryTables+
		`WHERE n.name = ? AND r.name = ? AND r.project_id = ?`, namespace, name, projectID).Scan)
	return r, notFound(err, "repository")
}

// VisibleRepository is one that the project may pull from: its own, or
// anybody's public one. Nobody's project ("") sees the public ones.
func (db *DB) VisibleRepository(ctx context.Context, projectID, namespace, name string) (breakwater.Repository, error) {
	r, err := scanRepository(db.queryRow(ctx, `SELECT `+repositoryColumns+repositoryTables+
		`WHERE n.name = ? AND r.name = ? AND (r.project_id = ? OR r.is_public)`, namespace, name, projectID).Scan)
	return r, notFound(err, "repository")
}

// CreateRepository adds a repository to a namespace of its project: NotFound
// without that namespace, Conflict when the name is there already.
func (db *DB) CreateRepository(ctx context.Context, r breakwater.Repository) (breakwater.Repository, error) {
	if err := breakwater.CheckRepository(r.Name); err != nil {
		return breakwater.Repository{}, err
	}
	category, err := breakwater.ParseCategory(r.Category)
	if err != nil {
		return breakwater.Repository{}, err
	}
	err = db.Tx(ctx, func(tx *DB) error {
		n, err := tx.Namespace(ctx, r.ProjectID, r.Namespace)
		if err != nil {
			return err
		}
		r.NamespaceID, r.Category, r.Created, r.Updated = n.ID, category, tx.Now(), tx.Now()
		err = tx.writeRow(ctx, `INSERT INTO repo (project_id, namespace_id, name, category, description, is_public, creator_id, creator_name, created_ms, updated_ms)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (namespace_id, name) DO NOTHING RETURNING id`,
			r.ProjectID, n.ID, r.Name, r.Category, r.Description, r.Public, r.CreatorID, r.CreatorName, ms(r.Created), ms(r.Updated)).Scan(&r.ID)
		if errors.Is(err, sql.ErrNoRows) {
			return breakwater.Errorf(breakwater.KindConflict, "the repository exists already")
		}
		return err
	})
	if err != nil {
		return breakwater.Repository{}, fmt.Errorf("store.CreateRepository: %w", err)
	}
	return r, nil
}

// UpdateRepository sets what its owner decides: category, description and
// whether it is public.
func (db *DB) UpdateRepository(ctx context.Context, r breakwater.Repository) error {
	category, err := breakwater.ParseCategory(r.Category)
	if err != nil {
		return err
	}
	n, err := db.affected(ctx, `UPDATE repo SET category = ?, description = ?, is_public = ?, updated_ms = ? WHERE project_id = ? AND id = ?`,
		category, r.Description, r.Public, ms(db.Now()), r.ProjectID, r.ID)
	if err != nil {
		return fmt.Errorf("store.UpdateRepository: %w", err)
	}
	if n == 0 {
		return breakwater.NotFound("repository")
	}
	return nil
}

// DeleteRepository removes a repository with its tags, manifests and links to
// blobs, and answers the tags it had, so that the caller can forget their
// images in the same transaction.
func (db *DB) DeleteRepository(ctx context.Context, projectID, namespace, name string) (tags []string, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		tags = nil
		r, err := tx.Repository(ctx, projectID, namespace, name)
		if err != nil {
			return err
		}
		if tags, err = tx.TagNames(ctx, r.ID, "", -1); err != nil {
			return err
		}
		n, err := tx.affected(ctx, `DELETE FROM repo WHERE project_id = ? AND id = ?`, projectID, r.ID)
		if err == nil && n == 0 {
			err = breakwater.NotFound("repository")
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store.DeleteRepository: %w", err)
	}
	return tags, nil
}

// TouchRepository says that the repository's content has changed now.
func (db *DB) TouchRepository(ctx context.Context, repositoryID int64) error {
	_, err := db.exec(ctx, `UPDATE repo SET updated_ms = ? WHERE id = ?`, ms(db.Now()), repositoryID)
	if err != nil {
		return fmt.Errorf("store.TouchRepository: %w", err)
	}
	return nil
}

// AddDownloads adds to the download counters, by repository id. A repository
// that has gone meanwhile is passed over.
func (db *DB) AddDownloads(ctx context.Context, counts map[int64]int64) error {
	return db.Tx(ctx, func(tx *DB) error {
		for id, n := range counts {
			if _, err := tx.exec(ctx, `UPDATE repo SET num_download = num_download + ? WHERE id = ?`, n, id); err != nil {
				return fmt.Errorf("store.AddDownloads: %w", err)
			}
		}
		return nil
	})
}

// RepositoryNames are the paths of the project's repositories in order, after
// the path last ("" starts). Namespace and name are ordered one after the
// other, each by bytes.
func (db *DB) RepositoryNames(ctx context.Context, projectID, lastNamespace, lastName string, limit int) (out []string, err error) {
	rows, err := db.query(ctx, `SELECT n.name, r.name`+repositoryTables+`
		WHERE r.project_id = ? AND (n.name > ? OR (n.name = ? AND r.name > ?)) ORDER BY n.name, r.name LIMIT ?`,
		projectID, lastNamespace, lastNamespace, lastName, limit)
	err = each(rows, err, func(scan func(...any) error) error {
		var r breakwater.Repository
		err := scan(&r.Namespace, &r.Name)
		out = append(out, r.Path())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store.RepositoryNames: %w", err)
	}
	return out, nil
}
