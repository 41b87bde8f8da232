package hss_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/audit"
	"breakwater/internal/catalog"
	"breakwater/internal/hss"
	"breakwater/internal/job"
	"breakwater/internal/keyring"
	"breakwater/internal/store"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// world is a server with two projects. prj1 has an admin (ada), an operator
// (olga), a viewer (vic) and a robot (rob); prj2 has an admin (bob). A token is
// a user's name.
type world struct {
	t       *testing.T
	db      *store.DB
	catalog *catalog.Catalog
	keyDir  string
	keys    *keyring.Keyring
	server  *hss.Server
	url     string
	now     time.Time
	log     *safeBuffer
}

// safeBuffer is a log that the server writes while the test reads.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var people = map[string]breakwater.Caller{
	"ada":  {ProjectID: "prj1", UserID: "ada", Role: breakwater.RoleAdmin},
	"olga": {ProjectID: "prj1", UserID: "olga", Role: breakwater.RoleOperator},
	"vic":  {ProjectID: "prj1", UserID: "vic", Role: breakwater.RoleViewer},
	"rob":  {ProjectID: "prj1", UserID: "rob", Role: breakwater.RoleRobot},
	"bob":  {ProjectID: "prj2", UserID: "bob", Role: breakwater.RoleAdmin},
}

// migrated is the bytes of an empty database with all its tables, made once:
// migrating takes longer than most of these tests.
var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "hss")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "empty.db")
	db, err := store.Open(context.Background(), store.Options{Path: path})
	if err != nil {
		return nil, err
	}
	if _, err := job.New(context.Background(), db, job.Options{}); err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil { // writes the log back into the file
		return nil, err
	}
	return os.ReadFile(path)
})

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t, now: noon, log: &safeBuffer{}}
	empty, err := migrated()
	w.must(err)
	path := filepath.Join(t.TempDir(), "test.db")
	w.must(os.WriteFile(path, empty, 0o600))
	w.db, err = store.Open(ctx, store.Options{Path: path, Now: func() time.Time { return w.now }})
	w.must(err)
	t.Cleanup(func() { _ = w.db.Close() })
	queue, err := job.New(ctx, w.db, job.Options{})
	w.must(err)
	w.catalog = catalog.New(w.db, queue, catalog.Options{})
	w.keyDir = t.TempDir()
	w.keys, err = keyring.Open(w.keyDir, keyring.Options{})
	w.must(err)
	w.must(w.db.CreateDomain(ctx, breakwater.Domain{ID: "dom1", Name: "home", Created: noon}))
	for id, name := range map[string]string{"prj1": "one", "prj2": "two"} {
		w.must(w.db.CreateProject(ctx, breakwater.Project{ID: id, DomainID: "dom1", Name: name, Created: noon}))
	}
	srv := httptest.NewUnstartedServer(nil)
	w.url = "http://" + srv.Listener.Addr().String()
	w.server, err = hss.New(w.db, w.catalog, w.keys, w.options())
	w.must(err)
	srv.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !w.server.Matches(r) {
			http.NotFound(rw, r)
			return
		}
		w.server.ServeHTTP(rw, r)
	})
	srv.Start()
	t.Cleanup(srv.Close)
	return w
}

func (w *world) options() hss.Options {
	rules, err := audit.New(audit.Options{})
	w.must(err)
	return hss.Options{
		Audit:    rules,
		Endpoint: w.url, Version: "v1.2.3", Executable: executable(w.t, []byte("the program")),
		Logger: slog.New(slog.NewJSONHandler(w.log, nil)), Now: func() time.Time { return w.now },
		SignIn: func(r *http.Request, _ []byte) (breakwater.Caller, error) {
			c, ok := people[r.Header.Get("X-Auth-Token")]
			if !ok {
				return c, breakwater.Errorf(breakwater.KindUnauthenticated, "sign in first")
			}
			return c, nil
		},
	}
}

// executable is a file that passes for a static program: an ELF header without
// segments, and content behind it.
func executable(t *testing.T, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "program")
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x01\x01")
	header[16], header[18], header[20], header[52], header[54], header[58] = 2, 62, 1, 64, 56, 64
	if err := os.WriteFile(name, append(header, content...), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
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
}

// call makes one request as a user, below /v5/{the user's project}. Every
// failure must have the one error body.
func (w *world) call(user, method, target, body string) answer {
	w.t.Helper()
	project := people[user].ProjectID
	if project == "" {
		project = "prj1"
	}
	return w.callRaw(user, method, "/v5/"+project+target, body)
}

func (w *world) callRaw(user, method, target, body string) answer {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url+target, strings.NewReader(body))
	w.must(err)
	req.Header.Set("X-Auth-Token", user)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultTransport.RoundTrip(req)
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
	return answer{resp.StatusCode, e.Code, e.Msg, string(b)}
}

// ok makes a request that must succeed and answers its body.
func (w *world) ok(user, method, target, body string) string {
	w.t.Helper()
	a := w.call(user, method, target, body)
	if a.Status != http.StatusOK {
		w.t.Fatalf("%s %s %s: %d %s", user, method, target, a.Status, a.Body)
	}
	return a.Body
}

// refused makes a request that must fail with 400, this code, and these words.
func (w *world) refused(code, words, user, method, target, body string) {
	w.t.Helper()
	a := w.call(user, method, target, body)
	if a.Status != http.StatusBadRequest || a.Code != code || !strings.Contains(a.Msg, words) {
		w.t.Errorf("%s %s %s %s: %d %s, want %s with %q", user, method, target, body, a.Status, a.Body, code, words)
	}
}

// list decodes the answer of a GET.
func list[T any](w *world, user, target string) (out T) {
	w.t.Helper()
	w.must(json.Unmarshal([]byte(w.ok(user, "GET", target, "")), &out))
	return out
}

func TestTypesFitTheDocument(t *testing.T) {
	if err := newWorld(t).server.Door().CheckTypes(); err != nil {
		t.Error(err)
	}
}

func TestNewRefusesBadOptions(t *testing.T) {
	w := newWorld(t)
	for _, endpoint := range []string{"", "example.com", "ftp://example.com", "https://", "https://example.com/path", "https://" + strings.Repeat("a.", 120) + "com"} {
		o := w.options()
		o.Endpoint = endpoint
		if _, err := hss.New(w.db, w.catalog, w.keys, o); err == nil {
			t.Errorf("endpoint %q was taken", endpoint)
		}
	}
	o := w.options()
	o.SignIn = nil
	if _, err := hss.New(w.db, w.catalog, w.keys, o); err == nil {
		t.Error("a door without sign-in")
	}
}
