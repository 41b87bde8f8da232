package upstreamtest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"breakwater"
)

// wireTime is how Harbor writes times.
const wireTime = "2006-01-02T15:04:05.000Z"

// harbor is the REST interface of both generations.
func (s *Server) harbor(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", breakwater.NewSecret(8))
	w.Header().Set("Set-Cookie", "sid=0123456789abcdef; Path=/; HttpOnly")
	path := strings.TrimPrefix(strings.TrimPrefix(r.URL.EscapedPath(), "/api"), "/v2.0")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case path == "/systeminfo":
		writeJSON(w, http.StatusOK, map[string]any{
			"auth_mode": cmp.Or(s.opts.AuthMode, "db_auth"), "external_url": s.URL, "harbor_version": "v2.16.0-c50c7ddd",
			"registry_url": s.Addr, "self_registration": false,
		})
	case path == "/users/current":
		// A robot is no user: it is refused like a stranger.
		if !s.mayList(r) || s.opts.Username == "" || strings.HasPrefix(s.opts.Username, "robot$") {
			writeError(w, http.StatusUnauthorized, "UNAUTHORIZED", "unauthorized")
			return
		}
		writeJSON(w, http.StatusOK, map[string]any{"user_id": 1, "username": s.opts.Username, "sysadmin_flag": true})
	case path == "/projects":
		s.harborProjects(w, r)
	case s.opts.Kind == HarborV1 && path == "/repositories":
		s.harborRepositories(w, r, s.projectByNumber(r.URL.Query().Get("project_id")))
	case s.opts.Kind == HarborV1 && parts[0] == "repositories" && parts[len(parts)-1] == "tags":
		s.harborTags(w, r, strings.Join(parts[1:len(parts)-1], "/"))
	case len(parts) == 3 && parts[0] == "projects" && parts[2] == "repositories":
		s.harborRepositories(w, r, parts[1])
	case len(parts) == 5 && parts[0] == "projects" && parts[2] == "repositories" && parts[4] == "artifacts":
		once := must(url.PathUnescape(parts[3]))
		s.harborArtifacts(w, r, parts[1], parts[1]+"/"+must(url.PathUnescape(once)))
	default:
		writeError(w, http.StatusNotFound, "NOT_FOUND", "path not found")
	}
}

// projects is the names of all projects, oldest first, with library before all.
func (s *Server) projects() []string {
	names := []string{"library"}
	for _, top := range s.tops() {
		if top != "library" {
			names = append(names, top)
		}
	}
	return names
}

func (s *Server) projectByNumber(number string) string {
	n, err := strconv.Atoi(number)
	if names := s.projects(); err == nil && n >= 1 && n <= len(names) {
		return names[n-1]
	}
	return ""
}

// mayList is mayEnter for the REST interface, where the secret of an OIDC user
// counts for nothing.
func (s *Server) mayList(r *http.Request) bool {
	if s.opts.AuthMode == "oidc_auth" && !strings.HasPrefix(s.opts.Username, "robot$") {
		return false
	}
	return s.mayEnter(r)
}

func (s *Server) isPublic(project string) bool {
	return project == "library" || slices.Contains(s.opts.PublicProjects, project)
}

// harborProjects answers a wrong password with the public projects, as the
// real one does.
func (s *Server) harborProjects(w http.ResponseWriter, r *http.Request) {
	known := s.mayList(r)
	var out []map[string]any
	for i, name := range s.projects() {
		if !known && !s.isPublic(name) {
			continue
		}
		out = append(out, map[string]any{
			"project_id": i + 1, "name": name, "owner_name": "admin", "repo_count": len(s.names(name+"/", true)),
			"metadata": map[string]string{"public": strconv.FormatBool(s.isPublic(name))},
		})
	}
	writeJSON(w, http.StatusOK, numberedPage(w, r, out))
}

// readable answers for a project that is absent or not for the caller.
func (s *Server) readable(w http.ResponseWriter, r *http.Request, project string) bool {
	switch {
	case !slices.Contains(s.projects(), project):
		writeError(w, http.StatusNotFound, "NOT_FOUND", "project not found")
	case !s.isPublic(project) && !s.mayList(r):
		writeError(w, http.StatusUnauthorized, "UNAUTHORIZED", "unauthorized")
	default:
		return true
	}
	return false
}

func (s *Server) harborRepositories(w http.ResponseWriter, r *http.Request, project string) {
	if !s.readable(w, r, project) {
		return
	}
	var out []map[string]any
	for _, repo := range s.names(project+"/", r.URL.Query().Get("sort") == "creation_time") {
		out = append(out, map[string]any{
			"id": repo.number, "name": repo.name, "artifact_count": len(repo.artifacts), "pull_count": 0,
			"creation_time": repo.created.Format(wireTime), "update_time": repo.created.Format(wireTime),
		})
	}
	writeJSON(w, http.StatusOK, numberedPage(w, r, out))
}

func (s *Server) harborArtifacts(w http.ResponseWriter, r *http.Request, project, name string) {
	if !s.readable(w, r, project) {
		return
	}
	s.mu.Lock()
	repo := s.repositories[name]
	var out []map[string]any
	if repo != nil {
		for i, p := range repo.artifacts {
			out = append(out, artifactJSON(i+1, repo, p))
		}
	}
	s.mu.Unlock()
	if repo == nil {
		writeError(w, http.StatusNotFound, "NOT_FOUND", fmt.Sprintf("repository %s not found", name))
		return
	}
	writeJSON(w, http.StatusOK, numberedPage(w, r, out))
}

func artifactJSON(id int, repo *repository, p pushed) map[string]any {
	var tags []map[string]any // null when there is none
	for name, t := range repo.tags {
		if t.digest == p.artifact.Digest {
			tags = append(tags, map[string]any{
				"name": name, "artifact_id": id, "immutable": false,
				"push_time": t.at.Format(wireTime), "pull_time": "0001-01-01T00:00:00.000Z",
			})
		}
	}
	var references []map[string]any
	for _, c := range p.artifact.children {
		references = append(references, map[string]any{
			"child_digest": c.Digest, "platform": map[string]string{"os": c.platform.OS, "architecture": c.platform.Architecture},
		})
	}
	return map[string]any{
		"id": id, "digest": p.artifact.Digest, "size": p.artifact.Size, "type": p.artifact.Kind,
		"manifest_media_type": p.artifact.MediaType, "repository_name": repo.name,
		"push_time": p.at.Format(wireTime), "pull_time": "0001-01-01T00:00:00.000Z",
		"extra_attrs": map[string]any{"architecture": p.artifact.platform.Architecture, "os": p.artifact.platform.OS},
		"accessories": nil, "references": references, "tags": tags,
	}
}

// harborTags is the first generation's list: all tags at once.
func (s *Server) harborTags(w http.ResponseWriter, r *http.Request, name string) {
	project, _, _ := strings.Cut(name, "/")
	if !s.readable(w, r, project) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	repo := s.repositories[name]
	if repo == nil {
		writeError(w, http.StatusNotFound, "NOT_FOUND", "repository not found")
		return
	}
	out := []map[string]any{}
	for version, t := range repo.tags {
		if a := s.manifests[t.digest]; a != nil && a.Kind == "IMAGE" {
			out = append(out, map[string]any{
				"name": version, "digest": t.digest, "size": a.Size, "architecture": a.platform.Architecture,
				"os": a.platform.OS, "push_time": t.at.Format(time.RFC3339Nano), "created": "2026-01-02T03:04:05Z",
			})
		}
	}
	writeJSON(w, http.StatusOK, out)
}

// numberedPage cuts a list by page and page_size, counts and links.
func numberedPage(w http.ResponseWriter, r *http.Request, all []map[string]any) []map[string]any {
	q := r.URL.Query()
	page, _ := strconv.Atoi(q.Get("page"))
	size, _ := strconv.Atoi(q.Get("page_size"))
	page, size = max(page, 1), min(max(size, 1), 100)
	if q.Get("page_size") == "" {
		size = 10
	}
	w.Header().Set("X-Total-Count", strconv.Itoa(len(all)))
	start := min((page-1)*size, len(all))
	end := min(start+size, len(all))
	if end < len(all) {
		q.Set("page", strconv.Itoa(page+1))
		w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, r.URL.EscapedPath(), q.Encode()))
	}
	if start == end {
		return []map[string]any{}
	}
	return all[start:end]
}
