package netguard

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"

	"breakwater"
)

// MaxRedirects is how many redirects one request follows.
const MaxRedirects = 5

// ClientOptions shape one client; the zero value is a good one.
type ClientOptions struct {
	// RootCAs is PEM certificates trusted beside the system's.
	RootCAs []byte

	// DialTimeout bounds name lookup and connection, 10 s when zero.
	DialTimeout time.Duration

	// HeaderTimeout bounds the wait for an answer's headers, 30 s when zero.
	HeaderTimeout time.Duration

	// ProxyFromEnvironment honours HTTP_PROXY and its kin. The guard then judges
	// the proxy's address, and the proxy must judge the rest: whoever turns this
	// on trusts it to.
	ProxyFromEnvironment bool
}

// Client makes an HTTP client that dials only what the guard lets through. It
// sets no limit on whole answers: callers bound bodies and time per request.
func (g *Guard) Client(opts ClientOptions) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(opts.RootCAs) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(opts.RootCAs) {
			return nil, breakwater.Invalid("ca", "the certificate bundle holds no certificate in PEM form")
		}
		config.RootCAs = pool
	}
	dialer := &net.Dialer{Timeout: orDefault(opts.DialTimeout, 10*time.Second), Control: g.Control}
	transport := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  orDefault(opts.HeaderTimeout, 30*time.Second),
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    16,
		MaxResponseHeaderBytes: 256 << 10,
		ForceAttemptHTTP2:      true,
	}
	if opts.ProxyFromEnvironment {
		transport.Proxy = http.ProxyFromEnvironment
	}
	return &http.Client{Transport: transport, CheckRedirect: checkRedirect}, nil
}

func orDefault(d, standard time.Duration) time.Duration {
	if d == 0 {
		return standard
	}
	return d
}

// ErrRedirect is the cause of a request that ends because of where it was sent on to.
var ErrRedirect = errors.New("the redirect is refused")

// checkRedirect runs before each hop. net/http copies the first request's
// headers each time and keeps Authorization for subdomains and other ports;
// here a credential stays with the exact origin it was meant for.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	switch {
	case len(via) > MaxRedirects:
		return ErrRedirect
	case next.URL.Scheme != "http" && next.URL.Scheme != "https":
		return ErrRedirect
	case last.URL.Scheme == "https" && next.URL.Scheme == "http":
		return ErrRedirect
	}
	next.URL.User = nil
	next.Header.Del("Referer") // may carry a signed query
	if next.URL.Scheme != first.URL.Scheme || next.URL.Host != first.URL.Host {
		next.Header.Del("Authorization")
		next.Header.Del("Cookie")
	}
	return nil
}
