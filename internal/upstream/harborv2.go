package upstream

import (
	"context"
	"net/url"

	"breakwater/internal/oci"
)

// harborV2 is /api/v2.0, of Harbor 2.x.
type harborV2 struct{ harborAPI }

func newHarborV2(rest *oci.Client) dialect { return harborV2{harborAPI{rest}} }

func (v harborV2) repositories(ctx context.Context, project item, page int) (list[item], error) {
	path := "/projects/" + url.PathEscape(project.Name) + "/repositories"
	got, err := getPage[named](ctx, v.rest, path, url.Values{"sort": {"creation_time"}}, page)
	if err != nil {
		return list[item]{}, err
	}
	return inProject(got, project.Name)
}

// wireArtifact is an artifact with what a list of images needs of it. Its
// references (children of an index) come with the manifest, digest-checked,
// and its accessories (signatures, SBOMs) are no images.
type wireArtifact struct {
	Digest string    `json:"digest"`
	Size   int64     `json:"size"`
	Type   string    `json:"type"`
	Pushed string    `json:"push_time"`
	Tags   []wireTag `json:"tags"`
}

func (v harborV2) tags(ctx context.Context, project item, repository string, page int) (list[Tag], error) {
	// A slash inside the name is escaped twice: the router takes one escape off.
	path := "/projects/" + url.PathEscape(project.Name) + "/repositories/" +
		url.PathEscape(url.PathEscape(repository)) + "/artifacts"
	got, err := getPage[wireArtifact](ctx, v.rest, path, url.Values{"with_tag": {"true"}}, page)
	if err != nil {
		return list[Tag]{}, err
	}
	out := list[Tag]{total: got.total, more: got.more}
	for _, a := range got.items {
		if a.Type != "IMAGE" {
			continue
		}
		for _, w := range a.Tags {
			w.Digest, w.Size = a.Digest, a.Size
			if w.Pushed == "" {
				w.Pushed = a.Pushed
			}
			t, err := makeTag(project.Name, repository, w)
			if err != nil {
				return list[Tag]{}, err
			}
			out.items = append(out.items, t)
		}
	}
	return out, nil
}
