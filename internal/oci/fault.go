package oci

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"breakwater"
	"breakwater/internal/netguard"
)

// temporary marks an error that another try may cure.
type temporary struct {
	error
	after time.Duration // how long the registry asks to wait; zero: as we like
}

func (t temporary) Unwrap() error { return t.error }

func unavailable(code breakwater.ScanCode, cause error, format string, args ...any) *breakwater.Error {
	return &breakwater.Error{Kind: breakwater.KindUnavailable, Code: string(code), Message: fmt.Sprintf(format, args...), Err: cause}
}

func errSignIn(message string) error {
	return unavailable(breakwater.CodeAuthentication, nil, "%s", message)
}

// statusError is the failure that an HTTP status says.
func statusError(res *http.Response, now time.Time) error {
	code := res.StatusCode
	switch {
	case code == http.StatusUnauthorized:
		return unavailable(breakwater.CodeAuthentication, statusCause(code), "the registry refuses the user name or the password")
	case code == http.StatusForbidden:
		return unavailable(breakwater.CodeAuthentication, statusCause(code), "the registry refuses access to this user")
	case code == http.StatusNotFound || code == http.StatusGone:
		return &breakwater.Error{Kind: breakwater.KindNotFound, Code: string(breakwater.CodeNotFound), Message: "the registry does not hold it", Err: statusCause(code)}
	case code == http.StatusTooManyRequests:
		return temporary{
			unavailable(breakwater.CodeDownloadFailed, nil, "the registry limits how often it may be asked"),
			retryAfter(res.Header.Get("Retry-After"), now),
		}
	case code == http.StatusRequestTimeout, code >= 500 && code != http.StatusNotImplemented && code != http.StatusHTTPVersionNotSupported:
		return temporary{
			unavailable(breakwater.CodeDownloadFailed, statusCause(code), "the registry answered with status %d", code),
			retryAfter(res.Header.Get("Retry-After"), now),
		}
	}
	return unavailable(breakwater.CodeDownloadFailed, statusCause(code), "the registry answered with status %d", code)
}

// statusCause keeps a status beside its error for whoever can do without.
type statusCause int

func (s statusCause) Error() string { return "HTTP status " + strconv.Itoa(int(s)) }

// IsStatus reports whether err comes from an answer with one of the statuses.
func IsStatus(err error, codes ...int) bool {
	var s statusCause
	return errors.As(err, &s) && slices.Contains(codes, int(s))
}

// retryAfter reads both forms of the header; nonsense is zero.
func retryAfter(value string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(value, 10, 32); err == nil && n >= 0 {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(value); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}

// transportError is the failure of a request that got no answer, or of a body
// that broke off. The cause is kept without the URL that net/http puts before
// it, which after a redirect may be a signed one.
func transportError(ctx context.Context, err error) error {
	var known *breakwater.Error
	if errors.As(err, &known) {
		return err
	}
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	if ctx.Err() != nil {
		return contextError(ctx)
	}
	var (
		refused   *netguard.RefusedError
		dns       *net.DNSError
		untrusted *tls.CertificateVerificationError
		authority x509.UnknownAuthorityError
		record    tls.RecordHeaderError
		timeout   net.Error
	)
	switch {
	case errors.As(err, &refused):
		return unavailable(breakwater.CodeDownloadFailed, err, "the registry's address may not be dialled: %s", refused.Class)
	case errors.Is(err, netguard.ErrRedirect):
		return unavailable(breakwater.CodeDownloadFailed, err, "the registry redirects too often or to where it may not")
	case errors.As(err, &untrusted), errors.As(err, &authority):
		return unavailable(breakwater.CodeDownloadFailed, err, "the registry's certificate is not trusted")
	case errors.As(err, &record):
		return unavailable(breakwater.CodeDownloadFailed, err, "the registry does not speak https there")
	case errors.As(err, &dns) && dns.IsNotFound:
		return unavailable(breakwater.CodeDownloadFailed, err, "the registry's host name does not exist")
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded), errors.Is(err, errStalled):
		return temporary{unavailable(breakwater.CodeTimedOut, err, "the registry did not answer in time"), 0}
	}
	return temporary{unavailable(breakwater.CodeDownloadFailed, err, "the registry could not be reached or broke off its answer"), 0}
}

// contextError is our own end of a request: no try follows.
func contextError(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return unavailable(breakwater.CodeTimedOut, ctx.Err(), "the registry did not answer in time")
	}
	return unavailable("", ctx.Err(), "the request was cancelled")
}
