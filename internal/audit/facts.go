package audit

import (
	"fmt"

	"breakwater"
	"breakwater/internal/baseline"
)

// malicious turns the malicious files that a scan saw into findings.
func malicious(inv breakwater.Inventory) []breakwater.Finding {
	var out []breakwater.Finding
	for _, m := range inv.Malware {
		f := breakwater.Finding{
			Check: breakwater.CheckFile, Rule: m.Rule, Title: m.Title, Severity: m.Severity, Path: m.Path, Layer: m.Layer, Deleted: m.Deleted,
			Subject: m.Inside, SHA256: m.SHA256, Size: m.Size, Engine: m.Engine, Description: m.Description,
			Remediation: "Find out how the file came into the image, remove it in the step that adds it, and build the image anew.",
		}
		if m.Deleted != "" {
			f.Remediation = "A later layer hides the file, and whoever pulls the image still has it. " + f.Remediation
		}
		out = append(out, f)
	}
	return out
}

// secrets turns the credentials that a scan saw into findings.
func secrets(inv breakwater.Inventory) []breakwater.Finding {
	var out []breakwater.Finding
	for _, s := range inv.Secrets {
		f := breakwater.Finding{
			Check: breakwater.CheckSecret, Rule: s.Rule, Title: s.Title, Severity: s.Severity, Path: s.Path, Where: s.Where, Line: s.Line,
			Layer: s.Layer, Deleted: s.Deleted, Current: s.Masked,
			Remediation: "Take the credential out of the image, revoke it, and hand it to the container when it starts.",
		}
		if s.Deleted != "" {
			f.Remediation = "A later layer hides the file, and whoever pulls the image still has it. " + f.Remediation
		}
		out = append(out, f)
	}
	return out
}

// RuleWeakPassword is the rule of a password that was guessed.
const RuleWeakPassword = "BW-PWD-001"

// reasons are how a password was guessed, for people.
var reasons = map[string]string{
	"empty":         "it is empty",
	"account_name":  "it follows from the name of the account",
	"built_in_list": "it is among the most common passwords",
	"own_list":      "it is on the operator's list",
}

func weak(w breakwater.WeakPassword) breakwater.Finding {
	reason := reasons[w.Reason]
	if reason == "" {
		reason = w.Reason
	}
	return breakwater.Finding{
		Check: breakwater.CheckBaseline, Rule: RuleWeakPassword, Title: "Weak password", Severity: breakwater.SeverityHigh,
		Path: w.Path, Line: w.Line, Layer: w.Layer, Subject: w.User, Current: w.Masked, Service: w.Service, Millis: w.Micros / 1000,
		Description: fmt.Sprintf("The password of %s (%s, %s) was guessed: %s.", w.User, w.Service, w.Scheme, reason),
		Remediation: "Lock the account, or give it a long random password from outside the image when the container starts.",
	}
}

// Baseline is what each baseline rule says of an image, passed ones included.
// Rules that have nothing to look at in the image are left out.
func (a *Auditor) Baseline(inv breakwater.Inventory) []breakwater.BaselineResult {
	return baseline.Evaluate(inv, a.baseline)
}

// BaselineRule is a baseline rule with what belongs to it alone.
type BaselineRule = baseline.Rule

// BaselineRule finds one; NotFound when no rule in force has the id.
func (a *Auditor) BaselineRule(id string) (BaselineRule, error) { return a.baseline.Rule(id) }

// Policy is what an image demands of a new password.
func (a *Auditor) Policy(inv breakwater.Inventory) breakwater.PasswordPolicy {
	return baseline.Policy(inv)
}

// BuildRule is what a build command rule says of itself.
func (a *Auditor) BuildRule(id string) breakwater.Rule { return a.history.Rule(id) }
