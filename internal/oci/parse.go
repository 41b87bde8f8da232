package oci

import (
	"encoding/json"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"breakwater"
)

// Descriptor points at a blob or a manifest.
type Descriptor struct {
	MediaType    string
	Digest       breakwater.Digest
	Size         int64
	ArtifactType string
	Platform     breakwater.Platform // zero when not said
	Annotations  map[string]string
}

// Doc is a manifest or an index, checked. An index has Manifests only, a
// manifest Config and Layers only.
type Doc struct {
	Digest       breakwater.Digest
	MediaType    string // one of the four Type… constants
	ArtifactType string // artifactType, else the config's media type
	Config       Descriptor
	Layers       []Descriptor
	Manifests    []Descriptor
	Subject      breakwater.Digest
	Annotations  map[string]string
}

// IsIndex reports whether the document lists others.
func (d Doc) IsIndex() bool { return IsIndex(d.MediaType) }

// IsImage reports whether the document is an image manifest: one whose config
// is an image's and which has at least one file-system layer, or no layer at
// all. Helm charts, cosign signatures, SBOMs and build attestations are
// manifests too, and are not images: the first have another config type, the
// last carry only layers of their own.
func (d Doc) IsImage() bool {
	if d.IsIndex() || !isImageConfig(d.Config.MediaType) {
		return false
	}
	for _, l := range d.Layers {
		if isFileLayer(l.MediaType) {
			return true
		}
	}
	return len(d.Layers) == 0
}

// CheckImage says why the document cannot be scanned as one image: it is
// something else, or has more layers than the limit (CodeLayers).
func (d Doc) CheckImage() error {
	if !d.IsImage() {
		what := "the manifest is not a container image"
		if t := d.ArtifactType; t != "" && !isImageConfig(t) {
			what += ": it is of type " + printable(t)
		}
		return coded(breakwater.Invalid("manifest", "%s", what), breakwater.CodeBaseImage)
	}
	if len(d.Layers) > MaxLayers {
		return coded(breakwater.Errorf(breakwater.KindTooLarge, "the image has %d layers, the limit is %d", len(d.Layers), MaxLayers), breakwater.CodeLayers)
	}
	return nil
}

// Size is the compressed bytes of a manifest: its config and layers.
func (d Doc) Size() int64 {
	total := d.Config.Size
	for _, l := range d.Layers {
		total += l.Size
	}
	return total
}

// wire is the union of all documents; which fields may be there together is
// checked after decoding.
type wire struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *v1.Descriptor    `json:"config"`
	Layers        *[]v1.Descriptor  `json:"layers"`
	Manifests     *[]v1.Descriptor  `json:"manifests"`
	Subject       *v1.Descriptor    `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
	FSLayers      json.RawMessage   `json:"fsLayers"` // schema 1 only
}

// Parse reads a manifest or an index strictly: one JSON object without
// repeated names (two readers could see two images in it), of a known type
// that the answer and the body agree on, with valid digests and sizes, and not
// both kinds of document at once. Limits on layers are CheckImage's, so that a
// registry may store what a scan will refuse.
func Parse(m Manifest) (Doc, error) {
	if len(m.Body) > MaxManifest {
		return Doc{}, errManifestSize()
	}
	if err := checkNames(m.Body); err != nil {
		return Doc{}, err
	}
	var w wire
	if err := json.Unmarshal(m.Body, &w); err != nil {
		return Doc{}, badManifest("the manifest is not the JSON it should be")
	}
	mediaType, err := documentType(m.MediaType, w)
	if err != nil {
		return Doc{}, err
	}
	d := Doc{Digest: m.Digest, MediaType: mediaType, ArtifactType: w.ArtifactType, Annotations: w.Annotations}
	if d.Digest == "" {
		d.Digest = breakwater.DigestOf(m.Body)
	}
	if w.Subject != nil {
		subject, err := descriptor(*w.Subject)
		if err != nil {
			return Doc{}, err
		}
		d.Subject = subject.Digest
	}
	if d.IsIndex() {
		return d, d.readIndex(w)
	}
	return d, d.readManifest(w)
}

// documentType settles what the document is, from the answer's type and the
// body's, which must not contradict each other or the fields.
func documentType(answered string, w wire) (string, error) {
	t := bareType(answered)
	if w.SchemaVersion == 1 || isSchema1(t) || isSchema1(w.MediaType) || w.FSLayers != nil {
		return "", coded(breakwater.Invalid("manifest", "schema 1 manifests are not supported"), breakwater.CodeSchemaV1)
	}
	if w.SchemaVersion != 2 {
		return "", badManifest("the manifest has no schema version 2")
	}
	switch {
	case t == "":
		t = w.MediaType
	case w.MediaType != "" && w.MediaType != t:
		return "", badManifest("the manifest says another media type than the answer it came in")
	}
	index, manifest := w.Manifests != nil, w.Config != nil || w.Layers != nil
	if index && manifest {
		return "", badManifest("the manifest is a manifest and an index at once")
	}
	switch {
	case t == "" && index: // OCI documents need not name their type
		return TypeIndex, nil
	case t == "" && manifest:
		return TypeManifest, nil
	case IsIndex(t) && !manifest, IsManifest(t) && !index:
		return t, nil
	}
	return "", badManifest("the document is neither an image manifest nor an index")
}

func (d *Doc) readIndex(w wire) (err error) {
	if w.Manifests == nil {
		return badManifest("the index has no manifests field")
	}
	d.Manifests, err = descriptors(*w.Manifests)
	return err
}

func (d *Doc) readManifest(w wire) (err error) {
	if w.Config == nil {
		return badManifest("the manifest has no config")
	}
	if d.Config, err = descriptor(*w.Config); err != nil {
		return err
	}
	if d.ArtifactType == "" {
		d.ArtifactType = d.Config.MediaType
	}
	if w.Layers != nil {
		d.Layers, err = descriptors(*w.Layers)
	}
	return err
}

func descriptors(in []v1.Descriptor) ([]Descriptor, error) {
	out := make([]Descriptor, len(in))
	for i, w := range in {
		d, err := descriptor(w)
		if err != nil {
			return nil, err
		}
		out[i] = d
	}
	return out, nil
}

// maxBlobSize is far beyond any limit of ours, and small enough that the sum
// over a whole manifest cannot overflow.
const maxBlobSize = 1 << 44

func descriptor(w v1.Descriptor) (Descriptor, error) {
	digest, err := breakwater.ParseDigest(string(w.Digest))
	if err != nil {
		return Descriptor{}, badManifest("the manifest holds a malformed digest")
	}
	if w.Size < 0 || w.Size > maxBlobSize {
		return Descriptor{}, badManifest("the manifest holds an impossible size")
	}
	d := Descriptor{MediaType: w.MediaType, Digest: digest, Size: w.Size, ArtifactType: w.ArtifactType, Annotations: w.Annotations}
	if w.Platform != nil {
		d.Platform = breakwater.Platform{
			OS: w.Platform.OS, Architecture: w.Platform.Architecture,
			Variant: w.Platform.Variant, OSVersion: w.Platform.OSVersion,
		}
	}
	return d, nil
}

func errManifestSize() error {
	return coded(breakwater.Errorf(breakwater.KindTooLarge, "the manifest is larger than %d bytes", MaxManifest), breakwater.CodeOverSized)
}

func badManifest(message string) error {
	return coded(breakwater.Invalid("manifest", "%s", message), breakwater.CodeDownloadFailed)
}

func coded(e *breakwater.Error, code breakwater.ScanCode) error {
	e.Code = string(code)
	return e
}
