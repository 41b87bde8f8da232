package oci

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"breakwater"
)

const (
	// maxList bounds one answer of names, whatever number was asked for.
	maxList     = 16 << 20
	maxCursor   = 2 << 10
	maxNameSize = 1 << 10
)

// Names is one page of repository names or tags.
type Names struct {
	Names []string // as the registry says them; a name may be malformed
	Next  string   // cursor of the next page; empty after the last
}

// Repositories is a page of the registry's catalogue. Many registries forbid
// it: then the error's code is CodeAuthentication or its kind NotFound.
func (c *Client) Repositories(ctx context.Context, cursor string, n int) (Names, error) {
	return c.names(ctx, "/v2/_catalog", "repositories", "registry:catalog:*", cursor, n)
}

// Tags is a page of the repository's tags; NotFound when it does not exist.
func (r *Repository) Tags(ctx context.Context, cursor string, n int) (Names, error) {
	if err := CheckRepository(r.name); err != nil {
		return Names{}, err
	}
	return r.client.names(ctx, "/v2/"+r.name+"/tags/list", "tags", r.scope(), cursor, n)
}

// names asks for one page. The cursor is the query of the next page as the
// registry's Link header gave it; only the query is taken, so that a registry
// cannot send us elsewhere.
func (c *Client) names(ctx context.Context, path, field, scope, cursor string, n int) (Names, error) {
	query := cursor
	if query == "" {
		query = "n=" + strconv.Itoa(n)
	}
	a, err := c.fetch(ctx, call{path: path, query: query, accept: "application/json", scope: scope, limit: maxList})
	if err != nil {
		return Names{}, err
	}
	var w map[string]json.RawMessage
	var names []string
	if err := json.Unmarshal(a.Body, &w); err != nil {
		return Names{}, errList()
	}
	if raw, ok := w[field]; !ok || json.Unmarshal(raw, &names) != nil {
		return Names{}, errList()
	}
	for _, name := range names {
		if len(name) > maxNameSize {
			return Names{}, errList()
		}
	}
	// A registry that answers the same again has no notion of pages.
	sent, _ := url.ParseQuery(query)
	if last := sent.Get("last"); last != "" && slices.Contains(names, last) {
		return Names{}, nil
	}
	next, err := nextQuery(a.Header.Values("Link"), query)
	if err != nil {
		return Names{}, err
	}
	if next == "" && len(names) == n && n > 0 {
		// A full page without a Link: old registries page without saying so.
		next = url.Values{"n": {strconv.Itoa(n)}, "last": {names[n-1]}}.Encode()
	}
	return Names{Names: names, Next: next}, nil
}

func errList() error {
	return unavailable(breakwater.CodeDownloadFailed, nil, "the registry answered a list with something else")
}

// NextQuery is the query of the rel="next" entry of Link headers (RFC 8288),
// empty when there is none. A next page that is the present one is refused:
// following it would never end.
func NextQuery(links []string, present string) (string, error) { return nextQuery(links, present) }

func nextQuery(links []string, present string) (string, error) {
	for _, line := range links {
		for {
			_, after, ok := strings.Cut(line, "<")
			target, rest, closed := strings.Cut(after, ">")
			if !ok || !closed {
				break
			}
			params, more, _ := strings.Cut(rest, ",")
			line = more
			if !isNext(params) {
				continue
			}
			u, err := url.Parse(target)
			if err != nil || len(u.RawQuery) > maxCursor || u.RawQuery == "" {
				return "", unavailable(breakwater.CodeDownloadFailed, err, "the registry names a next page that is none")
			}
			if u.RawQuery == present {
				return "", unavailable(breakwater.CodeDownloadFailed, nil, "the registry names a page as its own next")
			}
			return u.RawQuery, nil
		}
	}
	return "", nil
}

func isNext(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "rel") && slices.Contains(strings.Fields(strings.ToLower(strings.Trim(value, `"`))), "next") {
			return true
		}
	}
	return false
}

// String names the repository for errors and logs.
func (r *Repository) String() string { return fmt.Sprintf("%s/%s", r.client.base.Host, r.name) }
