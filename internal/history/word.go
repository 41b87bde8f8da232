package history

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// fields expands a word as a shell would, as far as its parts are known:
// quotes go, known variables are replaced and, outside quotes, split at blanks.
// The rest stays as written. whole keeps the value in one field.
func (sh *sheller) fields(w *syntax.Word, whole bool) []string {
	if w == nil {
		return nil
	}
	b := fieldBuilder{whole: whole}
	for _, part := range w.Parts {
		sh.part(&b, part, false)
	}
	return b.done()
}

// fieldBuilder makes fields out of parts.
type fieldBuilder struct {
	whole bool
	out   []string
	cur   strings.Builder
	any   bool // cur holds a field, perhaps an empty one
}

func (b *fieldBuilder) add(s string) {
	b.any = true
	if b.cur.Len()+len(s) <= maxValue {
		b.cur.WriteString(s)
	}
}

func (b *fieldBuilder) flush() {
	if b.any && len(b.out) < maxWords {
		b.out = append(b.out, b.cur.String())
	}
	b.cur.Reset()
	b.any = false
}

func (b *fieldBuilder) done() []string {
	b.flush()
	return b.out
}

// split adds an unquoted value, whose blanks end fields.
func (b *fieldBuilder) split(s string) {
	if b.whole {
		b.add(s)
		return
	}
	for i, f := range strings.Fields(s) {
		if i > 0 {
			b.flush()
		}
		b.add(f)
	}
}

func (sh *sheller) part(b *fieldBuilder, part syntax.WordPart, quoted bool) {
	switch p := part.(type) {
	case *syntax.Lit:
		b.add(unescape(p.Value, quoted))
	case *syntax.SglQuoted:
		b.add(p.Value)
	case *syntax.DblQuoted:
		b.add("")
		for _, inner := range p.Parts {
			sh.part(b, inner, true)
		}
	case *syntax.ParamExp:
		value, ok := sh.value(p)
		switch {
		case !ok:
			b.add(sh.source(p))
		case quoted:
			b.add(value)
		default:
			b.split(value)
		}
	default:
		b.add(sh.source(part))
	}
}

// value is what a plain $NAME or ${NAME} stands for, where that is known.
func (sh *sheller) value(p *syntax.ParamExp) (string, bool) {
	if p.Param == nil || p.Excl || p.Length || p.Width || p.IsSet || p.Index != nil || p.Slice != nil || p.Repl != nil || p.Exp != nil || p.Names != 0 {
		return "", false
	}
	v, ok := sh.vars[p.Param.Value]
	if !ok {
		v, ok = sh.p.env[p.Param.Value]
	}
	return v, ok
}

// unescape takes backslashes away: all of them outside quotes; inside only
// those before a character that is special there.
func unescape(s string, quoted bool) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (!quoted || strings.IndexByte("$`\"\\\n", s[i+1]) >= 0) {
			i++
			if s[i] == '\n' {
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
