package store

import (
	"context"
	"fmt"
	"strings"

	"breakwater"
)

const taskColumns = `id, project_id, name, type, scope, rate_limit, is_all, state, total, success, failed, risky, fail_reason, begin_ms, end_ms`

func scanScanTask(scan func(...any) error) (t breakwater.ScanTask, err error) {
	var begin, end int64
	err = scan(&t.ID, &t.ProjectID, &t.Name, &t.Type, &t.Scope, &t.RateLimit, &t.All, &t.State, &t.Total, &t.Success, &t.Failed,
		&t.Risky, &t.FailReason, &begin, &end)
	t.Begin, t.End = fromMS(begin), fromMS(end)
	return t, err
}

// PutScanTask adds a task over the project's images with these ids; ids of
// images that are gone or not scannable are left out. It answers how many there are.
func (db *DB) PutScanTask(ctx context.Context, t breakwater.ScanTask, ids []int64) (total int, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		_, err := tx.exec(ctx, `INSERT INTO scan_task (`+taskColumns+`) VALUES (`+marks(15)+`)`, t.ID, t.ProjectID, t.Name, t.Type, t.Scope,
			t.RateLimit, t.All, breakwater.TaskRunning, 0, 0, 0, 0, "", ms(tx.Now()), 0)
		if err != nil {
			return err
		}
		for part := range chunks(ids, 500) {
			n, err := tx.affected(ctx, `INSERT INTO scan_task_image (task_id, image_id, project_id, digest, state, registry_id, namespace, name, version)
				SELECT ?, id, project_id, digest, 'queued', registry_id, namespace, name, version FROM image
				WHERE project_id = ? AND scannable AND id IN (`+marks(len(part))+`)`, append([]any{t.ID, t.ProjectID}, anys(part)...)...)
			if err != nil {
				return err
			}
			total += int(n)
		}
		_, err = tx.exec(ctx, `UPDATE scan_task SET total = ? WHERE id = ?`, total, t.ID)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store.PutScanTask(%s): %w", t.ID, err)
	}
	return total, nil
}

// chunks yields in in parts of at most n.
func chunks[T any](in []T, n int) func(func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(in) > 0 {
			part := in[:min(n, len(in))]
			in = in[len(part):]
			if !yield(part) {
				return
			}
		}
	}
}

// ScanTask is one task of a project; an empty project finds any (for workers).
func (db *DB) ScanTask(ctx context.Context, projectID, id string) (breakwater.ScanTask, error) {
	t, err := scanScanTask(db.queryRow(ctx, `SELECT `+taskColumns+` FROM scan_task WHERE id = ? AND (project_id = ? OR ? = '')`, id, projectID, projectID).Scan)
	return t, notFound(err, "task")
}

// TaskImage is one image of a scan task, named as it was when the task began.
type TaskImage struct {
	ImageID      int64
	Digest       breakwater.Digest
	RegistryID   string
	RegistryName string
	RegistryType breakwater.RegistryType
	Namespace    string
	Name         string
	Version      string
	Code         breakwater.ScanCode
}

// QueuedTaskImages is the next images of a task that have not been sent to the
// scanners, with the digest they have now; an empty digest says that the image is gone.
func (db *DB) QueuedTaskImages(ctx context.Context, taskID string, limit int) ([]TaskImage, error) {
	return db.taskImages(ctx, `SELECT t.image_id, COALESCE(i.digest, ''), t.registry_id, t.namespace, t.name, t.version, t.code, COALESCE(r.name, ''), COALESCE(r.type, '')
		FROM scan_task_image t LEFT JOIN image i ON i.id = t.image_id LEFT JOIN registry r ON r.id = t.registry_id
		WHERE t.task_id = ? AND t.state = 'queued' ORDER BY t.image_id LIMIT ?`, taskID, limit)
}

// QueuedTasks is the running tasks of all projects that have images to send.
func (db *DB) QueuedTasks(ctx context.Context) (ids []string, err error) {
	rows, err := db.query(ctx, `SELECT t.id FROM scan_task t WHERE t.state = 'running'
		AND EXISTS (SELECT 1 FROM scan_task_image q WHERE q.task_id = t.id AND q.state = 'queued') ORDER BY t.begin_ms, t.id`)
	err = each(rows, err, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// FailedTaskImages is the images of a task that could not be scanned.
func (db *DB) FailedTaskImages(ctx context.Context, taskID string, limit int) ([]TaskImage, error) {
	return db.taskImages(ctx, `SELECT t.image_id, t.digest, t.registry_id, t.namespace, t.name, t.version, t.code, COALESCE(r.name, ''), COALESCE(r.type, '')
		FROM scan_task_image t LEFT JOIN registry r ON r.id = t.registry_id
		WHERE t.task_id = ? AND t.state = 'failed' ORDER BY t.image_id LIMIT ?`, taskID, limit)
}

func (db *DB) taskImages(ctx context.Context, query string, args ...any) (out []TaskImage, err error) {
	rows, err := db.query(ctx, query, args...)
	err = each(rows, err, func(scan func(...any) error) error {
		var i TaskImage
		err := scan(&i.ImageID, &i.Digest, &i.RegistryID, &i.Namespace, &i.Name, &i.Version, &i.Code, &i.RegistryName, &i.RegistryType)
		out = append(out, i)
		return err
	})
	return out, err
}

// SendTaskImage marks an image of a task as sent to the scanners under this digest.
func (db *DB) SendTaskImage(ctx context.Context, taskID string, imageID int64, digest breakwater.Digest) error {
	_, err := db.exec(ctx, `UPDATE scan_task_image SET state = 'sent', digest = ? WHERE task_id = ? AND image_id = ? AND state = 'queued'`, digest, taskID, imageID)
	return err
}

// FailTaskImage ends an image of a task that cannot be sent.
func (db *DB) FailTaskImage(ctx context.Context, taskID string, imageID int64, code breakwater.ScanCode) error {
	return db.closeTaskRows(ctx, `UPDATE scan_task_image SET state = 'failed', code = ? WHERE task_id = ? AND image_id = ? AND state IN ('queued', 'sent')
		RETURNING task_id, state, FALSE`, code, taskID, imageID)
}

// CloseTaskImages ends the sent images of the project's tasks whose scan of one
// of these digests has ended, and the tasks whose last image that was.
func (db *DB) CloseTaskImages(ctx context.Context, projectID string, digests []breakwater.Digest) error {
	for part := range chunks(digests, 200) {
		err := db.closeTaskRows(ctx, `UPDATE scan_task_image SET
			state = (SELECT CASE WHEN i.scan_status = 'failed' THEN 'failed' ELSE 'success' END FROM image i WHERE i.id = scan_task_image.image_id),
			code = (SELECT i.scan_code FROM image i WHERE i.id = scan_task_image.image_id)
			WHERE project_id = ? AND state = 'sent' AND digest IN (`+marks(len(part))+`)
			AND EXISTS (SELECT 1 FROM image i WHERE i.id = scan_task_image.image_id AND i.scan_status IN ('success', 'failed'))
			RETURNING task_id, state, (SELECT i.level IN ('High', 'Medium', 'Low') FROM image i WHERE i.id = scan_task_image.image_id)`,
			append([]any{projectID}, anys(part)...)...)
		if err != nil {
			return err
		}
	}
	return nil
}

// SweepTaskImages ends sent images that nothing will end any more: the image
// is gone, moved on, or no longer waiting.
func (db *DB) SweepTaskImages(ctx context.Context) error {
	return db.closeTaskRows(ctx, `UPDATE scan_task_image SET
		state = CASE WHEN EXISTS (SELECT 1 FROM image i WHERE i.id = scan_task_image.image_id AND i.scan_status = 'success') THEN 'success' ELSE 'failed' END,
		code = COALESCE((SELECT i.scan_code FROM image i WHERE i.id = scan_task_image.image_id), 'get_detail_info_not_found')
		WHERE state = 'sent' AND NOT EXISTS (SELECT 1 FROM image i WHERE i.id = scan_task_image.image_id AND i.scan_status IN ('waiting_for_scan', 'scanning'))
		RETURNING task_id, state, FALSE`)
}

type taskGain struct{ success, failed, risky int }

// closeTaskRows runs an UPDATE … RETURNING task_id, state, risky and adds what
// it closed to the tasks' counters.
func (db *DB) closeTaskRows(ctx context.Context, query string, args ...any) error {
	return db.Tx(ctx, func(tx *DB) error {
		gains := map[string]*taskGain{}
		rows, err := tx.query(ctx, query, args...)
		err = each(rows, err, func(scan func(...any) error) error {
			var id, state string
			var risky bool
			if err := scan(&id, &state, &risky); err != nil {
				return err
			}
			g := gains[id]
			if g == nil {
				g = &taskGain{}
				gains[id] = g
			}
			switch {
			case state == "failed":
				g.failed++
			case risky:
				g.risky++
				fallthrough
			default:
				g.success++
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store.CloseTaskImages: %w", err)
		}
		for id, g := range gains {
			if err := tx.addToTask(ctx, id, *g); err != nil {
				return fmt.Errorf("store.CloseTaskImages(%s): %w", id, err)
			}
		}
		return nil
	})
}

func (db *DB) addToTask(ctx context.Context, id string, g taskGain) error {
	_, err := db.exec(ctx, `UPDATE scan_task SET success = success + ?, failed = failed + ?, risky = risky + ? WHERE id = ?`, g.success, g.failed, g.risky, id)
	if err != nil {
		return err
	}
	return db.EndScanTask(ctx, id)
}

// EndScanTask ends a running task all of whose images have ended.
func (db *DB) EndScanTask(ctx context.Context, id string) error {
	_, err := db.exec(ctx, `UPDATE scan_task SET state = ?, end_ms = ? WHERE id = ? AND state = ? AND success + failed >= total`,
		breakwater.TaskFinished, ms(db.Now()), id, breakwater.TaskRunning)
	return err
}

// StopScanTask stops a running task and answers the images it will not scan
// any more. Conflict when it has ended already.
func (db *DB) StopScanTask(ctx context.Context, projectID, id string) (images []int64, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		if _, err := tx.ScanTask(ctx, projectID, id); err != nil {
			return err
		}
		n, err := tx.affected(ctx, `UPDATE scan_task SET state = ?, end_ms = ? WHERE id = ? AND project_id = ? AND state = ?`,
			breakwater.TaskStopped, ms(tx.Now()), id, projectID, breakwater.TaskRunning)
		if err != nil {
			return err
		}
		if n == 0 {
			return breakwater.Errorf(breakwater.KindConflict, "the task has ended already")
		}
		// An image that another open task waits for goes on waiting.
		rows, err := tx.query(ctx, `UPDATE scan_task_image SET state = 'stopped' WHERE task_id = ? AND state IN ('queued', 'sent')
			RETURNING image_id, (SELECT count(*) FROM scan_task_image o WHERE o.image_id = scan_task_image.image_id AND o.task_id <> scan_task_image.task_id
				AND o.state IN ('queued', 'sent'))`, id)
		return each(rows, err, func(scan func(...any) error) error {
			var image, others int64
			err := scan(&image, &others)
			if others == 0 {
				images = append(images, image)
			}
			return err
		})
	})
	return images, err
}

// TaskFilter narrows ScanTasks and SyncTasks; zero fields do not.
type TaskFilter struct {
	ID       string
	Name     string
	Type     string
	Scope    *breakwater.Scope
	From, To int64 // ms, on the beginning
	Running  *bool
	Offset   int
	Limit    int
}

func (f TaskFilter) where(projectID string) (string, []any) {
	where, args := []string{`project_id = ?`}, []any{projectID}
	add := func(on bool, clause string, arg any) {
		if on {
			where, args = append(where, clause), append(args, arg)
		}
	}
	add(f.ID != "", `id = ?`, f.ID)
	add(f.Name != "", `name = ?`, f.Name)
	add(f.Type != "", `type = ?`, f.Type)
	add(f.From > 0, `begin_ms >= ?`, f.From)
	add(f.To > 0, `begin_ms <= ?`, f.To)
	if f.Scope != nil {
		add(true, `scope = ?`, *f.Scope)
	}
	if f.Running != nil {
		add(*f.Running, `state = ?`, breakwater.TaskRunning)
		add(!*f.Running, `state <> ?`, breakwater.TaskRunning)
	}
	return strings.Join(where, ` AND `), args
}

// ScanTasks is a page of a project's scan tasks, newest first, and how many there are.
func (db *DB) ScanTasks(ctx context.Context, projectID string, f TaskFilter) (page []breakwater.ScanTask, total int, err error) {
	where, args := f.where(projectID)
	if err := db.queryRow(ctx, `SELECT count(*) FROM scan_task WHERE `+where, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("store.ScanTasks: %w", err)
	}
	rows, err := db.query(ctx, `SELECT `+taskColumns+` FROM scan_task WHERE `+where+` ORDER BY begin_ms DESC, id LIMIT ? OFFSET ?`, append(args, f.Limit, f.Offset)...)
	err = each(rows, err, func(scan func(...any) error) error {
		t, err := scanScanTask(scan)
		page = append(page, t)
		return err
	})
	return page, total, err
}
