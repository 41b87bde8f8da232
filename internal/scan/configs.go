package scan

import (
	"context"

	"breakwater/internal/baseline"
	"breakwater/internal/password"
)

// configs reads the configuration files of one layer, one after the other in the
// archive's order and beside everything else: guessing their passwords takes
// time, and the budget for it must be spent the same way on every run.
type configs struct {
	passwords *password.Judge
	budget    *password.Budget
	out       *collector
	queue     chan config
}

type config struct {
	seq     int
	file    file
	content []byte
}

func newConfigs(j *password.Judge, out *collector) *configs {
	return &configs{passwords: j, budget: j.Budget(), out: out, queue: make(chan config, 16)}
}

// offer queues a file, of which it keeps a copy: as much as is read of it, and a
// byte to tell that there is more. The queue stands still while a password is
// guessed, and what waits in it counts against no memory.
func (c *configs) offer(ctx context.Context, seq int, f file, content [][]byte) error {
	kept := make([]byte, 0, min(f.Size, baseline.MaxFile+1))
	for _, b := range content {
		kept = append(kept, b[:min(len(b), cap(kept)-len(kept))]...)
	}
	select {
	case c.queue <- config{seq, f, kept}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *configs) run(ctx context.Context) {
	for f := range c.queue {
		if ctx.Err() != nil {
			continue // emptied, so that nobody waits
		}
		read, ok := baseline.Read(ctx, c.passwords, c.budget, baseline.File{Path: f.file.Path, Mode: f.file.mode, UID: f.file.uid, GID: f.file.gid}, f.content)
		if ok {
			c.out.config(f.seq, read)
		}
	}
}
