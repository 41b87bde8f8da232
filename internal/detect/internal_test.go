package detect

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"fmt"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestVersionNamesTheList: facts of an older list must not be taken for facts
// of this one. When this fails, put the printed fingerprint into Version.
func TestVersionNamesTheList(t *testing.T) {
	h := sha256.New()
	for _, f := range formats() {
		fmt.Fprintf(h, "%s %d %v %v\n", f.name, f.limit, f.spill, f.os)
	}
	if want := fmt.Sprintf("%x", h.Sum(nil)[:4]); !strings.HasSuffix(Version, "-"+want) {
		t.Errorf("Version is %s, its list has the fingerprint %s", Version, want)
	}
}

// TestPanicIsAReason: a reader that crashes costs its file, not the scan.
func TestPanicIsAReason(t *testing.T) {
	d, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	d.formats = []format{{name: "planted", match: func(string) bool { return true }, read: func(context.Context, *Detector, input) (Facts, error) {
		panic("out of range")
	}}}
	f, ok, err := d.Detect(context.Background(), File{Path: "x", Size: 1}, bytes.NewReader([]byte("x")))
	if err != nil || !ok || !strings.Contains(f.Skipped, "crashed") {
		t.Errorf("%+v, %v, %v", f, ok, err)
	}
}

func TestGoModules(t *testing.T) {
	info := &buildinfo.BuildInfo{
		GoVersion: "go1.22.1 X:boringcrypto",
		Main:      debug.Module{Path: "example.com/app", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "golang.org/x/text", Version: "v0.3.0"},
			{Path: "example.com/old", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/new", Version: "v1.2.0"}},
			{Path: "example.com/local", Version: "v2.0.0", Replace: &debug.Module{Path: "../local"}},
			{Path: "example.com/fork", Version: "v3.0.0", Replace: &debug.Module{Path: "./fork", Version: "(devel)"}}, // as the linker writes it
		},
	}
	var got []string
	for _, p := range goModules(info, "bin/app") {
		got = append(got, p.Ecosystem+" "+p.Name+" "+p.Version)
	}
	want := []string{"Go stdlib 1.22.1", " example.com/app (devel)", "Go golang.org/x/text 0.3.0", "Go example.com/new 1.2.0", "Go example.com/local 2.0.0", "Go example.com/fork 3.0.0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLinkedVersion: the version that the linker was told stands for the (devel)
// of the module list, when it is the program's own and no two disagree.
func TestLinkedVersion(t *testing.T) {
	for flags, want := range map[string]string{
		"-s -w -X main.version=v3.2.1":                                  "3.2.1",
		"-X=main.Version=1.2.3-rc.1 -s":                                 "1.2.3-rc.1",
		"-X 'example.com/app/internal/version.gitVersion=v1.4.0' -w":    "1.4.0",
		`"-X=main.version=1.0.0" -X main.commit=abc`:                    "1.0.0",
		"-X main.version=v1.0.0 -X example.com/app/v.AppVersion=v1.0.0": "1.0.0",
		"-X main.version=v1.0.0 -X example.com/app/v.AppVersion=v2.0.0": "(devel)",
		"-X main.version=1.0.0 -X main.gitVersion=v1.0.0":               "1.0.0",
		"-X example.com/other.version=v9.0.0":                           "(devel)",
		"-X main.goVersion=1.22.1 -X main.version=dev":                  "(devel)",
		"main.version=v1.0.0":                                           "(devel)",
		"-X main.version=" + strings.Repeat("1", 70_000) + ".0":         "(devel)",
	} {
		info := &buildinfo.BuildInfo{GoVersion: "go1.22.1", Main: debug.Module{Path: "example.com/app", Version: "(devel)"},
			Settings: []debug.BuildSetting{{Key: "-ldflags", Value: flags}}}
		got := goModules(info, "bin/app")
		if len(got) != 2 || got[1].Version != want {
			t.Errorf("%.60s: %+v, want %s", flags, got, want)
		}
	}
}
