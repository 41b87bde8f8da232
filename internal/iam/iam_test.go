package iam_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/auth"
	"breakwater/internal/door"
	"breakwater/internal/iam"
	"breakwater/internal/keyring"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// house is an installation after its first start, with its identity door open.
type house struct {
	db     *store.DB
	ring   *keyring.Keyring
	server *iam.Server
	door   *door.Door
	cred   iam.Credentials
	url    string
	offset atomic.Int64 // of the clock, in nanoseconds
}

func (h *house) now() time.Time { return start.Add(time.Duration(h.offset.Load())) }

func open(t *testing.T, db *store.DB) *house {
	t.Helper()
	h := &house{db: db}
	ctx := context.Background()
	var err error
	if h.ring, err = keyring.Open(t.TempDir(), keyring.Options{}); err != nil {
		t.Fatal(err)
	}
	var created bool
	h.cred, created, err = iam.Bootstrap(ctx, db, h.ring, iam.BootstrapOptions{Endpoint: "http://here"})
	if err != nil || !created {
		t.Fatal(created, err)
	}
	if h.server, err = iam.New(db, h.ring, iam.Options{Now: h.now}); err != nil {
		t.Fatal(err)
	}
	if h.door, err = h.server.Door(door.Options{Now: h.now}); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h.door)
	t.Cleanup(srv.Close)
	h.url = srv.URL
	return h
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (h *house) call(t *testing.T, method, target, body string, prepare func(*http.Request)) reply {
	t.Helper()
	req, err := http.NewRequest(method, h.url+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(req)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// signed signs a body-less request to a path without a query.
func (h *house) signed(ak, sk string) func(*http.Request) {
	return func(r *http.Request) {
		date := h.now().Format("20060102T150405Z")
		sha := func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }
		canonical := r.Method + "\n" + r.URL.Path + "/\n" + r.URL.RawQuery + "\nx-sdk-date:" + date + "\n\nx-sdk-date\n" + sha("")
		m := hmac.New(sha256.New, []byte(sk))
		fmt.Fprintf(m, "SDK-HMAC-SHA256\n%s\n%s", date, sha(canonical))
		r.Header.Set("X-Sdk-Date", date)
		r.Header.Set("Authorization", fmt.Sprintf("SDK-HMAC-SHA256 Access=%s, SignedHeaders=x-sdk-date, Signature=%x", ak, m.Sum(nil)))
	}
}

func withToken(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("X-Auth-Token", token) }
}

func passwordBody(user, password, scope string) string {
	u, _ := json.Marshal(user)
	p, _ := json.Marshal(password)
	return fmt.Sprintf(`{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":%s,"password":%s,"domain":{"name":"breakwater"}}}}%s}}`, u, p, scope)
}

func (h *house) token(t *testing.T, user, password string) string {
	t.Helper()
	r := h.call(t, "POST", "/v3/auth/tokens", passwordBody(user, password, ""), nil)
	if r.status != 201 {
		t.Fatalf("token: %d %s", r.status, r.body)
	}
	return r.header.Get("X-Subject-Token")
}

func TestTypesFitTheDocument(t *testing.T) {
	if err := open(t, storetest.SQLite(t)).door.CheckTypes(); err != nil {
		t.Error(err)
	}
}

func TestFirstStart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		dir := t.TempDir()
		file := filepath.Join(dir, "credentials.json")
		ring, err := keyring.Open(filepath.Join(dir, "keys"), keyring.Options{})
		if err != nil {
			t.Fatal(err)
		}
		c, created, err := iam.Bootstrap(ctx, db, ring, iam.BootstrapOptions{Endpoint: "http://here", File: file})
		if err != nil || !created {
			t.Fatal(created, err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatal(info, err)
		}
		read, err := iam.ReadCredentials(file)
		if diff := cmp.Diff(c, read); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
		for name, v := range map[string]string{"domain": c.DomainID, "project": c.ProjectID, "name": c.ProjectName, "user": c.User, "password": c.Password, "ak": c.AccessKey, "sk": c.SecretKey} {
			if v == "" {
				t.Errorf("no %s", name)
			}
		}
		again, created, err := iam.Bootstrap(ctx, db, ring, iam.BootstrapOptions{File: file})
		if err != nil || created || again != (iam.Credentials{}) {
			t.Errorf("a second start: %v %v %v", again, created, err)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".credentials-*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// TestFirstStartWithoutFile: when the credentials cannot be written nothing was
// made, so that the next start makes them again.
func TestFirstStartWithoutFile(t *testing.T) {
	ctx := context.Background()
	db := storetest.SQLite(t)
	ring, err := keyring.Open(t.TempDir(), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, created, err := iam.Bootstrap(ctx, db, ring, iam.BootstrapOptions{File: filepath.Join(t.TempDir(), "missing", "c.json")}); err == nil || created {
		t.Fatal(created, err)
	}
	if d, err := db.Domains(ctx); err != nil || len(d) != 0 {
		t.Errorf("domains %v, %v", d, err)
	}
}

func TestToken(t *testing.T) {
	h := open(t, storetest.SQLite(t))
	r := h.call(t, "POST", "/v3/auth/tokens?nocatalog=true", passwordBody(h.cred.User, h.cred.Password, `,"scope":{"project":{"name":"default"}}`), nil)
	if r.status != 201 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var got struct {
		Token struct {
			Methods   []string  `json:"methods"`
			IssuedAt  time.Time `json:"issued_at"`
			ExpiresAt time.Time `json:"expires_at"`
			Project   struct{ ID, Name string }
			User      struct{ ID, Name string }
			Roles     []struct{ Name string }
			Catalog   []any
		}
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil {
		t.Fatal(err)
	}
	tk := got.Token
	if !tk.IssuedAt.Equal(start) || !tk.ExpiresAt.Equal(start.Add(24*time.Hour)) || tk.Project.ID != h.cred.ProjectID || tk.User.Name != "admin" ||
		len(tk.Roles) != 1 || tk.Roles[0].Name != "admin" || tk.Catalog == nil || len(tk.Methods) != 1 {
		t.Errorf("body %s", r.body)
	}
	if strings.Contains(r.body, h.cred.Password) {
		t.Error("the answer holds the password")
	}
	for _, tc := range []struct {
		name, body string
		status     int
		says       string
	}{
		{"wrong password", passwordBody("admin", "not this one", ""), 401, "wrong"},
		{"no such user", passwordBody("nobody", "not this one", ""), 401, "wrong"},
		{"foreign project", passwordBody("admin", h.cred.Password, `,"scope":{"project":{"id":"prj0"}}`), 401, "admit"},
		{"no user", `{"auth":{"identity":{"methods":["password"],"password":{"user":{"password":"x"}}}}}`, 400, "user.name"},
		{"no password", `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"x"}}}}}`, 400, "auth.identity.password.user.password: is required"},
		{"another method", `{"auth":{"identity":{"methods":["token"],"password":{"user":{"name":"x","password":"y"}}}}}`, 400, "methods[0]"},
		{"not JSON", `{`, 400, "body"},
	} {
		r := h.call(t, "POST", "/v3/auth/tokens", tc.body, nil)
		if r.status != tc.status || !strings.Contains(r.body, tc.says) || r.header.Get("X-Subject-Token") != "" {
			t.Errorf("%s: %d %s", tc.name, r.status, r.body)
		}
	}
}

func TestLookups(t *testing.T) {
	h := open(t, storetest.SQLite(t))
	ctx := context.Background()
	other, err := h.server.CreateProject(ctx, "cn-north-4")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.server.SetRole(ctx, "admin", "cn-north-4", breakwater.RoleViewer); err != nil {
		t.Fatal(err)
	}
	names := func(target string, prepare func(*http.Request)) (out []string) {
		t.Helper()
		r := h.call(t, "GET", target, "", prepare)
		var body struct{ Projects, Domains []struct{ ID, Name string } }
		if err := json.Unmarshal([]byte(r.body), &body); err != nil || r.status != 200 || r.header.Get("X-IAM-Trace-Id") == "" {
			t.Fatalf("%s: %d %s", target, r.status, r.body)
		}
		for _, p := range append(body.Projects, body.Domains...) {
			out = append(out, p.Name)
		}
		return out
	}
	key, token := h.signed(h.cred.AccessKey, h.cred.SecretKey), withToken(h.token(t, "admin", h.cred.Password))
	for _, tc := range []struct {
		target  string
		prepare func(*http.Request)
		want    []string
	}{
		{"/v3/projects", token, []string{"cn-north-4", "default"}},
		{"/v3/auth/projects", token, []string{"cn-north-4", "default"}},
		{"/v3/projects?name=cn-north-4", token, []string{"cn-north-4"}},
		{"/v3/projects?page=2&per_page=1", token, []string{"default"}},
		{"/v3/projects?page=9&per_page=5000", token, nil},
		{"/v3/projects?name=default", key, []string{"default"}},
		{"/v3/projects?name=cn-north-4", key, nil},
		{"/v3/auth/domains", key, []string{"breakwater"}},
	} {
		if diff := cmp.Diff(tc.want, names(tc.target, tc.prepare)); diff != "" {
			t.Errorf("%s:\n%s", tc.target, diff)
		}
	}
	if r := h.call(t, "GET", "/v3/projects?name=none", "", key); !strings.Contains(r.body, `"projects":[]`) {
		t.Errorf("an empty list must be there: %s", r.body)
	}
	if r := h.call(t, "GET", "/v3/projects", "", func(r *http.Request) { key(r); r.Header.Set("X-Project-Id", other.ID) }); r.status != 404 {
		t.Errorf("another project's header: %d %s", r.status, r.body)
	}
}

func TestWhoIsLetIn(t *testing.T) {
	h := open(t, storetest.SQLite(t))
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	u, err := h.server.CreateUser(ctx, "ada", "ada's password")
	must(err)
	must(h.server.SetRole(ctx, "ada", "default", breakwater.RoleOperator))
	ak, sk, err := h.server.CreateAccessKey(ctx, "ada", "default")
	must(err)
	token := h.token(t, "ada", "ada's password")
	must(h.db.CreateAccessKey(ctx, breakwater.AccessKey{AK: "AKtemp", UserID: u.ID, ProjectID: h.cred.ProjectID, Temporary: true,
		SealedSK: h.ring.Seal([]byte("tmp"), breakwater.AccessKey{AK: "AKtemp"}.SealContext()), Expires: start.Add(time.Hour), Created: start}))
	must(h.db.CreateAccessKey(ctx, breakwater.AccessKey{AK: "AKend", UserID: u.ID, ProjectID: h.cred.ProjectID,
		SealedSK: h.ring.Seal([]byte("end"), breakwater.AccessKey{AK: "AKend"}.SealContext()), Expires: start.Add(time.Hour), Created: start}))

	check := func(name string, prepare func(*http.Request), want int) {
		t.Helper()
		if r := h.call(t, "GET", "/v3/projects", "", prepare); r.status != want {
			t.Errorf("%s: %d %s, want %d", name, r.status, r.body, want)
		}
	}
	check("nobody", nil, 401)
	check("key", h.signed(ak, sk), 200)
	check("wrong secret", h.signed(ak, sk+"x"), 401)
	check("unknown key", h.signed("AKnone", sk), 401)
	check("temporary key", h.signed("AKtemp", "tmp"), 401)
	check("key with an end", h.signed("AKend", "end"), 200)
	check("token", withToken(token), 200)
	check("broken token", withToken(token+"x"), 401)
	check("basic", func(r *http.Request) { r.SetBasicAuth("ada", "ada's password") }, 401)

	h.offset.Store(int64(time.Hour))
	check("key past its end", h.signed("AKend", "end"), 401)
	h.offset.Store(0)

	must(h.server.DisableUser(ctx, "ada", true))
	check("disabled, key", h.signed(ak, sk), 401)
	check("disabled, token", withToken(token), 401)
	if r := h.call(t, "POST", "/v3/auth/tokens", passwordBody("ada", "ada's password", ""), nil); r.status != 401 {
		t.Errorf("disabled, password: %d", r.status)
	}
	must(h.server.DisableUser(ctx, "ada", false))
	check("enabled", withToken(token), 200)
	must(h.server.SetPassword(ctx, "ada", "another password"))
	check("token of the old password", withToken(token), 401)
	check("key outlives the password", h.signed(ak, sk), 200)
	token = h.token(t, "ada", "another password")
	must(h.server.SetRole(ctx, "ada", "default", breakwater.RoleRobot))
	check("robot", h.signed(ak, sk), 403)
	must(h.server.RemoveRole(ctx, "ada", "default"))
	check("not a member, key", h.signed(ak, sk), 401)
	check("not a member, token", withToken(token), 401)
	must(h.server.DeleteUser(ctx, "ada"))
	check("deleted", withToken(token), 401)
}

func TestDockerLogin(t *testing.T) {
	h := open(t, storetest.SQLite(t))
	ctx := context.Background()
	admin, err := h.server.Users(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.db.CreateAccessKey(ctx, breakwater.AccessKey{AK: "AKtemp", UserID: admin[0].ID, ProjectID: h.cred.ProjectID, Temporary: true,
		SealedSK: h.ring.Seal([]byte("tmp"), breakwater.AccessKey{AK: "AKtemp"}.SealContext()), Expires: start.Add(time.Hour), Created: start}); err != nil {
		t.Fatal(err)
	}
	password := auth.DockerPassword(h.cred.AccessKey, []byte(h.cred.SecretKey))
	for _, tc := range []struct {
		name, user, password string
		after                time.Duration
		good                 bool
	}{
		{"key", "default@" + h.cred.AccessKey, password, 0, true},
		{"temporary", "default@AKtemp", auth.DockerPassword("AKtemp", []byte("tmp")), 0, true},
		{"temporary, ended", "default@AKtemp", auth.DockerPassword("AKtemp", []byte("tmp")), time.Hour, false},
		{"another project", "other@" + h.cred.AccessKey, password, 0, false},
		{"the secret itself", "default@" + h.cred.AccessKey, h.cred.SecretKey, 0, false},
		{"no project", h.cred.AccessKey, password, 0, false},
		{"unknown key", "default@AKnone", password, 0, false},
		{"empty", "", "", 0, false},
	} {
		h.offset.Store(int64(tc.after))
		c, err := h.server.DockerLogin(ctx, tc.user, tc.password)
		if (err == nil) != tc.good || tc.good && c.ProjectID != h.cred.ProjectID {
			t.Errorf("%s: %+v, %v", tc.name, c, err)
		}
		if err != nil && breakwater.KindOf(err) != breakwater.KindUnauthenticated {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	h.offset.Store(int64(3 * time.Hour))
	if err := h.server.Housekeep(ctx); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.db.AccessKey(ctx, "AKtemp"); !breakwater.IsNotFound(err) {
		t.Errorf("the ended key is still there: %v", err)
	}
}

func TestAdminRefusals(t *testing.T) {
	h := open(t, storetest.SQLite(t))
	ctx := context.Background()
	key := func(user, project string) error {
		_, _, err := h.server.CreateAccessKey(ctx, user, project)
		return err
	}
	user := func(name, password string) error { _, err := h.server.CreateUser(ctx, name, password); return err }
	project := func(name string) error { _, err := h.server.CreateProject(ctx, name); return err }
	if err := errors.Join(user("bob", "bob's password"), project("empty")); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		err  error
		want breakwater.Kind
	}{
		{"bad name", user("a b", "long enough"), breakwater.KindInvalid},
		{"bad password", user("carl", "short"), breakwater.KindInvalid},
		{"user taken", user("bob", "long enough"), breakwater.KindConflict},
		{"bad project", project("a@b"), breakwater.KindInvalid},
		{"project taken", project("default"), breakwater.KindConflict},
		{"key without a role", key("bob", "default"), breakwater.KindForbidden},
		{"key of nobody", key("carl", "default"), breakwater.KindNotFound},
		{"bad role", h.server.SetRole(ctx, "bob", "default", "king"), breakwater.KindInvalid},
		{"no project", h.server.SetRole(ctx, "bob", "none", "viewer"), breakwater.KindNotFound},
		{"delete nobody", h.server.DeleteUser(ctx, "carl"), breakwater.KindNotFound},
		{"delete no key", h.server.DeleteAccessKey(ctx, "AKnone"), breakwater.KindNotFound},
		{"delete a project", h.server.DeleteProject(ctx, "empty"), ""},
	} {
		if got := breakwater.KindOf(tc.err); got != tc.want {
			t.Errorf("%s: %v, want %s", tc.name, tc.err, tc.want)
		}
	}
}
