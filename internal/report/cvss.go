package report

import (
	"strings"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"

	"breakwater"
)

// cvss is a vector that could be read, and what it comes to.
type cvss struct {
	breakwater.Vector
	Version  string // 2.0, 3.0, 3.1, 4.0
	Score    float64
	Severity breakwater.Severity // by the bands of its version; empty for a score of 0
}

// maxVector bounds the bytes of a vector; the longest that a specification
// allows has less than half of that.
const maxVector = 512

// readVectors reads what can be read of a vulnerability's vectors, in their order.
func readVectors(vul breakwater.Vulnerability) []cvss {
	var out []cvss
	for _, v := range vul.Vectors {
		c := cvss{Vector: v}
		if len(v.Text) > maxVector {
			continue
		}
		var err error
		switch {
		case strings.HasPrefix(v.Text, "CVSS:4.0/"):
			var parsed *cvss40.CVSS40
			if parsed, err = cvss40.ParseVector(v.Text); err == nil {
				c.Version, c.Score = "4.0", parsed.Score()
			}
		case strings.HasPrefix(v.Text, "CVSS:3.1/"):
			var parsed *cvss31.CVSS31
			if parsed, err = cvss31.ParseVector(v.Text); err == nil {
				c.Version, c.Score = "3.1", parsed.BaseScore()
			}
		case strings.HasPrefix(v.Text, "CVSS:3.0/"):
			var parsed *cvss30.CVSS30
			if parsed, err = cvss30.ParseVector(v.Text); err == nil {
				c.Version, c.Score = "3.0", parsed.BaseScore()
			}
		case strings.HasPrefix(v.Text, "AV:"):
			var parsed *cvss20.CVSS20
			if parsed, err = cvss20.ParseVector(v.Text); err == nil {
				c.Version, c.Score = "2.0", parsed.BaseScore()
			}
		}
		if err == nil && c.Version != "" {
			c.Severity = cvssBand(c.Version, c.Score)
			out = append(out, c)
		}
	}
	return out
}

// cvssBand is the word for a base score (CVSS 3.1, section 5; 4.0, section 6). In
// version 2 nothing is critical and everything below 4.0 low (NVD's ranges).
func cvssBand(version string, score float64) breakwater.Severity {
	switch {
	case score >= criticalScore && version != "2.0":
		return breakwater.SeverityCritical
	case score >= 7:
		return breakwater.SeverityHigh
	case score >= 4:
		return breakwater.SeverityMedium
	case score > 0 || version == "2.0":
		return breakwater.SeverityLow
	}
	return ""
}
