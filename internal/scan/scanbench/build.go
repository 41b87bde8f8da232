package scanbench

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// Image is what Build made.
type Image struct {
	Dir    string // an OCI layout
	Layers int
	Files  int
	Bytes  int64 // of the files
	Packed int64 // of the layers
}

// Build makes an OCI layout in dir, of the regular files below from up to bytes
// in all, or of made ones when from is empty. They are dealt out over the layers
// in runs, so that neighbours stay together.
func Build(dir, from string, layers int, size int64) (Image, error) {
	img := Image{Dir: dir, Layers: layers}
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		return img, err
	}
	files := made(size)
	if from != "" {
		var err error
		if files, err = found(from, size); err != nil {
			return img, err
		}
	}
	if len(files) < layers {
		return img, errors.New("there are fewer files than layers")
	}
	var manifest struct {
		SchemaVersion int    `json:"schemaVersion"`
		MediaType     string `json:"mediaType"`
		Config        desc   `json:"config"`
		Layers        []desc `json:"layers"`
	}
	manifest.SchemaVersion, manifest.MediaType = 2, "application/vnd.oci.image.manifest.v1+json"
	var diffs []string
	for part := range slices.Chunk(files, (len(files)+layers-1)/layers) {
		d, diff, err := img.layer(part)
		if err != nil {
			return img, err
		}
		manifest.Layers, diffs = append(manifest.Layers, d), append(diffs, diff)
	}
	img.Layers = len(manifest.Layers)
	config := map[string]any{"architecture": "amd64", "os": "linux", "config": map[string]any{}, "rootfs": map[string]any{"type": "layers", "diff_ids": diffs}}
	var err error
	if manifest.Config, err = img.json(config, "application/vnd.oci.image.config.v1+json"); err != nil {
		return img, err
	}
	m, err := img.json(manifest, manifest.MediaType)
	if err != nil {
		return img, err
	}
	index, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []desc{m}})
	if err != nil {
		return img, err
	}
	if err := os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644); err != nil {
		return img, err
	}
	return img, os.WriteFile(filepath.Join(dir, "index.json"), index, 0o644)
}

// desc is a descriptor (OCI image spec, descriptor.md).
type desc struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`
}

// entry is one file of an image to be.
type entry struct {
	name string
	size int64
	mode fs.FileMode
	open func() (io.ReadCloser, error)
}

// layer packs files; it counts them.
func (img *Image) layer(files []entry) (d desc, diff string, err error) {
	tmp, err := os.CreateTemp(img.Dir, "layer")
	if err != nil {
		return d, "", err
	}
	defer tmp.Close()
	packed, plain := sha256.New(), sha256.New()
	z, err := gzip.NewWriterLevel(io.MultiWriter(tmp, packed), gzip.DefaultCompression)
	if err != nil {
		return d, "", err
	}
	w := tar.NewWriter(io.MultiWriter(z, plain))
	for _, f := range files {
		if err := img.add(w, f); err != nil {
			return d, "", err
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		return d, "", err
	}
	info, err := tmp.Stat()
	if err != nil {
		return d, "", err
	}
	d = desc{"application/vnd.oci.image.layer.v1.tar+gzip", "sha256:" + hex.EncodeToString(packed.Sum(nil)), info.Size()}
	img.Packed += d.Size
	return d, "sha256:" + hex.EncodeToString(plain.Sum(nil)), os.Rename(tmp.Name(), img.blob(d.Digest))
}

func (img *Image) add(w *tar.Writer, f entry) error {
	r, err := f.open()
	if err != nil {
		return nil // not ours to read, or gone meanwhile
	}
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r, f.size))
	if err != nil || int64(len(body)) != f.size {
		return nil
	}
	if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: int64(f.mode.Perm()), Size: f.size, Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	img.Files, img.Bytes = img.Files+1, img.Bytes+f.size
	_, err = w.Write(body)
	return err
}

func (img *Image) json(v any, mediaType string) (desc, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return desc{}, err
	}
	sum := sha256.Sum256(b)
	d := desc{mediaType, "sha256:" + hex.EncodeToString(sum[:]), int64(len(b))}
	return d, os.WriteFile(img.blob(d.Digest), b, 0o644)
}

func (img *Image) blob(digest string) string {
	return filepath.Join(img.Dir, "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
}

// found lists regular files below a directory, in the order of their paths.
func found(from string, size int64) (out []entry, err error) {
	left := size
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // what cannot be read is left out
		}
		info, err := d.Info()
		if err != nil || info.Size() > 512<<20 {
			return nil
		}
		if left -= info.Size(); left < 0 {
			return filepath.SkipAll
		}
		out = append(out, entry{strings.TrimPrefix(path, "/"), info.Size(), info.Mode(), func() (io.ReadCloser, error) { return os.Open(path) }})
		return nil
	})
	return out, err
}

// made is about size bytes of a distribution's mixture: a package database,
// prose, program text with assignments and calls, libraries, installed modules.
// The same size makes the same files.
func made(size int64) (out []entry) {
	rnd := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 4000)
	for i := range words {
		w := make([]byte, 2+rnd.IntN(9))
		for j := range w {
			w[j] = byte('a' + rnd.IntN(26))
		}
		words[i] = string(w)
	}
	for i, w := range []string{"key", "token", "secret", "password", "auth", "api", "access", "client"} {
		words[i*40] = w // as often as program text has them
	}
	add := func(name string, body []byte, mode fs.FileMode) int64 {
		out = append(out, entry{name, int64(len(body)), mode, func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }})
		return int64(len(body))
	}
	text := func(n int, seps ...string) []byte {
		var b []byte
		for len(b) < n {
			b = append(b, words[rnd.IntN(len(words))]...)
			b = append(b, seps[rnd.IntN(len(seps))]...)
		}
		return b[:n]
	}
	code := func(n int) []byte { // compresses about as machine code does
		b := make([]byte, n)
		for i := 0; i+1 < n; i += 4 {
			b[i], b[i+1] = byte(rnd.IntN(40)), byte(rnd.IntN(256))
		}
		copy(b, "\x7fELF\x02\x01\x01")
		return b
	}
	var status bytes.Buffer
	var total int64
	for i := 0; total < size; i++ {
		fmt.Fprintf(&status, "Package: package%d\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.%d-1\nSource: source%d\nDescription: made\n\n", i, i, i/2)
		total += add(fmt.Sprintf("usr/lib/x/lib%d.so.1", i), code(100<<10), 0o755)
		total += add(fmt.Sprintf("usr/bin/tool%d", i), code(30<<10), 0o755)
		total += add(fmt.Sprintf("srv/node_modules/m%d/package.json", i), fmt.Appendf(nil, `{"name":"m%d","version":"1.0.0"}`, i), 0o644)
		total += add(fmt.Sprintf("srv/node_modules/m%d/index.js", i), text(24<<10, " ", " = ", "(", "\", \"", ": ", ";\n", " => "), 0o644)
		for j := range 8 {
			total += add(fmt.Sprintf("usr/share/doc/d%d/text%d", i, j), text(8<<10, " ", " ", ", ", ".\n"), 0o644)
		}
	}
	add("var/lib/dpkg/status", status.Bytes(), 0o644)
	add("etc/os-release", []byte("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n"), 0o644)
	return out
}
