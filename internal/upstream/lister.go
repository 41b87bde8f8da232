package upstream

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"breakwater"
	"breakwater/internal/oci"
)

// Lister is one foreign registry. It is used by one sync at a time; Source may
// be used by many scans at once.
type Lister interface {
	// Probe is nil when the registry answers as its type should and accepts
	// the credentials.
	Probe(ctx context.Context) error

	// Page is the tags from a cursor on; the empty cursor is the start. On an
	// error the same cursor may be tried again.
	Page(ctx context.Context, cursor string) (Page, error)

	// Source is the bytes of one repository, in the words of a Tag.
	Source(namespace, name string) oci.Source
}

// Page is a piece of the list.
type Page struct {
	Tags  []Tag
	Next  string   // cursor of the next page; empty when Done
	Done  bool     // nothing follows
	Notes []string // what was left out although it is there, for people; at most a few
}

// Tag is one name of one image.
type Tag struct {
	Namespace string
	Name      string
	Version   string
	Digest    breakwater.Digest
	Size      int64     // compressed bytes as the registry says; 0 when it does not
	Pushed    time.Time // zero when the registry does not say
}

// Options shape a Lister. HTTP is required and comes from netguard.
type Options struct {
	HTTP       *http.Client
	RealmHosts []string // hosts beside the registry's own that may see the credentials

	RequestTimeout time.Duration // see oci.ClientOptions for these
	IdleTimeout    time.Duration
	Attempts       int
	Pause          func(ctx context.Context, d time.Duration) error
	Now            func() time.Time
}

// The size of a page: whichever comes first. PageSize is what lists are asked
// for, the most that Harbor gives.
const (
	pageTags     = 500
	pageRequests = 60
	pageSize     = 100
	maxPages     = 10000
	maxNotes     = 5
)

// New makes the Lister of a registry's type and version. It does not dial.
func New(reg breakwater.Registry, password string, opts Options) (Lister, error) {
	base, err := Base(reg.Protocol, reg.Addr)
	if err != nil {
		return nil, err
	}
	c := connector{username: reg.Username, password: password, opts: opts}
	switch reg.Type {
	case breakwater.RegistryHarbor:
		return newHarbor(base, reg.APIVersion, c)
	case breakwater.RegistryJfrog:
		return newArtifactory(base, c)
	case breakwater.RegistryOther:
		return newPlain(base, reg.Repositories, c)
	}
	return nil, breakwater.Invalid("registry_type", "registries of this type cannot be listed")
}

// connector makes the clients of one registry, all with the same credentials.
type connector struct {
	username, password string
	opts               Options
}

// registry speaks the distribution protocol, rest a REST interface below base.
func (c connector) registry(base *url.URL) (*oci.Client, error) { return c.client(base, false) }
func (c connector) rest(base *url.URL) (*oci.Client, error)     { return c.client(base, true) }

func (c connector) client(base *url.URL, preemptive bool) (*oci.Client, error) {
	return oci.NewClient(base, oci.ClientOptions{
		HTTP: c.opts.HTTP, Username: c.username, Password: c.password, Preemptive: preemptive,
		RealmHosts: c.opts.RealmHosts, RequestTimeout: c.opts.RequestTimeout, IdleTimeout: c.opts.IdleTimeout,
		Attempts: c.opts.Attempts, Pause: c.opts.Pause, Now: c.opts.Now,
	})
}

func (c connector) anonymous() bool { return c.username == "" && c.password == "" }
