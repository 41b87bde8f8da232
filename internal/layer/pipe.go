package layer

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

// pipe inflates in one goroutine, hashes in a second, and is read by the
// caller's. Close ends and waits for both.
type pipe struct {
	free *freeBlocks
	hash chan *block
	walk chan *block
	done sync.WaitGroup

	// the walk's alone
	cur   *block
	front []byte // bytes before rest that lay in more than one block, see peek
	rest  []byte
	err   error // what ended the stream, once the walk has met it
	at    int64 // bytes given or passed over
	lent  int64 // bytes at the front that lend gave already

	kind       Compression
	diff       hash.Hash
	compressed atomic.Int64
	plain      atomic.Int64
}

func newPipe(ctx context.Context, src io.Reader, limits Limits, budget *Budget) *pipe {
	p := &pipe{
		free: newFreeBlocks(blocks, budget),
		hash: make(chan *block, blocks),
		walk: make(chan *block, blocks),
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
	for {
		b := p.free.take()
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
		p.hash <- b
		p.walk <- b // never blocks: no more places are needed than blocks that are not lent
		if err != nil {
			return
		}
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
		p.free.release(b)
	}
}

// Read is the walk's side of the stream. Bytes that were lent are read as
// whatever out holds: their reader has passed them over already.
func (p *pipe) Read(out []byte) (int, error) {
	if p.lent > 0 {
		n := int(min(int64(len(out)), p.lent))
		p.lent -= int64(n)
		return n, nil
	}
	if err := p.fill(); err != nil {
		return 0, err
	}
	n := copy(out, p.next(len(out)))
	return n, nil
}

// fill makes the next byte available.
func (p *pipe) fill() error {
	for len(p.front) == 0 && len(p.rest) == 0 {
		if p.err != nil {
			return p.err
		}
		if err := p.advance(); err != nil {
			return err
		}
	}
	return nil
}

// next takes up to n bytes of those available.
func (p *pipe) next(n int) (b []byte) {
	from := &p.rest
	if len(p.front) > 0 {
		from = &p.front
	}
	n = min(n, len(*from))
	b, *from = (*from)[:n:n], (*from)[n:]
	p.at += int64(n)
	return b
}

// Seek passes over bytes; nothing else is possible in a stream. The end of the
// stream ends it early, as the place that it answers tells. archive/tar uses it
// for files that nobody reads.
func (p *pipe) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || offset < 0 {
		return 0, errors.ErrUnsupported
	}
	n := min(offset, p.lent)
	p.lent -= n
	place := p.at - p.lent
	for left := offset - n; left > 0; {
		if err := p.fill(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return place, err
		}
		n := int64(len(p.next(int(min(left, blockSize)))))
		left, place = left-n, place+n
	}
	return place, nil
}

// peek shows the next n bytes without taking them.
func (p *pipe) peek(n int) ([]byte, error) {
	if len(p.front) == 0 && len(p.rest) >= n {
		return p.rest[:n:n], nil
	}
	if len(p.front) < n {
		joined := make([]byte, 0, n)
		for len(joined) < n {
			if err := p.fill(); err != nil {
				return nil, err
			}
			b := p.next(n - len(joined))
			joined = append(joined, b...)
			p.at -= int64(len(b))
		}
		p.front = joined
	}
	return p.front[:n:n], nil
}

// lend takes the next n bytes as pieces of the stream itself. For Read and Seek
// they are still to come, as the reader of the archive believes them to be.
func (p *pipe) lend(n int64, loans []Loan) ([]Loan, error) {
	p.lent = n
	for n > 0 {
		if err := p.fill(); err != nil {
			return loans, err
		}
		l := Loan{free: p.free}
		if len(p.front) == 0 {
			l.block = p.cur
			p.free.lend(l.block)
		}
		l.Data = p.next(int(min(n, blockSize)))
		loans = append(loans, l)
		n -= int64(len(l.Data))
	}
	return loans, nil
}

// advance takes the next block.
func (p *pipe) advance() error {
	if p.cur != nil {
		err := p.cur.err
		p.free.release(p.cur)
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
	p.front, p.lent = nil, 0
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
	p.free.close()
	p.done.Wait()
	for b := range p.walk {
		p.free.release(b)
	}
	if p.cur != nil {
		p.free.release(p.cur)
	}
	p.cur, p.front, p.rest = nil, nil, nil
	if p.err == nil {
		p.err = io.ErrClosedPipe
	}
}

// diffID is valid after the stream was drained and the pipe closed.
func (p *pipe) diffID() string { return "sha256:" + hex.EncodeToString(p.diff.Sum(nil)) }
