package detect

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"time"
)

// input is a file ready to be read: from memory or from a temp file.
type input struct {
	File
	r    Content
	real string // path on disk, when there is a temp file
}

// all is the whole content, which must not be changed; the file is already bounded.
func (in input) all() ([]byte, error) {
	if m, ok := in.r.(*Memory); ok {
		return m.bytes(), nil
	}
	if _, err := in.r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	b := make([]byte, in.Size)
	_, err := io.ReadFull(in.r, b)
	return b, err
}

// oneFile is the file system that an extractor sees: this file and nothing
// else, so that it can neither wander into other files nor find an os-release
// that belongs to another layer.
type oneFile struct{ in input }

func (o oneFile) Open(name string) (fs.File, error) {
	if name != o.in.Path {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &opened{SectionReader: io.NewSectionReader(o.in.r, 0, o.in.Size), info: info{o.in.File}}, nil
}

func (o oneFile) Stat(name string) (fs.FileInfo, error) {
	if name != o.in.Path {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return info{o.in.File}, nil
}

func (o oneFile) ReadDir(name string) ([]fs.DirEntry, error) {
	return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
}

type opened struct {
	*io.SectionReader
	info info
}

func (o *opened) Stat() (fs.FileInfo, error) { return o.info, nil }
func (o *opened) Close() error               { return nil }

type info struct{ f File }

func (i info) Name() string       { return path.Base(i.f.Path) }
func (i info) Size() int64        { return i.f.Size }
func (i info) Mode() fs.FileMode  { return i.f.Mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return false }
func (i info) Sys() any           { return nil }

var (
	_ fs.File = (*opened)(nil)
	_ Content = (*bytes.Reader)(nil)
)
