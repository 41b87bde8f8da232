package main

import (
	"context"
	"io"
	"time"

	"breakwater"
	"breakwater/internal/oci"

	"github.com/schollz/progressbar/v3"
)

// scanBar shows how much of an image was read, on a terminal's error stream.
type scanBar struct{ bar *progressbar.ProgressBar }

func newScanBar(stderr io.Writer, quiet bool, total int64) *scanBar {
	w := terminal(stderr)
	if quiet || w == io.Discard {
		return &scanBar{}
	}
	return &scanBar{progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("scanning"),
		progressbar.OptionShowBytes(true), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))}
}

func (b *scanBar) end() {
	if b.bar != nil {
		_ = b.bar.Finish()
		_ = b.bar.Clear()
	}
}

// source counts what is read of src.
func (b *scanBar) source(src oci.Source) oci.Source {
	if b.bar == nil {
		return src
	}
	return watched{src, b.bar}
}

type watched struct {
	oci.Source
	bar *progressbar.ProgressBar
}

func (w watched) Blob(ctx context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	rc, err := w.Source.Blob(ctx, d, size)
	if err != nil {
		return nil, err
	}
	return counting{rc, w.bar}, nil
}

type counting struct {
	io.ReadCloser
	bar *progressbar.ProgressBar
}

func (c counting) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	_ = c.bar.Add(n)
	return n, err
}
