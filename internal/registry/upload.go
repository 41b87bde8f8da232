package registry

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"breakwater"
	"breakwater/internal/blob"
)

// startUpload is POST: a mount, a whole blob at once, or a new session.
func (r *Registry) startUpload(c *call) error {
	repo, err := r.pushable(c)
	if err != nil {
		return err
	}
	q := c.req.URL.Query()
	if mount := q.Get("mount"); mount != "" {
		d, err := breakwater.ParseDigest(mount)
		if err != nil {
			return recode(err, codeDigestInvalid)
		}
		size, ok, err := r.mountable(c, q.Get("from"), d)
		if err != nil {
			return err
		}
		if ok {
			if err := r.link(c.ctx(), repo.ID, d, size); err != nil {
				return err
			}
			return blobCreated(c, d)
		}
	}
	id := breakwater.NewID(breakwater.PrefixUpload)
	up, err := r.session(repo, id)
	if err != nil {
		return err
	}
	digest := q.Get("digest")
	if digest != "" && q.Get("mount") == "" {
		return r.wholeUpload(c, repo, up, digest)
	}
	if err := up.Create(c.ctx()); err != nil {
		return err
	}
	return uploadStatus(c, id, 0, http.StatusAccepted)
}

// session is the upload of a repository by its id. The file's name holds the
// repository, so that an id is worth nothing anywhere else.
func (r *Registry) session(repo breakwater.Repository, id string) (blob.Upload, error) {
	if !strings.HasPrefix(id, breakwater.PrefixUpload) {
		return nil, errUploadUnknown()
	}
	up, err := r.blobs.Upload(strconv.FormatInt(repo.ID, 10) + "-" + id)
	if err != nil {
		return nil, errUploadUnknown()
	}
	return up, nil
}

// wholeUpload takes a blob in the body of the POST. Nothing is left of one that
// fails, for the client was told of no session.
func (r *Registry) wholeUpload(c *call, repo breakwater.Repository, up blob.Upload, digest string) error {
	d, err := breakwater.ParseDigest(digest)
	if err != nil {
		return recode(err, codeDigestInvalid)
	}
	if err := r.checkLength(c, 0); err != nil {
		return err
	}
	if err := up.Create(c.ctx()); err != nil {
		return err
	}
	_, err = up.Append(c.ctx(), 0, c.req.Body, r.opts.MaxBlob)
	if err != nil {
		_ = up.Abort(c.ctx())
		return uploadError(err)
	}
	return r.finish(c, repo, up, d)
}

func (r *Registry) statUpload(c *call) error {
	_, up, err := r.openUpload(c)
	if err != nil {
		return err
	}
	size, err := up.Size(c.ctx())
	if err != nil {
		return recode(err, codeBlobUploadUnknown)
	}
	return uploadStatus(c, c.ref, size, http.StatusNoContent)
}

func (r *Registry) cancelUpload(c *call) error {
	_, up, err := r.openUpload(c)
	if err != nil {
		return err
	}
	if err := up.Abort(c.ctx()); err != nil {
		return recode(err, codeBlobUploadUnknown)
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (r *Registry) patchUpload(c *call) error {
	_, up, err := r.openUpload(c)
	if err != nil {
		return err
	}
	size, err := r.receive(c, up)
	if err != nil {
		return err
	}
	return uploadStatus(c, c.ref, size, http.StatusAccepted)
}

// putUpload takes the rest of the bytes, if any, and the digest of all.
func (r *Registry) putUpload(c *call) error {
	repo, up, err := r.openUpload(c)
	if err != nil {
		return err
	}
	d, err := breakwater.ParseDigest(c.req.URL.Query().Get("digest"))
	if err != nil {
		return recode(err, codeDigestInvalid)
	}
	if c.req.ContentLength != 0 {
		if _, err := r.receive(c, up); err != nil {
			return err
		}
	}
	return r.finish(c, repo, up, d)
}

func (r *Registry) openUpload(c *call) (repo breakwater.Repository, up blob.Upload, err error) {
	if repo, err = r.owned(c, actionPush); err != nil {
		return repo, nil, err
	}
	up, err = r.session(repo, c.ref)
	return repo, up, err
}

// receive appends the body where its Content-Range says, or at the end.
func (r *Registry) receive(c *call, up blob.Upload) (int64, error) {
	size, err := up.Size(c.ctx())
	if err != nil {
		return 0, recode(err, codeBlobUploadUnknown)
	}
	body := io.Reader(c.req.Body)
	if header := c.req.Header.Get("Content-Range"); header != "" {
		first, last, ok := contentRange(header)
		if !ok {
			return 0, ociError(breakwater.KindInvalid, codeBlobUploadInvalid, "the Content-Range cannot be read")
		}
		length := last - first + 1
		if c.req.ContentLength >= 0 && c.req.ContentLength != length {
			return 0, ociError(breakwater.KindInvalid, codeSizeInvalid, "the body does not have the length of its Content-Range")
		}
		if first != size {
			return 0, wrongOffset(c, size)
		}
		body = &exactReader{r: body, left: length}
	}
	if err := r.checkLength(c, size); err != nil {
		return 0, err
	}
	after, err := up.Append(c.ctx(), size, body, r.opts.MaxBlob)
	if errors.Is(err, blob.ErrOffset) { // another request was faster
		return 0, wrongOffset(c, after)
	}
	return after, uploadError(err)
}

// checkLength refuses what is over the limit before a byte of it is read.
func (r *Registry) checkLength(c *call, size int64) error {
	if c.req.ContentLength > r.opts.MaxBlob-size {
		return ociError(breakwater.KindTooLarge, codeSizeInvalid, "the blob is larger than the registry takes")
	}
	return nil
}

// finish checks the digest, puts the blob in place and links it.
func (r *Registry) finish(c *call, repo breakwater.Repository, up blob.Upload, d breakwater.Digest) error {
	size, err := up.Finish(c.ctx(), d)
	if errors.Is(err, blob.ErrDigest) {
		_ = up.Abort(c.ctx()) // no more bytes can make it right
		return recode(err, codeDigestInvalid)
	}
	if err != nil {
		return uploadError(err)
	}
	if err := r.link(c.ctx(), repo.ID, d, size); err != nil {
		return err
	}
	return blobCreated(c, d)
}

func blobCreated(c *call, d breakwater.Digest) error {
	h := c.w.Header()
	h.Set("Location", "/v2/"+c.path()+"/blobs/"+d.String())
	h.Set("Docker-Content-Digest", d.String())
	h.Set("Content-Length", "0")
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

// uploadStatus tells where a session continues. Range counts inclusively, so
// that an empty session and one of a single byte look alike, as they do in
// every registry.
func uploadStatus(c *call, id string, size int64, status int) error {
	h := c.w.Header()
	h.Set("Location", "/v2/"+c.path()+"/blobs/uploads/"+id)
	h.Set("Docker-Upload-UUID", id)
	h.Set("Range", "0-"+strconv.FormatInt(max(size-1, 0), 10))
	if status != http.StatusNoContent {
		h.Set("Content-Length", "0")
	}
	c.w.WriteHeader(status)
	return nil
}

func errUploadUnknown() error {
	return ociError(breakwater.KindNotFound, codeBlobUploadUnknown, "the upload is not known to the registry")
}

// wrongOffset is 416 with where the client should continue.
func wrongOffset(c *call, size int64) error {
	return &httpError{
		err: ociError(breakwater.KindInvalid, codeBlobUploadInvalid, "the bytes do not follow those already there"), status: http.StatusRequestedRangeNotSatisfiable,
		header: http.Header{
			"Range":    {"0-" + strconv.FormatInt(max(size-1, 0), 10)},
			"Location": {"/v2/" + c.path() + "/blobs/uploads/" + c.ref},
		},
	}
}

// uploadError gives the failures of blob their codes. A body that breaks off is
// the client's failure, and what came of it stays for a resumed upload.
func uploadError(err error) error {
	switch breakwater.KindOf(err) {
	case "":
		return nil
	case breakwater.KindNotFound:
		return errUploadUnknown()
	case breakwater.KindTooLarge:
		return recode(err, codeSizeInvalid)
	case breakwater.KindConflict:
		return recode(err, codeBlobUploadInvalid)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &breakwater.Error{Kind: breakwater.KindInvalid, Code: codeSizeInvalid, Message: "the body broke off", Err: err}
	}
	return err
}

// contentRange reads "first-last", with or without "bytes " before it and a
// total behind.
func contentRange(s string) (first, last int64, ok bool) {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "bytes "), "bytes=")
	s, _, _ = strings.Cut(s, "/")
	a, b, ok := strings.Cut(s, "-")
	x, err1 := strconv.ParseUint(a, 10, 62)
	y, err2 := strconv.ParseUint(b, 10, 62)
	return int64(x), int64(y), ok && err1 == nil && err2 == nil && x <= y
}

// exactReader passes on exactly left bytes: an early end is an error, and what
// follows them is not read.
type exactReader struct {
	r    io.Reader
	left int64
}

func (e *exactReader) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > e.left {
		p = p[:e.left]
	}
	n, err := e.r.Read(p)
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
