package hss

import (
	"context"

	"breakwater"
	"breakwater/internal/store"
)

// imageName is how the operations about one image name it: the path's image_id,
// and the names that tell which of the images with that content is meant.
type imageName struct {
	imageID    string
	kind       string
	namespace  string
	name       string
	tag        string
	instanceID string
}

// image finds the row. One platform of a multi-arch image is found under the
// names of the whole image and its own image_id. A plain registry may hold
// repositories without a namespace, and the contract wants one in the request:
// such an image answers to "library", as it does to docker.
func (s *Server) image(ctx context.Context, n imageName) (store.ImageRow, error) {
	for _, need := range []struct{ field, value string }{{"image_name", n.name}, {"tag_name", n.tag}} {
		if need.value == "" {
			return store.ImageRow{}, breakwater.Invalid(need.field, "is needed to name an image of a registry")
		}
	}
	f := store.ImageFilter{Type: breakwater.ImageType(n.kind), Namespace: n.namespace, Name: n.name, Version: n.tag, InstanceID: n.instanceID}
	bare := f.Type == breakwater.ImageOther && n.namespace == "library"
	if bare {
		f.Namespace = "" // any; only the two spellings are kept below
	}
	rows, err := s.db.FindImages(ctx, project(ctx), f, maxSameName)
	if err != nil {
		return store.ImageRow{}, err
	}
	if bare {
		rows = keep(rows, func(r store.ImageRow) bool { return r.Namespace == "" || r.Namespace == "library" })
	}
	for _, r := range rows {
		if imageID(r.Image) == n.imageID {
			return r, nil
		}
		for _, c := range r.Children {
			if imageID(c.Image) == n.imageID {
				return store.ImageRow{Image: c.Image}, nil
			}
		}
	}
	return store.ImageRow{}, breakwater.NotFound("image")
}

// platformsOf tells which platforms of a multi-arch image hold a package
// version; nil for a plain image, where the question does not arise.
func (s *Server) platformsOf(ctx context.Context, row store.ImageRow) (map[breakwater.PackageVersion][]string, error) {
	if len(row.Children) == 0 {
		return nil, nil
	}
	out := map[breakwater.PackageVersion][]string{}
	for _, c := range row.Children {
		inv, err := s.db.Inventory(ctx, c.Digest)
		if breakwater.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		platform := c.Platform.String()
		for _, p := range inv.Packages {
			key := versionOf(p)
			if held := out[key]; len(held) == 0 || held[len(held)-1] != platform {
				out[key] = append(held, platform)
			}
		}
	}
	return out, nil
}

// versionOf is the package version that advisories judge p by.
func versionOf(p breakwater.Package) breakwater.PackageVersion {
	return breakwater.PackageVersion{Ecosystem: p.MatchEcosystem(), Name: p.MatchName(), Version: p.MatchVersion()}
}
