package secret

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"breakwater"

	"github.com/zricethezav/gitleaks/v8/config"
)

// Version names the rules that are built in. Raise it when they change, so that
// facts found with older ones are found again; a test says when that is.
const Version = "1"

// MaxPerFile is how many secrets of one file are reported: the first ones. See Full.
const MaxPerFile = 200

// maxFile is the default of Options.MaxFile.
const maxFile = 512 << 20

// Options say what a Finder looks for. The zero value is every built-in rule.
type Options struct {
	// Rules are the operator's own, in gitleaks' TOML, at most 1 MiB. A rule with
	// the id of a built-in one replaces it; a key severity (critical, high, medium,
	// low) may stand beside gitleaks' own. Allow lists hold for all rules.
	Rules []byte
	// AllowPaths are expressions; files whose path one matches are not looked at.
	AllowPaths []string
	// Disable lists ids of rules that are left out.
	Disable []string
	// MaxFile is how many bytes of one file are looked at. Zero: 512 MiB.
	MaxFile int64
}

// Finder finds secrets. Any number of goroutines may use it. Make it with New.
type Finder struct {
	engine *engine
	allow  []*regexp.Regexp
	max    int64
	print  string
}

//go:embed rules/passwords.toml
var passwordRules []byte

//go:embed rules/cloud.toml
var cloudRules []byte

// New compiles the rules: gitleaks' own, then ours, then the operator's. It
// refuses rules that cannot be read and ids that do not exist.
func New(opts Options) (*Finder, error) {
	rs := &ruleset{}
	if err := rs.readRules([]byte(config.DefaultConfig)); err != nil {
		return nil, err
	}
	for _, text := range [][]byte{passwordRules, cloudRules} {
		own := &ruleset{}
		if err := own.readRules(text); err != nil {
			return nil, err
		}
		for _, r := range own.rules {
			r.own, r.password = true, &text[0] == &passwordRules[0]
			rs.put(r)
		}
	}
	if len(opts.Rules) > 0 {
		if err := rs.readRules(opts.Rules); err != nil {
			return nil, err
		}
	}
	for _, id := range opts.Disable {
		if rs.byID(id) == nil {
			return nil, breakwater.Invalid("disable", "there is no rule %.60q", id)
		}
		rs.remove(id)
	}
	if err := rs.checkRequired(); err != nil {
		return nil, err
	}
	rs.describe()
	f := &Finder{max: cmp.Or(opts.MaxFile, maxFile), print: fingerprint(opts)}
	for _, expr := range opts.AllowPaths {
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, breakwater.Wrap(breakwater.KindInvalid, err, "an allowed path is not a regular expression")
		}
		f.allow = append(f.allow, re)
	}
	var err error
	f.engine, err = newEngine(rs)
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInvalid, err, "the rules cannot be compiled")
	}
	return f, nil
}

func fingerprint(opts Options) string {
	text, err := json.Marshal(struct {
		Version string
		Options Options
	}{Version, opts})
	if err != nil {
		panic(err) // strings and numbers
	}
	sum := sha256.Sum256(text)
	return "secret-" + Version + "-" + hex.EncodeToString(sum[:8])
}

// Fingerprint names the rules and options that decide what is found. Facts that
// were found under another one have to be found again.
func (f *Finder) Fingerprint() string { return f.print }

// Wants reports whether files of this path (without a leading slash) are looked
// at: gitleaks leaves out pictures, fonts, lock files, vendored and minified code.
func (f *Finder) Wants(path string) bool {
	if f.engine.skips(path) {
		return false
	}
	return !slices.ContainsFunc(f.allow, func(re *regexp.Regexp) bool { return re.MatchString(path) })
}

// Find lists the secrets of a file, sorted by line, column and rule, at most
// MaxPerFile. Path is without a leading slash. Layer is left unset. Bytes behind
// Options.MaxFile are not looked at. It finds nothing where Wants says no.
//
// Some rules look at the path alone (a PKCS#12 file): content may be nil.
func (f *Finder) Find(path string, content []byte) []breakwater.Secret {
	if !f.Wants(path) {
		return nil
	}
	if int64(len(content)) > f.max {
		content = content[:f.max]
	}
	found := f.engine.scan(path, content)
	for i := range found {
		found[i].line, found[i].column = found[i].loc.startLine+1, columnOf(content, found[i].start)
	}
	return report(path, filter(found))
}

// Full reports whether a list is as long as it may be, so that there may be more.
func Full(found []breakwater.Secret) bool { return len(found) >= MaxPerFile }

// columnOf counts from 1, in bytes.
func columnOf(text []byte, at int) int {
	return at - bytes.LastIndexByte(text[:min(at, len(text))], '\n')
}

// report makes findings presentable: one secret is reported once, masked.
func report(path string, found []finding) []breakwater.Secret {
	var out []breakwater.Secret
	for i := range found {
		fi := &found[i]
		if fi.rule.own && slices.ContainsFunc(found, func(o finding) bool {
			return o.rule != fi.rule && (!o.rule.own || o.rule.id < fi.rule.id) && !o.rule.generic && overlap(fi, &o)
		}) {
			continue
		}
		title, severity := fi.rule.title, fi.rule.severity
		if fi.rule.id == privateKeyRule {
			title, severity = describeKey(fi)
		}
		if severity == breakwater.SeverityMedium && testLike.MatchString(path) {
			severity = breakwater.SeverityLow
		}
		out = append(out, breakwater.Secret{
			Rule: fi.rule.id, Title: title, Severity: severity, Path: path,
			Line: max(fi.line, 1), Column: max(fi.column, 1), Masked: mask(fi.secret),
		})
	}
	slices.SortStableFunc(out, func(a, b breakwater.Secret) int {
		return cmp.Or(a.Line-b.Line, a.Column-b.Column, strings.Compare(a.Rule, b.Rule))
	})
	return out[:min(len(out), MaxPerFile)]
}

func overlap(a, b *finding) bool {
	return a.end > a.start && b.end > b.start && a.start < b.end && b.start < a.end
}
