package secret

import (
	"bytes"
	"sort"
)

// lineIndex is where the line feeds of a text are; made when a match asks.
type lineIndex struct {
	at   []int
	made bool
}

func (l *lineIndex) make(text []byte) {
	if l.made {
		return
	}
	l.made = true
	for i := 0; ; {
		n := bytes.IndexByte(text[i:], '\n')
		if n < 0 {
			return
		}
		l.at = append(l.at, i+n)
		i += n + 1
	}
}

// locate sets where a match lies and what its line is, the way gitleaks does,
// quirks included: a match on a last line without a line feed has the whole text
// up to there for its line.
func (w *work) locate(f *finding) {
	w.lines.make(w.text)
	at := w.lines.at
	if len(at) == 0 {
		at = []int{len(w.text)}
	}
	prev := func(i int) int {
		if i == 0 {
			return 0
		}
		return at[i-1]
	}
	// The line of the start: the first line feed behind it.
	i := sort.Search(len(at), func(i int) bool { return f.start < at[i] })
	// The line of the end: the first line feed at or behind it.
	j := sort.Search(len(at), func(i int) bool { return f.end <= at[i] })
	l := &f.loc
	set := i < len(at)
	if set {
		*l = location{startLine: i, endLine: i, startColumn: f.start - prev(i) + 1}
		f.lineFrom, f.lineTo = prev(i), at[i]
	}
	if j < len(at) && prev(j) < f.end {
		l.endLine, l.endColumn = j, f.end-prev(j)
		f.lineTo = at[j]
	}
	if !set {
		last := at[len(at)-1]
		*l = location{len(at), len(at), f.start - last + 1, f.end - last}
		f.lineFrom, f.lineTo = 0, len(w.text)
		if n := bytes.IndexAny(w.text[min(f.end, len(w.text)):], "\n\r"); n >= 0 {
			f.lineTo = f.end + n
		}
	}
	f.lineTo = max(f.lineTo, f.end)
}
