package compliance

import "strings"

const (
	maxLicence = 4 << 10
	maxDepth   = 50
)

// denied reports whether a package cannot be used without one of the licences
// that the globs name. Its entries hold together; in an expression (SPDX annex
// D) AND needs both sides, OR lets one choose, and WITH adds an exception to the
// licence before it. "GPLv2+ or Artistic" and the like of RPM are read the same
// way. It answers the licence that decided.
func denied(licences []string, globs *globSet) (string, bool) {
	for _, one := range licences {
		if len(one) > maxLicence {
			continue
		}
		p := licenceParser{tokens: licenceTokens(one), globs: globs}
		if hit, ok := p.or(0); ok {
			return hit, true
		}
	}
	return "", false
}

func licenceTokens(s string) []string {
	s = strings.NewReplacer("(", " ( ", ")", " ) ", ",", " and ", ";", " and ", " / ", " or ").Replace(s)
	return strings.Fields(s)
}

// licenceParser is a recursive descent over tokens. Each method answers whether
// its part of the expression is denied, and by which licence.
type licenceParser struct {
	tokens []string
	globs  *globSet
}

func (p *licenceParser) peek(words ...string) bool {
	if len(p.tokens) == 0 {
		return false
	}
	for _, w := range words {
		if strings.EqualFold(p.tokens[0], w) {
			return true
		}
	}
	return false
}

func (p *licenceParser) or(depth int) (string, bool) {
	hit, no := p.and(depth)
	for p.peek("or", "|", "||") {
		p.tokens = p.tokens[1:]
		_, other := p.and(depth)
		no = no && other
	}
	return hit, no
}

func (p *licenceParser) and(depth int) (string, bool) {
	hit, no := p.one(depth)
	for p.peek("and", "&", "&&") {
		p.tokens = p.tokens[1:]
		h, other := p.one(depth)
		if other && !no {
			hit, no = h, true
		}
	}
	return hit, no
}

// one reads a licence, whose name may have several words, or a bracket.
func (p *licenceParser) one(depth int) (string, bool) {
	if depth > maxDepth {
		p.tokens = nil
		return "", false
	}
	if p.peek("(") {
		p.tokens = p.tokens[1:]
		hit, no := p.or(depth + 1)
		if p.peek(")") {
			p.tokens = p.tokens[1:]
		}
		return hit, no
	}
	var name []string
	for len(p.tokens) > 0 && !p.peek("or", "and", "|", "||", "&", "&&", "(", ")") {
		if p.peek("with") { // the exception's name
			p.tokens = p.tokens[min(2, len(p.tokens)):]
			continue
		}
		name = append(name, p.tokens[0])
		p.tokens = p.tokens[1:]
	}
	if len(name) == 0 && p.peek(")") && depth == 0 {
		p.tokens = p.tokens[1:] // one too many
	}
	id := strings.Join(name, " ")
	return id, p.globs.fold(strings.ToLower(id))
}
