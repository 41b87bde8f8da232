package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"breakwater"
)

// vulnerabilityRule makes the rule of an advisory, once. The list is sorted, so
// the first result of an advisory is its worst.
func (s *sarifRun) vulnerabilityRule(vul breakwater.Vulnerability) {
	id := shownID(vul)
	if _, ok := s.rules[id]; ok {
		return
	}
	var facts []string
	fact := func(name, value string) {
		if value != "" {
			facts = append(facts, name+": "+value)
		}
	}
	fact("Severity", string(severityOf(vul)))
	if vul.Score >= 0 {
		fact("CVSS base score", scoreText(vul.Score))
	}
	if vul.EPSS >= 0 {
		fact("Probability of exploitation in 30 days (EPSS)", epssText(vul.EPSS))
	}
	if vul.Exploited {
		fact("Known to be exploited (CISA KEV)", "yes")
	}
	fact("Also known as", strings.Join(otherIDs(vul), ", "))
	fact("More", webURL(vul.URL))
	tags := []string{"security", "vulnerability"}
	if vul.Exploited {
		tags = append(tags, "exploited")
	}
	s.rule(sarifRule{
		id: id, name: "VulnerablePackage", title: cmp.Or(vul.Summary, id+" in "+vul.Package.Name), text: cmp.Or(vul.Summary, "A package is affected by "+id+"."),
		facts: facts, url: webURL(vul.URL), severity: severityOf(vul), score: vul.Score, tags: tags,
	})
}

// findingRule makes the rule of a finding, once, and gives its id: the check's
// name and the rule's, because two checks may use one name.
func (s *sarifRun) findingRule(f breakwater.Finding) string {
	id := string(f.Check) + "/" + plain(f.Rule)
	if _, ok := s.rules[id]; ok {
		return id
	}
	var facts []string
	if f.Remediation != "" {
		facts = append(facts, "What to do: "+f.Remediation)
	}
	s.rule(sarifRule{
		id: id, name: ruleName(f.Check), title: cmp.Or(f.Title, f.Rule),
		text:     cmp.Or(f.Description, f.Title, "Found by the rule "+f.Rule+" of the check "+checkTitle(f.Check)+"."),
		facts:    append([]string{"Severity: " + cmp.Or(string(f.Severity), "unrated"), "Check: " + checkTitle(f.Check)}, facts...),
		severity: f.Severity, score: -1, tags: []string{"security", string(f.Check)},
	})
	return id
}

// ruleName is the class of a rule for people.
func ruleName(c breakwater.Check) string {
	switch c {
	case breakwater.CheckFile:
		return "MaliciousFile"
	case breakwater.CheckSecret:
		return "ExposedSecret"
	case breakwater.CheckBaseline:
		return "InsecureConfiguration"
	case breakwater.CheckCompliance:
		return "UnwantedSoftware"
	case breakwater.CheckBuildCommand:
		return "RiskyBuildCommand"
	case breakwater.CheckBaseImage:
		return "BaseImage"
	}
	return "Finding"
}

type sarifRule struct {
	id, name, title, text string
	facts                 []string
	url                   string
	severity              breakwater.Severity
	score                 float64 // negative: none
	tags                  []string
}

func (s *sarifRun) rule(r sarifRule) {
	driver := s.run.Tool.Driver
	s.rules[r.id] = len(driver.Rules)
	text := sarifText(r.text)
	lines := []string{text}
	for _, f := range r.facts {
		lines = append(lines, sarifText(f))
	}
	help := sarif.NewMultiformatMessageString().WithText(strings.Join(lines, "\n")).WithMarkdown(markdown(lines))
	d := sarif.NewReportingDescriptor().WithID(r.id).WithName(r.name).
		WithShortDescription(sarif.NewMultiformatMessageString().WithText(sentence(sarifText(r.title), 200))).
		WithFullDescription(sarif.NewMultiformatMessageString().WithText(sentence(text, 1000))).
		WithHelp(help).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(sarifLevel(r.severity)))
	if r.url != "" {
		d.WithHelpURI(r.url)
	}
	d.WithProperties(sarif.NewPropertyBag().Add("security-severity", securitySeverity(r.severity, r.score)).
		Add("precision", "very-high").WithTags(r.tags))
	driver.AddRule(d)
}

// securitySeverity is the number that code scanning sorts by: the CVSS base
// score where it falls into the severity's own band, else the band's middle
// (over 9.0 critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, 0.1 to 3.9 low).
func securitySeverity(s breakwater.Severity, score float64) string {
	low, high, middle := 4.0, 6.9, 5.5
	switch s {
	case breakwater.SeverityCritical:
		low, high, middle = 9.0, 10, 9.5
	case breakwater.SeverityHigh:
		low, high, middle = 7.0, 8.9, 8.0
	case breakwater.SeverityLow:
		low, high, middle = 0.1, 3.9, 2.0
	}
	if score >= low && score <= high {
		middle = score
	}
	return fmt.Sprintf("%.1f", middle)
}

// sentence is at most so many letters and ends with a full stop.
func sentence(s string, letters int) string {
	if r := []rune(s); len(r) > letters {
		s = string(r[:letters-1]) + "…"
	}
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "…") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// markdown writes lines of foreign text as a list, with every sign that has a
// meaning in Markdown or HTML escaped.
func markdown(lines []string) string {
	var b strings.Builder
	for i, l := range lines {
		switch i {
		case 0:
		case 1:
			b.WriteString("\n\n- ")
		default:
			b.WriteString("\n- ")
		}
		for _, r := range l {
			if strings.ContainsRune("\\`*_{}[]<>#|!&~", r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
	}
	return b.String()
}

// notice refers to the description of a notification, and adds it when it is new.
func (s *sarifRun) notice(id string) *sarif.ReportingDescriptorReference {
	driver := s.run.Tool.Driver
	at := slices.IndexFunc(driver.Notifications, func(d *sarif.ReportingDescriptor) bool { return *d.ID == id })
	if at < 0 {
		at = len(driver.Notifications)
		text := func() *sarif.MultiformatMessageString {
			return sarif.NewMultiformatMessageString().WithText(noticeText(id))
		}
		driver.AddNotification(sarif.NewReportingDescriptor().WithID(id).WithName("Coverage").
			WithShortDescription(text()).WithFullDescription(text()).WithHelp(text()))
	}
	return sarif.NewReportingDescriptorReference().WithID(id).WithIndex(at)
}

func noticeText(id string) string {
	switch id {
	case "file-skipped":
		return "A file was not looked into."
	case "check-not-asked":
		return "A check was not asked for."
	case "check-not-available":
		return "A check is not available in this version."
	case "check-failed":
		return "A check failed."
	case "results-cut":
		return "There were more results than a run may have."
	}
	return "A check could not look at everything."
}
