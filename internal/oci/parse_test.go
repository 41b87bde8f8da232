package oci_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/oci"
)

const (
	configType = "application/vnd.oci.image.config.v1+json"
	layerType  = "application/vnd.oci.image.layer.v1.tar+gzip"
)

func desc(mediaType string, size int64) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, someDigest, size)
}

func manifestJSON(config string, layers ...string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]}`,
		oci.TypeManifest, config, strings.Join(layers, ","))
}

func indexJSON(children ...string) string {
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, oci.TypeIndex, strings.Join(children, ","))
}

func TestParse(t *testing.T) {
	image := manifestJSON(desc(configType, 10), desc(layerType, 20), desc(layerType, 30))
	tests := []struct {
		name, answered, body string
		code                 breakwater.ScanCode // of the error; empty: good
		image, index         bool
	}{
		{name: "image", answered: oci.TypeManifest, body: image, image: true},
		{name: "image, type only in the body", body: image, image: true},
		{name: "generic type of the answer", answered: "application/json; charset=utf-8", body: image, image: true},
		{name: "no type anywhere", body: strings.Replace(image, `"mediaType":"`+oci.TypeManifest+`",`, "", 1), image: true},
		{name: "index", answered: oci.TypeIndex, body: indexJSON(desc(oci.TypeManifest, 5)), index: true},
		{name: "empty index", body: indexJSON(), index: true},
		{name: "helm chart", body: manifestJSON(desc("application/vnd.cncf.helm.config.v1+json", 1), desc("application/vnd.cncf.helm.chart.content.v1.tar+gzip", 2))},
		{name: "cosign signature", body: manifestJSON(desc(configType, 1), desc("application/vnd.dev.cosign.simplesigning.v1+json", 2))},
		{name: "build attestation", body: manifestJSON(desc(configType, 1), desc("application/vnd.in-toto+json", 2))},
		{name: "artifact", body: manifestJSON(desc("application/vnd.oci.empty.v1+json", 2))},
		{name: "schema 1 by number", body: `{"schemaVersion":1,"name":"a","fsLayers":[]}`, code: breakwater.CodeSchemaV1},
		{name: "schema 1 by type", answered: "application/vnd.docker.distribution.manifest.v1+prettyjws", body: `{}`, code: breakwater.CodeSchemaV1},
		{name: "two types", answered: oci.TypeDockerManifest, body: image, code: breakwater.CodeDownloadFailed},
		{name: "manifest and index at once", body: strings.TrimSuffix(image, "}") + `,"manifests":[]}`, code: breakwater.CodeDownloadFailed},
		{name: "index claimed, manifest inside", answered: oci.TypeIndex, body: `{"schemaVersion":2,"layers":[]}`, code: breakwater.CodeDownloadFailed},
		{name: "layers twice", body: strings.TrimSuffix(image, "}") + `,"layers":[]}`, code: breakwater.CodeDownloadFailed},
		{name: "layers twice by case", body: strings.TrimSuffix(image, "}") + `,"Layers":[]}`, code: breakwater.CodeDownloadFailed},
		{name: "digest twice in a layer", body: manifestJSON(desc(configType, 1), strings.TrimSuffix(desc(layerType, 1), "}")+`,"Digest":"x"}`), code: breakwater.CodeDownloadFailed},
		{name: "annotations differ by case", body: strings.TrimSuffix(image, "}") + `,"annotations":{"a":"1","A":"2"}}`, image: true},
		{name: "annotation twice", body: strings.TrimSuffix(image, "}") + `,"annotations":{"a":"1","a":"2"}}`, code: breakwater.CodeDownloadFailed},
		{name: "negative size", body: manifestJSON(desc(configType, 1), desc(layerType, -1)), code: breakwater.CodeDownloadFailed},
		{name: "vast size", body: manifestJSON(desc(configType, 1), desc(layerType, 1<<62)), code: breakwater.CodeDownloadFailed},
		{name: "bad digest", body: manifestJSON(strings.Replace(desc(configType, 1), "sha256:", "sha256:../", 1)), code: breakwater.CodeDownloadFailed},
		{name: "no config", body: `{"schemaVersion":2,"layers":[]}`, code: breakwater.CodeDownloadFailed},
		{name: "not an object", body: `[1]`, code: breakwater.CodeDownloadFailed},
		{name: "a number", body: `1`, code: breakwater.CodeDownloadFailed},
		{name: "cut", body: image[:len(image)-1], code: breakwater.CodeDownloadFailed},
		{name: "trailing bytes", body: image + "{}", code: breakwater.CodeDownloadFailed},
		{name: "empty", body: "", code: breakwater.CodeDownloadFailed},
		{name: "deep", body: `{"annotations":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}", code: breakwater.CodeDownloadFailed},
		{name: "huge", body: image + strings.Repeat(" ", oci.MaxManifest), code: breakwater.CodeOverSized},
		{name: "web page", answered: "text/html", body: "<html>login</html>", code: breakwater.CodeDownloadFailed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := oci.Parse(oci.Manifest{MediaType: tt.answered, Body: []byte(tt.body)})
			var e *breakwater.Error
			if errors.As(err, &e); (err != nil) != (tt.code != "") || err != nil && e.Code != string(tt.code) {
				t.Fatalf("err = %v, want code %q", err, tt.code)
			}
			if err == nil && (d.IsImage() != tt.image || d.IsIndex() != tt.index) {
				t.Errorf("image %t, index %t", d.IsImage(), d.IsIndex())
			}
		})
	}
}

func TestCheckImage(t *testing.T) {
	layers := make([]string, oci.MaxLayers+1)
	for i := range layers {
		layers[i] = desc(layerType, 1)
	}
	for n, want := range map[int]breakwater.ScanCode{oci.MaxLayers: "", oci.MaxLayers + 1: breakwater.CodeLayers} {
		d, err := oci.Parse(oci.Manifest{Body: []byte(manifestJSON(desc(configType, 1), layers[:n]...))})
		if err != nil {
			t.Fatal(err)
		}
		var e *breakwater.Error
		if err := d.CheckImage(); errors.As(err, &e) != (want != "") || e != nil && e.Code != string(want) {
			t.Errorf("%d layers: %v", n, err)
		}
		if got := d.Size(); got != int64(n)+1 {
			t.Errorf("size = %d", got)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add("", manifestJSON(desc(configType, 10), desc(layerType, 20)))
	f.Add(oci.TypeIndex, indexJSON(desc(oci.TypeManifest, 5)))
	f.Add("", `{"schemaVersion":1,"fsLayers":[]}`)
	f.Fuzz(func(t *testing.T, mediaType, body string) {
		d, err := oci.Parse(oci.Manifest{MediaType: mediaType, Body: []byte(body)})
		if err != nil {
			return
		}
		if d.IsIndex() == oci.IsManifest(d.MediaType) {
			t.Errorf("media type %q", d.MediaType)
		}
		if d.Size() < 0 {
			t.Error("the size overflowed")
		}
		for _, x := range append(d.Layers, d.Manifests...) {
			if _, err := breakwater.ParseDigest(string(x.Digest)); err != nil {
				t.Errorf("digest %q passed", x.Digest)
			}
		}
	})
}
