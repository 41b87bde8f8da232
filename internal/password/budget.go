package password

import (
	"sync/atomic"
	"time"
)

// slack is how many times the budget may really be used before the clock ends
// the guessing: machines differ, and verdicts should not.
const slack = 3

// Budget is the CPU time that the hashes of one image share. Its methods may be
// called from several goroutines; verdicts are the same on every run when the
// hashes of an image are asked about in the same order.
type Budget struct {
	left atomic.Int64 // nanoseconds of the cost table
	real atomic.Int64 // nanoseconds of the clock that may still be used
}

// NewBudget starts a budget of d of CPU time; none of it when d is not positive.
func NewBudget(d time.Duration) *Budget {
	b := &Budget{}
	d = max(d, 0)
	b.left.Store(int64(d))
	b.real.Store(int64(d) * slack)
	return b
}

// Left is what has not been spent, by the cost table.
func (b *Budget) Left() time.Duration { return max(0, time.Duration(b.left.Load())) }

func (b *Budget) spend(d time.Duration) { b.left.Add(-int64(d)) }

// burn counts CPU time that was really used, and reports whether any is left.
func (b *Budget) burn(d time.Duration) bool { return b.real.Add(-int64(d)) > 0 }
