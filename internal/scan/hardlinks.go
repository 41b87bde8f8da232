package scan

import (
	"encoding/binary"
	"iter"
	"slices"

	"breakwater"
	"breakwater/internal/baseline"
	"breakwater/internal/detect"
)

// HardLink is a name that a layer gives to a file of a lower one.
type HardLink struct {
	Path   string `json:"path"`
	Target string `json:"target"`
	// Read: the readers of packages read both names or neither, so that what they
	// say of one goes for the other.
	Read bool `json:"read,omitempty"`
}

// maxLinks is how many bytes the hard links of one layer may take, as they are
// kept until it has been read: some hundred thousand of them. What is beyond is
// counted.
const maxLinks = 16 << 20

// linkLog keeps the hard links of a layer, in the archive's order. Names next to
// each other begin alike, so that each says how much it has of the one before.
type linkLog struct {
	b            []byte
	seq          int
	path, target string
	targets      []uint64 // the target of each, see hashName
	lost         int
}

func (l *linkLog) add(seq int, path, target string) {
	if len(l.b)+len(path)+len(target) > maxLinks {
		l.lost++
		return
	}
	l.b = binary.AppendUvarint(l.b, uint64(seq-l.seq))
	l.b = appendFront(l.b, l.path, path)
	l.b = appendFront(l.b, l.target, target)
	l.seq, l.path, l.target = seq, path, target
	l.targets = append(l.targets, hashName(target, false))
}

func appendFront(b []byte, before, s string) []byte {
	n := 0
	for n < min(len(before), len(s)) && before[n] == s[n] {
		n++
	}
	b = binary.AppendUvarint(b, uint64(n))
	b = binary.AppendUvarint(b, uint64(len(s)-n))
	return append(b, s[n:]...)
}

// loggedLink is a link as it is read back; the names are good until the next.
type loggedLink struct {
	seq          int
	path, target []byte
}

func (l *linkLog) all() iter.Seq2[int, loggedLink] {
	return func(yield func(int, loggedLink) bool) {
		b := l.b
		number := func() int {
			n, size := binary.Uvarint(b)
			b = b[size:]
			return int(n)
		}
		word := func(before []byte) []byte {
			same, n := number(), number()
			before = append(before[:same], b[:n]...)
			b = b[n:]
			return before
		}
		var link loggedLink
		for i := range l.targets {
			link.seq += number()
			link.path, link.target = word(link.path), word(link.target)
			if !yield(i, link) {
				return
			}
		}
	}
}

// content is what is known of the file that a name leads to at some place in the
// archive: numbers into the collector's lists, -1 for nothing.
type content struct {
	fact, notable int32
	outside       int32 // into its outside links: it is a file of a lower layer
}

var unknown = content{-1, -1, -1}

// hardlinks gives each name of a file the facts of the first. What is read of a
// file, and where secrets and malware are looked for in it, is decided by the name
// that the archive has it under; a name that would be read, of a file that was
// not, is said to be skipped: its bytes have gone by. The facts are sorted by seq.
func (c *collector) hardlinks() {
	if len(c.hard.targets) == 0 {
		return
	}
	facts, notables := map[int]int32{}, map[int]int32{}
	now := map[uint64]content{} // of the names that matter
	for i, n := range c.facts {
		facts[n.seq], now[hashName(n.val.Path, false)] = int32(i), unknown
	}
	for i, n := range c.notable {
		notables[n.seq], now[hashName(n.val.Path, false)] = int32(i), unknown
	}
	written := c.firstOf(c.hard.targets)
	seq := 0
	pass := func(until int) {
		for ; seq < until; seq++ {
			h := c.order[seq]
			if _, ok := now[h]; !ok {
				continue
			}
			is := unknown
			if i, ok := facts[seq]; ok {
				is.fact = i
			}
			if i, ok := notables[seq]; ok {
				is.notable = i
			}
			now[h] = is
		}
	}
	for i, link := range c.hard.all() {
		pass(link.seq)
		target, ok := now[c.hard.targets[i]]
		if !ok {
			target = unknown
		}
		if at, ok := written.at(c.hard.targets[i]); !ok || at > link.seq {
			target.outside = c.outsideLink(link.seq, HardLink{Path: string(link.path), Target: string(link.target)})
		} else if target.outside >= 0 {
			target.outside = c.outsideLink(link.seq, HardLink{Path: string(link.path), Target: c.outside[target.outside].val.Target})
		}
		is := c.named(link, target)
		seq = link.seq + 1
		if h := c.order[link.seq]; is != unknown {
			now[h] = is
		} else if _, ok := now[h]; ok {
			now[h] = unknown
		}
		if c.err != nil {
			return
		}
	}
}

// named adds what a second name says, and answers what it leads to.
func (c *collector) named(link loggedLink, target content) content {
	is := unknown
	is.outside = target.outside
	var fact FileFact
	if target.fact >= 0 {
		fact = c.facts[target.fact].val
	}
	path := string(link.path)
	if fact = c.renamed(fact, target.fact >= 0, path); !fact.empty() {
		is.fact = int32(len(c.facts))
		c.facts = append(c.facts, numbered[FileFact]{link.seq, fact})
		c.weighLocked(fact.weight())
	}
	if target.notable >= 0 && len(c.notable) < breakwater.MaxNotable {
		n := c.notable[target.notable].val
		n.Path = path
		is.notable = int32(len(c.notable))
		c.notable = append(c.notable, numbered[breakwater.Notable]{link.seq, n})
		c.weighLocked(len(path))
	}
	return is
}

const notRead = "a hard link to a file that was not read"

// renamed is what the facts of a file say under another name of it.
func (c *collector) renamed(f FileFact, known bool, path string) FileFact {
	first := f.first()
	wants := c.detect.Wants(path)
	read := known && c.detect.Wants(first) == wants
	f = f.as(path, read)
	if wants && !read {
		f.Facts = detect.Facts{Skipped: notRead}
	}
	if baseline.Wants(path) && f.Config == nil {
		f.Missed = append(f.Missed, Miss{Check: breakwater.CheckBaseline, Reason: notRead})
	}
	return f
}

// first is the name that the archive has the file under.
func (f FileFact) first() string {
	if f.Of != "" {
		return f.Of
	}
	return f.Path
}

// as is the facts under another name. Those of packages are left out unless both
// names are read, and the configuration unless it is of the same kind under both.
func (f FileFact) as(path string, read bool) FileFact {
	f.Of, f.Path = f.first(), path
	f.Packages = slices.Clone(f.Packages)
	for i := range f.Packages {
		f.Packages[i].Path = path
	}
	if !read {
		f.Facts = detect.Facts{}
	}
	if f.Config != nil && baseline.Kind(path) != f.Config.Kind {
		f.Config = nil
	}
	if f.Config != nil {
		config := *f.Config
		config.Path, config.Weak = path, slices.Clone(config.Weak)
		for i := range config.Weak {
			config.Weak[i].Path = path
		}
		f.Config = &config
	}
	f.Secrets, f.Malware = slices.Clone(f.Secrets), slices.Clone(f.Malware)
	for i := range f.Secrets {
		f.Secrets[i].Path = path
	}
	for i := range f.Malware {
		f.Malware[i].Path = path
	}
	f.Missed = slices.DeleteFunc(slices.Clone(f.Missed), func(m Miss) bool { return m.Check == breakwater.CheckBaseline })
	return f
}

// outsideLink keeps a link to a file of a lower layer.
func (c *collector) outsideLink(seq int, l HardLink) int32 {
	if l.Target == "" {
		return -1
	}
	l.Read = c.detect.Wants(l.Path) == c.detect.Wants(l.Target)
	c.outside = append(c.outside, numbered[HardLink]{seq, l})
	c.weighLocked(128 + len(l.Path) + len(l.Target))
	return int32(len(c.outside) - 1)
}

// firstEntries tells where in the archive some names come first.
type firstEntries struct {
	names []uint64 // sorted
	seqs  []int32  // -1: nowhere
}

func (c *collector) firstOf(names []uint64) firstEntries {
	f := firstEntries{names: slices.Compact(slices.Sorted(slices.Values(names)))}
	f.seqs = make([]int32, len(f.names))
	for i := range f.seqs {
		f.seqs[i] = -1
	}
	for seq, h := range c.order {
		if i, ok := slices.BinarySearch(f.names, h); ok && f.seqs[i] < 0 {
			f.seqs[i] = int32(seq)
		}
	}
	return f
}

func (f firstEntries) at(name uint64) (int, bool) {
	i, ok := slices.BinarySearch(f.names, name)
	if !ok || f.seqs[i] < 0 {
		return 0, false
	}
	return int(f.seqs[i]), true
}
