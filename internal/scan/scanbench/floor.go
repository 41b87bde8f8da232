package scanbench

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"runtime"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"breakwater/internal/oci"
)

// Floor does what any scanner must do to an image: inflate, hash both streams,
// walk the archive. Layers are done side by side on all cores, and
// in each inflating, hashing and walking overlap. The library is that of the
// engine.
func Floor(ctx context.Context, src oci.Source, doc oci.Doc) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, l := range doc.Layers {
		g.Go(func() error {
			blob, err := src.Blob(ctx, l.Digest, l.Size) // hashes what it gives
			if err != nil {
				return err
			}
			defer blob.Close()
			return floorLayer(blob)
		})
	}
	return g.Wait()
}

func floorLayer(blob io.Reader) error {
	z, err := inflate(blob)
	if err != nil {
		return err
	}
	// A block goes from inflating to hashing to walking and back.
	hash, walk, free := make(chan []byte, 16), make(chan []byte, 16), make(chan []byte, 48)
	var inflate error
	var uses sync.WaitGroup
	uses.Go(func() {
		defer close(hash)
		for {
			var block []byte
			select {
			case block = <-free:
			default:
				block = make([]byte, 256<<10)
			}
			n, err := io.ReadFull(z, block[:cap(block)])
			hash <- block[:n]
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
					inflate = err
				}
				return
			}
		}
	})
	plain := sha256.New()
	uses.Go(func() {
		defer close(walk)
		for block := range hash {
			plain.Write(block)
			walk <- block
		}
	})
	t := tar.NewReader(&blocks{from: walk, free: free})
	for {
		if _, err = t.Next(); err != nil {
			break
		}
	}
	for range walk { // the rest of the stream
	}
	uses.Wait()
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, inflate)
}

// inflate knows the compression by the first bytes: gzip, zstd, or none.
func inflate(blob io.Reader) (io.Reader, error) {
	br := bufio.NewReaderSize(blob, 256<<10)
	head, err := br.Peek(4)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzip.NewReader(br)
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	}
	return br, nil
}

// blocks reads the blocks of a channel and gives them back.
type blocks struct {
	from chan []byte
	free chan []byte
	cur  []byte
	rest []byte
}

func (r *blocks) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		if r.cur != nil {
			r.free <- r.cur // has room for more blocks than are made
			r.cur = nil
		}
		block, ok := <-r.from
		if !ok {
			return 0, io.EOF
		}
		r.cur, r.rest = block, block
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
