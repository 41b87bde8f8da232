package hss

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"sync"
	"time"

	"breakwater"
)

const (
	componentName = "breakwater-component"
	layerName     = "layer.tar"
	maxTag        = 40 // of a version in an image tag and a file name
)

// component is the component image of this server: its own executable in the
// only layer, for linux and the architecture it runs on. The bytes follow from
// the executable (and the libraries it needs, see program.go) and the version.
type component struct {
	executable string
	tag        string
	key        []byte // signs download links
	now        func() time.Time

	mu    sync.Mutex
	built *built // once it could be made
}

// built is the image in the two forms that are served.
type built struct {
	id      string   // hex of the image config's digest
	archive segments // docker archive
	zip     segments // the archive inside a zip
}

func newComponent(executable, version string, key []byte, now func() time.Time) *component {
	return &component{executable: executable, tag: imageTag(version), key: key, now: now}
}

// image is the local name that the archive loads under.
func (c *component) image() string { return componentName + ":" + c.tag }

// imageTag spells a version as a tag (OCI distribution spec: [a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}).
func imageTag(version string) string {
	tag := strings.Map(func(r rune) rune {
		if r < 128 && (isWord(byte(r)) || strings.ContainsRune("._-", r)) {
			return r
		}
		return '-'
	}, version)
	if tag = strings.TrimLeft(tag, ".-"); tag == "" {
		return "dev"
	}
	return tag[:min(len(tag), maxTag)]
}

// get makes the image's headers and checksums when they are first needed: one
// pass over the executable. A failure is tried again at the next request.
func (c *component) get() (*built, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.built != nil {
		return c.built, nil
	}
	name := c.executable
	if name == "" {
		if runtime.GOOS != "linux" {
			return nil, breakwater.Errorf(breakwater.KindUnavailable, "the component image runs on linux; this server's own executable does not")
		}
		name = "/proc/self/exe" // what runs, even when the file was replaced meanwhile
	}
	files, err := openProgram(name)
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindUnavailable, err, "the component image cannot be made from this server's executable")
	}
	b, err := c.build(files)
	if err != nil {
		closeAll(files)
		return nil, breakwater.Wrap(breakwater.KindUnavailable, err, "the component image cannot be made from this server's executable")
	}
	c.built = b // keeps the files open: an upgrade on disk does not change what is served
	return b, nil
}

// build lays the pieces out. The layer comes first in the archive, so that its
// digest and the archive's checksum come from the same pass.
func (c *component) build(files []programFile) (*built, error) {
	layer := segments{text(header("tmp/", 0o1777, 0))}
	for _, f := range files {
		layer = append(layer, text(header(f.name, 0o755, f.size)), segment{f, f.size}, text(padding(f.size)))
	}
	layer = append(layer, text(trailer))
	archive := append(segments{text(header(layerName, 0o644, layer.size()))}, layer...)
	digest, sum := sha256.New(), crc32.NewIEEE()
	if _, err := io.Copy(sum, archive[:1].reader()); err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.MultiWriter(digest, sum), layer.reader()); err != nil {
		return nil, err
	}
	config, err := c.config("sha256:" + hex.EncodeToString(digest.Sum(nil)))
	if err != nil {
		return nil, err
	}
	id := breakwater.DigestOf(config).Hex()
	manifest, err := json.Marshal([]archiveManifest{{Config: id + ".json", RepoTags: []string{c.image()}, Layers: []string{layerName}}})
	if err != nil {
		return nil, err
	}
	rest := padding(layer.size()) + file(id+".json", config) + file("manifest.json", manifest) + trailer
	_, _ = sum.Write([]byte(rest)) // a hash never fails
	archive = append(archive, text(rest))
	z, err := wrapZip(componentName+".tar", archive, sum.Sum32())
	return &built{id: id, archive: archive, zip: z}, err
}

// archiveManifest is an element of manifest.json in a docker archive.
type archiveManifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// imageConfig is the part of an image config that this image needs (OCI image
// spec, config.md).
type imageConfig struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Created      string `json:"created"`
	Config       struct {
		Entrypoint []string
		WorkingDir string
		Labels     map[string]string
	} `json:"config"`
	RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
	History []map[string]string `json:"history"`
}

func (c *component) config(diffID string) ([]byte, error) {
	const epoch = "1970-01-01T00:00:00Z" // the same executable makes the same image
	var i imageConfig
	i.Architecture, i.OS, i.Created = runtime.GOARCH, "linux", epoch
	i.Config.Entrypoint, i.Config.WorkingDir = []string{"/breakwater"}, "/"
	i.Config.Labels = map[string]string{"org.opencontainers.image.title": componentName, "org.opencontainers.image.version": c.tag}
	i.RootFS.Type, i.RootFS.DiffIDs = "layers", []string{diffID}
	i.History = []map[string]string{{"created": epoch, "created_by": "breakwater serve"}}
	return json.Marshal(i)
}

// trailer ends a tar: two empty blocks.
var trailer = strings.Repeat("\x00", 1024)

// padding fills the last block of n bytes of content.
func padding(n int64) string { return strings.Repeat("\x00", int(-n&511)) }

func file(name string, content []byte) string {
	return header(name, 0o644, int64(len(content))) + string(content) + padding(int64(len(content)))
}

// header is one tar header block, owned by root and dated to the epoch.
func header(name string, mode, size int64) string {
	h := &tar.Header{Name: name, Mode: mode, Size: size, Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
	if strings.HasSuffix(name, "/") {
		h.Typeflag = tar.TypeDir
	}
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(h); err != nil {
		// Only a size past 8 GiB can fail; names and modes are ours.
		panic(fmt.Sprintf("hss: tar header of %s: %v", name, err))
	}
	return b.String()
}
