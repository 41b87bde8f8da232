package upstream

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"breakwater"
	"breakwater/internal/oci"
)

// maxAnswer bounds one JSON answer: a hundred artifacts of Harbor with all
// their attributes are some 300 KiB.
const maxAnswer = 16 << 20

// harborAPI is what both generations share: how a page of JSON is asked for.
type harborAPI struct{ rest *oci.Client }

// system proves that a Harbor answers: the system information needs no login.
func (a harborAPI) system(ctx context.Context) (authMode string, err error) {
	_, body, err := a.rest.Get(ctx, "/systeminfo", "", maxAnswer)
	if err != nil {
		return "", err
	}
	var w struct {
		AuthMode string `json:"auth_mode"`
		Version  string `json:"harbor_version"`
	}
	if json.Unmarshal(body, &w) != nil || w.AuthMode == "" && w.Version == "" {
		return "", lie("the address answers, but not as a Harbor")
	}
	return w.AuthMode, nil
}

// self asks who the credentials belong to; only a user gets an answer.
func (a harborAPI) self(ctx context.Context) error {
	_, body, err := a.rest.Get(ctx, "/users/current", "", maxAnswer)
	if err != nil {
		return err
	}
	var w struct {
		Username string `json:"username"`
	}
	if json.Unmarshal(body, &w) != nil || w.Username == "" {
		return lie("the registry does not say who is signed in")
	}
	return nil
}

// getPage fetches one page of a list. What follows it is told by the Link
// header, else by the count, else by the page being full.
func getPage[T any](ctx context.Context, rest *oci.Client, path string, query url.Values, page int) (list[T], error) {
	query.Set("page", strconv.Itoa(page))
	query.Set("page_size", strconv.Itoa(pageSize))
	header, body, err := rest.Get(ctx, path, query.Encode(), maxAnswer)
	if err != nil {
		return list[T]{}, err
	}
	out := list[T]{total: -1}
	if err := json.Unmarshal(body, &out.items); err != nil {
		return list[T]{}, lie("the registry answered a list with something else")
	}
	if n, err := strconv.ParseUint(header.Get("X-Total-Count"), 10, 31); err == nil {
		out.total = int(n)
	}
	next, err := oci.NextQuery(header.Values("Link"), query.Encode())
	if err != nil {
		return list[T]{}, err
	}
	switch {
	case len(out.items) == 0: // whatever the headers claim
	case next != "":
		out.more = true
	case out.total >= 0:
		out.more = page*pageSize < out.total
	default:
		out.more = len(out.items) >= pageSize
	}
	return out, nil
}

// named is a project or a repository on the wire, in both generations.
type named struct {
	Name      string `json:"name"`
	ProjectID int64  `json:"project_id"`
}

func (a harborAPI) projects(ctx context.Context, page int) (list[item], error) {
	got, err := getPage[named](ctx, a.rest, "/projects", url.Values{"sort": {"creation_time"}}, page)
	if err != nil {
		return list[item]{}, err
	}
	out := list[item]{total: got.total, more: got.more}
	for _, p := range got.items {
		if oci.CheckRepository(p.Name) != nil || strings.Contains(p.Name, "/") {
			return list[item]{}, lie("the registry lists a project whose name cannot be one")
		}
		out.items = append(out.items, item{Name: p.Name, ID: p.ProjectID})
	}
	return out, nil
}

// inProject cuts the project off the names of its repositories.
func inProject(got list[named], project string) (list[item], error) {
	out := list[item]{total: got.total, more: got.more}
	for _, r := range got.items {
		name, ok := strings.CutPrefix(r.Name, project+"/")
		if !ok || name == "" {
			return list[item]{}, lie("the registry lists a repository outside the project that was asked for")
		}
		out.items = append(out.items, item{Name: name})
	}
	return out, nil
}

// wireTag is a tag of either generation.
type wireTag struct {
	Name   string `json:"name"`
	Pushed string `json:"push_time"`

	// The older generation says all of the artifact with each of its tags.
	Digest string `json:"digest"`
	Size   int64  `json:"size"`
}

// makeTag checks what a registry says of one tag.
func makeTag(project, repository string, w wireTag) (Tag, error) {
	digest, err := breakwater.ParseDigest(w.Digest)
	if err != nil {
		return Tag{}, lie("the registry lists an artifact with a malformed digest")
	}
	if oci.CheckTag(w.Name) != nil {
		return Tag{}, lie("the registry lists a tag that cannot be one")
	}
	if w.Size < 0 {
		return Tag{}, lie("the registry lists an artifact with a negative size")
	}
	return Tag{
		Namespace: project, Name: repository, Version: w.Name,
		Digest: digest, Size: w.Size, Pushed: wireTime(w.Pushed),
	}, nil
}

// wireTime reads a time; Harbor's "never" is the year 1, and an unreadable
// time is unknown rather than an error.
func wireTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.Year() < 1980 {
		return time.Time{}
	}
	return t.UTC()
}
