package store

import (
	"cmp"
	"math/bits"
	"slices"

	"breakwater"
)

// bitmap is one bit for each slot.
type bitmap []uint64

func (b bitmap) get(n uint32) bool { return b[n>>6]&(1<<(n&63)) != 0 }

func (b bitmap) set(n uint32, on bool) {
	if on {
		b[n>>6] |= 1 << (n & 63)
	} else {
		b[n>>6] &^= 1 << (n & 63)
	}
}

func (b bitmap) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// The flags of a row, one bitmap each. A failed row is in flagFailed, and in one
// of the two after it if its code has a wire word of its own.
const (
	flagAlive = iota // the slot holds an image
	flagLatest
	flagMultiArch
	flagVul
	flagUnsafe
	flagMalicious
	flagNone
	flagWaiting
	flagRunning
	flagSuccess
	flagFailed
	flagDownload
	flagOversize
	flagSecurity
	flagLow
	flagMedium
	flagHigh
	flagCount
)

// origin is what few distinct values of many rows say together.
type origin struct {
	registryID, enterpriseProjectID, instanceID, instanceName string
}

// imageFacts is what the list filters and sorts on: one row on its way into columns.
type imageFacts struct {
	id                             int64
	namespace, name, version       string
	origin                         origin
	updated, synced, scanned, size int64
	latest, multiArch              bool
	status                         breakwater.ScanStatus
	code                           breakwater.ScanCode
	level                          breakwater.Level
	vul, unsafe, malicious         int64
}

// columns holds the images of one project by column: about 66 bytes for a
// row, and each distinct text once. A slot is a row's place in every column; slots
// are in the order of ids except for stray ones at the end, and die without moving until
// compact. Whoever holds columns guards them.
type columns struct {
	id                             []int64
	updated, synced, scanned, size []int64
	namespace, name, version       []uint32 // codes of words
	origin                         []uint32 // places in origins
	flags                          [flagCount]bitmap
	words                          words
	origins                        []origin
	originCodes                    map[origin]uint32
	sorted                         int              // slots in the order of their ids, from the first
	stray                          map[int64]uint32 // living slots after those
	byUpdated, byScanned           []uint32         // living slots by that time, then id
	alive                          int
}

func newColumns(capacity int) *columns {
	c := &columns{words: newWords(), originCodes: map[origin]uint32{}, stray: map[int64]uint32{}}
	for _, col := range []*[]int64{&c.id, &c.updated, &c.synced, &c.scanned, &c.size} {
		*col = make([]int64, 0, capacity)
	}
	for _, col := range []*[]uint32{&c.namespace, &c.name, &c.version, &c.origin} {
		*col = make([]uint32, 0, capacity)
	}
	for n := range c.flags {
		c.flags[n] = make(bitmap, 0, (capacity+63)/64)
	}
	return c
}

// slot finds a living row.
func (c *columns) slot(id int64) (uint32, bool) {
	if s, ok := c.stray[id]; ok {
		return s, true
	}
	n, ok := slices.BinarySearch(c.id[:c.sorted], id)
	return uint32(n), ok && c.flags[flagAlive].get(uint32(n))
}

func (c *columns) originCode(o origin) uint32 {
	n, ok := c.originCodes[o]
	if !ok {
		n = uint32(len(c.origins))
		c.originCodes[o], c.origins = n, append(c.origins, o)
	}
	return n
}

// add appends an empty slot.
func (c *columns) add(id int64) uint32 {
	s := uint32(len(c.id))
	c.id = append(c.id, id)
	for _, col := range []*[]int64{&c.updated, &c.synced, &c.scanned, &c.size} {
		*col = append(*col, 0)
	}
	for _, col := range []*[]uint32{&c.namespace, &c.name, &c.version, &c.origin} {
		*col = append(*col, 0)
	}
	if s&63 == 0 {
		for n := range c.flags {
			c.flags[n] = append(c.flags[n], 0)
		}
	}
	return s
}

// write fills a slot from a row; the orders are the caller's.
func (c *columns) write(s uint32, f imageFacts) {
	c.updated[s], c.synced[s], c.scanned[s], c.size[s] = f.updated, f.synced, f.scanned, f.size
	c.namespace[s], c.name[s], c.version[s] = c.words.code(f.namespace), c.words.code(f.name), c.words.code(f.version)
	c.origin[s] = c.originCode(f.origin)
	var on [flagCount]bool
	on[flagAlive], on[flagLatest], on[flagMultiArch] = true, f.latest, f.multiArch
	on[flagVul], on[flagUnsafe], on[flagMalicious] = f.vul > 0, f.unsafe > 0, f.malicious > 0
	if n := statusFlag(f.status); n > 0 {
		on[n] = true
	}
	on[flagDownload] = on[flagFailed] && f.code == breakwater.CodeDownloadFailed
	on[flagOversize] = on[flagFailed] && f.code == breakwater.CodeOverSized
	if n := levelFlag(f.level); n > 0 {
		on[n] = true
	}
	for n := range c.flags {
		c.flags[n].set(s, on[n])
	}
}

// statusFlag is the bitmap of a status; 0 for a word that is none.
func statusFlag(s breakwater.ScanStatus) int {
	switch s {
	case breakwater.ScanNone:
		return flagNone
	case breakwater.ScanWaiting:
		return flagWaiting
	case breakwater.ScanRunning:
		return flagRunning
	case breakwater.ScanSuccess:
		return flagSuccess
	case breakwater.ScanFailed:
		return flagFailed
	case breakwater.ScanDownload:
		return flagDownload
	case breakwater.ScanOversize:
		return flagOversize
	}
	return 0
}

// levelFlag is the bitmap of a level; 0 for a word that is none.
func levelFlag(l breakwater.Level) int {
	switch l {
	case breakwater.LevelSecurity:
		return flagSecurity
	case breakwater.LevelLow:
		return flagLow
	case breakwater.LevelMedium:
		return flagMedium
	case breakwater.LevelHigh:
		return flagHigh
	}
	return 0
}

// slack is the capacity for so many rows and some to come.
func slack(rows int) int { return rows + rows/16 + 64 }

// load fills empty columns; finish follows.
func (c *columns) load(f imageFacts) {
	c.write(c.add(f.id), f)
	c.alive++
	c.sorted++
}

// finish sorts what load brought.
func (c *columns) finish() {
	c.byUpdated = make([]uint32, len(c.id), slack(len(c.id)))
	for n := range c.byUpdated {
		c.byUpdated[n] = uint32(n)
	}
	c.byScanned = append(make([]uint32, 0, cap(c.byUpdated)), c.byUpdated...)
	slices.SortFunc(c.byUpdated, c.compare(c.updated))
	slices.SortFunc(c.byScanned, c.compare(c.scanned))
	if !slices.IsSorted(c.id) {
		c.compact()
	}
}

// compare orders slots by a time and the id.
func (c *columns) compare(key []int64) func(a, b uint32) int {
	return func(a, b uint32) int {
		if key[a] != key[b] {
			return cmp.Compare(key[a], key[b])
		}
		return cmp.Compare(c.id[a], c.id[b])
	}
}
