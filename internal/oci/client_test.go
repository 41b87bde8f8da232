package oci_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/netguard"
	"breakwater/internal/oci"
)

func httpClient(t *testing.T) *http.Client {
	t.Helper()
	g, err := netguard.New(netguard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := g.Client(netguard.ClientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pauses collects how long a client would have waited.
type pauses struct{ all []time.Duration }

func (p *pauses) pause(ctx context.Context, d time.Duration) error {
	p.all = append(p.all, d)
	return ctx.Err()
}

func newClient(t *testing.T, base string, opts oci.ClientOptions) *oci.Client {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	opts.HTTP = httpClient(t)
	if opts.Pause == nil {
		opts.Pause = (&pauses{}).pause
	}
	c, err := oci.NewClient(u, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func codeOf(err error) breakwater.ScanCode {
	var e *breakwater.Error
	if errors.As(err, &e) {
		return breakwater.ScanCode(e.Code)
	}
	return ""
}

// realm is a token service; it counts who showed a password.
type realm struct {
	*httptest.Server
	anonymous, right, wrong atomic.Int32
	scopes                  atomic.Value
}

func newRealm(t *testing.T) *realm {
	r := &realm{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		user, password, ok := req.BasicAuth()
		switch {
		case !ok:
			r.anonymous.Add(1)
		case user == "robot$team+ci" && password == `p"$ :x`:
			r.right.Add(1)
		default:
			r.wrong.Add(1)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.scopes.Store(req.URL.Query()["scope"])
		json.NewEncoder(w).Encode(map[string]any{"access_token": "good", "expires_in": 300})
	}))
	t.Cleanup(r.Close)
	return r
}

// registry wants the token "good" for everything below /v2/.
func newRegistry(t *testing.T, realmURL func(self string) string) *httptest.Server {
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			if _, p, ok := r.BasicAuth(); !ok || p != "right" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			fmt.Fprint(w, `{"token":"good"}`)
			return
		}
		if r.Header.Get("Authorization") != "Bearer good" {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="harbor-registry"`, realmURL(srv.URL)))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", oci.TypeIndex)
		fmt.Fprint(w, indexJSON())
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestRealmRule(t *testing.T) {
	ctx := context.Background()
	foreign := newRealm(t)
	srv := newRegistry(t, func(string) string { return foreign.URL + "/token" })
	robot := oci.ClientOptions{Username: "robot$team+ci", Password: `p"$ :x`}

	err := newClient(t, srv.URL, robot).Ping(ctx)
	if codeOf(err) != breakwater.CodeAuthentication || !strings.Contains(err.Error(), "another host") {
		t.Errorf("a foreign realm: %v", err)
	}
	if n := foreign.right.Load() + foreign.wrong.Load(); n != 0 {
		t.Errorf("the foreign realm saw a password %d times", n)
	}
	// Nothing to lose: an anonymous client may fetch a token there.
	if err := newClient(t, srv.URL, oci.ClientOptions{}).Ping(ctx); err != nil || foreign.anonymous.Load() == 0 {
		t.Errorf("anonymous: %v", err)
	}
	robot.RealmHosts = []string{strings.TrimPrefix(foreign.URL, "http://")}
	c := newClient(t, srv.URL, robot)
	if err := c.Ping(ctx); err != nil || foreign.right.Load() != 1 {
		t.Errorf("an allowed realm: %v, %d", err, foreign.right.Load())
	}
	if _, err := c.Repository("team/app").Manifest(ctx, "v1"); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"repository:team/app:pull"}, foreign.scopes.Load()); diff != "" {
		t.Error(diff)
	}
	before := foreign.right.Load()
	if _, err := c.Repository("team/app").Manifest(ctx, "v2"); err != nil || foreign.right.Load() != before {
		t.Errorf("the token was not used again: %v", err)
	}
}

func TestSignIn(t *testing.T) {
	own := func(self string) string { return self + "/token" }
	tests := []struct {
		name     string
		realm    func(string) string
		password string
		good     bool
	}{
		{"right", own, "right", true},
		{"wrong password", own, "wrong", false},
		{"metadata realm", func(string) string { return "http://169.254.169.254/token" }, "right", false},
		{"realm with a name inside", func(self string) string { return strings.Replace(self, "http://", "http://x:y@", 1) + "/token" }, "right", false},
		{"file realm", func(string) string { return "file:///etc/passwd" }, "right", false},
		{"no realm", func(string) string { return "" }, "right", false},
	}
	for _, tt := range tests {
		c := newClient(t, newRegistry(t, tt.realm).URL, oci.ClientOptions{Username: "admin", Password: tt.password})
		err := c.Ping(context.Background())
		if (err == nil) != tt.good || err != nil && codeOf(err) != breakwater.CodeAuthentication {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err != nil && strings.Contains(err.Error(), tt.password+" ") {
			t.Errorf("%s: the error tells the password: %v", tt.name, err)
		}
	}
	// Anonymous, the guard is what stands before the metadata service.
	c := newClient(t, newRegistry(t, tests[2].realm).URL, oci.ClientOptions{})
	if err := c.Ping(context.Background()); err == nil || !strings.Contains(err.Error(), "cloud metadata") {
		t.Errorf("anonymous, metadata realm: %v", err)
	}
}

func TestBasicChallenge(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, _ := r.BasicAuth(); u != "u" || p != "p" {
			w.Header().Add("WWW-Authenticate", "Negotiate")
			w.Header().Add("WWW-Authenticate", `Basic realm="Registry, \"ours\""`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer srv.Close()
	for password, want := range map[string]breakwater.ScanCode{"p": "", "x": breakwater.CodeAuthentication} {
		c := newClient(t, srv.URL, oci.ClientOptions{Username: "u", Password: password})
		if err := c.Ping(context.Background()); codeOf(err) != want {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestStatuses(t *testing.T) {
	tests := []struct {
		status int
		code   breakwater.ScanCode
		tries  int32
	}{
		{http.StatusForbidden, breakwater.CodeAuthentication, 1},
		{http.StatusNotFound, breakwater.CodeNotFound, 1},
		{http.StatusTeapot, breakwater.CodeDownloadFailed, 1},
		{http.StatusInternalServerError, breakwater.CodeDownloadFailed, 4},
		{http.StatusBadGateway, breakwater.CodeDownloadFailed, 4},
		{http.StatusTooManyRequests, breakwater.CodeDownloadFailed, 4},
	}
	for _, tt := range tests {
		var tries atomic.Int32
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			tries.Add(1)
			w.WriteHeader(tt.status)
		}))
		_, err := newClient(t, srv.URL, oci.ClientOptions{}).Repository("a/b").Manifest(context.Background(), "v1")
		if codeOf(err) != tt.code || tries.Load() != tt.tries {
			t.Errorf("%d: %v after %d tries", tt.status, err, tries.Load())
		}
		if breakwater.IsNotFound(err) != (tt.status == http.StatusNotFound) {
			t.Errorf("%d: kind %s", tt.status, breakwater.KindOf(err))
		}
		srv.Close()
	}
}

func TestRetryAfter(t *testing.T) {
	var tries atomic.Int32
	wait := "7"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if tries.Add(1) == 1 {
			w.Header().Set("Retry-After", wait)
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	defer srv.Close()
	p := &pauses{}
	if err := newClient(t, srv.URL, oci.ClientOptions{Pause: p.pause}).Ping(context.Background()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{7 * time.Second}, p.all); diff != "" {
		t.Error(diff)
	}
	tries.Store(0)
	wait = "86400" // nobody waits a day
	if err := newClient(t, srv.URL, oci.ClientOptions{}).Ping(context.Background()); err == nil || tries.Load() != 1 {
		t.Errorf("%v after %d tries", err, tries.Load())
	}
}

func TestManifestBody(t *testing.T) {
	good := indexJSON()
	digest := breakwater.DigestOf([]byte(good))
	tests := []struct {
		name, body, header, ref string
		code                    breakwater.ScanCode
	}{
		{name: "by tag", body: good, ref: "v1"},
		{name: "by tag, with header", body: good, header: string(digest), ref: "v1"},
		{name: "by digest", body: good, ref: string(digest)},
		{name: "another body", body: good + " ", ref: string(digest), code: breakwater.CodeDownloadFailed},
		{name: "header lies", body: good, header: someDigest, ref: "v1", code: breakwater.CodeDownloadFailed},
		{name: "too large", body: strings.Repeat(" ", oci.MaxManifest+1), ref: "v1", code: breakwater.CodeOverSized},
	}
	for _, tt := range tests {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", oci.TypeIndex)
			if tt.header != "" {
				w.Header().Set("Docker-Content-Digest", tt.header)
			}
			io.WriteString(w, tt.body)
		}))
		repo := newClient(t, srv.URL, oci.ClientOptions{}).Repository("a/b")
		m, err := repo.Manifest(context.Background(), tt.ref)
		if codeOf(err) != tt.code || err == nil && m.Digest != digest {
			t.Errorf("%s: %v, %v", tt.name, m.Digest, err)
		}
		if d, err := repo.Digest(context.Background(), tt.ref); tt.code == "" && (err != nil || d != digest) {
			t.Errorf("%s: Digest = %v, %v", tt.name, d, err)
		}
		srv.Close()
	}
	c := newClient(t, "http://127.0.0.1:1", oci.ClientOptions{})
	for _, bad := range [][2]string{{"../x", "v1"}, {"a", "../v1"}, {"a", ""}, {"a", "sha256:x"}, {"", "v1"}} {
		if _, err := c.Repository(bad[0]).Manifest(context.Background(), bad[1]); breakwater.KindOf(err) != breakwater.KindInvalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// A blob server that breaks off, stands still, or does not know ranges.
func TestBlobResumes(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 8<<10)
	digest := breakwater.DigestOf(content)
	type serve func(w http.ResponseWriter, r *http.Request, try int32, from int)
	part := func(w http.ResponseWriter, from, n int) {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)-from))
		if from > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write(content[from:min(len(content), from+n)])
		w.(http.Flusher).Flush()
	}
	tests := []struct {
		name  string
		serve serve
		good  bool
	}{
		{"whole", func(w http.ResponseWriter, _ *http.Request, _ int32, from int) { part(w, from, len(content)) }, true},
		{"breaks off thrice", func(w http.ResponseWriter, _ *http.Request, try int32, from int) {
			part(w, from, 40000)
			panic(http.ErrAbortHandler)
		}, true},
		{"stands still once", func(w http.ResponseWriter, r *http.Request, try int32, from int) {
			if try == 1 {
				part(w, from, 1000)
				<-r.Context().Done()
				return
			}
			part(w, from, len(content))
		}, true},
		{"knows no ranges", func(w http.ResponseWriter, _ *http.Request, try int32, _ int) {
			if try == 1 {
				part(w, 0, 100000)
				panic(http.ErrAbortHandler)
			}
			part(w, 0, len(content))
		}, true},
		{"breaks off for ever", func(w http.ResponseWriter, _ *http.Request, _ int32, from int) {
			part(w, from, 10)
			panic(http.ErrAbortHandler)
		}, false},
		{"resumes elsewhere", func(w http.ResponseWriter, _ *http.Request, try int32, from int) {
			part(w, max(0, from-1), 70000)
			panic(http.ErrAbortHandler)
		}, false},
		{"other bytes", func(w http.ResponseWriter, _ *http.Request, _ int32, _ int) {
			w.Write(bytes.ToUpper(content))
		}, false},
		{"too few bytes, well ended", func(w http.ResponseWriter, _ *http.Request, _ int32, _ int) { w.Write(content[1:]) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var tries atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				from, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"))
				tt.serve(w, r, tries.Add(1), from)
			}))
			defer srv.Close()
			c := newClient(t, srv.URL, oci.ClientOptions{IdleTimeout: 100 * time.Millisecond})
			rc, err := c.Repository("a/b").Blob(context.Background(), digest, int64(len(content)))
			if err != nil {
				t.Fatal(err)
			}
			defer rc.Close()
			got, err := io.ReadAll(rc)
			if (err == nil) != tt.good || tt.good && !bytes.Equal(got, content) {
				t.Errorf("%d bytes, %v after %d tries", len(got), err, tries.Load())
			}
			if err != nil && breakwater.KindOf(err) != breakwater.KindUnavailable {
				t.Errorf("kind %s: %v", breakwater.KindOf(err), err)
			}
		})
	}
}

func TestTimeOut(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer srv.Close()
	c := newClient(t, srv.URL, oci.ClientOptions{RequestTimeout: 30 * time.Millisecond, Attempts: 2})
	if err := c.Ping(context.Background()); codeOf(err) != breakwater.CodeTimedOut {
		t.Errorf("a silent registry: %v", err)
	}
	if _, err := c.Repository("a").Blob(context.Background(), someDigest, 5); codeOf(err) != breakwater.CodeTimedOut {
		t.Errorf("a silent blob: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestNamesPage(t *testing.T) {
	all := []string{"a", "b", "c", "d", "e"}
	for _, style := range []string{"link", "absolute link", "no link", "no pages"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rest, n := all, 2
			if style != "no pages" {
				for len(rest) > 0 && rest[0] <= r.URL.Query().Get("last") {
					rest = rest[1:]
				}
				if len(rest) > n {
					rest = rest[:n]
					target := fmt.Sprintf("/v2/_catalog?last=%s&n=2", rest[n-1])
					if style == "absolute link" {
						target = "http://elsewhere.example" + target
					}
					if style != "no link" {
						w.Header().Set("Link", "<"+target+`>; rel="next"`)
					}
				}
			}
			json.NewEncoder(w).Encode(map[string]any{"repositories": rest})
		}))
		c := newClient(t, srv.URL, oci.ClientOptions{})
		var got []string
		for cursor, pages := "", 0; pages == 0 || cursor != "" && pages < 10; pages++ {
			page, err := c.Repositories(context.Background(), cursor, 2)
			if err != nil {
				t.Fatalf("%s: %v", style, err)
			}
			got, cursor = append(got, page.Names...), page.Next
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("%s:\n%s", style, diff)
		}
		srv.Close()
	}
}

func TestNamesRefuses(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter){
		"not JSON":      func(w http.ResponseWriter) { io.WriteString(w, "<html>") },
		"no such field": func(w http.ResponseWriter) { io.WriteString(w, `{"x":1}`) },
		"wrong type":    func(w http.ResponseWriter) { io.WriteString(w, `{"repositories":{"a":1}}`) },
		"long name":     func(w http.ResponseWriter) { fmt.Fprintf(w, `{"repositories":[%q]}`, strings.Repeat("a", 2000)) },
		"own next": func(w http.ResponseWriter) {
			w.Header().Set("Link", `</v2/_catalog?n=2>; rel="next"`)
			io.WriteString(w, `{"repositories":["a","b"]}`)
		},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
		if _, err := newClient(t, srv.URL, oci.ClientOptions{}).Repositories(context.Background(), "", 2); codeOf(err) != breakwater.CodeDownloadFailed {
			t.Errorf("%s: %v", name, err)
		}
		srv.Close()
	}
}

// A registry onboarded as http that sends everybody elsewhere gets a message
// that says so, and the credentials stay behind.
func TestRedirectedSignIn(t *testing.T) {
	var shown atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			shown.Add(1)
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer other.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+r.URL.Path, http.StatusMovedPermanently)
	}))
	defer srv.Close()
	for _, preemptive := range []bool{false, true} {
		c := newClient(t, srv.URL, oci.ClientOptions{Username: "u", Password: "p", Preemptive: preemptive})
		err := c.Ping(context.Background())
		if codeOf(err) != breakwater.CodeAuthentication || !strings.Contains(err.Error(), "use that address") || shown.Load() != 0 {
			t.Errorf("preemptive %t: %v, shown %d times", preemptive, err, shown.Load())
		}
	}
}
