package registry

import (
	"io"
	"net/http"
	"strings"

	"breakwater"
	"breakwater/internal/catalog"
	"breakwater/internal/oci"
	"breakwater/internal/store"
)

// maxTagParams is how many tags one PUT by digest may set.
const maxTagParams = 16

// pushed is a manifest on its way into the repository.
type pushed struct {
	body     []byte
	doc      oci.Doc
	tags     []string
	blobs    []breakwater.Digest // must be there
	children []breakwater.Digest // must be there
	resolved oci.Resolved
}

// putManifest takes a manifest by tag, or by digest with any number of ?tag=.
func (r *Registry) putManifest(c *call) error {
	d, err := reference(c.ref)
	if err != nil {
		return err
	}
	repo, err := r.pushable(c)
	if err != nil {
		return err
	}
	p, err := readManifest(c, d)
	if err != nil {
		return err
	}
	// What cannot be resolved is stored all the same, as something that cannot
	// be scanned: a registry takes what its clients make.
	src := source{db: r.db, blobs: r.blobs, repository: repo.ID}
	p.resolved, err = oci.Resolve(c.ctx(), src, oci.Manifest{Digest: p.doc.Digest, MediaType: p.doc.MediaType, Body: p.body})
	if breakwater.KindOf(err) == breakwater.KindInternal {
		return err // our own failure says nothing of the manifest
	}
	if err := r.write(c, func(tx *store.DB) error { return r.keep(c, tx, repo, p) }); err != nil {
		return err
	}
	h := c.w.Header()
	h.Set("Location", "/v2/"+c.path()+"/manifests/"+p.doc.Digest.String())
	h.Set("Docker-Content-Digest", p.doc.Digest.String())
	if p.doc.Subject != "" {
		h.Set("OCI-Subject", p.doc.Subject.String())
	}
	if d != "" && len(p.tags) > 0 {
		h.Set("OCI-Tag", strings.Join(p.tags, ", "))
	}
	h.Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

// readManifest reads and checks the body; d is the digest it must have, or
// empty for a push by tag.
func readManifest(c *call, d breakwater.Digest) (p pushed, err error) {
	if c.req.ContentLength > oci.MaxManifest {
		return p, errManifestSize()
	}
	p.body, err = io.ReadAll(io.LimitReader(c.req.Body, oci.MaxManifest+1))
	if err != nil {
		return p, &breakwater.Error{Kind: breakwater.KindInvalid, Code: codeSizeInvalid, Message: "the body broke off", Err: err}
	}
	if len(p.body) > oci.MaxManifest {
		return p, errManifestSize()
	}
	if d == "" {
		d = breakwater.DigestOf(p.body)
		p.tags = []string{c.ref}
	} else {
		sum := d.Hash()
		_, _ = sum.Write(p.body)
		if breakwater.DigestOfHash(d.Algorithm(), sum) != d {
			return p, ociError(breakwater.KindInvalid, codeDigestInvalid, "the manifest does not have the digest given")
		}
		if p.tags, err = tagParams(c.req.URL.Query()["tag"]); err != nil {
			return p, err
		}
	}
	p.doc, err = oci.Parse(oci.Manifest{Digest: d, MediaType: c.req.Header.Get("Content-Type"), Body: p.body})
	if err != nil {
		return p, recode(err, codeManifestInvalid)
	}
	p.blobs, p.children = needs(p.doc)
	return p, nil
}

func errManifestSize() error {
	return ociError(breakwater.KindTooLarge, codeManifestInvalid, "the manifest is larger than 4 MiB")
}

func tagParams(tags []string) ([]string, error) {
	if len(tags) > maxTagParams {
		return nil, ociError(breakwater.KindInvalid, codeTagInvalid, "too many tags")
	}
	for _, tag := range tags {
		if err := oci.CheckTag(tag); err != nil {
			return nil, recode(err, codeTagInvalid)
		}
	}
	return tags, nil
}

// needs is what the repository must hold before it takes a manifest, each
// digest once. Layers that may not be distributed stay where they are. An index
// may list things that are no manifests (build caches do): those are blobs.
func needs(d oci.Doc) (blobs, children []breakwater.Digest) {
	seen := map[breakwater.Digest]bool{}
	add := func(to *[]breakwater.Digest, d oci.Descriptor) {
		if !seen[d.Digest] {
			seen[d.Digest] = true
			*to = append(*to, d.Digest)
		}
	}
	if !d.IsIndex() {
		add(&blobs, d.Config)
	}
	for _, l := range d.Layers {
		if !strings.Contains(l.MediaType, ".nondistributable.") && !strings.Contains(l.MediaType, ".foreign.") {
			add(&blobs, l)
		}
	}
	for _, m := range d.Manifests {
		if oci.IsManifest(m.MediaType) || oci.IsIndex(m.MediaType) {
			add(&children, m)
		} else {
			add(&blobs, m)
		}
	}
	return blobs, children
}

// keep writes a manifest and its tags, and tells the catalogue, in one
// transaction. It is repeated as a whole when the database asks for that.
func (r *Registry) keep(c *call, tx *store.DB, repo breakwater.Repository, p pushed) error {
	ctx := c.ctx()
	linked, err := tx.TouchBlobs(ctx, repo.ID, p.blobs)
	if err != nil {
		return err
	}
	if linked < int64(len(p.blobs)) {
		return ociError(breakwater.KindNotFound, codeManifestBlobUnknown, "the manifest names a blob that the repository does not hold")
	}
	missing, err := tx.MissingManifests(ctx, repo.ID, p.children)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return ociError(breakwater.KindNotFound, codeManifestBlobUnknown, "the index names a manifest that the repository does not hold")
	}
	a := p.resolved.Artifact
	err = tx.PutManifest(ctx, repo.ID, store.Manifest{
		Digest: p.doc.Digest, MediaType: p.doc.MediaType, ArtifactType: p.doc.ArtifactType, Index: p.doc.IsIndex(),
		ConfigDigest: p.doc.Config.Digest, Size: max(a.Size, p.doc.Size()), Subject: p.doc.Subject, Annotations: p.doc.Annotations, Body: p.body,
	}, p.blobs, p.children)
	if err != nil {
		return err
	}
	if err := tx.TouchRepository(ctx, repo.ID); err != nil || len(p.tags) == 0 {
		return err
	}
	embedded, err := r.catalog.Embedded(ctx, tx, repo.ProjectID)
	if err != nil {
		return err
	}
	for _, tag := range p.tags {
		if err := tx.PutTag(ctx, repo.ID, tag, p.doc.Digest); err != nil {
			return err
		}
		err := r.catalog.Record(ctx, tx, catalog.Entry{
			Registry: embedded, Namespace: repo.Namespace, Name: repo.Name, Version: tag,
			Artifact: a, Children: p.resolved.Children, Updated: tx.Now(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
