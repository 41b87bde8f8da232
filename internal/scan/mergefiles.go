package scan

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"breakwater"
	"breakwater/internal/oci"
)

// maxImageFiles is how many files the list of one image has; the others are
// counted.
const maxImageFiles = 300_000

// list is the files that a container would see, by path, and how many there are
// of each kind. A file is there when no later layer hides it, which is asked of
// the names that each layer writes. The lists of the layers are sorted, so they
// are merged as they are, packed: nothing is held but them.
func (im *image) list(facts []*LayerFacts) (breakwater.FileStat, breakwater.FileList) {
	stat := breakwater.FileStat{ByKind: map[breakwater.FileKind]breakwater.KindCount{}}
	size := 0
	for _, f := range facts {
		size += len(f.List)
		for kind, n := range f.Unlisted.ByKind {
			have := stat.ByKind[kind]
			stat.ByKind[kind] = breakwater.KindCount{Num: have.Num + n.Num, Bytes: have.Bytes + n.Bytes}
		}
		stat.Num, stat.Bytes, stat.Unlisted = stat.Num+f.Unlisted.Num, stat.Bytes+f.Unlisted.Bytes, stat.Unlisted+f.Unlisted.Num
	}
	var w breakwater.FileListWriter
	w.Grow(size)
	merging := im.stacks(facts, size)
	for len(merging) > 0 {
		s := merging[0]
		// One path has one file: the layers below the first that has it lied about
		// their names if they are not hidden.
		if s.room == 0 {
			stat.Unlisted++
			count(&stat, s.list.Kind(), s.list.Size())
		} else if s.room--; w.Copy(&s.list, s.view.layer) {
			count(&stat, s.list.Kind(), s.list.Size())
		}
		if !s.next() {
			merging[0] = merging[len(merging)-1]
			merging = merging[:len(merging)-1]
		}
		merging.sink(0)
	}
	if stat.Num == 0 {
		return breakwater.FileStat{}, nil
	}
	return stat, w.List()
}

// minListed is less than what an entry takes in a list, in bytes.
const minListed = 40

// stacks are the lists of all layers, of size bytes together, each at its first
// file. When there may be more files than an image's list has, the lower layers
// have the room.
func (im *image) stacks(facts []*LayerFacts, size int) stacks {
	var out stacks
	room := maxImageFiles
	for i, f := range facts {
		s := &stack{list: f.List.Reader(), view: im.above(i), room: maxImageFiles}
		if size/minListed > maxImageFiles {
			all := stack{list: f.List.Reader(), view: im.above(i)}
			for s.room = 0; s.room < room && all.next(); s.room++ {
			}
			room -= s.room
		}
		if s.next() {
			out = append(out, s)
		}
	}
	for i := len(out)/2 - 1; i >= 0; i-- {
		out.sink(i)
	}
	return out
}

// stack is the list of one layer, at a file that the layers above it do not hide.
type stack struct {
	list breakwater.FileListReader
	view *view
	room int // how many files more it may put into the image's list
}

// next moves to the next such file. A damaged list ends where it is damaged.
func (s *stack) next() bool {
	for s.list.Next() {
		if !s.view.hides(s.list.Path()) {
			return true
		}
	}
	return false
}

// stacks is a heap: the first has the least path, and of equal ones the highest layer.
type stacks []*stack

func (h stacks) less(a, b int) bool {
	c := bytes.Compare(h[a].list.Path(), h[b].list.Path())
	return c < 0 || c == 0 && h[a].view.layer > h[b].view.layer
}

// sink puts the one at i in its place, those below it being in theirs.
func (h stacks) sink(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// view is what the layers above one hide of it. Neighbours in a list share their
// directory, so what was found out about it is remembered.
type view struct {
	image   *image
	layer   int
	above   []masked // those that delete anything
	parents parents

	dir      string // of the path asked for last, with a slash at its end
	asked    bool
	resolved string // the directory that its links lead to
	key      []byte // of the path, when links lead elsewhere
	hidden   bool   // the whole directory is
}

func (im *image) above(layer int) *view {
	v := &view{image: im, layer: layer, parents: parents{written: im.written}}
	for _, m := range im.layers[layer+1:] {
		if len(m.removed) > 0 || len(m.emptied) > 0 {
			v.above = append(v.above, m)
		}
	}
	return v
}

// hides reports whether a container does not see p of the layer any more.
func (v *view) hides(p []byte) bool {
	if v.layer == len(v.image.layers)-1 {
		return false
	}
	slash := bytes.LastIndexByte(p, '/') + 1
	if string(p[:slash]) != v.dir || !v.asked {
		v.enter(string(p[:slash]))
	}
	if v.hidden {
		return true
	}
	key := p
	if v.resolved+"/" != v.dir && v.dir != "" {
		v.key = append(v.key[:0], v.resolved...)
		if v.resolved != "" {
			v.key = append(v.key, '/')
		}
		v.key = append(v.key, p[slash:]...)
		key = v.key
		// The very same name leads through the same links.
		if v.image.written.file(string(p)) > v.layer {
			return true
		}
	}
	if v.image.written.any(key) > v.layer {
		return true
	}
	for _, m := range v.above {
		if m.removed[string(key)] || m.removed[""] {
			return true
		}
	}
	return false
}

// enter finds out about a directory, which ends with a slash unless it is the root.
func (v *view) enter(dir string) {
	v.dir, v.asked, v.resolved, v.hidden = dir, true, "", false
	if dir == "" {
		for _, m := range v.above {
			v.hidden = v.hidden || m.emptied[""]
		}
		return
	}
	v.resolved = strings.TrimSuffix(dir, "/")
	if len(v.image.links) > 0 {
		v.resolved = v.image.follow(v.resolved)
	}
	in := path.Join(v.resolved, "x") // anything in the directory
	for _, m := range v.above {
		v.hidden = v.hidden || m.removed[v.resolved] || below(m.removed, v.resolved) || below(m.emptied, in)
	}
	v.hidden = v.hidden || v.parents.of(v.resolved) > v.layer
}

// notable are the entries with telling permissions that are still there.
func (im *image) notable(list []oci.Descriptor, facts []*LayerFacts) []breakwater.Notable {
	var out []breakwater.Notable
	for i, f := range facts {
		above := im.above(i)
		for _, n := range f.Notable {
			if !above.hides([]byte(n.Path)) && len(out) < breakwater.MaxNotable {
				n.Layer = list[i].Digest
				out = append(out, n)
			}
		}
	}
	slices.SortFunc(out, func(a, b breakwater.Notable) int { return strings.Compare(a.Path, b.Path) })
	return out
}
