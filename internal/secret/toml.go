package secret

import (
	"bytes"
	"fmt"
	"regexp/syntax"
	"slices"
	"strings"

	"breakwater"
	"breakwater/internal/pattern"

	"github.com/pelletier/go-toml/v2"
)

// The limits of the operator's own rules.
const (
	maxRuleBytes = 1 << 20
	maxRules     = 1000
)

// document is gitleaks' rule file: https://github.com/gitleaks/gitleaks#configuration.
type document struct {
	Rules      []documentRule
	AllowList  *documentAllow // the older spelling
	Allowlists []documentAllow
	Extend     struct {
		Path          string
		URL           string
		UseDefault    bool
		DisabledRules []string
	}
}

type documentRule struct {
	ID          string
	Description string
	Path        string
	Regex       string
	SecretGroup int
	Entropy     float64
	Keywords    []string
	AllowList   *documentAllow // the older spelling
	Allowlists  []documentAllow
	Required    []documentRequired
	SkipReport  bool
	Severity    string // ours
}

type documentRequired struct {
	ID            string
	WithinLines   *int
	WithinColumns *int
}

type documentAllow struct {
	TargetRules []string
	Condition   string
	Commits     []string
	Paths       []string
	RegexTarget string
	Regexes     []string
	StopWords   []string
}

// ruleset is a parsed document: rules by their order, and what is allowed everywhere.
type ruleset struct {
	rules []*rule
	allow []*allowlist
}

// readRules parses a rule file and adds it to the set: a rule with an id that is
// there already takes its place.
func (rs *ruleset) readRules(text []byte) error {
	if len(text) > maxRuleBytes {
		return breakwater.Invalid("rules", "the rule file is larger than %d bytes", maxRuleBytes)
	}
	var d document
	if err := toml.NewDecoder(bytes.NewReader(text)).Decode(&d); err != nil {
		return breakwater.Wrap(breakwater.KindInvalid, err, "the rule file is not TOML of the expected form")
	}
	if d.Extend.Path != "" || d.Extend.URL != "" {
		return breakwater.Invalid("extend", "a rule file cannot name another one; the built-in rules are always there")
	}
	if len(d.Rules) > maxRules {
		return breakwater.Invalid("rules", "more than %d rules", maxRules)
	}
	for _, id := range d.Extend.DisabledRules {
		rs.remove(id)
	}
	for i := range d.Rules {
		r, err := newRule(&d.Rules[i])
		if err != nil {
			return breakwater.Wrap(breakwater.KindInvalid, err, "rule %d (%.60q) of the rule file cannot be used", i+1, d.Rules[i].ID)
		}
		rs.put(r)
	}
	if d.AllowList != nil {
		d.Allowlists = append(d.Allowlists, *d.AllowList)
	}
	for i := range d.Allowlists {
		a, err := newAllowlist(&d.Allowlists[i])
		if err != nil {
			return breakwater.Wrap(breakwater.KindInvalid, err, "allow list %d of the rule file cannot be used", i+1)
		}
		if len(d.Allowlists[i].TargetRules) == 0 {
			rs.allow = append(rs.allow, a)
		}
		for _, id := range d.Allowlists[i].TargetRules {
			r := rs.byID(id)
			if r == nil {
				return breakwater.Invalid("allowlists", "allow list %d names a rule that does not exist", i+1)
			}
			r.allow = append(r.allow, a)
		}
	}
	return rs.checkRequired()
}

func (rs *ruleset) byID(id string) *rule {
	for _, r := range rs.rules {
		if r.id == id {
			return r
		}
	}
	return nil
}

func (rs *ruleset) remove(id string) {
	rs.rules = slices.DeleteFunc(rs.rules, func(r *rule) bool { return r.id == id })
}

func (rs *ruleset) put(r *rule) {
	for i, old := range rs.rules {
		if old.id == r.id {
			rs.rules[i] = r
			return
		}
	}
	rs.rules = append(rs.rules, r)
}

func (rs *ruleset) checkRequired() error {
	for _, r := range rs.rules {
		for _, need := range r.required {
			if rs.byID(need.ID) == nil {
				return breakwater.Invalid("required", "rule %.60q requires a rule that does not exist", r.id)
			}
		}
	}
	return nil
}

func newRule(d *documentRule) (*rule, error) {
	r := &rule{id: d.ID, group: d.SecretGroup, entropy: d.Entropy, required: d.Required, silent: d.SkipReport}
	if strings.TrimSpace(d.ID) == "" {
		return nil, fmt.Errorf("it has no id")
	}
	if d.Regex == "" && d.Path == "" {
		return nil, fmt.Errorf("it has neither a regex nor a path")
	}
	var err error
	if d.Regex != "" {
		if r.re, err = newExpr(d.Regex); err != nil {
			return nil, err
		}
		if r.group > r.re.groups || r.group < 0 {
			return nil, fmt.Errorf("secret group %d of a regex with %d groups", r.group, r.re.groups)
		}
	}
	if d.Path != "" {
		if r.path, err = newPathExpr(d.Path); err != nil {
			return nil, err
		}
	}
	for _, k := range d.Keywords {
		if k == "" {
			return nil, fmt.Errorf("an empty keyword")
		}
		r.keywords = append(r.keywords, strings.ToLower(k))
	}
	if d.AllowList != nil {
		d.Allowlists = append(d.Allowlists, *d.AllowList)
	}
	for i := range d.Allowlists {
		a, err := newAllowlist(&d.Allowlists[i])
		if err != nil {
			return nil, err
		}
		r.allow = append(r.allow, a)
	}
	for _, need := range d.Required {
		if need.ID == "" {
			return nil, fmt.Errorf("a required rule without id")
		}
	}
	r.severity = breakwater.Severity(d.Severity)
	if r.severity != "" && !r.severity.Rated() {
		return nil, fmt.Errorf("unknown severity")
	}
	r.generic = strings.Contains(strings.ToLower(r.id), "generic")
	return r, nil
}

func newAllowlist(d *documentAllow) (*allowlist, error) {
	a := &allowlist{}
	switch strings.ToUpper(d.Condition) {
	case "", "OR", "||":
	case "AND", "&&":
		a.all = true
	default:
		return nil, fmt.Errorf("condition must be and or or")
	}
	switch d.RegexTarget {
	case "", "secret":
	case "match":
		a.target = targetMatch
	case "line":
		a.target = targetLine
	default:
		return nil, fmt.Errorf("regexTarget must be secret, match or line")
	}
	if len(d.Commits)+len(d.Paths)+len(d.Regexes)+len(d.StopWords) == 0 {
		return nil, fmt.Errorf("an allow list without commits, paths, regexes or stopwords")
	}
	a.commits = len(d.Commits) > 0
	if len(d.Paths) > 0 {
		text, err := anyOf(d.Paths)
		if err != nil {
			return nil, err
		}
		if a.paths, err = newPathExpr(text); err != nil {
			return nil, err
		}
	}
	if len(d.Regexes) > 0 {
		text, err := anyOf(d.Regexes)
		if err != nil {
			return nil, err
		}
		if a.regexes, err = newExpr(text); err != nil {
			return nil, err
		}
	}
	if len(d.Regexes) == 1 && a.target == targetSecret {
		a.only = onlyOf(d.Regexes[0])
	}
	var words [][]byte
	for _, w := range d.StopWords {
		if w != "" {
			words = append(words, []byte(strings.ToLower(w)))
		}
	}
	if len(words) > 0 {
		var err error
		if a.stop, err = pattern.New(words, pattern.Options{}); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// anyOf joins expressions the way gitleaks does: a flag that one of them sets
// holds for those behind it as well.
func anyOf(list []string) (string, error) {
	for _, e := range list {
		if _, err := syntax.Parse(e, syntax.Perl); err != nil {
			return "", err
		}
	}
	return "(?:" + strings.Join(list, "|") + ")", nil
}
