package conformance

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"io"
	"path"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// file is one entry of a layer: a regular file, or with gone the deletion of one
// that lies below.
type file struct {
	path string
	text string
	mode int64 // 0644 when zero
	gid  int
	gone bool
}

// step is one step of a build: the instruction, and the layer that it made; a
// step without files makes none.
type step struct {
	by    string
	files []file
	layer v1.Layer // made of files by bake
}

// bake makes the layers of the steps, once: images that share a step share its layer.
func bake(t *testing.T, steps ...step) []step {
	t.Helper()
	for i := range steps {
		if len(steps[i].files) > 0 {
			steps[i].layer = pack(t, steps[i].files)
		}
	}
	return steps
}

func pack(t *testing.T, files []file) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		h := &tar.Header{Name: f.path, Mode: f.mode, Gid: f.gid, Size: int64(len(f.text)), Typeflag: tar.TypeReg}
		if f.mode == 0 {
			h.Mode = 0o644
		}
		if f.gone {
			h.Name, h.Size = path.Dir(f.path)+"/.wh."+path.Base(f.path), 0
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.text[:h.Size]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		t.Fatal(err)
	}
	return layer
}

// build makes an OCI image of baked steps.
func build(t *testing.T, config v1.Config, steps ...step) v1.Image {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, s := range steps {
		add := mutate.Addendum{Layer: s.layer, MediaType: types.OCILayer, History: v1.History{CreatedBy: s.by, EmptyLayer: s.layer == nil}}
		var err error
		if img, err = mutate.Append(img, add); err != nil {
			t.Fatal(err)
		}
	}
	c, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c = c.DeepCopy()
	c.OS, c.Architecture, c.Config = "linux", "amd64", config
	if img, err = mutate.ConfigFile(img, c); err != nil {
		t.Fatal(err)
	}
	return img
}

// visible is the files that a container would see, with their sizes.
func visible(steps []step) map[string]int {
	out := map[string]int{}
	for _, s := range steps {
		for _, f := range s.files {
			if f.gone {
				delete(out, "/"+f.path)
			} else {
				out["/"+f.path] = len(f.text)
			}
		}
	}
	return out
}

// zipped is an archive with these members.
func zipped(t *testing.T, members ...file) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.Create(m.path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, m.text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// deb is one package of a dpkg database; source is empty where it is called like
// the package and has its version.
type deb struct{ name, version, source string }

// status is the dpkg database with these packages.
func status(debs ...deb) file {
	var b strings.Builder
	for _, d := range debs {
		b.WriteString("Package: " + d.name + "\nStatus: install ok installed\nPriority: optional\nSection: libs\nInstalled-Size: 120\n" +
			"Maintainer: Somebody <somebody@example.com>\nArchitecture: amd64\n")
		if d.source != "" {
			b.WriteString("Source: " + d.source + "\n")
		}
		b.WriteString("Version: " + d.version + "\nDescription: a package\n\n")
	}
	return file{path: "var/lib/dpkg/status", text: b.String()}
}
