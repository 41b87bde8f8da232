package door

import (
	"errors"
	"net/http"
	"strings"

	"breakwater"
)

// Dialect is how a door spells its errors. All doors answer with the same body,
// {"error_code","error_msg","request_id"}; code and status differ.
type Dialect string

// The dialects. HSS answers almost everything that is the caller's fault with
// 400 and tells the rest by code; SWR and IAM use the HTTP statuses.
const (
	HSS Dialect = "HSS"
	SWR Dialect = "SWR"
	IAM Dialect = "IAM"
)

// CodeNotEmpty marks a Conflict error about a thing that still holds others; the
// SWR dialect answers it with 406.
const CodeNotEmpty = "not_empty"

// codeUnreadable marks an Invalid error about a request that could not be parsed at all.
const codeUnreadable = "unreadable"

// Failures that only a door knows.
var (
	errPath    = &refusal{http.StatusNotFound, "APIGW.0101", "the path is not part of this API"}
	errMethod  = &refusal{http.StatusMethodNotAllowed, "APIGW.0101", "the path does not take this method"}
	errForeign = errors.New("another project's path")
)

// refusal is a failure with a status and a code that no dialect changes.
type refusal struct {
	status  int
	code    string
	message string
}

func (r *refusal) Error() string { return r.message }

// spelling is a status and an error code.
type spelling struct {
	status int
	code   string
}

// spell maps an error to what the wire shows. It is the only place where kinds
// become statuses; an error of no kind is Internal and its text stays inside.
func (d Dialect) spell(err error) (s spelling, message string) {
	var r *refusal
	if errors.As(err, &r) {
		return spelling{r.status, r.code}, r.message
	}
	if err == errForeign {
		return spelling{http.StatusNotFound, d.kind(breakwater.KindNotFound, "").code}, "project not found"
	}
	var e *breakwater.Error
	if !errors.As(err, &e) || e.Kind == breakwater.KindInternal || e.Kind == "" {
		return d.kind(breakwater.KindInternal, ""), "the server failed; its log names the cause under the request id"
	}
	s = d.kind(e.Kind, e.Code)
	if strings.HasPrefix(e.Code, "HSS.") || strings.HasPrefix(e.Code, "SVCSTG.") {
		s.code = e.Code
	}
	message = e.Message
	if message == "" {
		message = string(e.Kind)
	}
	if e.Field != "" {
		message = e.Field + ": " + message
	}
	return s, message
}

func (d Dialect) kind(k breakwater.Kind, code string) spelling {
	switch d {
	case HSS:
		return hssSpelling(k, code)
	case SWR:
		return swrSpelling(k, code)
	}
	return iamSpelling(k)
}

func hssSpelling(k breakwater.Kind, code string) spelling {
	switch k {
	case breakwater.KindInvalid:
		if code == codeUnreadable {
			return spelling{http.StatusBadRequest, "HSS.0002"}
		}
		return spelling{http.StatusBadRequest, "HSS.0001"}
	case breakwater.KindUnauthenticated:
		return spelling{http.StatusUnauthorized, "APIGW.0301"}
	case breakwater.KindForbidden:
		return spelling{http.StatusBadRequest, "HSS.0013"}
	case breakwater.KindNotFound:
		return spelling{http.StatusBadRequest, "HSS.0011"}
	case breakwater.KindConflict:
		return spelling{http.StatusBadRequest, "HSS.1409"}
	case breakwater.KindTooLarge:
		return spelling{http.StatusRequestEntityTooLarge, "HSS.1413"}
	case breakwater.KindUnavailable:
		return spelling{http.StatusServiceUnavailable, "HSS.1503"}
	case breakwater.KindNotBuilt:
		return spelling{http.StatusNotImplemented, "HSS.1501"}
	}
	return spelling{http.StatusInternalServerError, "HSS.1500"}
}

func swrSpelling(k breakwater.Kind, code string) spelling {
	const p = "SVCSTG.SWR."
	switch k {
	case breakwater.KindInvalid:
		return spelling{http.StatusBadRequest, p + "4000014"}
	case breakwater.KindUnauthenticated:
		return spelling{http.StatusUnauthorized, p + "4010000"}
	case breakwater.KindForbidden:
		return spelling{http.StatusForbidden, p + "4030000"}
	case breakwater.KindNotFound:
		return spelling{http.StatusNotFound, p + "4040010"}
	case breakwater.KindConflict:
		if code == CodeNotEmpty {
			return spelling{http.StatusNotAcceptable, p + "4060074"}
		}
		return spelling{http.StatusConflict, p + "4090000"}
	case breakwater.KindTooLarge:
		return spelling{http.StatusRequestEntityTooLarge, p + "4130000"}
	case breakwater.KindUnavailable:
		return spelling{http.StatusServiceUnavailable, p + "5030000"}
	case breakwater.KindNotBuilt:
		return spelling{http.StatusNotImplemented, p + "5010000"}
	}
	return spelling{http.StatusInternalServerError, p + "5000000"}
}

func iamSpelling(k breakwater.Kind) spelling {
	switch k {
	case breakwater.KindInvalid:
		return spelling{http.StatusBadRequest, "IAM.0400"}
	case breakwater.KindUnauthenticated:
		return spelling{http.StatusUnauthorized, "IAM.0401"}
	case breakwater.KindForbidden:
		return spelling{http.StatusForbidden, "IAM.0403"}
	case breakwater.KindNotFound:
		return spelling{http.StatusNotFound, "IAM.0404"}
	case breakwater.KindConflict:
		return spelling{http.StatusConflict, "IAM.0409"}
	case breakwater.KindTooLarge:
		return spelling{http.StatusRequestEntityTooLarge, "IAM.0413"}
	case breakwater.KindUnavailable:
		return spelling{http.StatusServiceUnavailable, "IAM.0503"}
	case breakwater.KindNotBuilt:
		return spelling{http.StatusNotImplemented, "IAM.0501"}
	}
	return spelling{http.StatusInternalServerError, "IAM.0500"}
}
