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
)

// Options of a Detector; the zero value is good.
type Options struct {
	Buffer  int64  // largest file of a kind without a limit of its own that is not spilled; 64 MiB
	Spill   int64  // largest binary, archive or rpm database read through a temp file; 1 GiB
	TempDir string // where private temp directories are made; the system's
}

// Detector reads packages and what belongs to them out of files. It may be used
// by several goroutines.
type Detector struct {
	opts    Options
	formats []format
	use     extractors
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
	return &Detector{opts: opts, formats: formats(), use: use}, nil
}

// Wants reports whether the path alone says that a file holds facts.
func (d *Detector) Wants(p string) bool {
	f := d.byPath(p)
	return f != nil && !f.binary
}

func (d *Detector) byPath(p string) *format {
	for i := range d.formats {
		if f := &d.formats[i]; f.match != nil && f.match(p) {
			return f
		}
	}
	return nil
}

// Database reports whether a file of this path is where a package manager of an
// operating system keeps what is installed.
func Database(p string) bool { return isDpkgStatus(p) || isApk(p) || isRPM(p) || isPacman(p) }

// Want is a file that is to be read, and as what.
type Want struct {
	format *format
	// Skip is why the file is not to be read after all: it is too large.
	Skip string
	// Archive says that the reader opens the archives inside.
	Archive bool
}

// HeadBytes is how much of a file Want has to see.
const HeadBytes = 4

// Want decides by path, and by the first bytes, which are at most the file's
// own, whether a file holds facts.
func (d *Detector) Want(f File, head []byte) (w Want, ok bool) {
	w.format = d.byPath(f.Path)
	program := f.Size >= minBinary && isBinary(head)
	if w.format == nil && program {
		w.format = d.binary()
	}
	if w.format == nil || w.format.binary && !program {
		return w, false
	}
	limit := cmp.Or(w.format.limit, d.opts.Buffer)
	if w.format.spill {
		limit = max(d.opts.Spill, d.opts.Buffer)
	}
	if f.Size > limit {
		w.Skip = fmt.Sprintf("larger than the limit of %d bytes for this kind of file (%s)", limit, w.format.name)
	}
	w.Archive = w.format.name == jarName
	return w, true
}

// binary is the format of executables, which come under any name.
func (d *Detector) binary() *format {
	for i := range d.formats {
		if d.formats[i].match == nil {
			return &d.formats[i]
		}
	}
	return nil
}

// Content is a whole file, in memory or on disk; parsers of archives seek.
type Content interface {
	io.Reader
	io.ReaderAt
	io.Seeker
}

// Read reads a wanted file. Whatever is wrong with it is told in Facts.Skipped.
// A file on disk (*os.File) is a private one, which a reader may open again.
func (d *Detector) Read(ctx context.Context, w Want, f File, c Content) Facts {
	if w.Skip != "" {
		return Facts{Skipped: w.Skip}
	}
	in := input{File: f, r: c}
	if on, ok := c.(*os.File); ok {
		in.real = on.Name()
	} else if w.format.name == rpmName {
		tmp, err := d.copied(c)
		if err != nil {
			return Facts{Skipped: "no room for a temporary file"}
		}
		defer tmp.Close()
		in.r, in.real = tmp.File, tmp.Name()
	}
	facts := d.read(ctx, w.format, in)
	tidy(&facts)
	return facts
}

// Temp is a private file that does not outlive its Close.
type Temp struct {
	*os.File
	dir string
}

// Temp makes one.
func (d *Detector) Temp() (Temp, error) {
	dir, err := os.MkdirTemp(d.opts.TempDir, "breakwater-")
	if err != nil {
		return Temp{}, fmt.Errorf("detect: private directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "file"), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		_ = os.RemoveAll(dir)
		return Temp{}, fmt.Errorf("detect: temp file: %w", err)
	}
	return Temp{f, dir}, nil
}

// Close removes the file.
func (t Temp) Close() error {
	return errors.Join(t.File.Close(), os.RemoveAll(t.dir))
}

// copied is a temp file with the content, rewound.
func (d *Detector) copied(c Content) (Temp, error) {
	t, err := d.Temp()
	if err != nil {
		return t, err
	}
	_, err = c.Seek(0, io.SeekStart)
	if err == nil {
		_, err = io.Copy(t, c)
	}
	if err == nil {
		_, err = t.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = t.Close()
	}
	return t, err
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
