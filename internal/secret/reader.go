package secret

import (
	"bytes"
	"errors"
	"io"

	"breakwater"
)

// The sizes in which Reader takes a text.
const (
	chunkBytes   = 4 << 20
	overlapBytes = 64 << 10
)

// Reader is Find over a text that is too large for memory. It holds about 4 MiB
// of it at a time. Its findings are those of Find, as long as a match and what
// its rule looks at around it are shorter than 64 KiB, and for the few rules whose
// keyword need not be part of the match, the keyword is near. What lies behind
// Options.MaxFile is not looked at and makes an error of kind TooLarge, beside
// what was found before.
func (f *Finder) Reader(path string, r io.Reader) ([]breakwater.Secret, error) {
	if !f.Wants(path) {
		return nil, nil
	}
	return f.read(path, r, chunkBytes, overlapBytes)
}

// place is where a chunk begins in the whole text.
type place struct {
	offset int
	line   int // line feeds before it
	column int // bytes since the last line feed
}

func (p place) after(b []byte) place {
	p.offset += len(b)
	p.line += bytes.Count(b, []byte{'\n'})
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		p.column = len(b) - i - 1
	} else {
		p.column += len(b)
	}
	return p
}

// read walks the text in chunks. A buffer is: what was judged already, as context
// for what follows; the chunk; what follows it, which the next buffer judges.
func (f *Finder) read(path string, r io.Reader, chunk, overlap int) ([]breakwater.Secret, error) {
	limited := &io.LimitedReader{R: r, N: f.max}
	buf := make([]byte, 0, chunk+2*overlap)
	var found []finding
	at, judged := place{}, 0
	for last := false; !last; {
		n, err := io.ReadFull(limited, buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		last = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !last {
			return report(path, filter(found)), breakwater.Wrap(breakwater.KindUnavailable, err, "a file could not be read to its end")
		}
		upTo := len(buf) - overlap
		if last {
			upTo = len(buf) + 1
		}
		found = f.take(found, path, buf, at, judged, upTo)
		if !last {
			keep := upTo - overlap
			at = at.after(buf[:keep])
			buf = buf[:copy(buf, buf[keep:])]
			judged = overlap
		}
	}
	secrets := report(path, filter(found))
	if limited.N <= 0 {
		if n, _ := io.ReadFull(r, make([]byte, 1)); n > 0 {
			return secrets, breakwater.Errorf(breakwater.KindTooLarge, "a file is larger than %d bytes, and only its beginning was searched for secrets", f.max)
		}
	}
	return secrets, nil
}

// take adds the findings of a buffer that begin in [from, to).
func (f *Finder) take(found []finding, path string, buf []byte, at place, from, to int) []finding {
	for _, fi := range f.engine.scan(path, buf) {
		if fi.start < from || fi.start >= to || fi.rule.re == nil && at.offset > 0 || len(found) >= maxOfRule*4 {
			continue
		}
		fi.column = columnOf(buf, fi.start)
		if fi.column == fi.start+1 {
			fi.column += at.column
		}
		fi.line = at.line + fi.loc.startLine + 1
		fi.loc.startLine += at.line
		fi.start, fi.end = fi.start+at.offset, fi.end+at.offset
		found = append(found, fi)
	}
	return found
}
