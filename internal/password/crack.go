package password

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The limits of memory, in bytes: of one guess, of all guesses made at once, and
// from where on a scheme's guesses wait for another heavy one's.
const (
	maxMemory   = 64 << 20
	totalMemory = 64 << 20
	heavyMemory = 1 << 20
)

// crack makes at most most guesses and answers with the first that fits. It is
// false when it was ended early, by ctx or by the clock: such a verdict is not
// kept. The guesses run on all cores, and the answer does not depend on how many.
func (j *Judge) crack(ctx context.Context, b *Budget, t target, guesses iter.Seq[guess], most int) (Verdict, bool) {
	v := Verdict{Scheme: t.scheme}
	if t.memory >= heavyMemory {
		select {
		case j.heavy <- struct{}{}:
			defer func() { <-j.heavy }()
		case <-ctx.Done():
			v.Untried = "cancelled"
			return v, false
		}
	}
	all := slices.Collect(guesses)
	tried := all[:min(most, len(all))]
	found, made, why := search(ctx, b, t, tried)
	if found < 0 && why != "" {
		v.Tried, v.Untried = made, fmt.Sprintf("%s after %d of %d guesses", why, made, len(all))
		v.CPU = time.Duration(made) * t.cost
		return v, false
	}
	if found < 0 {
		v.Tried = len(tried)
		if len(tried) < len(all) {
			v.Untried = fmt.Sprintf("%d of %d guesses made within the CPU budget", len(tried), len(all))
		}
	} else {
		v.Weak, v.Reason, v.Masked, v.Tried = true, tried[found].reason, Mask(tried[found].word), found+1
	}
	v.CPU = time.Duration(v.Tried) * t.cost
	return v, true
}

// search is the lowest index of a guess that fits, or -1; how many guesses were
// made at least; and why it was ended early.
func search(ctx context.Context, b *Budget, t target, guesses []guess) (index, made int, why string) {
	workers := min(runtime.GOMAXPROCS(0), len(guesses))
	if t.memory > 0 {
		workers = min(workers, int(totalMemory/t.memory))
	}
	var next, done atomic.Int64
	var slow atomic.Bool
	var found atomic.Int64
	found.Store(int64(len(guesses)))
	work := func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		before := cpuTime()
		for ctx.Err() == nil && !slow.Load() {
			i := next.Add(1) - 1
			if i >= found.Load() {
				return
			}
			if t.fits([]byte(guesses[i].word)) {
				lower(&found, i)
			}
			done.Add(1)
			if i%64 == 0 || t.cost > time.Millisecond {
				now := cpuTime()
				if !b.burn(now - before) {
					slow.Store(true)
				}
				before = now
			}
		}
	}
	var running sync.WaitGroup
	for range max(workers, 1) {
		running.Go(work)
	}
	running.Wait()
	switch at := int(found.Load()); {
	case at < len(guesses):
		return at, at + 1, ""
	case ctx.Err() != nil:
		return -1, int(done.Load()), "cancelled"
	case slow.Load():
		return -1, int(done.Load()), "the CPU time that was really used went over the budget"
	}
	return -1, int(done.Load()), ""
}

// lower sets v to i when i is less.
func lower(v *atomic.Int64, i int64) {
	for {
		old := v.Load()
		if i >= old || v.CompareAndSwap(old, i) {
			return
		}
	}
}
