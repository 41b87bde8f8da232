package catalog

import (
	"context"
	"fmt"
	"time"

	"breakwater"
	"breakwater/internal/job"
	"breakwater/internal/store"
)

// dispatchBatch is how many images Dispatch sends in one transaction.
const dispatchBatch = 200

// StartScan writes a scan task over these images of one project, marks them
// waiting and enqueues its dispatch. Ids that are gone or cannot be scanned are
// left out; KindInvalid when nothing is left.
func (c *Catalog) StartScan(ctx context.Context, t breakwater.ScanTask, ids []int64) (breakwater.ScanTask, error) {
	t.ID = breakwater.NewID(breakwater.PrefixScanTask)
	t.State = breakwater.TaskRunning
	err := c.db.Tx(ctx, func(tx *store.DB) (err error) {
		t.Begin = tx.Now()
		if t.Name == "" {
			t.Name = "scan-" + t.Begin.Format("20060102-150405")
		}
		if t.Total, err = tx.PutScanTask(ctx, t, ids); err != nil {
			return err
		}
		if t.Total == 0 {
			return breakwater.Errorf(breakwater.KindInvalid, "the request selects no image that can be scanned")
		}
		if err := tx.MarkImages(ctx, t.ProjectID, ids, breakwater.ScanWaiting); err != nil {
			return err
		}
		return c.queue.Enqueue(ctx, tx, job.Dispatch{TaskID: t.ID})
	})
	if err != nil {
		return t, fmt.Errorf("catalog.StartScan: %w", err)
	}
	return t, nil
}

// StopScan stops a task: what is being scanned ends, what waits goes back to
// what it was before.
func (c *Catalog) StopScan(ctx context.Context, projectID, taskID string) error {
	return c.db.Tx(ctx, func(tx *store.DB) error {
		ids, err := tx.StopScanTask(ctx, projectID, taskID)
		if err != nil {
			return err
		}
		return tx.MarkImages(ctx, projectID, ids, breakwater.ScanNone)
	})
}

// Dispatch sends the next images of a task to the scanners. more is true while
// images are left; the caller comes back after wait, which keeps the task's
// rate (images an hour).
func (c *Catalog) Dispatch(ctx context.Context, taskID string) (more bool, wait time.Duration, err error) {
	err = c.db.Tx(ctx, func(tx *store.DB) error {
		t, err := tx.ScanTask(ctx, "", taskID)
		if breakwater.IsNotFound(err) || (err == nil && t.State != breakwater.TaskRunning) {
			more = false
			return job.Complete(ctx, tx)
		}
		if err != nil {
			return err
		}
		batch := dispatchBatch
		if t.RateLimit > 0 {
			batch = min(batch, max(1, t.RateLimit/60))
			wait = time.Duration(batch) * time.Hour / time.Duration(t.RateLimit)
		}
		images, err := tx.QueuedTaskImages(ctx, taskID, batch)
		if err != nil {
			return err
		}
		for _, i := range images {
			if err := c.send(ctx, tx, t, i); err != nil {
				return err
			}
		}
		if more = len(images) == batch; more {
			return nil
		}
		if err := tx.EndScanTask(ctx, taskID); err != nil {
			return err
		}
		return job.Complete(ctx, tx)
	})
	if err != nil {
		return false, 0, fmt.Errorf("catalog.Dispatch(%s): %w", taskID, err)
	}
	return more, wait, nil
}

func (c *Catalog) send(ctx context.Context, tx *store.DB, t breakwater.ScanTask, i store.TaskImage) error {
	if i.Digest == "" {
		return tx.FailTaskImage(ctx, t.ID, i.ImageID, breakwater.CodeNotFound)
	}
	a, err := tx.Artifact(ctx, i.Digest)
	if err != nil {
		return err
	}
	if err := tx.SendTaskImage(ctx, t.ID, i.ImageID, i.Digest); err != nil {
		return err
	}
	return c.enqueueScans(ctx, tx, t.ProjectID, a, t.Scope, t.Type == breakwater.TaskCycle)
}
