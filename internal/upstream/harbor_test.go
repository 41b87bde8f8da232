package upstream_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/upstream"
	"breakwater/internal/upstreamtest"
)

// recorded answers with a file of testdata/harbor: answers of a real Harbor
// 2.16, header lines and body, without what differs by request.
func recorded(t *testing.T, w http.ResponseWriter, name string) {
	f, err := os.Open("testdata/harbor/" + name + ".txt")
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	res, err := http.ReadResponse(bufio.NewReader(f), nil)
	if err != nil {
		t.Error(err)
		return
	}
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
	_, _ = io.Copy(w, res.Body)
}

func TestRecordedHarbor(t *testing.T) {
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := strings.TrimPrefix(r.URL.EscapedPath(), "/api/v2.0")
		asked = append(asked, path)
		switch {
		case path == "/systeminfo":
			recorded(t, w, "systeminfo")
		case path == "/users/current":
			io.WriteString(w, `{"user_id":1,"username":"admin"}`)
		case path == "/projects":
			recorded(t, w, "projects")
		case path == "/projects/team/repositories" && r.URL.Query().Get("page") == "1":
			recorded(t, w, "repositories")
		case path == "/projects/team/repositories":
			io.WriteString(w, `[{"name":"team/sub/debian","project_id":2}]`)
		case path == "/projects/team/repositories/sub%252Fdebian/artifacts":
			recorded(t, w, "artifacts")
		default:
			io.WriteString(w, `[]`)
		}
	}))
	defer srv.Close()
	l := lister(t, breakwater.Registry{
		Type: breakwater.RegistryHarbor, APIVersion: "V2", Protocol: "http",
		Addr: strings.TrimPrefix(srv.URL, "http://"), Username: "admin",
	}, secret)
	if err := l.Probe(context.Background()); err != nil {
		t.Fatal(err)
	}
	page, err := l.Page(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	want := upstream.Page{Done: true, Tags: []upstream.Tag{{
		Namespace: "team", Name: "sub/debian", Version: "bookworm", Size: 95094388,
		Digest: "sha256:ba80cad9d3f78635ab00df7d2f9b78fbaaed801f0f811ac5b4c984c3cfedaf5c",
		Pushed: time.Date(2026, 11, 22, 18, 7, 35, 505e6, time.UTC),
	}}}
	if diff := cmp.Diff(want, page); diff != "" {
		t.Errorf("%s\nasked: %v", diff, asked)
	}
}

// An OIDC user's secret opens /v2/ and not the lists: they would look complete
// with the public projects only, and the private images would be removed.
func TestHarborOIDC(t *testing.T) {
	for user, good := range map[string]bool{"alice": false, "robot$ci": true} {
		srv := start(t, upstreamtest.Options{Kind: upstreamtest.HarborV2, Username: user, Password: secret, AuthMode: "oidc_auth"})
		srv.Tag("team/app", "v1", upstreamtest.Image(map[string]string{"f": "x"}))
		l := lister(t, srv.Registry("reg1"), secret)
		if err := l.Probe(context.Background()); (err == nil) != good || !good && !strings.Contains(err.Error(), "robot account") {
			t.Errorf("%s: %v", user, err)
		}
		if page, err := l.Page(context.Background(), ""); (err == nil) != good || len(page.Tags) != map[bool]int{true: 1}[good] {
			t.Errorf("%s: %d tags, %v", user, len(page.Tags), err)
		}
	}
}

// Well-formed nonsense ends the page with a reason and not in the catalogue.
func TestLyingHarbor(t *testing.T) {
	projects := `[{"name":"team","project_id":2}]`
	repositories := `[{"name":"team/app"}]`
	tests := []struct{ name, projects, repositories, artifacts string }{
		{"project outside", `[{"name":"../x"}]`, repositories, `[]`},
		{"project without a name", `[{}]`, repositories, `[]`},
		{"repository of another project", projects, `[{"name":"other/app"}]`, `[]`},
		{"digest malformed", projects, repositories, `[{"type":"IMAGE","digest":"sha256:../../x","tags":[{"name":"v1"}]}]`},
		{"tag malformed", projects, repositories, `[{"type":"IMAGE","digest":"` + someDigest + `","tags":[{"name":"../v1"}]}]`},
		{"size negative", projects, repositories, `[{"type":"IMAGE","digest":"` + someDigest + `","size":-1,"tags":[{"name":"v1"}]}]`},
		{"object for a list", `{"projects":[]}`, repositories, `[]`},
		{"wrong types", projects, repositories, `[{"type":7}]`},
		{"not JSON", projects, `<html>`, `[]`},
	}
	for _, tt := range tests {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/projects"):
				io.WriteString(w, tt.projects)
			case strings.HasSuffix(r.URL.Path, "/repositories"):
				io.WriteString(w, tt.repositories)
			default:
				io.WriteString(w, tt.artifacts)
			}
		}))
		l := lister(t, breakwater.Registry{Type: breakwater.RegistryHarbor, Protocol: "http", Addr: strings.TrimPrefix(srv.URL, "http://")}, "")
		page, err := l.Page(context.Background(), "")
		if breakwater.KindOf(err) != breakwater.KindUnavailable || len(page.Tags) != 0 {
			t.Errorf("%s: %+v, %v", tt.name, page, err)
		}
		srv.Close()
	}
}

// A registry that always has one more page is left at a limit, not followed.
func TestEndlessList(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Total-Count", "2000000000")
		switch {
		case strings.HasSuffix(r.URL.Path, "/projects"):
			io.WriteString(w, `[{"name":"team"}]`)
		case strings.HasSuffix(r.URL.Path, "/repositories"):
			io.WriteString(w, `[{"name":"team/app"}]`)
		default:
			io.WriteString(w, `[{"type":"CHART","digest":"`+someDigest+`"}]`)
		}
	}))
	defer srv.Close()
	l := lister(t, breakwater.Registry{Type: breakwater.RegistryHarbor, Protocol: "http", Addr: strings.TrimPrefix(srv.URL, "http://")}, "")
	for cursor, n := "", 0; ; n++ {
		page, err := l.Page(context.Background(), cursor)
		if err != nil {
			if !strings.Contains(err.Error(), "more than 10000 pages") {
				t.Error(err)
			}
			return
		}
		if cursor = page.Next; page.Done || n > 1000 {
			t.Fatalf("the list ended after %d pages", n)
		}
	}
}

const someDigest = "sha256:ba80cad9d3f78635ab00df7d2f9b78fbaaed801f0f811ac5b4c984c3cfedaf5c"
