package secret

import (
	"slices"
	"strconv"
	"strings"

	"breakwater"
)

// Words is a named list of the words of a command, as an image's configuration
// has them: its entrypoint, its command, its health check.
type Words struct {
	Name  string
	Words []string
}

// maxHits is how many hits of the words of a command are told apart; what is found
// beyond is masked where it stands, and no more. MaxPerFile of them are reported.
const maxHits = 2000

// Command looks at lists that make one command together, as the entrypoint and
// the command of an image do: at each word, and at all of them as a shell would
// have the line, because what a value is says the option before it. It returns the
// lists with every secret masked, and the secrets; Path is the name of the list
// that holds the secret, Line and Column count in that list on one line, with blanks
// between its words and quotes where a shell needs them. Of a command over 1 MiB the words are looked at one by one.
func (r *Redactor) Command(where breakwater.Where, lists ...Words) (masked [][]string, found []breakwater.Secret) {
	var all []string
	for _, l := range lists {
		all = append(all, l.Words...)
	}
	line := join(all)
	hits := r.finder.search(where, "", line.text)
	known := edges{}
	for _, h := range hits {
		known.add(h)
	}
	var parts spans
	for i, w := range all {
		for _, h := range r.finder.search(where, "", w) {
			h.shift(line.pieces[i].lo)
			parts.add(h.from, h.to, len(line.text))
			if len(hits) < maxHits && !known.has(h) {
				known.add(h)
				hits = append(hits, h)
			}
		}
	}
	hits = inOrder(line.text, hits)
	for _, h := range hits {
		parts.add(h.from, h.to, len(line.text))
	}
	words := line.mask(all, parts, hits, lists)
	for _, l := range lists {
		n := len(l.Words)
		masked = append(masked, words[:n:n])
		if n > 0 {
			found = append(found, r.ofList(where, l.Name, line.pieces[:n], line.text, hits)...)
		}
		words, line.pieces = words[n:], line.pieces[n:]
	}
	return masked, found
}

// ofList reports the hits whose secret begins in the words of one list.
func (r *Redactor) ofList(where breakwater.Where, name string, words []piece, line string, hits []finding) []breakwater.Secret {
	lo, hi := words[0].lo-words[0].quote, words[len(words)-1].hi
	var own []finding
	for _, h := range hits {
		if h.from >= lo && h.from < hi {
			h.shift(-lo)
			own = append(own, h)
		}
	}
	return r.report(where, name, line[lo:hi], own)
}

// edges are where the secrets of a rule begin and end. The same secret is found by
// the same rule with one of the two, at least.
type edges map[edge]bool

type edge struct {
	rule *rule
	at   int
	end  bool
}

func (e edges) add(h finding) {
	e[edge{h.rule, h.from, false}], e[edge{h.rule, h.to, true}] = true, true
}

func (e edges) has(h finding) bool {
	return e[edge{h.rule, h.from, false}] || e[edge{h.rule, h.to, true}]
}

// inOrder sorts hits of several searches of one text and drops the generic ones
// that another rule knows better.
func inOrder(text string, hits []finding) []finding {
	slices.SortStableFunc(hits, func(a, b finding) int { return a.start - b.start })
	at := lineAt{text: text}
	for i := range hits {
		hits[i].loc.startLine = at.line(hits[i].start)
	}
	return filter(hits)
}

// lineAt counts lines from 0, for offsets that mostly grow.
type lineAt struct {
	text      string
	at, lines int
	begin     int // of the line that at is in
}

func (l *lineAt) line(offset int) int {
	offset = min(max(offset, 0), len(l.text))
	if offset < l.at {
		l.at, l.lines, l.begin = 0, 0, 0
	}
	l.lines += strings.Count(l.text[l.at:offset], "\n")
	if i := strings.LastIndexByte(l.text[l.at:offset], '\n'); i >= 0 {
		l.begin = l.at + i + 1
	}
	l.at = offset
	return l.lines
}

// commandLine is a line made of words, and where each stands in it.
type commandLine struct {
	text   string
	pieces []piece
}

// piece is a part of a line that is a word.
type piece struct {
	lo, hi int
	quote  int // bytes of the quote before it
	// at is where the word stands in the text that it is from, with size bytes
	// there: more than hi-lo when it is written with escapes.
	at, size int
}

// join writes words as one line. Those with blanks, and those of a name and a
// value, are quoted as people would.
func join(words []string) commandLine {
	var j commandLine
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		quote := ""
		if strings.ContainsAny(w, " \t\r\n") || strings.Contains(w, ":") && !strings.Contains(w, "://") {
			if quote = `"`; strings.Contains(w, quote) {
				quote = "'"
			}
			if strings.Contains(w, quote) {
				quote = "" // nothing would be gained
			}
		}
		b.WriteString(quote)
		lo := b.Len()
		b.WriteString(w)
		j.pieces = append(j.pieces, piece{lo: lo, hi: b.Len(), quote: len(quote), size: len(w)})
		b.WriteString(quote)
	}
	j.text = b.String()
	return j
}

// mask masks the parts of the line in the words. A secret of four bytes is masked
// again in the words that hold one; one of six in every word, where it stands
// alone, but in the first of a list, which is a program.
func (j commandLine) mask(words []string, parts spans, hits []finding, lists []Words) []string {
	if len(parts) == 0 {
		return words
	}
	first := map[int]bool{}
	n := 0
	for _, l := range lists {
		first[n] = true
		n += len(l.Words)
	}
	own := make([]spans, len(words))
	slices.SortFunc(parts, func(a, b [2]int) int { return a[0] - b[0] })
	at := 0
	for _, p := range parts {
		for at < len(words) && j.pieces[at].hi <= p[0] {
			at++
		}
		for i := at; i < len(words) && j.pieces[i].lo < p[1]; i++ {
			own[i].add(p[0]-j.pieces[i].lo, p[1]-j.pieces[i].lo, len(words[i]))
		}
	}
	secrets := secretsOf(hits, 4)
	out := slices.Clone(words)
	for i, w := range words {
		hit := len(own[i]) > 0
		for _, s := range secrets {
			if hit || !first[i] && len(s) >= 6 {
				own[i].every(w, s, !hit)
			}
		}
		if len(own[i]) > 0 {
			out[i] = own[i].mask(w)
		}
	}
	return out
}

// The lists of words that are looked at in one text.
const (
	maxLists     = 64
	maxListWords = 2000
)

// lists looks for lists of quoted words in a build step, CMD ["a", "b"] or, as
// docker once wrote them, CMD ["a" "b"], and adds what is found in each as a line.
func (f *Finder) lists(where breakwater.Where, text string, hits []finding) []finding {
	if len(text) > maxValue {
		return hits
	}
	known := tellings(hits)
	n := 0
	for at := 0; n < maxLists; {
		i := strings.Index(text[at:], `["`)
		if i < 0 {
			break
		}
		at += i + 1
		words, pieces, end := quoted(text, at)
		if len(words) < 2 {
			continue
		}
		n++
		at = end
		line := join(words)
		for i := range pieces {
			line.pieces[i].at, line.pieces[i].size = pieces[i].at, pieces[i].size
		}
		for _, h := range f.search(where, "", line.text) {
			h.start, _ = line.place(h.start, h.start+1)
			_, h.end = line.place(h.end-1, h.end)
			h.from, h.to = line.place(h.from, h.to)
			if !known[told{h.rule.id, h.secret}] {
				hits = append(hits, h)
			}
		}
	}
	return inOrder(text, hits)
}

// tellings are the rules and secrets of the hits.
func tellings(hits []finding) map[told]bool {
	m := make(map[told]bool, len(hits))
	for _, h := range hits {
		m[told{h.rule.id, h.secret}] = true
	}
	return m
}

// place is where a part of the line stands in the text that its words are from.
func (j commandLine) place(from, to int) (int, int) {
	lo, hi := -1, -1
	for _, p := range j.pieces {
		if p.hi <= from {
			continue
		}
		if p.lo >= to && lo >= 0 {
			break
		}
		a, b := p.at, p.at+p.size
		if p.size == p.hi-p.lo { // as it is written
			a, b = p.at+max(0, from-p.lo), p.at+min(p.size, max(0, to-p.lo))
		}
		if lo < 0 {
			lo = a
		}
		if hi = b; p.lo >= to {
			break // between two words: the one behind
		}
	}
	if lo < 0 { // behind the last word
		last := j.pieces[len(j.pieces)-1]
		lo, hi = last.at+last.size, last.at+last.size
	}
	return lo, hi
}

// quoted reads quoted words from at on, with commas or blanks between them, up to
// a closing bracket. It answers none when there is no such list.
func quoted(text string, at int) (words []string, pieces []piece, end int) {
	for len(words) < maxListWords {
		for at < len(text) && strings.IndexByte(" \t,", text[at]) >= 0 {
			at++
		}
		if at < len(text) && text[at] == ']' {
			return words, pieces, at + 1
		}
		word, err := strconv.QuotedPrefix(text[at:])
		if err != nil || word[0] != '"' {
			break
		}
		value, err := strconv.Unquote(word)
		if err != nil {
			break
		}
		words = append(words, value)
		pieces = append(pieces, piece{at: at + 1, size: len(word) - 2})
		at += len(word)
	}
	return nil, nil, at
}
