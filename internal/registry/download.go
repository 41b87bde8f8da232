package registry

import (
	"context"
	"sync"
	"time"
)

// downloadPause is the least time between two writes of download counts.
const downloadPause = 250 * time.Millisecond

// downloads counts fetched manifests in memory, so that a pull never waits for
// a write. Run writes the counts moments later, many in one transaction; a
// crash loses those moments.
type downloads struct {
	mu     sync.Mutex
	counts map[int64]int64 // by repository id
	wake   chan struct{}
}

func newDownloads() *downloads {
	return &downloads{counts: map[int64]int64{}, wake: make(chan struct{}, 1)}
}

func (d *downloads) add(repositoryID int64) {
	d.mu.Lock()
	d.counts[repositoryID]++
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// take is what has been counted since the last take.
func (d *downloads) take() map[int64]int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	counts := d.counts
	d.counts = map[int64]int64{}
	return counts
}

// Run writes download counts until ctx ends, and then what is left.
func (r *Registry) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return r.Flush(last)
		case <-r.downloads.wake:
		}
		if err := r.Flush(ctx); err != nil && ctx.Err() == nil {
			r.log.ErrorContext(ctx, "download counts were not written", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(downloadPause):
		}
	}
}

// Flush writes the download counts there are. Those that cannot be written are
// kept for the next time.
func (r *Registry) Flush(ctx context.Context) error {
	counts := r.downloads.take()
	if len(counts) == 0 {
		return nil
	}
	err := r.db.AddDownloads(ctx, counts)
	if err != nil {
		r.downloads.mu.Lock()
		defer r.downloads.mu.Unlock()
		for id, n := range counts {
			r.downloads.counts[id] += n
		}
	}
	return err
}
