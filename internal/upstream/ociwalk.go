package upstream

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"breakwater"
	"breakwater/internal/oci"
)

// shelf is a set of repositories behind one base address: a whole plain
// registry, or one repository key of an Artifactory.
type shelf struct {
	key    string
	client *oci.Client
	fixed  []string // the repositories, where the catalogue is not to be asked
	place  func(repository string) (namespace, name string)
}

// shelfState is a place on a shelf. Catalogue and Tags are queries of the
// registry's own making; Repository is the one to do next, empty for the first
// of the catalogue's page.
type shelfState struct {
	Shelf      string `json:"s,omitempty"`
	Catalogue  string `json:"c,omitempty"`
	Repository string `json:"r,omitempty"`
	Tags       string `json:"t,omitempty"`
	Pages      int    `json:"n,omitempty"` // pages of the present list so far
	Ended      bool   `json:"e,omitempty"`
}

// shelfWalk walks one shelf and keeps the catalogue's page at hand.
type shelfWalk struct {
	asked string // shelf key and query of the page; empty: none
	names oci.Names
}

// headLimit is how many tags are resolved at once.
const headLimit = 6

// step does one page of one repository's tags. St.Ended tells the end of the
// shelf.
func (w *shelfWalk) step(ctx context.Context, s shelf, st *shelfState, page *Page) error {
	if err := w.load(ctx, s, st.Catalogue); err != nil {
		return err
	}
	index := 0
	if st.Repository != "" {
		// A repository that left the page: the page is told again from its start.
		index = max(slices.Index(w.names.Names, st.Repository), 0)
	}
	if index < len(w.names.Names) {
		repository := w.names.Names[index]
		if st.Repository != repository {
			st.Repository, st.Tags = repository, ""
		}
		next, err := w.tags(ctx, s, repository, st.Tags, page)
		if err != nil {
			return fault(err, "listing the tags of %s", short(repository))
		}
		if next != "" {
			if st.Pages++; st.Pages > maxPages {
				return lie("the list of tags has more than %d pages", maxPages)
			}
			st.Tags = next
			return nil
		}
		index++
	}
	st.Tags = ""
	switch {
	case index < len(w.names.Names):
		st.Repository, st.Pages = w.names.Names[index], 0
	case w.names.Next != "":
		if st.Pages++; st.Pages > maxPages {
			return lie("the catalogue has more than %d pages", maxPages)
		}
		st.Repository, st.Catalogue = "", w.names.Next
	default:
		st.Ended = true
	}
	return nil
}

// load gets a page of the catalogue unless it is the one at hand.
func (w *shelfWalk) load(ctx context.Context, s shelf, query string) error {
	asked := s.key + "\n" + query
	if w.asked == asked {
		return nil
	}
	names := oci.Names{Names: s.fixed}
	if s.fixed == nil {
		var err error
		names, err = s.client.Repositories(ctx, query, pageSize)
		switch {
		case breakwater.IsNotFound(err), refused(err):
			return fault(err, "listing the repositories; where a registry has no catalogue, name its repositories")
		case err != nil:
			return fault(err, "listing the repositories")
		}
	}
	*w = shelfWalk{asked: asked, names: names}
	return nil
}

// tags adds a page of a repository's tags, resolved to digests. A repository
// or a tag that went away meanwhile is left out.
func (w *shelfWalk) tags(ctx context.Context, s shelf, repository, cursor string, page *Page) (next string, err error) {
	if oci.CheckRepository(repository) != nil {
		page.note("repository %s has a name that cannot be pulled", short(repository))
		return "", nil
	}
	repo := s.client.Repository(repository)
	got, err := repo.Tags(ctx, cursor, pageSize)
	switch {
	case breakwater.IsNotFound(err):
		return "", nil
	case forbidden(err):
		page.note("repository %s is listed but may not be read", short(repository))
		return "", nil
	case err != nil:
		return "", err
	}
	digests := make([]breakwater.Digest, len(got.Names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(headLimit)
	for i, tag := range got.Names {
		if oci.CheckTag(tag) != nil {
			page.note("a tag of %s has a name that cannot be pulled", short(repository))
			continue
		}
		group.Go(func() error {
			d, err := repo.Digest(ctx, tag)
			if breakwater.IsNotFound(err) {
				return nil
			}
			digests[i] = d
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	namespace, name := s.place(repository)
	for i, tag := range got.Names {
		if digests[i] != "" {
			page.Tags = append(page.Tags, Tag{Namespace: namespace, Name: name, Version: tag, Digest: digests[i]})
		}
	}
	return got.Next, nil
}
