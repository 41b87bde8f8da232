package hss

import (
	"context"

	"breakwater"
	"breakwater/internal/store"
)

// anyImage finds the image that an operation of the baseline and its like names:
// by its names where it has them, by its image_id alone otherwise. image_type
// registry, local and local_image mean an image of whatever registry.
func (s *Server) anyImage(ctx context.Context, n imageName) (store.ImageRow, error) {
	switch n.kind {
	case "registry", "local", "local_image", "cicd":
		n.kind = ""
	}
	if n.name == "" {
		if n.imageID == "" {
			return store.ImageRow{}, breakwater.Invalid("image_name", "or image_id is needed to name an image")
		}
		id, err := breakwater.ParseDigest("sha256:" + n.imageID)
		if err != nil {
			return store.ImageRow{}, breakwater.NotFound("image")
		}
		return s.db.FindImage(ctx, project(ctx), id)
	}
	if n.imageID != "" {
		return s.image(ctx, n)
	}
	if n.tag == "" {
		return store.ImageRow{}, breakwater.Invalid("image_version", "is needed to name an image of a registry")
	}
	rows, err := s.db.FindImages(ctx, project(ctx), store.ImageFilter{
		Type: breakwater.ImageType(n.kind), Namespace: n.namespace, Name: n.name, Version: n.tag, InstanceID: n.instanceID,
	}, 1)
	if err != nil {
		return store.ImageRow{}, err
	}
	if len(rows) == 0 {
		return store.ImageRow{}, breakwater.NotFound("image")
	}
	return rows[0], nil
}

// inventories are the facts of an image, of each platform that was scanned.
func (s *Server) inventories(ctx context.Context, row store.ImageRow) (out []breakwater.Inventory, err error) {
	digests := []breakwater.Digest{row.Digest}
	if len(row.Children) > 0 {
		digests = nil
	}
	for _, c := range row.Children {
		digests = append(digests, c.Digest)
	}
	for _, d := range digests {
		inv, err := s.db.Inventory(ctx, d)
		if breakwater.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, inv)
	}
	return out, nil
}

// cutPage is one page of a list that is whole in memory; never nil, so that the
// wire has an empty list.
func cutPage[T any](list []T, offset, limit int) []T {
	from := min(max(offset, 0), len(list))
	to := len(list)
	if limit > 0 {
		to = min(from+limit, len(list))
	}
	return append([]T{}, list[from:to]...)
}
