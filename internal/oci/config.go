package oci

import (
	"context"
	"encoding/json"
	"io"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"breakwater"
)

// Config is what an image's config says of how it was built and how it runs.
type Config struct {
	Platform breakwater.Platform
	Created  time.Time // zero when not said
	DiffIDs  []breakwater.Digest
	History  []breakwater.History
	Run      v1.ImageConfig // user, environment, entry point, ports, labels
	Raw      []byte         // the bytes that were read, digest checked
}

// ReadConfig fetches and reads the config of an image manifest, at most
// MaxConfig bytes.
func ReadConfig(ctx context.Context, src Source, d Doc) (Config, error) {
	if !isImageConfig(d.Config.MediaType) {
		return Config{}, coded(breakwater.Invalid("manifest", "the manifest is not a container image"), breakwater.CodeBaseImage)
	}
	if d.Config.Size > MaxConfig {
		return Config{}, coded(breakwater.Errorf(breakwater.KindTooLarge, "the image config is larger than %d bytes", MaxConfig), breakwater.CodeOverSized)
	}
	rc, err := src.Blob(ctx, d.Config.Digest, d.Config.Size)
	if err != nil {
		return Config{}, err
	}
	defer rc.Close()
	raw, err := io.ReadAll(io.LimitReader(rc, MaxConfig+1))
	if err != nil {
		return Config{}, err
	}
	// A Source checks its bytes; a config is small enough to check once more
	// here, where the identity of the image hangs on it.
	if int64(len(raw)) != d.Config.Size {
		return Config{}, wrongBlob("the image config has another size than its manifest says")
	}
	return ParseConfig(raw)
}

// ParseConfig reads the bytes of an image config.
func ParseConfig(raw []byte) (Config, error) {
	var w struct {
		v1.Image
		Created json.RawMessage `json:"created"` // in front of the strict one: some builders write none or nonsense
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return Config{}, badConfig("the image config is not the JSON it should be")
	}
	c := Config{
		Platform: breakwater.Platform{OS: w.OS, Architecture: w.Architecture, Variant: w.Variant, OSVersion: w.OSVersion},
		Run:      w.Config, Raw: raw,
	}
	var created time.Time
	if json.Unmarshal(w.Created, &created) == nil {
		c.Created = created.UTC()
	}
	for _, id := range w.RootFS.DiffIDs {
		d, err := breakwater.ParseDigest(string(id))
		if err != nil {
			return Config{}, badConfig("the image config holds a malformed digest")
		}
		c.DiffIDs = append(c.DiffIDs, d)
	}
	for _, h := range w.History {
		c.History = append(c.History, breakwater.History{CreatedBy: h.CreatedBy, Empty: h.EmptyLayer})
	}
	return c, nil
}

func badConfig(message string) error {
	return coded(breakwater.Invalid("config", "%s", message), breakwater.CodeDownloadFailed)
}
