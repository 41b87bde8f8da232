package detect

import (
	"bytes"
	"io"
)

// Memory is a file that is held in memory whole, in one piece or several.
type Memory struct {
	*io.SectionReader
	pieces pieces
}

// InMemory is a file whose content is these pieces, which must not change.
func InMemory(content ...[]byte) *Memory {
	p := pieces(content)
	return &Memory{io.NewSectionReader(p, 0, p.size()), p}
}

// bytes is the whole content in one piece.
func (m *Memory) bytes() []byte {
	switch len(m.pieces) {
	case 0:
		return nil
	case 1:
		return m.pieces[0]
	}
	return bytes.Join(m.pieces, nil)
}

type pieces [][]byte

func (p pieces) size() (n int64) {
	for _, b := range p {
		n += int64(len(b))
	}
	return n
}

// ReadAt implements io.ReaderAt.
func (p pieces) ReadAt(out []byte, at int64) (n int, err error) {
	for _, b := range p {
		if at >= int64(len(b)) {
			at -= int64(len(b))
			continue
		}
		n += copy(out[n:], b[at:])
		if n == len(out) {
			return n, nil
		}
		at = 0
	}
	return n, io.EOF
}

// contains reports whether mark occurs, perhaps across pieces.
func (p pieces) contains(mark []byte) bool {
	var seam []byte // the last bytes so far, fewer than the mark has
	for _, b := range p {
		if len(seam) > 0 && bytes.Contains(append(seam, b[:min(len(b), len(mark)-1)]...), mark) || bytes.Contains(b, mark) {
			return true
		}
		seam = append(seam, b[max(0, len(b)-len(mark)+1):]...)
		seam = bytes.Clone(seam[max(0, len(seam)-len(mark)+1):])
	}
	return false
}
