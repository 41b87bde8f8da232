package main

import (
	"io"
	"os"
	"testing"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/malware"
)

// TestOwnProgramIsNoMalware: the program holds every rule that it knows malware
// by, and the words of other rules beside them.
func TestOwnProgramIsNoMalware(t *testing.T) {
	d, err := malware.New(detect.Kind, malware.Options{})
	if err != nil {
		t.Fatal(err)
	}
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := d.Stream("usr/bin/breakwater", breakwater.FileELF, -1)
	if n, err := io.Copy(s, f); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	for _, hit := range s.Close() {
		t.Errorf("%s %s", hit.Rule, hit.Title)
	}
}
