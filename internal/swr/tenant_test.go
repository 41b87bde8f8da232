package swr_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProjectsAreApart tries every operation of this door on another project's
// things: each is absent for them, and afterwards nothing has changed.
func TestProjectsAreApart(t *testing.T) {
	w := newWorld(t)
	w.ok(201, "ada", "POST", "/v2/manage/namespaces", `{"namespace":"adas"}`)
	w.ok(200, "ada", "POST", "/v2/manage/namespaces/adas/repos", `{"repository":"app","is_public":false}`)
	// A public repository may be pulled by anybody, and still is nobody else's to manage.
	w.ok(200, "ada", "POST", "/v2/manage/namespaces/adas/repos", `{"repository":"open","is_public":true}`)
	w.push("prj1", "adas", "app", "v1", "one")
	w.push("prj1", "adas", "open", "v1", "one")
	w.ok(201, "bob", "POST", "/v2/manage/namespaces", `{"namespace":"bobs"}`)
	before := state(w)

	tried := map[string]bool{}
	for _, c := range []struct {
		id, method, target, body string
		status                   int
		want                     string // body of a success
	}{
		{"CreateNamespace", "POST", "/v2/manage/namespaces", `{"namespace":"adas"}`, 409, ""},
		{"ListNamespaces", "GET", "/v2/manage/namespaces?namespace=adas", "", 200, `{"namespaces":[]}` + "\n"},
		{"ListNamespaces", "GET", "/v2/manage/namespaces?filter=namespace::adas|mode::visible", "", 200, `{"namespaces":[]}` + "\n"},
		{"ListNamespaces", "GET", "/v2/manage/namespaces", "", 200, `{"namespaces":[{"id":2,"name":"bobs","creator_name":"bob","auth":7}]}` + "\n"},
		{"ShowNamespace", "GET", "/v2/manage/namespaces/adas", "", 404, ""},
		{"DeleteNamespaces", "DELETE", "/v2/manage/namespaces/adas", "", 404, ""},
		{"CreateRepo", "POST", "/v2/manage/namespaces/adas/repos?repository=new", "", 404, ""},
		{"CreateRepo", "POST", "/v2/manage/namespaces/adas/repos?repository=app", "", 404, ""},
		{"ListReposDetails", "GET", "/v2/manage/repos", "", 200, "[]\n"},
		{"ListReposDetails", "GET", "/v2/manage/repos?is_public=true&namespace=adas", "", 200, "[]\n"},
		{"ListReposDetails", "GET", "/v2/manage/repos?filter=namespace::adas", "", 200, "[]\n"},
		{"ShowRepository", "GET", "/v2/manage/namespaces/adas/repos/app", "", 404, ""},
		{"ShowRepository", "GET", "/v2/manage/namespaces/adas/repos/open", "", 404, ""},
		{"UpdateRepo", "PATCH", "/v2/manage/namespaces/adas/repos/open", `{"is_public":false}`, 404, ""},
		{"DeleteRepo", "DELETE", "/v2/manage/namespaces/adas/repos/app", "", 404, ""},
		{"ListRepositoryTags", "GET", "/v2/manage/namespaces/adas/repos/open/tags", "", 404, ""},
		{"DeleteRepoTag", "DELETE", "/v2/manage/namespaces/adas/repos/open/tags/v1", "", 404, ""},
		{"CreateSecret", "POST", "/v2/manage/utils/secret?projectname=one", "", 404, ""},
		{"ListApiVersions", "GET", "/", "", 200, w.ok(200, "", "GET", "/", "")},
		{"ShowApiVersion", "GET", "/v2", "", 200, w.ok(200, "", "GET", "/v2", "")},
	} {
		tried[c.id] = true
		a := w.call("bob", c.method, c.target, c.body)
		if a.Status != c.status || c.status < 300 && a.Body != c.want {
			t.Errorf("%s %s %s: %d %s", c.id, c.method, c.target, a.Status, a.Body)
		}
	}
	if diff := cmp.Diff(before, state(w)); diff != "" {
		t.Errorf("bob changed what is ada's:\n%s", diff)
	}
	for id, served := range w.door.Operations() {
		if served && !tried[id] {
			t.Errorf("%s is not tried", id)
		}
	}
	// bob may not keep ada from deleting, and what she gives back is free for him.
	for _, target := range []string{"adas/repos/app", "adas/repos/open", "adas"} {
		w.ok(204, "ada", "DELETE", "/v2/manage/namespaces/"+target, "")
	}
	w.ok(201, "bob", "POST", "/v2/manage/namespaces", `{"namespace":"adas"}`)
}

// state is all that ada's project shows through this door and the image list.
func state(w *world) []string {
	out := []string{
		w.ok(200, "ada", "GET", "/v2/manage/namespaces", ""),
		w.ok(200, "ada", "GET", "/v2/manage/repos", ""),
		w.ok(200, "ada", "GET", "/v2/manage/namespaces/adas/repos/app/tags", ""),
		w.ok(200, "ada", "GET", "/v2/manage/namespaces/adas/repos/open/tags", ""),
	}
	out = append(out, w.versions("prj1", "adas", "app")...)
	out = append(out, w.versions("prj1", "adas", "open")...)
	keys, err := w.db.AccessKeys(context.Background(), "ada")
	w.must(err)
	for _, k := range keys {
		out = append(out, k.AK)
	}
	return out
}
