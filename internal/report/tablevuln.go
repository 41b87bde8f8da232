package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"breakwater"
)

// vulnerabilities has a row for each problem, those of one package together.
func (p *printer) vulnerabilities(v *view) {
	if len(v.Vulnerabilities) == 0 {
		return
	}
	packages := byPackage(v.Vulnerabilities)
	p.title(fmt.Sprintf("%s in %s", number(len(v.Vulnerabilities), "vulnerability"), number(len(packages), "package")))
	columns := []column{{head: "PACKAGE", least: 10}, {head: "INSTALLED", least: 9}, {head: "FIXED", least: 9},
		{head: "ID", least: 13}, {head: "SEVERITY"}, {head: "SCORE", right: true, spare: true}, {head: "KEV"}, {head: "EPSS", right: true}, {head: "LAYER", least: 6}}
	var rows [][]cell
	for _, group := range packages {
		for i, vul := range group {
			name, installed := cell{}, cell{}
			if i == 0 {
				name, installed = cell{plain(packageTitle(vul)), styleBold}, cell{text: plain(vul.Package.Version)}
			}
			rows = append(rows, []cell{
				name, installed, {text: cmp.Or(plain(vul.Fixed), "-")}, {text: plain(shownID(vul))},
				severityCell(severityOf(vul)), {text: scoreText(vul.Score)}, kevCell(vul.Exploited),
				{text: epssText(vul.EPSS)}, {text: v.layersText(vul.Found)},
			})
		}
	}
	p.grid(2, columns, rows)
	if slices.ContainsFunc(v.Vulnerabilities, func(x breakwater.Vulnerability) bool { return x.Exploited }) {
		p.note(2, "KEV: attackers are known to use this problem (CISA's catalogue).")
	}
}

// byPackage groups a sorted list, the package with the worst problem first.
func byPackage(list []breakwater.Vulnerability) [][]breakwater.Vulnerability {
	at := map[breakwater.PackageVersion]int{}
	var out [][]breakwater.Vulnerability
	for _, v := range list {
		i, ok := at[v.Package]
		if !ok {
			i = len(out)
			at[v.Package] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], v)
	}
	return out
}

// packageTitle names the package that advisories speak of, and after it the
// installed ones that are built from it where their names differ.
func packageTitle(v breakwater.Vulnerability) string {
	var others []string
	for _, p := range v.Found {
		if p.Name != v.Package.Name && breakwater.NormalName(p.Ecosystem, p.Name) != v.Package.Name && !slices.Contains(others, p.Name) {
			others = append(others, p.Name)
		}
	}
	if len(others) == 0 {
		return v.Package.Name
	}
	return v.Package.Name + " (" + strings.Join(others, ", ") + ")"
}

// layersText names the layers that packages lie in by their place; those of the
// base image are marked.
func (v *view) layersText(found []breakwater.Package) string {
	var in []int
	base := false
	for _, p := range found {
		if n := v.layer[p.Layer]; n > 0 && !slices.Contains(in, n) {
			in = append(in, n)
			base = base || v.inherited(p.Layer)
		}
	}
	slices.Sort(in)
	var words []string
	for _, n := range in {
		words = append(words, fmt.Sprint(n))
	}
	text := strings.Join(words, ",")
	if base {
		text += " base"
	}
	return text
}

func scoreText(score float64) string {
	if score < 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", score)
}

func epssText(epss float64) string {
	switch {
	case epss < 0:
		return "-"
	case epss > 0 && epss < 0.001:
		return "<0.1%"
	}
	return fmt.Sprintf("%.1f%%", epss*100)
}

func kevCell(exploited bool) cell {
	if exploited {
		return cell{"KEV", styleAlarm}
	}
	return cell{}
}

// advice says which upgrades repair what can be repaired.
func (p *printer) advice(v *view) {
	if len(v.upgrades) == 0 {
		return
	}
	p.title("What to upgrade")
	columns := []column{{head: "PACKAGE", least: 12}, {head: "INSTALLED", least: 10}, {head: "UPGRADE TO", least: 10},
		{head: "REPAIRS", right: true}, {head: "LEAVES", right: true}, {head: "WORST"}}
	var rows [][]cell
	for _, u := range v.upgrades {
		rows = append(rows, []cell{
			{plain(u.Package.Name), styleBold}, {text: plain(u.Package.Version)}, {text: plain(u.target())},
			{text: fmt.Sprint(len(u.Fixes))}, {text: fmt.Sprint(u.Left)}, severityCell(u.Worst),
		})
	}
	p.grid(2, columns, rows)
}

// target is the version to upgrade to, for people.
func (u upgrade) target() string {
	if len(u.To) == 1 {
		return u.To[0]
	}
	return "the newest of " + strings.Join(u.To, ", ")
}
