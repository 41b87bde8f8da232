//go:build crash

package crash

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// build is an image of one layer for each map of path to content.
func build(t *testing.T, layers ...map[string]string) v1.Image {
	t.Helper()
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	for _, files := range layers {
		bytes := make(map[string][]byte, len(files))
		for name, content := range files {
			bytes[name] = []byte(content)
		}
		layer, err := crane.Layer(bytes)
		must(t, err)
		img, err = mutate.Append(img, mutate.Addendum{Layer: layer, MediaType: types.OCILayer})
		must(t, err)
	}
	config, err := img.ConfigFile()
	must(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	img, err = mutate.ConfigFile(img, config)
	must(t, err)
	return img
}

// noise is bytes that do not compress, the same for the same seed.
func noise(seed, size int) string {
	var key [32]byte
	copy(key[:], fmt.Sprint("breakwater ", seed))
	b := make([]byte, size)
	_, _ = rand.NewChaCha8(key).Read(b)
	return string(b)
}

// lockFile is a package-lock.json that names packages at version 1.0.0.
func lockFile(names ...string) string {
	var b strings.Builder
	b.WriteString(`{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"app","version":"1.0.0"}`)
	for _, n := range names {
		fmt.Fprintf(&b, `,"node_modules/%s":{"version":"1.0.0"}`, n)
	}
	b.WriteString("}}")
	return b.String()
}
