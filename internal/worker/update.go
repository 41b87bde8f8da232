package worker

import (
	"context"
	"fmt"

	"breakwater/internal/job"
	"breakwater/internal/store"
)

// LoadStarter reads the advisories that ship in the binary when the database
// has none. It may be called at every start; a load that was cut short is done
// again, and what was known before stays.
func (w *Worker) LoadStarter(ctx context.Context) error {
	w.feeds.Lock()
	defer w.feeds.Unlock()
	return LoadStarter(ctx, w.db, w.opts.Feeds)
}

// LoadStarter is the same for a database without a Worker. The caller sees to it
// that no other import is under way.
func LoadStarter(ctx context.Context, db *store.DB, o FeedOptions) error {
	whole, err := db.Setting(ctx, starterLoaded)
	if err == nil && whole != "" {
		return nil
	}
	feeds, err := db.Feeds(ctx)
	if err != nil {
		return err
	}
	for _, f := range feeds {
		if f.Records > 0 && !f.Starter {
			return nil // an update has been here already
		}
	}
	o.Starter, o.Feeds = true, nil
	sum, err := UpdateFeeds(ctx, db, nil, o)
	if err != nil {
		return err
	}
	if err := sum.Err(); err != nil {
		return fmt.Errorf("worker.LoadStarter: %w", err)
	}
	return db.PutSetting(ctx, starterLoaded, db.Now().Format("2006-01-02"))
}

// CatchUp judges what an import that was cut short left to be judged: at every
// start, for there may be no next import.
func (w *Worker) CatchUp(ctx context.Context) error {
	w.feeds.Lock()
	defer w.feeds.Unlock()
	_, _, err := Rematch(ctx, w.db, nil)
	return err
}

// starterLoaded is set once the whole starter set is in.
const starterLoaded = "starter_loaded"

// update reads the feeds. A feed that fails says so in its row and keeps its
// data; the next Housekeep that finds it due tries again.
func (w *Worker) update(ctx context.Context, _ job.Update, _ bool) error {
	w.feeds.Lock()
	defer w.feeds.Unlock()
	sum, err := UpdateFeeds(ctx, w.db, w.opts.FeedClient, w.opts.Feeds)
	if err != nil {
		return err
	}
	if err := sum.Err(); err != nil {
		w.opts.Logger.Warn("some advisory feeds could not be read; what is known stays", "error", err)
	}
	w.opts.Logger.Info("advisory feeds read", "judged", sum.Judged, "changed", sum.Changed)
	return w.db.Tx(ctx, func(tx *store.DB) error { return job.Complete(ctx, tx) })
}
