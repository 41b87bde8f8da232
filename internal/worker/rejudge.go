package worker

import (
	"context"
	"fmt"

	"breakwater"
	"breakwater/internal/store"
)

// rejudgeBatch is how many artifacts are judged between two looks at the clock.
const rejudgeBatch = 100

// Rejudge judges the facts of every artifact again that other rules than today's
// judged: after an update of the program, a change of the operator's rules, or
// the day on which a release reached its end of life. No registry is read, no
// image looked at. One transaction an artifact, so that scans come between; what
// a stop leaves is done by the next call.
func (w *Worker) Rejudge(ctx context.Context) error {
	rules := w.audit.Version()
	for after := int64(0); ; {
		ids, digests, err := w.db.StaleFindings(ctx, rules, after, rejudgeBatch)
		if err != nil || len(ids) == 0 {
			return err
		}
		for i, id := range ids {
			if err := w.rejudge(ctx, id, digests[i], rules); err != nil {
				return fmt.Errorf("worker.Rejudge(%s): %w", digests[i], err)
			}
			after = id
		}
	}
}

func (w *Worker) rejudge(ctx context.Context, id int64, digest breakwater.Digest, rules string) error {
	inv, err := w.db.Inventory(ctx, digest)
	if breakwater.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	findings := w.audit.Judge(&inv)
	return w.db.Tx(ctx, func(tx *store.DB) error {
		if err := tx.PutFindings(ctx, id, breakwater.Checks(), findings, rules); err != nil {
			return err
		}
		return tx.RefreshCounters(ctx, []int64{id})
	})
}
