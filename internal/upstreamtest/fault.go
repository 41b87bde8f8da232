package upstreamtest

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
)

// Failure is a way to fail.
type Failure string

// The failures. Those in the middle of a body first send a good half of it.
const (
	Status    Failure = "status"     // Fault.Code, 500 when zero
	HangUp    Failure = "hang up"    // the connection closes without an answer
	Silence   Failure = "silence"    // no answer until the client gives up
	BreakBody Failure = "break body" // the connection closes in the middle of the body
	StallBody Failure = "stall body" // the body stops in the middle
	Garbage   Failure = "garbage"    // 200 and a web page
	WrongByte Failure = "wrong byte" // the last byte of the body is another
	Redirect  Failure = "redirect"   // to Fault.To
)

// Fault is a failure and when it happens.
type Fault struct {
	Path       string // requests whose escaped path and query hold this text
	Skip       int    // that many of them are answered well first
	Times      int    // then so many fail; 0: all
	How        Failure
	Code       int    // of Status
	RetryAfter string // header of Status
	To         string // address of Redirect
}

// Break adds a fault; Mend takes all away.
func (s *Server) Break(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = -1
	}
	s.faults = append(s.faults, &f)
}

// Mend ends all faults.
func (s *Server) Mend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// takes decides under the server's lock whether this request fails.
func (f *Fault) takes(r *http.Request) bool {
	if f.Times == 0 || !strings.Contains(r.URL.EscapedPath()+"?"+r.URL.RawQuery, f.Path) {
		return false
	}
	if f.Skip > 0 {
		f.Skip--
		return false
	}
	if f.Times > 0 {
		f.Times--
	}
	return true
}

func (f *Fault) serve(w http.ResponseWriter, r *http.Request, good http.Handler) {
	switch f.How {
	case HangUp:
		panic(http.ErrAbortHandler)
	case Silence:
		<-r.Context().Done()
		return
	case Garbage:
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<html><body>Please sign in</body></html>"))
		return
	case Redirect:
		http.Redirect(w, r, f.To, http.StatusTemporaryRedirect)
		return
	case BreakBody, StallBody, WrongByte:
		f.serveHalf(w, r, good)
		return
	}
	code := f.Code
	if code == 0 {
		code = http.StatusInternalServerError
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	w.WriteHeader(code)
}

// serveHalf lets the good handler answer and spoils its body.
func (f *Fault) serveHalf(w http.ResponseWriter, r *http.Request, good http.Handler) {
	rec := httptest.NewRecorder()
	good.ServeHTTP(rec, r)
	body := rec.Body.Bytes()
	for name, values := range rec.Header() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(rec.Code)
	if f.How == WrongByte {
		if len(body) > 0 {
			body[len(body)-1] ^= 1
		}
		_, _ = w.Write(body)
		return
	}
	_, _ = w.Write(body[:len(body)/2])
	if flusher, ok := w.(http.Flusher); ok {
		flusher.Flush()
	}
	if f.How == StallBody {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler)
}
