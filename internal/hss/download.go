package hss

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"

	"breakwater"
)

const (
	// componentPath begins the path of every component download.
	componentPath = "/component/"
	// linkLife is how long a download link works.
	linkLife = time.Hour
	// maxDownloadURL is the contract's limit of images_download_url.
	maxDownloadURL = 256
)

// form is what a download holds, by the file's extension.
type form string

const (
	zipped   form = ".zip"
	archived form = ".tar"
)

// file is the name of a download.
func (c *component) file(f form) string {
	return componentName + "_" + c.tag + "_linux_" + runtime.GOARCH + string(f)
}

// link is a download address that works for an hour. It carries a signature of
// the file and the hour's end, and nothing of who asked.
func (c *component) link(endpoint string, f form) string {
	end := strconv.FormatInt(c.now().Add(linkLife).Unix(), 36)
	return endpoint + componentPath + c.file(f) + "?token=" + end + "." + c.sign(c.file(f), end)
}

func (c *component) sign(file, end string) string {
	h := hmac.New(sha256.New, c.key)
	_, _ = fmt.Fprintf(h, "%s\n%s", file, end) // a hash never fails
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// verify checks a link's token in constant time.
func (c *component) verify(file, token string) error {
	end, signature, _ := strings.Cut(token, ".")
	if !hmac.Equal([]byte(signature), []byte(c.sign(file, end))) {
		return breakwater.Errorf(breakwater.KindUnauthenticated, "the download link is not one of this server's")
	}
	seconds, err := strconv.ParseInt(end, 36, 64)
	if err != nil || !c.now().Before(time.Unix(seconds, 0)) {
		return breakwater.Errorf(breakwater.KindUnauthenticated, "the download link has expired; ask for the upload command again")
	}
	return nil
}

// serveComponent answers a download, whole or in ranges, and writes one access
// log line without the query.
func (s *Server) serveComponent(w http.ResponseWriter, r *http.Request) {
	counted := &countedWriter{ResponseWriter: w, status: http.StatusOK}
	start := s.opts.Now()
	id := breakwater.NewSecret(16)
	w.Header().Set("X-Request-Id", id)
	defer func() {
		took := s.opts.Now().Sub(start)
		s.opts.Logger.InfoContext(r.Context(), "request", "method", r.Method, "operation", "DownloadComponent", "path", componentPath+"{file}",
			"status", counted.status, "bytes", counted.bytes, "duration", took, "request_id", id)
		if s.opts.Observe != nil {
			s.opts.Observe("DownloadComponent", counted.status, took)
		}
	}()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(counted, id, http.StatusMethodNotAllowed, "APIGW.0101", "the path does not take this method")
		return
	}
	name := strings.TrimPrefix(r.URL.Path, componentPath)
	f := form(path.Ext(name))
	if name != s.component.file(f) || f != zipped && f != archived {
		refuse(counted, id, http.StatusNotFound, "APIGW.0101", "there is no such download")
		return
	}
	if err := s.component.verify(name, r.URL.Query().Get("token")); err != nil {
		refuse(counted, id, http.StatusUnauthorized, "APIGW.0301", err.Error())
		return
	}
	s.sendComponent(counted, r, id, name, f)
}

func (s *Server) sendComponent(w http.ResponseWriter, r *http.Request, id, name string, f form) {
	b, err := s.component.get()
	if err != nil {
		s.opts.Logger.ErrorContext(r.Context(), "request failed", "operation", "DownloadComponent", "request_id", id, "error", err.Error())
		refuse(w, id, http.StatusServiceUnavailable, "HSS.1503", "the component image cannot be made; the server's log names the cause")
		return
	}
	content, kind := b.zip, "application/zip"
	if f == archived {
		content, kind = b.archive, "application/x-tar"
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("ETag", `"`+b.id+string(f)+`"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-cache")
	http.ServeContent(w, r, name, time.Time{}, content.reader())
}

// refuse writes the one error body of the JSON doors.
func refuse(w http.ResponseWriter, id string, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "{\"error_code\":%q,\"error_msg\":%q,\"request_id\":%q}\n", code, message, id) // words of ours: %q is JSON
}

// countedWriter remembers what was answered, for the log.
type countedWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *countedWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *countedWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets a http.ResponseController reach the connection's deadlines.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
