package baseline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"breakwater"
)

// maxCases bounds the comparisons that one result lists.
const maxCases = 200

// Evaluate holds the rules against an image. Rules that speak of something that
// the image does not have are left out. The answer is the same for the same
// inventory and rules, sorted by rule; of a failed rule the failed comparisons
// come first.
func Evaluate(inv breakwater.Inventory, r *Rules) []breakwater.BaselineResult {
	v := newView(inv)
	var out []breakwater.BaselineResult
	for i := range r.list {
		rule := &r.list[i]
		if !v.has(rule.applies.Kinds) {
			continue
		}
		cases, ok := v.check(&rule.check)
		if !ok {
			continue
		}
		out = append(out, resultOf(rule, cases))
	}
	return out
}

func (v *view) check(c *Check) ([]breakwater.CheckCase, bool) {
	switch {
	case c.Directive != nil:
		return v.directive(c.Directive)
	case c.Account != nil:
		return v.accountCheck(c.Account)
	case c.Permission != nil:
		return v.permission(c.Permission)
	case c.Notable != nil:
		return v.notables(c.Notable)
	case c.Setup != nil:
		return v.setup(c.Setup)
	case c.PAM != nil:
		return v.pam(c.PAM)
	case c.Exists != nil:
		return v.exists(c.Exists)
	case c.Weak != nil:
		return v.weak(c.Weak)
	case c.Policy != nil:
		return v.policy(c.Policy)
	}
	return nil, false
}

func resultOf(rule *Rule, cases []breakwater.CheckCase) breakwater.BaselineResult {
	slices.SortStableFunc(cases, func(a, b breakwater.CheckCase) int {
		if a.Failed != b.Failed {
			if a.Failed {
				return -1
			}
			return 1
		}
		return cmp.Or(strings.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), strings.Compare(a.Current, b.Current))
	})
	res := breakwater.BaselineResult{Rule: rule.ID, Passed: true}
	for _, c := range cases {
		if c.Failed {
			res.Passed = false
		}
	}
	res.Cases = cases[:min(len(cases), maxCases)]
	for i := range res.Cases {
		if c := &res.Cases[i]; c.Description == "" {
			c.Description = rule.Title
		}
	}
	return res
}

// Findings are the failed rules as findings: one for each, about the first thing
// that is wrong; Description says how many more there are. Rules that r does not
// know any more are left out.
func Findings(results []breakwater.BaselineResult, r *Rules) []breakwater.Finding {
	var out []breakwater.Finding
	for _, res := range results {
		rule, err := r.Rule(res.Rule)
		if err != nil || res.Passed || len(res.Cases) == 0 {
			continue
		}
		first := res.Cases[0]
		f := breakwater.Finding{
			Check: breakwater.CheckBaseline, Rule: rule.ID, Title: rule.Title, Severity: rule.Severity, Path: first.Path, Line: first.Line, Layer: first.Layer,
			Subject: rule.Group, Current: first.Current, Suggest: first.Suggest, Description: rule.Description, Remediation: rule.Remediation,
		}
		if first.Path == "" {
			f.Where = breakwater.WhereConfig
		}
		failed := 0
		for _, c := range res.Cases {
			if c.Failed {
				failed++
			}
		}
		if failed > 1 {
			f.Description += fmt.Sprintf(" (%d places)", failed)
		}
		out = append(out, f)
	}
	return out
}
