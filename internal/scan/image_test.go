package scan_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/zstd"

	"breakwater"
	"breakwater/internal/oci"
)

// repository is a Source over bytes in memory; it counts what is asked of it.
type repository struct {
	mu        sync.Mutex
	manifests map[string]oci.Manifest
	blobs     map[breakwater.Digest][]byte
	layers    atomic.Int64 // blobs opened, configs included
}

func newRepository() *repository {
	return &repository{manifests: map[string]oci.Manifest{}, blobs: map[breakwater.Digest][]byte{}}
}

func (r *repository) Manifest(_ context.Context, ref string) (oci.Manifest, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.manifests[ref]
	if !ok {
		return oci.Manifest{}, breakwater.NotFound("manifest")
	}
	return m, nil
}

func (r *repository) Blob(_ context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, ok := r.blobs[d]
	if !ok {
		return nil, breakwater.NotFound("blob")
	}
	r.layers.Add(1)
	return oci.Verify(io.NopCloser(bytes.NewReader(b)), d, size), nil
}

var _ oci.Source = (*repository)(nil)

func (r *repository) put(b []byte) breakwater.Digest {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := breakwater.DigestOf(b)
	r.blobs[d] = b
	return d
}

const configType = "application/vnd.oci.image.config.v1+json"

type desc struct {
	MediaType string            `json:"mediaType"`
	Digest    breakwater.Digest `json:"digest"`
	Size      int               `json:"size"`
}

// blobLayer is a layer of an image under test.
type blobLayer struct {
	body      []byte
	mediaType string
}

// image puts an image of the layers into the repository and returns its digest.
func (r *repository) image(t testing.TB, layers ...blobLayer) breakwater.Digest {
	t.Helper()
	config := []byte(`{"architecture":"amd64","os":"linux","history":[{"created_by":"COPY . /"}],"rootfs":{"type":"layers","diff_ids":[]}}`)
	m := struct {
		SchemaVersion int    `json:"schemaVersion"`
		MediaType     string `json:"mediaType"`
		Config        desc   `json:"config"`
		Layers        []desc `json:"layers"`
	}{2, oci.TypeManifest, desc{configType, r.put(config), len(config)}, []desc{}}
	for _, l := range layers {
		m.Layers = append(m.Layers, desc{l.mediaType, r.put(l.body), len(l.body)})
	}
	return r.manifest(t, m)
}

func (r *repository) manifest(t testing.TB, m any) breakwater.Digest {
	t.Helper()
	body, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	d := breakwater.DigestOf(body)
	r.manifests[d.String()] = oci.Manifest{Digest: d, MediaType: oci.TypeManifest, Body: body}
	return d
}

// entry is one tar entry: a file, unless the name ends in a slash or link is set.
type entry struct {
	name, body string
	link, hard string
}

func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o755, Typeflag: tar.TypeReg, Size: int64(len(e.body))}
		switch {
		case e.link != "":
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, e.link, 0
		case e.hard != "":
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, e.hard, 0
		case strings.HasSuffix(e.name, "/"):
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.body[:h.Size]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// gz, zst and plain are a layer of the entries in each compression.
func gz(t testing.TB, entries ...entry) blobLayer {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(tarOf(t, entries...)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return blobLayer{b.Bytes(), "application/vnd.oci.image.layer.v1.tar+gzip"}
}

func zst(t testing.TB, entries ...entry) blobLayer {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return blobLayer{w.EncodeAll(tarOf(t, entries...), nil), "application/vnd.oci.image.layer.v1.tar+gzip"} // and lies about it
}

func plain(t testing.TB, entries ...entry) blobLayer {
	t.Helper()
	return blobLayer{tarOf(t, entries...), "application/vnd.oci.image.layer.v1.tar"}
}

// memory is a Cache in a map.
type memory struct {
	mu sync.Mutex
	m  map[string][]byte
}

func newMemory() *memory { return &memory{m: map[string][]byte{}} }

func (c *memory) Get(_ context.Context, key string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b, ok := c.m[key]
	if !ok {
		return nil, breakwater.NotFound("facts")
	}
	return b, nil
}

func (c *memory) Put(_ context.Context, key string, b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.m[key] = b
	return nil
}
