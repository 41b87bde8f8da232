package history

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"breakwater"
)

const (
	maxCurrent = 256 // bytes of Finding.Current
	maxPerRule = 50  // findings of one rule
)

// Check holds the rules against how an image was built. It is pure, and its
// findings are sorted by step and rule: one for each step and rule, about the
// first command that is at fault. Findings about the image as a whole have
// Where config, and come first. Of more than 50 findings of one rule the last
// says how many more there are.
func Check(inv breakwater.Inventory, r *Rules) []breakwater.Finding {
	steps := Parse(inv.History, inv.Layers)
	k := newContext(inv, steps)
	var out []breakwater.Finding
	hidden := make([][]string, len(steps))
	for i := range steps {
		hidden[i] = r.credentials(&steps[i])
	}
	for i := range r.rules {
		found := r.rules[i].findings(k)
		for j := range found {
			if n := found[j].Line; n > 0 {
				found[j].Current, found[j].Suggest = hide(found[j].Current, hidden[n-1]), hide(found[j].Suggest, hidden[n-1])
			}
		}
		if more := len(found) - maxPerRule; more > 0 {
			found = found[:maxPerRule]
			found[maxPerRule-1].Description = fmt.Sprintf("%d more steps have the same fault.", more)
		}
		out = append(out, found...)
	}
	slices.SortStableFunc(out, func(a, b breakwater.Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Current, b.Current))
	})
	return out
}

// Skipped says which entries of the history were not understood, and how many
// were not looked at: at most MaxSkips lines.
func Skipped(inv breakwater.Inventory) []breakwater.Skip {
	var out []breakwater.Skip
	if more := len(inv.History) - MaxSteps; more > 0 {
		out = append(out, breakwater.Skip{Path: stepPath(MaxSteps + 1), Reason: fmt.Sprintf("%d steps after the first %d were not looked at", more, MaxSteps)})
	}
	for _, s := range Parse(inv.History, inv.Layers) {
		if s.Unparsed == "" || s.Instruction == "" {
			continue
		}
		if len(out) == breakwater.MaxSkips {
			break
		}
		out = append(out, breakwater.Skip{Layer: s.Layer, Path: stepPath(s.Index), Reason: s.Unparsed})
	}
	return out
}

func stepPath(index int) string { return "step " + strconv.Itoa(index) }

// findings are those of one rule.
func (one *rule) findings(k *context) []breakwater.Finding {
	var out []breakwater.Finding
	for i := range k.steps {
		s := &k.steps[i]
		for j := range one.Match {
			if h, ok := one.Match[j].step(s, k); ok {
				out = append(out, one.finding(s, h))
				break
			}
		}
	}
	for j := range one.Match {
		if c := &one.Match[j]; c.Image != "" {
			for _, h := range imageChecks[c.Image](k, c.Arg) {
				out = append(out, one.imageFinding(k, h))
			}
		}
	}
	return out
}

func (one *rule) finding(s *Step, h hit) breakwater.Finding {
	f := one.base()
	f.Where, f.Path, f.Line, f.Layer = breakwater.WhereHistory, stepPath(s.Index), s.Index, s.Layer
	f.Subject = cmp.Or(h.name, s.Instruction)
	f.Current = current(s, h)
	f.Suggest = cmp.Or(one.Suggest.write(s, h), clip(one.Remediation, maxSuggest))
	return f
}

func (one *rule) imageFinding(k *context, h imageHit) breakwater.Finding {
	f := one.base()
	f.Where, f.Path, f.Subject, f.Current = breakwater.WhereConfig, h.subject, h.subject, clip(h.current, maxCurrent)
	if h.step > 0 {
		f.Line = h.step
		f.Layer = k.steps[h.step-1].Layer
	}
	f.Suggest = cmp.Or(one.Suggest.write(&Step{Raw: h.current}, hit{}), clip(one.Remediation, maxSuggest))
	return f
}

func (one *rule) base() breakwater.Finding {
	return breakwater.Finding{
		Check: breakwater.CheckBuildCommand, Rule: one.ID, Title: one.Title, Severity: one.Severity, Remediation: one.Remediation,
	}
}

// current is the instruction, or of a long one its first word and the command
// at fault.
func current(s *Step, h hit) string {
	text := strings.Join(strings.Fields(s.Raw), " ")
	if len(text) <= maxCurrent || h.command == 0 {
		return clip(text, maxCurrent)
	}
	cmd := s.Commands[h.command-1].Text
	return clip(s.Instruction+" … "+strings.Join(strings.Fields(cmd), " "), maxCurrent)
}
