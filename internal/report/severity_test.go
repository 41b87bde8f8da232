package report

import (
	"testing"

	"breakwater"
)

func TestThreshold(t *testing.T) {
	vul := func(s breakwater.Severity, score float64, fixed string) Report {
		return Report{Vulnerabilities: []breakwater.Vulnerability{{Severity: s, Score: score, Fixed: fixed}}}
	}
	finding := func(s breakwater.Severity) Report {
		return Report{Findings: []breakwater.Finding{{Check: breakwater.CheckSecret, Severity: s}}}
	}
	tests := []struct {
		name  string
		r     Report
		level FailOn
		fixed bool
		want  bool
	}{
		{"nothing found", Report{}, FailAny, false, false},
		{"never", vul("high", 10, "1"), FailNever, false, false},
		{"high is high", vul("high", 7.5, "1"), FailHigh, false, true},
		{"high is not critical", vul("high", 7.5, "1"), FailCritical, false, false},
		{"a score of nine is critical", vul("high", 9, "1"), FailCritical, false, true},
		{"a low one with a score of nine is low", vul("low", 9, "1"), FailMedium, false, false},
		{"critical is high", vul("high", 9.8, "1"), FailHigh, false, true},
		{"medium is not high", vul("medium", 5, "1"), FailHigh, false, false},
		{"medium is low", vul("medium", 5, "1"), FailLow, false, true},
		{"unrated is any", vul("", -1, "1"), FailAny, false, true},
		{"unrated is not low", vul("", -1, "1"), FailLow, false, false},
		{"unfixed", vul("high", 10, ""), FailHigh, true, false},
		{"unfixed counts unless said", vul("high", 10, ""), FailHigh, false, true},
		{"fixed", vul("high", 10, "2"), FailHigh, true, true},
		{"a critical rule", finding("critical"), FailCritical, false, true},
		{"a finding has no repair to wait for", finding("high"), FailHigh, true, true},
		{"a medium rule", finding("medium"), FailHigh, false, false},
	}
	for _, test := range tests {
		if got := Threshold(test.r, test.level, test.fixed); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestParseFailOn(t *testing.T) {
	for _, ok := range []string{"", "critical", "high", "medium", "low", "any"} {
		if f, err := ParseFailOn(ok); err != nil || string(f) != ok {
			t.Errorf("%q: %v, %v", ok, f, err)
		}
	}
	if _, err := ParseFailOn("High"); breakwater.KindOf(err) != breakwater.KindInvalid {
		t.Errorf("got %v", err)
	}
}

func TestIgnoreUnfixed(t *testing.T) {
	r := debian()
	r.Unfixed = 0
	IgnoreUnfixed(&r)
	if len(r.Vulnerabilities) != 4 || r.Unfixed != 1 {
		t.Errorf("%d left, %d counted", len(r.Vulnerabilities), r.Unfixed)
	}
}

func TestComplete(t *testing.T) {
	skip := []breakwater.Skip{{Path: "a", Reason: "b"}}
	some := checks()[1:]
	tests := []struct {
		name string
		c    breakwater.Coverage
		want bool
	}{
		{"done", breakwater.Coverage{State: breakwater.StateDone}, true},
		{"nothing to look at", breakwater.Coverage{State: breakwater.StateNotApplicable}, true},
		{"not asked for", breakwater.Coverage{State: breakwater.StateNotAsked}, true},
		{"a file skipped", breakwater.Coverage{State: breakwater.StateDone, Skipped: skip}, false},
		{"a reason", breakwater.Coverage{State: breakwater.StateDone, Reason: "no feed for one package"}, false},
		{"failed", breakwater.Coverage{State: breakwater.StateFailed}, false},
		{"not built", breakwater.Coverage{State: breakwater.StateNotBuilt}, false},
	}
	for _, test := range tests {
		test.c.Check = checks()[0]
		if got := Complete(build("a").checked(some...).coverage(test.c).r); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	if Complete(build("a").checked(some...).r) {
		t.Error("a check that nobody speaks of was not done")
	}
}
