package compliance

import (
	"embed"
	"regexp"
	"slices"
	"strings"
	"time"

	"breakwater"
)

//go:embed rules/*.yaml
var embedded embed.FS

// Rules are compiled rules and tables. They are read-only and may be shared.
type Rules struct {
	version    string
	dated      time.Time
	rules      []rule // by id
	systems    []system
	products   []product
	exceptions []exception
}

// ruleFile is the form of a rule file, ours and the operator's:
//
//	version: "…"
//	disable: [BW-SW-020]            # ours that are not wanted
//	enable: [BW-SW-080]             # ours that are off
//	severity: {BW-SW-035: high}
//	rules:
//	- id: OUR-001
//	  title: Old curl
//	  severity: high                # critical, high, medium, low
//	  description: why
//	  remediation: what to do
//	  packages:                     # one of these
//	  - {type: deb, names: [curl, "libcurl*"], not: [libcurl-doc], vendor: "ours"}
//	  versions: [">=7.0 <7.88", "=8.0.1"]   # one of these ranges, in the ecosystem's own order
//	  licences: ["AGPL-3.0*"]       # its licence cannot be chosen to be none of these
//	exceptions:
//	- {rule: BW-SW-001, package: tcpdump, reason: the appliance traces, until: 2027-03-31}
//	systems: …                      # support.go
//	products: …
//
// A type is a package type (deb, rpm, apk, npm, pypi, maven …), os for the three
// of distributions, or "*". Names are globs (path.Match), not regarding case for
// pypi, nuget and composer. An operator's systems and products are added to ours.
type ruleFile struct {
	Version    string                         `yaml:"version"`
	Dated      time.Time                      `yaml:"dated"` // the day that the tables were true
	Disable    []string                       `yaml:"disable"`
	Enable     []string                       `yaml:"enable"`
	Severity   map[string]breakwater.Severity `yaml:"severity"`
	Rules      []rule                         `yaml:"rules"`
	Exceptions []exception                    `yaml:"exceptions"`
	Systems    []system                       `yaml:"systems"`
	Products   []product                      `yaml:"products"`
}

type rule struct {
	ID          string              `yaml:"id"`
	Title       string              `yaml:"title"`
	Severity    breakwater.Severity `yaml:"severity"`
	Description string              `yaml:"description"`
	Remediation string              `yaml:"remediation"`
	Reference   string              `yaml:"reference"`
	Off         bool                `yaml:"off"`     // until an operator enables it
	Support     bool                `yaml:"support"` // the tables refer to it
	Packages    []names             `yaml:"packages"`
	Versions    []string            `yaml:"versions"`
	Licences    globSet             `yaml:"licences"`

	ranges []versionRange
}

// names are packages of one type.
type names struct {
	Type  string  `yaml:"type"`
	Names globSet `yaml:"names"`
	Not   globSet `yaml:"not"`
	// Vendor matches the version of packages that the software's makers build; a
	// distribution's own packages do not match.
	Vendor pattern `yaml:"vendor"`
}

// exception takes findings of a rule about a package off, until a day.
type exception struct {
	Rule    string    `yaml:"rule"`    // a glob
	Package string    `yaml:"package"` // a glob, of Finding.Subject
	Reason  string    `yaml:"reason"`
	Until   time.Time `yaml:"until"` // the last day
}

// pattern is an RE2 expression; the zero pattern is not set.
type pattern struct{ re *regexp.Regexp }

// UnmarshalText compiles the expression; it makes no backtracking matcher.
func (p *pattern) UnmarshalText(b []byte) error {
	if len(b) > maxText {
		return errTooLong
	}
	re, err := regexp.Compile(string(b))
	if err != nil {
		return err
	}
	p.re = re
	return nil
}

func (p pattern) match(s string) bool { return p.re == nil || p.re.MatchString(s) }

// Version names our rules and, after "+", the operator's file.
func (r *Rules) Version() string { return r.version }

// Dated is the day that the tables of support were true.
func (r *Rules) Dated() time.Time { return r.dated }

// Rule is what the rule says of itself; the zero Rule for an id that is not known.
func (r *Rules) Rule(id string) breakwater.Rule {
	if at := r.index(id); at >= 0 {
		return r.rules[at].public()
	}
	return breakwater.Rule{}
}

// All lists the rules in force, by id.
func (r *Rules) All() []breakwater.Rule {
	var out []breakwater.Rule
	for _, one := range r.rules {
		if !one.Off {
			out = append(out, one.public())
		}
	}
	return out
}

func (r *Rules) index(id string) int {
	at, ok := slices.BinarySearchFunc(r.rules, id, func(one rule, id string) int { return strings.Compare(one.ID, id) })
	if !ok {
		return -1
	}
	return at
}

// active is the rule when it is in force.
func (r *Rules) active(id string) (*rule, bool) {
	at := r.index(id)
	if at < 0 || r.rules[at].Off {
		return nil, false
	}
	return &r.rules[at], true
}

func (one *rule) public() breakwater.Rule {
	return breakwater.Rule{
		ID: one.ID, Title: one.Title, Description: one.Description, Severity: one.Severity,
		Remediation: one.Remediation, Reference: one.Reference,
	}
}

func (one *rule) finding() breakwater.Finding {
	return breakwater.Finding{
		Check: breakwater.CheckCompliance, Rule: one.ID, Title: one.Title, Severity: one.Severity, Remediation: one.Remediation,
	}
}
