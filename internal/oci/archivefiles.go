package oci

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"breakwater"
)

// The limits of an image archive's own table of contents.
const (
	maxArchiveEntries = 100_000
	maxArchiveName    = 4096
	maxArchiveNames   = 32 << 20 // bytes of all names together
	maxArchiveLinks   = 8        // from one to the next
	maxTop            = 100
)

// files is what an archive is read from: a tar file or a directory.
type files interface {
	// open is the bytes of a regular file, links followed inside the archive
	// only, and their number. Absent is of kind NotFound.
	open(name string) (io.ReadCloser, int64, error)
	// top is the names of the outermost files and folders, at most maxTop of
	// them, sorted.
	top() []string
	// odd is what is wrong with the whole, once it is known to be an image archive.
	odd() error
	Close() error
}

// tarFiles is a tar file with the places of its entries. Nothing is unpacked.
type tarFiles struct {
	file    *os.File
	temp    bool // the file is ours, and its name is still there
	entries map[string]tarEntry
	outer   map[string]bool // top, up to maxTop
	leaves  error           // an entry or a link leads out of the archive
	cut     bool            // there is no mark of the end
}

type tarEntry struct {
	offset, size int64
	link         string // clean, of a symbolic or hard link
	twice        bool   // two entries have the name, and readers differ in which they take
	odd          bool   // sparse, a device, …: there and not readable
}

// index reads the headers of a plain tar file.
func (t *tarFiles) index(ctx context.Context) error {
	f := t.file
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() == 0 {
		return badArchive("the file is empty")
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	t.entries, t.outer = map[string]tarEntry{}, map[string]bool{}
	names := 0
	r := tar.NewReader(f) // skips contents by seeking
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return contextError(ctx)
		}
		h, err := r.Next()
		if err == io.EOF {
			t.cut = !endMark(f, info.Size())
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			if len(t.entries) == 0 {
				return badArchive("the file is not a tar archive")
			}
			return badArchive("the archive is broken or ends too early")
		}
		if names += len(h.Name) + len(h.Linkname); n == maxArchiveEntries || names > maxArchiveNames {
			return coded(breakwater.Errorf(breakwater.KindTooLarge, "the archive has more than %d entries, or longer names than are read", maxArchiveEntries), breakwater.CodeOverSized)
		}
		if h.Typeflag == tar.TypeXGlobalHeader {
			continue // its name is no file's
		}
		t.outermost(h.Name)
		if h.Typeflag == tar.TypeDir {
			continue
		}
		offset, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeReg && (h.Size < 0 || h.Size > info.Size()-offset) {
			return badArchive("the archive is broken or ends too early")
		}
		name, e, err := entryOf(h, offset)
		if err != nil {
			t.leaves = err
			continue
		}
		_, e.twice = t.entries[name]
		t.entries[name] = e
	}
}

// endMark reports whether a tar file ends as it should: in a block of zeros.
func endMark(f *os.File, size int64) bool {
	var block [512]byte
	n, err := f.ReadAt(block[:], max(size-int64(len(block)), 0))
	return (err == nil || err == io.EOF) && n == len(block) && block == [512]byte{}
}

// outermost notes the first part of a name.
func (t *tarFiles) outermost(name string) {
	first, _, _ := strings.Cut(strings.TrimPrefix(path.Clean("/"+name), "/"), "/")
	if first != "" && len(t.outer) < maxTop {
		t.outer[first] = true
	}
}

func (t *tarFiles) top() []string { return slices.Sorted(maps.Keys(t.outer)) }

func (t *tarFiles) odd() error { return t.leaves }

// entryOf is a header as the table of contents keeps it.
func entryOf(h *tar.Header, offset int64) (string, tarEntry, error) {
	name, err := cleanEntry(h.Name)
	if err != nil {
		return "", tarEntry{}, err
	}
	e := tarEntry{offset: offset, size: h.Size}
	switch h.Typeflag {
	case tar.TypeReg:
		for k := range h.PAXRecords {
			e.odd = e.odd || strings.HasPrefix(k, "GNU.sparse.")
		}
	case tar.TypeSymlink:
		e.link, err = cleanEntry(path.Join(path.Dir(name), h.Linkname))
		if path.IsAbs(h.Linkname) {
			err = errEntryPath()
		}
	case tar.TypeLink:
		e.link, err = cleanEntry(h.Linkname)
	default:
		e.odd = true
	}
	return name, e, err
}

func errEntryPath() error { return badArchive("the archive holds a path or a link that leaves it") }

// cleanEntry is a path inside an archive, "./" dropped.
func cleanEntry(name string) (string, error) {
	clean := path.Clean(name)
	if name == "" || len(name) > maxArchiveName || path.IsAbs(clean) || clean == ".." || strings.HasPrefix(clean, "../") || strings.ContainsRune(name, 0) {
		return "", errEntryPath()
	}
	return clean, nil
}

func (t *tarFiles) open(name string) (io.ReadCloser, int64, error) {
	name, err := cleanEntry(name)
	if err != nil {
		return nil, 0, err
	}
	for range maxArchiveLinks {
		e, ok := t.entries[name]
		switch {
		case !ok:
			return nil, 0, breakwater.NotFound("file in the archive")
		case e.twice && !strings.HasPrefix(name, blobDir): // blobs are held to their digest
			return nil, 0, badArchive("the archive holds a file twice")
		case e.odd:
			return nil, 0, badArchive("the archive holds a file that is not a plain one")
		case e.link == "":
			return io.NopCloser(io.NewSectionReader(t.file, e.offset, e.size)), e.size, nil
		}
		name = e.link
	}
	return nil, 0, badArchive("the archive holds a chain of links")
}

// Close implements files.
func (t *tarFiles) Close() error {
	err := t.file.Close()
	if t.temp {
		err = errors.Join(err, os.Remove(t.file.Name()))
	}
	return err
}

// dirFiles is a directory. os.Root keeps links from leading out of it.
type dirFiles struct{ root *os.Root }

func (d dirFiles) open(name string) (io.ReadCloser, int64, error) {
	name, err := cleanEntry(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := d.root.Stat(name)
	if err == nil && !info.Mode().IsRegular() { // opening a pipe would wait
		return nil, 0, badArchive("the layout holds a file that is not a plain one")
	}
	var f *os.File
	if err == nil {
		f, err = d.root.Open(name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, breakwater.NotFound("file in the layout")
	case err != nil:
		return nil, 0, breakwater.Wrap(breakwater.KindUnavailable, err, "a file of the layout cannot be read")
	}
	return f, info.Size(), nil
}

func (d dirFiles) top() []string {
	f, err := d.root.Open(".")
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	names, _ := f.Readdirnames(maxTop)
	slices.Sort(names)
	return names
}

func (d dirFiles) odd() error { return nil }

// Close implements files.
func (d dirFiles) Close() error { return d.root.Close() }

func badArchive(message string) error {
	return coded(breakwater.Invalid("archive", "%s", message), breakwater.CodeDownloadFailed)
}
