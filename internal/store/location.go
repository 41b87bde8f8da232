package store

import (
	"context"
	"fmt"

	"breakwater"
)

// Location is a repository of a project in which an artifact can be read.
type Location struct {
	RegistryID string
	Type       breakwater.RegistryType
	Namespace  string
	Name       string
	Wanted     bool // an image there waits for a scan, or is being scanned
}

// Locations is where a project can read an artifact, by itself or as the child
// of an index: the embedded registry first, then where a scan is wanted. At most 20.
func (db *DB) Locations(ctx context.Context, projectID string, d breakwater.Digest) (out []Location, err error) {
	rows, err := db.query(ctx, `SELECT i.registry_id, r.type, i.namespace, i.name,
		max(CASE WHEN i.scan_status IN ('waiting_for_scan', 'scanning') THEN 1 ELSE 0 END) AS wanted
		FROM image i JOIN registry r ON r.id = i.registry_id
		WHERE i.project_id = ? AND i.digest IN (SELECT CAST(? AS TEXT) UNION SELECT a.digest FROM artifact_child c JOIN artifact a ON a.id = c.parent_id WHERE c.digest = ?)
		GROUP BY i.registry_id, r.type, i.namespace, i.name
		ORDER BY CASE WHEN r.type = 'SwrPrivate' THEN 0 ELSE 1 END, 5 DESC, i.registry_id, i.namespace, i.name LIMIT 20`, projectID, d, d)
	err = each(rows, err, func(scan func(...any) error) error {
		var l Location
		var wanted int
		err := scan(&l.RegistryID, &l.Type, &l.Namespace, &l.Name, &wanted)
		l.Wanted = wanted > 0
		out = append(out, l)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store.Locations(%s): %w", d, err)
	}
	return out, nil
}

// Parents is the indexes that list an artifact.
func (db *DB) Parents(ctx context.Context, d breakwater.Digest) (out []breakwater.Digest, err error) {
	rows, err := db.query(ctx, `SELECT DISTINCT a.digest FROM artifact_child c JOIN artifact a ON a.id = c.parent_id WHERE c.digest = ? ORDER BY 1`, d)
	err = each(rows, err, func(scan func(...any) error) error {
		var p breakwater.Digest
		err := scan(&p)
		out = append(out, p)
		return err
	})
	return out, err
}

// ProjectDigest is a manifest that a project waits for.
type ProjectDigest struct {
	ProjectID string
	Digest    breakwater.Digest
}

// WaitingDigests is the image manifests behind every image that waits for a
// scan or is being scanned, without those whose turn in a task has not come
// (QueuedTasks); at most 10,000.
func (db *DB) WaitingDigests(ctx context.Context) (out []ProjectDigest, err error) {
	rows, err := db.query(ctx, `SELECT DISTINCT i.project_id, COALESCE(c.digest, i.digest) FROM image i
		LEFT JOIN artifact a ON a.digest = i.digest LEFT JOIN artifact_child c ON c.parent_id = a.id AND c.image
		WHERE i.scan_status IN ('waiting_for_scan', 'scanning') AND (c.digest IS NOT NULL OR NOT i.multi_arch)
			AND NOT EXISTS (SELECT 1 FROM scan_task t JOIN scan_task_image q ON q.task_id = t.id
				WHERE t.project_id = i.project_id AND t.state = 'running' AND q.image_id = i.id AND q.state = 'queued') LIMIT 10000`)
	err = each(rows, err, func(scan func(...any) error) error {
		var p ProjectDigest
		err := scan(&p.ProjectID, &p.Digest)
		out = append(out, p)
		return err
	})
	return out, err
}
