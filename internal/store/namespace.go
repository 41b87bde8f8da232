package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"breakwater"
)

const namespaceColumns = `id, project_id, name, creator_id, creator_name, created_ms`

func scanNamespace(scan func(...any) error) (n breakwater.Namespace, err error) {
	var created int64
	err = scan(&n.ID, &n.ProjectID, &n.Name, &n.CreatorID, &n.CreatorName, &created)
	n.Created = fromMS(created)
	return n, err
}

// Namespace is one of the project's; another project's is NotFound.
func (db *DB) Namespace(ctx context.Context, projectID, name string) (breakwater.Namespace, error) {
	n, err := scanNamespace(db.queryRow(ctx, `SELECT `+namespaceColumns+` FROM namespace WHERE project_id = ? AND name = ?`, projectID, name).Scan)
	return n, notFound(err, "namespace")
}

// Namespaces are all of the project's, by name.
func (db *DB) Namespaces(ctx context.Context, projectID string) (out []breakwater.Namespace, err error) {
	rows, err := db.query(ctx, `SELECT `+namespaceColumns+` FROM namespace WHERE project_id = ? ORDER BY name`, projectID)
	err = each(rows, err, func(scan func(...any) error) error {
		n, err := scanNamespace(scan)
		out = append(out, n)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store.Namespaces: %w", err)
	}
	return out, nil
}

// CreateNamespace takes a name. Names are unique in the installation: one that
// anybody holds is a Conflict, as with any address.
func (db *DB) CreateNamespace(ctx context.Context, n breakwater.Namespace) (breakwater.Namespace, error) {
	if err := breakwater.CheckNamespace(n.Name); err != nil {
		return breakwater.Namespace{}, err
	}
	n.Created = db.Now()
	err := db.writeRow(ctx, `INSERT INTO namespace (project_id, name, creator_id, creator_name, created_ms) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (name) DO NOTHING RETURNING id`,
		n.ProjectID, n.Name, n.CreatorID, n.CreatorName, ms(n.Created)).Scan(&n.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return breakwater.Namespace{}, breakwater.Errorf(breakwater.KindConflict, "the namespace name is taken")
	}
	if err != nil {
		return breakwater.Namespace{}, fmt.Errorf("store.CreateNamespace(%s): %w", n.Name, err)
	}
	return n, nil
}

// DeleteNamespace gives a name back. While it holds repositories it is a Conflict.
func (db *DB) DeleteNamespace(ctx context.Context, projectID, name string) error {
	return db.Tx(ctx, func(tx *DB) error {
		n, err := tx.affected(ctx, `DELETE FROM namespace WHERE project_id = ? AND name = ?
			AND NOT EXISTS (SELECT 1 FROM repo WHERE repo.namespace_id = namespace.id)`, projectID, name)
		if err != nil {
			return fmt.Errorf("store.DeleteNamespace(%s): %w", name, err)
		}
		if n > 0 {
			return nil
		}
		if _, err := tx.Namespace(ctx, projectID, name); err != nil {
			return err
		}
		return breakwater.Errorf(breakwater.KindConflict, "the namespace still holds repositories")
	})
}
