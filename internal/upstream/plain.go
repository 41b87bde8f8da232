package upstream

import (
	"context"
	"net/url"
	"strings"

	"breakwater"
	"breakwater/internal/oci"
)

// plain is any registry that speaks the distribution protocol and nothing else.
type plain struct {
	shelf shelf
	walk  shelfWalk
}

var _ Lister = (*plain)(nil)

const plainKind = "oci"

func newPlain(base *url.URL, repositories []string, conn connector) (*plain, error) {
	client, err := conn.registry(base)
	if err != nil {
		return nil, err
	}
	var fixed []string
	for _, name := range repositories {
		if err := oci.CheckRepository(name); err != nil {
			return nil, err
		}
		fixed = append(fixed, name)
	}
	return &plain{shelf: shelf{client: client, fixed: fixed, place: splitName}}, nil
}

// splitName takes the first path component of a repository as its namespace.
func splitName(repository string) (namespace, name string) {
	if namespace, name, ok := strings.Cut(repository, "/"); ok {
		return namespace, name
	}
	return "", repository
}

// Probe implements Lister. The ping signs in; a list shows that listing is
// possible with what was configured.
func (p *plain) Probe(ctx context.Context) error {
	if err := p.shelf.client.Ping(ctx); err != nil {
		return fault(err, "signing in")
	}
	p.walk = shelfWalk{}
	if p.shelf.fixed == nil {
		return p.walk.load(ctx, p.shelf, "")
	}
	_, err := p.shelf.client.Repository(p.shelf.fixed[0]).Tags(ctx, "", 1)
	if err != nil && !breakwater.IsNotFound(err) {
		return fault(err, "listing the tags of the first configured repository")
	}
	return nil
}

// Page implements Lister.
func (p *plain) Page(ctx context.Context, cursor string) (Page, error) {
	st := decode[shelfState](plainKind, cursor)
	if cursor == "" {
		p.walk = shelfWalk{}
	}
	var page Page
	for steps := 0; steps < pageRequests && len(page.Tags) < pageTags; steps++ {
		if err := p.walk.step(ctx, p.shelf, &st, &page); err != nil {
			return Page{}, err
		}
		if st.Ended {
			page.Done = true
			return page, nil
		}
	}
	var err error
	page.Next, err = encode(plainKind, st)
	return page, err
}

// Source implements Lister.
func (p *plain) Source(namespace, name string) oci.Source {
	if namespace != "" {
		name = namespace + "/" + name
	}
	return p.shelf.client.Repository(name)
}
