package hss_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"breakwater/internal/hss"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

type commandAnswer struct {
	Command string `json:"image_command"`
	URL     string `json:"images_download_url"`
	Pull    string `json:"swr_image_pull_command"`
}

// upload asks for the command as a form would.
func (w *world) upload(addr, namespace, username, password string) commandAnswer {
	w.t.Helper()
	q := url.Values{"registry_addr": {addr}, "namespace": {namespace}, "username": {username}, "password": {password}}
	return list[commandAnswer](w, "olga", "/image/registries/image-upload-command?"+q.Encode())
}

// fetch downloads a link, with extra headers in pairs.
func (w *world) fetch(link string, header ...string) (int, []byte, http.Header) {
	w.t.Helper()
	req, err := http.NewRequest("GET", link, nil)
	w.must(err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	w.must(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	w.must(err)
	return resp.StatusCode, b, resp.Header
}

func TestComponentImage(t *testing.T) {
	w := newWorld(t)
	a := w.upload("harbor.example.com", "tools", "ci", "pw")
	status, body, header := w.fetch(a.URL)
	if status != 200 || header.Get("Content-Type") != "application/zip" || len(a.URL) > 256 {
		t.Fatalf("%d %s %s", status, header.Get("Content-Type"), a.URL)
	}
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	w.must(err)
	if len(z.File) != 1 {
		t.Fatalf("the zip has %d files", len(z.File))
	}
	f, err := z.File[0].Open()
	w.must(err)
	archive, err := io.ReadAll(f) // checks the CRC at the end
	w.must(err)

	image, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }, nil)
	w.must(err)
	w.must(validate.Image(image))
	config, err := image.ConfigFile()
	w.must(err)
	if config.OS != "linux" || config.Architecture != runtime.GOARCH || len(config.Config.Entrypoint) != 1 ||
		config.Config.Entrypoint[0] != "/breakwater" || config.Config.Labels["org.opencontainers.image.version"] != "v1.2.3" {
		t.Errorf("config: %+v", config)
	}
	layers, err := image.Layers()
	w.must(err)
	if len(layers) != 1 {
		t.Fatalf("%d layers", len(layers))
	}
	content, err := layers[0].Uncompressed()
	w.must(err)
	var entries []string
	for r := tar.NewReader(content); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		w.must(err)
		b, err := io.ReadAll(r)
		w.must(err)
		if h.Name == "breakwater" && !bytes.HasSuffix(b, []byte("the program")) {
			t.Error("the layer holds another program")
		}
		entries = append(entries, fmt.Sprintf("%s %o", h.Name, h.Mode))
	}
	if diff := cmp.Diff([]string{"tmp/ 1777", "breakwater 755"}, entries); diff != "" {
		t.Error(diff)
	}

	o := w.options() // the same program at another place makes the same bytes
	o.Now = func() time.Time { return noon.Add(time.Minute) }
	again, err := hss.New(w.db, w.catalog, w.keys, o)
	w.must(err)
	w.server = again
	if _, pulled, _ := w.fetch(w.upload("harbor.example.com", "tools", "ci", "pw").URL); !bytes.Equal(body, pulled) {
		t.Error("the download is not deterministic")
	}
}

func TestComponentRanges(t *testing.T) {
	w := newWorld(t)
	link := w.upload("harbor.example.com", "tools", "ci", "pw").URL
	_, whole, header := w.fetch(link)
	etag := header.Get("ETag")
	if status, _, _ := w.fetch(link, "If-None-Match", etag); status != 304 || etag == "" {
		t.Errorf("a known ETag %s: %d", etag, status)
	}
	for _, r := range [][2]int{{0, 0}, {29, 31}, {500, 520}, {510, 1700}, {len(whole) - 1, len(whole) - 1}, {0, len(whole) - 1}} {
		status, part, _ := w.fetch(link, "Range", fmt.Sprintf("bytes=%d-%d", r[0], r[1]), "If-Range", etag)
		if status != 206 || !bytes.Equal(part, whole[r[0]:r[1]+1]) {
			t.Errorf("range %v: %d, %d bytes", r, status, len(part))
		}
	}
	if status, _, _ := w.fetch(link, "Range", fmt.Sprintf("bytes=%d-", len(whole))); status != 416 {
		t.Errorf("a range behind the end: %d", status)
	}
}

func TestComponentLinks(t *testing.T) {
	w := newWorld(t)
	link := w.upload("harbor.example.com", "tools", "ci", "pw").URL
	u, err := url.Parse(link)
	w.must(err)
	token := u.Query().Get("token")
	end, signature, _ := strings.Cut(token, ".")
	for target, want := range map[string]int{
		u.Path + "?token=" + token:                    200,
		u.Path:                                        401,
		u.Path + "?token=":                            401,
		u.Path + "?token=zzzzzzz." + signature:        401,
		u.Path + "?token=" + end + ".":                401,
		u.Path[:len(u.Path)-3] + "tar?token=" + token: 401, // signed for the zip alone
		"/component/?token=" + token:                  404,
		"/component/../etc/passwd?token=" + token:     404,
		"/component/breakwater.zip?token=" + token:    404,
	} {
		if a := w.callRaw("", "GET", target, ""); a.Status != want {
			t.Errorf("%s: %d", target, a.Status)
		}
	}
	if a := w.callRaw("", "POST", u.Path+"?token="+token, ""); a.Status != 405 {
		t.Errorf("POST: %d", a.Status)
	}
	w.now = w.now.Add(61 * time.Minute)
	if a := w.callRaw("", "GET", u.Path+"?token="+token, ""); a.Status != 401 || !strings.Contains(a.Msg, "expired") {
		t.Errorf("an old link: %d %s", a.Status, a.Msg)
	}
}

func TestComponentNeedsAProgram(t *testing.T) {
	w := newWorld(t)
	text := filepath.Join(t.TempDir(), "text")
	w.must(os.WriteFile(text, []byte("#!/bin/sh\n"), 0o600))
	for _, name := range []string{text, filepath.Join(t.TempDir(), "absent")} {
		o := w.options()
		o.Executable = name
		s, err := hss.New(w.db, w.catalog, w.keys, o)
		w.must(err)
		w.server = s
		a := w.call("olga", "GET", "/image/registries/image-upload-command?registry_addr=a.example&namespace=b&username=c&password=d", "")
		if a.Status != http.StatusServiceUnavailable || strings.Contains(a.Body, name) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
}

// TestComponentOfADynamicProgram makes the image of this machine's shell, takes
// the layer apart, and starts the shell with nothing but the layer's libraries.
func TestComponentOfADynamicProgram(t *testing.T) {
	const shell = "/bin/sh"
	parsed, err := elf.Open(shell)
	if err != nil || !slices.ContainsFunc(parsed.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Log("this machine's shell is no dynamic program; nothing to check here")
		return
	}
	w := newWorld(t)
	o := w.options()
	o.Executable = shell
	w.server, err = hss.New(w.db, w.catalog, w.keys, o)
	w.must(err)
	status, archive, _ := w.fetch(strings.Split(w.upload("a.example", "b", "c", "d").Pull, "'")[1])
	if status != 200 {
		t.Fatalf("%d %s", status, archive)
	}
	image, err := tarball.Image(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive)), nil }, nil)
	w.must(err)
	w.must(validate.Image(image))
	root, loader, dirs := t.TempDir(), "", map[string]bool{}
	content := mutate.Extract(image)
	defer content.Close()
	for r := tar.NewReader(content); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		w.must(err)
		path := filepath.Join(root, h.Name)
		if h.Typeflag == tar.TypeDir {
			continue
		}
		w.must(os.MkdirAll(filepath.Dir(path), 0o700))
		b, err := io.ReadAll(r)
		w.must(err)
		w.must(os.WriteFile(path, b, 0o700))
		dirs[filepath.Dir(path)] = true
		if base := filepath.Base(path); strings.HasPrefix(base, "ld-") || strings.HasPrefix(base, "ld64") {
			loader = path
		}
	}
	path := strings.Join(slices.Collect(maps.Keys(dirs)), ":")
	out, err := exec.Command(loader, "--library-path", path, filepath.Join(root, "breakwater"), "-c", "echo it runs").CombinedOutput()
	if err != nil || string(out) != "it runs\n" {
		t.Errorf("%v: %s", err, out)
	}
}

// TestUploadCommand runs the command in a shell where docker is a script that
// writes down what it was given: whatever the values hold, each arrives as one
// argument, the password on standard input only.
func TestUploadCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Log("a POSIX shell is needed; nothing to check here")
		return
	}
	w := newWorld(t)
	values := []string{
		"plain", `it's`, `'; touch pwned; '`, `"$HOME"`, "`touch pwned`", "$(touch pwned)", `a b  c`, `\`, `\'`, `!!`, `%s%n`, `-p`, `~`, `*`, `é"ü`, `''`, `#x`, `a&b|c;d>e<f`,
	}
	for _, value := range values {
		a := w.upload("harbor.example.com:8443", "tools/scan", value, value)
		if len([]rune(a.Command)) > 1024 || strings.ContainsAny(a.Command, "\n\r") {
			t.Errorf("%q: %d characters", value, len(a.Command))
		}
		target := "harbor.example.com:8443/tools/scan/breakwater-component:v1.2.3"
		want := []string{
			"load", "", "tag breakwater-component:v1.2.3 " + target, "",
			"login --username=" + value + " --password-stdin harbor.example.com:8443", value, "push " + target, "",
		}
		if diff := cmp.Diff(want, runCommand(t, a.Command, false)); diff != "" {
			t.Errorf("%q: %s\n%s", value, a.Command, diff)
		}
	}
	if strings.Contains(w.log.String(), "pwned") {
		t.Error("a password is in the log")
	}
}

// TestUploadCommandDownloads runs the whole line against the real server.
func TestUploadCommandDownloads(t *testing.T) {
	for _, tool := range []string{"curl", "unzip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Logf("%s is not here; the commands are not run", tool)
			return
		}
	}
	w := newWorld(t)
	a := w.upload("localhost:5000", "tools", "ci", "pw")
	got := runCommand(t, a.Command, true)
	pulled := runCommand(t, a.Pull, true)
	if len(got) != 8 || !strings.Contains(got[1], "the program") || !strings.Contains(got[1], "manifest.json") {
		t.Fatalf("%d pieces; docker load got %d bytes", len(got), len(got[1]))
	}
	if len(pulled) != 2 || pulled[1] != got[1] {
		t.Error("the pull command loads another image")
	}
}

// runCommand runs a command line in an empty directory. It answers, for each
// call of docker, its arguments joined by a space and its standard input. With
// real false, curl and unzip do nothing.
func runCommand(t *testing.T, command string, real bool) []string {
	t.Helper()
	dir, bin := t.TempDir(), t.TempDir()
	record := filepath.Join(t.TempDir(), "calls")
	script := "#!/bin/sh\nif [ \"$1\" = load ] || [ \"$1\" = login ]; then cat > " + record + ".in; else : > " + record + ".in; fi\n" +
		"{ printf '%s' \"$*\"; printf '<end>'; cat " + record + ".in; printf '<end>'; } >> " + record + "\n"
	tools := map[string]string{"docker": script}
	if !real {
		tools["curl"], tools["unzip"] = "#!/bin/sh\n", "#!/bin/sh\n"
	}
	for name, text := range tools {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	sh := exec.Command("sh", "-c", command)
	sh.Dir = dir
	sh.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
	if out, err := sh.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
		t.Errorf("the value broke out of %s", command)
	}
	b, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "<end>"), "<end>")
}

func TestUploadCommandRefuses(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("'", 128)
	for _, c := range []struct{ addr, namespace, username, password, words string }{
		{"https://harbor.example.com", "a", "b", "c", "registry_addr"},
		{"u@harbor.example.com", "a", "b", "c", "registry_addr"},
		{"harbor.example.com'; reboot", "a", "b", "c", "registry_addr"},
		{"harbor.example.com", "A", "b", "c", "namespace"},
		{"harbor.example.com", "../x", "b", "c", "namespace"},
		{"harbor.example.com", "a", "b\nc", "c", "username"},
		{"harbor.example.com", "a", "b", "s3cret\n", "password"},
		{"harbor.example.com", "a", "b", "s3cret\x1b[0m", "password"},
		{"harbor.example.com", "a", long, long, "longer than 1024"},
		{"", "a", "b", "c", "registry_addr"},
		{"a.example", "a", "b", "", "password"},
	} {
		q := url.Values{"registry_addr": {c.addr}, "namespace": {c.namespace}, "username": {c.username}, "password": {c.password}}
		w.refused("HSS.0001", c.words, "olga", "GET", "/image/registries/image-upload-command?"+q.Encode(), "")
	}
	if strings.Contains(w.log.String(), "s3cret") {
		t.Error("a password is in the log")
	}
}

func TestUploadTargets(t *testing.T) {
	w := newWorld(t)
	for addr, want := range map[string]string{
		"hub.docker.com":                 "hub.docker.com/test/breakwater-component:v1.2.3",
		"harbor":                         "harbor:443/test/breakwater-component:v1.2.3",
		"localhost":                      "localhost/test/breakwater-component:v1.2.3",
		"10.0.0.1:5000":                  "10.0.0.1:5000/test/breakwater-component:v1.2.3",
		"jfrog.example.com/artifactory/": "jfrog.example.com/test/breakwater-component:v1.2.3",
		"git.example.com/group":          "git.example.com/group/test/breakwater-component:v1.2.3",
	} {
		if a := w.upload(addr, "test", "xxx", "xxxxxx"); !strings.Contains(a.Command, "I='"+want+"';") {
			t.Errorf("%s: %s", addr, a.Command)
		}
	}
}
