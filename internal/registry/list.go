package registry

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"breakwater"
	"breakwater/internal/auth"
)

// maxPage is how many names one answer holds, whatever n asks for.
const maxPage = 1000

// page reads n and last. Without n, and beyond maxPage, a page is maxPage long.
func page(q url.Values) (n int, last string, err error) {
	last = q.Get("last")
	if len(last) > maxPath {
		return 0, "", ociError(breakwater.KindInvalid, codePagination, "last is too long")
	}
	if !q.Has("n") {
		return maxPage, last, nil
	}
	v, err := strconv.ParseUint(q.Get("n"), 10, 31)
	if err != nil {
		return 0, "", ociError(breakwater.KindInvalid, codePagination, "n must be a number, zero or more")
	}
	return min(int(v), maxPage), last, nil
}

// nextLink points at the page after last.
func nextLink(c *call, n int, last string, more url.Values) {
	q := url.Values{"n": {strconv.Itoa(n)}, "last": {last}}
	for k, v := range more {
		q[k] = v
	}
	c.w.Header().Set("Link", "<"+c.req.URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
}

func (r *Registry) listTags(c *call) error {
	repo, err := r.pullable(c)
	if err != nil {
		return err
	}
	n, last, err := page(c.req.URL.Query())
	if err != nil {
		return err
	}
	tags := []string{}
	if n > 0 {
		found, err := r.db.TagNames(c.ctx(), repo.ID, last, n+1)
		if err != nil {
			return err
		}
		if len(found) > n {
			found = found[:n]
			nextLink(c, n, found[n-1], nil)
		}
		tags = append(tags, found...)
	}
	return writeJSON(c.w, http.StatusOK, map[string]any{"name": c.path(), "tags": tags})
}

// listCatalog is _catalog: the repositories of the caller's project.
func (r *Registry) listCatalog(c *call) error {
	w := c.who
	if w.anonymous || w.token && !mayList(w.access) {
		return errSignIn("registry:catalog:*")
	}
	n, last, err := page(c.req.URL.Query())
	if err != nil {
		return err
	}
	names := []string{}
	if n > 0 {
		namespace, name, _ := strings.Cut(last, "/")
		found, err := r.db.RepositoryNames(c.ctx(), w.projectID, namespace, name, n+1)
		if err != nil {
			return err
		}
		if len(found) > n {
			found = found[:n]
			nextLink(c, n, found[n-1], nil)
		}
		names = append(names, found...)
	}
	return writeJSON(c.w, http.StatusOK, map[string]any{"repositories": names})
}

func mayList(access []auth.Access) bool {
	for _, a := range access {
		if a.Type == "registry" && a.Name == "catalog" && len(a.Actions) > 0 {
			return true
		}
	}
	return false
}
