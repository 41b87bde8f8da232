package secret

import (
	"slices"
	"unicode/utf8"
)

// The room that a window has beyond its spans.
const (
	// near joins spans that lie closer together: the context of one must not
	// hold half of another.
	near = 16
	// margin is what an assertion or a cut rune at the edge of a window needs.
	margin = 8
)

// matches calls f with the offsets of every match of the rule in the text, in
// order, the same that the expression finds in the whole of it. It tries the
// expression only around strong spans.
//
// Why that is the same: every match lies in the span of one of its anchors. A
// window holds whole groups of overlapping spans, weak ones too, so that a match
// that is no secret uses up its text here as it does there. What the edges of a
// window make up (an end of text that is none) touches an edge, and a window in
// which a match touches an edge is made larger and tried again.
func (e *engine) matches(w *work, r *rule, p *pending, f func(from, to int) bool) {
	if p.whole || len(r.alts) == 0 {
		for _, m := range r.re.re().FindAllIndex(w.text, -1) {
			if !f(m[0], m[1]) {
				return
			}
		}
		return
	}
	groups := joined(p.spans)
	budget := 8*len(w.text) + 1<<16
	last := -1
	for i := 0; i < len(groups); i++ {
		if !groups[i].strong {
			continue
		}
		found, base, next, spent := e.window(w.text, r, groups, i, budget)
		budget -= spent
		for _, m := range found {
			if base+m[0] <= last {
				continue
			}
			last = base + m[0]
			if !f(base+m[0], base+m[1]) {
				return
			}
		}
		i = next
	}
}

// joined sorts spans and joins those that overlap or nearly do.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.lo - b.lo })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.lo < out[n-1].hi+near {
			out[n-1].hi = max(out[n-1].hi, s.hi)
			out[n-1].strong = out[n-1].strong || s.strong
			continue
		}
		out = append(out, s)
	}
	return out
}

// window tries the expression around groups[i]. It returns the matches, the
// offset they count from, the last group that the window held, and the bytes
// tried. With the budget used up it tries the whole text.
func (e *engine) window(b []byte, r *rule, groups []span, i, budget int) (found [][]int, base, next, spent int) {
	lo, hi, next := groups[i].lo, groups[i].hi, i
	first := i
	for pad := margin; ; pad *= 4 {
		lo, hi = max(0, lo-pad), min(len(b), hi+pad)
		if spent > budget {
			lo, hi = 0, len(b)
		}
		for next+1 < len(groups) && groups[next+1].lo < hi+near {
			next++
			hi = min(len(b), max(hi, groups[next].hi+margin))
		}
		for first > 0 && groups[first-1].hi+near > lo {
			first--
			lo = max(0, min(lo, groups[first].lo-margin))
		}
		for lo < hi && lo > 0 && hi-lo > utf8.UTFMax && !utf8.RuneStart(b[lo]) {
			lo++
			if lo >= 3 && !utf8.RuneStart(b[lo-1]) && !utf8.RuneStart(b[lo-2]) && !utf8.RuneStart(b[lo-3]) {
				break // no rune is as long: these bytes stand alone
			}
		}
		found = r.re.re().FindAllIndex(b[lo:hi], -1)
		spent += hi - lo
		if !touches(found, lo, hi, len(b)) {
			return found, lo, next, spent
		}
	}
}

func touches(found [][]int, lo, hi, size int) bool {
	if len(found) == 0 {
		return false
	}
	return lo > 0 && found[0][0] == 0 || hi < size && found[len(found)-1][1] == hi-lo
}
