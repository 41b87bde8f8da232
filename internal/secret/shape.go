package secret

import "regexp/syntax"

// shape is the form that most rules share: a name that holds the anchor, an
// operator, a few quotes or spaces, the value, and something that ends it:
//
//	[\w.-]{0,50}? anchor [ \t\w.-]{0,20} [\s'"]{0,3} (= | : | …) [\s'"=]{0,5} (value) (quote | space | ; | end)
//
// From the sets of bytes of these parts it follows where operator and value must
// be, without trying the expression: the operator is the first byte that cannot
// be part of the name, and the value runs up to the first byte that cannot be
// part of it. What does not look so is no match.
type shape struct {
	name    set // bytes of everything before the operator
	nameMax int
	op      set // first bytes of the operator; none is in name
	between set // bytes of the operator and of what may stand before the value
	gapMax  int // bytes of both together
	value   set
	least   int
	most    int // 0: no limit
	end     set // first bytes of what ends the value; none is in value
	endMax  int
	endText bool // the end of the text ends it as well
	// alone: the value is the only group, so that it is the secret.
	alone bool
	gap   set // bytes that may stand right before the value
}

// operatorAt returns the index of the first part whose first byte cannot belong
// to any part before it, and -1 when there is none.
func operatorAt(subs []*syntax.Regexp) int {
	before := &extent{}
	for i, sub := range subs {
		if i > 0 && sub.Op == syntax.OpAlternate {
			if first := firstOf(sub); first != nil && !first.meets(&before.all) && before.fixed > 0 && before.free == (set{}) {
				return i
			}
		}
		before.then(extentOf(sub))
	}
	return -1
}

// firstOf returns the bytes that a match can begin with, and nil when it can be
// empty or that is not known.
func firstOf(n *syntax.Regexp) *set {
	s := &set{}
	for _, q := range fixed(n) {
		if len(q.sets) == 0 {
			return nil
		}
		s.add(q.sets[0])
	}
	return s
}

// shapeOf reads the parts around the operator, and returns nil when they are not
// of the form.
func shapeOf(subs []*syntax.Regexp, op int) *shape {
	if op < 0 || len(subs) != op+4 {
		return nil
	}
	name := &extent{}
	groups := 0
	for _, sub := range subs[:op] {
		name.then(extentOf(sub))
		groups += countGroups(sub)
	}
	opExt, gap, value, end := extentOf(subs[op]), extentOf(subs[op+1]), extentOf(subs[op+2]), extentOf(subs[op+3])
	if opExt.free != (set{}) || gap.free != (set{}) || end.free != (set{}) || opExt.fixed+gap.fixed > 32 {
		return nil
	}
	s := &shape{
		name: name.all, nameMax: name.fixed, op: *firstOf(subs[op]), between: opExt.all,
		gapMax: opExt.fixed + gap.fixed, value: value.all, least: leastOf(subs[op+2]),
		most: value.fixed, endMax: end.fixed, gap: gap.all,
	}
	s.between.add(&gap.all)
	if value.free != (set{}) {
		s.most = 0
	}
	if s.least < 1 || !s.readEnd(subs[op+3]) || s.end.meets(&s.value) {
		return nil
	}
	s.alone = subs[op+2].Op == syntax.OpCapture && countGroups(subs[op+2]) == 1 && groups == 0
	return s
}

// readEnd takes the branches of what ends a value.
func (s *shape) readEnd(n *syntax.Regexp) bool {
	branches := []*syntax.Regexp{n}
	if n.Op == syntax.OpAlternate {
		branches = n.Sub
	}
	for _, b := range branches {
		if b.Op == syntax.OpEndText {
			s.endText = true
			continue
		}
		first := firstOf(b)
		if first == nil {
			return false
		}
		s.end.add(first)
	}
	return true
}

func countGroups(n *syntax.Regexp) int {
	c := 0
	if n.Op == syntax.OpCapture {
		c = 1
	}
	for _, sub := range n.Sub {
		c += countGroups(sub)
	}
	return c
}

// leastOf is the fewest bytes that a match takes.
func leastOf(n *syntax.Regexp) int {
	switch n.Op {
	case syntax.OpLiteral:
		return len(n.Rune)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpPlus:
		return leastOf(n.Sub[0])
	case syntax.OpConcat:
		sum := 0
		for _, sub := range n.Sub {
			sum += leastOf(sub)
		}
		return sum
	case syntax.OpAlternate:
		least := leastOf(n.Sub[0])
		for _, sub := range n.Sub[1:] {
			least = min(least, leastOf(sub))
		}
		return least
	case syntax.OpRepeat:
		return n.Min * leastOf(n.Sub[0])
	}
	return 0
}

// fit is what shape.try found.
type fit int

const (
	unfit fit = iota
	// weakFit: it may match, and what it matches is no secret. It matters only
	// because a match uses up its text.
	weakFit
	strongFit
)

// runCache remembers the last run of value bytes, so that many names before one
// long run walk over it once.
type runCache struct{ from, to int }

// try looks at a text in which a name with an anchor begins at i or before.
// It returns the offset behind which no match of this place can reach.
func (s *shape) try(b []byte, i int, r *rule, cache *runCache) (fit, int) {
	o, last := i, min(len(b), i+s.nameMax+1)
	for o < last && s.name.has(b[o]) {
		o++
	}
	if o >= last || !s.op.has(b[o]) {
		return unfit, 0
	}
	best, reach := unfit, 0
	runs := 0
	for j := o + 1; j < len(b) && j <= o+s.gapMax; {
		if !s.value.has(b[j]) {
			if !s.between.has(b[j]) {
				break
			}
			j++
			continue
		}
		end := s.run(b, j, o, cache)
		runs++
		if f := s.judge(b, o, j, end, r, runs == 1); f != unfit {
			best, reach = max(best, f), end+s.endMax
		}
		if !s.between.has(b[j]) {
			break // the value begins here or nowhere
		}
		j = max(end, j+1)
	}
	return best, min(reach, len(b))
}

// run returns where the run of value bytes that holds j ends; a bounded value
// ends no later than it can.
func (s *shape) run(b []byte, j, o int, cache *runCache) int {
	if cache.from <= j && j < cache.to {
		return cache.to
	}
	end, limit := j, len(b)
	if s.most > 0 {
		limit = min(limit, o+s.gapMax+s.most+2)
	}
	for end < limit && s.value.has(b[end]) {
		end++
	}
	if s.most == 0 {
		*cache = runCache{j, end}
	}
	return end
}

// judge decides whether a value can lie in the run b[j:end] behind the operator
// at o, ending with the run.
func (s *shape) judge(b []byte, o, j, end int, r *rule, first bool) fit {
	if end-j < s.least || s.most > 0 && end-o-s.gapMax > s.most {
		return unfit
	}
	switch {
	case end == len(b):
		if !s.endText {
			return unfit
		}
	case !s.end.has(b[end]):
		return unfit
	}
	// Where the run cannot be part of the gap, the value is the whole run, and
	// what the rule asks of a secret can be asked now.
	if !first || !s.alone || s.gap.has(b[j]) || s.op.has(b[j]) || s.between.has(b[j]) || r.group > 1 {
		return strongFit
	}
	v := b[j:end]
	if s.most > 0 && len(v) > s.most {
		return unfit
	}
	for _, a := range r.allow {
		if a.only != nil && !a.all && onlyIn(v, a.only) {
			return weakFit
		}
	}
	if r.entropy != 0 && len(v) <= 200 && entropy(v) <= r.entropy {
		return weakFit
	}
	return strongFit
}

func onlyIn(v []byte, s *set) bool {
	for _, c := range v {
		if !s.has(c) {
			return false
		}
	}
	return true
}
