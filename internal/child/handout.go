package child

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	"breakwater"
	"breakwater/internal/oci"
)

// manifest hands out the manifest of the task. The first time it is read from
// the Source; what it names decides about all other requests.
func (d *Desk) manifest(ctx context.Context, q request) error {
	if q.r.PathValue("digest") != q.Digest.String() {
		return breakwater.NotFound("manifest")
	}
	m, err := q.errand.manifest(ctx)
	if err != nil {
		return err
	}
	h := q.w.Header()
	h.Set("Content-Type", m.MediaType)
	h.Set(headerDigest, m.Digest.String())
	h.Set("Content-Length", strconv.Itoa(len(m.Body)))
	_, _ = q.w.Write(m.Body)
	return nil
}

func (e *errand) manifest(ctx context.Context) (oci.Manifest, error) {
	e.docMu.Lock()
	defer e.docMu.Unlock()
	if e.read {
		return e.body, nil
	}
	m, err := e.source.Manifest(ctx, e.Digest.String())
	if err != nil {
		return oci.Manifest{}, err
	}
	e.body, e.read = m, true
	doc, err := oci.Parse(m)
	if err != nil || doc.Digest != e.Digest {
		return m, nil // the scan says what is wrong with it; no blob is handed out
	}
	e.doc = doc
	for _, b := range append(doc.Layers, doc.Config) {
		e.sizes[b.Digest] = b.Size
	}
	return m, nil
}

// size is that of a blob which the manifest names.
func (e *errand) size(d breakwater.Digest) (int64, bool) {
	e.docMu.Lock()
	defer e.docMu.Unlock()
	n, ok := e.sizes[d]
	return n, ok
}

var buffers = sync.Pool{New: func() any { b := make([]byte, blobBuffer); return &b }}

// blob streams a blob that the manifest names.
func (d *Desk) blob(ctx context.Context, q request) error {
	digest, err := breakwater.ParseDigest(q.r.PathValue("digest"))
	if err != nil {
		return err
	}
	size, named := q.size(digest)
	if !named {
		return breakwater.NotFound("blob")
	}
	d.opts.Claims.reading(q.errand, digest, +1)
	defer d.opts.Claims.reading(q.errand, digest, -1)
	rc, err := q.source.Blob(ctx, digest, size)
	if err != nil {
		return err
	}
	defer func() { _ = rc.Close() }()
	h := q.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Trailer", headerEnd)
	q.w.WriteHeader(http.StatusOK)
	buf := buffers.Get().(*[]byte)
	defer buffers.Put(buf)
	written, err := copyBlob(q.w, rc, *buf)
	switch {
	case errors.Is(err, errReceiver):
		return nil // the child closed the stream, as it may
	case err == nil && written != size:
		err = breakwater.Errorf(breakwater.KindUnavailable, "the blob has another size than its manifest says")
	}
	h.Set(headerEnd, ending(err))
	return nil
}

var errReceiver = errors.New("the receiver is gone")

// copyBlob is io.Copy that tells the two sides' errors apart, and that is not
// lured into small pieces by the writer's own ReadFrom.
func copyBlob(w io.Writer, r io.Reader, buf []byte) (written int64, err error) {
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return written, errReceiver
			}
			written += int64(n)
		}
		if err == io.EOF {
			return written, nil
		}
		if err != nil {
			return written, err
		}
	}
}

// ending is the trailer of a blob: one line, as json.Marshal writes it.
func ending(err error) string {
	if err == nil {
		return endOK
	}
	f := faultOf(err)
	f.Detail = cut(f.Detail, maxMessage)
	b, err := json.Marshal(f)
	if err != nil {
		return "{}"
	}
	return string(b)
}

// getFacts answers what the cache holds, and else gives the claim on it.
func (d *Desk) getFacts(ctx context.Context, q request) error {
	key, layer, err := d.key(q)
	if err != nil {
		return err
	}
	if d.opts.Cache == nil {
		return breakwater.NotFound("layer facts")
	}
	if err := d.opts.Claims.acquire(ctx, q.errand, key, layer); err != nil {
		return err
	}
	release, err := hold(ctx, q.heavy)
	if err != nil {
		return err
	}
	defer release()
	b, err := d.opts.Cache.Get(ctx, key)
	if err != nil {
		if !breakwater.IsNotFound(err) {
			d.opts.Claims.release(q.errand, key)
		}
		return err
	}
	d.opts.Claims.release(q.errand, key)
	q.w.Header().Set("Content-Type", "application/octet-stream")
	q.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = q.w.Write(b)
	return nil
}

// putFacts keeps the facts of a layer of this image that were asked for before.
func (d *Desk) putFacts(ctx context.Context, q request) error {
	key, _, err := d.key(q)
	if err != nil {
		return err
	}
	if d.opts.Cache == nil {
		q.w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if !d.opts.Claims.mayPut(q.errand, key) {
		return breakwater.Errorf(breakwater.KindForbidden, "the facts were not asked for")
	}
	defer d.opts.Claims.release(q.errand, key)
	release, err := hold(ctx, q.heavy)
	if err != nil {
		return err
	}
	defer release()
	body, err := readBody(q, maxFacts)
	if err != nil {
		return err
	}
	if err := d.opts.Cache.Put(ctx, key, body); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

// key is the cache key that a request names, and its layer, one of the image's.
func (d *Desk) key(q request) (string, breakwater.Digest, error) {
	key := q.r.URL.Query().Get("key")
	layer, err := layerOfKey(key, d.opts.Version)
	if err != nil {
		return "", "", err
	}
	q.docMu.Lock()
	layers := len(q.doc.Layers)
	named := false
	for _, l := range q.doc.Layers {
		named = named || l.Digest == layer
	}
	q.docMu.Unlock()
	if !named {
		return "", "", breakwater.Errorf(breakwater.KindForbidden, "the image has no such layer")
	}
	if !d.opts.Claims.room(q.errand, key, maxKeys*layers) {
		return "", "", breakwater.Errorf(breakwater.KindTooLarge, "too many cache keys")
	}
	return key, layer, nil
}

func readBody(q request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(q.w, q.r.Body, limit))
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return nil, breakwater.Errorf(breakwater.KindTooLarge, "the request is larger than %d bytes", limit)
	}
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInvalid, err, "the request broke off")
	}
	return body, nil
}

// result ends the task with its facts, or with what is wrong with them.
func (d *Desk) result(ctx context.Context, q request) error {
	release, err := hold(ctx, q.last)
	if err != nil {
		return err
	}
	defer release()
	inv, err := d.readResult(q)
	q.settled()
	q.finish(outcome{inventory: inv, err: err})
	if err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *Desk) readResult(q request) (inv breakwater.Inventory, err error) {
	body, err := readBody(q, d.opts.Result)
	if err == nil {
		err = decodeFrugal(body, &inv, maxInMemory)
	}
	if breakwater.KindOf(err) == breakwater.KindTooLarge {
		return breakwater.Inventory{}, coded(breakwater.CodeOverSized, breakwater.Wrap(breakwater.KindTooLarge, err, "the results of the scan are larger than the limit"))
	}
	if err != nil {
		return breakwater.Inventory{}, nonsense(err.Error())
	}
	q.docMu.Lock()
	doc, read := q.doc, q.read
	q.docMu.Unlock()
	if !read {
		return breakwater.Inventory{}, nonsense("the manifest was not read")
	}
	if err := checkInventory(&inv, q.Digest, doc); err != nil {
		return breakwater.Inventory{}, err
	}
	return inv, nil
}

// fault ends the task with the child's error.
func (d *Desk) fault(ctx context.Context, q request) error {
	release, err := hold(ctx, q.last)
	if err != nil {
		return err
	}
	defer release()
	body, err := readBody(q, maxFault)
	var f fault
	if err == nil {
		err = json.Unmarshal(body, &f)
	}
	q.settled()
	if err != nil {
		q.finish(outcome{err: nonsense("its error is none")})
		return breakwater.Wrap(breakwater.KindInvalid, err, "the error is not the JSON it should be")
	}
	q.finish(outcome{err: childError{f.err(), f.Retire}})
	q.w.WriteHeader(http.StatusNoContent)
	return nil
}

func coded(code breakwater.ScanCode, e *breakwater.Error) *breakwater.Error {
	e.Code = string(code)
	return e
}
