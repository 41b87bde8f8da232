package oci

import (
	"context"

	"breakwater"
)

// maxIndexLevels is how deep an index may hold indexes: itself, and one level
// below. Their children count together against MaxChildren.
const maxIndexLevels = 2

// Resolved is an artifact and, for an index, what its children are.
type Resolved struct {
	Artifact breakwater.Artifact
	Children []breakwater.Artifact // the images of an index, in its order, each once
}

// Resolve turns a manifest into the facts of the catalogue: what it is, how
// large, built when and for what platform; and the same of the images of an
// index. Children that are not images (attestations, signatures, charts) are
// listed in Artifact.Children and not read. An image inside an index inside
// the index stands among the children as if it were listed there.
//
// A child that the registry does not hold stays in the answer with what the
// index says of it, so that its scan fails and says so. On any error the
// Artifact still has the digest and the media type: a schema 1 or malformed
// manifest can be shown as present and unscannable.
func Resolve(ctx context.Context, src Source, m Manifest) (Resolved, error) {
	if m.Digest == "" {
		m.Digest = breakwater.DigestOf(m.Body)
	}
	known := breakwater.Artifact{Digest: m.Digest, MediaType: bareType(m.MediaType)}
	d, err := Parse(m)
	if err != nil {
		return Resolved{Artifact: known}, err
	}
	known.MediaType, known.ArtifactType, known.Subject = d.MediaType, d.ArtifactType, d.Subject
	r := &resolver{src: src, seen: map[breakwater.Digest]bool{d.Digest: true}}
	if !d.IsIndex() {
		a, err := r.image(ctx, d)
		if err != nil {
			return Resolved{Artifact: known}, err
		}
		return Resolved{Artifact: a}, nil
	}
	if err := r.index(ctx, d, 1); err != nil {
		return Resolved{Artifact: known}, err
	}
	a := known
	a.Children, a.Scannable = r.children, len(r.images) > 0
	for _, image := range r.images {
		a.Size += image.Size
		if image.Created.After(a.Created) {
			a.Created = image.Created
		}
	}
	return Resolved{Artifact: a, Children: r.images}, nil
}

type resolver struct {
	src      Source
	seen     map[breakwater.Digest]bool // every manifest and index met so far: no cycle, no double
	listed   int
	children []breakwater.Child
	images   []breakwater.Artifact
}

// index walks the entries of one index in order.
func (r *resolver) index(ctx context.Context, d Doc, level int) error {
	r.listed += len(d.Manifests)
	if r.listed > MaxChildren {
		return coded(breakwater.Errorf(breakwater.KindTooLarge, "the index has more than %d children", MaxChildren), breakwater.CodeOverSized)
	}
	for _, entry := range d.Manifests {
		if r.seen[entry.Digest] {
			continue
		}
		r.seen[entry.Digest] = true
		if err := r.entry(ctx, entry, level); err != nil {
			return err
		}
	}
	return nil
}

func (r *resolver) entry(ctx context.Context, entry Descriptor, level int) error {
	child := breakwater.Child{Digest: entry.Digest, Platform: entry.Platform}
	if !maybeImage(entry) {
		r.children = append(r.children, child)
		return nil
	}
	d, err := r.read(ctx, entry)
	if breakwater.IsNotFound(err) {
		child.Image = true
		r.children = append(r.children, child)
		r.images = append(r.images, missing(entry))
		return nil
	}
	if err != nil {
		return err
	}
	if d.IsIndex() {
		if level == maxIndexLevels {
			return coded(breakwater.Errorf(breakwater.KindTooLarge, "the index nests more than %d levels", maxIndexLevels), breakwater.CodeOverSized)
		}
		return r.index(ctx, d, level+1)
	}
	a, err := r.image(ctx, d)
	if err != nil {
		return err
	}
	child.Image = a.Scannable
	if child.Image {
		// The config is what runs; the index only repeats it, or should.
		if child.Platform == (breakwater.Platform{}) {
			child.Platform = a.Platform
		}
		r.images = append(r.images, a)
	}
	r.children = append(r.children, child)
	return nil
}

func (r *resolver) read(ctx context.Context, entry Descriptor) (Doc, error) {
	m, err := r.src.Manifest(ctx, string(entry.Digest))
	if err != nil {
		return Doc{}, err
	}
	return Parse(m)
}

// image describes one manifest, reading its config when it has an image's.
func (r *resolver) image(ctx context.Context, d Doc) (breakwater.Artifact, error) {
	a := breakwater.Artifact{
		Digest: d.Digest, MediaType: d.MediaType, ArtifactType: d.ArtifactType,
		Size: d.Size(), Subject: d.Subject,
	}
	if !d.IsImage() {
		return a, nil
	}
	c, err := ReadConfig(ctx, r.src, d)
	if breakwater.IsNotFound(err) {
		// The image is there and damaged, which is not the same as gone.
		err = badManifest("the registry holds the manifest of the image and not its config")
	}
	if err != nil {
		return breakwater.Artifact{}, err
	}
	a.ConfigDigest, a.Platform, a.Created, a.Scannable = d.Config.Digest, c.Platform, c.Created, true
	if unknownPlatform(c.Platform) {
		a.Scannable = false
	}
	return a, nil
}

// maybeImage tells from an index entry alone what is surely not an image.
// BuildKit marks its attestations with an annotation and a platform that says
// unknown; other artifacts say their type.
func maybeImage(entry Descriptor) bool {
	if !IsManifest(entry.MediaType) && !IsIndex(entry.MediaType) {
		return false
	}
	if _, refers := entry.Annotations["vnd.docker.reference.type"]; refers {
		return false
	}
	if unknownPlatform(entry.Platform) {
		return false
	}
	return entry.ArtifactType == "" || isImageConfig(entry.ArtifactType)
}

func unknownPlatform(p breakwater.Platform) bool {
	return p.OS == "unknown" && p.Architecture == "unknown"
}

// missing is a child that its index names and the registry does not hold.
func missing(entry Descriptor) breakwater.Artifact {
	return breakwater.Artifact{
		Digest: entry.Digest, MediaType: entry.MediaType, Size: entry.Size,
		Platform: entry.Platform, Scannable: true,
	}
}
