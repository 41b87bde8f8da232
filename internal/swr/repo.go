package swr

import (
	"cmp"
	"context"
	"strings"

	"breakwater"
	"breakwater/internal/store"
)

// repoIn is the address of a repository in a path.
type repoIn struct {
	Namespace  string `path:"namespace"`
	Repository string `path:"repository"`
}

// repositoryName turns the spelling of a path into the name: $ stands for the
// slash that a path segment cannot hold.
func repositoryName(segment string) (string, error) {
	name := strings.ReplaceAll(segment, "$", "/")
	return name, breakwater.CheckRepository(name)
}

// storedCategory is a category as it is kept; the SDK's requests say arms where
// its lists say arm.
func storedCategory(wire string) string {
	if wire == "arms" {
		return breakwater.CategoryArm
	}
	return wire
}

// repoBody are the settings of a repository; nil where the client says nothing.
type repoBody struct {
	Repository  *string `json:"repository"`
	Category    *string `json:"category"`
	Description *string `json:"description"`
	Public      *bool   `json:"is_public"`
}

type createRepoIn struct {
	Namespace   string    `path:"namespace"`
	Repository  *string   `query:"repository"`
	Category    *string   `query:"category"`
	Description *string   `query:"description"`
	Public      *bool     `query:"is_public"`
	Body        *repoBody `body:""`
}

// settings are what the two forms of the request say together; the body wins.
func (in createRepoIn) settings() repoBody {
	var b repoBody
	if in.Body != nil {
		b = *in.Body
	}
	return repoBody{
		Repository: cmp.Or(b.Repository, in.Repository), Category: cmp.Or(b.Category, in.Category),
		Description: cmp.Or(b.Description, in.Description), Public: cmp.Or(b.Public, in.Public),
	}
}

func (s *server) createRepo(ctx context.Context, in createRepoIn) (nothing, error) {
	b := in.settings()
	if b.Repository == nil {
		return nothing{}, breakwater.Invalid("repository", "is required, in the body or in the query")
	}
	if err := breakwater.CheckRepository(*b.Repository); err != nil {
		return nothing{}, err
	}
	c := caller(ctx)
	r := breakwater.Repository{
		ProjectID: c.ProjectID, Namespace: in.Namespace, Name: *b.Repository,
		CreatorID: c.UserID, CreatorName: c.UserName,
	}
	if err := b.apply(&r); err != nil {
		return nothing{}, err
	}
	_, err := s.db.CreateRepository(ctx, r)
	return nothing{}, err
}

// maxDescription bounds the text that lists repeat.
const maxDescription = 30000

// apply writes what was said into r and leaves the rest.
func (b repoBody) apply(r *breakwater.Repository) error {
	if b.Category != nil {
		r.Category = storedCategory(*b.Category)
	}
	if b.Description != nil {
		if len(*b.Description) > maxDescription {
			return breakwater.Invalid("description", "must be at most %d bytes long", maxDescription)
		}
		r.Description = *b.Description
	}
	if b.Public != nil {
		r.Public = *b.Public
	}
	return nil
}

// repositoryInfo is ShowRepository's answer: all fields of the contract.
type repositoryInfo struct {
	ID           int64  `json:"id"`
	NamespaceID  int64  `json:"ns_id"`
	Name         string `json:"name"`
	Category     string `json:"category"`
	Description  string `json:"description"`
	CreatorID    string `json:"creator_id"`
	CreatorName  string `json:"creator_name"`
	Size         int64  `json:"size"`
	Public       bool   `json:"is_public"`
	Images       int64  `json:"num_images"`
	Downloads    int64  `json:"num_download"`
	URL          string `json:"url"`
	Path         string `json:"path"`
	InternalPath string `json:"internal_path"`
	Created      string `json:"created"`
	Updated      string `json:"updated"`
	DomainID     string `json:"domain_id"`
	Priority     int64  `json:"priority"`
}

// showRepo answers the one repository. url and priority are settings of a public
// catalogue that the embedded registry does not have: empty and zero.
func (s *server) showRepo(ctx context.Context, in repoIn) (repositoryInfo, error) {
	name, err := repositoryName(in.Repository)
	if err != nil {
		return repositoryInfo{}, err
	}
	c := caller(ctx)
	d, err := s.db.RepositoryDetail(ctx, c.ProjectID, in.Namespace, name)
	if err != nil {
		return repositoryInfo{}, err
	}
	path := s.path(d.Namespace, d.Name)
	return repositoryInfo{
		ID: d.ID, NamespaceID: d.NamespaceID, Name: d.Name, Category: d.Category, Description: d.Description,
		CreatorID: d.CreatorID, CreatorName: d.CreatorName, Size: d.Size, Public: d.Public,
		Images: d.Images, Downloads: d.Downloads, Path: path, InternalPath: path,
		Created: wireTime(d.Created), Updated: wireTime(d.Updated), DomainID: c.DomainID,
	}, nil
}

type updateRepoIn struct {
	Namespace  string `path:"namespace"`
	Repository string `path:"repository"`
	Body       struct {
		Category    *string `json:"category"`
		Description *string `json:"description"`
		Public      *bool   `json:"is_public"`
	} `body:""`
}

// updateRepo changes the settings that the request names.
func (s *server) updateRepo(ctx context.Context, in updateRepoIn) (nothing, error) {
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
		b := repoBody{Category: in.Body.Category, Description: in.Body.Description, Public: in.Body.Public}
		if err := b.apply(&r); err != nil {
			return err
		}
		return tx.UpdateRepository(ctx, r)
	})
	return nothing{}, err
}

// deleteRepo removes a repository with all it holds, and its images from the
// image list, in one transaction.
func (s *server) deleteRepo(ctx context.Context, in repoIn) (nothing, error) {
	name, err := repositoryName(in.Repository)
	if err != nil {
		return nothing{}, err
	}
	project := caller(ctx).ProjectID
	err = s.db.Tx(ctx, func(tx *store.DB) error {
		tags, err := tx.DeleteRepository(ctx, project, in.Namespace, name)
		if err != nil || len(tags) == 0 {
			return err
		}
		r, err := s.images.Embedded(ctx, tx, project)
		if err != nil {
			return err
		}
		return s.images.ForgetRepository(ctx, tx, r, in.Namespace, name)
	})
	return nothing{}, err
}
