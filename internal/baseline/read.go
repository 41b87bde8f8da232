package baseline

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"breakwater"
	"breakwater/internal/password"
)

// The limits of one file; ConfigFile.Cut says that one was met.
const (
	MaxFile    = 1 << 20
	maxEntries = 20_000
	maxNesting = 32
	maxValue   = 1 << 10
	maxName    = 256 // a key, or one part of a section
)

// File is what a layer says of a file beside its content.
type File struct {
	Path     string // without a leading slash
	Mode     uint32 // as in chmod(1): 07777
	UID, GID int
}

// Read says what a configuration file says; false when it is not of a kind that
// rules speak of. Passwords and hashes in it are judged at once, within budget,
// and left out; with a nil judge they are only left out. Of content, at most
// MaxFile bytes are read. It never fails: what cannot be understood is passed
// over, and a parser that panics leaves what was read so far.
func Read(ctx context.Context, j *password.Judge, budget *password.Budget, f File, content []byte) (breakwater.ConfigFile, bool) {
	kind := kindOf(f.Path)
	if kind == "" {
		return breakwater.ConfigFile{}, false
	}
	r := &reader{out: breakwater.ConfigFile{Kind: kind, Path: f.Path, Mode: f.Mode, UID: f.UID, GID: f.GID}}
	if len(content) > MaxFile {
		content = content[:MaxFile]
		r.out.Cut = true
	}
	r.parse(strings.ToValidUTF8(string(content), "\uFFFD"))
	r.judge(ctx, j, budget)
	return r.out, true
}

// reader collects what a parser finds in one file.
type reader struct {
	out    breakwater.ConfigFile
	hashes []credential
	plain  []credential
}

// credential is a hash or a password on its way to the judge. It is dropped
// with the reader.
type credential struct {
	user  string
	value string
	line  int
	// section is where the user's name may stand, when user is empty.
	section string
}

func (r *reader) parse(text string) {
	defer func() {
		if recover() != nil {
			r.out.Cut = true
		}
	}()
	switch r.out.Kind {
	case kindPasswd:
		r.passwd(text)
	case kindShadow:
		r.shadow(text)
	case kindGroup, kindGshadow:
		r.group(text)
	case kindHtpasswd:
		r.htpasswd(text)
	case kindLoginDefs, kindLimits, kindSecuretty, kindCronAllow, kindRhosts, kindSSHD, kindRedis, kindRedisACL, kindPgHBA, kindAuthorizedKeys:
		r.lines(text)
	case kindUseradd, kindPwquality, kindFaillock, kindSysctl, kindPostgreSQL, kindMySQL, kindPHP, kindFPM:
		r.ini(text)
	case kindMongoDB:
		r.mongo(text)
	case kindPAM:
		r.pam(text)
	case kindSudoers:
		r.sudoers(text)
	case kindCron:
		r.cron(text)
	case kindShell:
		r.shell(text)
	case kindNginx:
		r.nginx(text)
	case kindApache:
		r.apache(text)
	case kindTomcatServer, kindTomcatWeb, kindTomcatContext, kindTomcatUsers:
		r.xml(text)
	case kindDocker:
		r.json(text)
	}
}

// add takes one directive. A password's value goes to the judge and not into
// the entry; other values are masked where they carry one.
func (r *reader) add(section, key, value string, line int) {
	if len(r.out.Entries) >= maxEntries {
		r.out.Cut = true
		return
	}
	e := breakwater.ConfigEntry{Section: r.clip(section, maxNesting*maxName), Key: r.clip(key, maxName), Line: line}
	if isSecret(r.out.Kind, section, key) && !variable.MatchString(value) {
		e.Secret = true
		if value != "" {
			e.Value = "***"
			r.plain = append(r.plain, credential{value: value, line: line, section: section})
		}
	} else {
		e.Value = r.clip(maskInside(value), maxValue)
	}
	r.out.Entries = append(r.out.Entries, e)
}

// clip cuts a string to at most most bytes, at the end of a character.
func (r *reader) clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	r.out.Cut = true
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

func (r *reader) account(a breakwater.Account) {
	if len(r.out.Accounts) >= maxEntries {
		r.out.Cut = true
		return
	}
	a.Name, a.Home, a.Shell = r.clip(a.Name, maxName), r.clip(a.Home, maxValue), r.clip(a.Shell, maxValue)
	r.out.Accounts = append(r.out.Accounts, a)
}

// judge asks about what was found. Files list passwords in an order of their
// own, and so do the verdicts.
func (r *reader) judge(ctx context.Context, j *password.Judge, budget *password.Budget) {
	if len(r.hashes)+len(r.plain) == 0 {
		return
	}
	if j == nil || budget == nil {
		r.out.Untried = "passwords were not judged"
		return
	}
	questions := make([]password.Question, len(r.hashes))
	for i, c := range r.hashes {
		questions[i] = password.Question{Account: c.user, Hash: c.value, Extra: []string{serviceOf(r.out.Kind)}}
	}
	var untried []string
	for i, v := range j.Hashes(ctx, budget, questions) {
		c := r.hashes[i]
		if v.Weak {
			r.weak(c, v)
		} else if v.Untried != "" {
			untried = append(untried, fmt.Sprintf("%s: %s", r.clip(c.user, 64), v.Untried))
		}
	}
	for _, c := range r.plain {
		if c.user == "" {
			c.user = r.userOf(c.section)
		}
		account := c.user
		if account == "" {
			account = serviceOf(r.out.Kind)
		}
		if isPlaceholder(c.value) {
			continue
		}
		if v := j.Plain(account, c.value); v.Weak {
			r.weak(c, v)
		}
	}
	const shown = 20
	if n := len(untried); n > shown {
		untried = append(untried[:shown], fmt.Sprintf("and %d more", n-shown))
	}
	r.out.Untried = strings.Join(untried, "; ")
}

func (r *reader) weak(c credential, v password.Verdict) {
	r.out.Weak = append(r.out.Weak, breakwater.WeakPassword{
		Service: serviceOf(r.out.Kind), User: r.clip(c.user, maxName), Path: r.out.Path, Line: c.line,
		Scheme: v.Scheme, Reason: v.Reason, Masked: v.Masked, Micros: v.CPU.Microseconds(),
	})
}

// userOf is the user name that stands in the same section as a password.
func (r *reader) userOf(section string) string {
	for _, e := range r.out.Entries {
		if e.Section != section {
			continue
		}
		switch strings.ToLower(e.Key) {
		case "user", "@username", "@connectionname", "mysqli.default_user", "masteruser":
			return e.Value
		}
	}
	return ""
}
