package swr

import (
	"context"
	"strings"

	"breakwater"
	"breakwater/internal/door"
	"breakwater/internal/store"
)

type listReposIn struct {
	Namespace   string `query:"namespace"`
	Name        string `query:"name"`
	Category    string `query:"category"`
	Public      *bool  `query:"is_public"`
	Limit       int    `query:"limit"`
	Offset      int    `query:"offset"`
	OrderColumn string `query:"order_column"`
	OrderType   string `query:"order_type"`
	Filter      string `query:"filter"`
}

// repoInfo is one line of the repository list.
type repoInfo struct {
	Name         string   `json:"name"`
	Category     string   `json:"category"`
	Description  string   `json:"description"`
	Size         int64    `json:"size"`
	Public       bool     `json:"is_public"`
	Images       int64    `json:"num_images"`
	Downloads    int64    `json:"num_download"`
	Created      string   `json:"created_at"`
	Updated      string   `json:"updated_at"`
	Logo         string   `json:"logo"`
	URL          string   `json:"url"`
	Path         string   `json:"path"`
	InternalPath string   `json:"internal_path"`
	DomainName   string   `json:"domain_name"`
	Namespace    string   `json:"namespace"`
	Tags         []string `json:"tags"`
	Status       bool     `json:"status"`
	Total        int64    `json:"total_range"`
}

// listRepos is one page of the project's repositories. Every line repeats the
// total, because some clients page by it and never look at the header. status
// (shared) is always false: repositories are not shared between domains.
func (s *server) listRepos(ctx context.Context, in listReposIn) (door.Page[repoInfo], error) {
	f, err := in.filter()
	if err != nil {
		return door.Page[repoInfo]{}, err
	}
	c := caller(ctx)
	rows, total, err := s.db.RepositoryDetails(ctx, c.ProjectID, f)
	if err != nil {
		return door.Page[repoInfo]{}, err
	}
	out := door.Page[repoInfo]{Rows: make([]repoInfo, len(rows)), Offset: f.Offset, Total: total}
	for i, d := range rows {
		path := s.path(d.Namespace, d.Name)
		out.Rows[i] = repoInfo{
			Name: d.Name, Category: d.Category, Description: d.Description, Size: d.Size, Public: d.Public,
			Images: d.Images, Downloads: d.Downloads, Created: wireTime(d.Created), Updated: wireTime(d.Updated),
			Path: path, InternalPath: path, DomainName: c.DomainName, Namespace: d.Namespace,
			Tags: append([]string{}, d.Tags...), Total: int64(total),
		}
	}
	return out, nil
}

// filter is the request in the store's words. A filter parameter stands alone.
func (in listReposIn) filter() (store.RepositoryFilter, error) {
	if in.Filter != "" {
		return parseRepoFilter(in.Filter)
	}
	if in.OrderType != "" && in.OrderColumn == "" {
		return store.RepositoryFilter{}, breakwater.Invalid("order_column", "goes with order_type")
	}
	return store.RepositoryFilter{
		Namespace: in.Namespace, Name: nameOf(in.Name), Category: storedCategory(in.Category), Public: in.Public,
		Order: orderOf(in.OrderColumn), Asc: in.OrderType == "asc", Limit: in.Limit, Offset: in.Offset,
	}, nil
}

// parseRepoFilter reads the filter of the repository list.
func parseRepoFilter(s string) (out store.RepositoryFilter, err error) {
	f, err := parseFilter(s, "namespace", "name", "category", "is_public", "limit", "offset", "order_column", "order_type")
	if err != nil {
		return out, err
	}
	p, err := f.paging("name", "updated_time", "updated_at", "tag_count")
	if err != nil {
		return out, err
	}
	category, err := f.word("category", "app_server", "linux", "framework_app", "database", "lang", "other", "windows", "arm", "arms")
	if err != nil {
		return out, err
	}
	public, err := f.word("is_public", "true", "false")
	if err != nil {
		return out, err
	}
	out = store.RepositoryFilter{
		Namespace: f["namespace"], Name: nameOf(f["name"]), Category: storedCategory(category),
		Order: orderOf(p.order), Asc: p.asc, Limit: p.limit, Offset: p.offset,
	}
	if public != "" {
		yes := public == "true"
		out.Public = &yes
	}
	return out, nil
}

// nameOf takes both spellings of a slash; no repository name holds a $.
func nameOf(s string) string { return strings.ReplaceAll(s, "$", "/") }

func orderOf(column string) store.RepositoryOrder {
	switch column {
	case "name":
		return store.OrderName
	case "tag_count":
		return store.OrderTagCount
	}
	return store.OrderUpdated
}
