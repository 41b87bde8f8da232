package report

import (
	"strings"
	"time"

	"breakwater"
)

// Exemption is one finding that the operator accepts, and why.
type Exemption struct {
	ID      string           // an advisory, one of its aliases or CVEs, or a rule; AnyID: all, of a package or a path
	Check   breakwater.Check // empty: any
	Package string           // pattern for a package's name or its source's; empty: any
	Path    string           // pattern for a path without its leading slash; empty: any
	Image   string           // pattern for the image's name; empty: any
	Reason  string
	Expires time.Time // the first moment at which it no longer counts; zero: never
	Line    int       // where it stands in its file, from 1
}

// AnyID is the ID of an exemption of whatever is found in a package or path.
const AnyID = "*"

// Outcome is what a list of exemptions did.
type Outcome struct {
	Removed int         // findings taken out; the report's Exempted is raised by as many
	Expired []Exemption // their day is past: they no longer count
	Unused  []Exemption // nothing in this report is what they speak of
}

// Exempt takes out of a report what the exemptions speak of. The report's own
// time decides what has expired. A vulnerability that lies in several places is
// taken out place by place, and goes when none is left. The report's lists are
// replaced, never changed.
func Exempt(list []Exemption, r *Report) Outcome {
	x := &exempter{list: list, used: make([]bool, len(list)), byID: map[string][]int{}}
	var out Outcome
	for i, e := range list {
		switch {
		case !matchGlob(e.Image, r.Name):
			x.used[i] = true // it speaks of another image
		case !e.Expires.IsZero() && !r.Time.Before(e.Expires):
			x.used[i] = true
			out.Expired = append(out.Expired, e)
		default:
			id := strings.ToLower(e.ID)
			x.byID[id] = append(x.byID[id], i)
		}
	}
	vulnerabilities := make([]breakwater.Vulnerability, 0, len(r.Vulnerabilities))
	for _, v := range r.Vulnerabilities {
		if v, keep := x.vulnerability(v); keep {
			vulnerabilities = append(vulnerabilities, v)
		} else {
			out.Removed++
		}
	}
	findings := make([]breakwater.Finding, 0, len(r.Findings))
	for _, f := range r.Findings {
		if x.finding(f) {
			out.Removed++
		} else {
			findings = append(findings, f)
		}
	}
	r.Vulnerabilities, r.Findings = vulnerabilities, findings
	r.Exempted += out.Removed
	for i, e := range list {
		if !x.used[i] {
			out.Unused = append(out.Unused, e)
		}
	}
	return out
}

type exempter struct {
	list []Exemption
	used []bool
	byID map[string][]int // lower-case id → the exemptions in force that name it
}

// vulnerability is what the exemptions leave of v, and whether anything.
func (x *exempter) vulnerability(v breakwater.Vulnerability) (breakwater.Vulnerability, bool) {
	var named []int
	for _, ids := range [][]string{{v.AdvisoryID, AnyID}, v.Aliases, v.CVEs} {
		for _, id := range ids {
			for _, i := range x.byID[strings.ToLower(id)] {
				if c := x.list[i].Check; c == "" || c == breakwater.CheckVulnerability {
					named = append(named, i)
				}
			}
		}
	}
	if len(named) == 0 {
		return v, true
	}
	found := v.Found
	if len(found) == 0 {
		found = []breakwater.Package{{Name: v.Package.Name}}
	}
	var left []breakwater.Package
	for _, p := range found {
		if !x.place(named, v, p) {
			left = append(left, p)
		}
	}
	if len(left) == 0 {
		return v, false
	}
	if len(v.Found) > 0 {
		v.Found = left
	}
	return v, true
}

// place reports whether one of the named exemptions covers a package.
func (x *exempter) place(named []int, v breakwater.Vulnerability, p breakwater.Package) bool {
	covered := false
	for _, i := range named {
		e := x.list[i]
		if !matchGlob(e.Path, p.Path) {
			continue
		}
		if matchGlob(e.Package, p.Name) || matchGlob(e.Package, p.SourceName) || matchGlob(e.Package, v.Package.Name) {
			x.used[i], covered = true, true
		}
	}
	return covered
}

// finding reports whether an exemption covers f.
func (x *exempter) finding(f breakwater.Finding) bool {
	covered := false
	for _, id := range []string{strings.ToLower(f.Rule), AnyID} {
		for _, i := range x.byID[id] {
			e := x.list[i]
			if e.Check != "" && e.Check != f.Check {
				continue
			}
			if matchGlob(e.Path, f.Path) && matchGlob(e.Package, f.Subject) {
				x.used[i], covered = true, true
			}
		}
	}
	return covered
}

// matchGlob matches text with a pattern: "*" stands for any run of characters
// but "/", "**" for any run, "?" for one character but "/". The empty pattern
// matches everything. Time is bounded by the product of the two lengths.
func matchGlob(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	pattern = strings.TrimPrefix(pattern, "/")
	text = strings.TrimPrefix(text, "/")
	// reach[j]: the pattern so far matches the first j bytes of text.
	reach := make([]bool, len(text)+1)
	reach[0] = true
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		if c == '*' {
			deep := i+1 < len(pattern) && pattern[i+1] == '*'
			if deep {
				i++
				// "**/" also stands for no folder at all.
				if i+1 < len(pattern) && pattern[i+1] == '/' {
					i++
					reach = folders(reach, text)
					continue
				}
			}
			for j := 1; j <= len(text); j++ {
				reach[j] = reach[j] || reach[j-1] && (deep || text[j-1] != '/')
			}
			continue
		}
		for j := len(text); j > 0; j-- {
			reach[j] = reach[j-1] && (c == text[j-1] || c == '?' && text[j-1] != '/')
		}
		reach[0] = false
	}
	return reach[len(text)]
}

// folders extends what is reached by any number of whole folders.
func folders(reach []bool, text string) []bool {
	out := make([]bool, len(reach))
	begun := false
	for j := range reach {
		out[j] = reach[j] || begun && text[j-1] == '/'
		begun = begun || reach[j]
	}
	return out
}
