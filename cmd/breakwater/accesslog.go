package main

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"breakwater"
)

// logged writes one line for each request of the registry: its path names a
// repository and holds no secret; its query and headers are left out.
func (h *house) logged(next http.Handler) http.Handler {
	observe := h.metrics.observe("registry")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, id := time.Now(), breakwater.NewID("req")
		w.Header().Set("X-Request-Id", id)
		seen := &seenWriter{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		status, took := seen.status, time.Since(began)
		if status == 0 {
			status = http.StatusOK
		}
		operation := registryOperation(r)
		observe(operation, status, took)
		h.log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("method", r.Method), slog.String("operation", operation),
			slog.String("path", r.URL.Path), slog.Int("status", status), slog.Int64("bytes", seen.bytes),
			slog.Duration("duration", took), slog.String("request_id", id))
	})
}

// registryOperation is the kind of a request: few words, for metrics.
func registryOperation(r *http.Request) string {
	what := "other"
	switch path := r.URL.Path; {
	case path == "/v2/":
		what = "ping"
	case strings.HasSuffix(path, "/token"):
		what = "token"
	case path == "/v2/_catalog":
		what = "catalog"
	case strings.Contains(path, "/blobs/uploads"):
		what = "upload"
	case strings.Contains(path, "/blobs/"):
		what = "blob"
	case strings.Contains(path, "/manifests/"):
		what = "manifest"
	case strings.Contains(path, "/referrers/"):
		what = "referrers"
	case strings.HasSuffix(path, "/tags/list"):
		what = "tags"
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return r.Method + " " + what
	}
	return "OTHER " + what // a client may invent methods; metrics do not grow with them
}

// seenWriter notes status and size. It hands ReadFrom through: pulls of blobs
// go by sendfile.
type seenWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

var _ io.ReaderFrom = (*seenWriter)(nil)

func (s *seenWriter) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *seenWriter) Write(p []byte) (int, error) {
	n, err := s.ResponseWriter.Write(p)
	s.bytes += int64(n)
	return n, err
}

func (s *seenWriter) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(s.ResponseWriter, r)
	s.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (s *seenWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }
