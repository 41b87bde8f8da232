package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"breakwater/internal/store"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

// MaxAttempts is how often a job is tried, crashes included, before it is
// kept as discarded.
const MaxAttempts = 25

// RescueAfter is how long a job may run before another instance takes it to be lost.
const RescueAfter = 6 * time.Hour

// Options of a queue; the zero value works for a process that only enqueues.
type Options struct {
	Instance     string        // stable name of this process's data directory
	ScanWorkers  int           // scans at once; 0: one for each core
	SyncWorkers  int           // registries at once; 0: 4
	PollInterval time.Duration // how soon a new job is seen; 0: 200 ms
	Every        time.Duration // how often Housekeep runs; 0: 15 min
	Pause        time.Duration // before the second try; the third waits ten times as long. 0: 3 s
	Logger       *slog.Logger  // nil: discarded
}

// Handlers does the work. last is true on the attempt after which the job is
// given up: the handler records the failure where people look.
type Handlers struct {
	Probe     func(ctx context.Context, a Probe, last bool) error
	Sync      func(ctx context.Context, a Sync, last bool) error
	Scan      func(ctx context.Context, a Scan, last bool) error
	Dispatch  func(ctx context.Context, a Dispatch, last bool) error
	Update    func(ctx context.Context, a Update, last bool) error
	Housekeep func(ctx context.Context, a Housekeep, last bool) error
}

// Queue enqueues jobs and, once Run, works them.
type Queue struct {
	db     *store.DB
	opts   Options
	insert backend
}

// New migrates the job tables and returns a queue that can enqueue.
func New(ctx context.Context, db *store.DB, o Options) (*Queue, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.ScanWorkers == 0 {
		o.ScanWorkers = runtime.GOMAXPROCS(0)
	}
	if o.SyncWorkers == 0 {
		o.SyncWorkers = 4
	}
	if o.PollInterval == 0 {
		o.PollInterval = 200 * time.Millisecond
	}
	if o.Every == 0 {
		o.Every = 15 * time.Minute
	}
	if o.Pause == 0 {
		o.Pause = 3 * time.Second
	}
	if err := migrate(ctx, db); err != nil {
		return nil, fmt.Errorf("job.New: %w", err)
	}
	insert, err := open(db, &river.Config{Logger: o.Logger})
	if err != nil {
		return nil, fmt.Errorf("job.New: %w", err)
	}
	return &Queue{db: db, opts: o, insert: insert}, nil
}

// Enqueue adds jobs in tx, which must be a transaction of the queue's database.
// A job that is open already is not added again.
func (q *Queue) Enqueue(ctx context.Context, tx *store.DB, jobs ...Args) error {
	if len(jobs) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, 0, len(jobs))
	seen := make(map[string]bool, len(jobs)) // River refuses a batch that names a job twice
	for _, a := range jobs {
		body, err := json.Marshal(a)
		if err != nil {
			return fmt.Errorf("job.Enqueue(%s): %w", a.Kind(), err)
		}
		if key := a.Kind() + string(body); seen[key] {
			continue
		} else {
			seen[key] = true
		}
		params = append(params, river.InsertManyParams{Args: a, InsertOpts: &river.InsertOpts{
			MaxAttempts: MaxAttempts,
			Queue:       a.queue(),
			Priority:    a.priority(),
			UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
				rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
				rivertype.JobStateRetryable, rivertype.JobStateScheduled,
			}},
		}})
	}
	if err := q.insert.insertMany(ctx, tx, params); err != nil {
		return fmt.Errorf("job.Enqueue(%s): %w", jobs[0].Kind(), err)
	}
	return nil
}

// Run works jobs until ctx ends, then lets running ones finish for up to grace
// before it cancels them; a cancelled job is tried again by the next start.
func (q *Queue) Run(ctx context.Context, h Handlers, grace time.Duration) error {
	if err := q.recover(ctx); err != nil {
		return fmt.Errorf("job.Run: %w", err)
	}
	workers := river.NewWorkers()
	handle(workers, q, h.Probe)
	handle(workers, q, h.Sync)
	handle(workers, q, h.Scan)
	handle(workers, q, h.Dispatch)
	handle(workers, q, h.Update)
	handle(workers, q, h.Housekeep)
	client, err := open(q.db, &river.Config{
		ID:                   q.opts.Instance,
		Logger:               q.opts.Logger,
		Workers:              workers,
		JobTimeout:           -1, // each handler keeps its own time
		RetryPolicy:          pause(q.opts.Pause),
		RescueStuckJobsAfter: RescueAfter,
		FetchPollInterval:    q.opts.PollInterval,
		FetchCooldown:        min(q.opts.PollInterval, 50*time.Millisecond),
		Queues: map[string]river.QueueConfig{
			queueDefault: {MaxWorkers: 4},
			queueScan:    {MaxWorkers: q.opts.ScanWorkers},
			queueSync:    {MaxWorkers: q.opts.SyncWorkers},
			queueFeed:    {MaxWorkers: 1},
		},
		PeriodicJobs: []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(q.opts.Every),
			func() (river.JobArgs, *river.InsertOpts) { return Housekeep{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})},
	})
	if err != nil {
		return fmt.Errorf("job.Run: %w", err)
	}
	if err := client.start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("job.Run: %w", err)
	}
	<-ctx.Done()
	return stop(context.WithoutCancel(ctx), client, grace)
}

func stop(ctx context.Context, client backend, grace time.Duration) error {
	soft, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	err := client.stop(soft)
	if errors.Is(err, context.DeadlineExceeded) {
		hard, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		err = client.stopAndCancel(hard)
	}
	return err
}

// Snooze is what a handler returns to be called again after d, without an attempt spent.
func Snooze(d time.Duration) error { return river.JobSnooze(d) }

type finisherKey struct{}

// Complete closes the running job inside tx, so that its result and its end are
// one. Outside a job it does nothing: handlers can be called directly in tests.
func Complete(ctx context.Context, tx *store.DB) error {
	finish, ok := ctx.Value(finisherKey{}).(func(context.Context, *store.DB) error)
	if !ok {
		return nil
	}
	return finish(ctx, tx)
}

// handle registers f for its kind of job. A nil f leaves the kind to others.
func handle[T Args](w *river.Workers, q *Queue, f func(context.Context, T, bool) error) {
	if f == nil {
		return
	}
	river.AddWorker(w, river.WorkFunc(func(ctx context.Context, j *river.Job[T]) (err error) {
		defer func() {
			if p := recover(); p != nil {
				q.opts.Logger.Error("job panicked", "kind", j.Kind, "job", j.ID, "panic", p)
				err = fmt.Errorf("job %s panicked", j.Kind)
			}
		}()
		finish := func(ctx context.Context, tx *store.DB) error { return complete(ctx, tx, j) }
		last := isLast(j.JobRow)
		err = f(context.WithValue(ctx, finisherKey{}, finish), j.Args, last)
		if err == nil || Snoozed(err) || ctx.Err() != nil {
			return err
		}
		q.opts.Logger.Warn("job failed", "kind", j.Kind, "job", j.ID, "attempt", j.Attempt, "last", last, "error", err)
		if last {
			return river.JobCancel(err)
		}
		return err
	}))
}

// isLast reports whether a failure of this attempt is final: the third that
// ends in an error, or the last of all, crashes included.
func isLast(j *rivertype.JobRow) bool { return len(j.Errors) >= 2 || j.Attempt >= MaxAttempts }

// pause is River's retry policy in our terms.
type pause time.Duration

func (p pause) NextRetry(j *rivertype.JobRow) time.Time {
	wait := time.Duration(p)
	if len(j.Errors) > 0 {
		wait *= 10
	}
	return time.Now().Add(wait)
}

// Snoozed reports whether err is a Snooze and no failure.
func Snoozed(err error) bool {
	var s *rivertype.JobSnoozeError
	return errors.As(err, &s)
}
