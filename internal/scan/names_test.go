package scan_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/malware"
)

const leak = "token = \"" + fileToken + "\"\n"

// TestNames: what is in a file is told of each name that leads to it, and is
// deleted when none does any more. What a layer writes again as it was, is there.
func TestNames(t *testing.T) {
	const a, b, c = "srv/a.py", "srv/b.py", "srv/c.py"
	live := func(p string, layer int) string { return fmt.Sprintf(" %s:1 github-pat %d", p, layer) }
	gone := func(p string, layer, by int) string { return fmt.Sprintf(" %s:1 github-pat %d-%d", p, layer, by) }
	file, clean := func(p string) entry { return entry{name: p, body: leak} }, func(p string) entry { return entry{name: p, body: "token = input()\n"} }
	link := func(p, to string) entry { return entry{name: p, hard: to} }
	wh := func(p string) entry { return entry{name: path.Dir(p) + "/.wh." + path.Base(p)} }
	two := gz(t, file(a), link(b, a))
	tests := []struct {
		name   string
		layers []blobLayer
		want   []string
	}{
		{"two names", []blobLayer{two}, []string{live(a, 0), live(b, 0)}},
		{"a name of a name", []blobLayer{gz(t, file(a), link(b, a), link(c, b))}, []string{live(a, 0), live(b, 0), live(c, 0)}},
		{"the first name is deleted", []blobLayer{two, gz(t, wh(a))}, []string{live(b, 0)}},
		{"the second name is deleted", []blobLayer{two, gz(t, wh(b))}, []string{live(a, 0)}},
		{"the first name is written anew", []blobLayer{two, gz(t, clean(a))}, []string{live(b, 0)}},
		{"both are deleted, one by one", []blobLayer{two, gz(t, wh(a)), gz(t, wh(b))}, []string{gone(a, 0, 1), gone(b, 0, 2)}},
		{"both with their directory", []blobLayer{two, gz(t, entry{name: ".wh.srv"})}, []string{gone(a, 0, 1), gone(b, 0, 1)}},
		{"the first name gets other content in the same layer", []blobLayer{gz(t, file(a), link(b, a), clean(a))}, []string{live(b, 0)}},
		{"and then another name", []blobLayer{gz(t, file(a), clean(a), link(b, a))}, nil},
		{"a name that is written over", []blobLayer{gz(t, clean(c), file(a), link(c, a))}, []string{live(a, 0), live(c, 0)}},
		{"a name that becomes another file's", []blobLayer{gz(t, file(a), clean(c), link(b, a), link(b, c))}, []string{live(a, 0)}},
		{"a copy is no name", []blobLayer{gz(t, file(a), file(b)), gz(t, wh(a))}, []string{gone(a, 0, 1), live(b, 0)}},
		{"a name of a file below", []blobLayer{gz(t, file(a)), gz(t, link(b, a))}, []string{live(a, 0), live(b, 0)}},
		{"that is deleted", []blobLayer{gz(t, file(a)), gz(t, link(b, a), wh(a))}, []string{live(b, 0)}},
		{"and its new name, too", []blobLayer{gz(t, file(a)), gz(t, link(b, a)), gz(t, wh(a), wh(b))}, []string{gone(a, 0, 2), gone(b, 0, 2)}},
		{"a name of a name of a file below", []blobLayer{gz(t, file(a)), gz(t, link(b, a), link(c, b), wh(a))}, []string{live(b, 0), live(c, 0)}},
		{"a name of what the layer replaces afterwards", []blobLayer{gz(t, file(a)), gz(t, link(b, a), clean(a))}, []string{live(b, 0)}},
		{"a name of nothing", []blobLayer{gz(t, file(a)), gz(t, link(b, "srv/none"))}, []string{live(a, 0)}},

		{"the same layer twice", []blobLayer{two, two}, []string{live(a, 0), live(b, 0)}},
		{"and then deleted", []blobLayer{two, two, gz(t, wh(a))}, []string{live(b, 0)}},
		{"and then deleted whole", []blobLayer{two, two, gz(t, entry{name: ".wh.srv"})}, []string{gone(a, 0, 2), gone(b, 0, 2)}},
		{"written again as it was", []blobLayer{gz(t, file(a)), gz(t, file(a))}, []string{live(a, 0)}},
		{"away and back", []blobLayer{gz(t, file(a)), gz(t, wh(a)), gz(t, file(a))}, []string{live(a, 0)}},
		{"away, back and away", []blobLayer{gz(t, file(a)), gz(t, clean(a)), gz(t, file(a)), gz(t, wh(a))}, []string{gone(a, 0, 3)}},
		{"written again with another line", []blobLayer{gz(t, file(a)), gz(t, entry{name: a, body: "# mine\n" + leak})}, []string{gone(a, 0, 1), " " + a + ":2 github-pat 1"}},
		{"through another directory's name", []blobLayer{gz(t, entry{name: "data/a.py", body: leak}, entry{name: "srv", link: "data"}), gz(t, entry{name: "srv/a.py", body: leak})}, []string{" srv/a.py:1 github-pat 0"}},
	}
	s := newScanner(t, newMemory(), allChecks(t, malware.Options{}))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRepository()
			digest := r.image(t, tt.layers...)
			for _, from := range []string{"bytes", "the cache"} {
				inv := mustScan(t, s, r, digest, breakwater.ScopeAll)
				if diff := cmp.Diff(tt.want, secretLines(inv)); diff != "" {
					t.Errorf("from %s (-want +got):\n%s", from, diff)
				}
			}
			// The sums of files are not part of the check for secrets.
			inv := mustScan(t, newScanner(t, nil, allChecks(t, malware.Options{})), r, digest, breakwater.ScopeSensitive)
			if diff := cmp.Diff(tt.want, secretLines(inv)); diff != "" {
				t.Errorf("secrets alone (-want +got):\n%s", diff)
			}
		})
	}
}

// TestNamesOfOtherFacts: malicious files, configuration, permissions and what was
// not looked at.
func TestNamesOfOtherFacts(t *testing.T) {
	mode := tar.Header{Name: "opt/a.com", Mode: 0o4755, Uname: eicar}
	sshd := tar.Header{Name: "etc/ssh/sshd_config", Mode: 0o644, Uname: "PermitRootLogin yes\n"}
	shadow := tar.Header{Name: "etc/shadow", Mode: 0o640, Uname: "ops:" + weakHash + ":19000:0:99999:7:::\n"}
	link := func(p, to string) tar.Header {
		return tar.Header{Name: p, Linkname: to, Typeflag: tar.TypeLink, Mode: 0o755}
	}
	broken := tar.Header{Name: "opt/broken.zip", Mode: 0o644, Uname: zipFile(t, "a.txt", strings.Repeat("text", 99))[:80]}
	first := headers(t, mode, sshd, shadow, broken,
		link("opt/b.com", "opt/a.com"), link("opt/again.zip", "opt/broken.zip"),
		link("etc/ssh/sshd_config.d/a.conf", "etc/ssh/sshd_config"), link("etc/login.defs", "etc/ssh/sshd_config"), link("etc/nginx/nginx.conf", "opt/a.com"),
		link("etc/shadow-", "etc/shadow"), link("usr/local/etc/shadow", "etc/shadow"))
	check := func(inv breakwater.Inventory, want map[string]string) {
		t.Helper()
		got := map[string]string{}
		for _, m := range inv.Malware {
			got["malware "+m.Path] = at(inv, m.Layer, m.Deleted)
		}
		for _, c := range inv.Configs {
			got["config "+c.Path] = c.Kind
			for _, w := range c.Weak {
				got["weak "+w.Path] = w.User + at(inv, w.Layer, "")
			}
		}
		for _, n := range inv.Notable {
			got["notable "+n.Path] = fmt.Sprintf("%04o", n.Mode)
		}
		for _, check := range []breakwater.Check{breakwater.CheckBaseline, breakwater.CheckFile, breakwater.CheckSecret} {
			for _, s := range coverageOf(inv, check).Skipped {
				got[string(check)+" "+s.Path] = "skipped"
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	r := newRepository()
	s := newScanner(t, newMemory(), allChecks(t, malware.Options{}))
	all := map[string]string{
		"malware opt/a.com": "0", "malware opt/b.com": "0", "malware etc/nginx/nginx.conf": "0",
		"config etc/ssh/sshd_config": "sshd", "config etc/ssh/sshd_config.d/a.conf": "sshd", "config etc/shadow": "shadow", "weak etc/shadow": "ops0",
		"notable opt/a.com": "4755", "notable opt/b.com": "4755", "notable etc/nginx/nginx.conf": "4755",
		"file opt/broken.zip": "skipped", "file opt/again.zip": "skipped",
		"baseline etc/login.defs": "skipped", "baseline etc/shadow-": "skipped", "baseline etc/nginx/nginx.conf": "skipped",
	}
	check(mustScan(t, s, r, r.image(t, first), breakwater.ScopeAll), all)
	for _, p := range []string{"notable opt/a.com", "config etc/ssh/sshd_config", "malware opt/a.com", "file opt/broken.zip"} {
		delete(all, p)
	}
	check(mustScan(t, s, r, r.image(t, first, gz(t, entry{name: "opt/.wh.a.com"}, entry{name: "opt/.wh.broken.zip"}, entry{name: "etc/ssh/.wh.sshd_config"})), breakwater.ScopeAll), all)
}

// TestNamesOfPackages: a second name is read when the first was, and only then.
func TestNamesOfPackages(t *testing.T) {
	link := func(p, to string) entry { return entry{name: p, hard: to} }
	lock := entry{name: "a/yarn.lock", body: yarnLock}
	for name, tt := range map[string]struct {
		layers []blobLayer
		want   []string
		skips  int
	}{
		"both are read":                 {[]blobLayer{gz(t, lock, link("b/yarn.lock", "a/yarn.lock"))}, []string{"npm lodash 4.17.4 layer0 a/yarn.lock", "npm lodash 4.17.4 layer0 b/yarn.lock"}, 0},
		"a name that nobody reads":      {[]blobLayer{gz(t, lock, link("b/lock", "a/yarn.lock"))}, []string{"npm lodash 4.17.4 layer0 a/yarn.lock"}, 0},
		"of what was not read":          {[]blobLayer{gz(t, entry{name: "a/lock", body: leak}, link("b/yarn.lock", "a/lock"))}, nil, 1},
		"of a lower layer":              {[]blobLayer{gz(t, lock), gz(t, link("b/yarn.lock", "a/yarn.lock"), entry{name: "a/.wh.yarn.lock"})}, []string{"npm lodash 4.17.4 layer0 b/yarn.lock"}, 0},
		"of nothing":                    {[]blobLayer{gz(t, link("b/yarn.lock", "a/yarn.lock"))}, nil, 1},
		"of a lower layer's other file": {[]blobLayer{gz(t, entry{name: "a/lock", body: leak}), gz(t, link("b/yarn.lock", "a/lock"))}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepository()
			inv := mustScan(t, newScanner(t, nil, allChecks(t, malware.Options{})), r, r.image(t, tt.layers...), breakwater.ScopeAll)
			if diff := cmp.Diff(tt.want, lines(inv)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if c := coverageOf(inv, breakwater.CheckSoftware); len(c.Skipped) != tt.skips {
				t.Errorf("%+v", c)
			}
		})
	}
}

// inode is a file that has names.
type inode struct{ content int }

// TestNamesAsUnpacked holds the secrets that are listed equal to what unpacking
// leaves, over random layers that write, link and delete the same few names.
func TestNamesAsUnpacked(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	s := newScanner(t, nil, allChecks(t, malware.Options{}))
	name := func() string { return fmt.Sprintf("%c/%c.py", 'a'+rng.IntN(2), 'a'+rng.IntN(3)) }
	body := func(content int) string {
		return strings.Repeat("#\n", content) + map[bool]string{true: leak}[content > 0]
	}
	type was struct {
		path string
		file *inode
	}
	deleted := 0
	for round := range 150 {
		r := newRepository()
		now, ever := map[string]*inode{}, []was{}
		var layers []blobLayer
		for range 2 + rng.IntN(4) {
			var list []entry
			written := map[string]bool{}
			links := map[string]*inode{} // of files below, made before anything is deleted
			for range rng.IntN(3) {
				from, to := name(), name()
				if f := now[to]; f != nil && from != to && !written[from] && !written[to] {
					list, links[from], written[from] = append(list, entry{name: from, hard: to}), f, true
				}
			}
			for range rng.IntN(3) {
				if p := name(); rng.IntN(4) == 0 {
					dir := path.Dir(p)
					list = append(list, entry{name: ".wh." + dir})
					maps.DeleteFunc(now, func(k string, _ *inode) bool { return path.Dir(k) == dir })
				} else {
					list = append(list, entry{name: path.Dir(p) + "/.wh." + path.Base(p)})
					delete(now, p)
				}
			}
			maps.Copy(now, links)
			for range rng.IntN(6) {
				p := name()
				if written[p] {
					continue
				}
				written[p] = true
				if to := name(); rng.IntN(2) == 0 && written[to] && now[to] != nil && to != p {
					list, now[p] = append(list, entry{name: p, hard: to}), now[to]
					continue
				}
				f := &inode{rng.IntN(3)}
				list, now[p] = append(list, entry{name: p, body: body(f.content)}), f
			}
			layers = append(layers, plain(t, list...))
			for p, f := range now {
				ever = append(ever, was{p, f})
			}
		}
		want := map[string]bool{}
		for p, f := range now {
			if f.content > 0 {
				want[fmt.Sprint(p, ":", f.content+1, " live")] = true
			}
		}
		last := map[string]*inode{} // of each path and content
		for _, w := range ever {
			last[fmt.Sprint(w.path, ":", w.file.content+1)] = w.file
		}
		for key, f := range last {
			named := slices.Contains(slices.Collect(maps.Values(now)), f)
			if f.content > 0 && !named && !want[key+" live"] {
				want[key+" deleted"] = true
				deleted++
			}
		}
		inv := mustScan(t, s, r, r.image(t, layers...), breakwater.ScopeAll)
		got := map[string]bool{}
		for _, s := range inv.Secrets {
			key := fmt.Sprint(s.Path, ":", s.Line, map[bool]string{true: " live", false: " deleted"}[s.Deleted == ""])
			if got[key] {
				t.Errorf("round %d: %s is listed twice", round, key)
			}
			got[key] = true
		}
		if diff := cmp.Diff(want, got); diff != "" {
			for i, l := range layers {
				t.Logf("layer %d: %s", i, listing(t, l))
			}
			t.Fatalf("round %d (-want +got):\n%s", round, diff)
		}
	}
	if deleted < 50 {
		t.Errorf("%d deleted: nothing is proved", deleted)
	}
}

// TestManyLinks: very many names of one file, of a file with a secret, and of a
// file that is not there cost bounded memory, and what is not followed is said.
func TestManyLinks(t *testing.T) {
	if underRace || testing.Short() {
		t.Skip("millions of entries")
	}
	near := func(i int) string { return fmt.Sprintf("srv/l/%07d", i) }
	far := func(i int) string {
		return fmt.Sprintf("srv/%07d%s/%07d", i*7919%9999991, strings.Repeat("n", 70), i)
	}
	for name, tt := range map[string]struct {
		links int
		to    string
		name  func(i int) string
		code  breakwater.ScanCode
		said  bool
	}{
		"of a clean file":            {600_000, "srv/clean.py", near, "", false},
		"of a secret":                {400_000, "srv/a.py", near, breakwater.CodeLayers, false},
		"of nothing":                 {800_000, "none", near, breakwater.CodeLayers, false},
		"with names that share none": {300_000, "srv/clean.py", far, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			src, digest := generate(t, "application/vnd.oci.image.layer.v1.tar", func(out io.Writer) error {
				buffer := bufio.NewWriterSize(out, 1<<20)
				w := tar.NewWriter(buffer)
				for _, e := range []entry{{name: "srv/a.py", body: leak}, {name: "srv/clean.py", body: "x\n"}} {
					if err := w.WriteHeader(&tar.Header{Name: e.name, Size: int64(len(e.body)), Mode: 0o644}); err != nil {
						return err
					}
					if _, err := w.Write([]byte(e.body)); err != nil {
						return err
					}
				}
				for i := range tt.links {
					if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeLink, Name: tt.name(i), Linkname: tt.to, Mode: 0o644}); err != nil {
						return err
					}
				}
				if err := w.Close(); err != nil {
					return err
				}
				return buffer.Flush()
			})
			inv, err := bounded(t, src, digest, 320)
			if code(err) != tt.code {
				t.Fatalf("code %q, want %q (%v)", code(err), tt.code, err)
			}
			for _, check := range []breakwater.Check{breakwater.CheckFile, breakwater.CheckSecret, breakwater.CheckBaseline, breakwater.CheckSoftware} {
				if c := coverageOf(inv, check); err == nil && (len(c.Skipped) > 0) != tt.said {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

// listing is a plain layer's entries, for people.
func listing(t testing.TB, l blobLayer) (out []string) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(l.body)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s(%d)%s", h.Name, h.Size, h.Linkname))
	}
}
