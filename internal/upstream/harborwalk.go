package upstream

import (
	"context"

	"breakwater"
	"breakwater/internal/oci"
)

// harborState is a place in a Harbor, on three levels.
type harborState struct {
	Projects     position `json:"p"`
	Repositories position `json:"r"`
	Tags         position `json:"t"`
}

const harborKind = "harbor"

// Page implements Lister.
func (h *harbor) Page(ctx context.Context, cursor string) (Page, error) {
	st := decode[harborState](harborKind, cursor)
	if cursor == "" {
		h.projects, h.repositories = pageCache{}, pageCache{}
	}
	if !h.checked {
		if err := h.login(ctx); err != nil {
			return Page{}, err
		}
	}
	var page Page
	for steps := 0; steps < pageRequests && len(page.Tags) < pageTags; steps++ {
		done, err := h.step(ctx, &st, &page)
		if err != nil {
			return Page{}, err
		}
		if done {
			page.Done = true
			return page, nil
		}
	}
	var err error
	page.Next, err = encode(harborKind, st)
	return page, err
}

// step does one page of one repository's artifacts, or goes up a level.
func (h *harbor) step(ctx context.Context, st *harborState, page *Page) (done bool, err error) {
	project, ok, err := h.projects.at(&st.Projects, "", func(n int) (list[item], error) { return h.speech.projects(ctx, n) })
	if err != nil {
		return false, fault(err, "listing the projects")
	}
	if !ok {
		return true, nil
	}
	up := func() { st.Repositories, st.Tags = position{}, position{}; h.projects.advance(&st.Projects) }
	repository, ok, err := h.repositories.at(&st.Repositories, project.Name, func(n int) (list[item], error) {
		return h.speech.repositories(ctx, project, n)
	})
	switch {
	case breakwater.IsNotFound(err):
		if err := h.gone(project.Name, func() (list[item], error) { return h.speech.projects(ctx, st.Projects.Page) }); err != nil {
			return false, err
		}
		up()
		return false, nil
	case forbidden(err):
		page.note("project %s is listed but may not be read", short(project.Name))
		up()
		return false, nil
	case err != nil:
		return false, fault(err, "listing the repositories of project %s", short(project.Name))
	case !ok:
		up()
		return false, nil
	}
	if err := h.tagPage(ctx, st, page, project, repository.Name); err != nil {
		return false, fault(err, "listing the artifacts of %s", short(project.Name+"/"+repository.Name))
	}
	if st.Tags.Ended {
		st.Tags = position{}
		h.repositories.advance(&st.Repositories)
	}
	return false, nil
}

// tagPage adds one page of a repository's tags.
func (h *harbor) tagPage(ctx context.Context, st *harborState, page *Page, project item, repository string) error {
	if err := oci.CheckRepository(project.Name + "/" + repository); err != nil {
		page.note("repository %s has a name that cannot be pulled", short(project.Name+"/"+repository))
		st.Tags.Ended = true
		return nil
	}
	pos := &st.Tags
	pos.Page = max(pos.Page, 1)
	got, err := h.speech.tags(ctx, project, repository, pos.Page)
	switch {
	case breakwater.IsNotFound(err):
		pos.Ended = true
		return h.gone(repository, func() (list[item], error) {
			return h.speech.repositories(ctx, project, st.Repositories.Page)
		})
	case forbidden(err):
		page.note("repository %s is listed but may not be read", short(project.Name+"/"+repository))
		pos.Ended = true
		return nil
	case err != nil:
		return err
	}
	if got.total >= 0 && got.total < pos.Total && pos.restart() {
		return nil
	}
	pos.Total = got.total
	page.Tags = append(page.Tags, got.items...)
	switch {
	case !got.more:
		pos.Ended = true
	case pos.Page >= maxPages:
		return lie("the list has more than %d pages", maxPages)
	default:
		pos.Page++
	}
	return nil
}

// gone believes a 404 only when the list that named the thing has it no more. A
// proxy that spoils escaped names makes Harbor answer 404 for repositories that
// are there; taking that for a removal would remove their images here.
func (h *harbor) gone(name string, again func() (list[item], error)) error {
	got, err := again()
	if breakwater.IsNotFound(err) { // the level above went away too
		return nil
	}
	if err != nil {
		return err
	}
	for _, it := range got.items {
		if it.Name == name {
			return lie("the registry lists %s and does not find it; a proxy before it may spoil escaped names", short(name))
		}
	}
	return nil
}

// pageCache keeps the page of a list that the walk stands on, so that it is
// asked for once and not for every item.
type pageCache struct {
	owner string
	page  int
	list  list[item]
	index int
}

// at is the item at a position, loading its page when it is not at hand; not
// ok at the end of the list.
func (c *pageCache) at(pos *position, owner string, load func(page int) (list[item], error)) (it item, ok bool, err error) {
	pos.Page = max(pos.Page, 1)
	for !pos.Ended {
		if c.page != pos.Page || c.owner != owner {
			if pos.Page > maxPages {
				return item{}, false, lie("the list has more than %d pages", maxPages)
			}
			got, err := load(pos.Page)
			if err != nil {
				return item{}, false, err
			}
			*c = pageCache{owner: owner, page: pos.Page, list: got}
			shrunk := got.total >= 0 && got.total < pos.Total
			if shrunk && pos.Page > 1 && pos.restart() {
				continue
			}
			pos.Total = got.total
		}
		if i, found := c.find(pos.Name); found {
			c.index = i
			return c.list.items[i], true, nil
		}
		// The page is empty, or the item we were to do next left it.
		if len(c.list.items) == 0 || pos.Name == "" || !pos.restart() {
			pos.Ended = len(c.list.items) == 0 || !c.list.more
			pos.Page, pos.Name = pos.Page+1, ""
		}
	}
	c.page = 0 // another walk over the same owner starts afresh
	return item{}, false, nil
}

func (c *pageCache) find(name string) (int, bool) {
	if name == "" {
		return 0, len(c.list.items) > 0
	}
	for i, it := range c.list.items {
		if it.Name == name {
			return i, true
		}
	}
	return 0, false
}

// advance goes to the item after the one that at gave last.
func (c *pageCache) advance(pos *position) {
	switch {
	case c.index+1 < len(c.list.items):
		pos.Name = c.list.items[c.index+1].Name
	case c.list.more:
		pos.Page, pos.Name = pos.Page+1, ""
	default:
		pos.Ended = true
	}
}

// forbidden is a refusal of one thing, after the credentials were proved.
func forbidden(err error) bool { return oci.IsStatus(err, 403) }
