package worker

import (
	"context"
	"errors"
	"time"

	"breakwater"
	"breakwater/internal/job"
	"breakwater/internal/store"
)

// housekeep does what is due. One chore that fails does not keep the others
// from being done.
func (w *Worker) housekeep(ctx context.Context, _ job.Housekeep, _ bool) error {
	errs := []error{w.syncDue(ctx), w.updateDue(ctx), w.findLost(ctx), w.Rejudge(ctx), w.db.SweepTaskImages(ctx),
		w.db.SweepChanges(ctx, w.db.Now().Add(-changesKept))}
	for _, chore := range w.opts.Chores {
		errs = append(errs, chore(ctx))
	}
	return errors.Join(errs...)
}

// changesKept is how long it is remembered what changed in findings.
const changesKept = 180 * 24 * time.Hour

// syncRetry is how long a registry that could not be synchronised is left alone.
const syncRetry = time.Hour

// syncDue starts the daily sync of the registries whose last one is old.
func (w *Worker) syncDue(ctx context.Context) error {
	now := w.db.Now()
	stale, err := w.db.StaleRegistries(ctx, now.Add(-w.opts.SyncEvery), now.Add(-min(w.opts.SyncEvery, syncRetry)))
	if err != nil {
		return err
	}
	byProject := map[string][]breakwater.Registry{}
	var projects []string
	for _, r := range stale {
		if r.Status == breakwater.RegistryAccessing {
			continue // its probe is under way
		}
		if byProject[r.ProjectID] == nil {
			projects = append(projects, r.ProjectID)
		}
		byProject[r.ProjectID] = append(byProject[r.ProjectID], r)
	}
	for _, p := range projects {
		open, err := w.db.OpenSync(ctx, p, breakwater.TaskAutoSync)
		if err != nil {
			return err
		}
		if open {
			continue
		}
		if _, err := w.catalog.StartSync(ctx, p, breakwater.TaskAutoSync, byProject[p]); err != nil {
			return err
		}
	}
	return nil
}

// updateDue enqueues the daily update of the advisory feeds.
func (w *Worker) updateDue(ctx context.Context) error {
	if w.opts.Feeds.Every <= 0 {
		return nil
	}
	due, err := w.db.FeedsDue(ctx, w.db.Now().Add(-w.opts.Feeds.Every))
	if err != nil || !due {
		return err
	}
	return w.db.Tx(ctx, func(tx *store.DB) error { return w.queue.Enqueue(ctx, tx, job.Update{}) })
}

// findLost enqueues the scans of images that wait without a job: there should
// be none, and one that was given up by River must not wait for ever. Images
// whose turn in a task has not come are not lost; their task is sent on, if its
// own job should be.
func (w *Worker) findLost(ctx context.Context) error {
	tasks, err := w.db.QueuedTasks(ctx)
	if err != nil {
		return err
	}
	for _, id := range tasks {
		err := w.db.Tx(ctx, func(tx *store.DB) error { return w.queue.Enqueue(ctx, tx, job.Dispatch{TaskID: id}) })
		if err != nil {
			return err
		}
	}
	lost, err := w.db.WaitingDigests(ctx)
	if err != nil {
		return err
	}
	for _, l := range lost {
		err := w.db.Tx(ctx, func(tx *store.DB) error {
			return w.queue.Enqueue(ctx, tx, job.Scan{ProjectID: l.ProjectID, Digest: l.Digest.String(), Background: true})
		})
		if err != nil {
			return err
		}
	}
	return nil
}
