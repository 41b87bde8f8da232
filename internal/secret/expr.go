package secret

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"

	"breakwater/internal/pattern"
)

// expr is an expression that is compiled when it is first needed: most rules
// never are, and compiling all of them takes longer than scanning a small image.
type expr struct {
	text   string
	groups int
	re     func() *regexp.Regexp
}

// newExpr parses an expression; what parses can be compiled.
func newExpr(text string) (*expr, error) {
	n, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return nil, err
	}
	return &expr{text, n.MaxCap(), sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })}, nil
}

// tree is the expression's syntax tree.
func (e *expr) tree() *syntax.Regexp {
	n, err := syntax.Parse(e.text, syntax.Perl)
	if err != nil {
		panic(err) // newExpr parsed it
	}
	return n
}

// pathExpr is an expression over paths behind a look for its literals: every
// path of an image is asked, and few match.
type pathExpr struct {
	*expr
	words *pattern.Set // nil: not known
}

func newPathExpr(text string) (*pathExpr, error) {
	e, err := newExpr(text)
	if err != nil {
		return nil, err
	}
	p := &pathExpr{expr: e}
	alts, _ := analyse(e.tree(), nil)
	var words [][]byte
	for i := range alts {
		for _, w := range alts[i].literals {
			words = append(words, []byte(w))
		}
	}
	if len(words) > 0 {
		if p.words, err = pattern.New(words, pattern.Options{Fold: true}); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *pathExpr) match(path string) bool {
	if p.words != nil && isASCII(path) {
		found := false
		p.words.Each([]byte(path), func(int, int) bool {
			found = true
			return false
		})
		if !found {
			return false
		}
	}
	return p.re().MatchString(path)
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= 0x80 }) < 0
}
