package detect

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Options of a Detector; the zero value is good.
type Options struct {
	Buffer  int64  // largest file held in memory; 64 MiB
	Spill   int64  // largest binary, archive or rpm database read through a temp file; 1 GiB
	TempDir string // where private temp directories are made; the system's
}

// Detector reads facts out of files. It may be used by several goroutines.
type Detector struct {
	opts    Options
	formats []format
	use     extractors
	buffers sync.Pool
}

// New makes a detector with the list of formats.go.
func New(opts Options) (*Detector, error) {
	quietly()
	use, err := build()
	if err != nil {
		return nil, fmt.Errorf("detect.New: %w", err)
	}
	opts.Buffer = cmp.Or(opts.Buffer, 64<<20)
	opts.Spill = cmp.Or(opts.Spill, 1<<30)
	d := &Detector{opts: opts, formats: formats(), use: use}
	d.buffers.New = func() any { return new(bytes.Buffer) }
	return d, nil
}

// Wants reports whether the path alone says that a file holds facts.
func (d *Detector) Wants(p string) bool { return d.byPath(p) != nil }

func (d *Detector) byPath(p string) *format {
	for i := range d.formats {
		if f := &d.formats[i]; f.match != nil && f.match(p) {
			return f
		}
	}
	return nil
}

// Detect reads one file. ok is false when the file is of no kind that holds
// facts; then at most its first bytes were read. The error is the reader's own:
// whatever is wrong with the file itself is told in Facts.Skipped.
func (d *Detector) Detect(ctx context.Context, f File, r io.Reader) (facts Facts, ok bool, err error) {
	format := d.byPath(f.Path)
	if format == nil {
		var head []byte
		if format, head, err = d.byContent(f, r); format == nil || err != nil {
			return Facts{}, false, err
		}
		r = io.MultiReader(bytes.NewReader(head), r)
	}
	limit := cmp.Or(format.limit, d.opts.Buffer)
	if format.spill {
		limit = max(d.opts.Spill, d.opts.Buffer)
	}
	if f.Size > limit {
		return Facts{Skipped: fmt.Sprintf("larger than the limit of %d bytes for this kind of file (%s)", limit, format.name)}, true, nil
	}
	if f.Size <= d.opts.Buffer && format.name != "rpm" {
		facts, err = d.fromMemory(ctx, format, f, r)
	} else {
		facts, err = d.fromDisk(ctx, format, f, r)
	}
	if err != nil {
		return Facts{}, true, err
	}
	tidy(&facts)
	return facts, true, ctx.Err()
}

// byContent looks at the first bytes; executables come under any name.
func (d *Detector) byContent(f File, r io.Reader) (*format, []byte, error) {
	if f.Size < minBinary {
		return nil, nil, nil
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, nil, err
	}
	if !isBinary(head) {
		return nil, nil, nil
	}
	for i := range d.formats {
		if d.formats[i].match == nil {
			return &d.formats[i], head, nil
		}
	}
	return nil, nil, nil
}

// keepBuffer is the largest buffer that is kept for the next file.
const keepBuffer = 16 << 20

func (d *Detector) fromMemory(ctx context.Context, format *format, f File, r io.Reader) (Facts, error) {
	buf := d.buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= keepBuffer {
			buf.Reset()
			d.buffers.Put(buf)
		}
	}()
	buf.Grow(int(f.Size) + bytes.MinRead) // Size is at most Options.Buffer here
	if _, err := io.Copy(buf, io.LimitReader(r, f.Size)); err != nil {
		return Facts{}, err
	}
	f.Size = int64(buf.Len())
	return d.read(ctx, format, input{File: f, r: bytes.NewReader(buf.Bytes())}), nil
}

// fromDisk copies the file into a private directory that does not outlive the call.
func (d *Detector) fromDisk(ctx context.Context, format *format, f File, r io.Reader) (Facts, error) {
	dir, err := os.MkdirTemp(d.opts.TempDir, "breakwater-")
	if err != nil {
		return Facts{}, fmt.Errorf("detect: private directory: %w", err)
	}
	defer os.RemoveAll(dir)
	real := filepath.Join(dir, "file")
	tmp, err := os.OpenFile(real, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return Facts{}, fmt.Errorf("detect: temp file: %w", err)
	}
	defer tmp.Close()
	n, err := io.Copy(tmp, io.LimitReader(r, f.Size))
	if err != nil {
		return Facts{}, err
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return Facts{}, fmt.Errorf("detect: temp file: %w", err)
	}
	f.Size = n
	return d.read(ctx, format, input{File: f, r: tmp, real: real}), nil
}

// read runs a format's reader and turns its failure, or its panic, into a
// reason. What it found before it failed is kept.
func (d *Detector) read(ctx context.Context, format *format, in input) (facts Facts) {
	defer func() {
		if v := recover(); v != nil {
			facts = Facts{Skipped: "the reader of this kind of file crashed (" + format.name + ")"}
		}
	}()
	facts, err := format.read(ctx, d, in)
	if err != nil && !errors.Is(err, errEmpty) {
		facts.Skipped = clip(fmt.Sprintf("not wholly readable as %s: %v", format.name, err))
	}
	return facts
}

// errEmpty is a file that is of its format and holds nothing.
var errEmpty = errors.New("empty")

// clip bounds a reason and keeps it on one line.
func clip(s string) string {
	const most = 200
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > most {
		s = s[:most] + "…"
	}
	return string(bytes.ToValidUTF8([]byte(s), []byte("?")))
}
