package swr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"breakwater"
	"breakwater/api"
	"breakwater/internal/catalog"
	"breakwater/internal/door"
	"breakwater/internal/keyring"
	"breakwater/internal/store"
)

// DefaultSecretTTL is how long a login of CreateSecret is good.
const DefaultSecretTTL = 24 * time.Hour

// Options of the door. Host and Door.SignIn are needed.
type Options struct {
	// Host is what stands before the organisation in an image name: the public
	// host of the registry, with its port where that is not the usual one.
	Host string
	// SecretTTL is how long a login of CreateSecret is good; zero means DefaultSecretTTL.
	SecretTTL time.Duration
	// Door goes to door.New; its Dialect is set here.
	Door door.Options
}

// New mounts the door with every operation that is served.
func New(db *store.DB, images *catalog.Catalog, keys *keyring.Keyring, o Options) (*door.Door, error) {
	if o.Host == "" {
		return nil, errors.New("swr.New: Options.Host is needed")
	}
	o.Door.Dialect = door.SWR
	d, err := door.New(api.SWR, o.Door)
	if err != nil {
		return nil, fmt.Errorf("swr.New: %w", err)
	}
	s := &server{db: db, images: images, keys: keys, host: o.Host, ttl: cmp.Or(o.SecretTTL, DefaultSecretTTL)}

	door.Handle(d, "CreateNamespace", breakwater.RoleOperator, s.createNamespace)
	door.Handle(d, "ListNamespaces", breakwater.RoleViewer, s.listNamespaces)
	door.Handle(d, "ShowNamespace", breakwater.RoleViewer, s.showNamespace)
	door.Handle(d, "DeleteNamespaces", breakwater.RoleOperator, s.deleteNamespace)

	door.Handle(d, "CreateRepo", breakwater.RoleOperator, s.createRepo)
	door.Handle(d, "ListReposDetails", breakwater.RoleViewer, s.listRepos)
	door.Handle(d, "ShowRepository", breakwater.RoleViewer, s.showRepo)
	door.Handle(d, "UpdateRepo", breakwater.RoleOperator, s.updateRepo)
	door.Handle(d, "DeleteRepo", breakwater.RoleOperator, s.deleteRepo)

	door.Handle(d, "ListRepositoryTags", breakwater.RoleViewer, s.listTags)
	door.Handle(d, "DeleteRepoTag", breakwater.RoleOperator, s.deleteTag)

	door.Handle(d, "CreateSecret", breakwater.RoleViewer, s.createSecret)
	door.Handle(d, "ListApiVersions", door.Public, listVersions)
	door.Handle(d, "ShowApiVersion", door.Public, showVersion)
	return d, nil
}

type server struct {
	db     *store.DB
	images *catalog.Catalog
	keys   *keyring.Keyring
	host   string
	ttl    time.Duration
}

// nothing is the answer of an operation that has nothing to say: {}, or no body
// where the status is 204.
type nothing = struct{}

// caller is who the request speaks for; behind sign-in there always is one.
func caller(ctx context.Context) breakwater.Caller {
	c, _ := breakwater.CallerFrom(ctx)
	return c
}

// path is the pull address of a repository.
func (s *server) path(namespace, name string) string { return s.host + "/" + namespace + "/" + name }

// wireTime is RFC 3339 in UTC, always with a fraction: clients parse it so.
func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
