package scan

import (
	"slices"
	"strings"

	"breakwater"
)

// gone is a file of interest that a later layer deletes or replaces: no
// container sees it, and whoever pulls the image has it.
type gone struct {
	live
	key string // of image.files
	by  breakwater.Digest
}

// tells reports whether a file is told of when it is gone.
func (f *FileFact) tells() bool { return len(f.Secrets) > 0 || len(f.Malware) > 0 }

// numbers gives the files of one layer their numbers: the names of a file have one.
func (im *image) numbers() func(FileFact) int {
	type file struct{ first, sum string }
	known := map[file]int{}
	return func(f FileFact) int {
		if !f.tells() {
			return 0
		}
		id := file{f.first(), string(f.Sum)}
		if known[id] == 0 {
			im.inodes++
			known[id] = im.inodes
		}
		return known[id]
	}
}

// outside is what the layer's names of files below lead to. A layer may delete
// the name that it links to.
func (im *image) outside(f *LayerFacts) []*live {
	var out []*live
	for _, h := range f.Hard {
		named, ok := im.files[im.resolve(h.Target)]
		if !ok {
			continue
		}
		l := *named
		l.fact = l.fact.as(h.Path, h.Read)
		if i, ok := slices.BinarySearchFunc(f.Files, h.Path, func(f FileFact, p string) int { return strings.Compare(f.Path, p) }); ok {
			if !h.Read {
				l.fact.Facts = f.Files[i].Facts // not read
			}
			if l.fact.Config == nil {
				l.fact.Missed = append(l.fact.Missed, f.Files[i].Missed...)
			}
		}
		out = append(out, &l)
	}
	return out
}

// settle looks at what was deleted once the image is whole. A file is gone when no
// name of it is left, and when none has the same bytes in the same place again:
// a layer that occurs twice, or one that changes a file's owner, deletes nothing.
// Of a file that was there several times, and is gone, the first layer and the
// last deletion count; one that is there keeps the layer that first brought it.
func (im *image) settle() {
	type place struct{ key, sum string }
	last, names, back := map[place]int{}, map[int]bool{}, map[place]breakwater.Digest{}
	for _, l := range im.files {
		if l.fact.tells() {
			names[l.inode] = true
		}
	}
	var out []gone
	for _, g := range im.deleted {
		at := place{g.key, string(g.fact.Sum)}
		if l, ok := im.files[g.key]; ok && l.fact.tells() && string(l.fact.Sum) == at.sum {
			if back[at] == "" {
				back[at] = g.layer
			}
			continue
		}
		if i, ok := last[at]; ok {
			out[i].by, out[i].inode = g.by, g.inode
			continue
		}
		last[at] = len(out)
		out = append(out, g)
	}
	im.deleted = out[:0]
	for _, g := range out {
		if !names[g.inode] {
			im.deleted = append(im.deleted, g)
		}
	}
	for at, layer := range back {
		im.files[at.key].since = layer
	}
}
