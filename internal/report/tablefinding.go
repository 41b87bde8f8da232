package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"breakwater"
)

// findings has a section for each check but the vulnerabilities.
func (p *printer) findings(v *view) {
	weak := weakPasswords(v)
	for _, l := range v.checks {
		var list, passwords []breakwater.Finding
		for _, f := range v.Findings {
			switch {
			case f.Check != l.Coverage.Check:
			case weak[f.Path+"\x00"+f.Subject]:
				passwords = append(passwords, f)
			default:
				list = append(list, f)
			}
		}
		switch l.Coverage.Check {
		case breakwater.CheckFile:
			p.section(v, "Malicious files", "SIGNATURE", list, malwareDetail)
		case breakwater.CheckBuildCommand:
			p.buildCommands(list)
		case breakwater.CheckCompliance:
			p.section(v, "Software that is not compliant", "RULE", list, complianceDetail)
		default:
			p.section(v, checkTitle(l.Coverage.Check), "RULE", list, currentDetail)
		}
		p.section(v, "Weak passwords", "RULE", passwords, accountDetail)
	}
}

// weakPasswords tells which findings are about a guessed password: those whose
// file and account the inventory says it of.
func weakPasswords(v *view) map[string]bool {
	out := map[string]bool{}
	for _, c := range v.Inventory.Configs {
		for _, w := range c.Weak {
			out[cmp.Or(w.Path, c.Path)+"\x00"+w.User] = true
		}
	}
	return out
}

// section has a row for each finding of one sort.
func (p *printer) section(v *view, title, rule string, list []breakwater.Finding, detail func(breakwater.Finding) string) {
	if len(list) == 0 {
		return
	}
	p.title(fmt.Sprintf("%s (%d)", title, len(list)))
	columns := []column{{head: "SEVERITY"}, {head: rule, least: 12}, {head: "WHERE", least: 16}, {head: "WHAT", least: 16}, {head: "LAYER"}}
	var rows [][]cell
	for _, f := range list {
		rows = append(rows, []cell{
			severityCell(f.Severity), {text: plain(f.Rule)}, {text: plain(whereText(f))}, {text: plain(detail(f))},
			{text: v.layerText(f)},
		})
	}
	p.grid(2, columns, rows)
}

// whereText is the file and line, or the part of the configuration.
func whereText(f breakwater.Finding) string {
	text := f.Path
	if f.Where == breakwater.WhereFile {
		text = "/" + strings.TrimPrefix(text, "/")
		if f.Path == "" {
			return ""
		}
	} else {
		text = string(f.Where) + " " + text
	}
	if f.Line > 0 {
		text += fmt.Sprintf(":%d", f.Line)
	}
	return strings.TrimSpace(text)
}

func (v *view) layerText(f breakwater.Finding) string {
	n := v.layer[f.Layer]
	if n == 0 {
		return ""
	}
	text := fmt.Sprint(n)
	if v.inherited(f.Layer) {
		text += " base"
	}
	if f.Deleted != "" {
		text += " deleted later"
	}
	return text
}

func malwareDetail(f breakwater.Finding) string {
	return strings.Join(nonEmpty(cmp.Or(f.Title, f.Description), f.Engine, shortSum(f.SHA256)), ", ")
}

// shortSum is enough of a sha256 to look it up by.
func shortSum(hex string) string {
	if hex == "" {
		return ""
	}
	return "sha256 " + hex[:min(len(hex), 16)] + "…"
}

func complianceDetail(f breakwater.Finding) string {
	return strings.Join(nonEmpty(strings.TrimSpace(f.Subject+" "+f.Version), cmp.Or(f.Title, f.Description)), ": ")
}

func accountDetail(f breakwater.Finding) string {
	return strings.Join(nonEmpty(f.Subject, cmp.Or(f.Current, f.Title)), ": ")
}

// currentDetail says what the image has, and what it should have.
func currentDetail(f breakwater.Finding) string {
	text := strings.Join(nonEmpty(f.Title, f.Subject, f.Current), ": ")
	if f.Suggest != "" {
		text += " → " + f.Suggest
	}
	return text
}

// buildCommands shows each command whole, with the better way to write it.
func (p *printer) buildCommands(list []breakwater.Finding) {
	if len(list) == 0 {
		return
	}
	p.title(fmt.Sprintf("Build commands (%d)", len(list)))
	for _, f := range list {
		s := severityCell(f.Severity)
		p.line("  ", p.style(s.style, fill(s.text, 8)), "  ", cut(plain(strings.Join(nonEmpty(f.Rule, f.Title), ": ")), p.width-12))
		p.labelled("now", cmp.Or(f.Current, f.Subject, f.Path))
		p.labelled("why", f.Description)
		p.labelled("better", cmp.Or(f.Suggest, f.Remediation))
	}
}

func (p *printer) labelled(label, text string) {
	const indent = 12
	for i, l := range wrap(plain(text), p.width-indent-8) {
		if i > 0 {
			label = ""
		}
		p.line(strings.Repeat(" ", indent), p.style(styleDim, fill(label, 8)), l)
	}
}

// software counts what is installed by type.
func (p *printer) software(v *view) {
	if len(v.Inventory.Packages) == 0 && v.Inventory.Files.Num == 0 {
		return
	}
	p.title("What the image holds")
	counts := map[string]int{}
	owned := 0
	for _, k := range v.Inventory.Packages {
		counts[k.Type]++
		if k.OwnedBy != "" {
			owned++
		}
	}
	var words []string
	for _, t := range sortedCounts(counts) {
		words = append(words, fmt.Sprintf("%d %s", counts[t], cmp.Or(t, "other")))
	}
	text := number(len(v.Inventory.Packages), "package")
	if len(words) > 0 {
		text += ": " + strings.Join(words, ", ")
	}
	if owned > 0 {
		text += fmt.Sprintf("; %d of them installed by packages of the system", owned)
	}
	p.note(2, plain(text))
	p.files(v.Inventory.Files)
}

func (p *printer) files(s breakwater.FileStat) {
	if s.Num == 0 {
		return
	}
	nums := map[breakwater.FileKind]int64{}
	for k, c := range s.ByKind {
		nums[k] = c.Num
	}
	var words []string
	for _, k := range sortedCounts(nums) {
		words = append(words, fmt.Sprintf("%d %s (%s)", nums[k], k, bytesText(s.ByKind[k].Bytes)))
	}
	text := fmt.Sprintf("%s, %s", number(int(s.Num), "file"), bytesText(s.Bytes))
	if len(words) > 0 {
		text += ": " + strings.Join(slices.Clip(words), ", ")
	}
	p.note(2, plain(text))
}
