package secret

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
)

// finding is a match that is a secret, in gitleaks' terms.
type finding struct {
	rule     *rule
	start    int // offset of the match in the text
	end      int
	loc      location
	match    string
	secret   string
	from, to int // of the secret in the text
	lineFrom int // the text of its line, for inline comments and allow lists
	lineTo   int
	line     int    // from 1; set by who knows what text this was a part of
	column   int    // from 1
	around   string // of a private key: what stands around it
}

// location counts as gitleaks does: lines from 0; columns from 1 on the first
// line and from 2 on others, because the line feed before is counted.
type location struct{ startLine, endLine, startColumn, endColumn int }

// maxOfRule bounds the findings that one rule may make in one file.
const maxOfRule = 1000

// maxAround is how much of the text around a private key says what it is for.
const maxAround = 2 << 10

// scan runs the engine over one text and returns all findings, rule by rule.
func (e *engine) scan(path string, text []byte) []finding {
	w := e.pool.Get().(*work)
	defer func() {
		w.reset()
		e.pool.Put(w)
	}()
	w.path, w.text = path, text
	switch runes, more := foldRunesOf(text); {
	case more:
		e.passPlain(w)
	case len(runes) > 0:
		e.passFold(w, runes)
	default:
		e.pass(w)
	}
	for _, i := range e.always {
		e.pending(w, int32(i))
	}
	slices.Sort(w.touched)
	var out []finding
	for _, i := range w.touched {
		r, p := e.rules[i], &w.rules[i]
		if p.off || r.silent || !e.wanted(w, r, p) {
			continue
		}
		out = append(out, e.complete(w, r, e.ofRule(w, r, p))...)
	}
	return out
}

// passPlain is pass as gitleaks does it: the text in lower case, each rule whose
// keyword is in it, on all of it.
func (e *engine) passPlain(w *work) {
	lower := bytes.ToLower(w.text)
	w.comment = bytes.Contains(w.text, []byte(allowComment))
	for i, r := range e.rules {
		for _, k := range r.keywords {
			if bytes.Contains(lower, []byte(k)) {
				if p := e.pending(w, int32(i)); p != nil {
					p.whole, p.present = true, true
				}
				break
			}
		}
		if len(r.keywords) == 0 {
			if p := e.pending(w, int32(i)); p != nil {
				p.whole = true
			}
		}
	}
}

// wanted reports whether the rule's keywords are there.
func (e *engine) wanted(w *work, r *rule, p *pending) bool {
	if r.slow && !p.present {
		lower := bytes.ToLower(w.text)
		for _, k := range r.keywords {
			p.present = p.present || bytes.Contains(lower, []byte(k))
		}
	}
	return len(r.keywords) == 0 || r.sure || p.present
}

// ofRule lists the findings of one rule.
func (e *engine) ofRule(w *work, r *rule, p *pending) []finding {
	if r.re == nil {
		if r.path.match(w.path) {
			return []finding{{rule: r, match: "file detected: " + w.path}}
		}
		return nil
	}
	var out []finding
	e.matches(w, r, p, func(from, to int) bool {
		if f, ok := e.judge(w, r, from, to); ok {
			out = append(out, f)
		}
		return len(out) < maxOfRule
	})
	return out
}

// judge asks of a match what makes it a secret. The order of the questions does
// not matter to the answer; the cheap ones come first.
func (e *engine) judge(w *work, r *rule, from, to int) (finding, bool) {
	whole := string(w.text[from:to])
	match := strings.Trim(whole, "\n")
	lead := len(whole) - len(strings.TrimLeft(whole, "\n"))
	f := finding{rule: r, start: from, end: from + len(match), match: match}
	lo, hi := r.secretIn(match)
	f.secret, f.from, f.to = match[lo:hi], from+lead+lo, from+lead+hi
	if r.entropy != 0 && entropy(f.secret) <= r.entropy {
		return f, false
	}
	if r.password && placeholder(f.secret) {
		return f, false
	}
	if r.id == privateKeyRule {
		f.around = string(w.text[max(0, from-maxAround):min(len(w.text), to+maxAround)])
	}
	w.locate(&f)
	if w.comment && w.lineHas(&f, nil) {
		return f, false
	}
	line := func(re *expr) bool { return w.lineHas(&f, re) }
	for _, list := range [][]*allowlist{r.allow, e.allow} {
		for _, a := range list {
			if a.allows(w.path, &f, line) {
				return f, false
			}
		}
	}
	return f, true
}

// secretIn is where in a match the secret is: all of it, or one of its groups.
func (r *rule) secretIn(match string) (lo, hi int) {
	if r.re.groups == 0 {
		return 0, len(match)
	}
	// The expression is tried again on the match alone: gitleaks does so, and the
	// groups can differ.
	groups := r.re.re().FindStringSubmatchIndex(match)
	if r.group > 0 && len(groups) > 0 {
		return max(0, groups[2*r.group]), max(0, groups[2*r.group+1])
	}
	for i := 2; i+1 < len(groups); i += 2 {
		if groups[i] < groups[i+1] {
			return groups[i], groups[i+1]
		}
	}
	return 0, len(match)
}

// lineKey names a question about a line.
type lineKey struct {
	re       *expr // nil: the allow comment
	from, to int
}

// lineHas asks a line once, however many matches lie on it.
func (w *work) lineHas(f *finding, re *expr) bool {
	k := lineKey{re, f.lineFrom, f.lineTo}
	if yes, known := w.memo[k]; known {
		return yes
	}
	line := w.text[k.from:k.to]
	var yes bool
	if re == nil {
		yes = bytes.Contains(line, []byte(allowComment))
	} else {
		yes = len(line) > 0 && re.re().Match(line)
	}
	if w.memo == nil {
		w.memo = map[lineKey]bool{}
	}
	if len(line) > 256 {
		w.memo[k] = yes
	}
	return yes
}

// complete drops the findings of a rule that requires others which are not near.
func (e *engine) complete(w *work, r *rule, found []finding) []finding {
	for _, need := range r.required {
		var others []finding
		for _, other := range e.rules {
			if other.id != need.ID || len(found) == 0 || other.pathOff(w.path) {
				continue
			}
			others = e.ofRule(w, other, &pending{whole: true})
		}
		found = slices.DeleteFunc(found, func(f finding) bool {
			return !slices.ContainsFunc(others, func(o finding) bool { return isNear(&f, &o, need) })
		})
	}
	return found
}

func isNear(f, o *finding, need documentRequired) bool {
	if need.WithinLines != nil && abs(f.loc.startLine-o.loc.startLine) > *need.WithinLines {
		return false
	}
	return need.WithinColumns == nil || abs(f.loc.startColumn-o.loc.startColumn) <= *need.WithinColumns
}

func abs(n int) int { return max(n, -n) }

// filter drops a generic finding when another rule found its secret on the same
// line, and sorts what is left.
func filter(found []finding) []finding {
	better := map[int][]*finding{}
	generic := slices.ContainsFunc(found, func(f finding) bool { return f.rule.generic })
	for i := range found {
		if f := &found[i]; generic && !f.rule.generic {
			better[f.loc.startLine] = append(better[f.loc.startLine], f)
		}
	}
	var out []finding
	for i := range found {
		f := &found[i]
		if f.rule.generic && slices.ContainsFunc(better[f.loc.startLine], func(o *finding) bool {
			return strings.Contains(o.secret, f.secret)
		}) {
			continue
		}
		out = append(out, *f)
	}
	slices.SortStableFunc(out, func(a, b finding) int {
		return cmp.Or(a.start-b.start, strings.Compare(a.rule.id, b.rule.id))
	})
	return out
}
