package swr

import (
	"context"

	"breakwater"
	"breakwater/internal/door"
	"breakwater/internal/store"
)

type listTagsIn struct {
	Namespace   string `path:"namespace"`
	Repository  string `path:"repository"`
	Limit       int    `query:"limit"`
	Offset      int    `query:"offset"`
	OrderColumn string `query:"order_column"`
	OrderType   string `query:"order_type"`
	Tag         string `query:"tag"`
	Filter      string `query:"filter"`
}

// filter is the request in the store's words. A filter parameter stands alone.
func (in listTagsIn) filter() (store.TagFilter, error) {
	if in.Filter == "" {
		return store.TagFilter{Tag: in.Tag, Asc: in.OrderType == "asc", Limit: in.Limit, Offset: in.Offset}, nil
	}
	f, err := parseFilter(in.Filter, "offset", "limit", "order_column", "order_type", "tag")
	if err != nil {
		return store.TagFilter{}, err
	}
	p, err := f.paging("updated_at")
	return store.TagFilter{Tag: f["tag"], Asc: p.asc, Limit: p.limit, Offset: p.offset}, err
}

// tagInfo is one line of the tag list: all fields of the contract.
type tagInfo struct {
	ID           int64  `json:"id"`
	RepoID       int64  `json:"repo_id"`
	Tag          string `json:"Tag"`
	ImageID      string `json:"image_id"`
	Manifest     string `json:"manifest"`
	Digest       string `json:"digest"`
	Schema       int64  `json:"schema"`
	Path         string `json:"path"`
	InternalPath string `json:"internal_path"`
	Size         int64  `json:"size"`
	Trusted      bool   `json:"is_trusted"`
	Created      string `json:"created"`
	Updated      string `json:"updated"`
	Deleted      string `json:"deleted"`
	DomainID     string `json:"domain_id"`
	Scanned      bool   `json:"scanned"`
	TagType      int64  `json:"tag_type"`
}

// maxManifests bounds the manifest texts of one answer. A page shares it evenly
// among its tags; a manifest that is larger than its share is left empty, and
// read through /v2/ instead.
const maxManifests = 16 << 20

// listTags is one page of a repository's tags.
func (s *server) listTags(ctx context.Context, in listTagsIn) (door.Page[tagInfo], error) {
	name, err := repositoryName(in.Repository)
	if err != nil {
		return door.Page[tagInfo]{}, err
	}
	f, err := in.filter()
	if err != nil {
		return door.Page[tagInfo]{}, err
	}
	c := caller(ctx)
	out := door.Page[tagInfo]{Offset: f.Offset}
	err = s.db.View(ctx, func(tx *store.DB) error {
		r, err := tx.Repository(ctx, c.ProjectID, in.Namespace, name)
		if err != nil {
			return err
		}
		var tags []breakwater.RepositoryTag
		if tags, out.Total, err = tx.RepositoryTags(ctx, r.ID, f); err != nil {
			return err
		}
		manifests, err := tx.ManifestTexts(ctx, r.ID, tags, maxManifests)
		if err != nil {
			return err
		}
		scanned, err := tx.ScannedTags(ctx, r, tags)
		if err != nil {
			return err
		}
		out.Rows = make([]tagInfo, len(tags))
		for i, t := range tags {
			out.Rows[i] = s.tagInfo(r, t)
			out.Rows[i].Manifest, out.Rows[i].Scanned, out.Rows[i].DomainID = manifests[t.Digest], scanned[t.Name], c.DomainID
		}
		return nil
	})
	return out, err
}

// tagInfo is what the tag alone says. Schema 1 manifests are refused at push, so
// schema is 2; tags are not signed here and go when they are deleted, so
// is_trusted is false and deleted is empty. An index has no config to be named
// by: its image_id is its own digest, as in the image list.
func (s *server) tagInfo(r breakwater.Repository, t breakwater.RepositoryTag) tagInfo {
	path := s.path(r.Namespace, r.Name) + ":" + t.Name
	i := tagInfo{
		ID: t.ID, RepoID: t.RepositoryID, Tag: t.Name, ImageID: t.ConfigDigest.Hex(), Digest: t.Digest.String(), Schema: 2,
		Path: path, InternalPath: path, Size: t.Size, Created: wireTime(t.Created), Updated: wireTime(t.Updated),
	}
	if t.Index {
		i.TagType = 1
	}
	if i.ImageID == "" {
		i.ImageID = t.Digest.Hex()
	}
	return i
}

type tagIn struct {
	Namespace  string `path:"namespace"`
	Repository string `path:"repository"`
	Tag        string `path:"tag"`
}

// deleteTag removes a tag and its image from the image list. The manifest stays
// pullable by its digest.
func (s *server) deleteTag(ctx context.Context, in tagIn) (nothing, error) {
	name, err := repositoryName(in.Repository)
	if err != nil {
		return nothing{}, err
	}
	project := caller(ctx).ProjectID
	err = s.db.Tx(ctx, func(tx *store.DB) error {
		r, err := tx.Repository(ctx, project, in.Namespace, name)
		if err != nil {
			return err
		}
		if err := tx.DeleteTag(ctx, r.ID, in.Tag); err != nil {
			return err
		}
		embedded, err := s.images.Embedded(ctx, tx, project)
		if err != nil {
			return err
		}
		return s.images.Forget(ctx, tx, embedded, in.Namespace, name, in.Tag)
	})
	return nothing{}, err
}
