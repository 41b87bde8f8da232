package secret

import (
	"math"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"breakwater"
	"breakwater/internal/pattern"
)

// rule is one rule, with what New found out about it.
type rule struct {
	id       string
	title    string
	severity breakwater.Severity
	re       *expr     // nil: the path alone is the finding
	path     *pathExpr // nil: every path
	keywords []string  // lower case
	group    int       // the group that is the secret; 0: the first that is not empty
	entropy  float64   // bits a rune that the secret must have more than; 0: any
	allow    []*allowlist
	required []documentRequired
	silent   bool // found only for rules that require it
	generic  bool // gives way to any other rule on the same line
	own      bool // of this product, not of gitleaks
	password bool // a placeholder is none

	alts []alt // where a match can lie; empty: nowhere in particular
	// sure: every match contains a keyword, so that finding the match is enough.
	sure bool
	// slow: a keyword is not ASCII and is looked for the plain way.
	slow bool
}

type target int

const (
	targetSecret target = iota
	targetMatch
	targetLine
)

// allowlist says which findings are none.
type allowlist struct {
	all     bool // every kind of check that it has must agree
	commits bool // names commits, of which a file has none
	paths   *pathExpr
	target  target
	regexes *expr
	stop    *pattern.Set // lower-case words
	only    *set         // secrets of these bytes alone are allowed; nil: not said
}

// allowsPath reports whether the path alone ends the matter.
func (a *allowlist) allowsPath(path string) bool {
	if path == "" || a.paths == nil || a.all && (a.regexes != nil || a.stop != nil || a.commits) {
		return false
	}
	return a.paths.match(path)
}

// allows reports whether a finding is none. Line asks the text of its line.
func (a *allowlist) allows(path string, f *finding, line func(*expr) bool) bool {
	regexOK := func() bool {
		switch {
		case a.regexes == nil:
			return false
		case a.target == targetMatch:
			return f.match != "" && a.regexes.re().MatchString(f.match)
		case a.target == targetLine:
			return line(a.regexes)
		}
		return f.secret != "" && a.regexes.re().MatchString(f.secret)
	}
	if !a.all {
		return a.stops(f.secret) || regexOK()
	}
	if a.commits || a.paths != nil && !(path != "" && a.paths.match(path)) {
		return false
	}
	if a.stop != nil && !a.stops(f.secret) {
		return false
	}
	return a.regexes == nil || regexOK()
}

func (a *allowlist) stops(s string) bool {
	if a.stop == nil || s == "" {
		return false
	}
	found := false
	a.stop.Each([]byte(strings.ToLower(s)), func(int, int) bool {
		found = true
		return false
	})
	return found
}

// onlyOf returns the bytes of an expression of the form ^[class]+$, and nil for
// any other.
func onlyOf(expr string) *set {
	n, err := syntax.Parse(expr, syntax.Perl)
	if err != nil || n.Op != syntax.OpConcat || len(n.Sub) != 3 ||
		n.Sub[0].Op != syntax.OpBeginText || n.Sub[2].Op != syntax.OpEndText || n.Sub[1].Op != syntax.OpPlus {
		return nil
	}
	if s, ascii := classSet(n.Sub[1].Sub[0]); ascii {
		return s
	}
	return nil
}

// entropy is Shannon's, in bits a rune, counted over bytes as gitleaks does.
func entropy[T string | []byte](s T) float64 {
	if len(s) == 0 {
		return 0
	}
	var ascii [utf8.RuneSelf]int
	var rest map[rune]int
	for _, c := range string(s) {
		if c < utf8.RuneSelf {
			ascii[c]++
			continue
		}
		if rest == nil {
			rest = map[rune]int{}
		}
		rest[c]++
	}
	share, sum := 1/float64(len(s)), 0.0
	for _, n := range ascii {
		if n > 0 {
			p := float64(n) * share
			sum -= p * math.Log2(p)
		}
	}
	for _, n := range rest {
		p := float64(n) * share
		sum -= p * math.Log2(p)
	}
	return sum
}
