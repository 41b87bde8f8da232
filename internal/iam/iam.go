package iam

import (
	"time"

	"breakwater"
	"breakwater/api"
	"breakwater/internal/auth"
	"breakwater/internal/door"
	"breakwater/internal/keyring"
	"breakwater/internal/store"
)

// tokenKey is the keyring's purpose of the token key.
const tokenKey = "token"

// Options of a Server; the zero value works.
type Options struct {
	Now func() time.Time // nil: time.Now
}

// Server signs callers in and serves the identity API.
type Server struct {
	db     *store.DB
	ring   *keyring.Keyring
	signer *auth.Signer
	now    func() time.Time
	slow   *brake
}

// New makes a Server over the database and the keyring.
func New(db *store.DB, ring *keyring.Keyring, opts Options) (*Server, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	signer, err := auth.NewSigner(ring.Key(tokenKey), opts.Now)
	if err != nil {
		return nil, err
	}
	return &Server{db: db, ring: ring, signer: signer, now: opts.Now, slow: newBrake()}, nil
}

// Signer makes and reads this installation's tokens; the registry uses it too.
func (s *Server) Signer() *auth.Signer { return s.signer }

// Door is the identity API (api.IAM), signed in by this Server; o brings the
// logger and the like.
func (s *Server) Door(o door.Options) (*door.Door, error) {
	o.Dialect, o.SignIn = door.IAM, s.SignIn
	d, err := door.New(api.IAM, o)
	if err != nil {
		return nil, err
	}
	door.Handle(d, "CreateToken", door.Public, s.createToken)
	door.Handle(d, "ListProjects", breakwater.RoleViewer, s.listProjects)
	door.Handle(d, "ListAuthProjects", breakwater.RoleViewer, s.listAuthProjects)
	door.Handle(d, "ListAuthDomains", breakwater.RoleViewer, s.listAuthDomains)
	return d, nil
}
