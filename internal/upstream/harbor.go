package upstream

import (
	"context"
	"net/url"
	"strings"

	"breakwater"
	"breakwater/internal/oci"
)

// harbor is a Harbor of either generation.
type harbor struct {
	speech   dialect
	registry *oci.Client
	conn     connector
	checked  bool // the credentials were proved by this Lister

	projects, repositories pageCache
}

var _ Lister = (*harbor)(nil)

// dialect is what differs between the two REST interfaces.
type dialect interface {
	system(ctx context.Context) (authMode string, err error)
	self(ctx context.Context) error
	projects(ctx context.Context, page int) (list[item], error)
	repositories(ctx context.Context, project item, page int) (list[item], error)
	tags(ctx context.Context, project item, repository string, page int) (list[Tag], error)
}

// item is a project or a repository; a repository's name is without its project.
type item struct {
	Name string
	ID   int64
}

// list is one page of a list.
type list[T any] struct {
	items []T
	total int // -1 when the registry does not count
	more  bool
}

func newHarbor(base *url.URL, version string, conn connector) (*harbor, error) {
	prefix, makeDialect := "/api/v2.0", newHarborV2
	switch version {
	case "V2", "":
	case "V1":
		prefix, makeDialect = "/api", newHarborV1
	default:
		return nil, breakwater.Invalid("api_version", "the API version must be V1 or V2")
	}
	root := *base
	root.Path += prefix
	rest, err := conn.rest(&root)
	if err != nil {
		return nil, err
	}
	registry, err := conn.registry(base)
	if err != nil {
		return nil, err
	}
	return &harbor{speech: makeDialect(rest), registry: registry, conn: conn}, nil
}

// Probe implements Lister.
func (h *harbor) Probe(ctx context.Context) error {
	if _, err := h.speech.system(ctx); err != nil {
		if breakwater.IsNotFound(err) {
			return lie("the address answers, but not with a Harbor of this API version")
		}
		return fault(err, "asking for the system information")
	}
	if err := h.login(ctx); err != nil {
		return err
	}
	if _, err := h.speech.projects(ctx, 1); err != nil {
		return fault(err, "listing the projects")
	}
	return nil
}

// login proves the credentials. The project list cannot: it answers a wrong
// password with the public projects. A user asks who he is; a robot is no user
// and proves itself at the token service of the registry. A robot's prefix can
// be configured, so a user whom the first question refuses may be one.
func (h *harbor) login(ctx context.Context) error {
	if h.conn.anonymous() {
		h.checked = true
		return nil
	}
	if !strings.HasPrefix(h.conn.username, "robot$") {
		err := h.speech.self(ctx)
		if err == nil {
			h.checked = true
			return nil
		}
		if !refused(err) && !breakwater.IsNotFound(err) {
			return fault(err, "signing in")
		}
		// An OIDC user's secret opens the registry but not the lists, which
		// would then show the public projects only, and look complete.
		if mode, merr := h.speech.system(ctx); merr != nil || mode == "oidc_auth" {
			return fault(err, "signing in (where users sign in by OIDC, use a robot account)")
		}
	}
	if err := h.registry.Ping(ctx); err != nil {
		return fault(err, "signing in")
	}
	h.checked = true
	return nil
}

// Source implements Lister.
func (h *harbor) Source(namespace, name string) oci.Source {
	return h.registry.Repository(namespace + "/" + name)
}
