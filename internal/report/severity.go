package report

import "breakwater"

// criticalScore is where CVSS begins to say critical.
const criticalScore = 9.0

// severityOf is the severity that a report shows for a vulnerability; see the
// package's doc.
func severityOf(v breakwater.Vulnerability) breakwater.Severity {
	if v.Severity == breakwater.SeverityHigh && v.Score >= criticalScore {
		return breakwater.SeverityCritical
	}
	return v.Severity
}

// severities lists the severities, worst first.
func severities() []breakwater.Severity {
	return []breakwater.Severity{
		breakwater.SeverityCritical, breakwater.SeverityHigh, breakwater.SeverityMedium, breakwater.SeverityLow,
	}
}

// rank orders severities: the worse the higher, 0 for one that is not known.
func rank(s breakwater.Severity) int {
	all := severities()
	for i, known := range all {
		if s == known {
			return len(all) - i
		}
	}
	return 0
}

// Counts counts findings by severity; Unknown are those that say none.
type Counts struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
	Unknown  int `json:"unknown"`
}

func (c *Counts) add(s breakwater.Severity) {
	switch s {
	case breakwater.SeverityCritical:
		c.Critical++
	case breakwater.SeverityHigh:
		c.High++
	case breakwater.SeverityMedium:
		c.Medium++
	case breakwater.SeverityLow:
		c.Low++
	default:
		c.Unknown++
	}
}

// Total is how many findings were counted.
func (c Counts) Total() int { return c.Critical + c.High + c.Medium + c.Low + c.Unknown }

// FailOn is how bad the worst finding may be before a build fails.
type FailOn string

// The thresholds. FailNever is the zero value: nothing fails.
const (
	FailNever    FailOn = ""
	FailCritical FailOn = "critical"
	FailHigh     FailOn = "high"
	FailMedium   FailOn = "medium"
	FailLow      FailOn = "low"
	FailAny      FailOn = "any" // also a finding whose severity nobody states
)

// ParseFailOn reads a threshold; an unknown word is an error of kind Invalid.
func ParseFailOn(s string) (FailOn, error) {
	switch f := FailOn(s); f {
	case FailNever, FailCritical, FailHigh, FailMedium, FailLow, FailAny:
		return f, nil
	}
	return FailNever, breakwater.Invalid("fail-on", "the threshold must be critical, high, medium, low or any")
}

// Threshold reports whether the report has a finding as bad as level or worse.
// Vulnerabilities and the findings of every other check count alike; those that
// Exempt took out are gone. With ignoreUnfixed a vulnerability that no version
// repairs does not count. A gap in the coverage is not a finding: ask Complete.
func Threshold(r Report, level FailOn, ignoreUnfixed bool) bool {
	if level == FailNever {
		return false
	}
	least := 0
	if level != FailAny {
		least = rank(breakwater.Severity(level))
	}
	for _, v := range r.Vulnerabilities {
		if ignoreUnfixed && v.Fixed == "" {
			continue
		}
		if rank(severityOf(v)) >= least {
			return true
		}
	}
	for _, f := range r.Findings {
		if rank(f.Severity) >= least {
			return true
		}
	}
	return false
}
