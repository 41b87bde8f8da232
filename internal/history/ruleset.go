package history

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"breakwater"
	"breakwater/internal/rulefile"
)

//go:embed rules/*.yaml
var embedded embed.FS

// The limits of an operator's rule file.
const (
	MaxRuleBytes = rulefile.MaxBytes // of the file
	MaxRules     = 1000              // in it
)

// Rules are compiled rules. They are read-only and may be shared.
type Rules struct {
	version string
	rules   []rule // by id
	secrets []rule // those whose match is a credential, in force or not
}

// ruleFile is the form of a rule file. The operator's has the same form, and
// may switch off ours and change their severity:
//
//	version: "…"
//	disable: [BW-BUILD-041]
//	severity: {BW-BUILD-030: high}
//	rules:
//	- id: OUR-001
//	  title: …
//	  severity: high            # critical, high, medium, low
//	  description: why
//	  remediation: what to do
//	  reference: where the rule comes from
//	  secret: true              # the variable or word that matches is a credential
//	  suggest: {…}              # suggest.go: how to write this very instruction
//	  match: [{…}, {…}]         # matcher.go: one of these
type ruleFile struct {
	Version  string                         `yaml:"version"`
	Disable  []string                       `yaml:"disable"`
	Severity map[string]breakwater.Severity `yaml:"severity"`
	Rules    []rule                         `yaml:"rules"`
}

type rule struct {
	ID          string              `yaml:"id"`
	Title       string              `yaml:"title"`
	Severity    breakwater.Severity `yaml:"severity"`
	Description string              `yaml:"description"`
	Remediation string              `yaml:"remediation"`
	Reference   string              `yaml:"reference"`
	Suggest     suggestion          `yaml:"suggest"`
	Secret      bool                `yaml:"secret"` // what decides is a credential, and is masked (mask.go)
	Match       []clause            `yaml:"match"`
}

// LoadRules compiles our rules and the operator's file over them; own may be
// empty. An error is of kind Invalid and says which rule is wrong.
func LoadRules(own []byte) (rules *Rules, err error) {
	defer func() {
		if r := recover(); r != nil {
			rules, err = nil, breakwater.Invalid("rules", "the rule file could not be read")
		}
	}()
	names, err := fs.Glob(embedded, "rules/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("history.LoadRules: %w", err)
	}
	r := &Rules{}
	for _, name := range names {
		b, err := embedded.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("history.LoadRules: %w", err)
		}
		if err := r.add(b, true); err != nil {
			return nil, err
		}
	}
	if len(bytes.TrimSpace(own)) > 0 {
		if err := r.add(own, false); err != nil {
			return nil, err
		}
		sum := sha256.Sum256(own)
		r.version += "+" + hex.EncodeToString(sum[:6])
	}
	slices.SortFunc(r.rules, func(a, b rule) int { return strings.Compare(a.ID, b.ID) })
	return r, nil
}

// Version names our rules and, after "+", the operator's file.
func (r *Rules) Version() string { return r.version }

// Rule is what the rule says of itself; the zero Rule for an id that is not in force.
func (r *Rules) Rule(id string) breakwater.Rule {
	for _, one := range r.rules {
		if one.ID == id {
			return one.public()
		}
	}
	return breakwater.Rule{}
}

// All lists the rules in force, by id.
func (r *Rules) All() []breakwater.Rule {
	out := make([]breakwater.Rule, 0, len(r.rules))
	for _, one := range r.rules {
		out = append(out, one.public())
	}
	return out
}

func (r rule) public() breakwater.Rule {
	return breakwater.Rule{
		ID: r.ID, Title: r.Title, Description: r.Description, Severity: r.Severity,
		Remediation: r.Remediation, Reference: r.Reference,
	}
}

// add reads one file over the rules so far.
func (r *Rules) add(b []byte, ours bool) error {
	f, err := decode(b)
	if err != nil {
		return err
	}
	if ours {
		r.version = max(r.version, f.Version)
	}
	for i := range f.Rules {
		if err := r.check(&f.Rules[i], ours); err != nil {
			return err
		}
		r.rules = append(r.rules, f.Rules[i])
		if f.Rules[i].Secret {
			r.secrets = append(r.secrets, f.Rules[i])
		}
	}
	for _, id := range f.Disable {
		at := r.index(id)
		if at < 0 {
			return breakwater.Invalid("disable", "there is no such rule")
		}
		r.rules = slices.Delete(r.rules, at, at+1)
	}
	for id, severity := range f.Severity {
		at := r.index(id)
		if at < 0 && !slices.Contains(f.Disable, id) {
			return breakwater.Invalid("severity", "there is no such rule")
		}
		if !severity.Rated() {
			return breakwater.Invalid("severity", "a severity is critical, high, medium or low")
		}
		if at >= 0 {
			r.rules[at].Severity = severity
		}
	}
	return nil
}

func (r *Rules) index(id string) int {
	return slices.IndexFunc(r.rules, func(one rule) bool { return one.ID == id })
}

// check says what is wrong with a rule, and compiles it.
func (r *Rules) check(one *rule, ours bool) error {
	field := "rules." + clip(one.ID, 64)
	switch {
	case one.ID == "" || len(one.ID) > 64:
		return breakwater.Invalid("rules", "a rule needs an id of at most 64 bytes")
	case !ours && strings.HasPrefix(one.ID, "BW-"):
		return breakwater.Invalid(field, "ids that begin with BW- are ours")
	case r.index(one.ID) >= 0:
		return breakwater.Invalid(field, "the id is taken")
	case one.Title == "" || len(one.Title) > 512:
		return breakwater.Invalid(field, "a rule needs a title of at most 512 bytes")
	case !one.Severity.Rated():
		return breakwater.Invalid(field, "a severity is critical, high, medium or low")
	case len(one.Match) == 0:
		return breakwater.Invalid(field, "a rule needs something to match")
	}
	for i := range one.Match {
		if err := one.Match[i].compile(0); err != nil {
			return breakwater.Invalid(field, "match %d: %v", i+1, err)
		}
	}
	if err := one.Suggest.compile(); err != nil {
		return breakwater.Invalid(field, "suggest: %v", err)
	}
	return nil
}

func decode(b []byte) (f ruleFile, err error) {
	if err := rulefile.Decode(b, &f); err != nil {
		return ruleFile{}, err
	}
	if len(f.Rules) > MaxRules {
		return ruleFile{}, breakwater.Invalid("rules", "more than %d rules", MaxRules)
	}
	return f, nil
}
