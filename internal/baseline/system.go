package baseline

import (
	"path"
	"strings"
)

// pam reads a file of pam.d(5): the section is the service, which the file is
// named for, the key the management group, the value the control, module and
// arguments with single blanks between.
func (r *reader) pam(text string) {
	service := path.Base(r.out.Path)
	statements(text, func(line int, s string) {
		f := pamFields(comment(s))
		if len(f) == 2 && f[0] == "@include" {
			r.add(service, "@include", f[1], line)
			return
		}
		if len(f) < 3 {
			return
		}
		f[2] = path.Base(f[2])
		r.add(service, strings.ToLower(strings.TrimPrefix(f[0], "-")), strings.Join(f[1:], " "), line)
	})
}

// pamFields are the fields of a line; a control in brackets is one field.
func pamFields(s string) []string {
	var out []string
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		end := strings.IndexAny(s, " \t")
		if s[0] == '[' {
			if close := strings.IndexByte(s, ']'); close > 0 {
				end = close + 1
			}
		}
		if end < 0 || end >= len(s) {
			return append(out, s)
		}
		out = append(out, s[:end])
		s = s[end:]
	}
	return out
}

// sudoers reads sudoers(5). The section is defaults, alias or user, and empty for an include; of a
// user line the key is the user and the value the rest of the line.
func (r *reader) sudoers(text string) {
	n := 0
	// An include begins with what is a comment elsewhere.
	for line := range strings.Lines(text) {
		n++
		s := strings.TrimSpace(line)
		for _, word := range [...]string{"#includedir", "#include", "@includedir", "@include"} {
			if rest, ok := strings.CutPrefix(s, word); ok && rest != "" && (rest[0] == ' ' || rest[0] == '\t') {
				r.add("", word[1:], strings.TrimSpace(rest), n)
				break
			}
		}
	}
	statements(text, func(line int, s string) {
		key, value := keyword(s)
		switch {
		case strings.HasPrefix(key, "@"):
		case strings.HasPrefix(key, "Defaults"):
			for setting := range strings.SplitSeq(value, ",") {
				name, v, _ := strings.Cut(strings.TrimSpace(setting), "=")
				name = strings.TrimRight(name, "+- ")
				if rest, off := strings.CutPrefix(name, "!"); off {
					name, v = rest, "no"
				} else if v == "" {
					v = "yes"
				}
				r.add("defaults", name, unquote(strings.TrimSpace(v)), line)
			}
		case strings.HasSuffix(key, "_Alias"):
			r.add("alias", key, value, line)
		default:
			r.add("user", key, value, line)
		}
	})
}

// cron reads a crontab. The section is the user where the file names one, the
// key the time, and the value the program alone: its arguments may hold anything.
func (r *reader) cron(text string) {
	system := strings.HasPrefix(r.out.Path, "etc/cron.d/") || r.out.Path == "etc/crontab"
	statements(text, func(line int, s string) {
		f := strings.Fields(s)
		if name, value, ok := strings.Cut(s, "="); ok && !strings.ContainsAny(strings.TrimSpace(name), " \t*/") {
			switch name = strings.TrimSpace(name); name {
			case "PATH", "SHELL", "HOME", "MAILTO":
				r.add("", name, unquote(strings.TrimSpace(value)), line)
			default:
				r.add("", name, "", line)
			}
			return
		}
		at := min(5, len(f))
		if strings.HasPrefix(f[0], "@") {
			at = 1
		}
		when, user := strings.Join(f[:at], " "), ""
		if !system {
			user = path.Base(r.out.Path)
		} else if at < len(f) {
			user, at = f[at], at+1
		}
		if at < len(f) {
			r.add(user, when, f[at], line)
		}
	})
}

// shell keeps of a start-up script the lines that rules ask about: umask, TMOUT, PATH.
func (r *reader) shell(text string) {
	statements(text, func(line int, s string) {
		for part := range strings.SplitSeq(s, ";") {
			part = strings.TrimSpace(part)
			for _, word := range [...]string{"export ", "readonly ", "declare -xr ", "typeset -r "} {
				part = strings.TrimPrefix(part, word)
			}
			if rest, ok := strings.CutPrefix(part, "umask "); ok {
				r.add("", "umask", comment(rest), line)
			}
			name, value, ok := strings.Cut(part, "=")
			if ok && (name == "TMOUT" || name == "PATH") {
				r.add("", name, unquote(comment(value)), line)
			}
		}
	})
}
