package oci

import (
	"context"
	"io"

	"breakwater"
)

// The limits of package doc.
const (
	MaxManifest = 4 << 20
	MaxConfig   = 8 << 20
	MaxLayers   = 127
	MaxChildren = 256
)

// Source is one repository's bytes, of a foreign registry or of our own.
type Source interface {
	// Manifest is the document that a tag or a digest names, at most
	// MaxManifest bytes. Its digest is computed from the body; asked for a
	// digest, it is that digest or an error.
	Manifest(ctx context.Context, ref string) (Manifest, error)

	// Blob streams bytes by digest. The reader checks digest and size: whoever
	// reads to io.EOF has the right bytes. A negative size means unknown. The
	// caller closes it; ctx governs it until then.
	Blob(ctx context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error)
}

// Manifest is a document as a registry served it.
type Manifest struct {
	Digest    breakwater.Digest
	MediaType string // of the answer; empty or generic is fine, then the body says
	Body      []byte
}
