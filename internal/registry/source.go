package registry

import (
	"context"
	"io"

	"breakwater"
	"breakwater/internal/blob"
	"breakwater/internal/oci"
	"breakwater/internal/store"
)

// source is one repository as scans read it. Reading it is no download.
type source struct {
	db         *store.DB
	blobs      blob.Store
	repository int64
}

var _ oci.Source = source{}

// Manifest implements oci.Source.
func (s source) Manifest(ctx context.Context, ref string) (oci.Manifest, error) {
	d, err := reference(ref)
	if err != nil {
		return oci.Manifest{}, err
	}
	var m store.Manifest
	if d != "" {
		m, err = s.db.ManifestByDigest(ctx, s.repository, d)
	} else {
		m, err = s.db.ManifestByTag(ctx, s.repository, ref)
	}
	return oci.Manifest{Digest: m.Digest, MediaType: m.MediaType, Body: m.Body}, err
}

// Blob implements oci.Source. The bytes were verified when they came; they are
// again here, because disks forget.
func (s source) Blob(ctx context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	if _, _, err := s.db.LinkedBlob(ctx, s.repository, d); err != nil {
		return nil, err
	}
	f, _, err := s.blobs.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	return oci.Verify(f, d, size), nil
}
