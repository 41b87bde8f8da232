package upstreamtest

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"breakwater"
)

// Artifact is a manifest or an index with all the bytes below it.
type Artifact struct {
	Digest    breakwater.Digest
	MediaType string
	Body      []byte // of the manifest
	Size      int64  // compressed, as Harbor counts it
	Kind      string // IMAGE or CHART, in Harbor's words

	platform v1.Platform
	image    v1.Image
	blobs    map[breakwater.Digest][]byte
	children []*Artifact
}

// Image builds a linux/amd64 image: one layer for each map of path to content.
func Image(layers ...map[string]string) *Artifact { return PlatformImage("linux/amd64", layers...) }

// PlatformImage builds an image for os/architecture.
func PlatformImage(platform string, layers ...map[string]string) *Artifact {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, files := range layers {
		bytes := make(map[string][]byte, len(files))
		for name, content := range files {
			bytes[name] = []byte(content)
		}
		layer := must(crane.Layer(bytes))
		img = must(mutate.Append(img, mutate.Addendum{Layer: layer, MediaType: types.OCILayer}))
	}
	os, arch, _ := strings.Cut(platform, "/")
	config := must(img.ConfigFile()).DeepCopy()
	config.OS, config.Architecture = os, arch
	config.Config.User = "65534:65534"
	config.Created = v1.Time{Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	return FromImage(must(mutate.ConfigFile(img, config)))
}

// FromImage takes in any image that go-containerregistry can build.
func FromImage(img v1.Image) *Artifact {
	a := &Artifact{
		Digest: digest(must(img.Digest())), MediaType: string(must(img.MediaType())), Body: must(img.RawManifest()),
		Kind: "IMAGE", image: img, blobs: map[breakwater.Digest][]byte{},
	}
	config := must(img.RawConfigFile())
	a.blobs[digest(must(img.ConfigName()))] = config
	a.Size = int64(len(config))
	for _, layer := range must(img.Layers()) {
		rc := must(layer.Compressed())
		b := must(io.ReadAll(rc))
		rc.Close()
		a.blobs[digest(must(layer.Digest()))] = b
		a.Size += int64(len(b))
	}
	if c := must(img.ConfigFile()); c != nil {
		a.platform = v1.Platform{OS: c.OS, Architecture: c.Architecture, Variant: c.Variant}
	}
	return a
}

// Index builds a multi-platform image out of images.
func Index(images ...*Artifact) *Artifact {
	idx := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, a := range images {
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: a.image, Descriptor: v1.Descriptor{Platform: &a.platform}})
	}
	out := &Artifact{
		Digest: digest(must(idx.Digest())), MediaType: string(must(idx.MediaType())), Body: must(idx.RawManifest()),
		Kind: "IMAGE", children: images,
	}
	for _, a := range images {
		out.Size += a.Size
	}
	return out
}

// Chart is a Helm chart: tagged, stored as a manifest, and no image.
func Chart(content string) *Artifact {
	body := []byte(content)
	config := []byte(`{"name":"chart"}`)
	a := &Artifact{MediaType: string(types.OCIManifestSchema1), Kind: "CHART", blobs: map[breakwater.Digest][]byte{
		breakwater.DigestOf(config): config, breakwater.DigestOf(body): body,
	}}
	a.Body = fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":%q,"size":%d},"layers":[{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":%q,"size":%d}]}`,
		a.MediaType, breakwater.DigestOf(config), len(config), breakwater.DigestOf(body), len(body))
	a.Digest, a.Size = breakwater.DigestOf(a.Body), int64(len(config)+len(body))
	return a
}

// Raw is a manifest of the test's own writing, with blobs to go with it.
func Raw(mediaType string, body []byte, blobs ...[]byte) *Artifact {
	a := &Artifact{Digest: breakwater.DigestOf(body), MediaType: mediaType, Body: body, Kind: "IMAGE", blobs: map[breakwater.Digest][]byte{}}
	for _, b := range blobs {
		a.blobs[breakwater.DigestOf(b)] = b
		a.Size += int64(len(b))
	}
	return a
}

func digest(h v1.Hash) breakwater.Digest { return breakwater.Digest(h.String()) }

// must ends a test whose own material cannot be built.
func must[T any](v T, err error) T {
	if err != nil {
		panic("upstreamtest: " + err.Error())
	}
	return v
}
