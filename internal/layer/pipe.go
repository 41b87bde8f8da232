package layer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"
)

// The pipe moves decompressed bytes in blocks of this size; enough of them are
// in flight to keep inflating, hashing and walking busy at the same time.
const (
	blockSize   = 256 << 10
	blocks      = 16
	sourceBytes = 256 << 10
)

// block is a piece of the decompressed stream; it returns to the free list when
// both of its readers, the hash and the walk, have let it go.
type block struct {
	data []byte
	uses atomic.Int32
	err  error // ends the stream after data
}

// pipe inflates in one goroutine, hashes in a second, and is read by the
// caller's. Close ends and waits for both.
type pipe struct {
	free chan *block
	hash chan *block
	walk chan *block
	stop chan struct{}
	once sync.Once
	done sync.WaitGroup

	cur  *block
	rest []byte
	err  error // what ended the stream, once the walk has met it

	kind       Compression
	diff       hash.Hash
	compressed atomic.Int64
	plain      atomic.Int64
}

func newPipe(ctx context.Context, src io.Reader, limits Limits, budget *Budget) *pipe {
	p := &pipe{
		free: make(chan *block, blocks),
		hash: make(chan *block, blocks),
		walk: make(chan *block, blocks),
		stop: make(chan struct{}),
		diff: sha256.New(),
	}
	p.done.Add(2)
	go p.produce(ctx, src, limits, budget)
	go p.digest()
	return p
}

// produce fills blocks until the stream ends; the last block carries the error,
// io.EOF included.
func (p *pipe) produce(ctx context.Context, src io.Reader, limits Limits, budget *Budget) {
	defer p.done.Done()
	defer close(p.hash)
	defer close(p.walk)
	count := &counter{r: src}
	br := bufio.NewReaderSize(count, sourceBytes)
	r, kind, closeInflate, err := inflate(br, count)
	if err == nil {
		defer closeInflate()
	}
	p.kind = kind // published to the walk by the first block
	for made := 0; ; {
		b := p.take(&made)
		if b == nil {
			return
		}
		b.data = b.data[:cap(b.data)]
		n := 0
		for err == nil && n < len(b.data) {
			var m int
			m, err = r.Read(b.data[n:])
			n += m
		}
		b.data = b.data[:n]
		p.compressed.Store(count.n)
		if err == nil || err == io.EOF {
			if bad := p.check(ctx, int64(n), limits, budget); bad != nil {
				err = bad
				b.data = b.data[:0] // nothing beyond a limit is handed on
			}
		}
		b.err = err
		b.uses.Store(2)
		p.hash <- b // never blocks: no more blocks than places
		p.walk <- b
		if err != nil {
			return
		}
	}
}

// take is a free block, or a new one while there are few: a small layer never
// needs the second. nil means that the reader was closed.
func (p *pipe) take(made *int) *block {
	select {
	case b := <-p.free:
		return b
	default:
	}
	if *made < blocks {
		*made++
		return &block{data: make([]byte, blockSize)}
	}
	select {
	case b := <-p.free:
		return b
	case <-p.stop:
		return nil
	}
}

// check holds the stream against the limits after each block.
func (p *pipe) check(ctx context.Context, n int64, limits Limits, budget *Budget) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	plain := p.plain.Add(n)
	if plain > limits.Bytes {
		return fmt.Errorf("%w: more than %d", ErrBytes, limits.Bytes)
	}
	// Ratio divides, so that no product can overflow.
	if plain > limits.RatioFrom && plain/limits.Ratio > p.compressed.Load() {
		return fmt.Errorf("%w: more than %d to one", ErrRatio, limits.Ratio)
	}
	return budget.Spend(0, n)
}

func (p *pipe) digest() {
	defer p.done.Done()
	for b := range p.hash {
		p.diff.Write(b.data)
		p.release(b)
	}
}

func (p *pipe) release(b *block) {
	if b.uses.Add(-1) == 0 {
		p.free <- b
	}
}

// Read is the walk's side of the stream.
func (p *pipe) Read(out []byte) (int, error) {
	for len(p.rest) == 0 {
		if p.err != nil {
			return 0, p.err
		}
		if err := p.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(out, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// advance takes the next block.
func (p *pipe) advance() error {
	if p.cur != nil {
		err := p.cur.err
		p.release(p.cur)
		p.cur, p.rest = nil, nil
		if err != nil {
			p.err = err
			return err
		}
	}
	b, ok := <-p.walk
	if !ok {
		p.err = io.ErrClosedPipe
		return p.err
	}
	p.cur, p.rest = b, b.data
	return nil
}

// drain reads the stream to its end without copying it.
func (p *pipe) drain() error {
	for p.err == nil {
		p.rest = nil
		if err := p.advance(); err != nil && err != io.EOF {
			return err
		}
	}
	if p.err == io.EOF {
		return nil
	}
	return p.err
}

// Close ends both goroutines and waits for them. A source blocked in a read
// holds it up: the caller cancels or closes its source first.
func (p *pipe) Close() {
	p.once.Do(func() { close(p.stop) })
	p.done.Wait()
}

// diffID is valid after the stream was drained and the pipe closed.
func (p *pipe) diffID() string { return "sha256:" + hex.EncodeToString(p.diff.Sum(nil)) }
