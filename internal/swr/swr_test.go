package swr_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/catalog"
	"breakwater/internal/door"
	"breakwater/internal/job"
	"breakwater/internal/keyring"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
	"breakwater/internal/swr"
)

const host = "registry.example:5000"

var noon = time.Date(2026, 11, 22, 12, 0, 0, 939e6, time.UTC)

// world is a server with two projects, on SQLite, or on PostgreSQL where
// BREAKWATER_TEST_POSTGRES names one. one has an admin (ada), an operator
// (olga) and a viewer (vic); two has an admin (bob). A token is a user's name.
type world struct {
	t      *testing.T
	db     *store.DB
	images *catalog.Catalog
	keys   *keyring.Keyring
	door   *door.Door
	url    string
	now    time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, now: noon}
	var err error
	options := store.Options{Path: filepath.Join(t.TempDir(), "test.db"), Now: func() time.Time { return w.now }}
	if dsn := os.Getenv("BREAKWATER_TEST_POSTGRES"); dsn != "" {
		options.Postgres, options.MaxConns = storetest.PostgresSchema(t, dsn), 8
	}
	w.db, err = store.Open(ctx, options)
	w.must(err)
	t.Cleanup(func() { _ = w.db.Close() })
	queue, err := job.New(ctx, w.db, job.Options{})
	w.must(err)
	w.images = catalog.New(w.db, queue, catalog.Options{})
	w.keys, err = keyring.Open(t.TempDir(), keyring.Options{})
	w.must(err)

	w.must(w.db.CreateDomain(ctx, breakwater.Domain{ID: "dom1", Name: "home", Created: noon}))
	for id, name := range map[string]string{"prj1": "one", "prj2": "two"} {
		w.must(w.db.CreateProject(ctx, breakwater.Project{ID: id, DomainID: "dom1", Name: name, Created: noon}))
	}
	projects := map[string]string{}
	for _, u := range []struct {
		name, project string
		role          breakwater.Role
	}{
		{"ada", "prj1", breakwater.RoleAdmin}, {"olga", "prj1", breakwater.RoleOperator}, {"vic", "prj1", breakwater.RoleViewer},
		{"rob", "prj1", breakwater.RoleRobot}, {"bob", "prj2", breakwater.RoleAdmin},
	} {
		projects[u.name] = u.project
		w.must(w.db.CreateUser(ctx, breakwater.User{ID: u.name, DomainID: "dom1", Name: u.name, PasswordHash: "h", Created: noon}))
		w.must(w.db.PutMember(ctx, breakwater.Member{ProjectID: u.project, UserID: u.name, Role: u.role}))
	}
	w.door, err = swr.New(w.db, w.images, w.keys, swr.Options{Host: host, Door: door.Options{
		SignIn: func(r *http.Request, _ []byte) (breakwater.Caller, error) {
			user := r.Header.Get("X-Auth-Token")
			c, err := w.db.Caller(r.Context(), user, projects[user])
			if breakwater.IsNotFound(err) {
				err = breakwater.Errorf(breakwater.KindUnauthenticated, "sign in first")
			}
			return c, err
		},
	}})
	w.must(err)
	srv := httptest.NewServer(w.door)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

type answer struct {
	Status int
	Code   string // error_code
	Msg    string // error_msg
	Body   string
	Header http.Header
}

// call makes one request as a user. Every failure must have the one error body.
func (w *world) call(user, method, target, body string) answer {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+target, strings.NewReader(body))
	w.must(err)
	req.Header.Set("X-Auth-Token", user)
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	w.must(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	w.must(err)
	var e struct {
		Code string `json:"error_code"`
		Msg  string `json:"error_msg"`
		ID   string `json:"request_id"`
	}
	if resp.StatusCode >= 300 {
		if err := json.Unmarshal(b, &e); err != nil || e.Code == "" || e.Msg == "" || e.ID == "" || e.ID != resp.Header.Get("X-Request-Id") {
			w.t.Errorf("%s %s: not the one error body: %s", method, target, b)
		}
	}
	return answer{resp.StatusCode, e.Code, e.Msg, string(b), resp.Header}
}

// ok makes a request that must succeed with this status and answers its body.
func (w *world) ok(status int, user, method, target, body string) string {
	w.t.Helper()
	a := w.call(user, method, target, body)
	if a.Status != status {
		w.t.Fatalf("%s %s %s: %d %s", user, method, target, a.Status, a.Body)
	}
	return a.Body
}

// get decodes the answer of a GET.
func get[T any](w *world, user, target string) (out T) {
	w.t.Helper()
	w.must(json.Unmarshal([]byte(w.ok(200, user, "GET", target, "")), &out))
	return out
}

// push does what a docker push does to the database: blobs, manifest, tag,
// image. It answers the manifest's digest. An empty layer makes an index.
func (w *world) push(project, namespace, name, tag, layer string) breakwater.Digest {
	w.t.Helper()
	ctx := context.Background()
	config := "config of " + layer
	m := store.Manifest{
		MediaType: "application/vnd.oci.image.manifest.v1+json", ConfigDigest: breakwater.DigestOf([]byte(config)),
		Size: int64(len(config) + len(layer)), Body: []byte(`{"schemaVersion":2,"layers":"` + layer + `"}`),
	}
	if layer == "" {
		m = store.Manifest{MediaType: "application/vnd.oci.image.index.v1+json", Index: true, Size: 7, Body: []byte(`{"schemaVersion":2,"manifests":[]}`)}
	}
	m.Digest = breakwater.DigestOf(m.Body)
	w.must(w.db.Tx(ctx, func(tx *store.DB) error {
		r, err := tx.Repository(ctx, project, namespace, name)
		if err != nil {
			return err
		}
		var blobs []breakwater.Digest
		for _, b := range []string{config, layer} {
			if layer == "" {
				break
			}
			blobs = append(blobs, breakwater.DigestOf([]byte(b)))
			if err := tx.LinkBlob(ctx, r.ID, breakwater.DigestOf([]byte(b)), int64(len(b))); err != nil {
				return err
			}
		}
		if err := tx.PutManifest(ctx, r.ID, m, blobs, nil); err != nil {
			return err
		}
		if err := tx.PutTag(ctx, r.ID, tag, m.Digest); err != nil {
			return err
		}
		if err := tx.TouchRepository(ctx, r.ID); err != nil {
			return err
		}
		embedded, err := w.images.Embedded(ctx, tx, project)
		if err != nil {
			return err
		}
		return w.images.Record(ctx, tx, catalog.Entry{
			Registry: embedded, Namespace: namespace, Name: name, Version: tag, Updated: tx.Now(),
			Artifact: breakwater.Artifact{Digest: m.Digest, MediaType: m.MediaType, ConfigDigest: m.ConfigDigest, Size: m.Size, Scannable: true},
		})
	}))
	return m.Digest
}

// versions are the tags of a repository's images in the image list.
func (w *world) versions(project, namespace, name string) (out []string) {
	w.t.Helper()
	rows, _, err := w.db.Images(context.Background(), project, store.ImageFilter{}, store.ImagePage{Limit: 100})
	w.must(err)
	for _, r := range rows {
		if r.Namespace == namespace && r.Name == name {
			out = append(out, r.Version)
		}
	}
	return out
}

func TestTypesFitTheDocument(t *testing.T) {
	if err := newWorld(t).door.CheckTypes(); err != nil {
		t.Error(err)
	}
}

func TestNewRefusesBadOptions(t *testing.T) {
	for _, o := range []swr.Options{{}, {Host: host}} {
		if _, err := swr.New(nil, nil, nil, o); err == nil {
			t.Errorf("New(%+v) made a door", o)
		}
	}
}
