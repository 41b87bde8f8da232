package upstream

import (
	"context"
	"io"

	"breakwater"
	"breakwater/internal/oci"
)

// broken is the Source of a repository that cannot exist: every read says why.
type broken struct{ err error }

var _ oci.Source = broken{}

// Manifest implements oci.Source.
func (b broken) Manifest(context.Context, string) (oci.Manifest, error) {
	return oci.Manifest{}, b.err
}

// Blob implements oci.Source.
func (b broken) Blob(context.Context, breakwater.Digest, int64) (io.ReadCloser, error) {
	return nil, b.err
}
