package registry_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/oci"
	"breakwater/internal/registry"
	"breakwater/internal/registry/registrytest"
	"breakwater/internal/storetest"
)

// bearer is a client's token for scopes, as an Authorization header.
func (c client) bearer(scopes ...string) string {
	c.t.Helper()
	q := url.Values{"service": {"breakwater"}, "scope": scopes}
	a := c.do("GET", "/v2/token?"+q.Encode(), "")
	c.want(a, 200, "")
	var out struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := json.Unmarshal(a.body, &out); err != nil || out.Token == "" || out.Token != out.AccessToken || out.ExpiresIn < 60 {
		c.t.Fatalf("token: %s", a.body)
	}
	return "Authorization: Bearer " + out.Token
}

func TestChallenge(t *testing.T) {
	w := start(t)
	nobody := client{t, w, ""}
	a := nobody.do("GET", "/v2/", "")
	nobody.want(a, 401, "UNAUTHORIZED")
	if got, want := a.header.Get("WWW-Authenticate"), `Bearer realm="`+w.Server.URL+`/v2/token",service="breakwater"`; got != want {
		t.Errorf("challenge %s, want %s", got, want)
	}
	if a.header.Get("Docker-Distribution-API-Version") != "registry/2.0" {
		t.Error("no version header")
	}
	a = nobody.do("GET", "/v2/", "", "X-Forwarded-Proto: https")
	if !strings.Contains(a.header.Get("WWW-Authenticate"), `realm="https://`+w.Host) {
		t.Errorf("behind TLS: %s", a.header.Get("WWW-Authenticate"))
	}
	a = nobody.do("POST", "/v2/g/app/blobs/uploads/", "")
	nobody.want(a, 401, "UNAUTHORIZED")
	if !strings.Contains(a.header.Get("WWW-Authenticate"), `scope="repository:g/app:pull,push"`) {
		t.Errorf("no scope: %s", a.header.Get("WWW-Authenticate"))
	}
	wrong := client{t, w, "alpha@nobody"}
	a = wrong.do("GET", "/v2/token", "")
	wrong.want(a, 401, "UNAUTHORIZED")
	if !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("the token endpoint asks for %s", a.header.Get("WWW-Authenticate"))
	}
	wrong.want(wrong.do("GET", "/v2/", ""), 401, "UNAUTHORIZED")
	for _, header := range []string{"Bearer x", "Bearer", "Basic !!!", "Digest x", "Bearer eyJhbGciOiJub25lIn0.e30."} {
		nobody.want(nobody.do("GET", "/v2/", "", "Authorization: "+header), 401, "UNAUTHORIZED")
		nobody.want(nobody.do("GET", "/v2/token", "", "Authorization: "+header), 401, "UNAUTHORIZED")
	}
	viewer := client{t, w, "alpha@viewer"}
	viewer.want(viewer.do("GET", "/v2/", ""), 200, "")
	viewer.want(nobody.do("GET", "/v2/", "", viewer.bearer()), 200, "")
	viewer.want(nobody.do("GET", "/v2/", "", nobody.bearer()), 200, "")
}

func TestTokenRequests(t *testing.T) {
	w := start(t)
	c := client{t, w, "alpha@operator"}
	nobody := client{t, w, ""}
	form := "Content-Type: application/x-www-form-urlencoded"
	c.want(nobody.do("POST", "/v2/token", "grant_type=password&service=breakwater&username=alpha@operator&password="+url.QueryEscape(registrytest.Password), form), 200, "")
	nobody.want(nobody.do("POST", "/v2/token", "grant_type=password&username=alpha@operator&password=x", form), 401, "UNAUTHORIZED")
	nobody.want(nobody.do("POST", "/v2/token", "grant_type=refresh_token&refresh_token=x", form), 400, "UNSUPPORTED")
	c.want(c.do("GET", "/service/token?service=breakwater", ""), 200, "")
	c.want(c.do("GET", "/v2/token?service=another", ""), 400, "UNSUPPORTED")
	c.want(c.do("GET", "/v2/token?scope=nonsense", ""), 400, "UNSUPPORTED")
	c.want(c.do("GET", "/v2/token?"+strings.Repeat("scope=repository:g/a:pull&", 51), ""), 400, "UNSUPPORTED")
	c.want(c.do("DELETE", "/v2/token", ""), 405, "UNSUPPORTED")
	c.want(c.do("POST", "/v2/token", strings.Repeat("a=b&", 20_000), form), 400, "UNSUPPORTED")
}

// TestRoles walks what each role may do, by password and by token.
func TestRoles(t *testing.T) {
	w := start(t)
	op := client{t, w, "alpha@operator"}
	op.pushImage("g/app", "v1", "layer")
	layer := breakwater.DigestOf([]byte("layer")).String()
	for _, x := range []struct {
		role               string
		pull, push, delete int
	}{
		{"viewer", 200, 403, 403},
		{"robot", 200, 202, 403},
		{"operator", 200, 202, 202},
		{"admin", 200, 202, 202},
	} {
		c := client{t, w, "alpha@" + x.role}
		token := client{t, w, ""}
		scope := c.bearer("repository:g/app:pull,push,delete registry:catalog:*")
		for _, do := range []func(method, path string) answer{
			func(method, path string) answer { return c.do(method, path, "") },
			func(method, path string) answer { return token.do(method, path, "", scope) },
		} {
			op.pushImage("g/app", "gone", "layer")
			for what, got := range map[string][2]int{
				"pull":    {do("GET", "/v2/g/app/manifests/v1").status, x.pull},
				"blob":    {do("GET", "/v2/g/app/blobs/"+layer).status, x.pull},
				"tags":    {do("GET", "/v2/g/app/tags/list").status, x.pull},
				"catalog": {do("GET", "/v2/_catalog").status, 200},
				"push":    {do("POST", "/v2/g/app/blobs/uploads/").status, x.push},
				"delete":  {do("DELETE", "/v2/g/app/manifests/gone").status, x.delete},
			} {
				if got[0] != got[1] {
					t.Errorf("%s may %s: %d, want %d", x.role, what, got[0], got[1])
				}
			}
		}
	}
	robot := client{t, w, "alpha@robot"}
	robot.want(robot.do("POST", "/v2/new/app/blobs/uploads/", ""), 404, "NAME_UNKNOWN")
	robot.want(robot.do("POST", "/v2/g/new/blobs/uploads/", ""), 202, "")
	op.want(op.do("POST", "/v2/new/app/blobs/uploads/", ""), 202, "")
}

// TestScopes: a token does what it was made for, and for more the client is
// told what to ask.
func TestScopes(t *testing.T) {
	w := start(t)
	op := client{t, w, "alpha@operator"}
	op.pushImage("g/app", "v1", "layer")
	op.pushImage("g/two", "v1", "layer")
	nobody := client{t, w, ""}
	pull := op.bearer("repository:g/app:pull")
	nobody.want(nobody.do("GET", "/v2/g/app/manifests/v1", "", pull), 200, "")
	for path, scope := range map[string]string{
		"GET /v2/g/two/manifests/v1":        "repository:g/two:pull",
		"POST /v2/g/app/blobs/uploads/":     "repository:g/app:pull,push",
		"DELETE /v2/g/app/manifests/v1":     "repository:g/app:delete",
		"GET /v2/_catalog":                  "registry:catalog:*",
		"PUT /v2/g/app/manifests/v1":        "repository:g/app:pull,push",
		"PATCH /v2/g/app/blobs/uploads/upl": "repository:g/app:pull,push",
	} {
		method, path, _ := strings.Cut(path, " ")
		a := nobody.do(method, path, "", pull)
		nobody.want(a, 401, "UNAUTHORIZED")
		if got := a.header.Get("WWW-Authenticate"); !strings.Contains(got, `scope="`+scope+`",error="insufficient_scope"`) {
			t.Errorf("%s %s: %s", method, path, got)
		}
	}
}

// TestIsolation: to another project, everything private is not there.
func TestIsolation(t *testing.T) {
	w := start(t)
	alpha, beta, nobody := client{t, w, "alpha@admin"}, client{t, w, "beta@admin"}, client{t, w, ""}
	d := alpha.pushImage("g/app", "v1", "layer")
	layer := breakwater.DigestOf([]byte("layer")).String()
	loc := alpha.begin("g/app")
	paths := map[string]string{
		"GET /v2/g/app/manifests/v1":               "",
		"HEAD /v2/g/app/manifests/v1":              "",
		"GET /v2/g/app/manifests/" + d.String():    "",
		"GET /v2/g/app/blobs/" + layer:             "",
		"GET /v2/g/app/tags/list":                  "",
		"PUT /v2/g/app/manifests/v1":               "{}",
		"DELETE /v2/g/app/manifests/v1":            "",
		"DELETE /v2/g/app/manifests/" + d.String(): "",
		"DELETE /v2/g/app/blobs/" + layer:          "",
		"POST /v2/g/app/blobs/uploads/":            "",
		"POST /v2/g/new/blobs/uploads/":            "",
		"GET " + loc:                               "",
		"PATCH " + loc:                             "x",
		"PUT " + loc + "?digest=" + layer:          "",
		"DELETE " + loc:                            "",
	}
	for path, body := range paths {
		method, path, _ := strings.Cut(path, " ")
		if a := beta.do(method, path, body); a.status != 404 || method != "HEAD" && a.code() != "NAME_UNKNOWN" {
			t.Errorf("beta %s %s: %d %s", method, path, a.status, a.code())
		}
		if a := nobody.do(method, path, body); a.status != 401 {
			t.Errorf("nobody %s %s: %d", method, path, a.status)
		}
		// A token says what its holder asked for, not what is theirs.
		scope := beta.bearer("repository:g/app:pull,push,delete", "repository:g/new:pull,push")
		if a := nobody.do(method, path, body, scope); a.status != 404 {
			t.Errorf("beta's token %s %s: %d %s", method, path, a.status, a.code())
		}
		if a := nobody.do(method, path, body, nobody.bearer("repository:g/app:pull,push,delete")); a.status != 401 {
			t.Errorf("nobody's token %s %s: %d %s", method, path, a.status, a.code())
		}
	}
	if a := beta.do("GET", "/v2/_catalog", ""); string(a.body) != `{"repositories":[]}` {
		t.Errorf("beta's catalogue: %s", a.body)
	}
	nobody.want(nobody.do("GET", "/v2/_catalog", ""), 401, "UNAUTHORIZED")
	alpha.want(alpha.do("GET", "/v2/g/app/manifests/v1", ""), 200, "")
	alpha.want(alpha.do("GET", loc, ""), 204, "")

	makePublic(t, w, "alpha", "g", "app")
	beta.want(beta.do("GET", "/v2/g/app/manifests/v1", ""), 200, "")
	nobody.want(nobody.do("GET", "/v2/g/app/manifests/v1", ""), 200, "")
	nobody.want(nobody.do("GET", "/v2/g/app/blobs/"+layer, "", nobody.bearer("repository:g/app:pull")), 200, "")
	beta.want(beta.do("PUT", "/v2/g/app/manifests/v1", imageManifest(config, "layer", ""), "Content-Type: "+oci.TypeManifest), 404, "NAME_UNKNOWN")
	beta.want(beta.do("DELETE", "/v2/g/app/manifests/v1", ""), 404, "NAME_UNKNOWN")
	nobody.want(nobody.do("DELETE", "/v2/g/app/manifests/v1", ""), 401, "UNAUTHORIZED")
	if a := beta.do("GET", "/v2/_catalog", ""); string(a.body) != `{"repositories":[]}` {
		t.Errorf("beta's catalogue: %s", a.body)
	}
}

func TestFailedSignIns(t *testing.T) {
	w := registrytest.Start(t, storetest.SQLite(t), func(o *registry.Options) {})
	c := client{t, w, "alpha@wrong"}
	last := 0
	for range 30 {
		a := c.do("GET", "/v2/", "")
		if last = a.status; last == http.StatusTooManyRequests {
			c.want(a, 429, "TOOMANYREQUESTS")
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			break
		}
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after 30 failures: %d, want 429", last)
	}
	good := client{t, w, "alpha@viewer"}
	good.want(good.do("GET", "/v2/", ""), 200, "")
}
