package oci_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/oci"
)

// memory is a Source over a map: the smallest real one.
type memory struct {
	manifests map[string]oci.Manifest
	blobs     map[breakwater.Digest][]byte
}

func newMemory() *memory {
	return &memory{manifests: map[string]oci.Manifest{}, blobs: map[breakwater.Digest][]byte{}}
}

func (m *memory) Manifest(_ context.Context, ref string) (oci.Manifest, error) {
	got, ok := m.manifests[ref]
	if !ok {
		return oci.Manifest{}, breakwater.NotFound("manifest")
	}
	return got, nil
}

func (m *memory) Blob(_ context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	b, ok := m.blobs[d]
	if !ok {
		return nil, breakwater.NotFound("blob")
	}
	return oci.Verify(io.NopCloser(bytes.NewReader(b)), d, size), nil
}

func (m *memory) put(body string) oci.Manifest {
	got := oci.Manifest{Digest: breakwater.DigestOf([]byte(body)), Body: []byte(body)}
	m.manifests[string(got.Digest)] = got
	return got
}

// image adds a one-layer image; its entry for an index comes with it.
func (m *memory) image(arch string, layer int64) (oci.Manifest, string) {
	config := fmt.Appendf(nil, `{"architecture":%q,"os":"linux","created":"2026-01-02T03:04:05Z","rootfs":{"type":"layers","diff_ids":[%q]}}`, arch, someDigest)
	d := breakwater.DigestOf(config)
	m.blobs[d] = config
	got := m.put(manifestJSON(
		fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, configType, d, len(config)), desc(layerType, layer)))
	return got, entry(got, "linux", arch, "")
}

func entry(m oci.Manifest, os, arch, more string) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"platform":{"os":%q,"architecture":%q}%s}`,
		oci.TypeManifest, m.Digest, len(m.Body), os, arch, more)
}

func TestResolveImage(t *testing.T) {
	src := newMemory()
	m, _ := src.image("arm64", 1000)
	got, err := oci.Resolve(context.Background(), src, m)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := oci.Parse(m)
	want := oci.Resolved{Artifact: breakwater.Artifact{
		Digest: m.Digest, MediaType: oci.TypeManifest, ArtifactType: configType, ConfigDigest: d.Config.Digest,
		Size: d.Config.Size + 1000, Platform: breakwater.Platform{OS: "linux", Architecture: "arm64"},
		Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Scannable: true,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestResolveIndex(t *testing.T) {
	src := newMemory()
	_, amd := src.image("amd64", 1000)
	_, arm := src.image("arm64", 2000)
	attestation := src.put(manifestJSON(desc(configType, 1), desc("application/vnd.in-toto+json", 2)))
	gone := oci.Manifest{Digest: breakwater.DigestOf([]byte("gone")), Body: []byte("gone")}
	inner := src.put(indexJSON(arm, amd))
	m := src.put(indexJSON(amd,
		entry(attestation, "unknown", "unknown", `,"annotations":{"vnd.docker.reference.type":"attestation-manifest"}`),
		fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, oci.TypeIndex, inner.Digest, len(inner.Body)),
		entry(gone, "linux", "s390x", ""), amd))
	got, err := oci.Resolve(context.Background(), src, m)
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, c := range got.Children {
		platforms = append(platforms, c.Platform.String())
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64", "linux/s390x"}, platforms); diff != "" {
		t.Error(diff)
	}
	var images []bool
	for _, c := range got.Artifact.Children {
		images = append(images, c.Image)
	}
	if diff := cmp.Diff([]bool{true, false, true, true}, images); diff != "" {
		t.Error(diff)
	}
	if !got.Artifact.Scannable || got.Artifact.Size < 3000 {
		t.Errorf("artifact = %+v", got.Artifact)
	}
}

func TestResolveRefuses(t *testing.T) {
	src := newMemory()
	_, amd := src.image("amd64", 1)
	many := make([]string, oci.MaxChildren+1)
	for i := range many {
		many[i] = amd
	}
	asIndex := func(m oci.Manifest) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, oci.TypeIndex, m.Digest, len(m.Body))
	}
	deep := src.put(indexJSON(asIndex(src.put(indexJSON(asIndex(src.put(indexJSON(amd))))))))
	tests := []struct {
		name string
		body oci.Manifest
		code breakwater.ScanCode
	}{
		{"schema 1", src.put(`{"schemaVersion":1}`), breakwater.CodeSchemaV1},
		{"too many children", src.put(indexJSON(many...)), breakwater.CodeOverSized},
		{"nested too deep", deep, breakwater.CodeOverSized},
		{"config not there", src.put(manifestJSON(desc(configType, 9), desc(layerType, 1))), breakwater.CodeDownloadFailed},
		{"vast config", src.put(manifestJSON(desc(configType, oci.MaxConfig+1), desc(layerType, 1))), breakwater.CodeOverSized},
	}
	for _, tt := range tests {
		got, err := oci.Resolve(context.Background(), src, tt.body)
		var e *breakwater.Error
		if !errors.As(err, &e) || e.Code != string(tt.code) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if breakwater.IsNotFound(err) {
			t.Errorf("%s: a damaged image passes for one that is gone", tt.name)
		}
		if got.Artifact.Digest != tt.body.Digest || got.Artifact.Scannable {
			t.Errorf("%s: artifact = %+v", tt.name, got.Artifact)
		}
	}
}

func TestParseConfig(t *testing.T) {
	const base = `"architecture":"arm64","os":"linux","variant":"v8","rootfs":{"type":"layers","diff_ids":["` + someDigest + `"]},"history":[{"created_by":"RUN x","empty_layer":true}],"config":{"User":"app"}`
	for created, want := range map[string]time.Time{
		`"2026-01-02T03:04:05+01:00"`: time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC), `""`: {}, `"yesterday"`: {}, `null`: {}, `7`: {},
	} {
		c, err := oci.ParseConfig([]byte(`{"created":` + created + `,` + base + `}`))
		if err != nil {
			t.Errorf("%s: %v", created, err)
			continue
		}
		if !c.Created.Equal(want) || c.Platform.String() != "linux/arm64/v8" || len(c.DiffIDs) != 1 || c.Run.User != "app" || !c.History[0].Empty {
			t.Errorf("%s: %+v", created, c)
		}
	}
	for _, bad := range []string{``, `[]`, `{"os":7}`, `{"rootfs":{"diff_ids":["sha256:x"]}}`} {
		if _, err := oci.ParseConfig([]byte(bad)); breakwater.KindOf(err) != breakwater.KindInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
