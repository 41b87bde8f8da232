package layer

import (
	"sync"
	"sync/atomic"
)

// block is a piece of the decompressed stream. It is free again when all who
// use it have let it go: the hash, the walk, and those the walk lent it to.
type block struct {
	data []byte
	uses atomic.Int32
	err  error // ends the stream after data
	lent bool  // guarded by freeBlocks.mu
}

// freeBlocks is the blocks of one pipe that nobody uses. The one that was used
// last is given first, because a cache of the processor may still hold it. There
// are at most as many as the pipe itself needs, and one more for each that is
// lent: lending never brings the inflating to a halt.
type freeBlocks struct {
	budget *Budget

	mu      sync.Mutex
	ready   sync.Cond
	blocks  []*block
	made    int
	allowed int
	closed  bool
}

func newFreeBlocks(n int, budget *Budget) *freeBlocks {
	f := &freeBlocks{allowed: n, budget: budget}
	f.ready.L = &f.mu
	return f
}

// take is a free block, or a new one while there are few: a small layer never
// needs the second. nil means that the pipe was closed.
func (f *freeBlocks) take() *block {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.closed {
		if n := len(f.blocks); n > 0 {
			b := f.blocks[n-1]
			f.blocks = f.blocks[:n-1]
			return b
		}
		if f.made < f.allowed {
			f.made++
			return f.budget.block()
		}
		f.ready.Wait()
	}
	return nil
}

// lend makes room for another block in place of b, which somebody keeps.
func (f *freeBlocks) lend(b *block) {
	b.uses.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !b.lent {
		b.lent = true
		f.allowed++
		f.ready.Signal()
	}
}

// release ends one use of b.
func (f *freeBlocks) release(b *block) {
	if b.uses.Add(-1) > 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if b.lent {
		b.lent = false
		f.allowed--
	}
	if f.closed || f.made > f.allowed {
		f.made--
		f.budget.keep(b)
		return
	}
	f.blocks = append(f.blocks, b)
	f.ready.Signal()
}

// close ends the waiting for blocks. Those that are still lent go to the budget
// when they come back.
func (f *freeBlocks) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for _, b := range f.blocks {
		f.made--
		f.budget.keep(b)
	}
	f.blocks = nil
	f.ready.Broadcast()
}

// Loan is a piece of the decompressed stream that may be looked at, and not
// written to, until Release.
type Loan struct {
	Data  []byte
	block *block // nil when Data is memory of its own
	free  *freeBlocks
}

// Release gives the piece back. It is called once, by any goroutine.
func (l Loan) Release() {
	if l.block != nil {
		l.free.release(l.block)
	}
}
