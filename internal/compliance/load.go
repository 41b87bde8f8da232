package compliance

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"breakwater"
	"breakwater/internal/rulefile"
)

// The limits of an operator's rule file.
const (
	MaxRuleBytes = rulefile.MaxBytes // of the file
	MaxRules     = 1000              // rules, exceptions, systems and products each

	maxText = 2048 // bytes of one text, pattern or glob
	maxList = 2000 // entries of one list
)

var errTooLong = errors.New("longer than 2048 bytes")

// LoadRules compiles our rules and tables, and the operator's file over them;
// own may be empty. An error is of kind Invalid and says what is wrong.
func LoadRules(own []byte) (rules *Rules, err error) {
	defer func() {
		if r := recover(); r != nil {
			rules, err = nil, breakwater.Invalid("rules", "the rule file could not be read")
		}
	}()
	files, err := fs.Glob(embedded, "rules/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("compliance.LoadRules: %w", err)
	}
	r := &Rules{}
	for _, name := range files {
		b, err := embedded.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("compliance.LoadRules: %w", err)
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
	for _, one := range slices.Concat(ids(r.systems, func(s system) string { return s.Rule }), ids(r.products, func(p product) string { return p.Rule })) {
		if r.index(one) < 0 {
			return nil, breakwater.Invalid("rules", "a table names a rule that is none")
		}
	}
	return r, nil
}

func ids[T any](list []T, of func(T) string) []string {
	var out []string
	for _, one := range list {
		out = append(out, of(one))
	}
	return out
}

func decode(b []byte) (f ruleFile, err error) {
	if err := rulefile.Decode(b, &f); err != nil {
		return ruleFile{}, err
	}
	if max(len(f.Rules), len(f.Exceptions), len(f.Systems), len(f.Products)) > MaxRules {
		return ruleFile{}, breakwater.Invalid("rules", "more than %d entries of one kind", MaxRules)
	}
	return f, nil
}

// add reads one file over the rules so far.
func (r *Rules) add(b []byte, ours bool) error {
	f, err := decode(b)
	if err != nil {
		return err
	}
	if ours {
		r.version = max(r.version, f.Version)
		if f.Dated.After(r.dated) {
			r.dated = f.Dated
		}
	}
	for _, one := range f.Rules {
		if err := r.check(&one, ours); err != nil {
			return err
		}
		at, _ := slices.BinarySearchFunc(r.rules, one.ID, func(o rule, id string) int { return strings.Compare(o.ID, id) })
		r.rules = slices.Insert(r.rules, at, one)
	}
	for i, s := range f.Systems {
		if err := s.check(); err != nil {
			return breakwater.Invalid("systems", "entry %d: %v", i+1, err)
		}
	}
	for i, p := range f.Products {
		if err := p.check(); err != nil {
			return breakwater.Invalid("products", "entry %d: %v", i+1, err)
		}
	}
	for i, e := range f.Exceptions {
		if err := e.check(); err != nil {
			return breakwater.Invalid("exceptions", "entry %d: %v", i+1, err)
		}
	}
	// The operator's tables come first, and are found first.
	r.systems = append(slices.Clone(f.Systems), r.systems...)
	r.products = append(slices.Clone(f.Products), r.products...)
	r.exceptions = append(r.exceptions, f.Exceptions...)
	return r.switches(f)
}

// switches turns rules on and off and changes their severity.
func (r *Rules) switches(f ruleFile) error {
	for _, list := range []struct {
		field string
		ids   []string
		off   bool
	}{{"enable", f.Enable, false}, {"disable", f.Disable, true}} {
		for _, id := range list.ids {
			at := r.index(id)
			if at < 0 {
				return breakwater.Invalid(list.field, "there is no such rule")
			}
			r.rules[at].Off = list.off
		}
	}
	for id, severity := range f.Severity {
		at := r.index(id)
		if at < 0 {
			return breakwater.Invalid("severity", "there is no such rule")
		}
		if !severity.Rated() {
			return breakwater.Invalid("severity", "a severity is critical, high, medium or low")
		}
		r.rules[at].Severity = severity
	}
	return nil
}

// check says what is wrong with a rule, and compiles it.
func (r *Rules) check(one *rule, ours bool) error {
	field := "rules"
	if len(one.ID) <= 64 && one.ID != "" {
		field = "rules." + one.ID
	}
	switch {
	case one.ID == "" || len(one.ID) > 64:
		return breakwater.Invalid(field, "a rule needs an id of at most 64 bytes")
	case !ours && strings.HasPrefix(one.ID, "BW-"):
		return breakwater.Invalid(field, "ids that begin with BW- are ours")
	case r.index(one.ID) >= 0:
		return breakwater.Invalid(field, "the id is taken")
	case one.Title == "" || len(one.Title) > 512:
		return breakwater.Invalid(field, "a rule needs a title of at most 512 bytes")
	case !one.Severity.Rated():
		return breakwater.Invalid(field, "a severity is critical, high, medium or low")
	case len(one.Packages) == 0 && one.Licences.empty() && !one.Support:
		return breakwater.Invalid(field, "a rule needs packages or licences")
	}
	for _, n := range one.Packages {
		if err := n.check(); err != nil {
			return breakwater.Invalid(field, "packages: %v", err)
		}
	}
	for _, v := range one.Versions {
		parsed, err := parseRange(v)
		if err != nil {
			return breakwater.Invalid(field, "versions: %v", err)
		}
		one.ranges = append(one.ranges, parsed)
	}
	return nil
}

func (n names) check() error {
	if n.Type == "" || n.Names.empty() {
		return errors.New("packages need a type and names")
	}
	return nil
}

func (e exception) check() error {
	if e.Rule == "" || e.Package == "" || e.Reason == "" || e.Until.IsZero() {
		return errors.New("an exception needs rule, package, reason and until")
	}
	if len(e.Reason) > maxText {
		return errTooLong
	}
	_, err := newGlobSet(e.Rule, e.Package)
	return err
}
