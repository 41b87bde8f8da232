package child

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"breakwater"
	"breakwater/internal/oci"
)

// image is a Source of one image, in memory.
type image struct {
	digest breakwater.Digest
	body   []byte
	layers []breakwater.Digest
	blobs  map[breakwater.Digest][]byte

	reads atomic.Int64 // blobs opened, the config not counted
	// spoil, if set, wraps what a layer's reader gives.
	spoil func(io.Reader) io.Reader
	fail  error // of Manifest
}

func newImage(layers ...string) *image {
	m := &image{blobs: map[breakwater.Digest][]byte{}}
	put := func(mediaType string, b []byte) map[string]any {
		d := breakwater.DigestOf(b)
		m.blobs[d] = b
		return map[string]any{"mediaType": mediaType, "digest": d, "size": len(b)}
	}
	var list []any
	for _, l := range layers {
		list = append(list, put("application/vnd.oci.image.layer.v1.tar", []byte(l)))
		m.layers = append(m.layers, breakwater.DigestOf([]byte(l)))
	}
	config := put("application/vnd.oci.image.config.v1+json", fmt.Appendf(nil, `{"os":"linux","architecture":"amd64","n":%d}`, len(layers)))
	m.body, _ = json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": oci.TypeManifest, "config": config, "layers": list})
	m.digest = breakwater.DigestOf(m.body)
	return m
}

func (m *image) task(scope breakwater.Scope) Task {
	return Task{Digest: m.digest, Source: m, Scope: scope}
}

func (m *image) Manifest(_ context.Context, ref string) (oci.Manifest, error) {
	if m.fail != nil {
		return oci.Manifest{}, m.fail
	}
	if ref != m.digest.String() {
		return oci.Manifest{}, breakwater.NotFound("manifest")
	}
	return oci.Manifest{Digest: m.digest, MediaType: oci.TypeManifest, Body: m.body}, nil
}

func (m *image) Blob(_ context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	b, ok := m.blobs[d]
	if !ok {
		return nil, breakwater.NotFound("blob")
	}
	var r io.Reader = bytes.NewReader(b)
	for _, l := range m.layers {
		if l == d {
			m.reads.Add(1)
			if m.spoil != nil {
				r = m.spoil(r)
			}
		}
	}
	return oci.Verify(io.NopCloser(r), d, size), nil
}

// memory is a Cache.
type memory struct {
	mu sync.Mutex
	m  map[string][]byte
}

func (c *memory) Get(_ context.Context, key string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b, ok := c.m[key]; ok {
		return b, nil
	}
	return nil, breakwater.NotFound("facts")
}

func (c *memory) Put(_ context.Context, key string, b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.m == nil {
		c.m = map[string][]byte{}
	}
	c.m[key] = b
	return nil
}
