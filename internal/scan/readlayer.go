package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"breakwater"
	"breakwater/internal/baseline"
	"breakwater/internal/detect"
	"breakwater/internal/layer"
	"breakwater/internal/oci"
)

// errFacts ends a layer whose facts would fill the memory.
var errFacts = errors.New("more facts than allowed")

// readLayer streams one layer past every check. The walk only looks at the first
// bytes of each file; what more is to be seen of the stream lies in batches, which
// several goroutines look at. A layer is done when all have.
func (s *Scanner) readLayer(ctx context.Context, src oci.Source, d oci.Descriptor, want checks, budget *layer.Budget, read *atomic.Int64) (*LayerFacts, error) {
	// Cancelled first on the way out, so that a reader blocked on the network lets go.
	ctx, cancel := context.WithCancel(ctx)
	blob, err := src.Blob(ctx, d.Digest, d.Size)
	if err != nil {
		cancel()
		if foreign(d.MediaType) && breakwater.IsNotFound(err) {
			return &LayerFacts{Scanner: s.version(want), Absent: true}, nil
		}
		return nil, err
	}
	defer blob.Close()
	r := layer.Open(ctx, counted{blob, read}, s.limits.Layer, budget)
	defer r.Close()
	defer cancel()
	w := walk{scanner: s, look: s.looker(want), out: newCollector(s.detect, s.limits.Facts), r: r}
	if want.config {
		w.configs = newConfigs(s.opts.Passwords, w.out)
	}
	if err := w.run(ctx); err != nil {
		return nil, err
	}
	f, err := w.out.done(r.Stats())
	if err == nil {
		f.Scanner = s.version(want)
	}
	return f, err
}

// foreign reports whether a layer may by its type be absent from the registry.
func foreign(mediaType string) bool {
	return strings.Contains(mediaType, ".foreign.") || strings.Contains(mediaType, ".nondistributable.")
}

// counted adds what is read to a sum over all layers.
type counted struct {
	r io.Reader
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// The sizes of what is under way. Files of up to batchBytes are looked at in
// batches, which end when they hold so much, or when the stream has gone batchSpan
// beyond their first: each keeps the blocks of the stream that its files lie in.
// A file of up to maxInMemory is alone, and counts against the scanner's memory; a
// larger one is streamed.
const (
	batchBytes  = 256 << 10
	batchSpan   = 512 << 10
	batchFiles  = 1000 // many are empty, and their names are not
	maxInMemory = 8 << 20
	inFlight    = 48 << 20  // of files that are alone, over all scans of a scanner
	blockBytes  = 256 << 10 // what a file holds beyond its size, at either end
	maxLookers  = 4         // of one layer: inflating it keeps no more busy
)

// batch is files whose content is lent by the stream.
type batch struct {
	items []item
	loans []layer.Loan // of all items, in their order
	bytes int64
	from  int64 // place in the stream of the first
	held  int64 // of the scanner's memory
}

// item is a file that is to be looked at, with what its first bytes said.
type item struct {
	seq    int
	file   file
	kind   breakwater.FileKind
	want   detect.Want
	wanted bool // by want
	pieces int  // of the batch's loans
}

// walk reads one layer.
type walk struct {
	scanner *Scanner
	look    *looker
	out     *collector
	r       *layer.Reader
	configs *configs // nil: the check was not asked for
	batches chan *batch
	cur     *batch
}

func (w *walk) run(ctx context.Context) error {
	workers := min(runtime.GOMAXPROCS(0), maxLookers)
	w.batches = make(chan *batch, workers/2)
	var done sync.WaitGroup
	if w.configs != nil {
		done.Go(func() { w.configs.run(ctx) })
	}
	for range workers {
		done.Go(func() {
			for b := range w.batches {
				w.lookAt(ctx, b)
			}
		})
	}
	err := w.walk(ctx)
	if err == nil {
		err = w.flush(ctx)
	} else {
		w.abandon()
	}
	close(w.batches)
	if w.configs != nil {
		close(w.configs.queue)
	}
	done.Wait()
	if err == nil {
		err = w.out.failed()
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

func (w *walk) walk(ctx context.Context) error {
	for {
		e, err := w.r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		seq := w.out.entry(e)
		if e.Kind == layer.File && e.Path != "" {
			err = w.file(ctx, seq, e)
		}
		if err == nil {
			err = w.out.failed()
		}
		if err != nil {
			return err
		}
	}
}

func (w *walk) file(ctx context.Context, seq int, e layer.Entry) error {
	f := file{File: detect.File{Path: e.Path, Mode: e.Mode, Size: e.Size}, uid: e.UID, gid: e.GID, mode: chmod(e.Mode)}
	if e.Size > maxInMemory {
		s, err := w.look.large(ctx, f, w.r)
		if err != nil {
			return fmt.Errorf("%q: %w", e.Path, err)
		}
		if w.configs != nil && baseline.Wants(f.Path) {
			s.miss(breakwater.CheckBaseline, fmt.Sprintf("more than %d bytes: not read as configuration", maxInMemory))
		}
		w.out.add(seq, f, s)
		return nil
	}
	i, unfolded, err := w.begin(seq, f)
	if err != nil {
		return fmt.Errorf("%q: %w", f.Path, err)
	}
	config := w.configs != nil && baseline.Wants(f.Path)
	if !config && !w.look.needs(i) {
		w.out.add(seq, f, seen{kind: i.kind, fact: FileFact{Path: f.Path}})
		return nil
	}
	b, err := w.room(ctx, e.Size)
	if err != nil {
		return err
	}
	at := len(b.loans)
	if unfolded != nil {
		b.loans = append(b.loans, layer.Loan{Data: unfolded})
	} else {
		b.loans, err = w.r.Lend(b.loans)
	}
	i.pieces = len(b.loans) - at
	b.items, b.bytes = append(b.items, i), b.bytes+e.Size
	if err == nil && config {
		err = w.configs.offer(ctx, seq, f, contentOf(b.loans[at:]))
	}
	if err != nil {
		err = fmt.Errorf("%q: %w", f.Path, err)
	}
	switch {
	case b == w.cur: // which is abandoned with the walk
		return err
	case err != nil:
		w.drop(b)
		return err
	}
	return w.send(ctx, b)
}

// begin looks at the first bytes of a file. The content of a sparse one, which the
// stream cannot lend, is read.
func (w *walk) begin(seq int, f file) (i item, unfolded []byte, err error) {
	var head []byte
	if w.r.Lends() {
		head, err = w.r.Peek(detect.KindBytes)
	} else {
		unfolded = make([]byte, f.Size)
		if _, err = io.ReadFull(w.r, unfolded); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = layer.ErrCorrupt
		}
		head = unfolded
	}
	if err != nil {
		return i, nil, err
	}
	i = item{seq: seq, file: f, kind: detect.Kind(head, f.Size)}
	i.want, i.wanted = w.look.detect.Want(f.File, head[:min(len(head), detect.HeadBytes)])
	return i, unfolded, nil
}

// room is a batch that has room for a file of this size: the current one, a new
// one, or one for a large file alone.
func (w *walk) room(ctx context.Context, size int64) (*batch, error) {
	if size > batchBytes {
		held := size + 2*blockBytes
		if err := w.scanner.memory.Acquire(ctx, held); err != nil {
			return nil, err
		}
		b := w.scanner.batches.Get().(*batch)
		b.held = held
		return b, nil
	}
	at := w.r.Offset()
	if b := w.cur; b != nil && (b.bytes+size > batchBytes || at-b.from > batchSpan || len(b.items) >= batchFiles) {
		if err := w.flush(ctx); err != nil {
			return nil, err
		}
	}
	if w.cur == nil {
		w.cur = w.scanner.batches.Get().(*batch)
		w.cur.from = at
	}
	return w.cur, nil
}

// contentOf is what was lent.
func contentOf(loans []layer.Loan) [][]byte {
	content := make([][]byte, len(loans))
	for n, l := range loans {
		content[n] = l.Data
	}
	return content
}

func (w *walk) flush(ctx context.Context) error {
	b := w.cur
	w.cur = nil
	if b == nil {
		return nil
	}
	return w.send(ctx, b)
}

func (w *walk) send(ctx context.Context, b *batch) error {
	select {
	case w.batches <- b:
		return nil
	case <-ctx.Done():
		w.drop(b)
		return ctx.Err()
	}
}

func (w *walk) lookAt(ctx context.Context, b *batch) {
	at := 0
	for _, i := range b.items {
		if ctx.Err() != nil {
			break
		}
		w.out.add(i.seq, i.file, w.look.inMemory(ctx, i, contentOf(b.loans[at:at+i.pieces])))
		at += i.pieces
	}
	w.drop(b)
}

// abandon drops the current batch.
func (w *walk) abandon() {
	if w.cur != nil {
		w.drop(w.cur)
		w.cur = nil
	}
}

// drop gives back what a batch holds. Any goroutine may do so, for w.cur is the
// walk's alone.
func (w *walk) drop(b *batch) {
	for _, l := range b.loans {
		l.Release()
	}
	if b.held > 0 {
		w.scanner.memory.Release(b.held)
	}
	clear(b.items) // the names
	clear(b.loans)
	*b = batch{items: b.items[:0], loans: b.loans[:0]}
	w.scanner.batches.Put(b)
}

// chmod is a mode in the bits of chmod(1).
func chmod(m fs.FileMode) uint32 {
	out := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		out |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		out |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		out |= 0o1000
	}
	return out
}
