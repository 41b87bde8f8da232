package baseline

import (
	"strings"
)

// statements are the lines of a file without comments, joined where a backslash
// ends one, with the number of the first.
func statements(text string, yield func(line int, s string)) {
	n, start := 0, 0
	var joined strings.Builder
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if joined.Len() == 0 {
			start = n
		}
		if strings.HasSuffix(line, `\`) && joined.Len() < maxValue*4 {
			joined.WriteString(strings.TrimSuffix(line, `\`))
			joined.WriteByte(' ')
			continue
		}
		joined.WriteString(line)
		if s := strings.TrimSpace(joined.String()); s != "" && s[0] != '#' && s[0] != ';' {
			yield(start, s)
		}
		joined.Reset()
	}
	if s := strings.TrimSpace(joined.String()); s != "" && s[0] != '#' && s[0] != ';' {
		yield(start, s)
	}
}

// lines reads the formats whose lines are "key value".
func (r *reader) lines(text string) {
	section := ""
	statements(text, func(line int, s string) {
		switch r.out.Kind {
		case kindSSHD:
			section = r.sshd(section, s, line)
		case kindLimits:
			r.limit(s, line)
		case kindRedis, kindRedisACL:
			r.redis(s, line)
		case kindPgHBA:
			r.pgHBA(s, line)
		case kindAuthorizedKeys:
			r.authorizedKey(s, line)
		default:
			key, value := keyword(s)
			r.add("", key, unquote(value), line)
		}
	})
}

// keyword parts a line at its first blank.
func keyword(s string) (key, value string) {
	if i := strings.IndexAny(s, " \t"); i >= 0 {
		return s[:i], strings.TrimSpace(s[i:])
	}
	return s, ""
}

// comment drops what stands after a blank and a number sign.
func comment(s string) string {
	for _, mark := range [...]string{" #", "\t#"} {
		if i := strings.Index(s, mark); i >= 0 {
			s = s[:i]
		}
	}
	return strings.TrimSpace(s)
}

func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// sshd reads sshd_config(5): a keyword and its value parted by blanks or one
// equals sign; a Match block reaches to the next one.
func (r *reader) sshd(section, s string, line int) string {
	s = comment(s)
	key, value := s, ""
	if i := strings.IndexAny(s, " \t="); i >= 0 {
		key, value = s[:i], strings.TrimSpace(s[i:])
		value = strings.TrimSpace(strings.TrimPrefix(value, "="))
	}
	if strings.EqualFold(key, "Match") {
		if strings.EqualFold(value, "all") {
			return ""
		}
		return "Match " + value
	}
	r.add(section, key, unquote(value), line)
	return section
}

// limit reads limits.conf(5): domain, type, item, value.
func (r *reader) limit(s string, line int) {
	f := strings.Fields(comment(s))
	if len(f) == 4 {
		r.add(f[0], f[1]+" "+f[2], f[3], line)
	} else if len(f) > 0 {
		r.add("", f[0], strings.Join(f[1:], " "), line)
	}
}

// redis reads redis.conf, and the same user lines in an ACL file. The words of a
// user line that are passwords (>word) and hashes (#word) go to the judge.
func (r *reader) redis(s string, line int) {
	key, value := keyword(s)
	key = strings.ToLower(key)
	if key == "sentinel" {
		key, value = keyword(value)
		if _, last := keyword(value); strings.HasSuffix(key, "-pass") && last != "" {
			value = last
		}
		r.add("sentinel", key, unquote(value), line)
		return
	}
	if key != "user" {
		r.add("", key, unquote(value), line)
		return
	}
	name, rest := keyword(value)
	words := strings.Fields(rest)
	for i, w := range words {
		switch {
		case len(w) > 1 && (w[0] == '>' || w[0] == '<'):
			r.plain = append(r.plain, credential{user: name, value: w[1:], line: line})
			words[i] = w[:1] + "***"
		case len(w) > 1 && w[0] == '#':
			r.hashes = append(r.hashes, credential{user: name, value: w[1:], line: line})
			words[i] = "#***"
		}
	}
	r.add("user "+name, "user", strings.Join(words, " "), line)
}

// pgHBA reads pg_hba.conf: the key is the connection type, the section the
// method, the value the databases, users, address and options.
func (r *reader) pgHBA(s string, line int) {
	f := strings.Fields(comment(s))
	if len(f) < 4 {
		return
	}
	at := 4
	if f[0] == "local" {
		at = 3
	} else if len(f) > 5 && strings.Contains(f[4], ".") && strings.Trim(f[4], "0123456789.") == "" {
		at = 5 // an address and a mask, each a field
	}
	if at < len(f) {
		r.add(f[at], f[0], strings.Join(f[1:], " "), line)
	}
}

// keyTypes are how a public key line may begin, after its options.
var keyTypes = [...]string{"ssh-rsa", "ssh-dss", "ssh-ed25519", "ecdsa-", "sk-"}

// authorizedKey keeps the type of a key and nothing else of it.
func (r *reader) authorizedKey(s string, line int) {
	for f := range strings.FieldsSeq(s) {
		for _, t := range keyTypes {
			if strings.HasPrefix(f, t) {
				r.add("", "key", f, line)
				return
			}
		}
	}
}
