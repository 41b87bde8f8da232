package secret

import (
	"math/bits"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// set is a set of bytes, one bit each.
type set [4]uint64

// everything is the set of all bytes.
var everything = set{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

// notASCII are the bytes that are not ASCII.
var notASCII = set{0, 0, ^uint64(0), ^uint64(0)}

func (s *set) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

func (s *set) put(c byte) { s[c>>6] |= 1 << (c & 63) }

func (s *set) add(t *set) {
	for i := range s {
		s[i] |= t[i]
	}
}

// keep takes out what is not in t.
func (s *set) keep(t *set) {
	for i := range s {
		s[i] &= t[i]
	}
}

func (s *set) meets(t *set) bool {
	return s[0]&t[0]|s[1]&t[1]|s[2]&t[2]|s[3]&t[3] != 0
}

// all calls f with every member in order.
func (s *set) all(f func(c byte) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !f(byte(i<<6 + bits.TrailingZeros64(w))) {
				return
			}
		}
	}
}

// lower returns the set with upper-case letters made lower.
func (s *set) lower() set {
	const letters = 0x7fffffe // the bits of A to Z, and of a to z after a shift by 32
	t := *s
	t[1] = t[1]&^letters | t[1]&letters<<32
	return t
}

// folded returns the members with upper-case letters made lower.
func (s *set) folded() []byte {
	t := s.lower()
	out := make([]byte, 0, 8)
	for c := range t.all {
		out = append(out, c)
	}
	return out
}

// size is how many members there are when case does not count.
func (s *set) size() int {
	t := s.lower()
	return bits.OnesCount64(t[0]) + bits.OnesCount64(t[1]) + bits.OnesCount64(t[2]) + bits.OnesCount64(t[3])
}

func setOf(chars string) *set {
	s := &set{}
	for i := range len(chars) {
		s.put(chars[i])
	}
	return s
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// isFoldRune tells the runes outside ASCII that are equal to an ASCII letter when
// case is ignored. The analysis need not think of them: see foldrune.go.
func isFoldRune(r rune) bool { return r == 0x212a || r == 0x017f || r == 0x0130 }

// classSet returns the bytes that a match of a one-rune node can consist of, and
// whether that is always one ASCII byte.
func classSet(n *syntax.Regexp) (*set, bool) {
	s := &set{}
	switch n.Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		*s = everything
		if n.Op == syntax.OpAnyCharNotNL {
			s[0] &^= 1 << '\n'
		}
		return s, false
	case syntax.OpCharClass:
		ascii := true
		for i := 0; i < len(n.Rune); i += 2 {
			lo, hi := n.Rune[i], n.Rune[i+1]
			for r := lo; r <= hi && r < utf8.RuneSelf; r++ {
				s.put(byte(r))
			}
			if hi >= utf8.RuneSelf && !(lo == hi && isFoldRune(lo)) {
				ascii = false
			}
		}
		if !ascii {
			s.add(&notASCII)
		}
		return s, ascii
	}
	return nil, false
}

// literalSets returns a set for each byte of a literal, and false when its
// length in bytes is not fixed.
func literalSets(n *syntax.Regexp) ([]*set, bool) {
	var out []*set
	for _, r := range n.Rune {
		if n.Flags&syntax.FoldCase == 0 {
			for _, c := range []byte(string(r)) {
				out = append(out, setOf(string([]byte{c})))
			}
			continue
		}
		s := &set{}
		for f := r; ; {
			switch {
			case f < utf8.RuneSelf:
				s.put(byte(f))
			case !isFoldRune(f):
				return nil, false
			}
			if f = unicode.SimpleFold(f); f == r {
				break
			}
		}
		out = append(out, s)
	}
	return out, true
}

// extent bounds the bytes that a part of a match can take: at most fixed bytes,
// and besides any number of those in free; all of them are in all.
type extent struct {
	fixed     int
	free, all set
}

// maxFixed keeps sums of extents from overflowing; it is more than any text has.
const maxFixed = 1 << 40

func (e *extent) then(f *extent) {
	e.fixed = min(e.fixed+f.fixed, maxFixed)
	e.free.add(&f.free)
	e.all.add(&f.all)
}

// extentOf walks a node. Assertions take nothing.
func extentOf(n *syntax.Regexp) *extent {
	e := &extent{}
	switch n.Op {
	case syntax.OpLiteral:
		for _, r := range n.Rune {
			e.addRune(r, n.Flags&syntax.FoldCase != 0)
		}
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		s, ascii := classSet(n)
		e.all, e.fixed = *s, 1
		if !ascii {
			e.fixed = utf8.UTFMax
		}
	case syntax.OpCapture, syntax.OpConcat, syntax.OpQuest:
		for _, sub := range n.Sub {
			e.then(extentOf(sub))
		}
	case syntax.OpAlternate:
		for _, sub := range n.Sub {
			f := extentOf(sub)
			f.fixed, e.fixed = 0, max(e.fixed, f.fixed)
			e.then(f)
		}
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		f := extentOf(n.Sub[0])
		if n.Op != syntax.OpRepeat || n.Max < 0 {
			f.free, f.fixed = f.all, 0
		} else {
			f.fixed = min(f.fixed*n.Max, maxFixed)
		}
		e.then(f)
	}
	return e
}

func (e *extent) addRune(r rune, fold bool) {
	longest := utf8.RuneLen(r)
	for f := r; ; {
		if f < utf8.RuneSelf || !isFoldRune(f) {
			for _, c := range []byte(string(f)) {
				e.all.put(c)
			}
			longest = max(longest, utf8.RuneLen(f))
		}
		if r == utf8.RuneError {
			e.all.add(&notASCII)
		}
		if f = unicode.SimpleFold(f); !fold || f == r {
			break
		}
	}
	e.fixed = min(e.fixed+longest, maxFixed)
}
