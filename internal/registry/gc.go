package registry

import (
	"context"
	"fmt"
	"time"

	"breakwater"
)

// Collected is what one GC removed.
type Collected struct {
	Uploads int   // abandoned sessions
	Links   int64 // of repositories to blobs that none of their manifests names
	Blobs   int   // with their bytes
	Adopted int   // bytes that a crash left without a row; a later GC removes them
}

// gcPage is how many candidates GC reads at a time.
const gcPage = 500

// GC removes what nothing has needed for the grace period. It may run beside
// pushes and pulls, and beside itself; see the package comment for why that is
// safe.
func (r *Registry) GC(ctx context.Context) (done Collected, err error) {
	before := r.db.Now().Add(-r.opts.Grace)
	if done.Uploads, err = r.blobs.Sweep(ctx, before); err != nil {
		return done, fmt.Errorf("registry.GC: %w", err)
	}
	if done.Links, err = r.db.UnlinkUnused(ctx, before); err != nil {
		return done, fmt.Errorf("registry.GC: %w", err)
	}
	for last := breakwater.Digest(""); ; {
		page, err := r.db.UnlinkedBlobs(ctx, before, last, gcPage)
		if err != nil {
			return done, fmt.Errorf("registry.GC: %w", err)
		}
		if len(page) == 0 {
			break
		}
		for _, d := range page {
			dropped, err := r.db.DropBlob(ctx, d, before, func() error { return r.blobs.Delete(ctx, d) })
			if err != nil {
				return done, fmt.Errorf("registry.GC: %w", err)
			}
			if dropped {
				done.Blobs++
			}
		}
		last = page[len(page)-1]
	}
	if r.walkDue() {
		done.Adopted, err = r.adopt(ctx, before)
	}
	return done, err
}

// walkDue says whether to look through all bytes again. That is much work for
// what only a crash leaves behind, so it is done at the start and then once in
// each grace period, however often GC runs.
func (r *Registry) walkDue() bool {
	r.walkMu.Lock()
	defer r.walkMu.Unlock()
	now := r.opts.Now()
	if !r.walked.IsZero() && now.Sub(r.walked) < r.opts.Grace {
		return false
	}
	r.walked = now
	return true
}

// adopt gives rows to bytes that have none.
func (r *Registry) adopt(ctx context.Context, before time.Time) (n int, err error) {
	for info, err := range r.blobs.All(ctx) {
		if err != nil {
			return n, fmt.Errorf("registry.GC: %w", err)
		}
		if !info.Modified.Before(before) {
			continue
		}
		known, err := r.db.KnownBlob(ctx, info.Digest)
		if err == nil && !known {
			err = r.db.AdoptBlob(ctx, info.Digest, info.Size)
			n++
		}
		if err != nil {
			return n, fmt.Errorf("registry.GC: %w", err)
		}
	}
	return n, nil
}
