package upstream

import (
	"context"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"breakwater/internal/oci"
)

// harborV1 is /api, of Harbor 1.x: repositories are asked for by the number of
// their project, tags come all at once and only of images.
type harborV1 struct{ harborAPI }

func newHarborV1(rest *oci.Client) dialect { return harborV1{harborAPI{rest}} }

func (v harborV1) repositories(ctx context.Context, project item, page int) (list[item], error) {
	query := url.Values{"project_id": {strconv.FormatInt(project.ID, 10)}, "sort": {"creation_time"}}
	got, err := getPage[named](ctx, v.rest, "/repositories", query, page)
	if err != nil {
		return list[item]{}, err
	}
	return inProject(got, project.Name)
}

func (v harborV1) tags(ctx context.Context, project item, repository string, _ int) (list[Tag], error) {
	segments := strings.Split(project.Name+"/"+repository, "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	_, body, err := v.rest.Get(ctx, "/repositories/"+strings.Join(segments, "/")+"/tags", "", maxAnswer)
	if err != nil {
		return list[Tag]{}, err
	}
	var wire []wireTag
	if json.Unmarshal(body, &wire) != nil {
		return list[Tag]{}, lie("the registry answered a list with something else")
	}
	out := list[Tag]{total: -1}
	for _, w := range wire {
		t, err := makeTag(project.Name, repository, w)
		if err != nil {
			return list[Tag]{}, err
		}
		out.items = append(out.items, t)
	}
	return out, nil
}
