package baseline

import (
	"regexp"
	"strconv"
	"strings"

	"breakwater"
)

// Applies says what an image must have for a rule to speak of it, beside the
// files that the rule's check reads.
type Applies struct {
	Kinds []string `yaml:"kinds"` // files of one of these kinds
}

// Check is what a rule looks at: exactly one of its fields. rules/README.md
// tells them in full.
type Check struct {
	Directive  *Directive  `yaml:"directive"`
	Account    *Accounts   `yaml:"account"`
	Permission *Permission `yaml:"permission"`
	Notable    *Notables   `yaml:"notable"`
	Setup      *Setup      `yaml:"setup"`
	PAM        *PAM        `yaml:"pam"`
	Exists     *Exists     `yaml:"exists"`
	Weak       *Weakness   `yaml:"weak"`
	Policy     *PolicyRule `yaml:"policy"`
}

// Directive compares the value of a directive, as the program itself would see it.
type Directive struct {
	Kind    Strings `yaml:"kind"`
	Key     Strings `yaml:"key"`     // names of one directive; letter case does not matter
	Section string  `yaml:"section"` // a regular expression; any section when empty
	// Within looks for the directive in each section that matches this, and where
	// it is absent there, in the sections around it.
	Within string `yaml:"within"`
	// If must hold within the same section for it to be looked at.
	If *Directive `yaml:"if"`
	// Take is which of several counts: first, last, each (all must be right) or
	// any (one right is enough); last when empty.
	Take string `yaml:"take"`
	// Default is what the program does when the directive is absent. Missing says
	// what its absence means where there is none: pass, fail (when empty) or skip.
	Default *string `yaml:"default"`
	Missing string  `yaml:"missing"`
	Want    Want    `yaml:"want"`
	Suggest string  `yaml:"suggest"` // made of Want when empty

	section, within *regexp.Regexp
}

// Want is what a value must be; every field that is set must hold.
type Want struct {
	Equals   *string  `yaml:"equals"`
	In       []string `yaml:"in"`
	NotIn    []string `yaml:"not_in"`
	Min      *int64   `yaml:"min"`
	Max      *int64   `yaml:"max"`
	Match    string   `yaml:"match"`     // a regular expression
	NotMatch string   `yaml:"not_match"` // a regular expression
	NoWord   string   `yaml:"no_word"`   // a regular expression that no word of the value may match as a whole
	Absent   bool     `yaml:"absent"`    // the directive must not be there
	Present  bool     `yaml:"present"`   // it must be there with a value
	// Unit is how a number is written: decimal (also with k, m and g), time (s, m,
	// h, d) or octal.
	Unit string `yaml:"unit"`

	match, notMatch, noWord *regexp.Regexp
}

// Strings is one string or a list of them.
type Strings []string

// UnmarshalYAML takes both forms.
func (s *Strings) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*s = Strings{one}
		return nil
	}
	return unmarshal((*[]string)(s))
}

func (c *Check) compile() error {
	n := 0
	var errs []error
	if c.Directive != nil {
		n, errs = n+1, append(errs, c.Directive.compile(0))
	}
	if c.Account != nil {
		n, errs = n+1, append(errs, c.Account.compile())
	}
	if c.Permission != nil {
		n, errs = n+1, append(errs, c.Permission.compile())
	}
	if c.Notable != nil {
		n, errs = n+1, append(errs, c.Notable.compile())
	}
	if c.Setup != nil {
		n, errs = n+1, append(errs, c.Setup.compile())
	}
	if c.PAM != nil {
		n, errs = n+1, append(errs, c.PAM.compile())
	}
	if c.Exists != nil {
		n, errs = n+1, append(errs, c.Exists.compile())
	}
	if c.Weak != nil {
		n++
	}
	if c.Policy != nil {
		n, errs = n+1, append(errs, c.Policy.compile())
	}
	if n != 1 {
		return breakwater.Invalid("check", "must have exactly one check")
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *Directive) compile(depth int) (err error) {
	switch d.Take {
	case "", "first", "last", "each", "any":
	default:
		return breakwater.Invalid("take", "must be first, last, each or any")
	}
	switch d.Missing {
	case "", "pass", "fail", "skip":
	default:
		return breakwater.Invalid("missing", "must be pass, fail or skip")
	}
	if depth == 0 && len(d.Kind) == 0 || len(d.Key) == 0 || depth > 1 {
		return breakwater.Invalid("directive", "needs a kind and a key")
	}
	if d.section, err = pattern("section", d.Section); err != nil {
		return err
	}
	if d.within, err = pattern("within", d.Within); err != nil {
		return err
	}
	if d.If != nil {
		if d.Within == "" {
			return breakwater.Invalid("if", "needs within")
		}
		if err := d.If.compile(depth + 1); err != nil {
			return err
		}
	}
	return d.Want.compile()
}

func (w *Want) compile() (err error) {
	switch w.Unit {
	case "", "decimal", "time", "octal":
	default:
		return breakwater.Invalid("unit", "must be decimal, time or octal")
	}
	if w.match, err = pattern("match", w.Match); err != nil {
		return err
	}
	if w.notMatch, err = pattern("not_match", w.NotMatch); err != nil {
		return err
	}
	if w.NoWord != "" {
		w.noWord, err = pattern("no_word", `^(?:`+w.NoWord+`)$`)
	}
	return err
}

// pattern compiles a regular expression that does not see letter case; nil when empty.
func pattern(field, s string) (*regexp.Regexp, error) {
	if s == "" {
		return nil, nil
	}
	re, err := regexp.Compile("(?i)" + s)
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInvalid, err, "%s is not a regular expression", field)
	}
	return re, nil
}

// holds reports whether a value that is there is as it must be.
func (w *Want) holds(value string) bool {
	if w.Absent || w.Present && value == "" || w.Equals != nil && !strings.EqualFold(value, *w.Equals) {
		return false
	}
	if len(w.In) > 0 && !containsFold(w.In, value) || containsFold(w.NotIn, value) {
		return false
	}
	if w.match != nil && !w.match.MatchString(value) || w.notMatch != nil && w.notMatch.MatchString(value) {
		return false
	}
	if w.noWord != nil {
		for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ':' || r == ' ' || r == '\t' }) {
			if w.noWord.MatchString(word) {
				return false
			}
		}
	}
	if w.Min == nil && w.Max == nil {
		return true
	}
	n, ok := quantity(value, w.Unit)
	return ok && (w.Min == nil || n >= *w.Min) && (w.Max == nil || n <= *w.Max)
}

func containsFold(list []string, value string) bool {
	for _, s := range list {
		if strings.EqualFold(s, value) {
			return true
		}
	}
	return false
}

// quantity reads a number in a unit.
func quantity(s, unit string) (int64, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if unit == "octal" {
		n, err := strconv.ParseInt(strings.TrimPrefix(s, "0o"), 8, 64)
		return n, err == nil
	}
	scale := map[string]int64{"": 1, "k": 1 << 10, "kb": 1 << 10, "m": 1 << 20, "mb": 1 << 20, "g": 1 << 30, "gb": 1 << 30}
	if unit == "time" {
		scale = map[string]int64{"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
	}
	total, any := int64(0), false
	for s != "" {
		end := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '-' })
		digits, rest := s, ""
		if end >= 0 {
			digits, rest = s[:end], s[end:]
		}
		n, err := strconv.ParseInt(digits, 10, 40)
		next := strings.IndexAny(rest, "0123456789")
		if next < 0 {
			next = len(rest)
		}
		by, known := scale[strings.TrimSpace(rest[:next])]
		if err != nil || !known {
			return 0, false
		}
		total, any, s = total+n*by, true, rest[next:]
	}
	return total, any
}

// say is what Want asks for, in words.
func (w *Want) say() string {
	var out []string
	switch {
	case w.Absent:
		return "not set"
	case w.Equals != nil:
		out = append(out, *w.Equals)
	case len(w.In) > 0:
		out = append(out, strings.Join(w.In, " or "))
	}
	if w.Min != nil {
		out = append(out, "at least "+w.number(*w.Min))
	}
	if w.Max != nil {
		out = append(out, "at most "+w.number(*w.Max))
	}
	if len(w.NotIn) > 0 {
		out = append(out, "not "+strings.Join(w.NotIn, ", "))
	}
	if w.NoWord != "" {
		out = append(out, "none of "+w.NoWord)
	}
	if len(out) == 0 && w.Match != "" {
		out = append(out, "a value like "+w.Match)
	}
	if len(out) == 0 && w.NotMatch != "" {
		out = append(out, "a value unlike "+w.NotMatch)
	}
	if len(out) == 0 && w.Present {
		out = append(out, "set")
	}
	return strings.Join(out, ", ")
}

func (w *Want) number(n int64) string {
	if w.Unit == "octal" {
		return "0" + strconv.FormatInt(n, 8)
	}
	return strconv.FormatInt(n, 10)
}
