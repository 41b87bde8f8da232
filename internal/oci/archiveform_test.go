package oci_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	ggcrlayout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"breakwater"
	"breakwater/internal/oci"
)

// inFolder is files below a folder, as "tar cf x.tar layout" packs them.
func inFolder(folder string, list []file) []file {
	out := []file{{name: folder + "/", kind: tar.TypeDir}}
	for _, f := range list {
		f.name = folder + "/" + f.name
		out = append(out, f)
	}
	return out
}

// flat is what "skopeo copy --all … dir:" writes of a layout's files: root is
// the manifest or index that was copied.
func flat(src *memory, root oci.Manifest) []file {
	out := []file{{name: "version", body: "Directory Transport Version: 1.1\n"}, {name: "manifest.json", body: string(root.Body)}}
	for d, b := range src.blobs {
		out = append(out, file{name: d.Hex(), body: string(b)})
	}
	for d, m := range src.manifests {
		_, hex, _ := strings.Cut(d, ":")
		out = append(out, file{name: hex + ".manifest.json", body: string(m.Body)})
	}
	return out
}

// attestation is what BuildKit writes beside an image.
func attestation(src *memory) string {
	config := `{"architecture":"unknown","os":"unknown","rootfs":{"type":"layers","diff_ids":[]}}`
	src.blobs[breakwater.DigestOf([]byte(config))] = []byte(config)
	m := src.put(manifestJSON(
		fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, configType, breakwater.DigestOf([]byte(config)), len(config)),
		desc("application/vnd.in-toto+json", 3)))
	return entry(m, "unknown", "unknown", `,"annotations":{"vnd.docker.reference.type":"attestation-manifest"}`)
}

func indexEntry(m oci.Manifest) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, oci.TypeIndex, m.Digest, len(m.Body))
}

// bare is an index entry without a platform.
func bare(m oci.Manifest) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, oci.TypeManifest, m.Digest, len(m.Body))
}

// TestArchiveForms: forms that tools write, and the image that is meant.
func TestArchiveForms(t *testing.T) {
	linux := func(arch string) breakwater.Platform { return breakwater.Platform{OS: "linux", Architecture: arch} }
	src := newMemory()
	m, amd := full(src, "amd64", "for amd64")
	arm64, arm := full(src, "arm64", "for arm64")
	index := src.put(indexJSON(attestation(src), amd, arm))
	nested := src.put(indexJSON(indexEntry(index)))
	silent := src.put(indexJSON(bare(m), bare(arm64)))
	sbom := src.put(manifestJSON(desc("application/vnd.oci.empty.v1+json", 2), desc("application/spdx+json", 2)))
	signature := src.put(manifestJSON(desc(configType, 2), desc("application/vnd.dev.cosign.simplesigning.v1+json", 2)))
	const ref = "org.opencontainers.image.ref.name"
	one := file{name: "aaa/layer.tar", body: "layer one"}
	absent := strings.ReplaceAll(amd, m.Digest.String(), someDigest)
	tests := []struct {
		name  string
		files []file
		image string
		want  breakwater.Platform
		layer string
	}{
		{name: "layout in a folder", files: inFolder("layout", layout(src, arm)), layer: "for arm64"},
		{name: "docker save in a folder", files: inFolder("x", saved(one)), layer: "layer one"},
		{name: "dir: of an image", files: flat(src, m), layer: "for amd64"},
		{name: "dir: of an index", files: flat(src, index), want: linux("arm64"), layer: "for arm64"},
		{name: "attestation beside the image", files: layout(src, attestation(src), arm), layer: "for arm64"},
		{name: "attestation in the index", files: layout(src, indexEntry(index)), want: linux("amd64"), layer: "for amd64"},
		{name: "index in an index", files: layout(src, indexEntry(nested)), want: linux("amd64"), layer: "for amd64"},
		{name: "index that says no platforms", files: layout(src, indexEntry(silent)), want: linux("arm64"), layer: "for arm64"},
		{name: "SBOM beside the image", files: layout(src, bare(m), bare(sbom)), layer: "for amd64"},
		{name: "signature beside the image", files: layout(src, bare(signature), bare(m)), layer: "for amd64"},
		{name: "platforms as roots of one name", files: layout(src, named(amd, ref, "v1"), named(arm, ref, "v1")), want: linux("arm64"), layer: "for arm64"},
		{name: "platforms as roots, chosen by name", files: layout(src, named(amd, ref, "v1"), named(arm, ref, "v1")), image: "v1", want: linux("arm64"), layer: "for arm64"},
		{name: "two tags of one image", files: layout(src, named(arm, ref, "v1"), named(arm, ref, "latest")), layer: "for arm64"},
		{name: "a plain image of the wanted platform", files: layout(src, bare(arm64)), want: linux("arm64"), layer: "for arm64"},
		{name: "arm64 as v8", files: layout(src, indexEntry(src.put(indexJSON(amd, strings.Replace(arm, `"architecture":"arm64"`, `"architecture":"arm64","variant":"v8"`, 1))))), want: linux("arm64"), layer: "for arm64"},
		{name: "a platform whose image is not there", files: layout(src, indexEntry(src.put(indexJSON(absent, arm)))), layer: "for arm64"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range []string{write(t, tarOf(t, tt.files...)), unpackedTree(t, tt.files)} {
				a, err := oci.OpenArchive(t.Context(), name, oci.ArchiveOptions{})
				if err != nil {
					t.Fatal(err)
				}
				_, layers, err := contents(t.Context(), a, tt.image, tt.want)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff([]string{tt.layer}, layers); d != "" {
					t.Error(d)
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// unpackedTree is unpacked for lists that hold folders too.
func unpackedTree(t *testing.T, list []file) string {
	t.Helper()
	var plain []file
	for _, f := range list {
		if f.kind != tar.TypeDir {
			plain = append(plain, f)
		}
	}
	return unpacked(t, plain)
}

// TestNoArchive: what is no image, or not the one that was asked for, is refused
// in words that tell what to do.
func TestNoArchive(t *testing.T) {
	src := newMemory()
	m, amd := full(src, "amd64", "for amd64")
	_, arm := full(src, "arm64", "for arm64")
	chart := src.put(manifestJSON(desc("application/vnd.cncf.helm.config.v1+json", 2), desc("application/vnd.cncf.helm.chart.content.v1.tar+gzip", 2)))
	both := src.put(indexJSON(amd, arm))
	one := src.put(indexJSON(indexEntry(both)))
	two := src.put(indexJSON(indexEntry(one)))
	gone := newMemory()
	system := []file{{name: "etc/", kind: tar.TypeDir}, {name: "etc/passwd", body: "x"}, {name: "bin/sh", body: "x"},
		{name: "etc/mtab", kind: tar.TypeSymlink, link: "/proc/mounts"}}
	whole := tarOf(t, file{name: "a", body: strings.Repeat("x", 512)}, file{name: "index.json", body: "{}"})
	tests := []struct {
		name     string
		bytes    []byte
		files    []file
		platform string
		kind     breakwater.Kind
		say      string
	}{
		{name: "a file system", files: system, kind: breakwater.KindInvalid, say: "docker import"},
		{name: "cut between two files", bytes: whole[:1024], kind: breakwater.KindInvalid, say: "ends too early"},
		{name: "only zeros", bytes: make([]byte, 10240), kind: breakwater.KindInvalid, say: "nothing in it"},
		{name: "xz", bytes: []byte("\xfd7zXZ\x00\x00\x04 and so on"), kind: breakwater.KindInvalid, say: "xz -dc"},
		{name: "bzip2 that is broken", bytes: []byte("BZh91AY&SY and so on"), kind: breakwater.KindInvalid, say: "compression is broken"},
		{name: "a chart", files: layout(src, bare(chart)), kind: breakwater.KindInvalid, say: "helm"},
		{name: "an attestation alone", files: layout(src, attestation(src)), kind: breakwater.KindInvalid, say: "not a container image"},
		{name: "no image in the layout", files: layout(src), kind: breakwater.KindInvalid, say: "no container image"},
		{name: "indexes too deep", files: layout(src, indexEntry(two)), kind: breakwater.KindTooLarge, say: "levels"},
		{name: "the manifest is missing", files: layout(gone, amd), kind: breakwater.KindNotFound, say: "lacks the manifest sha256:"},
		{name: "another platform", files: layout(src, bare(m)), platform: "linux/arm64", kind: breakwater.KindNotFound, say: "the image is for linux/amd64, not for linux/arm64"},
		{name: "a platform that the index lacks", files: layout(src, indexEntry(both)), platform: "linux/s390x", kind: breakwater.KindNotFound, say: "there are linux/amd64, linux/arm64"},
		{name: "a platform that is named and missing", files: layout(src, indexEntry(src.put(indexJSON(amd, strings.ReplaceAll(strings.ReplaceAll(amd, m.Digest.String(), someDigest), "amd64", "arm64"))))), platform: "linux/arm64", kind: breakwater.KindNotFound, say: "not there"},
		{name: "names that do not choose", files: layout(src, named(amd, "org.opencontainers.image.ref.name", "v1"), named(arm, "org.opencontainers.image.ref.name", "v2")), kind: breakwater.KindInvalid, say: "v1 (linux/amd64), v2 (linux/arm64)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.bytes == nil {
				tt.bytes = tarOf(t, tt.files...)
			}
			var want breakwater.Platform
			if tt.platform != "" {
				var err error
				if want, err = oci.ParsePlatform(tt.platform); err != nil {
					t.Fatal(err)
				}
			}
			a, err := oci.OpenArchive(t.Context(), write(t, tt.bytes), oci.ArchiveOptions{TempDir: t.TempDir()})
			if err == nil {
				_, _, err = a.Pick(t.Context(), "", want)
				if cerr := a.Close(); cerr != nil {
					t.Error(cerr)
				}
			}
			var e *breakwater.Error
			if !errors.As(err, &e) || e.Kind != tt.kind || !strings.Contains(e.Message, tt.say) {
				t.Errorf("got %v; want %s, %q", err, tt.kind, tt.say)
			}
		})
	}
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "etc"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := oci.OpenArchive(t.Context(), dir, oci.ArchiveOptions{}); err == nil || !strings.Contains(err.Error(), "file system") {
		t.Errorf("a directory with a file system: %v", err)
	}
}

// TestSilentPipe: a pipe whose writer says nothing more does not hold up the end.
func TestSilentPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	defer func() { _ = w.Close() }()
	if _, err := w.WriteString("the beginning of something"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	temp := t.TempDir()
	ended := make(chan error, 1)
	go func() {
		_, err := oci.OpenArchive(ctx, "-", oci.ArchiveOptions{Stdin: r, TempDir: temp})
		ended <- err
	}()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestBzip2 reads what the command bzip2 writes.
func TestBzip2(t *testing.T) {
	bzip2, err := exec.LookPath("bzip2")
	if err != nil {
		t.Skip("no bzip2 here")
	}
	cmd := exec.CommandContext(t.Context(), bzip2, "-c")
	cmd.Stdin = bytes.NewReader(tarOf(t, saved(file{name: "l", body: "layer one"})...))
	packed, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	a, err := oci.OpenArchive(t.Context(), write(t, packed), oci.ArchiveOptions{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	if _, layers, err := contents(t.Context(), a, "", breakwater.Platform{}); err != nil || len(layers) != 1 || layers[0] != "layer one" {
		t.Errorf("%q, %v", layers, err)
	}
}

// TestOthersArchives reads what an independent implementation writes.
func TestOthersArchives(t *testing.T) {
	image, err := random.Image(10_000, 3)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "arm64"
	if image, err = mutate.ConfigFile(image, config); err != nil {
		t.Fatal(err)
	}
	want, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag("registry.example/team/app:7")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	saved, layoutDir := filepath.Join(dir, "saved.tar"), filepath.Join(dir, "layout")
	if err := tarball.WriteToFile(saved, tag, image); err != nil {
		t.Fatal(err)
	}
	l, err := ggcrlayout.Write(layoutDir, empty.Index)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.AppendImage(image, ggcrlayout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": tag.String()})); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{saved, layoutDir} {
		a, err := oci.OpenArchive(t.Context(), path, oci.ArchiveOptions{})
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		arch, layers, err := contents(t.Context(), a, "registry.example/team/app:7", breakwater.Platform{})
		if err != nil || arch != "arm64" || len(layers) != len(want) {
			t.Errorf("%s: %s, %d layers, %v", path, arch, len(layers), err)
			continue
		}
		for i := range want {
			d, err := want[i].Digest()
			if err != nil || breakwater.DigestOf([]byte(layers[i])).String() != d.String() {
				t.Errorf("%s: layer %d differs: %v", path, i, err)
			}
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
