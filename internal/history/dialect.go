package history

import (
	"regexp"
	"strconv"
	"strings"
)

// The forms of a history entry. No standard says what created_by holds; these
// are what the builders write:
//
//	docker    /bin/sh -c #(nop)  CMD ["x"]         /bin/sh -c apt-get …
//	          |2 A=x B=y /bin/sh -c …              cmd /S /C …, powershell -Command …
//	buildah   /bin/sh -c #(nop) CMD ["x"]|inheritLabels=false   |0 /bin/sh -c …   FROM x
//	buildkit  RUN /bin/sh -c … # buildkit          RUN |1 A=b /bin/sh -c … # buildkit
//	kaniko    the line of the Dockerfile
var (
	// A shell with the flags that make it run its next word.
	unixShell = regexp.MustCompile(`^(?:/[\w./-]+/)?(sh|bash|ash|dash|ksh|zsh)(?:\s+(?:-[A-Za-z]+|--login|-o\s+\w+|pipefail|errexit|nounset|xtrace))*?\s+-[A-Za-z]*c(?:\s+|$)`)
	winShell  = regexp.MustCompile(`(?i)^(?:[\w:\\./]+\\)?(cmd|powershell|pwsh)(?:\.exe)?((?:\s+[/-]\w+(?:\s+(?:Bypass|Unrestricted|RemoteSigned|Hidden))?)*?)\s+(?:/c|-command|-c)(?:\s+|$)`)
	innerSh   = regexp.MustCompile(`\s(?:/[\w./-]+/)?(?:sh|bash|ash|dash|ksh|zsh)(?:\s+(?:-[A-Za-z]+|pipefail|errexit|nounset|xtrace))*?\s+-[A-Za-z]*c\s`)
	innerWin  = regexp.MustCompile(`(?i)\s(?:cmd(?:\.exe)?\s+/S\s+/C|(?:powershell|pwsh)(?:\.exe)?\s+(?:-\w+\s+)*?-Command)\s`)

	argCount      = regexp.MustCompile(`^\|(\d{1,4})(?:\s+|$)`)
	argName       = regexp.MustCompile(`(?:^|\s)([A-Za-z_][A-Za-z0-9_.-]*)=`)
	buildahSuffix = regexp.MustCompile(`(?:\|(?:unsetLabel|unsetAnnotation|force-mtime|inheritLabels|inheritAnnotations|layerLabel|layerAnnotation|timestamp|source-date-epoch|rewrite-timestamp)\b[^|\s]*|\|)+\s*$`)
	word          = regexp.MustCompile(`^[A-Za-z]+$`)
)

const (
	nop      = "#(nop)"
	buildkit = "# buildkit"
)

// instructions are the words that begin a Dockerfile line.
var instructions = map[string]bool{
	"ADD": true, "ARG": true, "CMD": true, "COPY": true, "ENTRYPOINT": true, "ENV": true, "EXPOSE": true,
	"FROM": true, "HEALTHCHECK": true, "LABEL": true, "MAINTAINER": true, "ONBUILD": true, "RUN": true,
	"SHELL": true, "STOPSIGNAL": true, "USER": true, "VOLUME": true, "WORKDIR": true,
}

// entry is what dialect finds in one created_by.
type entry struct {
	builder     Builder
	instruction string
	rest        string // after the instruction; of RUN without arguments and shell
	args        []KV   // build arguments of a RUN
	shell       string
	shellText   string // the words that start the shell, for the Dockerfile
}

// dialect recognises the form and finds the Dockerfile line in it.
func dialect(text string) entry {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutSuffix(text, buildkit); ok {
		e := line(strings.TrimSpace(rest))
		e.builder = BuilderBuildKit
		return e
	}
	if rest, ok := afterShell(text); ok {
		if rest, ok = strings.CutPrefix(rest, nop); ok {
			e := line(cutBuildah(strings.TrimSpace(rest)))
			e.builder = BuilderClassic
			return e
		}
	}
	if e := run(entry{builder: BuilderClassic, instruction: "RUN"}, cutBuildah(text)); e.shell != "" || e.args != nil {
		return e
	}
	e := line(text)
	e.builder = BuilderPlain
	if e.instruction == "" {
		e.builder = BuilderOther
	}
	return e
}

// cutBuildah takes off what buildah notes at the end, in the last bytes.
func cutBuildah(s string) string {
	at := max(0, len(s)-512)
	return strings.TrimSpace(s[:at] + buildahSuffix.ReplaceAllString(s[at:], ""))
}

func afterShell(s string) (string, bool) {
	for _, re := range []*regexp.Regexp{unixShell, winShell} {
		if at := re.FindStringIndex(s); at != nil {
			return strings.TrimSpace(s[at[1]:]), true
		}
	}
	return s, false
}

// line splits a Dockerfile line. Lower-case words are instructions too, when
// something follows that their tool would not write ("from scratch" is prose).
func line(s string) entry {
	first, rest, _ := strings.Cut(s, " ")
	if at := strings.IndexAny(first, "\t\n"); at >= 0 {
		first, rest = s[:at], s[at+1:]
	}
	if !word.MatchString(first) || !instructions[first] {
		return entry{rest: s}
	}
	e := entry{instruction: first}
	rest = strings.TrimSpace(rest)
	if first == "RUN" {
		return run(e, rest)
	}
	e.rest = rest
	return e
}

// run takes build arguments and the shell off a RUN.
func run(e entry, s string) entry {
	flags, s := runFlags(s)
	if m := argCount.FindStringSubmatch(s); m != nil {
		n, _ := strconv.Atoi(m[1])
		e.args, s = buildArgs(s[len(m[0]):], n)
	}
	e.rest = s
	if m := unixShell.FindStringSubmatch(s); m != nil && quotedWhole(s[len(m[0]):]) {
		e.shell = "sh" // a person wrote sh -c "…"; builders do not quote
	} else if m != nil {
		e.shell, e.shellText, e.rest = m[1], strings.TrimSpace(m[0]), s[len(m[0]):]
	} else if m := winShell.FindStringSubmatch(s); m != nil {
		e.shell, e.shellText, e.rest = strings.ToLower(m[1]), strings.TrimSpace(m[0]), s[len(m[0]):]
	}
	if flags != "" {
		e.rest = flags + " " + e.rest
	}
	return e
}

// quotedWhole reports whether a text is one quoted word.
func quotedWhole(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) > 2 && (s[0] == '"' || s[0] == '\'') && strings.IndexByte(s[1:], s[0]) == len(s)-2
}

// runFlags splits off --mount=… and its like, which stand before everything.
func runFlags(s string) (flags, rest string) {
	rest = s
	for strings.HasPrefix(rest, "--") {
		flag, tail, _ := strings.Cut(rest, " ")
		flags = strings.TrimSpace(flags + " " + flag)
		rest = strings.TrimSpace(tail)
	}
	return flags, rest
}

// buildArgs reads n NAME=value before the shell. Values may hold spaces and are
// not quoted, so that the shell is looked for first, and then the names.
func buildArgs(s string, n int) ([]KV, string) {
	if n == 0 {
		return []KV{}, s
	}
	rest := ""
	padded := " " + s
	at := innerSh.FindStringIndex(padded)
	if at == nil {
		at = innerWin.FindStringIndex(padded)
	}
	if at != nil {
		s, rest = padded[:at[0]], strings.TrimSpace(padded[at[0]:])
	}
	names := argName.FindAllStringSubmatchIndex(s, n+1)
	out := make([]KV, 0, min(n, len(names)))
	for i, m := range names {
		end := len(s)
		if i+1 < len(names) {
			end = names[i+1][0]
		}
		if i == n { // no shell: what is left of the last value is the command
			break
		}
		value := strings.TrimSpace(s[m[1]:end])
		if i == n-1 && at == nil {
			value, rest, _ = strings.Cut(strings.TrimSpace(s[m[1]:]), " ")
		}
		out = append(out, KV{s[m[2]:m[3]], value})
	}
	return out, rest
}
