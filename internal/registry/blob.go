package registry

import (
	"context"
	"net/http"
	"time"

	"breakwater"
	"breakwater/internal/store"
)

// getBlob answers GET and HEAD. Ranges, conditions and sendfile are net/http's.
func (r *Registry) getBlob(c *call) error {
	repo, err := r.pullable(c)
	if err != nil {
		return err
	}
	d, err := breakwater.ParseDigest(c.ref)
	if err != nil {
		return recode(err, codeDigestInvalid)
	}
	_, linked, err := r.db.LinkedBlob(c.ctx(), repo.ID, d)
	if err != nil {
		return recode(err, codeBlobUnknown)
	}
	if c.req.Method == http.MethodHead {
		if err := r.renew(c, repo, d, linked); err != nil {
			return err
		}
	}
	f, _, err := r.blobs.Open(c.ctx(), d)
	if err != nil {
		return recode(err, codeBlobUnknown)
	}
	defer func() { _ = f.Close() }()
	h := c.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Docker-Content-Digest", d.String())
	h.Set("ETag", `"`+d.String()+`"`)
	http.ServeContent(c.w, c.req, "", time.Time{}, f)
	return nil
}

// renew keeps GC from a blob that somebody is about to name in a manifest: a
// client that is told "already there" does not send it. A link is renewed when
// half its grace is over, so that this rarely writes.
func (r *Registry) renew(c *call, repo breakwater.Repository, d breakwater.Digest, linked time.Time) error {
	if r.opts.Now().Sub(linked) < r.opts.Grace/2 || repo.ProjectID != c.who.projectID || r.allow(c, actionPush) != nil {
		return nil
	}
	n, err := r.db.TouchBlobs(c.ctx(), repo.ID, []breakwater.Digest{d})
	if err == nil && n == 0 {
		err = ociError(breakwater.KindNotFound, codeBlobUnknown, "blob not found")
	}
	return err
}

// deleteBlob unlinks a blob from the repository; its bytes go with GC, once no
// repository needs them.
func (r *Registry) deleteBlob(c *call) error {
	repo, err := r.owned(c, actionDelete)
	if err != nil {
		return err
	}
	d, err := breakwater.ParseDigest(c.ref)
	if err != nil {
		return recode(err, codeDigestInvalid)
	}
	err = r.db.UnlinkBlob(c.ctx(), repo.ID, d)
	if breakwater.KindOf(err) == breakwater.KindConflict {
		return recode(err, codeDenied)
	}
	if err != nil {
		return recode(err, codeBlobUnknown)
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

// link lets a repository serve bytes that are in place. It holds the blob's row
// and then looks for the bytes, so that GC cannot have them half removed.
func (r *Registry) link(ctx context.Context, repositoryID int64, d breakwater.Digest, size int64) error {
	return r.db.Tx(ctx, func(tx *store.DB) error {
		if err := tx.LinkBlob(ctx, repositoryID, d, size); err != nil {
			return err
		}
		_, err := r.blobs.Stat(ctx, d)
		if breakwater.IsNotFound(err) {
			return ociError(breakwater.KindUnavailable, codeUnavailable, "the blob was being removed, send it again")
		}
		return err
	})
}

// mountable is the size of a blob that may be linked without being sent:
// from a repository that the caller may pull, or, when none is named, from any.
func (r *Registry) mountable(c *call, from string, d breakwater.Digest) (size int64, ok bool, err error) {
	if from == "" {
		size, err = r.db.PullableBlob(c.ctx(), c.who.projectID, d)
	} else {
		size, err = r.blobOf(c, from, d)
	}
	switch breakwater.KindOf(err) {
	case "":
		return size, true, nil
	case breakwater.KindNotFound, breakwater.KindInvalid:
		return 0, false, nil // then the client sends the blob
	}
	return 0, false, err
}

// blobOf looks into one repository that the caller's project may pull from. The
// token's scopes name the target only, as those of most clients do.
func (r *Registry) blobOf(c *call, from string, d breakwater.Digest) (int64, error) {
	namespace, repository, err := splitName(from)
	if err != nil {
		return 0, err
	}
	repo, err := r.db.VisibleRepository(c.ctx(), c.who.projectID, namespace, repository)
	if err != nil {
		return 0, err
	}
	size, _, err := r.db.LinkedBlob(c.ctx(), repo.ID, d)
	return size, err
}
