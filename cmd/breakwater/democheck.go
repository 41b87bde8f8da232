package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"breakwater"
)

// demoReport is what the demo shows of an image's report.
type demoReport struct {
	Summary struct {
		Checks []struct {
			Check  breakwater.Check      `json:"check"`
			State  breakwater.CheckState `json:"state"`
			Counts map[string]int        `json:"counts"`
		} `json:"checks"`
	} `json:"summary"`
	Image struct {
		Layers []struct{} `json:"layers"`
	} `json:"image"`
	Base *struct {
		Name   string `json:"name"`
		Layers int    `json:"layers"`
	} `json:"base"`
	Vulnerabilities []struct {
		ID      string `json:"id"`
		Package struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"package"`
	} `json:"vulnerabilities"`
	Findings []breakwater.Finding `json:"findings"`
	Packages []struct {
		Type string `json:"type"`
	} `json:"packages"`
}

// checks shows what each of the eight checks says of an image.
func (d demo) checks(ctx context.Context, c *apiClient, r imageRow) error {
	var report demoReport
	err := c.get(ctx, "/image/"+r.ImageID+"/report", url.Values{"image_type": {r.Type}, "namespace": {r.Namespace},
		"image_name": {r.Name}, "tag_name": {r.Version}, "format": {"json"}}, &report)
	if err != nil {
		return fmt.Errorf("demo report: %w", err)
	}
	var cells [][]string
	for _, line := range report.Summary.Checks {
		cells = append(cells, []string{strings.ReplaceAll(string(line.Check), "_", " "), string(line.State),
			strconv.Itoa(report.found(line.Check, line.Counts)), report.example(line.Check)})
	}
	fmt.Fprintln(d.out)
	table(d.out, []string{"CHECK OF " + demoShop, "STATE", "FOUND", "FOR EXAMPLE"}, cells)
	return nil
}

// found is how much a check found: packages, the base, or findings of any level.
func (r *demoReport) found(check breakwater.Check, counts map[string]int) int {
	switch {
	case check == breakwater.CheckSoftware:
		return len(r.Packages)
	case check == breakwater.CheckBaseImage && r.Base != nil:
		return 1
	}
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

// example is one thing, or two, that a check found; the worst are first.
func (r *demoReport) example(check breakwater.Check) string {
	switch check {
	case breakwater.CheckVulnerability:
		if len(r.Vulnerabilities) > 0 {
			v := r.Vulnerabilities[0]
			return v.ID + " in " + v.Package.Name + " " + v.Package.Version
		}
	case breakwater.CheckSoftware:
		return r.types()
	case breakwater.CheckBaseImage:
		if r.Base != nil {
			return fmt.Sprintf("%s, %d of %d layers", r.Base.Name, r.Base.Layers, len(r.Image.Layers))
		}
	}
	var out []string
	seen := map[string]bool{}
	for _, f := range r.Findings {
		key := f.Rule
		if check == breakwater.CheckBaseline {
			key = f.Path
		}
		if f.Check == check && !seen[key] && len(out) < 2 {
			seen[key] = true
			out = append(out, exampleText(f))
		}
	}
	return strings.Join(out, "; ")
}

func exampleText(f breakwater.Finding) string {
	text := f.Title
	switch f.Check {
	case breakwater.CheckCompliance:
		return strings.TrimSpace(f.Subject+" "+f.Version) + ": " + text
	case breakwater.CheckBaseline: // its titles say how it should be
		text = f.Current
	}
	if f.Where == breakwater.WhereFile && f.Path != "" {
		text += " in /" + f.Path
	}
	return text
}

// types counts the packages by type, the most first.
func (r *demoReport) types() string {
	counts := map[string]int{}
	for _, p := range r.Packages {
		counts[p.Type]++
	}
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%d %s", counts[name], name)
	}
	return strings.Join(names, ", ")
}
