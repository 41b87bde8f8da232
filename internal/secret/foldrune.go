package secret

import (
	"bytes"
	"slices"
	"sort"
)

// Three runes are not ASCII and have to do with ASCII letters: the Kelvin sign
// and the long s match k and s in an expression that does not regard case, and
// the Kelvin sign and the dotted capital I become k and i in lower case, in which
// gitleaks looks for keywords. A text that holds one is rare (tables of Unicode,
// Turkish prose), and long; the spans of its anchors are found as in any other,
// and only a rule that has an anchor near such a rune, or across it, is tried on
// all of the text.
const (
	maxFoldRunes = 4096 // a text with more is treated as gitleaks treats it
	// foldReach is farther than any anchor's sequence and shape look before they
	// give up, class runs aside, which end at such a rune.
	foldReach = 1024
	// foldWord is longer than any word in the pattern set.
	foldWord = 128
)

// foldLetters are the letters that the runes stand for in an expression; the
// dotted I stands for none.
var foldLetters = map[string]byte{"\u212a": 'k', "\u017f": 's', "\u0130": 0}

// passFold is pass for a text with such runes at the given offsets.
func (e *engine) passFold(w *work, runes []int) {
	lower := bytes.ToLower(w.text)
	w.fold = runes
	e.pass(w)
	for _, at := range runes {
		e.foldAnchors(w, at)
	}
	for i, r := range e.rules {
		if len(r.keywords) == 0 || r.re == nil {
			continue
		}
		p := &w.rules[i]
		if r.sure && !p.whole {
			continue // its spans hold their keywords
		}
		present := slices.ContainsFunc(r.keywords, func(k string) bool { return bytes.Contains(lower, []byte(k)) })
		if p.whole && !present {
			p.off = true
		}
		if present && !r.sure {
			if p := e.pending(w, int32(i)); p != nil {
				p.present = true
			}
		}
	}
}

// foldAnchors looks for words across the rune at an offset, with the letters in
// the place of runes, and gives up windows for their rules.
func (e *engine) foldAnchors(w *work, at int) {
	lo, hi := max(0, at-foldWord), min(len(w.text), at+foldWord)
	var text []byte
	var letters []int // where runes became letters
	for i := lo; i < hi; {
		if r, letter, ok := foldRune(w.text[i:hi]); ok {
			if letter != 0 {
				letters = append(letters, len(text))
				text = append(text, letter)
			} else {
				text = append(text, 0)
			}
			i += len(r)
			continue
		}
		text = append(text, w.text[i])
		i++
	}
	e.words.Each(text, func(id, end int) bool {
		for _, f := range e.refs[id] {
			if f.alt < 0 {
				continue
			}
			from := end - int(f.len)
			if slices.ContainsFunc(letters, func(l int) bool { return from <= l && l < end }) {
				if p := e.pending(w, f.rule); p != nil {
					p.whole = true
				}
			}
		}
		return true
	})
}

// foldRune is the rune that a text begins with, if it is one of the three.
func foldRune(text []byte) (r string, letter byte, ok bool) {
	for r, letter := range foldLetters {
		if bytes.HasPrefix(text, []byte(r)) {
			return r, letter, true
		}
	}
	return "", 0, false
}

// foldRunesOf are the offsets of the runes, sorted; more is true when there are
// too many.
func foldRunesOf(text []byte) (at []int, more bool) {
	for r := range foldLetters {
		for i := 0; ; {
			j := bytes.Index(text[i:], []byte(r))
			if j < 0 {
				break
			}
			if len(at) == maxFoldRunes {
				return nil, true
			}
			at = append(at, i+j)
			i += j + len(r)
		}
	}
	slices.Sort(at)
	return at, false
}

// nearFold reports whether one of the runes lies between two offsets.
func (w *work) nearFold(lo, hi int) bool {
	i := sort.SearchInts(w.fold, lo)
	return i < len(w.fold) && w.fold[i] < hi
}
