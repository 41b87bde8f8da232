package secret

import (
	"bytes"
	"sync"

	"breakwater/internal/pattern"
)

// engine is a ruleset compiled for one pass.
type engine struct {
	rules []*rule
	allow []*allowlist
	words *pattern.Set
	refs  [][]ref // by pattern id
	// always are the rules that no word can point to: those of a path alone, and
	// those without anchor and keyword.
	always []int
	pool   sync.Pool // *work
}

// ref says what the occurrence of a word means to a rule.
type ref struct {
	rule int32
	alt  int32 // index, or one of the constants below
	len  int32 // of the word
	off  int32 // of the word in the alt's sequence
}

const (
	refKeyword = -1 // the rule's keyword is there
	refAllow   = -2 // the inline comment is there
)

// allowComment silences a finding on its line.
const allowComment = "gitleaks:allow"

// newEngine analyses the rules and builds the pattern set of all their words.
func newEngine(rs *ruleset) (*engine, error) {
	e := &engine{rules: rs.rules, allow: rs.allow}
	ids := map[string]int{}
	var words [][]byte
	word := func(w string, r ref) {
		id, ok := ids[w]
		if !ok {
			id = len(words)
			ids[w] = id
			words = append(words, []byte(w))
			e.refs = append(e.refs, nil)
		}
		r.len = int32(len(w))
		e.refs[id] = append(e.refs[id], r)
	}
	word(allowComment, ref{alt: refAllow})
	for i, r := range e.rules {
		if r.re == nil {
			e.always = append(e.always, i)
			continue
		}
		r.analyse()
		for j := range r.alts {
			for _, lit := range r.alts[j].literals {
				word(lit, ref{rule: int32(i), alt: int32(j), off: int32(r.alts[j].off)})
			}
		}
		if !r.sure {
			for _, k := range r.keywords {
				word(k, ref{rule: int32(i), alt: refKeyword})
			}
		}
		if r.slow || len(r.keywords) == 0 && len(r.alts) == 0 {
			e.always = append(e.always, i)
		}
	}
	var err error
	if e.words, err = pattern.New(words, pattern.Options{Fold: true}); err != nil {
		return nil, err
	}
	e.pool.New = func() any { return e.newWork() }
	return e, nil
}

// analyse fills what can be proven about the rule's expression.
func (r *rule) analyse() {
	r.alts, r.sure = analyse(r.re.tree(), r.keywords)
	if len(r.keywords) == 0 {
		r.sure = len(r.alts) > 0
	}
	for _, k := range r.keywords {
		for i := range len(k) {
			if k[i] >= 0x80 {
				r.slow = true
			}
		}
	}
	if r.slow {
		r.alts, r.sure = nil, false
	}
}

// span is a part of the text that a match may lie in.
type span struct {
	lo, hi int
	strong bool
}

// pending is what a pass noted about one rule.
type pending struct {
	spans   []span
	whole   bool // run it on all of the text
	present bool // a keyword is there
	walked  int  // bytes walked to find the spans
	off     bool // the path rules it out
	seen    bool
	cache   runCache
}

// maxWalk bounds the bytes that finding the spans of one rule may walk, as a
// multiple of the text: a text made to be walked over again and again is handed
// to the expression as a whole instead.
const maxWalk = 4

// work is what one pass needs, kept between passes.
type work struct {
	rules   []pending
	touched []int32
	path    string
	text    []byte
	fold    []int // offsets of runes that fold to ASCII, see passFold
	comment bool  // the allow comment is there
	lines   lineIndex
	memo    map[lineKey]bool
}

func (e *engine) newWork() *work { return &work{rules: make([]pending, len(e.rules))} }

func (w *work) reset() {
	for _, i := range w.touched {
		p := &w.rules[i]
		*p = pending{spans: p.spans[:0]}
		if cap(p.spans) > 1<<12 {
			p.spans = nil
		}
	}
	*w = work{rules: w.rules, touched: w.touched[:0], lines: lineIndex{at: w.lines.at[:0]}}
}

// pending returns the rule's notes, and nil when the path rules it out.
func (e *engine) pending(w *work, i int32) *pending {
	p := &w.rules[i]
	if !p.seen {
		p.seen = true
		w.touched = append(w.touched, i)
		p.off = e.rules[i].pathOff(w.path)
	}
	if p.off {
		return nil
	}
	return p
}

// pathOff reports whether the rule does not look at files of this path.
func (r *rule) pathOff(path string) bool {
	for _, a := range r.allow {
		if a.allowsPath(path) {
			return true
		}
	}
	return r.path != nil && !r.path.match(path)
}

// pass notes where each rule may match.
func (e *engine) pass(w *work) {
	e.words.Each(w.text, func(id, end int) bool {
		for _, r := range e.refs[id] {
			if r.alt == refAllow {
				w.comment = true
				continue
			}
			p := e.pending(w, r.rule)
			switch {
			case p == nil:
			case r.alt == refKeyword:
				p.present = true
			case !p.whole:
				e.note(w, p, r, end)
			}
		}
		return true
	})
}

// note judges one place of an anchor.
func (e *engine) note(w *work, p *pending, f ref, end int) {
	r := e.rules[f.rule]
	a := &r.alts[f.alt]
	b := w.text
	if len(w.fold) > 0 && w.nearFold(end-int(f.len)-foldReach, end+foldReach) {
		p.whole = true
		return
	}
	at := end - int(f.len) - int(f.off)
	if at < 0 || len(b)-at < len(a.seq) || a.word && at > 0 && isWord(b[at-1]) {
		return
	}
	for i, s := range a.seq {
		if !s.has(b[at+i]) {
			return
		}
	}
	sp := span{strong: true}
	if a.shape != nil {
		var f fit
		if f, sp.hi = a.shape.try(b, at, r, &p.cache); f == unfit {
			return
		}
		sp.strong = f == strongFit
	} else {
		sp.hi = a.right.forward(b, at)
		if p.walked += sp.hi - at; p.walked > maxWalk*len(b)+1<<16 {
			p.whole = true
			return
		}
		for _, c := range a.need {
			if bytes.IndexByte(b[at:sp.hi], c) < 0 {
				return
			}
		}
	}
	sp.lo = a.left.back(b, at)
	if len(w.fold) > 0 && w.nearFold(sp.lo-4, sp.hi+4) {
		p.whole = true
		return
	}
	if !sp.strong && p.covered(sp) {
		return
	}
	p.walked += sp.hi - sp.lo
	if p.walked > maxWalk*len(b)+1<<16 {
		p.whole = true
		return
	}
	p.add(sp)
}

func (p *pending) covered(s span) bool {
	if len(p.spans) == 0 {
		return false
	}
	last := &p.spans[len(p.spans)-1]
	return last.lo <= s.lo && s.hi <= last.hi
}

// add joins spans that overlap the last one; the rest is joined before use.
func (p *pending) add(s span) {
	if n := len(p.spans); n > 0 {
		last := &p.spans[n-1]
		if s.lo < last.hi && last.lo < s.hi {
			last.lo, last.hi, last.strong = min(last.lo, s.lo), max(last.hi, s.hi), last.strong || s.strong
			return
		}
	}
	p.spans = append(p.spans, s)
}

// forward returns the offset behind which a match that is under way at i cannot
// reach.
func (e *extent) forward(b []byte, i int) int {
	if e.free == everything {
		return len(b)
	}
	for left := e.fixed; i < len(b) && e.all.has(b[i]); i++ {
		if !e.free.has(b[i]) {
			if left--; left < 0 {
				break
			}
		}
	}
	return i
}

// back is forward in the other direction.
func (e *extent) back(b []byte, i int) int {
	if e.free == everything {
		return 0
	}
	for left := e.fixed; i > 0 && e.all.has(b[i-1]); i-- {
		if !e.free.has(b[i-1]) {
			if left--; left < 0 {
				break
			}
		}
	}
	return i
}

// skips reports whether a path is allowed everywhere.
func (e *engine) skips(path string) bool {
	for _, a := range e.allow {
		if a.allowsPath(path) {
			return true
		}
	}
	return false
}
