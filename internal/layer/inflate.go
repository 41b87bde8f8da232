package layer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression is how a layer's bytes were found to be packed.
type Compression string

// The compressions.
const (
	Plain Compression = "none"
	Gzip  Compression = "gzip"
	Zstd  Compression = "zstd"
)

// maxWindow bounds the memory that one zstd stream may ask for; 128 MiB is what
// the zstd tool itself accepts without being told to take more.
const maxWindow = 128 << 20

// sniff decides the compression by the first bytes. bzip2 and xz are named in
// the error because Docker once accepted them and OCI never did.
func sniff(br *bufio.Reader) (Compression, error) {
	head, err := br.Peek(6)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return Gzip, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return Zstd, nil
	case len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:4], []byte{0x2a, 0x4d, 0x18}):
		return Zstd, nil // a skippable frame first, as seekable zstd writes it
	case bytes.HasPrefix(head, []byte("BZh")):
		return "", fmt.Errorf("%w: bzip2", ErrCompressed)
	case bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z', 0}):
		return "", fmt.Errorf("%w: xz", ErrCompressed)
	}
	return Plain, nil
}

// inflate returns the decompressed stream of br. Its errors about the
// compressed data are ErrCorrupt; those of the reader below come through.
func inflate(br *bufio.Reader, src *counter) (io.Reader, Compression, func(), error) {
	kind, err := sniff(br)
	if err != nil {
		return nil, "", nil, err
	}
	switch kind {
	case Gzip:
		m := &members{br: br, src: src}
		return m, kind, func() {}, nil
	case Zstd:
		// One goroutine: the block pipe above already gives the concurrency.
		dec, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, "", nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return &blamed{r: dec, src: src}, kind, dec.Close, nil
	}
	return br, kind, func() {}, nil
}

// members reads a gzip stream member by member. Bytes after the last member
// that are no gzip header are passed over, as gzip itself does, so that they
// count for the digest and not for the content.
type members struct {
	br  *bufio.Reader
	src *counter
	gz  *gzip.Reader
	end bool
}

func (m *members) Read(p []byte) (int, error) {
	for {
		if m.end {
			return 0, io.EOF
		}
		if m.gz == nil {
			gz, err := gzip.NewReader(m.br)
			if err != nil {
				return 0, blame(m.src, err)
			}
			gz.Multistream(false)
			m.gz = gz
		}
		n, err := m.gz.Read(p)
		if err == nil {
			return n, nil
		}
		if err != io.EOF {
			return n, blame(m.src, err)
		}
		if err := m.next(); err != nil {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
}

// next moves to the following member, or to the end of the source.
func (m *members) next() error {
	head, err := m.br.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.Equal(head, []byte{0x1f, 0x8b, 8}) {
		m.end = true
		_, err := io.Copy(io.Discard, m.br)
		return err
	}
	if err := m.gz.Reset(m.br); err != nil {
		return blame(m.src, err)
	}
	m.gz.Multistream(false)
	return nil
}

// blamed gives a decompressor's errors their cause.
type blamed struct {
	r   io.Reader
	src *counter
}

func (b *blamed) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF {
		err = blame(b.src, err)
	}
	return n, err
}

// blame tells a broken stream from a broken source: when the reader below
// failed, its error counts, since decompressors replace or wrap it.
func blame(src *counter, err error) error {
	if src.err != nil && src.err != io.EOF {
		return src.err
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// counter counts the compressed bytes and keeps the source's last error. It is
// used by one goroutine; others read n through the pipe's blocks.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil {
		c.err = err
	}
	return n, err
}
