package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"

	"breakwater"
	"breakwater/internal/oci"
)

// remote is the child's side: the desk as a Source and as a Cache.
type remote struct {
	base  string
	token string
	http  *http.Client
	now   atomic.Pointer[order] // the task at hand
}

var (
	_ oci.Source = (*remote)(nil)
	_ Cache      = (*remote)(nil)
)

// errGone is the desk's way to say that the child may go.
var errGone = errors.New("the parent has nothing more to do")

func newRemote(ep Endpoint) (*remote, error) {
	network, address, base, err := ep.address()
	if err != nil {
		return nil, err
	}
	// The read buffer also bounds the trailer of a blob.
	t := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16, ReadBufferSize: blobBuffer, WriteBufferSize: blobBuffer}
	if network != "" {
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
	}
	return &remote{base: base, token: ep.Token, http: &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// do asks the desk and answers what is a success; anything else is an error.
func (r *remote) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	res, err := r.http.Do(req)
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindUnavailable, err, "the parent process does not answer")
	}
	switch {
	case res.StatusCode/100 == 2:
		return res, nil
	case res.StatusCode == http.StatusGone:
		_ = res.Body.Close()
		return nil, errGone
	}
	defer func() { _ = res.Body.Close() }()
	return nil, readFault(res)
}

// next waits for a task; errGone when there will be none.
func (r *remote) next(ctx context.Context) (order, error) {
	for {
		res, err := r.do(ctx, http.MethodGet, "/task", nil)
		if err != nil {
			return order{}, err
		}
		var o order
		if res.StatusCode == http.StatusOK {
			err = json.NewDecoder(io.LimitReader(res.Body, maxTask)).Decode(&o)
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxTask))
		_ = res.Body.Close()
		if err != nil || o.ID != "" {
			return o, err
		}
	}
}

// at is a path below the task at hand.
func (r *remote) at(path string) string {
	id := "none"
	if o := r.now.Load(); o != nil {
		id = o.ID
	}
	return "/task/" + id + path
}

func (r *remote) post(ctx context.Context, path string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	res, err := r.do(ctx, http.MethodPost, r.at(path), body)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// leash calls gone when the desk does not hold the connection any more.
func (r *remote) leash(ctx context.Context, gone func()) {
	res, err := r.do(ctx, http.MethodGet, "/leash", nil)
	if err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
	}
	if ctx.Err() == nil {
		gone()
	}
}

// Manifest implements oci.Source; the desk has only the task's.
func (r *remote) Manifest(ctx context.Context, ref string) (oci.Manifest, error) {
	res, err := r.do(ctx, http.MethodGet, r.at("/manifest/"+url.PathEscape(ref)), nil)
	if err != nil {
		return oci.Manifest{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, oci.MaxManifest+1))
	if err != nil {
		return oci.Manifest{}, err
	}
	d, err := breakwater.ParseDigest(res.Header.Get(headerDigest))
	return oci.Manifest{Digest: d, MediaType: res.Header.Get("Content-Type"), Body: body}, err
}

// Blob implements oci.Source. The parent verifies the bytes, and says so at the end.
func (r *remote) Blob(ctx context.Context, d breakwater.Digest, _ int64) (io.ReadCloser, error) {
	res, err := r.do(ctx, http.MethodGet, r.at("/blob/"+d.String()), nil)
	if err != nil {
		return nil, err
	}
	return &blobReader{res: res}, nil
}

// blobReader turns the end of a body into what its trailer says.
type blobReader struct {
	res *http.Response
	err error
}

func (b *blobReader) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.res.Body.Read(p)
	switch {
	case err == io.EOF:
		b.err = b.end()
	case err != nil:
		b.err = breakwater.Wrap(breakwater.KindUnavailable, err, "the parent process broke off")
	}
	return n, b.err
}

func (b *blobReader) end() error {
	said := b.res.Trailer.Get(headerEnd)
	if said == endOK {
		return io.EOF
	}
	var f fault
	if err := json.Unmarshal([]byte(said), &f); err != nil || f == (fault{}) {
		return breakwater.Errorf(breakwater.KindUnavailable, "the parent process broke off")
	}
	return f.err()
}

func (b *blobReader) Close() error { return b.res.Body.Close() }

// Get implements Cache. It waits while another child finds the facts out.
func (r *remote) Get(ctx context.Context, key string) ([]byte, error) {
	res, err := r.do(ctx, http.MethodGet, r.at("/facts?key="+url.QueryEscape(key)), nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxFacts+1))
	if err == nil && len(b) > maxFacts {
		err = breakwater.Errorf(breakwater.KindTooLarge, "the facts of one layer are too large")
	}
	return b, err
}

// Put implements Cache.
func (r *remote) Put(ctx context.Context, key string, b []byte) error {
	res, err := r.do(ctx, http.MethodPut, r.at("/facts?key="+url.QueryEscape(key)), b)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
