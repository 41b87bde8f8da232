package scan

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/layer"
)

// How many files of one layer are put into its list, and how long their paths are
// together; the others are counted.
const (
	maxListed = 100_000
	maxPaths  = 16 << 20
)

// collector gathers the facts of one layer. The walk tells it of every entry, in
// the archive's order; what the lookers saw comes in any order and is put back
// into the archive's at the end. Later entries of a path replace earlier ones,
// as they would when unpacked.
type collector struct {
	detect *detect.Detector
	most   int64

	// the walk's alone
	order   []uint64 // the name of each entry, see hashName
	links   []numbered[Link]
	hard    linkLog
	notable []numbered[breakwater.Notable]
	outside []numbered[HardLink]
	removed []string
	emptied []string

	mu       sync.Mutex
	weight   int64
	err      error
	facts    []numbered[FileFact]
	configs  []numbered[breakwater.ConfigFile]
	rows     []numbered[breakwater.FileEntry]
	paths    int // bytes of the paths in rows
	unlisted breakwater.FileStat
}

// numbered is something that entry seq of the archive said.
type numbered[T any] struct {
	seq int
	val T
}

func newCollector(d *detect.Detector, most int64) *collector {
	return &collector{detect: d, most: most, unlisted: breakwater.FileStat{ByKind: map[breakwater.FileKind]breakwater.KindCount{}}}
}

// linkDepth is how deep below the root links are kept; and those of packages
// whose documentation, and licence, is another package's.
const (
	linkDepth = 3
	docLinks  = "usr/share/doc/"
)

// entry takes note of an entry and numbers it.
func (c *collector) entry(e layer.Entry) (seq int) {
	switch e.Kind {
	case layer.Whiteout:
		c.removed = append(c.removed, e.Path)
		c.weigh(len(e.Path))
		return -1
	case layer.Opaque:
		c.emptied = append(c.emptied, e.Path)
		c.weigh(len(e.Path))
		return -1
	case layer.Ignored:
		return -1
	}
	if e.Path == "" {
		return -1
	}
	seq = len(c.order)
	c.order = append(c.order, hashName(e.Path, e.Kind == layer.Dir))
	switch e.Kind {
	case layer.Symlink:
		if depth := strings.Count(e.Path, "/"); depth < linkDepth || depth == linkDepth && strings.HasPrefix(e.Path, docLinks) {
			c.links = append(c.links, numbered[Link]{seq, Link{Path: e.Path, Target: e.Link}})
			c.weigh(len(e.Path) + len(e.Link))
		}
		return seq
	case layer.Hardlink:
		c.hard.add(seq, e.Path, e.Link)
		return seq
	}
	c.note(seq, e)
	return seq
}

// note keeps entries whose permissions matter.
func (c *collector) note(seq int, e layer.Entry) {
	mode := chmod(e.Mode)
	kind := string(e.Kind)
	if e.Kind != layer.Device && mode&0o6000 == 0 && mode&0o002 == 0 || e.Kind == layer.Dir && mode&0o002 == 0 {
		return
	}
	if len(c.notable) >= breakwater.MaxNotable {
		return
	}
	c.notable = append(c.notable, numbered[breakwater.Notable]{seq, breakwater.Notable{Path: e.Path, Kind: kind, Mode: mode, UID: e.UID, GID: e.GID}})
	c.weigh(len(e.Path))
}

// add takes what was seen of a file.
func (c *collector) add(seq int, f file, s seen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(s.fact.Secrets) > 0 || len(s.fact.Malware) > 0 {
		s.fact.Sum = bytes.Clone(s.content[:])
	}
	if !s.fact.empty() {
		c.facts = append(c.facts, numbered[FileFact]{seq, s.fact})
		c.weighLocked(s.fact.weight())
	}
	row := breakwater.FileEntry{Path: f.Path, Size: f.Size, Mode: f.mode, UID: f.uid, GID: f.gid, Kind: s.kind, SHA256: s.sum}
	c.rows = append(c.rows, numbered[breakwater.FileEntry]{seq, row})
	c.paths += len(f.Path)
	if len(c.rows) > 2*maxListed || c.paths > 2*maxPaths {
		c.trim()
	}
}

// config takes what a configuration file says.
func (c *collector) config(seq int, f breakwater.ConfigFile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.configs = append(c.configs, numbered[breakwater.ConfigFile]{seq, f})
	fact := FileFact{Path: f.Path, Config: &f}
	c.weighLocked(fact.weight())
}

// join puts the configuration facts beside the others of the same file.
func (c *collector) join() {
	at := map[int]int{}
	for i, n := range c.facts {
		at[n.seq] = i
	}
	for _, n := range c.configs {
		i, ok := at[n.seq]
		if !ok {
			i = len(c.facts)
			c.facts = append(c.facts, numbered[FileFact]{n.seq, FileFact{Path: n.val.Path}})
		}
		c.facts[i].val.Config = &n.val
	}
}

// trim keeps the files that come first in the archive and counts the others. A
// file that is counted has enough others before it whatever comes later, so the
// order in which files were looked at does not show.
func (c *collector) trim() {
	if len(c.rows) <= maxListed && c.paths <= maxPaths {
		return
	}
	slices.SortFunc(c.rows, func(a, b numbered[breakwater.FileEntry]) int { return cmp.Compare(a.seq, b.seq) })
	kept, paths := 0, 0
	for kept < min(len(c.rows), maxListed) && paths+len(c.rows[kept].val.Path) <= maxPaths {
		paths += len(c.rows[kept].val.Path)
		kept++
	}
	for _, r := range c.rows[kept:] {
		count(&c.unlisted, r.val.Kind, r.val.Size)
	}
	clear(c.rows[kept:])
	c.rows, c.paths = c.rows[:kept], paths
}

func count(s *breakwater.FileStat, k breakwater.FileKind, size int64) {
	s.Num++
	s.Bytes += size
	one := s.ByKind[k]
	s.ByKind[k] = breakwater.KindCount{Num: one.Num + 1, Bytes: one.Bytes + size}
}

// weigh bounds the memory of the facts.
func (c *collector) weigh(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.weighLocked(n)
}

func (c *collector) weighLocked(n int) {
	c.weight += int64(n) + 64
	if c.weight > c.most && c.err == nil {
		c.err = fmt.Errorf("%w: more than %d bytes", errFacts, c.most)
	}
}

// failed is why the layer has to be given up.
func (c *collector) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// done sorts what was gathered into facts.
func (c *collector) done(s layer.Stats) (*LayerFacts, error) {
	c.trim()
	c.join()
	slices.SortFunc(c.facts, func(a, b numbered[FileFact]) int { return cmp.Compare(a.seq, b.seq) })
	c.hardlinks()
	if c.err != nil {
		return nil, c.err
	}
	last := c.lastOf()
	f := &LayerFacts{
		DiffID: breakwater.Digest(s.DiffID), Entries: s.Entries, Bytes: s.Bytes,
		List: c.list(), Unlisted: c.unlisted, Unnamed: c.hard.lost,
	}
	if f.Unlisted.Num == 0 {
		f.Unlisted = breakwater.FileStat{} // as it is read back
	}
	f.Weight = c.weight
	for _, n := range c.facts {
		if last.stands(n.seq, n.val.Path) {
			f.Files = append(f.Files, n.val)
		}
	}
	slices.SortFunc(f.Files, func(a, b FileFact) int { return strings.Compare(a.Path, b.Path) })
	for _, n := range c.links {
		if last.stands(n.seq, n.val.Path) {
			f.Links = append(f.Links, n.val)
		}
	}
	slices.SortFunc(f.Links, func(a, b Link) int { return strings.Compare(a.Path, b.Path) })
	for _, n := range c.outside { // in the archive's order: a name may be of one before it
		if last.stands(n.seq, n.val.Path) {
			f.Hard = append(f.Hard, n.val)
		}
	}
	for _, n := range c.notable {
		if last.stands(n.seq, n.val.Path) {
			f.Notable = append(f.Notable, n.val)
		}
	}
	slices.SortFunc(f.Notable, func(a, b breakwater.Notable) int { return strings.Compare(a.Path, b.Path) })
	slices.Sort(c.removed)
	slices.Sort(c.emptied)
	f.Removed, f.Emptied = slices.Compact(c.removed), slices.Compact(c.emptied)
	f.Names = packNames(c.order)
	return f, c.err
}

// lastEntries tells whether an entry is the last one of its path.
type lastEntries map[uint64]int

// lastOf finds the last entry of every path that something is known of. An
// archive without doubles, which is nearly every one, needs no table.
func (c *collector) lastOf() lastEntries {
	last := lastEntries{}
	for _, n := range c.facts {
		last.ask(n.val.Path)
	}
	for _, n := range c.links {
		last.ask(n.val.Path)
	}
	for _, n := range c.outside {
		last.ask(n.val.Path)
	}
	for _, n := range c.notable {
		last.ask(n.val.Path)
	}
	for seq, h := range c.order {
		if _, ok := last[h]; ok {
			last[h] = seq
		}
	}
	return last
}

func (l lastEntries) ask(p string) {
	l[hashName(p, false)] = -1
	l[hashName(p, true)] = -1
}

func (l lastEntries) stands(seq int, p string) bool {
	return seq >= l[hashName(p, false)] && seq >= l[hashName(p, true)]
}

// list is the layer's files by path: the last entry of each path, if it is a file.
func (c *collector) list() breakwater.FileList {
	slices.SortFunc(c.rows, func(a, b numbered[breakwater.FileEntry]) int {
		return cmp.Or(strings.Compare(a.val.Path, b.val.Path), cmp.Compare(a.seq, b.seq))
	})
	again := c.repeated()
	var w breakwater.FileListWriter
	for _, r := range c.rows {
		if last, ok := again[hashName(r.val.Path, false)]; ok && last != r.seq {
			continue
		}
		w.Append(r.val)
		c.weight += int64(len(r.val.Path)) + 48
	}
	return w.List()
}

// repeated is the last entry of each name that the archive has more than once.
func (c *collector) repeated() map[uint64]int {
	again := map[uint64]int{}
	sorted := slices.Sorted(slices.Values(c.order))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			again[sorted[i]] = -1
		}
	}
	if len(again) == 0 {
		return nil
	}
	for seq, h := range c.order {
		if _, ok := again[h]; ok {
			again[h] = seq
		}
	}
	return again
}
