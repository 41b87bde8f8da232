package swr_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSeedWalk is the walk-through of seed 004, byte by byte.
func TestSeedWalk(t *testing.T) {
	w := newWorld(t)
	for _, step := range []struct {
		name, method, target, body string
		status                     int
		want                       string
	}{
		{"create the organization", "POST", "/v2/manage/namespaces", `{
    "namespace": "group"
}`, 201, "{}\n"},
		{"list, by filter", "GET", "/v2/manage/namespaces?filter=namespace::group", "", 200,
			`{"namespaces":[{"id":1,"name":"group","creator_name":"ada","auth":7}]}` + "\n"},
		{"create the repository", "POST", "/v2/manage/namespaces/group/repos?repository=test&category=linux&description=test&is_public=false", "", 200, "{}\n"},
		{"show the repository", "GET", "/v2/manage/namespaces/group/repos/test", "", 200,
			`{"id":1,"ns_id":1,"name":"test","category":"linux","description":"test","creator_id":"ada","creator_name":"ada",` +
				`"size":0,"is_public":false,"num_images":0,"num_download":0,"url":"",` +
				`"path":"registry.example:5000/group/test","internal_path":"registry.example:5000/group/test",` +
				`"created":"2026-11-22T12:00:00.939000Z","updated":"2026-11-22T12:00:00.939000Z","domain_id":"dom1","priority":0}` + "\n"},
		{"delete the repository", "DELETE", "/v2/manage/namespaces/group/repos/test", "", 204, ""},
		{"delete the organization", "DELETE", "/v2/manage/namespaces/group", "", 204, ""},
	} {
		a := w.call("ada", step.method, step.target, step.body)
		if a.Status != step.status {
			t.Fatalf("%s: status %d, want %d: %s", step.name, a.Status, step.status, a.Body)
		}
		if diff := cmp.Diff(step.want, a.Body); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", step.name, diff)
		}
	}
}

// TestShowRepositoryIsTrue pushes two tags and a third name of the first image,
// pulls three times, and expects every number to say so.
func TestShowRepositoryIsTrue(t *testing.T) {
	w := newWorld(t)
	w.ok(201, "ada", "POST", "/v2/manage/namespaces", `{"namespace":"group"}`)
	w.ok(200, "olga", "POST", "/v2/manage/namespaces/group/repos", `{"repository":"a/b","is_public":true,"category":"arms","description":"text"}`)
	w.now = noon.Add(time.Minute)
	w.push("prj1", "group", "a/b", "v1", "layer one")
	w.push("prj1", "group", "a/b", "v2", "layer two!")
	w.push("prj1", "group", "a/b", "again", "layer one")
	w.must(w.db.AddDownloads(t.Context(), map[int64]int64{1: 3}))
	// Distinct blobs, and both manifests.
	size := len("layer one") + len("config of layer one") + len("layer two!") + len("config of layer two!") +
		len(`{"schemaVersion":2,"layers":"layer one"}`) + len(`{"schemaVersion":2,"layers":"layer two!"}`)
	want := map[string]any{
		"id": 1.0, "ns_id": 1.0, "name": "a/b", "category": "arm", "description": "text", "creator_id": "olga", "creator_name": "olga",
		"size": float64(size), "is_public": true, "num_images": 3.0, "num_download": 3.0, "url": "",
		"path": host + "/group/a/b", "internal_path": host + "/group/a/b",
		"created": "2026-11-22T12:00:00.939000Z", "updated": "2026-11-22T12:01:00.939000Z", "domain_id": "dom1", "priority": 0.0,
	}
	for _, spelling := range []string{"a$b", "a%24b", "a%2Fb", "a%2fb"} {
		got := get[map[string]any](w, "vic", "/v2/manage/namespaces/group/repos/"+spelling)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", spelling, diff)
		}
	}
}

func TestUpdateRepo(t *testing.T) {
	w := newWorld(t)
	w.ok(201, "ada", "POST", "/v2/manage/namespaces", `{"namespace":"group"}`)
	w.ok(200, "ada", "POST", "/v2/manage/namespaces/group/repos", `{"repository":"a/b","is_public":false,"category":"lang","description":"old"}`)
	for _, step := range []struct {
		body, category, description string
		public                      bool
	}{
		{`{"is_public":true}`, "lang", "old", true},
		{`{"is_public":false,"description":""}`, "lang", "", false},
		{`{"is_public":false,"category":"arms","description":"new"}`, "arm", "new", false},
		{`{"is_public":false,"category":"other"}`, "other", "new", false},
	} {
		if got := w.ok(201, "olga", "PATCH", "/v2/manage/namespaces/group/repos/a$b", step.body); got != "{}\n" {
			t.Errorf("%s: answered %s", step.body, got)
		}
		r := get[map[string]any](w, "vic", "/v2/manage/namespaces/group/repos/a$b")
		got := []any{r["category"], r["description"], r["is_public"]}
		if diff := cmp.Diff([]any{step.category, step.description, step.public}, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", step.body, diff)
		}
	}
}

func TestCreateRepoForms(t *testing.T) {
	w := newWorld(t)
	w.ok(201, "ada", "POST", "/v2/manage/namespaces", `{"namespace":"group"}`)
	for _, c := range []struct{ query, body, name, category, description string }{
		{"?repository=q", "", "q", "other", ""},
		{"?repository=q1&category=database", "{}", "q1", "database", ""},
		{"", `{"repository":"b","is_public":false}`, "b", "other", ""},
		{"?repository=lost&category=linux&description=lost", `{"repository":"b1","is_public":false,"description":"kept"}`, "b1", "linux", "kept"},
		{"?repository=a%2Fb__c.d-e", "", "a/b__c.d-e", "other", ""},
	} {
		w.ok(200, "ada", "POST", "/v2/manage/namespaces/group/repos"+c.query, c.body)
		d, err := w.db.Repository(t.Context(), "prj1", "group", c.name)
		if err != nil {
			t.Errorf("%+v: %v", c, err)
			continue
		}
		if d.Category != c.category || d.Description != c.description || d.Public {
			t.Errorf("%+v: got %+v", c, d)
		}
	}
}

func TestDeleting(t *testing.T) {
	w := newWorld(t)
	w.ok(201, "ada", "POST", "/v2/manage/namespaces", `{"namespace":"group"}`)
	w.ok(200, "ada", "POST", "/v2/manage/namespaces/group/repos", `{"repository":"a/b","is_public":false}`)
	w.ok(200, "ada", "POST", "/v2/manage/namespaces/group/repos", `{"repository":"kept","is_public":false}`)
	for _, tag := range []string{"v1", "v2", "v3"} {
		w.push("prj1", "group", "a/b", tag, "layer "+tag)
	}
	w.push("prj1", "group", "kept", "v1", "layer v1")

	w.ok(204, "olga", "DELETE", "/v2/manage/namespaces/group/repos/a$b/tags/v2", "")
	if got := w.versions("prj1", "group", "a/b"); len(got) != 2 {
		t.Errorf("images after one tag was deleted: %v", got)
	}
	if a := w.call("ada", "DELETE", "/v2/manage/namespaces/group", ""); a.Status != 406 || a.Code != "SVCSTG.SWR.4060074" {
		t.Errorf("delete of a full organization: %d %s", a.Status, a.Body)
	}
	w.ok(204, "olga", "DELETE", "/v2/manage/namespaces/group/repos/a$b", "")
	if got := w.versions("prj1", "group", "a/b"); got != nil {
		t.Errorf("images after the repository was deleted: %v", got)
	}
	if got := w.versions("prj1", "group", "kept"); len(got) != 1 {
		t.Errorf("images of the other repository: %v", got)
	}
	for _, target := range []string{"/repos/a$b", "/repos/a$b/tags", "/repos/a$b/tags/v1"} {
		method := "GET"
		if target == "/repos/a$b/tags/v1" {
			method = "DELETE"
		}
		if a := w.call("ada", method, "/v2/manage/namespaces/group"+target, ""); a.Status != 404 {
			t.Errorf("%s %s after the delete: %d", method, target, a.Status)
		}
	}
	w.ok(204, "ada", "DELETE", "/v2/manage/namespaces/group/repos/kept", "")
	w.ok(204, "ada", "DELETE", "/v2/manage/namespaces/group", "")
}
