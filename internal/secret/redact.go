package secret

import (
	"regexp"
	"slices"
	"strings"

	"breakwater"
)

// maxValue is how much of one variable, label or command is looked at; what is
// longer is masked as a whole when anything is found in it.
const maxValue = 1 << 20

// The rules of variables whose names say what they hold. The value is judged by
// placeholder alone.
var (
	envRule = &rule{id: "env-secret", title: "Secret in an environment variable", severity: breakwater.SeverityHigh}
	argRule = &rule{id: "build-argument-secret", title: "Secret in a build argument", severity: breakwater.SeverityHigh}
)

// secretName are names of variables that hold a secret.
var secretName = regexp.MustCompile(`(?i)(?:^|[_.-])(?:[a-z0-9]*(?:password|passwd|passphrase)|pass|pwd|[a-z0-9]*secret|[a-z0-9]*token|api[_-]?key|apikey|secret[_-]?key|access[_-]?key|private[_-]?key|auth[_-]?key|encryption[_-]?key|signing[_-]?key|master[_-]?key|credentials?)(?:[_.-]?\d{1,2})?$`)

// notSecretName are names that look like it and hold what everybody may know.
var notSecretName = regexp.MustCompile(`(?i)^(?:pwd|oldpwd)$|(?:^|[_.-])(?:gpg|pgp)[_.-]?keys?(?:$|[_.-])|sha(?:1|256|384|512)|md5|checksum|fingerprint|digest|public|version|(?:^|[_.-])(?:ask|askpass|no|allow|require|use|enable|disable|max|min|skip)[_.-][\w.-]*$|access[_-]?key[_-]?id$`)

// plainValue are values that are no secrets whatever the name: switches, numbers, paths.
var plainValue = regexp.MustCompile(`^(?:[0-9]{1,5}|true|false|yes|no|on|off|[./~][\w./-]*|\d+(?:\.\d+){1,3})$`)

// namedSecret reports whether a variable holds a secret because its name says so.
func namedSecret(name, value string) bool {
	return value != "" && secretName.MatchString(name) && !notSecretName.MatchString(name) && !plainValue.MatchString(value) && !placeholder(value)
}

// named is a value that is a secret because of the name it has.
func named(r *rule, value string) finding {
	return finding{rule: r, secret: value, end: len(value), to: len(value)}
}

// Redactor masks the texts of one image's configuration: the secrets that rules
// find in each, and with Mask wherever else they stand. It is used by one
// goroutine, and forgotten with the image: it holds the secrets.
type Redactor struct {
	finder *Finder
	values []string        // that Mask looks for
	known  map[string]bool // the same
	steps  map[told]bool   // what was reported of build steps
	env    map[string]bool // NAME=value of what was masked for its name
}

// told is a finding that was reported, by its rule and secret.
type told struct{ rule, secret string }

// Redactor makes one for an image.
func (f *Finder) Redactor() *Redactor {
	return &Redactor{finder: f, known: map[string]bool{}, steps: map[told]bool{}, env: map[string]bool{}}
}

// Text looks at one environment variable, label or line of the configuration, and
// returns its value with every secret in it masked, and the secrets, at most
// MaxPerFile. Path of the findings is the name. A variable whose name says that it
// holds a secret is masked whole unless its value is a placeholder.
func (r *Redactor) Text(where breakwater.Where, name, value string) (masked string, found []breakwater.Secret) {
	if value == "" {
		return value, nil
	}
	hits := r.finder.search(where, name, value)
	if where == breakwater.WhereHistory || where == breakwater.WhereConfig {
		hits = r.finder.lists(where, value, hits)
	}
	if where == breakwater.WhereEnv && namedSecret(name, value) {
		if len(hits) == 0 {
			hits = append(hits, named(envRule, value))
		}
		r.remember(value)
		r.env[name+"="+value] = true
		masked = mask(value)
	}
	found = r.report(where, name, value, hits)
	if masked == "" {
		masked = r.hide(value, hits, nil)
	}
	return masked, found
}

// The paths that variables and commands are looked at under, so that rules for
// such files apply.
const (
	redactEnvPath     = ".env"
	redactHistoryPath = "Dockerfile"
)

// search runs the rules over one text. Offsets of the hits are those in the value;
// a match may begin before it, in the name.
func (f *Finder) search(where breakwater.Where, name, value string) []finding {
	head, path := name+"=", redactEnvPath
	if where == breakwater.WhereHistory || where == breakwater.WhereConfig {
		head, path = "", redactHistoryPath
	}
	hits := filter(f.engine.scan(path, []byte(head+value[:min(len(value), maxValue)])))
	public := where != breakwater.WhereHistory && notSecretName.MatchString(name)
	hits = slices.DeleteFunc(hits, func(h finding) bool {
		return public && (h.rule.generic || h.rule.own) || h.rule.generic && plainValue.MatchString(h.secret)
	})
	for i := range hits {
		hits[i].shift(-len(head))
	}
	return hits
}

// shift moves a finding to where its text stands in another one.
func (f *finding) shift(n int) {
	f.start, f.end, f.from, f.to = f.start+n, f.end+n, f.from+n, f.to+n
}

// report makes the hits in one text presentable and remembers their secrets.
func (r *Redactor) report(where breakwater.Where, name, value string, hits []finding) []breakwater.Secret {
	at := lineAt{text: value}
	for i := range hits {
		h := &hits[i]
		start := min(max(h.start, 0), len(value))
		h.line, h.column = 1+at.line(start), start+1
		if where != breakwater.WhereHistory { // of a step, the line is its number
			h.column = start - at.begin + 1
		}
		r.remember(h.secret)
	}
	found := report("", hits)
	for i := range found {
		found[i].Where, found[i].Path = where, name
	}
	return found
}

// hide masks the hits and the parts, and what they hold wherever else it stands in
// the value.
func (r *Redactor) hide(value string, hits []finding, parts spans) string {
	if len(hits)+len(parts) == 0 {
		return value
	}
	if len(value) > maxValue {
		return stars
	}
	for _, p := range parts {
		hits = append(hits[:len(hits):len(hits)], finding{secret: value[p[0]:p[1]]})
	}
	for _, h := range hits {
		parts.add(h.from, h.to, len(value))
	}
	for _, s := range secretsOf(hits, 4) {
		parts.every(value, s, false)
	}
	return parts.mask(value)
}

// secretsOf are the different secrets of the hits that have so many bytes, the
// first MaxPerFile of them: each is looked for in all of a text.
func secretsOf(hits []finding, least int) (out []string) {
	for _, h := range hits {
		if len(h.secret) >= least && len(out) < MaxPerFile && !slices.Contains(out, h.secret) {
			out = append(out, h.secret)
		}
	}
	return out
}

// spans are the parts of a text that are secret.
type spans [][2]int

// add notes a part, as far as it lies in a text of this length.
func (s *spans) add(from, to, size int) {
	if from, to = max(0, from), min(size, to); from < to {
		*s = append(*s, [2]int{from, to})
	}
}

// every notes each place where a secret stands; with apart only those that are
// not part of a longer word.
func (s *spans) every(text, secret string, apart bool) {
	for i := 0; ; {
		n := strings.Index(text[i:], secret)
		if n < 0 {
			return
		}
		from := i + n
		i = from + len(secret)
		if !apart || (from == 0 || !isWord(text[from-1])) && (i == len(text) || !isWord(text[i])) {
			s.add(from, i, len(text))
		}
	}
}

// mask masks the parts. Those that overlap are masked as one; quotes around a
// secret are left.
func (s spans) mask(text string) string {
	slices.SortFunc(s, func(a, b [2]int) int { return a[0] - b[0] })
	var out strings.Builder
	done := 0
	for i := 0; i < len(s); i++ {
		p := s[i]
		for i+1 < len(s) && s[i+1][0] < p[1] {
			i++
			p[1] = max(p[1], s[i][1])
		}
		inner := strings.Trim(text[p[0]:p[1]], "\"'")
		quote := strings.Index(text[p[0]:p[1]], inner)
		out.WriteString(text[done : p[0]+quote])
		out.WriteString(mask(inner))
		done = p[0] + quote + len(inner)
	}
	out.WriteString(text[done:])
	return out.String()
}

// The secrets that Mask looks for. A shorter one, or one of small letters alone,
// may be a word of any text; one that is shorter than alone must be a word of its
// own.
const (
	maxRemembered = 200
	shortMask     = 8
	alone         = 16
)

func (r *Redactor) remember(secret string) {
	secret = strings.Trim(secret, `"'`)
	if r.known[secret] || len(r.values) == maxRemembered || len(secret) < shortMask || !motley(secret) {
		return
	}
	r.known[secret] = true
	r.values = append(r.values, secret)
}

// motley reports whether a text has a digit, or letters of both cases.
func motley(s string) bool {
	digit := strings.ContainsAny(s, "0123456789")
	return digit || strings.ToLower(s) != s && strings.ToUpper(s) != s
}

// Mask masks what was found so far wherever it stands in the text: of the first
// 200 secrets of the image those that are no common words.
func (r *Redactor) Mask(text string) string {
	var parts spans
	for _, v := range r.values {
		parts.every(text, v, len(v) < alone)
	}
	if len(parts) == 0 {
		return text
	}
	return parts.mask(text)
}
