package catalog

import (
	"context"
	"fmt"

	"breakwater"
	"breakwater/internal/job"
	"breakwater/internal/store"
)

// AddRegistry makes a foreign registry known and enqueues its first probe. The
// caller keeps the password, under the registry's ID, before it calls.
func (c *Catalog) AddRegistry(ctx context.Context, r breakwater.Registry) error {
	return c.db.Tx(ctx, func(tx *store.DB) error {
		r.Status = breakwater.RegistryAccessing
		if err := tx.PutRegistry(ctx, r); err != nil {
			return err
		}
		return c.queue.Enqueue(ctx, tx, job.Probe{RegistryID: r.ID})
	})
}

// ChangeRegistry writes a registry's changed fields and probes it anew; a sync
// that was under way begins again, for it may have been reading another place.
func (c *Catalog) ChangeRegistry(ctx context.Context, r breakwater.Registry) error {
	return c.db.Tx(ctx, func(tx *store.DB) error {
		r.Status, r.FailReason, r.FailDetail = breakwater.RegistryAccessing, "", ""
		if err := tx.UpdateRegistry(ctx, r); err != nil {
			return err
		}
		if err := tx.DropSync(ctx, r.ID); err != nil {
			return err
		}
		return c.queue.Enqueue(ctx, tx, job.Probe{RegistryID: r.ID})
	})
}

// RemoveRegistries forgets foreign registries of a project and their images,
// all of them or, when one is missing or is the embedded registry, none. The
// caller then drops the passwords.
func (c *Catalog) RemoveRegistries(ctx context.Context, projectID string, ids []string) error {
	return c.db.Tx(ctx, func(tx *store.DB) error {
		for _, id := range ids {
			r, err := tx.Registry(ctx, projectID, id)
			if err != nil {
				return err
			}
			if r.Type == breakwater.RegistrySwrPrivate {
				return breakwater.Errorf(breakwater.KindConflict, "Breakwater's own registry cannot be removed")
			}
			if err := c.removeOne(ctx, tx, r); err != nil {
				return fmt.Errorf("catalog.RemoveRegistries(%s): %w", id, err)
			}
		}
		return nil
	})
}

func (c *Catalog) removeOne(ctx context.Context, tx *store.DB, r breakwater.Registry) error {
	if err := tx.CloseSync(ctx, r.ID, breakwater.SyncFailed, "the registry was removed"); err != nil {
		return err
	}
	for {
		n, err := tx.DeleteRegistryImages(ctx, r.ID, 5000)
		if err != nil {
			return err
		}
		if n == 0 {
			return tx.DeleteRegistry(ctx, r.ProjectID, r.ID)
		}
	}
}
