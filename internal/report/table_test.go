package report

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
)

// TestTable holds the table of an ordinary image against the one in testdata;
// UPDATE=1 writes it anew.
func TestTable(t *testing.T) {
	got := write(t, FormatTable, debian(), Options{Width: 130, Compare: natural})
	file := filepath.Join("testdata", "debian.txt")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTableCannotBeAbused looks for any byte that a terminal could obey.
func TestTableCannotBeAbused(t *testing.T) {
	colour := regexp.MustCompile("\x1b\\[[0-9;]*m")
	for name, r := range fixtures() {
		for _, color := range []bool{false, true} {
			out := string(write(t, FormatTable, r, Options{Width: 80, Color: color}))
			if color {
				out = colour.ReplaceAllString(out, "")
			}
			for line := range strings.Lines(out) {
				if line = strings.TrimSuffix(line, "\n"); !safe(line) {
					t.Errorf("%s: %q", name, line)
				}
			}
		}
	}
}

// TestTableFitsItsWidth allows no line that is wider than asked for.
func TestTableFitsItsWidth(t *testing.T) {
	for name, r := range fixtures() {
		for _, width := range []int{0, 80, 100, 200} {
			limit := width
			if limit == 0 {
				limit = defaultWidth
			}
			for line := range strings.Lines(string(write(t, FormatTable, r, Options{Width: width}))) {
				if n := widths().StringWidth(strings.TrimSuffix(line, "\n")); n > limit {
					t.Errorf("%s at %d: a line of %d columns: %q", name, width, n, line)
				}
			}
		}
	}
}

func TestColourOnlyWhenAsked(t *testing.T) {
	if out := write(t, FormatTable, debian(), Options{}); strings.Contains(string(out), "\x1b") {
		t.Error("colour without being asked")
	}
	coloured := string(write(t, FormatTable, debian(), Options{Color: true}))
	if !strings.Contains(coloured, "\x1b[1;31mcritical\x1b[0m") {
		t.Error("no colour when asked")
	}
	// Colour changes nothing but the colour.
	bare := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(coloured, "")
	if diff := cmp.Diff(columnless(string(write(t, FormatTable, debian(), Options{}))), columnless(bare)); diff != "" {
		t.Error(diff)
	}
}

// columnless takes the spaces at the end of lines away.
func columnless(s string) string { return regexp.MustCompile(` +\n`).ReplaceAllString(s, "\n") }

func TestTableCountsWhatItDoesNotName(t *testing.T) {
	out := string(write(t, FormatTable, debian(), Options{Width: 200}))
	for _, want := range []string{"Secrets: not looked at: opt/b.zip (encrypted); opt/c.zip (encrypted); opt/d.zip (encrypted); and 2 more", "not asked for"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if out := string(write(t, FormatTable, build("a").checked(checks()...).r, Options{})); !strings.Contains(out, "Nothing was found") {
		t.Errorf("an image without findings:\n%s", out)
	}
}

func TestNumbersInCells(t *testing.T) {
	if got := epssText(0.00001) + epssText(-1) + epssText(0.5) + scoreText(-1) + scoreText(9.85); got != "<0.1%-50.0%-9.8" {
		t.Error(got)
	}
	if c := severityCell("odd\x1b"); c.text != `odd\x1b` {
		t.Errorf("%+v", c)
	}
	if c := stateCell(breakwater.StateNotApplicable); c.text != "nothing to look at" {
		t.Errorf("%+v", c)
	}
}
