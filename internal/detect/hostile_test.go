package detect_test

import (
	"strings"
	"testing"

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
