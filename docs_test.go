package breakwater_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\]\(([^)#:]+)(?:#([^)]+))?\)`)

// TestDocLinks: every relative link of the documents leads to a file that is
// there, and to a heading that it has.
func TestDocLinks(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, page := range append(pages, "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md") {
		body, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(body), -1) {
			links++
			target := filepath.Join(filepath.Dir(page), m[1])
			text, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s: %s leads nowhere", page, m[1])
			} else if m[2] != "" && !hasHeading(string(text), m[2]) {
				t.Errorf("%s: %s has no heading #%s", page, m[1], m[2])
			}
		}
	}
	if links == 0 {
		t.Fatal("no link was found")
	}
}

// hasHeading reports whether a page has a heading with this anchor.
func hasHeading(page, anchor string) bool {
	drop := regexp.MustCompile(`[^a-z0-9 _-]`)
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "#") {
			continue
		}
		text := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
		if strings.ReplaceAll(drop.ReplaceAllString(text, ""), " ", "-") == anchor {
			return true
		}
	}
	return false
}
