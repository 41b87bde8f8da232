package baseline

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"breakwater"
	"breakwater/internal/rulefile"
)

//go:embed rules/*.yaml
var embedded embed.FS

// The limits of an operator's rule file.
const (
	MaxRuleFile = rulefile.MaxBytes
	MaxRules    = 2_000
)

// The standards a rule can be of, in the contract's words.
const (
	StandardHW = "hw_standard"
	StandardCN = "cn_standard"
)

// Rule is one rule as people read it, with what the contract groups it by.
type Rule struct {
	breakwater.Rule
	Audit     string   `json:"audit"`
	Standards []string `json:"standards"`  // StandardHW, StandardCN
	Group     string   `json:"group"`      // the contract's check_name: SSH, Accounts …
	CheckType string   `json:"check_type"` // the contract's check_type
	applies   Applies
	check     Check
}

// Rules are the rules in force. They do not change once loaded.
type Rules struct {
	list    []Rule
	byID    map[string]int
	version string
}

// ruleFile is the form of a file of rules.
type ruleFile struct {
	Version int      `yaml:"version"`
	Group   string   `yaml:"group"` // of the rules that name none
	Off     []string `yaml:"off"`   // ids of earlier rules that shall not be used
	Rules   []struct {
		ID          string   `yaml:"id"`
		Title       string   `yaml:"title"`
		Description string   `yaml:"description"`
		Audit       string   `yaml:"audit"`
		Remediation string   `yaml:"remediation"`
		Severity    string   `yaml:"severity"`
		Standards   []string `yaml:"standard"`
		Group       string   `yaml:"group"`
		CheckType   string   `yaml:"check_type"`
		Reference   string   `yaml:"reference"`
		Applies     Applies  `yaml:"applies"`
		Check       Check    `yaml:"check"`
	} `yaml:"rules"`
}

// LoadRules are the built-in rules and the operator's own, which may be nil. A
// rule of the operator's with the id of a built-in one takes its place; "off"
// lists ids that are dropped. The error is Invalid and names the rule at fault.
func LoadRules(own []byte) (*Rules, error) {
	if len(own) > MaxRuleFile {
		return nil, breakwater.Errorf(breakwater.KindTooLarge, "the rule file is larger than %d bytes", MaxRuleFile)
	}
	r := &Rules{byID: map[string]int{}}
	digest := sha256.New()
	entries, err := embedded.ReadDir("rules")
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInternal, err, "the built-in rules cannot be read")
	}
	for _, e := range entries {
		content, err := embedded.ReadFile("rules/" + e.Name())
		if err != nil {
			return nil, breakwater.Wrap(breakwater.KindInternal, err, "the built-in rules cannot be read")
		}
		if err := r.read(content, false); err != nil {
			return nil, fmt.Errorf("baseline.LoadRules(%s): %w", e.Name(), err)
		}
		digest.Write(content)
	}
	if err := r.read(own, true); err != nil {
		return nil, fmt.Errorf("baseline.LoadRules: %w", err)
	}
	digest.Write(own)
	r.version = Version + "-" + hex.EncodeToString(digest.Sum(nil)[:6])
	slices.SortFunc(r.list, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	clear(r.byID)
	for i, rule := range r.list {
		r.byID[rule.ID] = i
	}
	return r, nil
}

// Version names how rules are evaluated. Raise it when that changes; a changed
// rule shows in (*Rules).Version by itself.
const Version = "1"

var ruleID = regexp.MustCompile(`^[A-Z][A-Z0-9-]{2,63}$`)

func (r *Rules) read(content []byte, replace bool) error {
	if len(bytes.TrimSpace(content)) == 0 {
		return nil
	}
	var f ruleFile
	if err := rulefile.Decode(content, &f); err != nil {
		return err
	}
	if f.Version != 1 {
		return breakwater.Invalid("version", "must be 1")
	}
	if len(r.list)+len(f.Rules) > MaxRules {
		return breakwater.Errorf(breakwater.KindTooLarge, "more than %d rules", MaxRules)
	}
	for _, y := range f.Rules {
		rule := Rule{
			Rule: breakwater.Rule{
				ID: y.ID, Title: strings.TrimSpace(y.Title), Description: strings.TrimSpace(y.Description), Severity: breakwater.Severity(y.Severity),
				Remediation: strings.TrimSpace(y.Remediation), Reference: y.Reference,
			},
			Audit: strings.TrimSpace(y.Audit), Standards: y.Standards, Group: y.Group, CheckType: y.CheckType, applies: y.Applies, check: y.Check,
		}
		if rule.Group == "" {
			rule.Group = f.Group
		}
		if len(rule.Standards) == 0 {
			rule.Standards = []string{StandardHW}
		}
		if rule.CheckType == "" {
			rule.CheckType = rule.Group
		}
		if err := rule.validate(); err != nil {
			return fmt.Errorf("rule %.64q: %w", y.ID, err)
		}
		if i, ok := r.byID[rule.ID]; ok {
			if !replace {
				return breakwater.Invalid("id", "%s is there twice", rule.ID)
			}
			r.list[i] = rule
			continue
		}
		r.byID[rule.ID] = len(r.list)
		r.list = append(r.list, rule)
	}
	r.list = slices.DeleteFunc(r.list, func(rule Rule) bool { return slices.Contains(f.Off, rule.ID) })
	return nil
}

func (rule *Rule) validate() error {
	switch {
	case !ruleID.MatchString(rule.ID):
		return breakwater.Invalid("id", "must be capitals, digits and hyphens")
	case rule.Title == "" || rule.Description == "" || rule.Audit == "" || rule.Remediation == "":
		return breakwater.Invalid("title", "title, description, audit and remediation are needed")
	case rule.Group == "":
		return breakwater.Invalid("group", "is needed")
	}
	if !rule.Severity.Rated() {
		return breakwater.Invalid("severity", "must be critical, high, medium or low")
	}
	for _, s := range rule.Standards {
		if s != StandardHW && s != StandardCN {
			return breakwater.Invalid("standard", "must be %s or %s", StandardHW, StandardCN)
		}
	}
	return rule.check.compile()
}

// Version changes with any rule and with how rules are evaluated.
func (r *Rules) Version() string { return r.version }

// Rule is the rule of an id; an error of kind NotFound when there is none.
func (r *Rules) Rule(id string) (Rule, error) {
	i, ok := r.byID[id]
	if !ok {
		return Rule{}, breakwater.NotFound("rule")
	}
	return r.list[i], nil
}

// All are the rules, sorted by id.
func (r *Rules) All() []Rule { return slices.Clone(r.list) }

// Groups are the names that rules are grouped by, sorted.
func (r *Rules) Groups() []string {
	var out []string
	for _, rule := range r.list {
		out = append(out, rule.Group)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
