package detect

import (
	"crypto/sha256"
	"encoding/binary"
	"io/fs"
	"slices"
	"sort"

	"breakwater"
)

// File is one regular file as the archive names it.
type File struct {
	Path string // relative, clean
	Mode fs.FileMode
	Size int64
}

// Facts is what one file says. A wanted file always has facts, be they empty:
// an emptied package database replaces a full one.
type Facts struct {
	Packages []breakwater.Package `json:"packages,omitempty"` // sorted; Layer is not set
	Release  *Release             `json:"release,omitempty"`  // of an os-release file
	Owns     []Ownership          `json:"owns,omitempty"`     // files that OS packages installed
	Licence  *Licence             `json:"licence,omitempty"`  // of the OS package whose copyright file this is
	Skipped  string               `json:"skipped,omitempty"`  // why the file was not read, or not wholly
}

// Empty reports whether the facts say nothing.
func (f Facts) Empty() bool {
	return len(f.Packages) == 0 && f.Release == nil && f.Owns == nil && f.Licence == nil && f.Skipped == ""
}

// Licence names what an OS package is licensed under.
type Licence struct {
	Package string   `json:"package"`
	Names   []string `json:"names"`
}

// Ownership names files that an OS package installed: those that may hold a
// language package by their path, and all of them by hash.
type Ownership struct {
	Package string   `json:"package"`
	Paths   []string `json:"paths,omitempty"`
	All     []byte   `json:"all,omitempty"` // sorted HashPath of each file, 8 bytes big-endian
}

// HashPath is a path as sets of paths keep it: the beginning of its sha256. With a
// hash that is not made against it, a layer could hold a name that is found to be
// another's file.
func HashPath[T string | []byte](p T) uint64 {
	var room [256]byte
	sum := sha256.Sum256(append(room[:0], p...))
	return binary.BigEndian.Uint64(sum[:])
}

// Owns reports whether the package installed a file at p.
func (o Ownership) Owns(p string) bool {
	want, n := HashPath(p), len(o.All)/8
	at := func(i int) uint64 { return binary.BigEndian.Uint64(o.All[8*i:]) }
	i := sort.Search(n, func(i int) bool { return at(i) >= want })
	return i < n && at(i) == want
}

// owning collects the files of one package.
type owning struct {
	formats []format
	own     Ownership
	hashes  []uint64
}

func (o *owning) add(p string) {
	if p == "" || len(o.hashes) >= maxOwned {
		return
	}
	o.hashes = append(o.hashes, HashPath(p))
	if ownable(o.formats, p) {
		o.own.Paths = append(o.own.Paths, p)
	}
}

// done is nil when the package owns nothing.
func (o *owning) done() []Ownership {
	if len(o.hashes) == 0 {
		return nil
	}
	slices.Sort(o.hashes)
	for _, h := range o.hashes {
		o.own.All = binary.BigEndian.AppendUint64(o.own.All, h)
	}
	return []Ownership{o.own}
}

// Bounds on one package's words. Longer ones are no package's.
const (
	maxName     = 512
	maxVersion  = 256
	maxPackages = 100_000 // in one file
	maxOwned    = 200_000 // files of one package
)
