package oci

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"breakwater"
)

// maxSmall bounds an answer whose body nobody reads.
const maxSmall = 1 << 20

// call is one small request below the base: it may be tried again, and its
// whole body is read.
type call struct {
	method string // GET when empty
	path   string // escaped, after the base
	query  string // encoded
	accept string
	scope  string // of the token it needs
	limit  int64  // of the body
}

// answered is a success with its body.
type answered struct {
	Header http.Header
	Body   []byte
}

// Get fetches a small document below the base, for interfaces beside the
// registry protocol. The path is escaped already; the body is at most limit
// bytes. Temporary failures are tried again.
func (c *Client) Get(ctx context.Context, escapedPath, query string, limit int64) (http.Header, []byte, error) {
	a, err := c.fetch(ctx, call{path: escapedPath, query: query, accept: "application/json", limit: limit})
	return a.Header, a.Body, err
}

// fetch does a call: with the sign-in known so far, once more with what a
// challenge asks for, and all of it again while the failure is temporary.
func (c *Client) fetch(ctx context.Context, in call) (answered, error) {
	method := in.method
	if method == "" {
		method = http.MethodGet
	}
	header := http.Header{}
	if in.accept != "" {
		header.Set("Accept", in.accept)
	}
	u := c.url(in.path, in.query)
	return signed(ctx, c, in.scope, func(authorization string) (answered, error) {
		return retry(ctx, c, func() (answered, error) {
			return c.attempt(ctx, method, u, header, authorization, in.limit)
		})
	})
}

// challenged carries a 401 and what it asked for up to signed.
type challenged struct {
	error
	asked challenge
}

func (e challenged) Unwrap() error { return e.error }

// signed runs do with the authorization known so far and, when that is
// challenged, once more with the answer to the challenge.
func signed[T any](ctx context.Context, c *Client, scope string, do func(authorization string) (T, error)) (T, error) {
	var none T
	authorization, err := c.authorization(ctx, scope)
	if err != nil {
		return none, err
	}
	a, err := do(authorization)
	var ch challenged
	if !errors.As(err, &ch) {
		return a, err
	}
	second, err := c.answer(ctx, ch.asked, scope)
	if err != nil {
		return none, err
	}
	if second == authorization { // it was refused just now
		return none, ch.error
	}
	a, err = do(second)
	if errors.As(err, &ch) {
		err = ch.error
	}
	return a, err
}

// retry runs try until it succeeds, fails for good, or was tried enough.
func retry[T any](ctx context.Context, c *Client, try func() (T, error)) (T, error) {
	var none T
	for n := 1; ; n++ {
		a, err := try()
		var t temporary
		if err == nil || !errors.As(err, &t) {
			return a, err
		}
		if n >= c.opts.Attempts || t.after > maxRetryAfter {
			return none, t.error
		}
		if err := c.opts.Pause(ctx, max(backoff(n), t.after)); err != nil {
			return none, contextError(ctx)
		}
	}
}

// attempt is one request and its whole body, within RequestTimeout.
func (c *Client) attempt(ctx context.Context, method string, u *url.URL, header http.Header, authorization string, limit int64) (answered, error) {
	inner, cancel := context.WithTimeout(ctx, c.opts.RequestTimeout)
	defer cancel()
	res, err := c.send(inner, method, u, header, authorization)
	if err != nil {
		return answered{}, transportError(ctx, err)
	}
	defer res.Body.Close()
	if err := c.check(res); err != nil {
		return answered{}, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return answered{}, transportError(ctx, err)
	}
	if int64(len(body)) > limit {
		return answered{}, coded(breakwater.Errorf(breakwater.KindTooLarge, "the registry's answer is larger than %d bytes", limit), breakwater.CodeOverSized)
	}
	return answered{Header: res.Header, Body: body}, nil
}

func (c *Client) send(ctx context.Context, method string, u *url.URL, header http.Header, authorization string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header = header.Clone()
	req.Header.Set("User-Agent", "breakwater")
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	return c.opts.HTTP.Do(req)
}

// check turns any status but success into its error, a challenge included.
func (c *Client) check(res *http.Response) error {
	switch res.StatusCode {
	case http.StatusOK, http.StatusPartialContent:
		return nil
	}
	// Reading a little lets the connection be used again.
	_, _ = io.CopyN(io.Discard, res.Body, 4<<10)
	if !c.sameOrigin(res) && (res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden) {
		// Credentials and challenges stay with the origin they belong to. The
		// usual case is a registry given as http that sends everybody to https.
		return unavailable(breakwater.CodeAuthentication, nil,
			"the registry sends requests on to another protocol, host or port, which refuses them: use that address")
	}
	err := statusError(res, c.opts.Now())
	if res.StatusCode == http.StatusUnauthorized && !c.opts.Preemptive {
		return challenged{err, pickChallenge(res.Header)}
	}
	return err
}

// sameOrigin reports whether the answer came from the registry or its own
// realm, and not from where a redirect led. A realm is on another host only
// when allowed, and then asks for nothing: its refusals count as its own.
func (c *Client) sameOrigin(res *http.Response) bool {
	return res.Request == nil || res.Request.Response == nil ||
		res.Request.URL.Scheme == c.base.Scheme && hostPort(res.Request.URL) == hostPort(c.base)
}
