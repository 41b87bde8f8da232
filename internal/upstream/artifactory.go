package upstream

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"

	"breakwater"
	"breakwater/internal/oci"
)

// artifactory is a JFrog Artifactory: a REST interface that lists repositories
// (keys), each of which is a registry of its own below its own path.
type artifactory struct {
	context *url.URL // scheme, host and context path, usually /artifactory
	rest    *oci.Client
	conn    connector
	walk    shelfWalk
	keys    []string // of this walk, sorted; nil: not asked yet

	mu      sync.Mutex
	clients map[string]*oci.Client // by key; each remembers its tokens
}

var _ Lister = (*artifactory)(nil)

const artifactoryKind = "jfrog"

// maxKeys bounds the list of repositories, which comes in one piece.
const maxKeys = 20000

func newArtifactory(base *url.URL, conn connector) (*artifactory, error) {
	root := *base
	if root.Path == "" {
		root.Path = "/artifactory" // where it lives unless configured otherwise
	}
	rest, err := conn.rest(&root)
	if err != nil {
		return nil, err
	}
	return &artifactory{context: &root, rest: rest, conn: conn, clients: map[string]*oci.Client{}}, nil
}

// Probe implements Lister. The ping answers without a login; the list of
// repositories refuses a wrong one.
func (a *artifactory) Probe(ctx context.Context) error {
	_, body, err := a.rest.Get(ctx, "/api/system/ping", "", maxAnswer)
	if breakwater.IsNotFound(err) {
		return lie("no Artifactory answers below %s: name its context path in the address", a.context.Path)
	}
	if err != nil {
		return fault(err, "asking whether the Artifactory is up")
	}
	if strings.TrimSpace(string(body)) != "OK" {
		return lie("the address answers, but not as an Artifactory")
	}
	keys, err := a.list(ctx)
	if err != nil || len(keys) == 0 {
		return err
	}
	client, err := a.client(keys[0])
	if err != nil {
		return err
	}
	if err := client.Ping(ctx); err != nil && !forbidden(err) {
		return fault(err, "signing in to repository %s", short(keys[0]))
	}
	return nil
}

// list is the keys of all Docker repositories, sorted, without virtual ones.
func (a *artifactory) list(ctx context.Context) ([]string, error) {
	_, body, err := a.rest.Get(ctx, "/api/repositories", "packageType=docker", maxAnswer)
	if err != nil {
		return nil, fault(err, "listing the repositories")
	}
	var wire []struct {
		Key         string `json:"key"`
		Type        string `json:"type"`
		PackageType string `json:"packageType"`
	}
	if json.Unmarshal(body, &wire) != nil || len(wire) > maxKeys {
		return nil, lie("the registry answered the list of repositories with something else")
	}
	keys := []string{}
	for _, w := range wire {
		if !validKey(w.Key) {
			return nil, lie("the registry lists a repository whose key cannot be one")
		}
		// Old versions ignore the filter.
		if strings.EqualFold(w.Type, "VIRTUAL") || w.PackageType != "" && !strings.EqualFold(w.PackageType, "docker") {
			continue
		}
		keys = append(keys, w.Key)
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// validKey admits what is one segment of a path and nothing more.
func validKey(key string) bool {
	return key != "" && key != "." && key != ".." && len(key) <= 128 && !strings.ContainsFunc(key, notPath)
}

func (a *artifactory) client(key string) (*oci.Client, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, ok := a.clients[key]; ok {
		return c, nil
	}
	u := *a.context
	u.Path += "/api/docker/" + key
	c, err := a.conn.registry(&u)
	if err == nil {
		a.clients[key] = c
	}
	return c, err
}

// Page implements Lister.
func (a *artifactory) Page(ctx context.Context, cursor string) (Page, error) {
	st := decode[shelfState](artifactoryKind, cursor)
	if cursor == "" {
		a.keys, a.walk = nil, shelfWalk{}
	}
	if a.keys == nil {
		keys, err := a.list(ctx)
		if err != nil {
			return Page{}, err
		}
		a.keys = keys
	}
	var page Page
	for steps := 0; steps < pageRequests && len(page.Tags) < pageTags; steps++ {
		// The first key not before the one to do: a key may have gone away.
		i, found := slices.BinarySearch(a.keys, st.Shelf)
		if i == len(a.keys) {
			page.Done = true
			return page, nil
		}
		if !found {
			st = shelfState{Shelf: a.keys[i]}
		}
		if err := a.step(ctx, &st, &page); err != nil {
			return Page{}, err
		}
		if st.Ended {
			st = shelfState{Shelf: st.Shelf + "\x00"} // the next key after this one
		}
	}
	var err error
	page.Next, err = encode(artifactoryKind, st)
	return page, err
}

func (a *artifactory) step(ctx context.Context, st *shelfState, page *Page) error {
	client, err := a.client(st.Shelf)
	if err != nil {
		return err
	}
	s := shelf{key: st.Shelf, client: client, place: func(r string) (string, string) { return st.Shelf, r }}
	err = a.walk.step(ctx, s, st, page)
	switch {
	case forbidden(err):
		page.note("repository %s is listed but may not be read", short(st.Shelf))
		st.Ended = true
		return nil
	case oci.IsStatus(err, 404): // believed only when the list agrees
		keys, lerr := a.list(ctx)
		if lerr != nil {
			return lerr
		}
		if slices.Contains(keys, st.Shelf) {
			return err
		}
		st.Ended = true
		return nil
	}
	return err
}

// Source implements Lister.
func (a *artifactory) Source(namespace, name string) oci.Source {
	if !validKey(namespace) {
		return broken{lie("the repository key cannot be one")}
	}
	client, err := a.client(namespace)
	if err != nil {
		return broken{err}
	}
	return client.Repository(name)
}
