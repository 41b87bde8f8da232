package baseline

import (
	"regexp"
	"strings"
)

// secretKeys are the directives whose value is a credential, by kind; "" is for
// every kind that may hold one beside its own.
var secretKeys = map[string]*regexp.Regexp{
	kindRedis:         regexp.MustCompile(`(?i)^(requirepass|masterauth|auth-pass|sentinel-pass|tls-(client-)?key-file-pass)$`),
	kindMySQL:         regexp.MustCompile(`(?i)^(password\d?|master_password|ssl_passphrase)$`),
	kindMongoDB:       regexp.MustCompile(`(?i)(password|querypassword|keypassword)$`),
	kindPHP:           regexp.MustCompile(`(?i)(_pw|password|passwd|secret|\.pass)$`),
	kindFPM:           regexp.MustCompile(`(?i)(passw(or)?d|passwd|secret|token|_pw|_pass|api_?key)\]$`),
	kindTomcatServer:  regexp.MustCompile(`(?i)^@(\w*pass(word)?|secret|requiredsecret)$`),
	kindTomcatContext: regexp.MustCompile(`(?i)^@(\w*pass(word)?|secret)$`),
	kindTomcatUsers:   regexp.MustCompile(`(?i)^@password$`),
	kindNginx:         regexp.MustCompile(`(?i)^(fastcgi_param|uwsgi_param|env|set) \S*(passw(or)?d|passwd|secret|token|_pass|api_?key)\S*$`),
	kindApache:        regexp.MustCompile(`(?i)^(setenv \S*(passw(or)?d|passwd|secret|token|_pass|api_?key)\S*|authldapbindpassword)$`),
	kindPostgreSQL:    regexp.MustCompile(`(?i)^(ldapbindpasswd)$`),
}

// variable is a value that only names where the password is. It is kept.
var variable = regexp.MustCompile(`^\$(\{[A-Z_][A-Z0-9_]{0,63}\}|[A-Z_][A-Z0-9_]{0,63})$`)

func isSecret(kind, section, key string) bool {
	re := secretKeys[kind]
	return re != nil && re.MatchString(key) || kind == kindTomcatUsers && strings.HasSuffix(section, "#password")
}

// inside finds a credential within a longer value: key=value pairs, the
// password of a URL, the value of an Authorization header.
var inside = []*regexp.Regexp{
	regexp.MustCompile(`(?i)([\w-]*(?:passw(?:or)?d|passwd|passphrase|secret|token|api_?key|auth|pwd)[\w-]*\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s;,&"']+)`),
	regexp.MustCompile(`(?i)(://[^/\s:@]*:)([^@\s/]+)(?:@)`),
	regexp.MustCompile(`(?i)(\b(?:basic|bearer)\s+)(\S{4,})`),
	regexp.MustCompile(`(?i)(\s(?:-p|--password)[= ]?)(\S+)`),
}

// maskInside masks credentials within a value that is not one as a whole.
func maskInside(value string) string {
	if len(value) < 6 {
		return value
	}
	if len(value) > 4*maxValue {
		value = strings.ToValidUTF8(value[:4*maxValue], "")
	}
	for i, re := range inside {
		with := "${1}***"
		if i == 1 {
			with += "@"
		}
		value = re.ReplaceAllString(value, with)
	}
	return value
}

// isPlaceholder reports whether a value stands for a password that is filled in
// when the container starts: a variable, a template, a macro.
func isPlaceholder(v string) bool {
	if v == "" || v == "***" {
		return true
	}
	for _, mark := range [...]string{"${", "$(", "{{", "<%", "ENC(", "!!vault"} {
		if strings.Contains(v, mark) {
			return true
		}
	}
	first, last := v[0], v[len(v)-1]
	return first == '<' && last == '>' || len(v) > 2 && (first == '%' && last == '%' || first == '@' && last == '@' || strings.HasPrefix(v, "__") && strings.HasSuffix(v, "__")) ||
		first == '$' && strings.Trim(v[1:], "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == ""
}
