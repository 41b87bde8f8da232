package store

import (
	"context"
	"fmt"
	"strings"

	"breakwater"
)

// PutSyncTask adds a task over these registries, all running.
func (db *DB) PutSyncTask(ctx context.Context, t breakwater.SyncTask, registries []breakwater.Registry) error {
	return db.Tx(ctx, func(tx *DB) error {
		_, err := tx.exec(ctx, `INSERT INTO sync_task (id, project_id, name, type, state, begin_ms) VALUES (?, ?, ?, ?, ?, ?)`,
			t.ID, t.ProjectID, t.Name, t.Type, breakwater.TaskRunning, ms(tx.Now()))
		if err != nil {
			return fmt.Errorf("store.PutSyncTask(%s): %w", t.ID, err)
		}
		for _, r := range registries {
			_, err := tx.exec(ctx, `INSERT INTO sync_task_registry (task_id, registry_id, registry_name, registry_type, project_id, status) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (task_id, registry_id) DO NOTHING`, t.ID, r.ID, r.Name, r.Type, r.ProjectID, breakwater.SyncRunning)
			if err != nil {
				return fmt.Errorf("store.PutSyncTask(%s): %w", t.ID, err)
			}
		}
		return tx.endSyncTasks(ctx, t.ID)
	})
}

// CloseSync ends the registry's part of every task that waits for it.
func (db *DB) CloseSync(ctx context.Context, registryID string, status breakwater.SyncStatus, reason string) error {
	return db.Tx(ctx, func(tx *DB) error {
		var tasks []string
		rows, err := tx.query(ctx, `UPDATE sync_task_registry SET status = ?, failed_reason = ? WHERE registry_id = ? AND status = ? RETURNING task_id`,
			status, reason, registryID, breakwater.SyncRunning)
		err = each(rows, err, func(scan func(...any) error) error {
			var id string
			err := scan(&id)
			tasks = append(tasks, id)
			return err
		})
		if err != nil {
			return fmt.Errorf("store.CloseSync(%s): %w", registryID, err)
		}
		return tx.endSyncTasks(ctx, tasks...)
	})
}

// endSyncTasks ends those of the tasks whose registries have all ended: failed
// when every one failed.
func (db *DB) endSyncTasks(ctx context.Context, ids ...string) error {
	for _, id := range ids {
		_, err := db.exec(ctx, `UPDATE sync_task SET end_ms = ?,
			state = CASE WHEN EXISTS (SELECT 1 FROM sync_task_registry r WHERE r.task_id = sync_task.id)
				AND NOT EXISTS (SELECT 1 FROM sync_task_registry r WHERE r.task_id = sync_task.id AND r.status = 'finished') THEN 'failed' ELSE 'finished' END,
			fail_reason = COALESCE((SELECT min(r.failed_reason) FROM sync_task_registry r WHERE r.task_id = sync_task.id AND r.status = 'failed'), '')
			WHERE id = ? AND state = ? AND NOT EXISTS (SELECT 1 FROM sync_task_registry r WHERE r.task_id = sync_task.id AND r.status = 'running')`,
			ms(db.Now()), id, breakwater.TaskRunning)
		if err != nil {
			return fmt.Errorf("store.endSyncTasks(%s): %w", id, err)
		}
	}
	return nil
}

// SyncTasks is a page of a project's sync tasks, newest first, and how many there are.
func (db *DB) SyncTasks(ctx context.Context, projectID string, f TaskFilter) (page []breakwater.SyncTask, total int, err error) {
	where, args := f.where(projectID)
	if err := db.queryRow(ctx, `SELECT count(*) FROM sync_task WHERE `+where, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("store.SyncTasks: %w", err)
	}
	rows, err := db.query(ctx, `SELECT id, project_id, name, type, state, fail_reason, begin_ms, end_ms,
		(SELECT count(*) FROM sync_task_registry r WHERE r.task_id = sync_task.id),
		(SELECT count(*) FROM sync_task_registry r WHERE r.task_id = sync_task.id AND r.status = 'finished'),
		(SELECT count(*) FROM sync_task_registry r WHERE r.task_id = sync_task.id AND r.status = 'failed')
		FROM sync_task WHERE `+where+` ORDER BY begin_ms DESC, id LIMIT ? OFFSET ?`, append(args, f.Limit, f.Offset)...)
	err = each(rows, err, func(scan func(...any) error) error {
		var t breakwater.SyncTask
		var begin, end int64
		err := scan(&t.ID, &t.ProjectID, &t.Name, &t.Type, &t.State, &t.FailReason, &begin, &end, &t.Total, &t.Success, &t.Failed)
		t.Begin, t.End = fromMS(begin), fromMS(end)
		page = append(page, t)
		return err
	})
	return page, total, err
}

// SyncRegistry is one registry of a sync task, named as it was when the task began.
type SyncRegistry struct {
	RegistryID   string
	RegistryName string
	RegistryType breakwater.RegistryType
	Status       breakwater.SyncStatus
	FailedReason string
}

// SyncRegistryFilter narrows SyncRegistries; zero fields do not.
type SyncRegistryFilter struct {
	Name   string
	Types  []breakwater.RegistryType
	Status breakwater.SyncStatus
	Offset int
	Limit  int
}

// SyncRegistries is a page of the registries of a task of the project.
func (db *DB) SyncRegistries(ctx context.Context, projectID, taskID string, f SyncRegistryFilter) (page []SyncRegistry, total int, err error) {
	var found int
	err = db.queryRow(ctx, `SELECT count(*) FROM sync_task WHERE project_id = ? AND id = ?`, projectID, taskID).Scan(&found)
	if err != nil {
		return nil, 0, fmt.Errorf("store.SyncRegistries: %w", err)
	}
	if found == 0 {
		return nil, 0, breakwater.NotFound("task")
	}
	where, args := []string{`project_id = ?`, `task_id = ?`}, []any{projectID, taskID}
	if f.Name != "" {
		where, args = append(where, `registry_name = ?`), append(args, f.Name)
	}
	if len(f.Types) > 0 {
		where, args = append(where, `registry_type IN (`+marks(len(f.Types))+`)`), append(args, anys(f.Types)...)
	}
	if f.Status != "" {
		where, args = append(where, `status = ?`), append(args, f.Status)
	}
	from := ` FROM sync_task_registry WHERE ` + strings.Join(where, ` AND `)
	if err := db.queryRow(ctx, `SELECT count(*)`+from, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("store.SyncRegistries: %w", err)
	}
	rows, err := db.query(ctx, `SELECT registry_id, registry_name, registry_type, status, failed_reason`+from+` ORDER BY registry_name, registry_id LIMIT ? OFFSET ?`,
		append(args, f.Limit, f.Offset)...)
	err = each(rows, err, func(scan func(...any) error) error {
		var r SyncRegistry
		err := scan(&r.RegistryID, &r.RegistryName, &r.RegistryType, &r.Status, &r.FailedReason)
		page = append(page, r)
		return err
	})
	return page, total, err
}

// OpenSync reports whether the project has a running task of this type.
func (db *DB) OpenSync(ctx context.Context, projectID, kind string) (bool, error) {
	var n int
	err := db.queryRow(ctx, `SELECT count(*) FROM sync_task WHERE project_id = ? AND type = ? AND state = ?`, projectID, kind, breakwater.TaskRunning).Scan(&n)
	return n > 0, err
}
