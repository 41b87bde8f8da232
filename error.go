package breakwater

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an Error is. Doors map kinds to protocol
// statuses; rooms never speak in statuses.
type Kind string

// The kinds of failure.
const (
	KindInvalid         Kind = "invalid"         // the request is wrong; Field names where
	KindUnauthenticated Kind = "unauthenticated" // nobody, or not who they say
	KindForbidden       Kind = "forbidden"       // known, but without the right
	KindNotFound        Kind = "not_found"       // absent, or another project's
	KindConflict        Kind = "conflict"        // exists already, or not empty, or not in that state
	KindTooLarge        Kind = "too_large"       // over a stated limit
	KindUnavailable     Kind = "unavailable"     // something outside did not answer as it should
	KindNotBuilt        Kind = "not_built"       // the operation is in the contract and not built yet
	KindInternal        Kind = "internal"        // our fault; the text stays inside
)

// Error is the one error type of the product. Message is for the user and
// never repeats a submitted value (it may be a password); Err is for the
// operator and never leaves the process.
type Error struct {
	Kind    Kind
	Field   string // the request field at fault, for KindInvalid
	Code    string // a machine-readable reason of the kind's own vocabulary: a ScanCode, an OCI error code …
	Message string
	Err     error
}

func (e *Error) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if s == "" {
		s = string(e.Kind)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is(err, &Error{Kind: k}) true for every error of kind k.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Message == "" && t.Err == nil && t.Kind == e.Kind && (t.Code == "" || t.Code == e.Code)
}

// KindOf is the kind of the first Error in err's chain, KindInternal when there
// is none, and empty for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindInternal
}

// IsNotFound reports whether err says that something is absent.
func IsNotFound(err error) bool { return KindOf(err) == KindNotFound }

// Invalid is an error about one request field.
func Invalid(field, format string, args ...any) *Error {
	return &Error{Kind: KindInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotFound says that the named sort of thing is absent.
func NotFound(what string) *Error {
	return &Error{Kind: KindNotFound, Message: what + " not found"}
}

// Errorf makes an error of a kind with a message for the user.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an error of a kind with a message for the user and a cause for the operator.
func Wrap(kind Kind, err error, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Err: err}
}
