package detect

import (
	"io/fs"

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
	Skipped  string               `json:"skipped,omitempty"`  // why the file was not read, or not wholly
}

// Ownership names files that an OS package installed; only files that may hold
// a language package are kept.
type Ownership struct {
	Package string   `json:"package"`
	Paths   []string `json:"paths"`
}

// Bounds on one package's words. Longer ones are no package's.
const (
	maxName     = 512
	maxVersion  = 256
	maxPackages = 100_000 // in one file
)
