package baseline

import (
	"strconv"
	"strings"

	"breakwater"
	"breakwater/internal/password"
)

// The forms of Account.Password.
const (
	passwordNone   = "none"
	passwordEmpty  = "empty"
	passwordLocked = "locked"
	passwordHash   = "hash"
)

// records are the lines of a colon-separated file, without empty ones and comments.
func records(text string, yield func(line int, fields []string)) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		yield(n, strings.Split(line, ":"))
	}
}

func field(fields []string, i int) string {
	if i < len(fields) {
		return fields[i]
	}
	return ""
}

// number is a decimal field; -1 when it is none or out of the range of an id.
func number(s string) int {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	if err != nil {
		return -1
	}
	return int(n)
}

// secretField judges the password field of an account and names its form. A
// field that begins with ! or * can be no hash, so nobody gets in with it;
// except MySQL's, which never stands in these files.
func (r *reader) secretField(name, value string, line int) (form, scheme string) {
	switch {
	case value == "":
		r.out.Weak = append(r.out.Weak, breakwater.WeakPassword{
			Service: serviceOf(r.out.Kind), User: r.clip(name, maxName), Path: r.out.Path, Line: line, Scheme: "none", Reason: password.ReasonEmpty,
		})
		return passwordEmpty, ""
	case value == "x":
		return passwordNone, ""
	case value[0] == '!' || value[0] == '*':
		return passwordLocked, ""
	}
	scheme = password.Scheme(value)
	if scheme == "unknown" && len(value) < 13 {
		return passwordLocked, "" // no scheme is that short: "NP", "LK" and other words for locked
	}
	r.hashes = append(r.hashes, credential{user: name, value: value, line: line})
	return passwordHash, scheme
}

// passwd reads name:password:uid:gid:gecos:home:shell (passwd(5)).
func (r *reader) passwd(text string) {
	records(text, func(line int, f []string) {
		a := breakwater.Account{Name: f[0], UID: number(field(f, 2)), GID: number(field(f, 3)), Home: field(f, 5), Shell: field(f, 6), MinDays: -1, MaxDays: -1, Line: line}
		if len(f) > 1 && !strings.HasPrefix(f[0], "+") && !strings.HasPrefix(f[0], "-") {
			a.Password, a.Scheme = r.secretField(f[0], f[1], line)
		}
		r.account(a)
	})
}

// shadow reads name:password:changed:min:max:… (shadow(5)).
func (r *reader) shadow(text string) {
	records(text, func(line int, f []string) {
		a := breakwater.Account{Name: f[0], UID: -1, GID: -1, MinDays: number(field(f, 3)), MaxDays: number(field(f, 4)), Line: line}
		if len(f) > 1 && !strings.HasPrefix(f[0], "+") && !strings.HasPrefix(f[0], "-") {
			a.Password, a.Scheme = r.secretField(f[0], f[1], line)
		}
		r.account(a)
	})
}

// group reads name:password:gid:members, and gshadow's name:password:admins:members.
func (r *reader) group(text string) {
	records(text, func(line int, f []string) {
		a := breakwater.Account{Name: f[0], UID: -1, GID: -1, MinDays: -1, MaxDays: -1, Line: line}
		if r.out.Kind == kindGroup {
			a.GID = number(field(f, 2))
		}
		if value := field(f, 1); value != "" { // an empty one is usual, and lets nobody in
			a.Password, a.Scheme = r.secretField(f[0], value, line)
		}
		for m := range strings.SplitSeq(field(f, 3), ",") {
			if m = strings.TrimSpace(m); m != "" && len(a.Members) < maxEntries {
				a.Members = append(a.Members, r.clip(m, maxName))
			}
		}
		r.account(a)
	})
}

// htpasswd reads user:hash, as Apache and nginx take it.
func (r *reader) htpasswd(text string) {
	records(text, func(line int, f []string) {
		if len(f) < 2 || strings.ContainsAny(f[0], " \t<{") {
			return
		}
		a := breakwater.Account{Name: f[0], UID: -1, GID: -1, MinDays: -1, MaxDays: -1, Line: line}
		value := f[1]
		switch scheme := password.Scheme(value); {
		case value == "":
			a.Password, a.Scheme = r.secretField(f[0], value, line)
		case scheme == "unknown":
			a.Password, a.Scheme = passwordHash, "plain"
			r.plain = append(r.plain, credential{user: f[0], value: strings.TrimPrefix(value, "{PLAIN}"), line: line})
		default:
			a.Password, a.Scheme = passwordHash, scheme
			r.hashes = append(r.hashes, credential{user: f[0], value: value, line: line})
		}
		r.account(a)
	})
}
