package hss

import (
	"errors"
	"io"
	"strings"
)

// segment is a piece of a file that exists only while it is read.
type segment struct {
	io.ReaderAt
	size int64
}

func text(s string) segment { return segment{strings.NewReader(s), int64(len(s))} }

// segments is pieces in a row, readable at any offset: a file of any size that
// costs no disk and no memory.
type segments []segment

func (s segments) size() (n int64) {
	for _, p := range s {
		n += p.size
	}
	return n
}

// reader is the whole, for serving ranges.
func (s segments) reader() *io.SectionReader { return io.NewSectionReader(s, 0, s.size()) }

// ReadAt fills b from the pieces that the range touches.
func (s segments) ReadAt(b []byte, off int64) (n int, err error) {
	for _, p := range s {
		if off >= p.size {
			off -= p.size
			continue
		}
		want := b[n:min(len(b), n+int(min(p.size-off, int64(len(b)))))]
		got, err := p.ReadAt(want, off)
		n += got
		if got < len(want) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // the piece has become shorter
			}
			return n, err
		}
		if n == len(b) {
			return n, nil
		}
		off = 0
	}
	return n, io.EOF
}
