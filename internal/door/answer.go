package door

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"

	"breakwater"
)

// HeaderSetter is an Out that also sets response headers (Content-Range,
// X-Subject-Token, …).
type HeaderSetter interface {
	SetHeaders(h http.Header)
}

// StatusSetter is an Out that chooses its own success status; zero keeps the document's.
type StatusSetter interface {
	AnswerStatus() int
}

// succeed renders an Out. A nil slice is written [], anything else that is nil {}:
// clients of the contract choke on an empty body where they expect one.
func (ex *exchange) succeed(out any) error {
	status := ex.op.status
	if s, ok := out.(StatusSetter); ok && s.AnswerStatus() != 0 {
		status = s.AnswerStatus()
	}
	var body []byte
	if status != http.StatusNoContent {
		var err error
		if body, err = encode(out); err != nil {
			return breakwater.Wrap(breakwater.KindInternal, err, "encode the answer")
		}
	}
	if s, ok := out.(HeaderSetter); ok {
		s.SetHeaders(ex.w.Header())
	}
	ex.write(status, body)
	return nil
}

func encode(out any) ([]byte, error) {
	v := reflect.ValueOf(out)
	for v.IsValid() && v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case !v.IsValid(), v.Kind() == reflect.Pointer, v.Kind() == reflect.Map && v.IsNil():
		return []byte("{}\n"), nil
	case v.Kind() == reflect.Slice && v.IsNil():
		return []byte("[]\n"), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(out)
	return b.Bytes(), err
}

// errorBody is the one shape of every failure.
type errorBody struct {
	Code      string `json:"error_code"`
	Message   string `json:"error_msg"`
	RequestID string `json:"request_id"`
}

// statusGone is what the access log shows of a request whose client hung up; nobody
// reads the answer.
const statusGone = 499

// fail renders an error, and logs the cause when it is ours.
func (ex *exchange) fail(err error) {
	if errors.Is(err, context.Canceled) && ex.r.Context().Err() != nil {
		ex.status = statusGone
		return
	}
	s, message := ex.door.opts.Dialect.spell(err)
	if s.status >= http.StatusInternalServerError && s.status != http.StatusNotImplemented {
		ex.door.opts.Logger.ErrorContext(ex.r.Context(), "request failed", "operation", ex.operation(), "request_id", ex.id, "error", err.Error())
	}
	body, _ := encode(errorBody{s.code, message, ex.id}) // three strings always encode
	ex.write(s.status, body)
}

func (ex *exchange) write(status int, body []byte) {
	h := ex.w.Header()
	if body != nil {
		h.Set("Content-Type", "application/json;charset=utf-8")
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	ex.status = status
	ex.w.WriteHeader(status)
	ex.bytes, _ = ex.w.Write(body) // a client that hung up is nobody's error
}
