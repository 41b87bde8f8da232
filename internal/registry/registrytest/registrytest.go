// Package registrytest starts a registry on a real listener for tests: a
// database, a directory of blobs and a few users, gone with the test.
package registrytest

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/auth"
	"breakwater/internal/blob"
	"breakwater/internal/catalog"
	"breakwater/internal/job"
	"breakwater/internal/registry"
	"breakwater/internal/store"
)

// Password is every user's.
const Password = "correct horse"

// Projects of every test; each has a user named after each role.
var Projects = []string{"alpha", "beta"}

// World is a running registry and what it stands on.
type World struct {
	DB       *store.DB
	Blobs    *blob.FS
	Registry *registry.Registry
	Server   *httptest.Server
	Host     string // host:port

	dir    string // of the blobs
	change func(*registry.Options)
}

// Start serves a registry over db until the test ends. User ROLE@PROJECT signs
// in as PROJECT@ROLE with Password.
func Start(tb testing.TB, db *store.DB, change func(*registry.Options)) *World {
	tb.Helper()
	w := &World{DB: db, dir: tb.TempDir(), change: change}
	if err := w.seed(context.Background()); err != nil {
		tb.Fatal(err)
	}
	w.serve(tb)
	return w
}

// Restart is another registry over the same database and blobs, which knows
// nothing of what the first had in memory.
func (w *World) Restart(tb testing.TB) *World {
	tb.Helper()
	w.Server.Close()
	again := &World{DB: w.DB, dir: w.dir, change: w.change}
	again.serve(tb)
	return again
}

func (w *World) serve(tb testing.TB) {
	tb.Helper()
	if err := w.open(context.Background()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(w.Server.Close)
}

// Child is a registry in dir, for a process of its own that is going to be
// killed: started again, it finds what the last one left.
func Child(dir string) (*World, error) {
	ctx := context.Background()
	db, err := store.Open(ctx, store.Options{Path: filepath.Join(dir, "child.db")})
	if err != nil {
		return nil, err
	}
	w := &World{DB: db, dir: filepath.Join(dir, "blobs")}
	if err := w.seed(ctx); err != nil && breakwater.KindOf(err) != breakwater.KindConflict {
		return nil, err
	}
	return w, w.open(ctx)
}

func (w *World) open(ctx context.Context) (err error) {
	if w.Blobs, err = blob.OpenFS(w.dir); err != nil {
		return err
	}
	queue, err := job.New(ctx, w.DB, job.Options{})
	if err != nil {
		return err
	}
	signer, err := auth.NewSigner([]byte(strings.Repeat("k", 32)), nil)
	if err != nil {
		return err
	}
	o := registry.Options{Authenticate: w.authenticate, Signer: signer}
	if w.change != nil {
		w.change(&o)
	}
	if w.Registry, err = registry.New(w.DB, w.Blobs, catalog.New(w.DB, queue, catalog.Options{}), o); err != nil {
		return err
	}
	w.Server = httptest.NewServer(w.Registry)
	w.Host = strings.TrimPrefix(w.Server.URL, "http://")
	return nil
}

// ProjectID is the id of a project by its name.
func ProjectID(name string) string { return "prj-" + name }

func (w *World) seed(ctx context.Context) error {
	return w.DB.Tx(ctx, func(tx *store.DB) error {
		now := tx.Now()
		if err := tx.CreateDomain(ctx, breakwater.Domain{ID: "dom1", Name: "dom", Created: now}); err != nil {
			return err
		}
		for _, p := range Projects {
			if err := tx.CreateProject(ctx, breakwater.Project{ID: ProjectID(p), DomainID: "dom1", Name: p, Created: now}); err != nil {
				return err
			}
			for _, role := range []breakwater.Role{breakwater.RoleAdmin, breakwater.RoleOperator, breakwater.RoleRobot, breakwater.RoleViewer} {
				id := p + "-" + string(role)
				if err := tx.CreateUser(ctx, breakwater.User{ID: id, DomainID: "dom1", Name: id, PasswordHash: "-", Created: now}); err != nil {
					return err
				}
				if err := tx.PutMember(ctx, breakwater.Member{ProjectID: ProjectID(p), UserID: id, Role: role}); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (w *World) authenticate(ctx context.Context, user, password string) (breakwater.Caller, error) {
	project, role, ok := strings.Cut(user, "@")
	if !ok || password != Password {
		return breakwater.Caller{}, breakwater.Errorf(breakwater.KindUnauthenticated, "wrong")
	}
	return w.DB.Caller(ctx, project+"-"+role, ProjectID(project))
}
