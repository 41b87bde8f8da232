package swr_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/iam"
	"breakwater/internal/swr"
)

// TestCreateSecret logs in with what the three places of the answer say, until it ends.
func TestCreateSecret(t *testing.T) {
	w := newWorld(t)
	people, err := iam.New(w.db, w.keys, iam.Options{Now: func() time.Time { return w.now }})
	w.must(err)
	for _, c := range []struct {
		user, target string
		role         breakwater.Role
	}{
		{"ada", "/v2/manage/utils/secret", breakwater.RoleAdmin},
		{"vic", "/v2/manage/utils/secret?projectname=one", breakwater.RoleViewer},
	} {
		w.now = noon
		a := w.call(c.user, "POST", c.target, "")
		if a.Status != 200 {
			t.Fatalf("%s: %d %s", c.user, a.Status, a.Body)
		}
		var out struct {
			Auths map[string]struct{ Auth string }
		}
		w.must(json.Unmarshal([]byte(a.Body), &out))
		login, err := base64.StdEncoding.DecodeString(out.Auths[host].Auth)
		w.must(err)
		user, password, _ := strings.Cut(string(login), ":")
		if got, want := a.Header.Get("X-Swr-Dockerlogin"), "docker login -u "+user+" -p "+password+" "+host; got != want || !strings.HasPrefix(user, "one@AK") {
			t.Errorf("the command is %q, the body says %q", got, want)
		}
		if got := a.Header.Get("X-Swr-Expireat"); got != "2026-11-23T12:00:00.939Z" {
			t.Errorf("X-Swr-Expireat is %s", got)
		}
		w.now = noon.Add(swr.DefaultSecretTTL - time.Second)
		who, err := people.DockerLogin(t.Context(), user, password)
		if err != nil || who.UserName != c.user || who.ProjectID != "prj1" || who.Role != c.role {
			t.Errorf("the login of %s is %+v, %v", c.user, who, err)
		}
		w.now = noon.Add(swr.DefaultSecretTTL + time.Second)
		if _, err := people.DockerLogin(t.Context(), user, password); breakwater.KindOf(err) != breakwater.KindUnauthenticated {
			t.Errorf("the login of %s after its end: %v", c.user, err)
		}
		keys, err := w.db.AccessKeys(t.Context(), c.user)
		if err != nil || len(keys) != 0 {
			t.Errorf("a temporary key is listed among the lasting ones: %v, %v", keys, err)
		}
	}
}

func TestVersions(t *testing.T) {
	w := newWorld(t)
	const v2 = `{"id":"v2","links":{"href":"/v2/manage","rel":"self"},"version":"","status":"CURRENT","updated":"2026-11-22T00:00:00Z","min_version":""}`
	for target, want := range map[string]string{"/": `{"versions":[` + v2 + "]}\n", "/v2": `{"version":` + v2 + "}\n"} {
		if got := w.ok(200, "", "GET", target, ""); got != want {
			t.Errorf("%s: %s", target, got)
		}
	}
	if a := w.call("", "GET", "/v9", ""); a.Status != 404 || a.Code != "SVCSTG.SWR.4040010" {
		t.Errorf("/v9: %d %s", a.Status, a.Body)
	}
}
