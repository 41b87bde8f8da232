package main

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"

	"breakwater"
	"breakwater/internal/door"
)

// handler is every path: what operators need, then route. It is no ServeMux,
// because that one redirects odd paths, and the SDKs take a redirect for an
// empty success.
func (h *house) handler() http.Handler {
	pages := map[string]http.HandlerFunc{
		"/healthz": func(w http.ResponseWriter, _ *http.Request) {
			answer(w, http.StatusOK, map[string]string{"status": "ok"})
		},
		"/readyz":  h.ready,
		"/metrics": h.metrics.handler().ServeHTTP,
	}
	for _, d := range h.doors {
		pages["/openapi/"+d.name+".json"] = document(d.door)
	}
	h.docker = h.logged(h.registry)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		switch {
		case !ok:
			h.route(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			answer(w, http.StatusMethodNotAllowed, failure("APIGW.0101", "this page is read with GET"))
		default:
			page(w, r)
		}
	})
}

// document shows what a door is mounted from.
func document(d *door.Door) http.HandlerFunc {
	body, err := d.JSON()
	return func(w http.ResponseWriter, _ *http.Request) {
		if err != nil {
			answer(w, http.StatusInternalServerError, failure("APIGW.0500", "the document cannot be shown"))
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	}
}

// dockerPath is what the registry answers under /v2/; the SWR API has the rest.
var dockerPath = regexp.MustCompile(`^(?:/service/token$|/v2/(?:$|_catalog$|token$|.+/(?:manifests|blobs|referrers)/|.+/tags/list$))`)

// route sends a path to the registry or to the door whose document has it.
// Nothing redirects: clients take a redirect for an empty success.
func (h *house) route(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if dockerPath.MatchString(path) && !strings.HasPrefix(path, "/v2/manage/") {
		h.docker.ServeHTTP(w, r)
		return
	}
	if h.hss.Matches(r) { // its operations, and the component download
		h.hss.ServeHTTP(w, r)
		return
	}
	for _, d := range h.doors {
		if d.door.Matches(r) {
			d.door.ServeHTTP(w, r)
			return
		}
	}
	switch { // nobody's: 404 in the words of whoever is nearest
	case strings.HasPrefix(path, "/v2/"):
		h.doorNamed("swr").ServeHTTP(w, r)
	case strings.HasPrefix(path, "/v3/"):
		h.doorNamed("iam").ServeHTTP(w, r)
	default:
		h.doorNamed("hss").ServeHTTP(w, r)
	}
}

func (h *house) doorNamed(name string) http.Handler {
	for _, d := range h.doors {
		if d.name == name {
			return d.door
		}
	}
	return http.NotFoundHandler()
}

// ready answers whether requests can be served: the database answers.
func (h *house) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := h.db.Ping(ctx); err != nil {
		h.log.Error("not ready", "error", err)
		answer(w, http.StatusServiceUnavailable, map[string]string{"status": "the database does not answer"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"status": "ready", "version": version})
}

func failure(code, message string) map[string]string {
	return map[string]string{"error_code": code, "error_msg": message, "request_id": breakwater.NewID("req")}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
