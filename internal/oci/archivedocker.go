package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path"

	"breakwater"
)

// The media types of layers in the manifests that are made up.
const (
	typeLayer     = "application/vnd.oci.image.layer.v1.tar"
	typeLayerGzip = typeLayer + "+gzip"
	typeLayerZstd = typeLayer + "+zstd"
)

// dockerImage is one element of a Docker archive's manifest.json. The format is
// written down nowhere but in what "docker save" writes.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// madeDescriptor and madeManifest are image-spec's, as far as is needed.
type madeDescriptor struct {
	MediaType string            `json:"mediaType"`
	Digest    breakwater.Digest `json:"digest"`
	Size      int64             `json:"size"`
}

type madeManifest struct {
	SchemaVersion int              `json:"schemaVersion"`
	MediaType     string           `json:"mediaType"`
	Config        madeDescriptor   `json:"config"`
	Layers        []madeDescriptor `json:"layers"`
}

// readDocker makes an OCI manifest for each image of a Docker archive. A layer
// in it is usually a plain tar, whose digest is the diff_id that the config
// gives and that is verified when the layer is read; a compressed one is read
// once to know its digest.
func (a *Archive) readDocker(ctx context.Context, manifest []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(manifest), []byte("{")) {
		return a.readDir(manifest)
	}
	var images []dockerImage
	if err := json.Unmarshal(manifest, &images); err != nil {
		return badArchive("manifest.json is not the JSON it should be")
	}
	switch {
	case len(images) == 0:
		return badArchive("the archive holds no image")
	case len(images) > MaxChildren:
		return coded(breakwater.Errorf(breakwater.KindTooLarge, "the archive holds more than %d images", MaxChildren), breakwater.CodeOverSized)
	}
	digests := map[string]madeDescriptor{} // of layers by path, so that none is read twice
	for _, image := range images {
		if err := a.readDockerImage(ctx, image, digests); err != nil {
			return err
		}
	}
	return nil
}

// readDir takes manifest.json for the manifest or index of an image whose blobs
// lie beside it (containers-transports(5), "dir"; also "podman save --format
// docker-dir").
func (a *Archive) readDir(body []byte) error {
	m := Manifest{Digest: breakwater.DigestOf(body), Body: body}
	d, err := Parse(m)
	if err != nil {
		return err
	}
	a.flat = true
	a.made[m.Digest] = body
	a.addRoot(Root{Descriptor: Descriptor{MediaType: d.MediaType, Digest: m.Digest, Size: int64(len(body))}})
	return nil
}

func (a *Archive) readDockerImage(ctx context.Context, image dockerImage, known map[string]madeDescriptor) error {
	raw, err := a.small(image.Config, MaxConfig)
	if breakwater.IsNotFound(err) {
		return badArchive("the archive lacks the config of an image")
	}
	if err != nil {
		return err
	}
	config, err := ParseConfig(raw)
	if err != nil {
		return err
	}
	if len(image.Layers) != len(config.DiffIDs) {
		return badArchive("the archive lists another number of layers than the image's config")
	}
	if len(image.Layers) > MaxLayers {
		return coded(breakwater.Errorf(breakwater.KindTooLarge, "the image has %d layers, the limit is %d", len(image.Layers), MaxLayers), breakwater.CodeLayers)
	}
	digest := breakwater.DigestOf(raw)
	a.paths[digest] = image.Config
	m := madeManifest{
		SchemaVersion: 2, MediaType: TypeManifest, Layers: []madeDescriptor{},
		Config: madeDescriptor{MediaType: typeConfig, Digest: digest, Size: int64(len(raw))},
	}
	for i, name := range image.Layers {
		d, ok := known[name]
		if !ok {
			if d, err = a.dockerLayer(ctx, name, config.DiffIDs[i]); err != nil {
				return err
			}
			known[name] = d
		}
		m.Layers = append(m.Layers, d)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	digest = breakwater.DigestOf(body)
	a.made[digest] = body
	a.addRoot(Root{Names: image.RepoTags, Made: true, Descriptor: Descriptor{
		MediaType: TypeManifest, Digest: digest, Size: int64(len(body)), Platform: config.Platform,
	}})
	return nil
}

// dockerLayer describes a layer by its first bytes.
func (a *Archive) dockerLayer(ctx context.Context, name string, diffID breakwater.Digest) (madeDescriptor, error) {
	rc, size, err := a.files.open(name)
	if breakwater.IsNotFound(err) {
		return madeDescriptor{}, badArchive("the archive lacks a layer of an image")
	}
	if err != nil {
		return madeDescriptor{}, err
	}
	defer func() { _ = rc.Close() }()
	head := make([]byte, 4)
	n, err := io.ReadFull(rc, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return madeDescriptor{}, openError(err)
	}
	d := madeDescriptor{MediaType: typeLayer, Size: size, Digest: diffID}
	switch {
	case isGzip(head[:n]):
		d.MediaType = typeLayerGzip
	case isZstd(head[:n]):
		d.MediaType = typeLayerZstd
	default:
		a.paths[diffID] = path.Clean(name)
		return d, nil
	}
	h := breakwater.Digest("").Hash()
	_, _ = h.Write(head[:n])
	if _, err := io.Copy(h, governed{ctx, rc}); err != nil {
		return madeDescriptor{}, openError(err)
	}
	d.Digest = breakwater.DigestOfHash("sha256", h)
	a.paths[d.Digest] = path.Clean(name)
	return d, nil
}
