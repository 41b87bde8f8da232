package history

import (
	"path"
	"regexp"
	"strconv"
	"strings"
)

var (
	dollar  = regexp.MustCompile(`\$(?:[A-Za-z_]\w*|\{[A-Za-z_]\w*\})`)
	heredoc = regexp.MustCompile(`^<<-?\s*(["']?)([A-Za-z_]\w*)(["']?)\s*\n`)
)

// classicList reads ["a" "b c"], Go's %q of a list, which is what the classic
// builder writes of exec forms; JSON is left to BuildKit's parser.
func classicList(s string) ([]string, bool) {
	inner, ok := strings.CutPrefix(s, "[")
	if !ok {
		return nil, false
	}
	if inner, ok = strings.CutSuffix(strings.TrimSpace(inner), "]"); !ok {
		return nil, false
	}
	var out []string
	for inner = strings.TrimSpace(inner); inner != ""; inner = strings.TrimSpace(inner) {
		quoted, err := strconv.QuotedPrefix(inner)
		if err != nil || quoted[0] != '"' || len(out) >= maxWords {
			return nil, false
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, false
		}
		out = append(out, value)
		inner = strings.TrimPrefix(inner[len(quoted):], ",")
	}
	return out, true
}

// mapKeys reads Go's print of a map or a list: "map[80/tcp:{} 443/tcp:{}]", "[/data]".
func mapKeys(s string) ([]string, bool) {
	inner, isMap := strings.CutPrefix(s, "map[")
	if !isMap {
		var ok bool
		if inner, ok = strings.CutPrefix(s, "["); !ok || strings.Contains(inner, `"`) {
			return nil, false
		}
	}
	inner, ok := strings.CutSuffix(inner, "]")
	if !ok {
		return nil, false
	}
	var out []string
	for _, f := range strings.Fields(inner) {
		if isMap {
			f = strings.TrimSuffix(f, ":{}")
		}
		out = append(out, f)
	}
	return out, true
}

// heredocBody is the script of "<<EOF\n…\nEOF".
func heredocBody(s string) (string, bool) {
	m := heredoc.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	body := s[len(m[0]):]
	if end := strings.LastIndex(body, m[2]); end >= 0 {
		body = body[:end]
	}
	return body, true
}

// baseName is a program's name without its directory and ".exe".
func baseName(s string) string {
	s = strings.ReplaceAll(s, `\`, "/")
	return strings.TrimSuffix(path.Base(s), ".exe")
}

// maxShort bounds the text of a command.
const maxShort = 1 << 10

func short(s string) string { return clip(s, maxShort) }

// clip cuts at a whole character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}

// joint is where the lines of a script were joined: blanks and an operator.
var joint = regexp.MustCompile(`[ \t]{2,}(&&|\|\||;|[^\s&|;])`)

// jsonList is the exec form.
func jsonList(args []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, a := range args {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(a))
	}
	b.WriteByte(']')
	return b.String()
}

// unquotedPairs reads NAME=value pairs whose values lost their quotes, as
// BuildKit writes them: "LABEL maintainer=Some Body <s@b.org>".
func unquotedPairs(s string) []KV {
	var out []KV
	names := argName.FindAllStringSubmatchIndex(s, maxWords)
	if len(names) == 0 || names[0][0] != 0 {
		return nil
	}
	for i, m := range names {
		end := len(s)
		if i+1 < len(names) {
			end = names[i+1][0]
		}
		out = append(out, KV{s[m[2]:m[3]], unquote(strings.TrimSpace(s[m[1]:end]))})
	}
	return out
}
