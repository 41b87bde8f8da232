package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"breakwater"
)

// TestDemoShowsEveryCheck: the demo's shop has something to find for each check,
// whatever machine it is made on, and shows it by name.
func TestDemoShowsEveryCheck(t *testing.T) {
	w := newWorkshop(t)
	save := func(file string, steps ...demoStep) string {
		img, err := demoImage(time.Unix(1_700_000_000, 0).UTC(), steps...)
		if err != nil {
			t.Fatal(err)
		}
		ref, err := name.ParseReference("demo/" + file + ":1")
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(w.dir, file)
		if err := tarball.MultiRefWriteToFile(path, map[name.Reference]v1.Image{ref: img}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	system := []demoStep{{By: "COPY rootfs / # buildkit", Files: []demoFile{{Name: "etc/os-release", Mode: 0o644, Body: "ID=debian\nVERSION_ID=12\n"},
		{Name: "var/lib/dpkg/status", Mode: 0o644, Body: "Package: dash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 0.5.12-2\nDescription: shell\n"}}}}
	base, shop := save("base", system...), save("shop", shopSteps(system)...)
	if out, err := w.command(t, "base", "add", "demo/base:1", "--data", w.cache, "--input", base).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	stdout, stderr, code := w.scan(t, "--format", "json", shop)
	if code != 0 {
		t.Fatal(code, stderr)
	}
	var report demoReport
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Summary.Checks) != 8 {
		t.Fatalf("%d checks", len(report.Summary.Checks))
	}
	shown := map[breakwater.Check]string{}
	for _, c := range report.Summary.Checks {
		shown[c.Check] = report.example(c.Check)
		if c.State != breakwater.StateDone || shown[c.Check] == "" || report.found(c.Check, c.Counts) == 0 {
			t.Errorf("%s: %s, %q", c.Check, c.State, shown[c.Check])
		}
	}
	for check, want := range map[breakwater.Check]string{
		breakwater.CheckVulnerability: "GHSA-35jh-r3h4-6jhm in lodash 4.17.15", breakwater.CheckBaseImage: "demo/base:1, 1 of 4 layers",
		breakwater.CheckFile: "EICAR anti-virus test file in /srv/shop/fixtures/upload.bin", breakwater.CheckSecret: "GitHub personal access token in /srv/shop/.npmrc",
		breakwater.CheckBaseline: "the password of deploy is weak: built_in_list q***y in /etc/shadow; mode 4755, owner 0, group 0 in /usr/local/bin/shopctl", breakwater.CheckBuildCommand: "Credential in an environment variable", breakwater.CheckCompliance: "django 3.2.4",
		breakwater.CheckSoftware: "4 npm",
	} {
		if !strings.Contains(shown[check], want) {
			t.Errorf("%s: %q does not say %q", check, shown[check], want)
		}
	}
	for _, want := range []string{"usr/local/bin/shopctl", "etc/shadow"} { // a setuid program, a weak password
		if !slices.ContainsFunc(report.Findings, func(f breakwater.Finding) bool {
			return f.Check == breakwater.CheckBaseline && f.Path == want
		}) {
			t.Errorf("nothing was found in %s", want)
		}
	}
	for _, secret := range []string{demoToken(), "Tr0mbone-1973", "qwerty"} {
		if strings.Contains(stdout, secret) {
			t.Errorf("the report shows %q", secret)
		}
	}
}
