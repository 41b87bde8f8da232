package layer

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// Kind is what an entry is.
type Kind string

// The kinds of entry.
const (
	File     Kind = "file"
	Dir      Kind = "dir"
	Symlink  Kind = "symlink"  // Link is the target as written, not followed
	Hardlink Kind = "hardlink" // Link is the cleaned path of the other name
	Device   Kind = "device"   // also pipes
	Whiteout Kind = "whiteout" // Path of lower layers is gone, with all below it
	Opaque   Kind = "opaque"   // all that lower layers hold below Path is gone
	Ignored  Kind = "ignored"  // bookkeeping that is no content
)

// Entry is one entry of a layer.
type Entry struct {
	Path string // cleaned; "" is the root itself
	Kind Kind
	Mode fs.FileMode
	Size int64
	Link string
	UID  int
	GID  int
}

// Reader walks one layer. It is used by one goroutine.
type Reader struct {
	pipe      *pipe
	tar       *tar.Reader
	limits    Limits
	budget    *Budget
	entries   int64
	delivered int64
	left      int64 // of the current file as the stream holds it; -1 when it is sparse
	ended     bool
}

// Open starts reading a layer of any of the three compressions. It does not
// close src. budget may be nil; otherwise it is shared by the layers of an image.
func Open(ctx context.Context, src io.Reader, limits Limits, budget *Budget) *Reader {
	limits = limits.withDefaults()
	p := newPipe(ctx, src, limits, budget)
	return &Reader{pipe: p, tar: tar.NewReader(p), limits: limits, budget: budget}
}

// Next moves to the next entry; io.EOF is answered after the whole source was
// read without an error. Whatever else it answers ends the walk.
func (r *Reader) Next() (Entry, error) {
	if r.ended {
		return Entry{}, io.EOF
	}
	r.left = -1
	h, err := r.tar.Next()
	if errors.Is(err, io.EOF) {
		if err := r.pipe.drain(); err != nil {
			return Entry{}, err
		}
		r.ended = true
		return Entry{}, io.EOF
	}
	if err != nil && !(errors.Is(err, tar.ErrInsecurePath) && h != nil) {
		return Entry{}, r.explain(err)
	}
	r.entries++
	if r.entries > r.limits.Entries {
		return Entry{}, fmt.Errorf("%w: more than %d", ErrEntries, r.limits.Entries)
	}
	if err := r.budget.Spend(1, 0); err != nil {
		return Entry{}, err
	}
	return r.entry(h)
}

// entry turns a header into an entry, or refuses it.
func (r *Reader) entry(h *tar.Header) (Entry, error) {
	name, err := Clean(h.Name, r.limits.NameBytes)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Path: name, Mode: h.FileInfo().Mode(), Size: h.Size, UID: h.Uid, GID: h.Gid}
	if e.Kind, e.Path, err = removal(name); err != nil || e.Kind != File {
		return e, err
	}
	switch h.Typeflag {
	case tar.TypeReg, tar.TypeCont:
		if !sparse(h) {
			r.left = h.Size
		}
	case tar.TypeGNUSparse:
	case tar.TypeDir:
		e.Kind = Dir
	case tar.TypeSymlink:
		e.Kind, e.Link = Symlink, h.Linkname
		if len(e.Link) > r.limits.NameBytes {
			return e, fmt.Errorf("%w: a link longer than %d bytes", ErrPath, r.limits.NameBytes)
		}
	case tar.TypeLink:
		e.Kind = Hardlink
		e.Link, err = Clean(h.Linkname, r.limits.NameBytes)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		e.Kind = Device
	default:
		e.Kind = Ignored
	}
	return e, err
}

// sparse reports whether the content that the stream holds is not the file's.
func sparse(h *tar.Header) bool {
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// Lends reports whether Peek and Lend can give the content of the current file:
// it is not sparse, and none of it was read.
func (r *Reader) Lends() bool { return r.left >= 0 }

// Peek shows the first n bytes of the current file, or the whole of a smaller
// one, until the next call. Read and Lend give them again.
func (r *Reader) Peek(n int) ([]byte, error) {
	if !r.Lends() {
		return nil, errNotLent
	}
	b, err := r.pipe.peek(int(min(int64(n), r.left)))
	return b, r.cut(err)
}

// Lend appends the content of the current file to loans, without copying it:
// pieces of the stream, of which the first is as long as what Peek showed. The
// caller releases each, also those that come with an error. While loans are out
// their memory comes on top of the Reader's own.
func (r *Reader) Lend(loans []Loan) ([]Loan, error) {
	if !r.Lends() {
		return loans, errNotLent
	}
	loans, err := r.pipe.lend(r.left, loans)
	r.delivered += r.left
	r.left = -1
	if err == nil && r.delivered > r.limits.Bytes {
		err = fmt.Errorf("%w: more than %d", ErrBytes, r.limits.Bytes)
	}
	return loans, r.cut(err)
}

// Offset is how much of the decompressed stream was given or passed over.
func (r *Reader) Offset() int64 { return r.pipe.at }

// cut is an error of the stream in the middle of a file, where no end may be.
func (r *Reader) cut(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", ErrCorrupt, io.ErrUnexpectedEOF)
	}
	return err
}

// Read reads the current file, unless that was lent. Holes of sparse files count as bytes, since
// reading them costs as much.
func (r *Reader) Read(p []byte) (int, error) {
	if r.pipe.lent > 0 {
		return 0, errNotLent
	}
	n, err := r.tar.Read(p)
	r.left = -1
	r.delivered += int64(n)
	if r.delivered > r.limits.Bytes {
		return n, fmt.Errorf("%w: more than %d", ErrBytes, r.limits.Bytes)
	}
	if err != nil && err != io.EOF {
		err = r.explain(err)
	}
	return n, err
}

// explain prefers what ended the stream to what the tar reader makes of it.
func (r *Reader) explain(err error) error {
	if r.pipe.err != nil && r.pipe.err != io.EOF {
		return r.pipe.err
	}
	if errors.Is(err, tar.ErrHeader) {
		if r.entries == 0 {
			return fmt.Errorf("%w: %w", ErrNotTar, err)
		}
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, tar.ErrFieldTooLong) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// Close ends the reading and waits for the goroutines below. The caller cancels
// the context or closes the source first when that may be blocked.
func (r *Reader) Close() { r.pipe.Close() }

// Stats is what a walk has seen.
type Stats struct {
	DiffID      string // digest of the decompressed bytes; only after Next answered io.EOF
	Compression Compression
	Compressed  int64
	Bytes       int64
	Entries     int64
}

// Stats closes the reader and says what it has seen.
func (r *Reader) Stats() Stats {
	r.pipe.Close()
	s := Stats{Compression: r.pipe.kind, Compressed: r.pipe.compressed.Load(), Bytes: r.pipe.plain.Load(), Entries: r.entries}
	if r.ended {
		s.DiffID = r.pipe.diffID()
	}
	return s
}
