package job_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"breakwater/internal/job"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
)

func newQueue(t *testing.T, db *store.DB) *job.Queue {
	t.Helper()
	q, err := job.New(context.Background(), db, job.Options{Instance: "test", PollInterval: 20 * time.Millisecond, Every: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// run works jobs until until is closed, then stops the queue.
func run(t *testing.T, q *job.Queue, h job.Handlers, until <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- q.Run(ctx, h, 5*time.Second) }()
	select {
	case <-until:
	case <-ctx.Done():
		t.Error("the jobs did not finish in a minute")
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestEnqueueIsPartOfTheTransaction(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		q, ctx := newQueue(t, db), context.Background()
		boom := errors.New("boom")
		err := db.Tx(ctx, func(tx *store.DB) error {
			if err := q.Enqueue(ctx, tx, job.Probe{RegistryID: "rolled-back"}); err != nil {
				t.Fatal(err)
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		err = db.Tx(ctx, func(tx *store.DB) error {
			return q.Enqueue(ctx, tx, job.Probe{RegistryID: "a"}, job.Probe{RegistryID: "b"}, job.Probe{RegistryID: "a"})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Enqueue(ctx, db, job.Probe{RegistryID: "c"}); err == nil {
			t.Fatal("Enqueue outside a transaction must be refused")
		}
		var mu sync.Mutex
		seen := map[string]int{}
		done := make(chan struct{})
		run(t, q, job.Handlers{Probe: func(ctx context.Context, a job.Probe, _ bool) error {
			err := db.Tx(ctx, func(tx *store.DB) error { return job.Complete(ctx, tx) })
			mu.Lock()
			defer mu.Unlock()
			seen[a.RegistryID]++
			if len(seen) == 2 {
				close(done)
			}
			return err
		}, Housekeep: func(context.Context, job.Housekeep, bool) error { return nil }}, done)
		if seen["a"] != 1 || seen["b"] != 1 || len(seen) != 2 {
			t.Fatalf("worked %v, want a and b once each", seen)
		}
	})
}

func TestCrashedJobRunsAgain(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		q, ctx := newQueue(t, db), context.Background()
		if err := db.Tx(ctx, func(tx *store.DB) error { return q.Enqueue(ctx, tx, job.Sync{RegistryID: "a"}) }); err != nil {
			t.Fatal(err)
		}
		// A crash leaves the row as a fetch makes it.
		by := `'["test"]'`
		if db.Dialect() == store.PostgreSQL {
			by = `ARRAY['test']`
		}
		if _, err := db.Writer().Exec(`UPDATE river_job SET state = 'running', attempt = 1, attempted_by = ` + by); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		var once sync.Once
		run(t, q, job.Handlers{
			Sync:      func(context.Context, job.Sync, bool) error { once.Do(func() { close(done) }); return nil },
			Housekeep: func(context.Context, job.Housekeep, bool) error { return nil },
		}, done)
	})
}
