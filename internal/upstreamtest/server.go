package upstreamtest

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"breakwater"
)

// Kind is which registry a server plays.
type Kind string

// The registries.
const (
	HarborV2    Kind = "harbor-v2"
	HarborV1    Kind = "harbor-v1"
	Artifactory Kind = "artifactory"
	Plain       Kind = "plain"
)

// Options say how a server answers. Without a user name it lets everybody in.
type Options struct {
	Kind     Kind
	Username string
	Password string

	PublicProjects []string // Harbor's, seen with any password; "library" always is
	AuthMode       string   // Harbor's, "db_auth" when empty; with "oidc_auth" users open only /v2/
	BasicOnly      bool     // of a plain registry: Basic in place of Bearer
	Realm          string   // sign in there, in place of the server's own token service
	NoCatalogue    bool     // the catalogue is forbidden
	NoDigestHeader bool     // answers carry no Docker-Content-Digest
	TLS            bool
}

// Server is one running registry. All methods are safe while it serves.
type Server struct {
	URL  string // with scheme
	Addr string // host:port, as registry_addr wants it

	http *httptest.Server
	opts Options

	mu           sync.Mutex
	password     string
	repositories map[string]*repository
	byName       []*repository // sorted; nil after a change
	byAge        []*repository
	order        int
	manifests    map[breakwater.Digest]*Artifact
	blobs        map[breakwater.Digest][]byte
	tokens       map[string]bool
	faults       []*Fault
	counts       map[string]int
	clock        time.Time
}

// repository is one name: what was pushed, in order, and which tags there are.
type repository struct {
	name      string // whole, with project or key
	number    int
	created   time.Time
	artifacts []pushed
	tags      map[string]tag
}

type pushed struct {
	artifact *Artifact
	at       time.Time
}

type tag struct {
	digest breakwater.Digest
	at     time.Time
}

// Start runs a registry on loopback until Close.
func Start(opts Options) *Server {
	s := &Server{
		opts: opts, password: opts.Password,
		repositories: map[string]*repository{}, manifests: map[breakwater.Digest]*Artifact{},
		blobs: map[breakwater.Digest][]byte{}, tokens: map[string]bool{}, counts: map[string]int{},
		clock: time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC),
	}
	if opts.TLS {
		s.http = httptest.NewTLSServer(s.handler())
	} else {
		s.http = httptest.NewServer(s.handler())
	}
	s.URL = s.http.URL
	_, s.Addr, _ = strings.Cut(s.URL, "://")
	return s
}

// Close ends the server and every connection, also those that stand still.
func (s *Server) Close() {
	s.http.CloseClientConnections()
	s.http.Close()
}

// Registry is the server as a user would onboard it.
func (s *Server) Registry(id string) breakwater.Registry {
	protocol, addr, _ := strings.Cut(s.URL, "://")
	r := breakwater.Registry{
		ID: id, Name: id, Type: breakwater.RegistryOther, APIVersion: "V2",
		Protocol: protocol, Addr: addr, Username: s.opts.Username, ClusterID: breakwater.LocalCluster,
	}
	switch s.opts.Kind {
	case HarborV2:
		r.Type = breakwater.RegistryHarbor
	case HarborV1:
		r.Type, r.APIVersion = breakwater.RegistryHarbor, "V1"
	case Artifactory:
		r.Type = breakwater.RegistryJfrog
	}
	return r
}

// Tag puts an artifact under a name: "team/app" and "v1". A tag that exists
// moves, and what it named stays behind without a tag.
func (s *Server) Tag(name, version string, a *Artifact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = s.clock.Add(time.Second)
	r := s.repositories[name]
	if r == nil {
		s.order++
		r = &repository{name: name, number: s.order, created: s.clock, tags: map[string]tag{}}
		s.repositories[name] = r
		s.byName, s.byAge = nil, nil
	}
	if !slices.ContainsFunc(r.artifacts, func(p pushed) bool { return p.artifact.Digest == a.Digest }) {
		r.artifacts = append(r.artifacts, pushed{a, s.clock})
	}
	r.tags[version] = tag{a.Digest, s.clock}
	s.keep(a)
}

func (s *Server) keep(a *Artifact) {
	s.manifests[a.Digest] = a
	for d, b := range a.blobs {
		s.blobs[d] = b
	}
	for _, c := range a.children {
		s.keep(c)
	}
}

// Untag takes a tag away; the artifact stays behind.
func (s *Server) Untag(name, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.repositories[name]; r != nil {
		delete(r.tags, version)
	}
}

// Remove takes a whole repository away.
func (s *Server) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.repositories, name)
	s.byName, s.byAge = nil, nil
}

// Lose drops the bytes of a manifest or a blob, whatever names it.
func (s *Server) Lose(d breakwater.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.manifests, d)
	delete(s.blobs, d)
}

// SetPassword changes the password; tokens given out before are void.
func (s *Server) SetPassword(password string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.password = password
	clear(s.tokens)
}

// Count is how many requests came whose path holds the text; all, when it is
// empty. The paths are as they arrived, escapes included.
func (s *Server) Count(text string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for path, count := range s.counts {
		if strings.Contains(path, text) {
			n += count
		}
	}
	return n
}

// handler counts, fails where a test wants it, and passes on.
func (s *Server) handler() http.Handler {
	inner := s.routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault := s.arrive(r)
		if fault == nil {
			inner.ServeHTTP(w, r)
			return
		}
		fault.serve(w, r, inner)
	})
}

func (s *Server) arrive(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[r.URL.EscapedPath()]++
	for _, f := range s.faults {
		if f.takes(r) {
			return f
		}
	}
	return nil
}

// names is all repositories below a prefix, by name or by age.
func (s *Server) names(prefix string, byAge bool) []*repository {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName == nil {
		s.byName = slices.SortedFunc(maps.Values(s.repositories), func(a, b *repository) int { return strings.Compare(a.name, b.name) })
		s.byAge = slices.SortedFunc(maps.Values(s.repositories), func(a, b *repository) int { return a.number - b.number })
	}
	list := s.byName
	if byAge {
		list = s.byAge
	}
	var out []*repository
	for _, r := range list {
		if strings.HasPrefix(r.name, prefix) {
			out = append(out, r)
		}
	}
	return out
}

// tops is the first components of all names, oldest first.
func (s *Server) tops() []string {
	var tops []string
	seen := map[string]bool{}
	for _, repo := range s.names("", true) {
		if top, _, _ := strings.Cut(repo.name, "/"); !seen[top] {
			seen[top] = true
			tops = append(tops, top)
		}
	}
	return tops
}
