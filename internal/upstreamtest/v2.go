package upstreamtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"breakwater"
)

// routes sends each request to the interface it belongs to. Paths are taken
// apart by hand because Harbor's hold escapes inside escapes.
func (s *Server) routes() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		switch {
		case strings.HasPrefix(path, "/api/v2.0/") && s.opts.Kind == HarborV2,
			strings.HasPrefix(path, "/api/") && s.opts.Kind == HarborV1:
			s.harbor(w, r)
		case strings.HasPrefix(path, "/artifactory/") && s.opts.Kind == Artifactory:
			s.artifactory(w, r)
		case path == "/service/token" && (s.opts.Kind == HarborV1 || s.opts.Kind == HarborV2),
			path == "/token" && s.opts.Kind == Plain:
			s.token(w, r)
		case strings.HasPrefix(path, "/v2/"):
			s.v2(w, r, "", strings.TrimPrefix(path, "/v2/"))
		default:
			http.NotFound(w, r)
		}
	})
}

// token gives out a bearer token for Basic credentials, or says 401.
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	if !s.mayEnter(r) {
		writeError(w, http.StatusUnauthorized, "UNAUTHORIZED", "unauthorized")
		return
	}
	t := breakwater.NewSecret(16)
	s.mu.Lock()
	s.tokens[t] = true
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]any{
		"token": t, "access_token": t, "expires_in": 1800, "issued_at": "2026-11-22T18:09:54Z",
	})
}

// mayEnter checks Basic credentials.
func (s *Server) mayEnter(r *http.Request) bool {
	if s.opts.Username == "" {
		return true
	}
	user, password, ok := r.BasicAuth()
	s.mu.Lock()
	defer s.mu.Unlock()
	return ok && user == s.opts.Username && password == s.password
}

// signedIn checks what /v2/ wants, and challenges when it is not there. The
// prefix is that of an Artifactory's repository key, "/" + key.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request, key, scope string) bool {
	if s.opts.Username == "" {
		return true
	}
	if s.opts.BasicOnly || s.opts.Kind == Artifactory {
		if _, _, basic := r.BasicAuth(); basic && s.mayEnter(r) {
			return true
		}
	}
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		s.mu.Lock()
		good := s.tokens[t]
		s.mu.Unlock()
		if good {
			return true
		}
	}
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	w.Header().Set("WWW-Authenticate", s.challenge(key, scope))
	writeError(w, http.StatusUnauthorized, "UNAUTHORIZED", "unauthorized: unauthorized")
	return false
}

func (s *Server) challenge(key, scope string) string {
	realm, service := s.URL+"/token", "registry"
	switch s.opts.Kind {
	case HarborV1, HarborV2:
		realm, service = s.URL+"/service/token", "harbor-registry"
	case Artifactory:
		realm, service = s.URL+"/artifactory/api/docker/"+key+"/v2/token", s.Addr
	}
	if s.opts.Realm != "" {
		realm = s.opts.Realm
	}
	if s.opts.BasicOnly {
		return `Basic realm="Registry"`
	}
	c := fmt.Sprintf("Bearer realm=%q,service=%q", realm, service)
	if scope != "" {
		c += fmt.Sprintf(",scope=%q", scope)
	}
	return c
}

// v2 is the distribution protocol. Key is the Artifactory repository whose
// names are left out of the path.
func (s *Server) v2(w http.ResponseWriter, r *http.Request, key, rest string) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		writeError(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "read only")
		return
	}
	name, kind, ref := splitV2(rest)
	scope := ""
	if name != "" {
		scope = "repository:" + name + ":pull"
	} else if kind == "_catalog" {
		scope = "registry:catalog:*"
	}
	if !s.signedIn(w, r, key, scope) {
		return
	}
	if key != "" {
		name = key + "/" + name
	}
	switch kind {
	case "":
		writeJSON(w, http.StatusOK, map[string]any{})
	case "_catalog":
		s.catalogue(w, r, key)
	case "tags":
		s.tagList(w, r, name)
	case "manifests":
		s.manifest(w, r, name, ref)
	case "blobs":
		s.blob(w, r, breakwater.Digest(ref))
	default:
		http.NotFound(w, r)
	}
}

func splitV2(rest string) (name, kind, ref string) {
	switch {
	case rest == "":
		return "", "", ""
	case rest == "_catalog":
		return "", "_catalog", ""
	case strings.HasSuffix(rest, "/tags/list"):
		return strings.TrimSuffix(rest, "/tags/list"), "tags", ""
	}
	for _, kind := range []string{"manifests", "blobs"} {
		if i := strings.LastIndex(rest, "/"+kind+"/"); i > 0 {
			return rest[:i], kind, rest[i+len(kind)+2:]
		}
	}
	return "", "?", ""
}

func (s *Server) catalogue(w http.ResponseWriter, r *http.Request, key string) {
	if s.opts.NoCatalogue {
		writeError(w, http.StatusForbidden, "DENIED", "the catalogue is not for you")
		return
	}
	prefix := ""
	if key != "" {
		prefix = key + "/"
	}
	names := []string{}
	for _, repo := range s.names(prefix, false) {
		names = append(names, strings.TrimPrefix(repo.name, prefix))
	}
	writeJSON(w, http.StatusOK, map[string]any{"repositories": keysetPage(w, r, names)})
}

func (s *Server) tagList(w http.ResponseWriter, r *http.Request, name string) {
	s.mu.Lock()
	repo := s.repositories[name]
	var tags []string
	if repo != nil {
		for t := range repo.tags {
			tags = append(tags, t)
		}
	}
	s.mu.Unlock()
	if repo == nil {
		writeError(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
		return
	}
	slices.Sort(tags)
	writeJSON(w, http.StatusOK, map[string]any{"name": name, "tags": keysetPage(w, r, tags)})
}

// keysetPage cuts a sorted list by n and last, and links to the rest.
func keysetPage(w http.ResponseWriter, r *http.Request, names []string) []string {
	q := r.URL.Query()
	start, _ := slices.BinarySearch(names, q.Get("last"))
	if start < len(names) && names[start] == q.Get("last") {
		start++
	}
	names = names[start:]
	n, err := strconv.Atoi(q.Get("n"))
	if err != nil || n <= 0 || n >= len(names) {
		return names
	}
	names = names[:n]
	next := url.Values{"last": {names[n-1]}, "n": {strconv.Itoa(n)}}
	w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, r.URL.EscapedPath(), next.Encode()))
	return names
}

func (s *Server) manifest(w http.ResponseWriter, r *http.Request, name, ref string) {
	s.mu.Lock()
	var a *Artifact
	if repo := s.repositories[name]; repo != nil {
		if t, ok := repo.tags[ref]; ok {
			ref = string(t.digest)
		}
		a = s.manifests[breakwater.Digest(ref)]
	}
	s.mu.Unlock()
	if a == nil {
		writeError(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
		return
	}
	w.Header().Set("Content-Type", a.MediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	if !s.opts.NoDigestHeader {
		w.Header().Set("Docker-Content-Digest", string(a.Digest))
	}
	if r.Method == http.MethodGet {
		_, _ = w.Write(a.Body)
	}
}

func (s *Server) blob(w http.ResponseWriter, r *http.Request, d breakwater.Digest) {
	s.mu.Lock()
	b, ok := s.blobs[d]
	s.mu.Unlock()
	if !ok {
		writeError(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b)) // answers ranges
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	b := must(json.Marshal(v))
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// writeError is an error in the words of Harbor and of the protocol alike.
func writeError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	writeJSON(w, status, map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}
