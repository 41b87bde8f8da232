package audit

import "breakwater"

// Break takes the rules of a check away, so that holding them against facts crashes.
func (a *Auditor) Break(check breakwater.Check) {
	switch check {
	case breakwater.CheckBaseline:
		a.baseline = nil
	case breakwater.CheckCompliance:
		a.compliance = nil
	case breakwater.CheckBuildCommand:
		a.history = nil
	}
}

// Groups are those of the baseline rules in force.
func (a *Auditor) Groups() []string { return a.baseline.Groups() }
