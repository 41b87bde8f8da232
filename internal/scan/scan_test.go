package scan_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/scan"
)

const debian12 = `PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
NAME="Debian GNU/Linux"
VERSION_ID="12"
VERSION="12 (bookworm)"
VERSION_CODENAME=bookworm
ID=debian
`

// deb is one stanza of a dpkg database.
func deb(name, version, source string) string {
	s := fmt.Sprintf("Package: %s\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: %s\n", name, version)
	if source != "" {
		s += "Source: " + source + "\n"
	}
	return s + "Maintainer: Someone <someone@example.com>\nDescription: a package\n with a long text\n .\n and a second paragraph\n\n"
}

func newScanner(t testing.TB, c scan.Cache, o scan.Options) *scan.Scanner {
	t.Helper()
	if o.TempDir == "" {
		o.TempDir = t.TempDir()
	}
	s, err := scan.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func scanImage(t *testing.T, r *repository, d breakwater.Digest) breakwater.Inventory {
	t.Helper()
	inv, err := newScanner(t, nil, scan.Options{}).Scan(context.Background(), r, d, breakwater.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// lines renders packages for comparison: what, from which layer, owned by whom.
func lines(inv breakwater.Inventory) []string {
	var out []string
	for _, p := range inv.Packages {
		at := -1
		for i, l := range inv.Layers {
			if l.Digest == p.Layer {
				at = i
				break
			}
		}
		s := fmt.Sprintf("%s %s %s layer%d %s", p.Ecosystem, p.MatchName(), p.MatchVersion(), at, p.Path)
		if p.OwnedBy != "" {
			s += " owned by " + p.OwnedBy
		}
		out = append(out, s)
	}
	return out
}

func TestMerge(t *testing.T) {
	const status = "var/lib/dpkg/status"
	osRelease := entry{name: "etc/os-release", body: debian12}
	bash := deb("bash", "5.2.15-2+b7", "bash (5.2.15-2)")
	wheel := func(name, version string) entry {
		return entry{name: "usr/lib/python3/dist-packages/" + name + ".dist-info/METADATA", body: "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n\n"}
	}
	tests := []struct {
		name   string
		layers []blobLayer
		want   []string
	}{
		{"source name and version", []blobLayer{gz(t, osRelease, entry{name: status, body: deb("bsdutils", "1:2.38.1-5+b1", "util-linux (2.38.1-5)") + bash})},
			[]string{"Debian:12 bash 5.2.15-2 layer0 " + status, "Debian:12 util-linux 2.38.1-5 layer0 " + status}},
		{"a later database replaces the earlier, and what was there keeps its layer", []blobLayer{
			gz(t, osRelease, entry{name: status, body: bash + deb("curl", "7.88.1-10", "")}),
			zst(t, entry{name: status, body: bash + deb("wget", "1.21.3-1", "")})},
			[]string{"Debian:12 bash 5.2.15-2 layer0 " + status, "Debian:12 wget 1.21.3-1 layer1 " + status}},
		{"os-release of another layer, behind a link", []blobLayer{
			plain(t, entry{name: status, body: bash}),
			gz(t, entry{name: "usr/lib/os-release", body: debian12}, entry{name: "etc/os-release", link: "../usr/lib/os-release"})},
			[]string{"Debian:12 bash 5.2.15-2 layer0 " + status}},
		{"an absolute link to os-release", []blobLayer{
			gz(t, entry{name: "etc/os-release", link: "/usr/lib/os-release"}, entry{name: "usr/lib/os-release", body: debian12}, entry{name: status, body: bash})},
			[]string{"Debian:12 bash 5.2.15-2 layer0 " + status}},
		{"whiteout of a file", []blobLayer{gz(t, wheel("flask", "1.0"), wheel("jinja2", "2.0")), gz(t, entry{name: "usr/lib/python3/dist-packages/flask.dist-info/.wh.METADATA"})},
			[]string{"PyPI jinja2 2.0 layer0 usr/lib/python3/dist-packages/jinja2.dist-info/METADATA"}},
		{"whiteout of a directory above", []blobLayer{gz(t, wheel("flask", "1.0")), gz(t, entry{name: "usr/lib/.wh.python3"})}, nil},
		{"opaque directory keeps its own layer's files", []blobLayer{
			gz(t, wheel("flask", "1.0"), wheel("jinja2", "2.0")),
			gz(t, wheel("flask", "1.1"), entry{name: "usr/lib/python3/.wh..wh..opq"})},
			[]string{"PyPI flask 1.1 layer1 usr/lib/python3/dist-packages/flask.dist-info/METADATA"}},
		{"a whiteout speaks of lower layers only", []blobLayer{gz(t, entry{name: "app/.wh.Cargo.lock"}, entry{name: "app/Cargo.lock", body: cargoLock})},
			[]string{"crates.io time 0.1.43 layer0 app/Cargo.lock"}},
		{"a directory replaced by a file hides what was in it", []blobLayer{gz(t, wheel("flask", "1.0")), gz(t, entry{name: "usr/lib/python3", body: "x"})}, nil},
		{"a file replaced by something of no interest", []blobLayer{gz(t, entry{name: "app/Cargo.lock", body: cargoLock}), gz(t, entry{name: "app/Cargo.lock", link: "elsewhere"})}, nil},
		{"the last of two entries of one layer counts", []blobLayer{gz(t, entry{name: "app/Cargo.lock", body: cargoLock}, entry{name: "./app//Cargo.lock", body: "version = 3\n"})}, nil},
		{"a database in a linked directory is the same database", []blobLayer{
			gz(t, osRelease, entry{name: "var/lib", link: "/data/lib"}, entry{name: "data/lib/dpkg/status", body: ""}, entry{name: status, body: bash}),
			gz(t, entry{name: "data/lib/dpkg/.wh.status"})},
			nil},
		{"files of an OS package are owned", []blobLayer{gz(t, osRelease,
			entry{name: status, body: deb("python3-flask", "2.2.2-3", "flask")},
			entry{name: "var/lib/dpkg/info/python3-flask.list", body: "/.\n/usr\n/usr/lib/python3/dist-packages/Flask.dist-info/METADATA\n"},
			wheel("Flask", "2.2.2"))},
			[]string{"Debian:12 flask 2.2.2-3 layer0 " + status,
				"PyPI flask 2.2.2 layer0 usr/lib/python3/dist-packages/Flask.dist-info/METADATA owned by python3-flask"}},
		{"a program of an OS package is that package", []blobLayer{gz(t, osRelease,
			entry{name: status, body: deb("nodejs", "20.19.2-1", "")},
			entry{name: "bin", link: "usr/bin"},
			entry{name: "var/lib/dpkg/info/nodejs.list", body: "/.\n/bin\n/bin/node\n"},
			entry{name: "usr/bin/node", body: node("20.19.2")}, entry{name: "usr/local/bin/node", body: node("22.1.0")})},
			[]string{"Bitnami node 22.1.0 layer0 usr/local/bin/node", "Debian:12 nodejs 20.19.2-1 layer0 " + status}},
		{"a program of its makers' own package is judged as theirs", []blobLayer{gz(t, osRelease,
			entry{name: status, body: deb("nodejs", "22.1.0-1nodesource1", "")},
			entry{name: "var/lib/dpkg/info/nodejs.list", body: "/usr/bin/node\n"},
			entry{name: "usr/bin/node", body: node("22.1.0")})},
			[]string{"Bitnami node 22.1.0 layer0 usr/bin/node", "Debian:12 nodejs 22.1.0-1nodesource1 layer0 " + status}},
		{"a list without its package owns nothing", []blobLayer{gz(t,
			entry{name: "var/lib/dpkg/info/python3-flask.list", body: "/usr/lib/python3/dist-packages/Flask.dist-info/METADATA\n"}, wheel("Flask", "2.2.2"))},
			[]string{"PyPI flask 2.2.2 layer0 usr/lib/python3/dist-packages/Flask.dist-info/METADATA"}},
		{"distroless", []blobLayer{gz(t, entry{name: "usr/lib/os-release", body: debian12},
			entry{name: "var/lib/dpkg/status.d/libssl3", body: "Package: libssl3\nVersion: 3.0.11-1~deb12u2\nArchitecture: amd64\nSource: openssl\nDescription: x\n"},
			entry{name: "var/lib/dpkg/status.d/libssl3.md5sums", body: "d41d8cd98f00b204e9800998ecf8427e  usr/lib/x/libssl.so.3\n"})},
			[]string{"Debian:12 openssl 3.0.11-1~deb12u2 layer0 var/lib/dpkg/status.d/libssl3"}},
		{"a second name of a file", []blobLayer{gz(t, entry{name: "a/yarn.lock", body: yarnLock}, entry{name: "b/yarn.lock", hard: "a/yarn.lock"})},
			[]string{"npm lodash 4.17.4 layer0 a/yarn.lock", "npm lodash 4.17.4 layer0 b/yarn.lock"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRepository()
			inv := scanImage(t, r, r.image(t, tt.layers...))
			if diff := cmp.Diff(tt.want, lines(inv)); diff != "" {
				t.Errorf("packages (-want +got):\n%s", diff)
			}
		})
	}
}

// node is a program that says what Node.js of the version says.
func node(version string) string {
	return "\x7fELF\x02\x01\x01\x00\x00node.js/v" + version + "\x00" + strings.Repeat("\x00", 5000)
}

const cargoLock = "version = 3\n\n[[package]]\nname = \"time\"\nversion = \"0.1.43\"\nsource = \"registry+https://example.com/index\"\n"

const yarnLock = "# yarn lockfile v1\n\n\nlodash@^4.17.0:\n  version \"4.17.4\"\n  resolved \"https://registry.example.com/lodash-4.17.4.tgz#x\"\n"

func TestSharedLayersAreReadOnce(t *testing.T) {
	r := newRepository()
	base := gz(t, entry{name: "etc/os-release", body: debian12}, entry{name: "var/lib/dpkg/status", body: deb("bash", "5", "")})
	app := gz(t, entry{name: "app/yarn.lock", body: yarnLock})
	first, second := r.image(t, base, app, app), r.image(t, base)
	s := newScanner(t, newMemory(), scan.Options{})
	inv, err := s.Scan(context.Background(), r, first, breakwater.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	if want := int64(len(base.body) + len(app.body)); inv.Bytes != want {
		t.Errorf("read %d bytes, want %d: a layer that occurs twice is one", inv.Bytes, want)
	}
	opened := r.layers.Load()
	inv, err = s.Scan(context.Background(), r, second, breakwater.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	if n := r.layers.Load() - opened; n != 1 || inv.Bytes != 0 {
		t.Errorf("the second image opened %d blobs and read %d bytes; want its config alone", n, inv.Bytes)
	}
	if diff := cmp.Diff([]string{"Debian:12 bash 5 layer0 var/lib/dpkg/status"}, lines(inv)); diff != "" {
		t.Error(diff)
	}
}

func TestSameImageSameBytes(t *testing.T) {
	r := newRepository()
	var layers []blobLayer
	for i := range 20 {
		layers = append(layers, gz(t, entry{name: fmt.Sprintf("app%d/yarn.lock", i), body: yarnLock},
			entry{name: "var/lib/dpkg/status", body: strings.Repeat(deb(fmt.Sprint("p", i%7), "1", "src"), 3) + deb(fmt.Sprint("q", i), "2", "")}))
	}
	digest := r.image(t, layers...)
	var want []byte
	for _, parallel := range []int{1, 2, 8, 20} {
		inv, err := newScanner(t, nil, scan.Options{Parallel: parallel}).Scan(context.Background(), r, digest, breakwater.ScopeAll)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(inv)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		} else if string(got) != string(want) {
			t.Errorf("%d layers at a time give another inventory", parallel)
		}
	}
}

func code(err error) breakwater.ScanCode {
	var e *breakwater.Error
	if errors.As(err, &e) {
		return breakwater.ScanCode(e.Code)
	}
	return ""
}

// TestArch: each package of pacman has files of its own. They are listed, own what
// they installed, and are said not to be judged.
func TestArch(t *testing.T) {
	const local = "var/lib/pacman/local/"
	r := newRepository()
	inv := scanImage(t, r, r.image(t,
		gz(t, entry{name: "etc/os-release", body: "ID=arch\nPRETTY_NAME=\"Arch Linux\"\nVERSION_ID=20240101.0\n"},
			entry{name: local + "ALPM_DB_VERSION", body: "9\n"},
			entry{name: local + "bash-5.2.026-1/desc", body: "%NAME%\nbash\n\n%VERSION%\n5.2.026-1\n\n%ARCH%\nx86_64\n"},
			entry{name: local + "python-six-1.16.0-8/desc", body: "%NAME%\npython-six\n\n%VERSION%\n1.16.0-8\n\n%BASE%\nsix\n\n%ARCH%\nany\n"},
			entry{name: local + "python-six-1.16.0-8/files", body: "%FILES%\nusr/\nusr/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA\n"},
			entry{name: "usr/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA", body: "Metadata-Version: 2.1\nName: six\nVersion: 1.16.0\n"}),
		gz(t, entry{name: local + ".wh.bash-5.2.026-1"}, entry{name: local + "bash-5.2.026-2/desc", body: "%NAME%\nbash\n\n%VERSION%\n5.2.026-2\n\n%ARCH%\nx86_64\n"})))
	want := []string{
		" bash 5.2.026-2 layer1 " + local + "bash-5.2.026-2/desc",
		" six 1.16.0-8 layer0 " + local + "python-six-1.16.0-8/desc",
		"PyPI six 1.16.0 layer0 usr/lib/python3.11/site-packages/six-1.16.0.dist-info/METADATA owned by python-six",
	}
	if diff := cmp.Diff(want, lines(inv)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(inv.Packages) > 0 && inv.Packages[0].PURL != "pkg:alpm/arch/bash@5.2.026-2?arch=x86_64&distro=arch-20240101.0" {
		t.Errorf("purl %s", inv.Packages[0].PURL)
	}
	if c := inv.Coverage[0]; c.State != breakwater.StateDone || !strings.Contains(c.Reason, "Arch Linux") {
		t.Errorf("%+v", c)
	}
}
