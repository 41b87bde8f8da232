package oci

import (
	"context"
	"slices"

	"breakwater"
)

// Pick is the image manifest to scan of the archive's image with that name, and
// the root that it came from: the only image when name is empty, beside which
// attestations, signatures and other artifacts do not count. Of several
// platforms it takes want, see Choose; also where each platform is a root of its
// own, as some builders write it.
func (a *Archive) Pick(ctx context.Context, name string, want breakwater.Platform) (Manifest, Root, error) {
	found, err := a.candidates(ctx, name)
	if err != nil {
		return Manifest{}, Root{}, err
	}
	r := found[0]
	if len(found) == 1 {
		m, err := a.Manifest(ctx, r.Digest.String())
		if err == nil {
			m, err = Choose(ctx, a, m, want)
		}
		return m, r, err
	}
	c := newChooser(a, want)
	seen := map[breakwater.Platform]bool{{}: true}
	for _, f := range found {
		if seen[normal(f.Platform)] || !slices.Equal(f.Names, r.Names) {
			return Manifest{}, Root{}, breakwater.Invalid("image", "the archive holds several images, choose one by its name: %s", list(found))
		}
		seen[normal(f.Platform)] = true
		c.add(f.Descriptor, f.Platform)
	}
	m, err := c.choose(ctx)
	if err != nil {
		return Manifest{}, Root{}, err
	}
	return m, found[slices.IndexFunc(found, func(f Root) bool { return f.Digest == m.Digest })], nil
}

// candidates is the images that a name may mean, at least one.
func (a *Archive) candidates(ctx context.Context, name string) ([]Root, error) {
	var found []Root
	for _, r := range a.roots {
		if name == "" || r.named(name) {
			found = append(found, r)
		}
	}
	if len(found) == 0 && name != "" {
		if r, ok := a.inside(ctx, name); ok {
			return []Root{r}, nil
		}
		return nil, breakwater.Errorf(breakwater.KindNotFound, "the archive holds no image of that name; it holds %s", list(a.roots))
	}
	if len(found) > 1 {
		found = slices.DeleteFunc(found, func(r Root) bool { return !a.mayBeImage(ctx, r) })
	}
	if len(found) == 0 {
		return nil, badArchive("the archive holds no container image")
	}
	return found, nil
}

// inside is an image that no root of the archive is, but that has this digest: one
// platform of an index.
func (a *Archive) inside(ctx context.Context, name string) (Root, bool) {
	d, err := breakwater.ParseDigest(name)
	if err != nil {
		return Root{}, false
	}
	m, err := a.Manifest(ctx, d.String())
	if err != nil {
		return Root{}, false
	}
	doc, err := Parse(m)
	return Root{Descriptor: Descriptor{MediaType: doc.MediaType, Digest: d, Size: int64(len(m.Body))}}, err == nil
}

// mayBeImage reads the manifest of a root whose entry does not tell what it is.
// One that cannot be read stays, so that the error is told.
func (a *Archive) mayBeImage(ctx context.Context, r Root) bool {
	if !maybeImage(r.Descriptor) {
		return false
	}
	m, err := a.Manifest(ctx, r.Digest.String())
	if err != nil {
		return true
	}
	d, err := Parse(m)
	return err != nil || d.IsIndex() || d.IsImage()
}

// Choose is m itself when it is an image manifest, and of an index the image
// for the platform want. When want is zero it is linux on this machine's
// architecture, or else the only image that the source has: archives often keep
// an index whole and hold only one of its platforms. An image that says another
// platform than a want that is not zero is refused with kind NotFound.
func Choose(ctx context.Context, src Source, m Manifest, want breakwater.Platform) (Manifest, error) {
	d, err := Parse(m)
	if err != nil {
		return Manifest{}, err
	}
	c := newChooser(src, want)
	if d.IsIndex() {
		if err := c.index(ctx, d, 1); err != nil {
			return Manifest{}, err
		}
		return c.choose(ctx)
	}
	if err := d.CheckImage(); err != nil || !c.asked {
		return m, err
	}
	config, err := ReadConfig(ctx, src, d)
	if err != nil {
		return Manifest{}, err
	}
	if has := config.Platform; has.OS+has.Architecture != "" && !matches(has, c.want) {
		return Manifest{}, coded(breakwater.Errorf(breakwater.KindNotFound, "the image is for %s, not for %s",
			printable(has.String()), printable(c.want.String())), breakwater.CodeNotFound)
	}
	return m, nil
}

// chooser collects the images of an index, of all its levels.
type chooser struct {
	src    Source
	want   breakwater.Platform
	asked  bool
	seen   map[breakwater.Digest]bool
	images []Descriptor // each with its platform
}

func newChooser(src Source, want breakwater.Platform) *chooser {
	c := &chooser{src: src, want: normal(want), asked: want != breakwater.Platform{}, seen: map[breakwater.Digest]bool{}}
	if !c.asked {
		c.want = here()
	}
	return c
}

func (c *chooser) add(d Descriptor, p breakwater.Platform) {
	d.Platform = p
	c.images = append(c.images, d)
}

// index walks an index in its order. What an entry says of its platform is
// taken for true; where it says nothing the image's config is read.
func (c *chooser) index(ctx context.Context, d Doc, level int) error {
	for _, entry := range d.Manifests {
		if c.seen[entry.Digest] || !maybeImage(entry) {
			continue
		}
		if c.seen[entry.Digest] = true; len(c.seen) > MaxChildren {
			return coded(breakwater.Errorf(breakwater.KindTooLarge, "the index has more than %d children", MaxChildren), breakwater.CodeOverSized)
		}
		if IsManifest(entry.MediaType) && entry.Platform.OS != "" && entry.Platform.Architecture != "" {
			c.add(entry, entry.Platform)
			continue
		}
		if err := c.look(ctx, entry, level); err != nil && !breakwater.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// look reads an entry that does not say enough. NotFound: it is not there.
func (c *chooser) look(ctx context.Context, entry Descriptor, level int) error {
	m, err := c.src.Manifest(ctx, entry.Digest.String())
	if err != nil {
		return err
	}
	d, err := Parse(m)
	switch {
	case err != nil:
		return err
	case d.IsIndex() && level == maxIndexLevels:
		return coded(breakwater.Errorf(breakwater.KindTooLarge, "the index nests more than %d levels", maxIndexLevels), breakwater.CodeOverSized)
	case d.IsIndex():
		return c.index(ctx, d, level+1)
	case !d.IsImage():
		return nil
	}
	config, err := ReadConfig(ctx, c.src, d)
	if err == nil && !unknownPlatform(config.Platform) {
		c.add(entry, config.Platform)
	}
	return err
}

// choose is the first image for the platform that the source has; where no
// platform was asked for, also the only one that it has.
func (c *chooser) choose(ctx context.Context) (Manifest, error) {
	absent := false
	for _, d := range c.images {
		if !matches(d.Platform, c.want) {
			continue
		}
		m, err := c.manifest(ctx, d)
		if !breakwater.IsNotFound(err) {
			return m, err
		}
		absent = true
	}
	var there []Manifest
	for _, d := range c.images {
		if c.asked || len(there) > 1 || matches(d.Platform, c.want) {
			continue
		}
		m, err := c.manifest(ctx, d)
		if err != nil && !breakwater.IsNotFound(err) {
			return Manifest{}, err
		}
		if err == nil {
			there = append(there, m)
		}
	}
	switch {
	case len(c.images) == 0:
		return Manifest{}, badArchive("the index names no container image that is there")
	case len(there) == 1:
		return there[0], nil
	case !c.asked && len(there) == 0:
		return Manifest{}, badArchive("none of the images that the index names is there")
	case absent:
		return Manifest{}, coded(breakwater.Errorf(breakwater.KindNotFound,
			"the image for %s is named and not there", printable(c.want.String())), breakwater.CodeNotFound)
	}
	return Manifest{}, coded(breakwater.Errorf(breakwater.KindNotFound,
		"there is no image for %s; there are %s", printable(c.want.String()), platforms(c.images)), breakwater.CodeNotFound)
}

func (c *chooser) manifest(ctx context.Context, d Descriptor) (Manifest, error) {
	m, err := c.src.Manifest(ctx, d.Digest.String())
	if err != nil {
		return Manifest{}, err
	}
	doc, err := Parse(m)
	if err == nil {
		err = doc.CheckImage()
	}
	return m, err
}
