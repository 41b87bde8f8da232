package oci

import (
	"context"
	"io"
	"io/fs"
	"os"
)

// countedReader counts, and keeps the error that is the reader's own.
type countedReader struct {
	r   io.Reader
	n   int64
	err error
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// impatient is a reader that ends with a context, also while the one that it
// reads waits: a pipe whose writer is silent cannot be interrupted. The read that
// waits then is left behind, and what it reads is thrown away.
type impatient struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte
	done chan outcome
}

type outcome struct {
	n   int
	err error
}

func (i *impatient) Read(p []byte) (int, error) {
	if i.ctx.Err() != nil {
		return 0, contextError(i.ctx)
	}
	if i.done == nil {
		i.buf, i.done = make([]byte, 256<<10), make(chan outcome, 1)
	}
	part := i.buf[:min(len(p), len(i.buf))]
	go func() {
		n, err := i.r.Read(part)
		i.done <- outcome{n, err}
	}()
	select {
	case <-i.ctx.Done():
		return 0, contextError(i.ctx)
	case o := <-i.done:
		return copy(p, part[:o.n]), o.err
	}
}

// openFile is os.Open that ends with a context: a named pipe is only open when
// somebody opens its other end. The open that waits then is left behind.
func openFile(ctx context.Context, name string, info fs.FileInfo) (*os.File, error) {
	if info.Mode().IsRegular() {
		return os.Open(name)
	}
	type opened struct {
		file *os.File
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		f, err := os.Open(name)
		done <- opened{f, err}
	}()
	select {
	case <-ctx.Done():
		return nil, contextError(ctx)
	case o := <-done:
		return o.file, o.err
	}
}
