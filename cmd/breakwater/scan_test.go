package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"breakwater/internal/oci"
)

const lodashRecord = `{"schema_version":"1.6.0","id":"GHSA-35jh-r3h4-6jhm","modified":"2024-01-01T00:00:00Z","published":"2021-05-06T16:05:51Z",
"aliases":["CVE-2021-23337"],"summary":"Command injection","severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H"}],
"affected":[{"package":{"ecosystem":"npm","name":"lodash"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.21"}]}]}]}`

// workshop is what scans of these tests work with.
type workshop struct {
	dir, feeds, cache, temp string
}

func newWorkshop(t *testing.T) workshop {
	t.Helper()
	dir := t.TempDir()
	w := workshop{dir, filepath.Join(dir, "feeds"), filepath.Join(dir, "cache"), filepath.Join(dir, "temp")}
	for _, d := range []string{w.feeds, w.temp} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("GHSA-35jh-r3h4-6jhm.json")
	if err == nil {
		_, err = io.WriteString(f, lodashRecord)
	}
	if err := errors.Join(err, z.Close(), os.WriteFile(filepath.Join(w.feeds, "npm.zip"), b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return w
}

// image saves an image with an old lodash, as "docker save" names it.
func (w workshop) image(t *testing.T, file string, names ...string) string {
	t.Helper()
	img, err := demoImage(time.Unix(1_700_000_000, 0).UTC(), demoStep{By: "COPY shop /srv", Files: []demoFile{{Name: "srv/package-lock.json", Mode: 0o644,
		Body: `{"name":"shop","lockfileVersion":3,"packages":{"node_modules/lodash":{"version":"4.17.15"}}}`}}})
	if err != nil {
		t.Fatal(err)
	}
	refs := map[name.Reference]v1.Image{}
	for _, n := range names {
		ref, err := name.ParseReference(n)
		if err != nil {
			t.Fatal(err)
		}
		refs[ref] = img
	}
	path := filepath.Join(w.dir, file)
	if err := tarball.MultiRefWriteToFile(path, refs); err != nil {
		t.Fatal(err)
	}
	return path
}

// command is the product with these arguments.
func (w workshop) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asCommand+"=1", "TMPDIR="+w.temp)
	return cmd
}

// scan runs the command scan.
func (w workshop) scan(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := w.command(t, append([]string{"scan", "--cache", w.cache, "--feed-dir", w.feeds}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// TestScanEnds: exit codes, and what goes to which stream.
func TestScanEnds(t *testing.T) {
	w := newWorkshop(t)
	shop := w.image(t, "shop.tar", "team/shop:1.4")
	report := filepath.Join(w.dir, "report.json")
	write := func(name, text string) string {
		path := filepath.Join(w.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	accepted := write("accepted.yaml", "- id: CVE-2021-23337\n  reason: no template from outside\n- id: BW-BUILD-060\n  reason: a test\n- id: BW-IMG-001\n  reason: a test\n")
	expired := write("expired.yaml", "- id: CVE-2021-23337\n  reason: no template from outside\n  expires: 2020-01-31\n")
	bad := write("bad.yaml", "- id: CVE-2021-23337\n  reason: x\n- id: CVE-2021-1\n  expire: 2020-01-01\n")
	broken := write("broken.yaml", "- id: CVE-2021-23337\n\treason: x\n")
	tests := []struct {
		name   string
		args   []string
		code   int
		stdout string // a part of it; empty: nothing may be written
		stderr string // a part of it; empty: nothing may be written
	}{
		{"as the argument", []string{shop}, 0, "GHSA-35jh-r3h4-6jhm", ""},
		{"by --input", []string{"--input", shop}, 0, "team/shop:1.4", ""},
		{"one of an archive", []string{shop, "team/shop:1.4"}, 0, "team/shop:1.4", ""},
		{"as skopeo names it", []string{"docker-archive:" + shop + ":team/shop:1.4"}, 0, "team/shop:1.4", ""},
		{"another image", []string{shop, "team/shop:2"}, 1, "", "it holds team/shop:1.4"},
		{"its platform", []string{shop, "--platform", "linux/" + runtime.GOARCH}, 0, "GHSA-35jh-r3h4-6jhm", ""},
		{"another platform", []string{shop, "--platform", "linux/s390x"}, 1, "", "not for linux/s390x"},
		{"no platform", []string{shop, "--platform", "linux/"}, 1, "", "--platform: a platform is"},
		{"fail on high", []string{shop, "--fail-on", "high"}, 2, "GHSA-35jh-r3h4-6jhm", "findings of level high or worse"},
		{"fail on critical", []string{shop, "--fail-on", "critical"}, 0, "GHSA-35jh-r3h4-6jhm", ""},
		{"fail on high, exempted", []string{shop, "--fail-on", "high", "--exemptions", accepted}, 0, "Exempted", ""},
		{"an expired exemption", []string{shop, "--fail-on", "high", "--exemptions", expired}, 2, "GHSA-35jh-r3h4-6jhm", "the exemption of CVE-2021-23337 has expired"},
		{"an exemption with a wrong key", []string{shop, "--exemptions", bad}, 1, "", "bad.yaml: line 4: unknown key"},
		{"exemptions that are no YAML", []string{shop, "--exemptions", broken}, 1, "", "broken.yaml: the file is no YAML: yaml: line 2"},
		{"no such exemptions, before the image is read", []string{"./nothing.tar", "--exemptions", shop + ".yaml"}, 1, "", "--exemptions: open"},
		{"no such archive", []string{"./nothing.tar"}, 1, "", "./nothing.tar: the archive is not there"},
		{"no image", nil, 1, "", "an IMAGE or --input is needed"},
		{"two images", []string{"debian", "alpine"}, 1, "", "one image at a time"},
		{"no format", []string{shop, "--format", "xml"}, 1, "", "--format: one of table"},
		{"no level", []string{shop, "--fail-on", "bad"}, 1, "", "--fail-on"},
		{"a report in a file", []string{shop, "--format", "json", "--output", report}, 0, "", ""},
		{"an output that cannot be", []string{shop, "--output", filepath.Join(w.dir, "absent", "x")}, 1, "", "--output: "},
		{"an output that is a directory", []string{shop, "--output", w.dir}, 1, "", "is a directory"},
		{"too little time", []string{shop, "--timeout", "1ns"}, 1, "", "longer than --timeout 1ns"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, code := w.scan(t, tt.args...)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, s := range []struct{ name, got, want string }{{"output", stdout, tt.stdout}, {"errors", stderr, tt.stderr}} {
				if s.want == "" && s.got != "" || !strings.Contains(s.got, s.want) {
					t.Errorf("%s: want %q, got\n%s", s.name, s.want, s.got)
				}
			}
			if strings.Contains(stderr, "panic") || strings.Contains(stdout, "\x1b") {
				t.Errorf("%s%s", stdout, stderr)
			}
		})
	}
	if b, err := os.ReadFile(report); err != nil || !bytes.HasPrefix(b, []byte("{\n")) || !bytes.HasSuffix(b, []byte("}\n")) {
		t.Errorf("the report: %v, %d bytes", err, len(b))
	}
	if left, _ := os.ReadDir(w.temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestScanInterrupted: 130 for Ctrl-C, 143 for the end of a service, and nothing
// is left behind, while the scan waits for its input.
func TestScanInterrupted(t *testing.T) {
	w := newWorkshop(t)
	for signal, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		output := filepath.Join(w.dir, "report")
		cmd := w.command(t, "scan", "--cache", w.cache, "--feed-dir", w.feeds, "--output", output, "-")
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// More than a pipe holds: when it is written, the command reads.
		var half bytes.Buffer
		if err := tar.NewWriter(&half).WriteHeader(&tar.Header{Name: "manifest.json", Size: 1 << 30, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		half.Write(make([]byte, 1<<20))
		if _, err := in.Write(half.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != want || errs.Len() > 0 {
			t.Errorf("%s: exit code %d, want %d: %s", signal, code, want, errs.String())
		}
		if _, err := os.Stat(output); !os.IsNotExist(err) {
			t.Errorf("%s: there is an output: %v", signal, err)
		}
		if left, _ := os.ReadDir(w.temp); len(left) > 0 {
			t.Errorf("%s: left behind: %v", signal, left)
		}
	}
}

// TestScanClosedPipe: a reader that goes away, as head does, is no panic.
func TestScanClosedPipe(t *testing.T) {
	w := newWorkshop(t)
	cmd := w.command(t, "scan", "--cache", w.cache, "--feed-dir", w.feeds, "--format", "json", w.image(t, "shop.tar", "team/shop:1.4"))
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &errs
	if err := cmd.Run(); err == nil {
		t.Error("the command did not see that nobody reads")
	}
	_ = out.Close()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGPIPE || errs.Len() > 0 {
		t.Errorf("%v: %s", cmd.ProcessState, errs.String())
	}
}

// TestWriteFile: what was there stays until the whole new content is.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "report"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, []byte("old"), 0o600), os.Symlink("report", link)); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is full")
	err := writeFile(file, func(w io.Writer) error {
		_, _ = io.WriteString(w, "ha")
		return broken
	})
	if b, _ := os.ReadFile(file); !errors.Is(err, broken) || string(b) != "old" {
		t.Errorf("after an error: %q, %v", b, err)
	}
	if err := writeFile(link, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is none any more: %v, %v", info, err)
	}
	if info, err = os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode: %v, %v", info, err)
	}
	if b, _ := os.ReadFile(file); string(b) != "new" {
		t.Errorf("written: %q", b)
	}
	if err := writeFile(os.DevNull, func(w io.Writer) error { _, err := io.WriteString(w, "x"); return err }); err != nil {
		t.Errorf("a device: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left behind: %v", left)
	}
}

// TestWriteFileMounted: a file that is mounted, as into a container, cannot be
// renamed over.
func TestWriteFileMounted(t *testing.T) {
	dir := t.TempDir()
	file, other := filepath.Join(dir, "report"), filepath.Join(t.TempDir(), "outside")
	if err := errors.Join(os.WriteFile(file, []byte("old, and longer"), 0o600), os.WriteFile(other, []byte("old, and longer"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := exec.CommandContext(t.Context(), "mount", "--bind", other, file).Run(); err != nil {
		t.Skip("needs a mount:", err)
	}
	t.Cleanup(func() { _ = exec.Command("umount", file).Run() })
	if err := writeFile(file, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(other); string(b) != "new" {
		t.Errorf("written: %q", b)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// TestArchiveNames: what a report calls an image of an archive.
func TestArchiveNames(t *testing.T) {
	root := oci.Root{Names: []string{"docker.io/team/shop:1.4"}, Descriptor: oci.Descriptor{Digest: "sha256:ab"}}
	tag := oci.Root{Names: []string{"1.4"}, Descriptor: oci.Descriptor{Digest: "sha256:ab"}}
	for _, tt := range []struct {
		at   target
		root oci.Root
		want string
	}{
		{target{path: "d/shop.tar"}, root, "docker.io/team/shop:1.4"},
		{target{"d/shop.tar", "team/shop:1.4"}, root, "team/shop:1.4"},
		{target{"d/shop.tar", "1.4"}, root, "shop.tar:1.4"},
		{target{"d/shop.tar", "sha256:ab"}, root, "docker.io/team/shop:1.4"},
		{target{path: "d/shop.tar"}, tag, "shop.tar:1.4"},
		{target{path: "d/shop.tar"}, oci.Root{}, "d/shop.tar"},
		{target{path: "-"}, tag, "stdin:1.4"},
		{target{path: "-"}, oci.Root{}, "stdin"},
	} {
		if got, file := tt.at.name(tt.root); got != tt.want || file == strings.Contains(got, "team/") {
			t.Errorf("%+v: %s, want %s", tt.at, got, tt.want)
		}
	}
}
