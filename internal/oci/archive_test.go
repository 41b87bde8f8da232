package oci_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"breakwater"
	"breakwater/internal/oci"
)

// file is one entry of an archive under test.
type file struct {
	name, body string
	kind       byte // a tar type; zero: a regular file
	link       string
}

func tarOf(t testing.TB, list ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range list {
		h := &tar.Header{Name: f.name, Typeflag: f.kind, Linkname: f.link, Mode: 0o644, Size: int64(len(f.body))}
		if f.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f.body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstded(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

func write(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "archive")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// saved is a Docker archive of one image with these layers.
func saved(layers ...file) []file {
	var diffIDs, names []string
	bodies := map[string]string{}
	for _, l := range layers {
		bodies[l.name] = l.body
	}
	for _, l := range layers {
		body := l.body
		if l.link != "" {
			for name, b := range bodies {
				if strings.HasSuffix(l.link, name) {
					body = b
				}
			}
		}
		diffIDs = append(diffIDs, breakwater.DigestOf([]byte(body)).String())
		names = append(names, l.name)
	}
	config, _ := json.Marshal(map[string]any{"os": "linux", "architecture": "amd64", "rootfs": map[string]any{"type": "layers", "diff_ids": diffIDs}})
	manifest, _ := json.Marshal([]map[string]any{{"Config": "c.json", "RepoTags": []string{"team/app:1.2"}, "Layers": names}})
	return append(layers, file{name: "c.json", body: string(config)}, file{name: "manifest.json", body: string(manifest)})
}

// layout is an OCI layout whose index lists these manifests of a Source.
func layout(src *memory, entries ...string) []file {
	out := []file{{name: "oci-layout", body: `{"imageLayoutVersion":"1.0.0"}`}, {name: "index.json", body: indexJSON(entries...)}}
	for _, d := range slices.Sorted(maps.Keys(src.blobs)) {
		out = append(out, file{name: "blobs/sha256/" + d.Hex(), body: string(src.blobs[d])})
	}
	for _, d := range slices.Sorted(maps.Keys(src.manifests)) {
		_, hex, _ := strings.Cut(d, ":")
		out = append(out, file{name: "blobs/sha256/" + hex, body: string(src.manifests[d].Body)})
	}
	return out
}

func named(entry, key, name string) string {
	return strings.TrimSuffix(entry, "}") + fmt.Sprintf(`,"annotations":{%q:%q}}`, key, name)
}

// full is an image whose layer is there, too.
func full(src *memory, arch, layer string) (oci.Manifest, string) {
	config := fmt.Appendf(nil, `{"architecture":%q,"os":"linux"}`, arch)
	src.blobs[breakwater.DigestOf(config)] = config
	src.blobs[breakwater.DigestOf([]byte(layer))] = []byte(layer)
	m := src.put(manifestJSON(
		fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, configType, breakwater.DigestOf(config), len(config)),
		fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, layerType, breakwater.DigestOf([]byte(layer)), len(layer))))
	return m, entry(m, "linux", arch, "")
}

// contents picks an image and reads all of it.
func contents(ctx context.Context, a *oci.Archive, name string, want breakwater.Platform) (arch string, layers []string, err error) {
	m, _, err := a.Pick(ctx, name, want)
	if err != nil {
		return "", nil, err
	}
	doc, err := oci.Parse(m)
	if err != nil {
		return "", nil, err
	}
	if err := doc.CheckImage(); err != nil {
		return "", nil, err
	}
	config, err := oci.ReadConfig(ctx, a, doc)
	if err != nil {
		return "", nil, err
	}
	for _, l := range doc.Layers {
		rc, err := a.Blob(ctx, l.Digest, l.Size)
		if err != nil {
			return "", nil, err
		}
		b, err := io.ReadAll(rc)
		_ = rc.Close()
		if err != nil {
			return "", nil, err
		}
		layers = append(layers, string(b))
	}
	return config.Platform.Architecture, layers, nil
}

func TestOpenArchive(t *testing.T) {
	ctx := t.Context()
	one := file{name: "aaa/layer.tar", body: "layer one"}
	two := file{name: "bbb/layer.tar", body: "layer two"}
	packed := string(gzipped(t, []byte("layer three")))
	src := newMemory()
	_, amd := full(src, "amd64", "for amd64")
	_, arm := full(src, "arm64", "for arm64")
	index := src.put(indexJSON(amd, arm))
	both := fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, oci.TypeIndex, index.Digest, len(index.Body))
	partly := newMemory()
	_, there := full(partly, "s390x", "for s390x")
	absent := strings.ReplaceAll(amd, "amd64", "riscv64")
	half := partly.put(indexJSON(there, absent))
	halfEntry := fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, oci.TypeIndex, half.Digest, len(half.Body))
	tests := []struct {
		name   string
		files  []file
		image  string
		want   breakwater.Platform
		arch   string
		layers []string
	}{
		{name: "docker save", files: saved(one, two), arch: "amd64", layers: []string{"layer one", "layer two"}},
		{name: "by name", files: saved(one), image: "team/app:1.2", arch: "amd64", layers: []string{"layer one"}},
		{name: "by tag", files: saved(one), image: "1.2", arch: "amd64", layers: []string{"layer one"}},
		{name: "by its long name", files: saved(one), image: "docker.io/team/app:1.2", arch: "amd64", layers: []string{"layer one"}},
		{name: "a compressed layer", files: saved(file{name: "x.tar.gz", body: packed}), arch: "amd64", layers: []string{packed}},
		{name: "a symbolic link", files: saved(one, file{name: "bbb/layer.tar", kind: tar.TypeSymlink, link: "../aaa/layer.tar"}), arch: "amd64", layers: []string{"layer one", "layer one"}},
		{name: "a hard link", files: saved(one, file{name: "bbb/layer.tar", kind: tar.TypeLink, link: "aaa/layer.tar"}), arch: "amd64", layers: []string{"layer one", "layer one"}},
		{name: "dots before names", files: func() []file {
			list := saved(one)
			for i := range list {
				list[i].name = "./" + list[i].name
			}
			return list
		}(), arch: "amd64", layers: []string{"layer one"}},
		{name: "layout", files: layout(src, arm), arch: "arm64", layers: []string{"for arm64"}},
		{name: "layout, by OCI name", files: layout(src, named(arm, "org.opencontainers.image.ref.name", "v2"), amd), image: "v2", arch: "arm64", layers: []string{"for arm64"}},
		{name: "layout, by containerd's name", files: layout(src, named(arm, "io.containerd.image.name", "docker.io/library/app:1"), amd), image: "app:1", arch: "arm64", layers: []string{"for arm64"}},
		{name: "layout and Docker's manifest", files: append(layout(src, arm), saved(one)...), arch: "arm64", layers: []string{"for arm64"}},
		{name: "index, this machine's platform", files: layout(src, both), arch: runtime.GOARCH, layers: []string{"for " + runtime.GOARCH}},
		{name: "index, a chosen platform", files: layout(src, both), want: breakwater.Platform{OS: "linux", Architecture: "arm64"}, arch: "arm64", layers: []string{"for arm64"}},
		{name: "platforms as roots", files: layout(src, amd, arm), want: breakwater.Platform{OS: "linux", Architecture: "arm64"}, arch: "arm64", layers: []string{"for arm64"}},
		{name: "index with one of its images", files: layout(partly, halfEntry), arch: "s390x", layers: []string{"for s390x"}},
	}
	for _, tt := range tests {
		plain := tarOf(t, tt.files...)
		for how, open := range map[string]func() (*oci.Archive, error){
			"file": func() (*oci.Archive, error) { return oci.OpenArchive(ctx, write(t, plain), oci.ArchiveOptions{}) },
			"gzip": func() (*oci.Archive, error) {
				return oci.OpenArchive(ctx, write(t, gzipped(t, plain)), oci.ArchiveOptions{TempDir: t.TempDir()})
			},
			"zstd": func() (*oci.Archive, error) {
				return oci.OpenArchive(ctx, write(t, zstded(t, plain)), oci.ArchiveOptions{TempDir: t.TempDir()})
			},
			"stdin": func() (*oci.Archive, error) {
				return oci.OpenArchive(ctx, "-", oci.ArchiveOptions{Stdin: bytes.NewReader(plain), TempDir: t.TempDir()})
			},
			"dir": func() (*oci.Archive, error) { return oci.OpenArchive(ctx, unpacked(t, tt.files), oci.ArchiveOptions{}) },
		} {
			t.Run(tt.name+"/"+how, func(t *testing.T) {
				a, err := open()
				if err != nil {
					t.Fatal(err)
				}
				arch, layers, err := contents(ctx, a, tt.image, tt.want)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tt.layers, layers); d != "" || arch != tt.arch {
					t.Errorf("%s: %s", arch, d)
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func unpacked(t *testing.T, list []file) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range list {
		path := filepath.Join(dir, f.name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		var err error
		switch f.kind {
		case tar.TypeSymlink:
			err = os.Symlink(f.link, path)
		case tar.TypeLink:
			err = os.Link(filepath.Join(dir, f.link), path)
		default:
			err = os.WriteFile(path, []byte(f.body), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestHostileArchives: each is refused, when it is opened or when it is read.
func TestHostileArchives(t *testing.T) {
	ctx := t.Context()
	one := file{name: "aaa/layer.tar", body: "layer one"}
	src := newMemory()
	m, amd := full(src, "amd64", "for amd64")
	whole := tarOf(t, saved(file{name: "big", body: strings.Repeat("x", 1<<20)})...)
	change := func(list []file, name string, f func(*file)) []file {
		for i := range list {
			if list[i].name == name {
				f(&list[i])
			}
		}
		return list
	}
	tests := []struct {
		name  string
		bytes []byte
		files []file
		image string
		kind  breakwater.Kind
		say   string
	}{
		{name: "nothing", bytes: []byte{}, kind: breakwater.KindInvalid, say: "empty"},
		{name: "no tar", bytes: bytes.Repeat([]byte("hello"), 1000), kind: breakwater.KindInvalid, say: "not a tar"},
		{name: "some tar", files: []file{{name: "src/main.c", body: "x"}}, kind: breakwater.KindInvalid, say: "neither"},
		{name: "legacy", files: []file{one, {name: "repositories", body: "{}"}}, kind: breakwater.KindInvalid, say: "save the image again"},
		{name: "truncated", bytes: whole[:len(whole)/2], kind: breakwater.KindInvalid, say: "ends too early"},
		{name: "truncated gzip", bytes: gzipped(t, whole)[:500], kind: breakwater.KindInvalid, say: "compression"},
		{name: "truncated zstd", bytes: zstded(t, whole)[:100], kind: breakwater.KindInvalid, say: "compression"},
		{name: "bomb", bytes: gzipped(t, make([]byte, 80<<20)), kind: breakwater.KindTooLarge, say: "decompressed"},
		{name: "path that leaves", files: append(saved(one), file{name: "../evil", body: "x"}), kind: breakwater.KindInvalid, say: "leaves"},
		{name: "absolute path", files: append(saved(one), file{name: "/etc/passwd", body: "x"}), kind: breakwater.KindInvalid, say: "leaves"},
		{name: "link that leaves", files: saved(one, file{name: "b/l", kind: tar.TypeSymlink, link: "../../aaa/layer.tar"}), kind: breakwater.KindInvalid, say: "leaves"},
		{name: "absolute link", files: append(saved(one), file{name: "b", kind: tar.TypeSymlink, link: "/etc/passwd"}), kind: breakwater.KindInvalid, say: "leaves"},
		{name: "ring of links", files: append([]file{{name: "manifest.json", kind: tar.TypeSymlink, link: "b"}, {name: "b", kind: tar.TypeSymlink, link: "manifest.json"}}, one), kind: breakwater.KindInvalid, say: "chain"},
		{name: "device", files: append(saved(), file{name: "index.json", kind: tar.TypeChar}), kind: breakwater.KindInvalid, say: "plain"},
		{name: "manifest twice", files: append(saved(one), saved(one)[2]), kind: breakwater.KindInvalid, say: "twice"},
		{name: "layer twice", files: append(saved(one), one), kind: breakwater.KindInvalid, say: "twice"},
		{name: "no config", files: []file{one, saved(one)[2]}, kind: breakwater.KindInvalid, say: "config"},
		{name: "no layer", files: saved(one)[1:], kind: breakwater.KindInvalid, say: "layer"},
		{name: "layers and diff_ids differ", files: change(saved(one), "c.json", func(f *file) { f.body = `{"os":"linux","architecture":"amd64"}` }), kind: breakwater.KindInvalid, say: "number of layers"},
		{name: "manifest of no image", files: []file{{name: "manifest.json", body: "[]"}}, kind: breakwater.KindInvalid, say: "no image"},
		{name: "manifest no JSON", files: []file{{name: "manifest.json", body: "["}}, kind: breakwater.KindInvalid, say: "JSON"},
		{name: "huge manifest", files: []file{{name: "manifest.json", body: strings.Repeat(" ", oci.MaxManifest+1)}}, kind: breakwater.KindTooLarge, say: "larger"},
		{name: "config outside", files: change(saved(one), "manifest.json", func(f *file) { f.body = `[{"Config":"../../etc/passwd","Layers":[]}]` }), kind: breakwater.KindInvalid, say: "leaves"},
		{name: "other bytes in a layer", files: change(saved(one), "aaa/layer.tar", func(f *file) { f.body = "layer 0ne" }), kind: breakwater.KindUnavailable, say: "digest"},
		{name: "too many layers", files: saved(slices.Repeat([]file{{name: "l", kind: tar.TypeReg}}, 128)...), kind: breakwater.KindTooLarge, say: "layers"},
		{name: "layout of the future", files: change(layout(src, amd), "oci-layout", func(f *file) { f.body = `{"imageLayoutVersion":"2.0.0"}` }), kind: breakwater.KindInvalid, say: "version"},
		{name: "index that is a manifest", files: change(layout(src, amd), "index.json", func(f *file) { f.body = string(m.Body) }), kind: breakwater.KindInvalid, say: "not an index"},
		{name: "blob with other bytes", files: change(layout(src, amd), "blobs/sha256/"+breakwater.DigestOf([]byte("for amd64")).Hex(), func(f *file) { f.body = "for amd46" }), kind: breakwater.KindUnavailable, say: "digest"},
		{name: "manifest with other bytes", files: change(layout(src, amd), "blobs/sha256/"+m.Digest.Hex(), func(f *file) { f.body += " " }), kind: breakwater.KindUnavailable, say: "digest"},
		{name: "blob of another size", files: change(layout(src, amd), "blobs/sha256/"+breakwater.DigestOf([]byte("for amd64")).Hex(), func(f *file) { f.body += "x" }), kind: breakwater.KindUnavailable, say: "size"},
		{name: "several images", files: layout(src, amd, strings.ReplaceAll(amd, m.Digest.String(), someDigest)), kind: breakwater.KindInvalid, say: "choose one"},
		{name: "no such image", files: saved(one), image: "other:1", kind: breakwater.KindNotFound, say: "team/app:1.2"},
		{name: "a name to trip over", files: saved(one), image: "host:5000/very/long/name/app:1.2", kind: breakwater.KindNotFound, say: "team/app:1.2"},
	}
	for _, tt := range tests {
		if tt.bytes == nil {
			tt.bytes = tarOf(t, tt.files...)
		}
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%t", tt.name, stream), func(t *testing.T) {
				temp := t.TempDir()
				name, opts := write(t, tt.bytes), oci.ArchiveOptions{TempDir: temp, Stdin: bytes.NewReader(tt.bytes)}
				if stream {
					name = "-"
				}
				a, err := oci.OpenArchive(ctx, name, opts)
				if err == nil {
					_, _, err = contents(ctx, a, tt.image, breakwater.Platform{})
					if cerr := a.Close(); cerr != nil {
						t.Error(cerr)
					}
				}
				var e *breakwater.Error
				if !errors.As(err, &e) || e.Kind != tt.kind || !strings.Contains(e.Message, tt.say) {
					t.Errorf("got %v; want %s, %q", err, tt.kind, tt.say)
				}
				if left, _ := os.ReadDir(temp); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			})
		}
	}
}

func TestHostileLayoutDirectory(t *testing.T) {
	src := newMemory()
	m, amd := full(src, "amd64", "for amd64")
	dir := unpacked(t, layout(src, amd))
	secret := write(t, m.Body)
	blob := filepath.Join(dir, "blobs/sha256", m.Digest.Hex())
	if err := os.Remove(blob); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(secret, blob); err != nil {
		t.Fatal(err)
	}
	a, err := oci.OpenLayout(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	if _, _, err := contents(t.Context(), a, "", breakwater.Platform{}); breakwater.KindOf(err) != breakwater.KindUnavailable {
		t.Errorf("a link out of the directory: %v", err)
	}
	if _, err := oci.OpenLayout(t.Context(), filepath.Join(dir, "absent")); breakwater.KindOf(err) != breakwater.KindNotFound {
		t.Error(err)
	}
}

func TestArchiveLimits(t *testing.T) {
	var many bytes.Buffer
	w := tar.NewWriter(&many)
	for i := range 100_001 {
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprint(i), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := oci.OpenArchive(t.Context(), write(t, many.Bytes()), oci.ArchiveOptions{}); breakwater.KindOf(err) != breakwater.KindTooLarge {
		t.Errorf("too many entries: %v", err)
	}
	plain := tarOf(t, saved(file{name: "l", body: strings.Repeat("x", 1<<20)})...)
	opts := oci.ArchiveOptions{Stdin: bytes.NewReader(plain), TempDir: t.TempDir(), Limit: 1 << 19}
	if _, err := oci.OpenArchive(t.Context(), "-", opts); breakwater.KindOf(err) != breakwater.KindTooLarge {
		t.Errorf("a long stream: %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := oci.OpenArchive(over, write(t, plain), oci.ArchiveOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// FuzzArchive: whatever the bytes, nothing panics, and what is read to its end
// has the digest that it was asked by.
func FuzzArchive(f *testing.F) {
	one := file{name: "aaa/layer.tar", body: "layer one"}
	src := newMemory()
	_, amd := full(src, "amd64", "for amd64")
	for _, list := range [][]file{
		saved(one), layout(src, amd), saved(one, file{name: "b", kind: tar.TypeSymlink, link: "aaa/layer.tar"}),
		saved(file{name: "x.gz", body: string(gzipped(f, []byte("x")))}),
	} {
		f.Add(tarOf(f, list...))
	}
	f.Add(gzipped(f, tarOf(f, saved(one)...)))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := oci.OpenArchive(t.Context(), "-", oci.ArchiveOptions{Stdin: bytes.NewReader(b), TempDir: dir, Limit: 8 << 20})
		if err != nil {
			var e *breakwater.Error
			if !errors.As(err, &e) {
				t.Fatalf("an error of another type: %v", err)
			}
			return
		}
		defer func() { _ = a.Close() }()
		for _, r := range a.Roots() {
			m, _, err := a.Pick(t.Context(), r.Digest.String(), breakwater.Platform{})
			if err != nil {
				continue
			}
			doc, err := oci.Parse(m)
			if err != nil {
				continue
			}
			for _, l := range append(doc.Layers, doc.Config) {
				rc, err := a.Blob(t.Context(), l.Digest, l.Size)
				if err != nil {
					continue
				}
				h := l.Digest.Hash()
				if n, err := io.Copy(h, rc); err == nil && (n != l.Size || breakwater.DigestOfHash(l.Digest.Algorithm(), h) != l.Digest) {
					t.Fatalf("%s: other bytes", l.Digest)
				}
				_ = rc.Close()
			}
		}
	})
}
