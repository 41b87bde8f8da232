package scan

import (
	"encoding/binary"
	"math/bits"
	"path"
	"slices"
	"sort"
	"strings"

	"breakwater/internal/detect"
)

// Names is the set of all paths that a layer writes, as sorted 64-bit hashes:
// enough to know that a file of a lower layer was replaced by something of no
// interest, at eight bytes a path. The last bit of each says whether the path is a
// directory, so that both ways to write a path lie beside each other.
type Names []byte

// isDir is the bit of a name that is a directory.
const isDir = 1

// hashName is detect.HashPath of an entry's name, and what the entry is.
func hashName[T string | []byte](p T, dir bool) uint64 {
	h := detect.HashPath(p) &^ isDir
	if dir {
		h |= isDir
	}
	return h
}

// packNames sorts and packs; it uses hashes up.
func packNames(hashes []uint64) Names {
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	n := make(Names, 0, 8*len(hashes))
	for _, h := range hashes {
		n = binary.BigEndian.AppendUint64(n, h)
	}
	return n
}

// Has reports whether the layer writes p as a directory, or as anything else.
func (n Names) Has(p string, dir bool) bool {
	h := hashName(p, dir)
	i := n.find(h)
	return i < n.len() && n.at(i) == h
}

// replaces reports whether the layer puts something at p, or something that is
// no directory where a directory above p was.
func (n Names) replaces(p string) bool {
	h := hashName(p, false)
	if i := n.find(h); i < n.len() && n.at(i)|isDir == h|isDir {
		return true
	}
	for dir := path.Dir(p); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if n.Has(dir, false) {
			return true
		}
	}
	return false
}

// find is where h is, or the first that is greater.
func (n Names) find(h uint64) int {
	return sort.Search(n.len(), func(i int) bool { return n.at(i) >= h })
}

// valid reports whether packNames could have made it.
func (n Names) valid() bool {
	if len(n)%8 != 0 {
		return false
	}
	for i := 1; i < n.len(); i++ {
		if n.at(i-1) >= n.at(i) {
			return false
		}
	}
	return true
}

func (n Names) len() int { return len(n) / 8 }

func (n Names) at(i int) uint64 { return binary.BigEndian.Uint64(n[8*i:]) }

// writers knows, of every name that a layer above the first writes, the last
// layer that does.
type writers struct {
	hashes []uint64 // sorted
	last   []uint16
}

// lastWritten merges the names of the layers, which are sorted.
func lastWritten(facts []*LayerFacts) writers {
	if len(facts) == 0 {
		return writers{}
	}
	return written(facts[1:], 1)
}

// written does it for some layers, of which the first has the number first.
func written(facts []*LayerFacts, first int) writers {
	switch len(facts) {
	case 0:
		return writers{}
	case 1:
		n := facts[0].Names
		w := writers{make([]uint64, n.len()), make([]uint16, n.len())}
		for i := range w.hashes {
			w.hashes[i], w.last[i] = n.at(i), uint16(first)
		}
		return w
	}
	half := len(facts) / 2
	return written(facts[:half], first).under(written(facts[half:], first+half))
}

// under is both, w being of layers below those of top.
func (w writers) under(top writers) writers {
	total := len(w.hashes) + len(top.hashes)
	out := writers{make([]uint64, 0, total), make([]uint16, 0, total)}
	i, j := 0, 0
	for i < len(w.hashes) && j < len(top.hashes) {
		a, b := w.hashes[i], top.hashes[j]
		if a < b {
			out.hashes, out.last = append(out.hashes, a), append(out.last, w.last[i])
			i++
			continue
		}
		out.hashes, out.last = append(out.hashes, b), append(out.last, top.last[j])
		j++
		if a == b {
			i++
		}
	}
	return writers{
		append(append(out.hashes, w.hashes[i:]...), top.hashes[j:]...),
		append(append(out.last, w.last[i:]...), top.last[j:]...),
	}
}

// find is where h is, or the first that is greater. Hashes are spread evenly, so
// it begins where h would be among so many, and is there in a few steps; names
// that are not spread so cost more of them.
func (w writers) find(h uint64) int {
	n := len(w.hashes)
	guess, _ := bits.Mul64(h, uint64(n))
	low, high := int(guess), int(guess) // what is below low is less than h; high on is not
	for step := 8; low > 0 && w.hashes[low-1] >= h; step *= 2 {
		high = low - 1
		low = max(0, low-step)
	}
	for step := 8; high < n && w.hashes[high] < h; step *= 2 {
		low = high + 1
		high = min(n, high+step)
	}
	i, _ := slices.BinarySearch(w.hashes[low:high], h)
	return low + i
}

// file is the last layer that writes something that is no directory at p; 0: none
// but perhaps the first.
func (w writers) file(p string) int {
	h := hashName(p, false)
	if i := w.find(h); i < len(w.hashes) && w.hashes[i] == h {
		return int(w.last[i])
	}
	return 0
}

// any is the last layer that writes anything at p.
func (w writers) any(p []byte) int {
	h, last := hashName(p, false), 0
	for i := w.find(h); i < len(w.hashes) && w.hashes[i]|isDir == h|isDir; i++ {
		last = max(last, int(w.last[i]))
	}
	return last
}

// parents knows which layer is the last that writes something that is no directory
// where a directory, or one above it, was. Neighbours share directories, so it
// remembers those of the one that was asked for last.
type parents struct {
	written writers
	dir     string
	above   []parent // from the root down, dir being the last
}

type parent struct {
	end  int // of its name in dir
	last int
}

// of is that layer for a directory, "" and "." being the root; 0: none, or the first.
func (p *parents) of(dir string) int {
	if dir == "" || dir == "." || len(p.written.hashes) == 0 {
		return 0
	}
	if dir != p.dir {
		p.enter(dir)
	}
	return p.above[len(p.above)-1].last
}

func (p *parents) enter(dir string) {
	known := 0
	for _, a := range p.above {
		if a.end > len(dir) || a.end < len(dir) && dir[a.end] != '/' || dir[:a.end] != p.dir[:a.end] {
			break
		}
		known++
	}
	p.dir, p.above = dir, p.above[:known]
	at := parent{end: -1}
	if known > 0 {
		at = p.above[known-1]
	}
	for at.end < len(dir) {
		next := strings.IndexByte(dir[at.end+1:], '/')
		if next < 0 {
			next = len(dir) - at.end - 1
		}
		at.end += 1 + next
		at.last = max(at.last, p.written.file(dir[:at.end]))
		p.above = append(p.above, at)
	}
}
