package oci

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"breakwater"
)

// ClientOptions shape a Client. HTTP is required, all else has a good zero value.
type ClientOptions struct {
	// HTTP does the requests. It must come from netguard: that is where
	// addresses are judged and credentials kept from other origins.
	HTTP *http.Client

	// Username and Password sign in when the registry asks. A password without
	// a name is sent as a bearer token; neither means anonymous.
	Username, Password string

	// Preemptive sends the credentials with every request, as REST interfaces
	// want them, in place of waiting for a challenge.
	Preemptive bool

	// RealmHosts are hosts (host or host:port) beside the registry's own that
	// may be shown the credentials when a challenge names them.
	RealmHosts []string

	RequestTimeout time.Duration // one small answer, body included; 60 s when zero
	IdleTimeout    time.Duration // a blob standing still; 60 s when zero
	Attempts       int           // tries of one request; 4 when zero

	// Pause waits between tries; a real pause when nil. Tests hand in their own.
	Pause func(ctx context.Context, d time.Duration) error
	// Now is the clock that tokens expire by; time.Now when nil.
	Now func() time.Time
}

// Client speaks to one foreign registry below one base address. It is safe for
// concurrent use and remembers tokens between requests.
type Client struct {
	base *url.URL
	opts ClientOptions

	mu     sync.Mutex
	asked  challenge        // the last challenge of this registry; zero before the first
	tokens map[string]token // by scope
}

// NewClient makes a client of the registry at base: scheme, host and, where
// the registry lives below one, a path ("https://host/artifactory/api/docker/key").
// The /v2/ of the protocol comes after it.
func NewClient(base *url.URL, opts ClientOptions) (*Client, error) {
	if base == nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil {
		return nil, breakwater.Invalid("registry_addr", "the registry address must be http or https and a host")
	}
	if opts.HTTP == nil {
		return nil, breakwater.Errorf(breakwater.KindInternal, "oci: a client needs a guarded HTTP client")
	}
	if opts.RequestTimeout == 0 {
		opts.RequestTimeout = time.Minute
	}
	if opts.IdleTimeout == 0 {
		opts.IdleTimeout = time.Minute
	}
	if opts.Attempts == 0 {
		opts.Attempts = 4
	}
	if opts.Pause == nil {
		opts.Pause = pause
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	clean := *base
	clean.Path, clean.RawPath = strings.TrimRight(base.Path, "/"), strings.TrimRight(base.RawPath, "/")
	clean.RawQuery, clean.Fragment = "", ""
	return &Client{base: &clean, opts: opts, tokens: map[string]token{}}, nil
}

// url is the base with more path and a query. The path is given escaped, so
// that a REST interface may ask for escapes inside it.
func (c *Client) url(escapedPath, query string) *url.URL {
	u := *c.base
	escaped := u.EscapedPath() + escapedPath
	if plain, err := url.PathUnescape(escaped); err == nil {
		u.Path, u.RawPath = plain, escaped
	}
	u.RawQuery = query
	return &u
}

// Ping asks /v2/ and signs in as challenged: nil means that the registry
// answers, speaks the protocol, and accepts the credentials.
func (c *Client) Ping(ctx context.Context) error {
	a, err := c.fetch(ctx, call{path: "/v2/", limit: maxSmall})
	if breakwater.IsNotFound(err) {
		return unavailable(breakwater.CodeDownloadFailed, nil, "the address answers, but not as a container registry")
	}
	if err != nil {
		return err
	}
	// A web server that shows its start page for every path is no registry.
	if t := a.Header.Get("Content-Type"); strings.HasPrefix(t, "text/html") {
		return unavailable(breakwater.CodeDownloadFailed, nil, "the address answers with a web page, not as a container registry")
	}
	return nil
}

const (
	firstPause = 250 * time.Millisecond
	maxPause   = 10 * time.Second
	// maxRetryAfter is how long a registry that is busy may make a request wait.
	maxRetryAfter = 30 * time.Second
)

// backoff is the pause before try n (from 1), with jitter so that many workers
// do not come back at once.
func backoff(n int) time.Duration {
	d := min(firstPause<<(2*(n-1)), maxPause)
	return d/2 + rand.N(d/2)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
