package baseline

import (
	"strconv"
	"strings"
)

// blocks keeps the path of open blocks. A second block of the same name in the
// same place has "#2" after its name.
type blocks struct {
	open []string // the section of each open block, outermost first
	seen map[string]int
	deep int // open blocks beyond maxNesting, which are not named
}

func (b *blocks) section() string {
	if len(b.open) == 0 {
		return ""
	}
	return b.open[len(b.open)-1]
}

func (b *blocks) push(r *reader, name string) {
	if len(b.open) >= maxNesting {
		b.deep++
		r.out.Cut = true
		return
	}
	if b.seen == nil {
		b.seen = map[string]int{}
	}
	section := joinSection(b.section(), r.clip(name, maxName))
	if len(b.seen) < maxEntries {
		b.seen[section]++
	}
	if n := b.seen[section]; n > 1 {
		section += "#" + strconv.Itoa(n)
	}
	b.open = append(b.open, section)
}

func (b *blocks) pop() {
	if b.deep > 0 {
		b.deep--
	} else if len(b.open) > 0 {
		b.open = b.open[:len(b.open)-1]
	}
}

// nginx reads nginx's configuration: words, ended by a semicolon or a block.
func (r *reader) nginx(text string) {
	var b blocks
	var words []string
	line, start := 1, 1
	for i := 0; i < len(text) && len(r.out.Entries) < maxEntries; {
		switch c := text[i]; {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '#':
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case c == ';':
			r.directive(b.section(), words, start)
			words = words[:0]
			i++
		case c == '{':
			i++
			if len(words) > 0 && strings.HasSuffix(words[0], "_by_lua_block") {
				i = skipBlock(text, i, &line)
			} else {
				name := strings.Join(words, " ")
				r.directive(b.section(), append([]string{"{}"}, words...), start)
				b.push(r, name)
			}
			words = words[:0]
		case c == '}':
			b.pop()
			words = words[:0]
			i++
		default:
			word, next := nginxWord(text, i)
			if len(words) == 0 {
				start = line
			}
			line += strings.Count(text[i:next], "\n")
			i = next
			if len(words) < 200 {
				words = append(words, word)
			}
		}
	}
}

// nginxWord is the word at i, without its quotes, and where it ends.
func nginxWord(text string, i int) (string, int) {
	if q := text[i]; q == '"' || q == '\'' {
		k := i + 1
		for k < len(text) && text[k] != q {
			if text[k] == '\\' {
				k++
			}
			k++
		}
		return text[i+1 : min(k, len(text))], min(k+1, len(text))
	}
	k := i
	for k < len(text) && !strings.ContainsRune(" \t\r\n;{}", rune(text[k])) {
		if text[k] == '$' && k+1 < len(text) && text[k+1] == '{' {
			for k < len(text) && text[k] != '}' && text[k] != '\n' {
				k++
			}
		}
		k++
	}
	k = min(k, len(text))
	if k == i {
		k++
	}
	return text[i:k], k
}

// skipBlock is where a block of another language ends, by its braces.
func skipBlock(text string, i int, line *int) int {
	for depth := 1; i < len(text) && depth > 0; i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			depth--
		case '\n':
			*line++
		}
	}
	return i
}

// directive takes one statement of words. Directives that set something by name
// have the name in their key, so that a secret is told by it.
func (r *reader) directive(section string, words []string, line int) {
	if len(words) == 0 {
		return
	}
	key, value := words[0], words[1:]
	switch strings.ToLower(key) {
	case "fastcgi_param", "uwsgi_param", "env", "set", "setenv":
		if len(value) > 1 {
			key, value = key+" "+value[0], value[1:]
		} else if len(value) == 1 && strings.Contains(value[0], "=") {
			name, v, _ := strings.Cut(value[0], "=")
			key, value = key+" "+name, []string{v}
		}
	}
	r.add(section, key, strings.Join(value, " "), line)
}

// apache reads httpd's configuration: a directive a line, blocks in angle
// brackets. Conditions (IfModule, IfDefine, IfVersion) are passed through.
func (r *reader) apache(text string) {
	var b blocks
	statements(text, func(line int, s string) {
		switch {
		case strings.HasPrefix(s, "</"):
			if name, _ := keyword(strings.Trim(s, "</> \t")); !transparent(name) {
				b.pop()
			}
		case s[0] == '<':
			inner := strings.TrimSpace(strings.Trim(s, "<>"))
			name, value := keyword(inner)
			if transparent(name) {
				return
			}
			value = strings.ReplaceAll(value, `"`, "")
			r.add(b.section(), "{}", strings.TrimSpace(name+" "+value), line)
			b.push(r, strings.TrimSpace(name+" "+value))
		default:
			r.directive(b.section(), apacheWords(s), line)
		}
	})
}

func transparent(block string) bool {
	return strings.HasPrefix(strings.ToLower(block), "if") && !strings.EqualFold(block, "If")
}

// apacheWords are the words of a line; one in double quotes may have blanks.
func apacheWords(s string) []string {
	var out []string
	for s = strings.TrimSpace(s); s != "" && len(out) < 200; s = strings.TrimSpace(s) {
		if s[0] == '"' {
			if end := strings.IndexByte(s[1:], '"'); end >= 0 {
				out = append(out, s[1:1+end])
				s = s[end+2:]
				continue
			}
		}
		word, rest := keyword(s)
		out = append(out, word)
		s = rest
	}
	return out
}
