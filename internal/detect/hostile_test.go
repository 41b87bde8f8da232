package detect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"breakwater/internal/detect"
)

// TestTextBombs are small in a compressed layer and dear to a careless parser:
// deep nesting overflows a stack, which no recover catches, and endless lists
// fill the memory.
func TestTextBombs(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for _, tt := range []struct{ path, body string }{
		{"a/Cargo.lock", "a = " + strings.Repeat("[", 2<<20)},
		{"a/poetry.lock", strings.Repeat("a.", 1<<20) + "a = 1"},
		{"a/pnpm-lock.yaml", strings.Repeat("[", 2<<20)},
		{"a/pnpm-lock.yaml", strings.Repeat("- ", 1<<20)},
		{"a/package-lock.json", strings.Repeat(`{"packages":`, 1<<18)},
		{"a/composer.lock", strings.Repeat("[", 2<<20)},
		{"a/go.mod", "module x\n" + strings.Repeat("(", 1<<19)},
		{"lib/apk/db/installed", strings.Repeat("P:a\nV:1\n\n", 1<<17)},
		{"var/lib/dpkg/status", strings.Repeat("Package: a\nStatus: install ok installed\nVersion: 1\n\n", 1<<17)},
	} {
		if f := read(t, d, tt.path, []byte(tt.body)); f.Skipped == "" {
			t.Errorf("%s (%.10s…): %d packages and no reason", tt.path, tt.body, len(f.Packages))
		}
	}
}

// manyKeys is text with # replaced by another word each time.
func manyKeys(prefix, text string, n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(prefix + strings.ReplaceAll(text, "#", fmt.Sprintf("k%06d", i)))
	}
	return b.String()
}

// TestManyKeys: a mapping of YAML is read in a time that grows with its keys, not
// with their square, also through an anchor.
func TestManyKeys(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for _, tt := range []struct {
		body string
		want int
	}{
		{"packages:\n" + manyKeys("  ", "#@1: {}\n", 90_000), 90_000}, // took half a minute
		{"x: &x {" + manyKeys("", "#: 1, ", 50_000) + "}\npackages:\n" + manyKeys("  ", "#@1: *x\n", 50_000), 50_000},
		{"packages:\n  a@1.0.0: {}\n  a@1.0.0: x\n", 1}, // a key twice is no reason to lose the file
	} {
		began := time.Now()
		f := read(t, d, "a/pnpm-lock.yaml", []byte(tt.body))
		if took := time.Since(began); took > 10*time.Second || len(f.Packages) != tt.want || f.Skipped != "" {
			t.Errorf("%.30q…: %v, %d packages, %s", tt.body, took, len(f.Packages), f.Skipped)
		}
	}
}
