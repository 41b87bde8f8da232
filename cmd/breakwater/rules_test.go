package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPasswordList: a list as it comes from other tools is taken, and one that
// cannot be meant is refused with its name and what is wrong.
func TestPasswordList(t *testing.T) {
	for name, tt := range map[string]struct{ list, err string }{
		"as john has it": {"\ufeff#!comment: ours\r\n\r\n#harbour\r\nshop2026\r\n", ""},
		"too long":       {"shop2026\n" + strings.Repeat("x", 200) + "\n", "passwords.txt: line 2 is longer than 128 bytes"},
		"UTF-16":         {"\xff\xfea\x00\n\x00", "passwords.txt: the list is UTF-16: save it as UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "passwords.txt"), []byte(tt.list), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := newScanner(nil, dir, "", t.TempDir())
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || err.Error() != tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}
