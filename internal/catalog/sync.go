package catalog

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"breakwater"
	"breakwater/internal/job"
	"breakwater/internal/oci"
	"breakwater/internal/store"
	"breakwater/internal/upstream"

	"golang.org/x/sync/errgroup"
)

// Probe asks the registry whether we may read it, writes the answer into its
// status, and on success enqueues its first sync. A wrong password or a silent
// host is an answer, not an error.
func (c *Catalog) Probe(ctx context.Context, r breakwater.Registry, lister upstream.Lister) error {
	probe := lister.Probe(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return c.db.Tx(ctx, func(tx *store.DB) error {
		now, err := tx.RegistryByID(ctx, r.ID)
		if breakwater.IsNotFound(err) {
			return job.Complete(ctx, tx)
		}
		if err != nil {
			return err
		}
		if !now.Updated.Equal(r.Updated) {
			return job.Snooze(time.Second) // it was changed meanwhile: this answer is about what it was
		}
		if probe != nil {
			if err := c.fail(ctx, tx, r.ID, probe); err != nil {
				return err
			}
			return job.Complete(ctx, tx)
		}
		if err := tx.SetRegistryStatus(ctx, r.ID, breakwater.RegistrySuccess, "", ""); err != nil {
			return err
		}
		if err := c.queue.Enqueue(ctx, tx, job.Sync{RegistryID: r.ID}); err != nil {
			return err
		}
		return job.Complete(ctx, tx)
	})
}

// Fail writes why the registry, as it was read, cannot be read from, closes the
// sync tasks that wait for it, and ends the running job. When the registry was
// changed meanwhile the failure is about what it was: it is synchronised anew.
func (c *Catalog) Fail(ctx context.Context, r breakwater.Registry, cause error) error {
	return c.db.Tx(ctx, func(tx *store.DB) error {
		now, err := tx.RegistryByID(ctx, r.ID)
		switch {
		case breakwater.IsNotFound(err):
			return job.Complete(ctx, tx)
		case err != nil:
			return err
		case !now.Updated.Equal(r.Updated):
			if err := job.Complete(ctx, tx); err != nil {
				return err
			}
			return c.queue.Enqueue(ctx, tx, job.Sync{RegistryID: r.ID})
		}
		if err := c.fail(ctx, tx, r.ID, cause); err != nil {
			return err
		}
		return job.Complete(ctx, tx)
	})
}

func (c *Catalog) fail(ctx context.Context, tx *store.DB, registryID string, cause error) error {
	reason, detail := breakwater.FailServer, "Breakwater could not finish; see its log."
	var e *breakwater.Error
	if errors.As(cause, &e) && e.Kind != breakwater.KindInternal {
		reason, detail = breakwater.FailRequestAPI, e.Message
	}
	if err := tx.SetRegistryStatus(ctx, registryID, breakwater.RegistryFail, reason, detail); err != nil {
		return err
	}
	return tx.CloseSync(ctx, registryID, breakwater.SyncFailed, reason)
}

// Sync reads what the registry holds, from where the last attempt stopped. It
// returns an error only for what is worth another attempt.
func (c *Catalog) Sync(ctx context.Context, r breakwater.Registry, lister upstream.Lister) error {
	point, err := c.db.BeginSync(ctx, r.ID)
	if err != nil {
		return fmt.Errorf("catalog.Sync(%s): %w", r.ID, err)
	}
	for {
		page, err := lister.Page(ctx, point.Cursor)
		if err != nil {
			return fmt.Errorf("catalog.Sync(%s): %w", r.ID, err)
		}
		entries, err := c.resolve(ctx, r, lister, page.Tags)
		if err != nil {
			return fmt.Errorf("catalog.Sync(%s): %w", r.ID, err)
		}
		point.Cursor = page.Next
		if err := c.savePage(ctx, r, point, entries); err != nil {
			return fmt.Errorf("catalog.Sync(%s): %w", r.ID, err)
		}
		if page.Done {
			return c.endSync(ctx, r, point.Generation)
		}
	}
}

// savePage records one page with the cursor that follows it.
func (c *Catalog) savePage(ctx context.Context, r breakwater.Registry, point store.SyncPoint, entries []Entry) error {
	return c.db.Tx(ctx, func(tx *store.DB) error {
		if err := tx.SaveSync(ctx, r.ID, point); err != nil {
			return err
		}
		now := tx.Now()
		for _, e := range entries {
			e.Synced, e.Generation = now, point.Generation
			if err := c.Record(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// endSync removes what the whole listing did not show, and closes the sync.
func (c *Catalog) endSync(ctx context.Context, r breakwater.Registry, generation int64) error {
	return c.db.Tx(ctx, func(tx *store.DB) error {
		for {
			n, err := tx.DeleteUnseenImages(ctx, r.ID, generation, 1000)
			if err != nil {
				return err
			}
			if n == 0 {
				break
			}
		}
		if err := tx.EndSync(ctx, r.ID, generation); err != nil {
			return err
		}
		if err := tx.SetRegistryStatus(ctx, r.ID, breakwater.RegistrySuccess, "", ""); err != nil {
			return err
		}
		if err := tx.CloseSync(ctx, r.ID, breakwater.SyncFinished, ""); err != nil {
			return err
		}
		return job.Complete(ctx, tx)
	})
}

// unresolvedShare is how much of a page may be unreadable (one in so many)
// before the registry, and not the image, is taken to be at fault.
const unresolvedShare = 10

// resolve turns listed tags into entries. A digest that is known already is not
// read again; a tag that vanished since it was listed is left out; a manifest
// that cannot be understood is still an image, whose scan will say why. So is
// one that the registry fails to give, as long as it gives the others: it is
// read again by the next sync.
func (c *Catalog) resolve(ctx context.Context, r breakwater.Registry, lister upstream.Lister, tags []upstream.Tag) ([]Entry, error) {
	digests := make([]breakwater.Digest, 0, len(tags))
	for _, t := range tags {
		digests = append(digests, t.Digest)
	}
	known, err := c.db.KnownArtifacts(ctx, digests)
	if err != nil {
		return nil, err
	}
	found := make([]*Entry, len(tags))
	var unread atomic.Int64
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(c.opts.Resolvers)
	for i, t := range tags {
		e := Entry{Registry: r, Namespace: t.Namespace, Name: t.Name, Version: t.Version, Updated: t.Pushed}
		if e.Updated.IsZero() {
			e.Updated = c.db.Now()
		}
		if a, ok := known[t.Digest]; ok && a.MediaType != "" {
			e.Artifact = a
			found[i] = &e
			continue
		}
		g.Go(func() error {
			ok, err := c.resolveTag(gctx, &e, lister.Source(t.Namespace, t.Name), t)
			if err != nil && gctx.Err() == nil && codeOf(err) != breakwater.CodeAuthentication && int(unread.Add(1)) <= 1+len(tags)/unresolvedShare {
				e.Artifact, ok, err = breakwater.Artifact{Digest: t.Digest, Size: t.Size, Scannable: true}, true, nil
			}
			if ok {
				found[i] = &e
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	entries := make([]Entry, 0, len(found))
	for _, e := range found {
		if e != nil {
			entries = append(entries, *e)
		}
	}
	return entries, nil
}

func (c *Catalog) resolveTag(ctx context.Context, e *Entry, src oci.Source, t upstream.Tag) (ok bool, err error) {
	m, err := src.Manifest(ctx, t.Digest.String())
	var resolved oci.Resolved
	if err == nil {
		resolved, err = oci.Resolve(ctx, src, m)
	}
	switch {
	case err == nil:
		e.Artifact, e.Children = resolved.Artifact, resolved.Children
		return true, nil
	case breakwater.IsNotFound(err) || codeOf(err) == breakwater.CodeNotFound:
		return false, nil
	case codeOf(err) == breakwater.CodeSchemaV1 || breakwater.KindOf(err) == breakwater.KindInvalid || breakwater.KindOf(err) == breakwater.KindTooLarge:
		// No media type: what this registry gave does not settle what the digest is
		// for others, who may be given it whole.
		e.Artifact = breakwater.Artifact{Digest: t.Digest, Size: t.Size, Scannable: true}
		return true, nil
	}
	return false, err
}

func codeOf(err error) breakwater.ScanCode {
	var e *breakwater.Error
	if errors.As(err, &e) {
		return breakwater.ScanCode(e.Code)
	}
	return ""
}

// StartSync writes a task over these registries of one project and enqueues
// their syncs. The embedded registry is always in step: its part ends at once.
func (c *Catalog) StartSync(ctx context.Context, projectID, kind string, registries []breakwater.Registry) (breakwater.SyncTask, error) {
	t := breakwater.SyncTask{ID: breakwater.NewID(breakwater.PrefixSyncTask), ProjectID: projectID, Type: kind, State: breakwater.TaskRunning}
	err := c.db.Tx(ctx, func(tx *store.DB) error {
		t.Begin = tx.Now()
		t.Name = "sync-" + t.Begin.Format("20060102-150405")
		if err := tx.PutSyncTask(ctx, t, registries); err != nil {
			return err
		}
		for _, r := range registries {
			if err := c.startOne(ctx, tx, r, t.Begin); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return t, fmt.Errorf("catalog.StartSync: %w", err)
	}
	return t, nil
}

func (c *Catalog) startOne(ctx context.Context, tx *store.DB, r breakwater.Registry, now time.Time) error {
	switch r.Type {
	case breakwater.RegistryHarbor, breakwater.RegistryJfrog, breakwater.RegistryOther:
		return c.queue.Enqueue(ctx, tx, job.Sync{RegistryID: r.ID})
	}
	if err := tx.CountRegistryImages(ctx, r.ID, now); err != nil {
		return err
	}
	return tx.CloseSync(ctx, r.ID, breakwater.SyncFinished, "")
}
