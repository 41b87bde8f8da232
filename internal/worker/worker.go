package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"breakwater"
	"breakwater/internal/audit"
	"breakwater/internal/catalog"
	"breakwater/internal/job"
	"breakwater/internal/keyring"
	"breakwater/internal/oci"
	"breakwater/internal/store"
	"breakwater/internal/upstream"
)

// Task is one image manifest to look into, and for what.
type Task struct {
	Digest breakwater.Digest
	Source oci.Source
	Scope  breakwater.Scope
}

// Executor turns a task into facts. An error carries the scan code.
type Executor interface {
	Scan(ctx context.Context, t Task) (breakwater.Inventory, error)
}

// Options of a worker.
type Options struct {
	// Embedded reads a repository of the embedded registry.
	Embedded func(ctx context.Context, projectID, namespace, name string) (oci.Source, error)
	// Upstream is how foreign registries are dialled.
	Upstream upstream.Options
	// ScanTime is how long one scan may take; 0: 30 min.
	ScanTime time.Duration
	// SyncEvery is the age at which a registry is synchronised by itself; 0: 24 h.
	SyncEvery time.Duration
	// Chores are done by every Housekeep: garbage collection and its like.
	Chores []func(context.Context) error
	// Feeds is where advisories come from; FeedClient fetches them.
	Feeds      FeedOptions
	FeedClient *http.Client
	// Scanned, if set, hears of every scan that ended: for metrics.
	Scanned func(code breakwater.ScanCode, took time.Duration, bytes int64)
	Logger  *slog.Logger
}

// Worker does the jobs.
type Worker struct {
	db      *store.DB
	catalog *catalog.Catalog
	queue   *job.Queue
	keys    *keyring.Keyring
	exec    Executor
	audit   *audit.Auditor
	opts    Options
	feeds   sync.Mutex // one import at a time
}

// New is a worker that judges facts by the auditor's rules; opts.Embedded is required.
func New(db *store.DB, c *catalog.Catalog, q *job.Queue, keys *keyring.Keyring, exec Executor, rules *audit.Auditor, opts Options) (*Worker, error) {
	if opts.Embedded == nil {
		return nil, errors.New("worker.New: no embedded registry")
	}
	if opts.ScanTime == 0 {
		opts.ScanTime = 30 * time.Minute
	}
	if opts.SyncEvery == 0 {
		opts.SyncEvery = 24 * time.Hour
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	return &Worker{db: db, catalog: c, queue: q, keys: keys, exec: exec, audit: rules, opts: opts}, nil
}

// Handlers is the worker's jobs for the queue.
func (w *Worker) Handlers() job.Handlers {
	return job.Handlers{
		Probe: w.probe, Sync: w.sync, Scan: w.scan, Dispatch: w.dispatch,
		Update: w.update, Housekeep: w.housekeep,
	}
}

// lister opens a foreign registry with its sealed password.
func (w *Worker) lister(ctx context.Context, r breakwater.Registry) (upstream.Lister, error) {
	password, err := w.keys.Get(ctx, r.ID)
	if err != nil {
		return nil, fmt.Errorf("worker.lister(%s): %w", r.ID, err)
	}
	return upstream.New(r, password, w.opts.Upstream)
}

// probe answers whether a registry can be read. A registry that was removed
// meanwhile needs no answer.
func (w *Worker) probe(ctx context.Context, a job.Probe, last bool) error {
	r, err := w.db.RegistryByID(ctx, a.RegistryID)
	if breakwater.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	lister, err := w.lister(ctx, r)
	if err != nil {
		return w.catalog.Fail(ctx, r, err)
	}
	err = w.catalog.Probe(ctx, r, lister)
	if err != nil && last && ctx.Err() == nil && !job.Snoozed(err) {
		return errors.Join(err, w.catalog.Fail(ctx, r, err))
	}
	return err
}

// sync reads a registry's list. What failed is tried again; the last failure is
// written into the registry's status.
func (w *Worker) sync(ctx context.Context, a job.Sync, last bool) error {
	r, err := w.db.RegistryByID(ctx, a.RegistryID)
	if breakwater.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	lister, err := w.lister(ctx, r)
	if err == nil {
		err = w.catalog.Sync(ctx, r, lister)
	}
	switch {
	case err == nil, ctx.Err() != nil:
		return err
	case breakwater.IsNotFound(err) && w.gone(ctx, r.ID):
		return nil
	case last || !worthAnotherTry(err):
		w.opts.Logger.Warn("registry cannot be synchronised", "registry", r.ID, "error", err)
		return w.catalog.Fail(ctx, r, err)
	}
	return err
}

func (w *Worker) gone(ctx context.Context, registryID string) bool {
	_, err := w.db.RegistryByID(ctx, registryID)
	return breakwater.IsNotFound(err)
}

// worthAnotherTry: a wrong password stays wrong, an unreachable host may come back.
func worthAnotherTry(err error) bool {
	switch breakwater.KindOf(err) {
	case breakwater.KindUnauthenticated, breakwater.KindForbidden, breakwater.KindInvalid, breakwater.KindTooLarge:
		return false
	}
	return codeOf(err) != breakwater.CodeAuthentication
}

func (w *Worker) dispatch(ctx context.Context, a job.Dispatch, _ bool) error {
	for {
		more, wait, err := w.catalog.Dispatch(ctx, a.TaskID)
		if err != nil || !more {
			return err
		}
		if wait > 0 {
			return job.Snooze(wait)
		}
	}
}

func codeOf(err error) breakwater.ScanCode {
	var e *breakwater.Error
	if errors.As(err, &e) {
		return breakwater.ScanCode(e.Code)
	}
	return ""
}
