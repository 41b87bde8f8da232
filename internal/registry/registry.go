package registry

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"breakwater"
	"breakwater/internal/auth"
	"breakwater/internal/blob"
	"breakwater/internal/catalog"
	"breakwater/internal/oci"
	"breakwater/internal/store"
)

// The limits of the registry, unless Options say otherwise.
const (
	DefaultMaxBlob   = 10 << 30
	DefaultTokenLife = 5 * time.Minute
	DefaultGrace     = 24 * time.Hour
)

// Options of a registry. Authenticate and Signer must be set.
type Options struct {
	// Authenticate signs a user in by what a docker client sends. An error of
	// kind Unauthenticated is a wrong name or password.
	Authenticate func(ctx context.Context, user, password string) (breakwater.Caller, error)
	// Signer makes and reads the tokens of /v2/token.
	Signer *auth.Signer
	// Service is what the registry calls itself to clients; empty: "breakwater".
	Service string
	// ExternalURL is scheme and host as clients see them; empty: as the request says.
	ExternalURL string
	// MaxBlob is the largest blob in bytes; 0: DefaultMaxBlob.
	MaxBlob int64
	// TokenLife is how long a token is good; 0: DefaultTokenLife.
	TokenLife time.Duration
	// Grace is how long uploads, links and blobs that nothing needs are kept;
	// 0: DefaultGrace.
	Grace time.Duration
	// Logger hears of failures of our own; nil: nobody does.
	Logger *slog.Logger
	// Now is the clock; nil: time.Now.
	Now func() time.Time
}

// Registry serves /v2/.
type Registry struct {
	db        *store.DB
	blobs     blob.Store
	catalog   *catalog.Catalog
	opts      Options
	log       *slog.Logger
	signins   *signins
	downloads *downloads

	walkMu sync.Mutex
	walked time.Time // when GC last looked through all bytes
}

// New is a registry over its parts. Run it too, or downloads are not counted.
func New(db *store.DB, blobs blob.Store, c *catalog.Catalog, o Options) (*Registry, error) {
	if o.Authenticate == nil || o.Signer == nil {
		return nil, breakwater.Errorf(breakwater.KindInternal, "the registry needs Authenticate and a Signer")
	}
	if o.Service == "" {
		o.Service = "breakwater"
	}
	if o.MaxBlob == 0 {
		o.MaxBlob = DefaultMaxBlob
	}
	if o.TokenLife == 0 {
		o.TokenLife = DefaultTokenLife
	}
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Registry{
		db: db, blobs: blobs, catalog: c, opts: o, log: o.Logger,
		signins: newSignins(o.Now), downloads: newDownloads(),
	}, nil
}

// handlers are the operations of the protocol by route and method. HEAD is GET
// without the body, which net/http leaves out.
func (r *Registry) handlers(k kind) map[string]func(*call) error {
	switch k {
	case kindRoot:
		return map[string]func(*call) error{http.MethodGet: r.version}
	case kindToken:
		return map[string]func(*call) error{http.MethodGet: r.token, http.MethodPost: r.token}
	case kindCatalog:
		return map[string]func(*call) error{http.MethodGet: r.listCatalog}
	case kindTags:
		return map[string]func(*call) error{http.MethodGet: r.listTags}
	case kindManifest:
		return map[string]func(*call) error{http.MethodGet: r.getManifest, http.MethodPut: r.putManifest, http.MethodDelete: r.deleteManifest}
	case kindBlob:
		return map[string]func(*call) error{http.MethodGet: r.getBlob, http.MethodDelete: r.deleteBlob}
	case kindUploads:
		return map[string]func(*call) error{http.MethodPost: r.startUpload}
	case kindUpload:
		return map[string]func(*call) error{http.MethodGet: r.statUpload, http.MethodPatch: r.patchUpload, http.MethodPut: r.putUpload, http.MethodDelete: r.cancelUpload}
	case kindReferrers:
		return map[string]func(*call) error{http.MethodGet: r.listReferrers}
	}
	return nil
}

// call is one request on its way through a handler.
type call struct {
	w   http.ResponseWriter
	req *http.Request
	route
	who who
}

func (c *call) ctx() context.Context { return c.req.Context() }

// ServeHTTP implements http.Handler for every path below /v2/.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	c := &call{w: w, req: req}
	if err := r.serve(c); err != nil {
		r.render(c, err)
	}
}

func (r *Registry) serve(c *call) (err error) {
	if c.route, err = parse(c.req.URL.Path); err != nil {
		return err
	}
	methods := r.handlers(c.kind)
	method := c.req.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	handle := methods[method]
	if handle == nil {
		return notAllowed(c.w, methods)
	}
	if c.kind != kindToken { // which answers for its own sign-in
		if c.who, err = r.identify(c.req); err != nil {
			return err
		}
	}
	return handle(c)
}

// version is the answer to "is this a registry, and am I signed in".
func (r *Registry) version(c *call) error {
	if c.who.anonymous && !c.who.token {
		return errSignIn("")
	}
	return writeJSON(c.w, http.StatusOK, struct{}{})
}

// Source is the bytes of one repository of a project, for its scans.
func (r *Registry) Source(ctx context.Context, projectID, namespace, name string) (oci.Source, error) {
	repo, err := r.db.Repository(ctx, projectID, namespace, name)
	if err != nil {
		return nil, err
	}
	return source{db: r.db, blobs: r.blobs, repository: repo.ID}, nil
}
