package report

import (
	"fmt"

	"breakwater"
)

// gap is one thing that a check did not look at.
type gap struct {
	Check breakwater.Check
	State breakwater.CheckState // of the check; done for a single file
	Text  string                // for people, with the check's name
	Skip  *breakwater.Skip      // the file; nil when it is the whole check
}

// Complete reports whether every check that was asked for was done, with nothing
// left out.
func Complete(r Report) bool {
	return complete(checkLines(&view{Report: r}))
}

func complete(lines []checkLine) bool {
	for _, l := range lines {
		switch c := l.Coverage; {
		case c.State == breakwater.StateNotAsked, c.State == breakwater.StateNotApplicable:
		case len(gapsOf(c)) > 0:
			return false
		}
	}
	return true
}

// gaps lists what was not looked at, in the order of the checks.
func gaps(lines []checkLine) []gap {
	var out []gap
	for _, l := range lines {
		out = append(out, gapsOf(l.Coverage)...)
	}
	return out
}

func gapsOf(c breakwater.Coverage) []gap {
	var out []gap
	if text := wholeGap(c); text != "" {
		out = append(out, gap{Check: c.Check, State: c.State, Text: string(c.Check) + ": " + text})
	}
	for i := range c.Skipped {
		s := &c.Skipped[i]
		out = append(out, gap{
			Check: c.Check, State: breakwater.StateDone, Skip: s,
			Text: fmt.Sprintf("%s: %s was not looked into: %s", c.Check, s.Path, s.Reason),
		})
	}
	return out
}

// wholeGap is why a check as a whole says less than it could; empty when it does not.
func wholeGap(c breakwater.Coverage) string {
	text := ""
	switch c.State {
	case breakwater.StateDone:
		return c.Reason
	case breakwater.StateNotApplicable:
		return ""
	case breakwater.StateNotAsked:
		text = "not looked at, because the scan was not asked to"
	case breakwater.StateNotBuilt:
		text = "not looked at, because this version cannot"
	default:
		text = "not looked at, because the check failed"
		if c.Code != "" {
			text += " (" + string(c.Code) + ")"
		}
	}
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	return text
}

// gapIn reports whether one of the checks left anything out.
func (v *view) gapIn(checks ...breakwater.Check) bool {
	for _, g := range v.gaps {
		for _, c := range checks {
			if g.Check == c {
				return true
			}
		}
	}
	return false
}
