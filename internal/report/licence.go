package report

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// licenceIDs lists the short names of the SPDX licence list, one a line (facts,
// as npm's spdx-license-ids 3.0.24 and spdx-exceptions 2.5.0 carry them). "new" marks those that are younger than the
// schema of CycloneDX 1.6, "exception" those that stand after WITH.
//
//go:embed licenceids.txt
var licenceIDs string

// licenceList is the licence list made ready to be asked.
type licenceList struct {
	id        map[string]string // lower case → the right spelling
	exception map[string]string
	young     map[string]bool // right spelling; CycloneDX 1.6 does not know it
}

var readLicences = sync.OnceValue(func() licenceList {
	l := licenceList{id: map[string]string{}, exception: map[string]string{}, young: map[string]bool{}}
	for line := range strings.Lines(licenceIDs) {
		id, mark, _ := strings.Cut(strings.TrimSpace(line), " ")
		if mark == "exception" {
			l.exception[strings.ToLower(id)] = id
			continue
		}
		l.id[strings.ToLower(id)] = id
		l.young[id] = mark == "new"
	}
	return l
})

// maxLicence bounds the words of one licence that are read as an expression, in
// bytes; longer ones are taken as a name.
const maxLicence = 2048

// licence is one statement of a package about its licence.
type licence struct {
	Words string // as the package says it
	// Expression is the SPDX licence expression that says exactly the same;
	// empty when there is none.
	Expression string
	// Simple says that the expression is one id of the licence list.
	Simple bool
	// Young says that the id is younger than the schema of CycloneDX 1.6.
	Young bool
}

// readLicence turns a package's words into an SPDX expression where that can be
// done without guessing: an expression of known ids in any letter case, a
// distribution's or packager's short name that means one id exactly (GPL-2+ of
// Debian, ASL 2.0 of Fedora), or a licence's full title. "BSD", "GPL", "Apache
// Software License" leave the version open and stay words.
func readLicence(words string) licence {
	words = strings.Join(strings.Fields(strings.ToValidUTF8(words, "\ufffd")), " ")
	l := licence{Words: words}
	if words == "" || len(words) > maxLicence {
		return l
	}
	list := readLicences()
	if id, ok := list.one(words); ok {
		l.Expression, l.Simple, l.Young = id, !strings.ContainsAny(id, " +"), list.young[id]
		return l
	}
	p := &licenceParser{list: list, tokens: licenceTokens(words)}
	if text, ok := p.expression(0); ok && p.at == len(p.tokens) {
		l.Expression = text
	}
	return l
}

// one is the expression for a single name: an id, an id with "+", or another
// name for one.
func (l licenceList) one(name string) (string, bool) {
	low := strings.ToLower(name)
	if id, ok := licenceNames[low]; ok {
		return id, true
	}
	if id, ok := l.id[low]; ok {
		return modern(id), true
	}
	if base, ok := strings.CutSuffix(low, "+"); ok {
		if id, ok := l.id[base]; ok && !strings.HasSuffix(base, "-only") && !strings.HasSuffix(base, "-or-later") {
			return modern(id + "+"), true
		}
	}
	for _, prefix := range []string{"LicenseRef-", "DocumentRef-"} {
		if strings.HasPrefix(name, prefix) && idString(name[len(prefix):]) {
			return name, prefix == "LicenseRef-"
		}
	}
	return "", false
}

// modern replaces the ids of the GNU licences that the list has withdrawn: they
// left open whether later versions are meant, and the list says that they meant
// this version only, or with "+" any later one.
func modern(id string) string {
	family, version, ok := strings.Cut(id, "-")
	if !ok || !slices.Contains([]string{"GPL", "LGPL", "AGPL", "GFDL"}, family) {
		return id
	}
	if base, later := strings.CutSuffix(version, "+"); later {
		return family + "-" + base + "-or-later"
	}
	if strings.Trim(version, "0123456789.") == "" {
		return id + "-only"
	}
	return id
}

// idString reports whether s is an idstring of the SPDX specification (annex D).
func idString(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-') {
			return false
		}
	}
	return s != ""
}

// licenceTokens splits an expression at spaces and parentheses.
func licenceTokens(s string) []string {
	s = strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s)
	return strings.Fields(s)
}

// licenceParser reads SPDX licence expressions (SPDX 2.3, annex D.4): OR binds
// weaker than AND, AND weaker than WITH. Operators may be in any letter case, as
// older package formats write them.
type licenceParser struct {
	list   licenceList
	tokens []string
	at     int
}

const maxNesting = 32

func (p *licenceParser) word(w string) bool {
	if p.at < len(p.tokens) && strings.EqualFold(p.tokens[p.at], w) {
		p.at++
		return true
	}
	return false
}

func (p *licenceParser) expression(depth int) (string, bool) {
	return p.joined("OR", depth, func() (string, bool) {
		return p.joined("AND", depth, func() (string, bool) { return p.operand(depth) })
	})
}

func (p *licenceParser) joined(operator string, depth int, next func() (string, bool)) (string, bool) {
	text, ok := next()
	for ok && p.word(operator) {
		var more string
		if more, ok = next(); ok {
			text += " " + operator + " " + more
		}
	}
	return text, ok
}

func (p *licenceParser) operand(depth int) (string, bool) {
	if p.word("(") {
		if depth >= maxNesting {
			return "", false
		}
		text, ok := p.expression(depth + 1)
		return "(" + text + ")", ok && p.word(")")
	}
	text, ok := p.name()
	if !ok {
		return "", false
	}
	if p.word("WITH") {
		if p.at == len(p.tokens) {
			return "", false
		}
		exception, ok := p.list.exception[strings.ToLower(p.tokens[p.at])]
		p.at++
		return text + " WITH " + exception, ok && !strings.Contains(text, " ")
	}
	return text, true
}

// name reads one licence: the longest run of up to three words that is one
// ("ASL 2.0"). A name that stands for an expression is put in parentheses.
func (p *licenceParser) name() (string, bool) {
	for n := min(3, len(p.tokens)-p.at); n > 0; n-- {
		text, ok := p.list.one(strings.Join(p.tokens[p.at:p.at+n], " "))
		if !ok {
			continue
		}
		p.at += n
		if strings.Contains(text, " ") {
			text = "(" + text + ")"
		}
		return text, true
	}
	return "", false
}

// joinLicences is one expression for all the licences of a package: each holds
// for some part of it. Empty when one of them has no expression.
func joinLicences(words []string) string {
	var parts []string
	for _, w := range words {
		l := readLicence(w)
		if l.Expression == "" {
			return ""
		}
		parts = append(parts, l.Expression)
	}
	return conjunction(parts)
}

// conjunction joins expressions by AND, in parentheses where one has an OR, each once.
func conjunction(parts []string) string {
	var once []string
	for _, p := range parts {
		if !slices.Contains(once, p) {
			once = append(once, p)
		}
	}
	if len(once) > 1 {
		for i, p := range once {
			if strings.Contains(p, " OR ") {
				once[i] = "(" + p + ")"
			}
		}
	}
	return strings.Join(once, " AND ")
}
