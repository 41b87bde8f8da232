package baseline

import "strings"

// ini reads "key = value" under [section]: my.cnf, php.ini, FPM pools,
// postgresql.conf, sysctl.conf, pwquality.conf, faillock.conf, default/useradd.
func (r *reader) ini(text string) {
	section := ""
	statements(text, func(line int, s string) {
		if s[0] == '[' {
			if end := strings.IndexByte(s, ']'); end > 0 {
				section = strings.ToLower(strings.TrimSpace(s[1:end]))
				if r.out.Kind == kindFPM || r.out.Kind == kindPHP {
					section = strings.TrimSpace(s[1:end])
				}
				return
			}
		}
		key, value := s, ""
		if i := strings.IndexByte(s, '='); i >= 0 {
			key, value = strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1:])
		} else if i := strings.IndexAny(s, " \t"); i >= 0 && (s[0] == '!' || r.out.Kind == kindPostgreSQL || r.out.Kind == kindFaillock) {
			key, value = s[:i], strings.TrimSpace(s[i:])
		}
		value = iniValue(r.out.Kind, value)
		switch r.out.Kind {
		case kindMySQL:
			key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
		case kindPostgreSQL, kindPwquality, kindFaillock:
			key = strings.ToLower(key)
		case kindSysctl:
			key = strings.ReplaceAll(strings.TrimPrefix(key, "-"), "/", ".")
		}
		r.add(section, key, value, line)
	})
}

// iniValue is a value without its comment and quotes.
func iniValue(kind, value string) string {
	if value == "" {
		return ""
	}
	if q := value[0]; q == '"' || q == '\'' {
		if end := strings.IndexByte(value[1:], q); end >= 0 {
			return value[1 : 1+end]
		}
	}
	value = comment(value)
	if kind == kindPHP || kind == kindFPM {
		if i := strings.Index(value, " ;"); i >= 0 {
			value = strings.TrimSpace(value[:i])
		}
	}
	if strings.HasPrefix(value, "#") {
		return ""
	}
	return value
}
