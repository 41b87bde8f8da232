package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"breakwater"
)

// Widths of a table, in columns.
const (
	defaultWidth = 120
	leastWidth   = 80
)

// shownSkips is how many reasons of a check the table names before it counts.
const shownSkips = 3

// writeTable writes the report for a terminal.
func writeTable(w io.Writer, v *view, o Options) error {
	p := &printer{width: max(cmp.Or(o.Width, defaultWidth), leastWidth), color: o.Color}
	p.header(v)
	p.summary(v)
	p.vulnerabilities(v)
	p.advice(v)
	p.findings(v)
	if len(v.Vulnerabilities)+len(v.Findings) == 0 {
		p.title("Nothing was found by the checks that were done.")
	}
	p.software(v)
	_, err := io.WriteString(w, p.b.String())
	return err
}

// header says which image this is, and what it was judged by.
func (p *printer) header(v *view) {
	p.field("Image", v.Name)
	p.field("Digest", string(v.Digest))
	p.field("System", strings.Join(nonEmpty(cmp.Or(v.osName(), "none recognised"), v.platform()), ", "))
	p.field("Size", fmt.Sprintf("%s compressed in %s", bytesText(v.size()), number(len(v.Inventory.Layers), "layer")))
	scanned := "by " + v.Tool
	if v.Version != "" {
		scanned += " " + v.Version
	}
	if !v.Time.IsZero() {
		scanned = v.Time.Format("2006-01-02 15:04:05 UTC") + " " + scanned
	}
	p.field("Scanned", scanned)
	if v.Base != nil {
		p.field("Base", baseText(v))
	}
	p.field("Advisories", feedsText(v))
	if v.Exempted > 0 {
		p.field("Exempted", number(v.Exempted, "finding")+" by the exemptions file")
	}
	if v.Unfixed > 0 {
		p.field("Unfixed", number(v.Unfixed, "vulnerability")+" without a repair left out")
	}
}

// field writes a name and its value; an empty value is left out.
func (p *printer) field(name, value string) {
	if value == "" {
		return
	}
	const indent = 12
	for i, l := range wrap(plain(value), p.width-indent) {
		label := ""
		if i == 0 {
			label = name
		}
		p.line(p.style(styleDim, fill(label, indent)), l)
	}
}

func baseText(v *view) string {
	text := fmt.Sprintf("%s (%d of %s)", v.Base.Name, v.Base.Layers, number(len(v.Inventory.Layers), "layer"))
	if v.Base.Newest == "" {
		return text
	}
	text += "; newest: " + v.Base.Newest
	if v.Base.Removes >= 0 {
		text += ", which would remove " + number(v.Base.Removes, "finding")
	}
	return text
}

// feedsText says how old the advisories are: those that the image's packages
// need are not told apart from the others here.
func feedsText(v *view) string {
	if len(v.Feeds) == 0 {
		return "none known"
	}
	var oldest time.Time
	records, starters := 0, 0
	var failed []string
	for _, f := range v.Feeds {
		records += f.Records
		if !f.Dated.IsZero() && (oldest.IsZero() || f.Dated.Before(oldest)) {
			oldest = f.Dated
		}
		if f.Starter {
			starters++
		}
		if f.LastError != "" {
			failed = append(failed, f.Name)
		}
	}
	text := fmt.Sprintf("%s from %s", number(records, "record"), number(len(v.Feeds), "feed"))
	if !oldest.IsZero() {
		text += ", the oldest of " + oldest.UTC().Format(time.DateOnly)
	}
	if starters > 0 {
		text += fmt.Sprintf("; %d still as shipped with the program", starters)
	}
	if len(failed) > 0 {
		text += "; could not be updated: " + strings.Join(failed, ", ")
	}
	return text
}

// summary has a line for each check, and says what was not looked at.
func (p *printer) summary(v *view) {
	p.title("Checks")
	columns := []column{{head: "CHECK"}, {head: "STATE"}, {head: "CRITICAL", right: true}, {head: "HIGH", right: true},
		{head: "MEDIUM", right: true}, {head: "LOW", right: true}, {head: "UNRATED", right: true}}
	var rows [][]cell
	for _, l := range v.checks {
		c := l.Counts
		rows = append(rows, []cell{
			{text: plain(checkTitle(l.Coverage.Check))}, stateCell(l.Coverage.State),
			countCell(c.Critical, styleAlarm), countCell(c.High, styleRed), countCell(c.Medium, styleYellow),
			countCell(c.Low, styleBlue), countCell(c.Unknown, styleNone),
		})
	}
	p.grid(2, columns, rows)
	for _, l := range v.checks {
		p.notLookedAt(l.Coverage)
	}
}

// notLookedAt names the first few gaps of one check and counts the others.
func (p *printer) notLookedAt(c breakwater.Coverage) {
	switch c.State {
	case breakwater.StateNotAsked, breakwater.StateNotBuilt:
		if c.Reason == "" && len(c.Skipped) == 0 {
			return // the state says it
		}
	}
	title := checkTitle(c.Check)
	if text := wholeGap(c); text != "" {
		p.note(2, plain(title+": "+text))
	}
	if len(c.Skipped) == 0 {
		return
	}
	var said []string
	for _, s := range c.Skipped[:min(shownSkips, len(c.Skipped))] {
		said = append(said, cut(plain(s.Path), p.width/2)+" ("+plain(s.Reason)+")")
	}
	text := plain(title) + ": not looked at: " + strings.Join(said, "; ")
	if more := len(c.Skipped) - len(said); more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	p.note(2, text)
}

func stateCell(s breakwater.CheckState) cell {
	switch s {
	case breakwater.StateDone:
		return cell{text: "done"}
	case breakwater.StateNotApplicable:
		return cell{text: "nothing to look at"}
	case breakwater.StateNotAsked:
		return cell{"not asked for", styleYellow}
	case breakwater.StateNotBuilt:
		return cell{"not available", styleYellow}
	case breakwater.StateFailed:
		return cell{"failed", styleAlarm}
	}
	return cell{plain(string(s)), styleYellow}
}

func countCell(n int, style string) cell {
	if n == 0 {
		return cell{text: "-"}
	}
	return cell{fmt.Sprint(n), style}
}

// checkTitle is a check's name for people; an unknown one is named as it is.
func checkTitle(c breakwater.Check) string {
	switch c {
	case breakwater.CheckVulnerability:
		return "Vulnerabilities"
	case breakwater.CheckSoftware:
		return "Software"
	case breakwater.CheckFile:
		return "Files and malware"
	case breakwater.CheckSecret:
		return "Secrets"
	case breakwater.CheckBaseline:
		return "Baseline"
	case breakwater.CheckCompliance:
		return "Compliance"
	case breakwater.CheckBuildCommand:
		return "Build commands"
	case breakwater.CheckBaseImage:
		return "Base image"
	}
	return string(c)
}

func severityCell(s breakwater.Severity) cell {
	switch s {
	case breakwater.SeverityCritical:
		return cell{string(s), styleAlarm}
	case breakwater.SeverityHigh:
		return cell{string(s), styleRed}
	case breakwater.SeverityMedium:
		return cell{string(s), styleYellow}
	case breakwater.SeverityLow:
		return cell{string(s), styleBlue}
	}
	return cell{text: cmp.Or(plain(string(s)), "unrated")}
}

// nonEmpty leaves empty strings out.
func nonEmpty(list ...string) []string {
	out := list[:0]
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}
