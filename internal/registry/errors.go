package registry

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"breakwater"
)

// The error codes of the distribution spec, carried in breakwater.Error.Code.
const (
	codeBlobUnknown         = "BLOB_UNKNOWN"
	codeBlobUploadInvalid   = "BLOB_UPLOAD_INVALID"
	codeBlobUploadUnknown   = "BLOB_UPLOAD_UNKNOWN"
	codeDigestInvalid       = "DIGEST_INVALID"
	codeManifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
	codeManifestInvalid     = "MANIFEST_INVALID"
	codeManifestUnknown     = "MANIFEST_UNKNOWN"
	codeNameInvalid         = "NAME_INVALID"
	codeNameUnknown         = "NAME_UNKNOWN"
	codeSizeInvalid         = "SIZE_INVALID"
	codeTagInvalid          = "TAG_INVALID"
	codePagination          = "PAGINATION_NUMBER_INVALID"
	codeUnauthorized        = "UNAUTHORIZED"
	codeDenied              = "DENIED"
	codeUnsupported         = "UNSUPPORTED"
	codeTooMany             = "TOOMANYREQUESTS"
	codeUnavailable         = "UNAVAILABLE"
	codeUnknown             = "UNKNOWN"
)

// httpError is an error whose status or headers its kind does not tell.
type httpError struct {
	err    *breakwater.Error
	status int
	header http.Header
	scope  string // of a sign-in challenge
}

func (e *httpError) Error() string { return e.err.Error() }
func (e *httpError) Unwrap() error { return e.err }

func ociError(k breakwater.Kind, code, message string) *breakwater.Error {
	return &breakwater.Error{Kind: k, Code: code, Message: message}
}

// recode gives an error of another room the code that this protocol has for it.
func recode(err error, code string) error {
	var e *breakwater.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Kind {
	case breakwater.KindInvalid, breakwater.KindNotFound, breakwater.KindConflict, breakwater.KindTooLarge:
		return &breakwater.Error{Kind: e.Kind, Code: code, Field: e.Field, Message: e.Message, Err: e.Err}
	}
	return err
}

// errSignIn asks for credentials, for a scope when it is not empty.
func errSignIn(scope string) error {
	return &httpError{err: ociError(breakwater.KindUnauthenticated, codeUnauthorized, "authentication is required"), scope: scope}
}

func errDenied() error {
	return ociError(breakwater.KindForbidden, codeDenied, "the role does not allow this")
}

func errNameUnknown() error {
	return ociError(breakwater.KindNotFound, codeNameUnknown, "the repository is not known to the registry")
}

func errUnknownPath() error {
	return ociError(breakwater.KindNotFound, codeUnsupported, "no such path")
}

func notAllowed(w http.ResponseWriter, methods map[string]func(*call) error) error {
	allow := slices.Sorted(maps.Keys(methods))
	if slices.Contains(allow, http.MethodGet) {
		allow = append(allow, http.MethodHead)
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	return &httpError{err: ociError(breakwater.KindInvalid, codeUnsupported, "the method is not supported here"), status: http.StatusMethodNotAllowed}
}

// kindStatus is the status and the code of an error that brings none of its own.
func kindStatus(k breakwater.Kind) (status int, code string) {
	switch k {
	case breakwater.KindInvalid:
		return http.StatusBadRequest, codeUnsupported
	case breakwater.KindUnauthenticated:
		return http.StatusUnauthorized, codeUnauthorized
	case breakwater.KindForbidden:
		return http.StatusForbidden, codeDenied
	case breakwater.KindNotFound:
		return http.StatusNotFound, codeNameUnknown
	case breakwater.KindConflict:
		return http.StatusConflict, codeDenied
	case breakwater.KindTooLarge:
		return http.StatusRequestEntityTooLarge, codeSizeInvalid
	case breakwater.KindUnavailable:
		return http.StatusServiceUnavailable, codeUnavailable
	}
	return http.StatusInternalServerError, codeUnknown
}

type wireError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// render is the one place that writes errors. What is our own fault is logged
// and not told.
func (r *Registry) render(c *call, err error) {
	e := &breakwater.Error{Kind: breakwater.KindInternal}
	errors.As(err, &e)
	status, code := kindStatus(e.Kind)
	if e.Code != "" && strings.ToUpper(e.Code) == e.Code {
		code = e.Code
	}
	message := e.Message
	header := c.w.Header()
	var he *httpError
	if errors.As(err, &he) {
		if he.status != 0 {
			status = he.status
		}
		maps.Copy(header, he.header)
	}
	switch {
	case status == http.StatusUnauthorized:
		scope := ""
		if he != nil {
			scope = he.scope
		}
		header.Set("WWW-Authenticate", r.challenge(c, scope))
	case status >= 500 && c.ctx().Err() == nil:
		if e.Kind == breakwater.KindInternal {
			message = "the registry failed"
		}
		r.log.ErrorContext(c.ctx(), "registry request failed", "method", c.req.Method, "path", c.req.URL.Path, "error", err)
	case errors.Is(err, context.Canceled):
		return // nobody is left to answer
	}
	_ = writeJSON(c.w, status, map[string][]wireError{"errors": {{Code: code, Message: message}}})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is its own affair
	return nil
}
