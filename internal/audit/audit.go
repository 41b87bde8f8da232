package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"breakwater"
	"breakwater/internal/baseline"
	"breakwater/internal/compliance"
	"breakwater/internal/history"
)

// Options are the operator's own rules, each in the form of the pack that it is
// added to; nil adds none.
type Options struct {
	Baseline   []byte
	History    []byte
	Compliance []byte
	Now        func() time.Time // the clock that end-of-life dates are held against; time.Now
}

// Auditor judges facts. It may be used by several goroutines.
type Auditor struct {
	baseline   *baseline.Rules
	history    *history.Rules
	compliance *compliance.Rules
	now        func() time.Time
}

// New reads the rules. The error says what is wrong with the operator's.
func New(o Options) (*Auditor, error) {
	a := &Auditor{now: o.Now}
	if a.now == nil {
		a.now = time.Now
	}
	var err error
	if a.baseline, err = baseline.LoadRules(o.Baseline); err != nil {
		return nil, fmt.Errorf("audit.New: baseline rules: %w", err)
	}
	if a.history, err = history.LoadRules(o.History); err != nil {
		return nil, fmt.Errorf("audit.New: build command rules: %w", err)
	}
	if a.compliance, err = compliance.LoadRules(o.Compliance); err != nil {
		return nil, fmt.Errorf("audit.New: software rules: %w", err)
	}
	return a, nil
}

// form is raised when findings are made of facts in another way.
const form = "1"

// Version names the rules that decide today: another one on the day after a
// release reached its end of life.
func (a *Auditor) Version() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n%s\n", a.baseline.Version(), a.history.Version(), a.compliance.Version(), a.compliance.Epoch(a.now()))
	return form + "-" + hex.EncodeToString(h.Sum(nil)[:6])
}

// Judge answers the findings of an image, by check, each check's in the order
// of its rules. A check that crashes is put down as failed in the coverage.
func (a *Auditor) Judge(inv *breakwater.Inventory) []breakwater.Finding {
	facts := *inv // rules see the coverage as the scan left it
	var out []breakwater.Finding
	for _, c := range []struct {
		check breakwater.Check
		judge func(breakwater.Inventory) []breakwater.Finding
	}{
		{breakwater.CheckFile, malicious},
		{breakwater.CheckSecret, secrets},
		{breakwater.CheckBaseline, a.unsafe},
		{breakwater.CheckCompliance, func(inv breakwater.Inventory) []breakwater.Finding {
			return compliance.Check(inv, a.compliance, a.now())
		}},
		{breakwater.CheckBuildCommand, func(inv breakwater.Inventory) []breakwater.Finding { return history.Check(inv, a.history) }},
	} {
		found, err := contained(c.judge, facts)
		if err != nil {
			fail(inv, c.check)
			continue
		}
		out = append(out, found...)
	}
	a.unseen(inv, facts)
	return out
}

// unseen adds what the rules of two checks could not understand of the facts.
func (a *Auditor) unseen(inv *breakwater.Inventory, facts breakwater.Inventory) {
	for check, skipped := range map[breakwater.Check]func(breakwater.Inventory) []breakwater.Skip{
		breakwater.CheckBuildCommand: history.Skipped,
		breakwater.CheckCompliance:   func(inv breakwater.Inventory) []breakwater.Skip { return compliance.Skipped(inv, a.compliance) },
	} {
		list, err := contained(skipped, facts)
		if err != nil {
			fail(inv, check)
			continue
		}
		for i := range inv.Coverage {
			if c := &inv.Coverage[i]; c.Check == check && c.State != breakwater.StateNotAsked {
				c.Skipped = list
			}
		}
	}
}

// contained turns a crash into an error.
func contained[T any](judge func(breakwater.Inventory) []T, inv breakwater.Inventory) (found []T, err error) {
	defer func() {
		if v := recover(); v != nil {
			found, err = nil, fmt.Errorf("audit: %v", v)
		}
	}()
	return judge(inv), nil
}

func fail(inv *breakwater.Inventory, check breakwater.Check) {
	for i := range inv.Coverage {
		if c := &inv.Coverage[i]; c.Check == check {
			c.State, c.Code, c.Reason = breakwater.StateFailed, check.Code(), "the rules of this check crashed"
		}
	}
}

// unsafe is failed baseline rules and weak passwords.
func (a *Auditor) unsafe(inv breakwater.Inventory) []breakwater.Finding {
	if !asked(inv, breakwater.CheckBaseline) {
		return nil
	}
	out := baseline.Findings(baseline.Evaluate(inv, a.baseline), a.baseline)
	for _, w := range baseline.Weak(inv) {
		out = append(out, weak(w))
	}
	return out
}

func asked(inv breakwater.Inventory, check breakwater.Check) bool {
	for _, c := range inv.Coverage {
		if c.Check == check {
			return c.State != breakwater.StateNotAsked
		}
	}
	return true
}
