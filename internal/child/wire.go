package child

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode"

	"breakwater"
)

// The headers of ours. End is the trailer of a blob: "ok", or a fault as JSON.
const (
	headerDigest = "Breakwater-Digest"
	headerEnd    = "Breakwater-End"
	endOK        = "ok"
)

// order is a task as the child gets it.
type order struct {
	ID     string            `json:"id"`
	Digest breakwater.Digest `json:"digest"`
	Scope  breakwater.Scope  `json:"scope"`
}

// fault is an error that crosses the boundary, in either direction. Kind is
// empty for an error that is none of the product's.
type fault struct {
	Kind    breakwater.Kind `json:"kind,omitempty"`
	Field   string          `json:"field,omitempty"`
	Code    string          `json:"code,omitempty"`
	Message string          `json:"message,omitempty"`
	Detail  string          `json:"detail,omitempty"` // for the operator
	// Retire says that the process should not be used again.
	Retire bool `json:"retire,omitempty"`
}

func faultOf(err error) fault {
	f := fault{Detail: cut(err.Error(), maxDetail)}
	var e *breakwater.Error
	if errors.As(err, &e) {
		f.Kind, f.Field, f.Code, f.Message = e.Kind, e.Field, e.Code, e.Message
	}
	return f
}

// err is the error again. The other side may be anybody: only words of the
// vocabulary pass, and text loses what a terminal or a log might obey.
func (f fault) err() error {
	cause := errors.New(clean(f.Detail, maxDetail))
	if f.Kind == "" {
		return cause
	}
	e := &breakwater.Error{
		Kind: f.Kind, Field: clean(f.Field, 64), Code: f.Code, Message: clean(f.Message, maxMessage), Err: cause,
	}
	if !knownKind(e.Kind) {
		e.Kind = breakwater.KindInternal
	}
	if !word(e.Code) {
		e.Code = string(breakwater.CodeUnknown)
	}
	return e
}

func knownKind(k breakwater.Kind) bool {
	switch k {
	case breakwater.KindInvalid, breakwater.KindUnauthenticated, breakwater.KindForbidden, breakwater.KindNotFound, breakwater.KindConflict,
		breakwater.KindTooLarge, breakwater.KindUnavailable, breakwater.KindNotBuilt, breakwater.KindInternal:
		return true
	}
	return false
}

// word is what a code may look like: the letters and underscores of ScanCode.
func word(s string) bool {
	return len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// clean bounds a text, and replaces what is not printable. Line breaks and tabs
// stay, for stack traces.
func clean(s string, limit int) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '\ufffd'
	}, cut(s, limit))
}

func cut(s string, limit int) string {
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + " …"
	}
	return s
}

// status is the HTTP status that goes with a kind. The body says more; this is
// for whoever looks at the wire.
func status(k breakwater.Kind) int {
	switch k {
	case breakwater.KindInvalid:
		return http.StatusBadRequest
	case breakwater.KindUnauthenticated:
		return http.StatusUnauthorized
	case breakwater.KindForbidden:
		return http.StatusForbidden
	case breakwater.KindNotFound:
		return http.StatusNotFound
	case breakwater.KindConflict:
		return http.StatusConflict
	case breakwater.KindTooLarge:
		return http.StatusRequestEntityTooLarge
	case breakwater.KindUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

// writeFault answers a request with an error.
func writeFault(w http.ResponseWriter, err error) {
	f := faultOf(err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status(f.Kind))
	_ = json.NewEncoder(w).Encode(f)
}

// readFault is the error that an answer holds.
func readFault(res *http.Response) error {
	var f fault
	body, err := io.ReadAll(io.LimitReader(res.Body, maxFault))
	if err == nil {
		err = json.Unmarshal(body, &f)
	}
	if err != nil || f == (fault{}) {
		return breakwater.Errorf(breakwater.KindUnavailable, "the parent answered with status %d", res.StatusCode)
	}
	return f.err()
}
