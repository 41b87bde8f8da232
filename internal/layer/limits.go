package layer

import (
	"cmp"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
)

// Limits bounds what one layer may make us do. A zero field means its default.
type Limits struct {
	Entries int64 // tar entries; 2,000,000
	Bytes   int64 // decompressed bytes, holes of sparse files included when they are read; 40 GiB
	Ratio   int64 // decompressed bytes to one compressed byte; 200
	// RatioFrom is how many decompressed bytes are granted before Ratio counts,
	// because a few zero-filled megabytes in a small layer are honest; 64 MiB.
	RatioFrom int64
	NameBytes int // one path; 4096, the longest a Linux system call takes
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Entries:   cmp.Or(l.Entries, 2_000_000),
		Bytes:     cmp.Or(l.Bytes, 40<<30),
		Ratio:     cmp.Or(l.Ratio, 200),
		RatioFrom: cmp.Or(l.RatioFrom, 64<<20),
		NameBytes: cmp.Or(l.NameBytes, 4096),
	}
}

// Budget is what the layers of one image share: the same limits counted over
// all of them, so that a hundred layers just under a limit are still refused.
// Its methods may be called from several goroutines.
type Budget struct {
	blocks  sync.Pool // of *block: one layer's are the next one's
	limits  Limits
	entries atomic.Int64
	bytes   atomic.Int64
}

// NewBudget starts a budget of l.Entries and l.Bytes; the other limits do not add up.
func NewBudget(l Limits) *Budget { return &Budget{limits: l.withDefaults()} }

// block is a block of an earlier layer, or a new one.
func (b *Budget) block() *block {
	if b != nil {
		if old, ok := b.blocks.Get().(*block); ok {
			return old
		}
	}
	return &block{data: make([]byte, blockSize)}
}

func (b *Budget) keep(one *block) {
	if b != nil {
		one.err = nil
		b.blocks.Put(one)
	}
}

// Spend counts what a layer used, also one whose facts came from a cache.
func (b *Budget) Spend(entries, bytes int64) error {
	if b == nil {
		return nil
	}
	if b.entries.Add(entries) > b.limits.Entries {
		return fmt.Errorf("%w: more than %d over all layers", ErrEntries, b.limits.Entries)
	}
	if b.bytes.Add(bytes) > b.limits.Bytes {
		return fmt.Errorf("%w: more than %d over all layers", ErrBytes, b.limits.Bytes)
	}
	return nil
}

// The reasons a walk ends early. Every other error is the caller's reader's own.
var (
	ErrEntries    = errors.New("too many entries")
	ErrBytes      = errors.New("too many decompressed bytes")
	ErrRatio      = errors.New("compressed beyond the allowed ratio")
	ErrPath       = errors.New("unsafe path")
	ErrNotTar     = errors.New("not a tar stream")
	ErrCorrupt    = errors.New("corrupt stream")
	ErrCompressed = errors.New("unsupported compression")

	errNotLent = errors.New("layer: this content cannot be lent")
)
