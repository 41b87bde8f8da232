package secret

import (
	"regexp"
	"strings"
)

// placeholder reports whether a value stands for a secret instead of being one:
// a variable, a word that says "put yours here", an empty or encrypted value.
func placeholder(value string) bool {
	v := strings.ToLower(strings.Trim(strings.TrimSpace(value), "\"'`"))
	if len(v) > maxPlaceholder {
		return false
	}
	if len(v) < 3 || standIn.MatchString(v) || reference.MatchString(v) {
		return true
	}
	if strings.Trim(v, v[:1]) == "" { // one character over and over
		return true
	}
	return words[v]
}

// maxPlaceholder is the length above which a value is no example.
const maxPlaceholder = 64

// standIn are the words of people who write examples.
var standIn = regexp.MustCompile(`change.?(?:me|it|this)|must.be.changed|changed?_?later|example|placeholder|dummy|sample|your.?(?:own|pass|secret|token|key|api|db|strong)|` +
	`my.?(?:password|passwd|secret|token|key)|x{3,}|\*{3,}|\.{3}|insert|replace|redacted|todo|fixme|foo|bar$|secure.?password|some.?(?:password|secret)|` +
	`the.?password|hidden|masked|not.?set|password.?here|enter.?`)

// reference are the ways to say where a value is to be found.
var reference = regexp.MustCompile(`^(?:\$|%[\w.{(-]|@[\w.]+@$|#\{|<|&|\*|!|env[:.(\[]|file:|vault:|ssm:|secret:|kms:|enc[(\[]|\{(?:aes|cipher|ssha|sha|crypt|md5|pbkdf2|bcrypt|noop)|` +
	`os\.|process\.|getenv|null\b|nil\b|none\b|undefined\b|https?://|/(?:run|etc|var|usr|opt|home|secrets?|tmp|dev|proc|srv|app|root|bin|mnt)(?:/|$)|\./|~/|\$2[aby]\$|\$[156y]\$)|\$\{|\$\(|\{\{|<%|\[\[|\(\)$`)

// words are values that are none.
var words = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`password passwd passphrase pass pwd secret secrets token key apikey none null nil true false yes no on off
		default empty string str text bool boolean integer int number object array required optional sufficient requisite include
		files compat systemd sss ldap nis ask prompt manual auto disabled enabled enable disable username user login admin_password
		db_password userpassword basic bearer plain md5 sha1 sha256 sha512 bcrypt scram-sha-256 crypt cleartext hash hashed
		encrypted external internal keyring input field value type label name pw passw0rd_here unset undefined unknown invalid
		any all only never always must may if then else this that with from the and for not proxypass repopwd xyzzy`) {
		m[w] = true
	}
	return m
}()
