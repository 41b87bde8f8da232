package upstreamtest

import (
	"net/http"
	"slices"
	"strings"
)

// artifactory is the REST interface and the registries below it. The first
// component of a repository's name is the key it lives under.
func (s *Server) artifactory(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/artifactory/api/")
	switch {
	case path == "system/ping":
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte("OK"))
		return
	case path == "repositories":
		s.artifactoryKeys(w, r)
		return
	}
	rest, ok := strings.CutPrefix(path, "docker/")
	key, rest, ok2 := strings.Cut(rest, "/v2/")
	switch {
	case !ok || !ok2 || !slices.Contains(s.tops(), key):
		artifactoryError(w, http.StatusNotFound, "Not Found")
	case rest == "token":
		s.token(w, r)
	default:
		s.v2(w, r, key, rest)
	}
}

// artifactoryKeys lists a virtual repository beside the local ones, as every
// grown installation has one that shows the others again.
func (s *Server) artifactoryKeys(w http.ResponseWriter, r *http.Request) {
	if !s.mayEnter(r) {
		artifactoryError(w, http.StatusUnauthorized, "Bad credentials")
		return
	}
	out := []map[string]string{{"key": "docker-all", "type": "VIRTUAL", "url": s.URL + "/artifactory/docker-all", "packageType": "Docker"}}
	for _, key := range s.tops() {
		out = append(out, map[string]string{"key": key, "type": "LOCAL", "url": s.URL + "/artifactory/" + key, "packageType": "Docker"})
	}
	writeJSON(w, http.StatusOK, out)
}

func artifactoryError(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json;charset=ISO-8859-1")
	writeJSON(w, status, map[string]any{"errors": []map[string]any{{"status": status, "message": message}}})
}
