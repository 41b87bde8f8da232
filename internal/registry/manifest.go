package registry

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"breakwater"
	"breakwater/internal/oci"
	"breakwater/internal/store"
)

// getManifest answers GET and HEAD by tag or digest. GET counts as a download.
func (r *Registry) getManifest(c *call) error {
	repo, err := r.pullable(c)
	if err != nil {
		return err
	}
	m, err := r.manifest(c, repo.ID)
	if err != nil {
		return err
	}
	h := c.w.Header()
	etag := `"` + m.Digest.String() + `"`
	h.Set("Content-Type", m.MediaType)
	h.Set("Docker-Content-Digest", m.Digest.String())
	h.Set("ETag", etag)
	if c.req.Header.Get("If-None-Match") == etag {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Length", strconv.FormatInt(m.BodySize, 10))
	c.w.WriteHeader(http.StatusOK)
	if c.req.Method == http.MethodHead {
		return nil
	}
	r.downloads.add(repo.ID)
	_, _ = c.w.Write(m.Body)
	return nil
}

func (r *Registry) manifest(c *call, repositoryID int64) (m store.Manifest, err error) {
	d, err := reference(c.ref)
	if err != nil {
		return m, err
	}
	if d != "" { // who asks for exact bytes gets them
		m, err = r.db.ManifestByDigest(c.ctx(), repositoryID, d)
		return m, recode(err, codeManifestUnknown)
	}
	m, err = r.db.ManifestByTag(c.ctx(), repositoryID, c.ref)
	if err != nil {
		return m, recode(err, codeManifestUnknown)
	}
	if !accepts(c.req.Header.Values("Accept"), m.MediaType) {
		return m, ociError(breakwater.KindNotFound, codeManifestUnknown, "the tag names a manifest of a type that the request does not accept: "+m.MediaType)
	}
	return m, nil
}

// reference is what stands after /manifests/: a digest, or a tag (then d is empty).
func reference(ref string) (d breakwater.Digest, err error) {
	if strings.Contains(ref, ":") {
		d, err = breakwater.ParseDigest(ref)
		return d, recode(err, codeDigestInvalid)
	}
	return "", recode(oci.CheckTag(ref), codeTagInvalid)
}

// accepts reports whether Accept headers admit a media type. Without any, and
// with those of clients that only say "JSON", everything is admitted.
func accepts(headers []string, mediaType string) bool {
	said := false
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			t, params, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			if q, err := strconv.ParseFloat(params["q"], 64); err == nil && q == 0 {
				continue
			}
			said = true
			switch t {
			case mediaType, "*/*", "application/*", "application/json":
				return true
			}
		}
	}
	return !said
}

// deleteManifest removes a tag, or a manifest with every tag that names it.
func (r *Registry) deleteManifest(c *call) error {
	repo, err := r.owned(c, actionDelete)
	if err != nil {
		return err
	}
	d, err := reference(c.ref)
	if err != nil {
		return err
	}
	err = r.db.Tx(c.ctx(), func(tx *store.DB) error {
		tags := []string{c.ref}
		if d != "" {
			tags, err = tx.DeleteManifest(c.ctx(), repo.ID, d)
		} else {
			err = tx.DeleteTag(c.ctx(), repo.ID, c.ref)
		}
		if err != nil || len(tags) == 0 {
			return recode(err, codeManifestUnknown)
		}
		embedded, err := r.catalog.Embedded(c.ctx(), tx, repo.ProjectID)
		if err != nil {
			return err
		}
		for _, tag := range tags {
			if err := r.catalog.Forget(c.ctx(), tx, embedded, repo.Namespace, repo.Name, tag); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}
