package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"breakwater"
	"breakwater/internal/audit"
	"breakwater/internal/blob"
	"breakwater/internal/catalog"
	"breakwater/internal/child"
	"breakwater/internal/door"
	"breakwater/internal/hss"
	"breakwater/internal/iam"
	"breakwater/internal/job"
	"breakwater/internal/keyring"
	"breakwater/internal/registry"
	"breakwater/internal/scan"
	"breakwater/internal/store"
	"breakwater/internal/swr"
	"breakwater/internal/upstream"
	"breakwater/internal/worker"
)

// house is every room, wired.
type house struct {
	config   config
	log      *slog.Logger
	metrics  *metrics
	db       *store.DB
	keys     *keyring.Keyring
	iam      *iam.Server
	queue    *job.Queue
	catalog  *catalog.Catalog
	registry *registry.Registry
	docker   http.Handler // the registry, with its access log
	hss      *hss.Server
	worker   *worker.Worker
	audit    *audit.Auditor
	children *child.Pool  // nil when scans run in this process
	client   *http.Client // guarded: for feeds
	doors    []namedDoor
	lock     *os.File
	begun    atomic.Bool // the starter set is in, or will not be
}

type namedDoor struct {
	name string
	door *door.Door
}

// openBase opens the data directory: what every command needs.
func openBase(ctx context.Context, c config, log *slog.Logger) (h *house, err error) {
	h = &house{config: c, log: log}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return h, err
	}
	if h.keys, err = keyring.Open(filepath.Join(c.Data, "keys"), keyring.Options{MasterKey: c.MasterKey}); err != nil {
		return h, err
	}
	if h.db, err = store.Open(ctx, store.Options{Path: filepath.Join(c.Data, "breakwater.db"), Postgres: c.Postgres}); err != nil {
		return h, err
	}
	h.iam, err = iam.New(h.db, h.keys, iam.Options{})
	return h, err
}

// openHouse opens and wires everything that serves.
func openHouse(ctx context.Context, c config, log *slog.Logger) (*house, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockData(c.Data)
	if err != nil {
		return nil, err
	}
	h, err := openBase(ctx, c, log)
	if err != nil {
		_ = lock.Close()
		return nil, err
	}
	h.lock, h.metrics = lock, newMetrics()
	for _, step := range []func(context.Context) error{h.openRules, h.openJobs, h.openRegistry, h.openDoors, h.openWorker} {
		if err := step(ctx); err != nil {
			h.close()
			return nil, err
		}
	}
	return h, nil
}

func (h *house) close() {
	if h.children != nil {
		_ = h.children.Close()
	}
	if h.db != nil {
		_ = h.db.Close()
	}
	if h.lock != nil {
		_ = h.lock.Close()
	}
}

func (h *house) openJobs(ctx context.Context) (err error) {
	instance, err := instanceName(h.config.Data)
	if err != nil {
		return err
	}
	h.queue, err = job.New(ctx, h.db, job.Options{Instance: instance, ScanWorkers: h.config.ScanWorkers,
		SyncWorkers: h.config.SyncWorkers, Logger: quiet(h.log)})
	if err != nil {
		return err
	}
	if h.client, err = h.config.client(); err != nil {
		return err
	}
	h.catalog = catalog.New(h.db, h.queue, catalog.Options{NoScanOnSync: !h.config.ScanOnSync})
	return nil
}

func (h *house) openRegistry(context.Context) error {
	blobs, err := blob.OpenFS(filepath.Join(h.config.Data, "blobs"))
	if err != nil {
		return err
	}
	h.registry, err = registry.New(h.db, blobs, h.catalog, registry.Options{
		Authenticate: h.iam.DockerLogin, Signer: h.iam.Signer(), ExternalURL: h.config.external(), MaxBlob: h.config.MaxBlob, Logger: h.log,
	})
	return err
}

func (h *house) openDoors(context.Context) error {
	options := func(name string) door.Options {
		return door.Options{SignIn: h.iam.SignIn, Logger: h.log, Observe: h.metrics.observe(name)}
	}
	iamDoor, err := h.iam.Door(options("iam"))
	if err != nil {
		return err
	}
	swrDoor, err := swr.New(h.db, h.catalog, h.keys, swr.Options{Host: h.config.host(), Door: options("swr")})
	if err != nil {
		return err
	}
	h.hss, err = hss.New(h.db, h.catalog, h.keys, hss.Options{SignIn: h.iam.SignIn, Endpoint: h.config.Endpoint, Version: version, Audit: h.audit,
		Logger: h.log, Observe: h.metrics.observe("hss")})
	if err != nil {
		return err
	}
	h.doors = []namedDoor{{"iam", iamDoor}, {"swr", swrDoor}, {"hss", h.hss.Door()}}
	return nil
}

func (h *house) openWorker(context.Context) error {
	scratch := filepath.Join(h.config.Data, "scratch")
	if err := errors.Join(os.RemoveAll(scratch), os.MkdirAll(scratch, 0o700)); err != nil {
		return fmt.Errorf("scratch directory: %w", err)
	}
	exec, err := h.executor(scratch)
	if err != nil {
		return err
	}
	h.worker, err = worker.New(h.db, h.catalog, h.queue, h.keys, exec, h.audit, worker.Options{
		Embedded: h.registry.Source, Upstream: upstream.Options{HTTP: h.client, RealmHosts: h.config.TrustedRealms},
		ScanTime: h.config.ScanTime, SyncEvery: h.config.SyncEvery, Scanned: h.metrics.scanned, Logger: h.log,
		Feeds: h.config.feedOptions(scratch), FeedClient: h.client,
		Chores: []func(context.Context) error{h.collect, h.iam.Housekeep, h.sweepPasswords},
	})
	return err
}

// executor is where scans run: in children of this binary, or in this process.
func (h *house) executor(scratch string) (worker.Executor, error) {
	c := h.config
	if c.InProcess {
		scanner, err := newScanner(h.db.LayerCache(), c.Rules, c.Clamd, scratch)
		if err != nil {
			return nil, err
		}
		return worker.Local{Scanner: scanner}, nil
	}
	binary, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("the executable for scans: %w", err)
	}
	size := c.ScanWorkers
	if size <= 0 {
		size = runtime.GOMAXPROCS(0)
	}
	// A child stands in a directory of its own.
	if c.Rules != "" {
		if c.Rules, err = filepath.Abs(c.Rules); err != nil {
			return nil, fmt.Errorf("--rules: %w", err)
		}
	}
	// What the rules and clamd's address say is checked here, before a child fails by it.
	if _, err := newScanner(nil, c.Rules, c.Clamd, scratch); err != nil {
		return nil, err
	}
	h.children, err = child.New(child.Options{
		Command: []string{binary, "exec", "--rules", c.Rules, "--clamd", c.Clamd}, Size: size, Memory: c.ScanMemory, Wall: c.ScanTime,
		TempDir: scratch, Cache: h.db.LayerCache(), Version: scan.Version,
	})
	if err != nil {
		return nil, err
	}
	return children{h.children}, nil
}

// children scans in child processes.
type children struct{ pool *child.Pool }

var _ worker.Executor = children{}

// Scan looks into one image manifest.
func (c children) Scan(ctx context.Context, t worker.Task) (breakwater.Inventory, error) {
	return c.pool.Scan(ctx, child.Task{Digest: t.Digest, Source: t.Source, Scope: t.Scope})
}

// openRules reads the rules that judge facts.
func (h *house) openRules(context.Context) (err error) {
	h.audit, err = newAuditor(h.config.Rules)
	return err
}

// collect removes what pushes left behind and nothing needs.
func (h *house) collect(ctx context.Context) error {
	done, err := h.registry.GC(ctx)
	if err == nil && done != (registry.Collected{}) {
		h.log.Info("registry collected", "done", done)
	}
	return err
}

// sweepPasswords drops the sealed passwords of registries that are gone.
func (h *house) sweepPasswords(ctx context.Context) error {
	return hss.SweepPasswords(ctx, h.db, h.keys)
}

// instanceName is made once for a data directory: it tells this process's jobs
// from another's.
func instanceName(data string) (string, error) {
	name := filepath.Join(data, "instance")
	if b, err := os.ReadFile(name); err == nil && len(b) > 0 && len(b) < 100 {
		return string(b), nil
	}
	id := breakwater.NewID("bw")
	return id, os.WriteFile(name, []byte(id), 0o600)
}

// quiet raises the level of a library's log: its routine is nobody's news.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(warnOnly{log.Handler()})
}

type warnOnly struct{ slog.Handler }

func (w warnOnly) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

func (w warnOnly) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnOnly{w.Handler.WithAttrs(attrs)}
}
func (w warnOnly) WithGroup(name string) slog.Handler { return warnOnly{w.Handler.WithGroup(name)} }
