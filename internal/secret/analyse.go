package secret

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// The limits of the analysis of one expression; a rule over them is run on the
// whole text.
const (
	maxAlts   = 96  // ways in which an anchor may be spelled
	maxUnion  = 512 // alts of the branches of an alternation
	maxSeq    = 128 // bytes of an anchor that are looked at
	maxExpand = 40  // literals made of one that is too short
	minAnchor = 2   // bytes of the shortest literal worth looking for
)

// seq is the beginning of what a node matches, one set a byte. A closed seq is
// all of it.
type seq struct {
	sets []*set
	open bool
}

// alt is one way in which a match can be recognised: a run of bytes that are
// each in a set, with a literal among them, and how far the match can reach from
// the beginning of that run.
type alt struct {
	seq      []*set
	off      int      // of the literal in seq
	literals []string // lower case; one of them is there
	word     bool     // no word character may stand before seq
	left     *extent
	right    *extent // from the beginning of seq
	need     []byte  // bytes that must stand between the beginning of seq and the end
	shape    *shape  // what follows, when it is an assignment
}

// analyse finds the best anchors of an expression. Empty: none can be proven.
func analyse(re *syntax.Regexp, keywords []string) (alts []alt, sure bool) {
	cands := candidates(re)
	best := -1
	var top int
	for i := range cands {
		sure = sure || allNameOne(cands[i], keywords)
		if s := strength(cands[i]); s > top {
			best, top = i, s
		}
	}
	if best < 0 {
		return nil, sure
	}
	return cands[best], sure
}

// candidates lists sets of alts; every match contains one alt of each set.
func candidates(n *syntax.Regexp) [][]alt {
	switch n.Op {
	case syntax.OpCapture:
		return candidates(n.Sub[0])
	case syntax.OpAlternate:
		var cands [][]alt
		if c := runAt([]*syntax.Regexp{n}, 0); c != nil {
			cands = append(cands, c)
		}
		var all []alt
		for _, sub := range n.Sub {
			var best []alt
			top := 0
			for _, c := range candidates(sub) {
				if s := strength(c); s > top {
					best, top = c, s
				}
			}
			if best == nil || len(all)+len(best) > maxUnion {
				return cands
			}
			all = append(all, best...)
		}
		return append(cands, all)
	case syntax.OpConcat:
		return ofConcat(n.Sub)
	case syntax.OpRepeat, syntax.OpPlus:
		if n.Op == syntax.OpPlus || n.Min >= 1 {
			whole := extentOf(n)
			cands := candidates(n.Sub[0])
			for _, c := range cands {
				widen(c, whole, whole)
			}
			return cands
		}
	case syntax.OpLiteral, syntax.OpCharClass:
		if c := runAt([]*syntax.Regexp{n}, 0); c != nil {
			return [][]alt{c}
		}
	}
	return nil
}

func ofConcat(subs []*syntax.Regexp) [][]alt {
	var cands [][]alt
	left := &extent{}
	op := operatorAt(subs)
	for i, sub := range subs {
		right := &extent{}
		for _, later := range subs[i+1:] {
			right.then(extentOf(later))
		}
		inner := candidates(sub)
		if c := runAt(subs, i); c != nil {
			cands = append(cands, withLeft(c, left))
		}
		for _, c := range inner {
			widen(c, left, right)
			for j := range c {
				c[j].needs(subs[i+1:])
			}
		}
		cands = append(cands, inner...)
		if i < op {
			shape := shapeOf(subs, op)
			for j := range cands {
				for k := range cands[j] {
					if shape != nil && cands[j][k].shape == nil {
						cands[j][k].shape = shape
					}
				}
			}
		}
		sum := *left
		sum.then(extentOf(sub))
		left = &sum
	}
	return cands
}

func withLeft(c []alt, left *extent) []alt {
	for i := range c {
		c[i].left = left
	}
	return c
}

func widen(c []alt, left, right *extent) {
	for i := range c {
		l, r := *c[i].left, *c[i].right
		l.then(left)
		r.then(right)
		c[i].left, c[i].right = &l, &r
	}
}

// runAt makes alts of the siblings from i on, as far as their bytes are known.
func runAt(subs []*syntax.Regexp, i int) []alt {
	seqs := []seq{{}}
	for _, n := range subs[i:] {
		next := fixed(n)
		seqs = cross(seqs, next)
		if allOpen(seqs) {
			break
		}
	}
	right := &extent{}
	for _, n := range subs[i:] {
		right.then(extentOf(n))
	}
	word := i > 0 && subs[i-1].Op == syntax.OpWordBoundary
	var alts []alt
	for _, s := range seqs {
		a := alt{seq: s.sets, left: &extent{}, right: right}
		if !a.pickLiterals() {
			return nil
		}
		a.word = word && onlyWords(s.sets[0])
		a.needs(subs[i:])
		alts = append(alts, a)
	}
	return alts
}

// maxNeed is how many bytes are looked for in a span.
const maxNeed = 3

// needs notes bytes that every match of the nodes contains and that tell more
// than those of the anchor.
func (a *alt) needs(nodes []*syntax.Regexp) {
	var must set
	for _, n := range nodes {
		must.add(mustHave(n))
	}
	for _, s := range a.seq {
		if s.size() == 1 {
			for i := range must {
				must[i] &^= s[i]
			}
		}
	}
	for c := range must.all {
		if len(a.need) < maxNeed && !slices.Contains(a.need, c) {
			a.need = append(a.need, c)
		}
	}
}

// mustHave returns bytes that every match of n contains.
func mustHave(n *syntax.Regexp) *set {
	s := &set{}
	switch n.Op {
	case syntax.OpLiteral:
		for _, r := range n.Rune {
			if r < 0x80 && !isWord(byte(r)) {
				s.put(byte(r))
			}
		}
	case syntax.OpCapture, syntax.OpConcat:
		for _, sub := range n.Sub {
			s.add(mustHave(sub))
		}
	case syntax.OpPlus:
		return mustHave(n.Sub[0])
	case syntax.OpRepeat:
		if n.Min > 0 {
			return mustHave(n.Sub[0])
		}
	case syntax.OpAlternate:
		*s = *mustHave(n.Sub[0])
		for _, sub := range n.Sub[1:] {
			s.keep(mustHave(sub))
		}
	}
	return s
}

func onlyWords(s *set) bool {
	for c := range s.all {
		if !isWord(c) {
			return false
		}
	}
	return true
}

func allOpen(seqs []seq) bool {
	for _, s := range seqs {
		if !s.open {
			return false
		}
	}
	return true
}

// fixed returns every way in which a match of n can begin.
func fixed(n *syntax.Regexp) []seq {
	switch n.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return []seq{{}}
	case syntax.OpLiteral:
		if sets, ok := literalSets(n); ok {
			return []seq{{sets: sets}}
		}
	case syntax.OpCharClass:
		if s, ascii := classSet(n); ascii {
			return []seq{{sets: []*set{s}}}
		}
	case syntax.OpCapture:
		return fixed(n.Sub[0])
	case syntax.OpConcat:
		seqs := []seq{{}}
		for _, sub := range n.Sub {
			seqs = cross(seqs, fixed(sub))
		}
		return seqs
	case syntax.OpAlternate:
		var seqs []seq
		for _, sub := range n.Sub {
			seqs = append(seqs, fixed(sub)...)
		}
		if len(seqs) <= maxAlts {
			return seqs
		}
	case syntax.OpQuest:
		if seqs := append([]seq{{}}, fixed(n.Sub[0])...); len(seqs) <= maxAlts {
			return seqs
		}
	case syntax.OpPlus:
		return repeated(n.Sub[0], 1, true)
	case syntax.OpRepeat:
		return repeated(n.Sub[0], n.Min, n.Max != n.Min)
	}
	return []seq{{open: true}}
}

func repeated(n *syntax.Regexp, times int, more bool) []seq {
	seqs := []seq{{}}
	one := fixed(n)
	if len(one) == 1 && !one[0].open { // most repeats: a class so many times
		all := seq{open: more}
		for range times {
			all.sets = append(all.sets, one[0].sets...)
			if len(all.sets) > maxSeq {
				all = seq{all.sets[:maxSeq], true}
				break
			}
		}
		return []seq{all}
	}
	for range times {
		if seqs = cross(seqs, one); allOpen(seqs) {
			break
		}
	}
	if more {
		for i := range seqs {
			seqs[i].open = true
		}
	}
	return seqs
}

// cross appends every b to every closed a.
func cross(as, bs []seq) []seq {
	var out []seq
	for _, a := range as {
		if a.open {
			out = append(out, a)
			continue
		}
		for _, b := range bs {
			sets := append(append([]*set(nil), a.sets...), b.sets...)
			s := seq{sets, b.open}
			if len(s.sets) > maxSeq {
				s = seq{s.sets[:maxSeq], true}
			}
			out = append(out, s)
		}
	}
	if len(out) <= maxAlts {
		return out
	}
	stop := append([]seq(nil), as...)
	for i := range stop {
		stop[i].open = true
	}
	return stop
}

// pickLiterals chooses the longest literal of the sequence. One shorter than
// three bytes is spelled out with its neighbour, so that the pattern set can
// skip quickly.
func (a *alt) pickLiterals() bool {
	best, length := 0, 0
	for i := 0; i < len(a.seq); {
		j := i
		for j < len(a.seq) && a.seq[j].size() == 1 {
			j++
		}
		if j-i > length {
			best, length = i, j-i
		}
		i = max(j, i+1)
	}
	if length < minAnchor {
		return false
	}
	lit := make([]byte, 0, length)
	for _, s := range a.seq[best : best+length] {
		lit = append(lit, s.folded()[0])
	}
	a.off, a.literals = best, []string{string(lit)}
	if length >= 3 {
		return true
	}
	if end := best + length; end < len(a.seq) {
		if more := a.seq[end].folded(); len(more) <= maxExpand {
			a.literals = nil
			for _, c := range more {
				a.literals = append(a.literals, string(lit)+string([]byte{c}))
			}
			return true
		}
	}
	if best > 0 {
		if more := a.seq[best-1].folded(); len(more) <= maxExpand {
			a.off, a.literals = best-1, nil
			for _, c := range more {
				a.literals = append(a.literals, string([]byte{c})+string(lit))
			}
		}
	}
	return true
}

// strength says how well a set of alts tells a match from other text: that of
// its weakest.
func strength(c []alt) int {
	if len(c) == 0 {
		return 0
	}
	weakest := 1 << 30
	for i := range c {
		info := 0
		for _, s := range c[i].seq {
			info += 20 / max(1, s.size())
		}
		s := min(len(c[i].literals[0]), 5)*1000 + min(info+len(c[i].seq), 900)
		if c[i].left.free != (set{}) {
			s /= 2
		}
		weakest = min(weakest, s)
	}
	return weakest
}

// allNameOne reports whether whatever matches any of the alts contains a keyword.
func allNameOne(c []alt, keywords []string) bool {
	for i := range c {
		for _, text := range spell(c[i].seq) {
			if !containsAny(text, keywords) {
				return false
			}
		}
	}
	return len(c) > 0
}

func containsAny(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// spell lists what a sequence can be in lower case, with a zero byte where it
// may be many things.
func spell(sets []*set) []string {
	out := []string{""}
	for _, s := range sets {
		letters := []byte{0}
		if n := s.size(); n > 0 && n <= 4 && len(out)*n <= 256 {
			letters = s.folded()
		}
		var next []string
		for _, t := range out {
			for _, c := range letters {
				next = append(next, t+string([]byte{c}))
			}
		}
		out = next
	}
	return out
}
