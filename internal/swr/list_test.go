package swr_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"breakwater"

	"github.com/google/go-cmp/cmp"
)

func TestListNamespaces(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"beta", "alpha"} {
		w.ok(201, "olga", "POST", "/v2/manage/namespaces", `{"namespace":"`+name+`"}`)
	}
	w.ok(201, "bob", "POST", "/v2/manage/namespaces", `{"namespace":"gamma"}`)
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"", []string{"alpha", "beta"}},
		{"?filter=", []string{"alpha", "beta"}},
		{"?namespace=beta", []string{"beta"}},
		{"?namespace=gamma", nil},
		{"?filter=namespace::alpha", []string{"alpha"}},
		{"?filter=namespace%3A%3Aalpha%7Cmode%3A%3Avisible", []string{"alpha"}},
		{"?filter=mode::visible|namespace::alpha", []string{"alpha"}},
		{"?filter=mode::visible", []string{"alpha", "beta"}},
		{"?filter=namespace::gamma", nil},
		{"?filter=namespace::alpha&namespace=beta", []string{"alpha"}}, // the filter stands alone
	} {
		out := get[struct{ Namespaces []struct{ Name string } }](w, "vic", "/v2/manage/namespaces"+c.query)
		var got []string
		for _, n := range out.Namespaces {
			got = append(got, n.Name)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.query, diff)
		}
	}
	if got := w.ok(200, "ada", "GET", "/v2/manage/namespaces?namespace=none", ""); got != `{"namespaces":[]}`+"\n" {
		t.Errorf("an empty list is %s", got)
	}
	for user, auth := range map[string]int{"ada": 7, "olga": 3, "vic": 1} {
		want := fmt.Sprintf(`{"id":1,"name":"beta","creator_name":"olga","auth":%d}`+"\n", auth)
		if got := w.ok(200, user, "GET", "/v2/manage/namespaces/beta", ""); got != want {
			t.Errorf("%s sees %s", user, got)
		}
	}
}

// repositories makes five, a minute apart, in two organizations.
func repositories(w *world) {
	for _, n := range []string{"lib", "app"} {
		w.ok(201, "ada", "POST", "/v2/manage/namespaces", `{"namespace":"`+n+`"}`)
	}
	for i, r := range []struct{ namespace, name, category, public string }{
		{"lib", "debian", "linux", "false"}, {"lib", "base/alpine", "linux", "true"}, {"app", "web", "framework_app", "false"},
		{"app", "pg", "database", "true"}, {"app", "board", "arms", "false"},
	} {
		w.now = noon.Add(time.Duration(i) * time.Minute)
		w.ok(200, "ada", "POST", "/v2/manage/namespaces/"+r.namespace+"/repos",
			fmt.Sprintf(`{"repository":%q,"category":%q,"is_public":%s}`, r.name, r.category, r.public))
	}
	w.now = noon.Add(5 * time.Minute)
}

func TestListReposDetails(t *testing.T) {
	w := newWorld(t)
	repositories(w)
	w.ok(201, "bob", "POST", "/v2/manage/namespaces", `{"namespace":"bobs"}`)
	w.ok(200, "bob", "POST", "/v2/manage/namespaces/bobs/repos", `{"repository":"web","is_public":true}`)
	w.push("prj1", "app", "web", "v1", "one")
	w.push("prj1", "app", "web", "v2", "two")
	w.now = w.now.Add(time.Minute)
	w.push("prj1", "lib", "debian", "v1", "three")
	all := []string{"debian", "web", "board", "pg", "base/alpine"} // by their last change; the pushes came last
	for _, c := range []struct {
		query string
		want  []string
		place string
	}{
		{"", all, "0-5/5"},
		{"?limit=2", all[:2], "0-2/5"},
		{"?limit=2&offset=2", all[2:4], "2-2/5"},
		{"?limit=2&offset=4", all[4:], "4-1/5"},
		{"?limit=2&offset=6", nil, "6-0/5"},
		{"?order_column=updated_at&order_type=asc", []string{"base/alpine", "pg", "board", "web", "debian"}, "0-5/5"},
		{"?order_column=updated_at&order_type=desc", all, "0-5/5"},
		{"?namespace=lib", []string{"debian", "base/alpine"}, "0-2/2"},
		{"?name=A", []string{"debian", "board", "base/alpine"}, "0-3/3"},
		{"?name=base$al", []string{"base/alpine"}, "0-1/1"},
		{"?name=%25", nil, "0-0/0"},
		{"?category=linux", []string{"debian", "base/alpine"}, "0-2/2"},
		{"?category=arm", []string{"board"}, "0-1/1"},
		{"?category=arms", []string{"board"}, "0-1/1"},
		{"?is_public=true", []string{"pg", "base/alpine"}, "0-2/2"},
		{"?is_public=false&namespace=app", []string{"web", "board"}, "0-2/2"},
		{"?namespace=none", nil, "0-0/0"},
		{"?namespace=bobs", nil, "0-0/0"},
		{"?filter=namespace::app", []string{"web", "board", "pg"}, "0-3/3"},
		{"?filter=" + url.QueryEscape("namespace::app|name::B|limit::1|offset::1"), []string{"board"}, "1-1/2"},
		{"?filter=order_column::name|order_type::asc", []string{"base/alpine", "board", "debian", "pg", "web"}, "0-5/5"},
		{"?filter=order_column::tag_count|order_type::desc|limit::2", []string{"web", "debian"}, "0-2/5"},
		{"?filter=order_column::updated_time|order_type::desc", all, "0-5/5"},
		{"?filter=category::database|is_public::true", []string{"pg"}, "0-1/1"},
		{"?filter=category::arms&limit=1&offset=7&namespace=none", []string{"board"}, "0-1/1"},
	} {
		a := w.call("vic", "GET", "/v2/manage/repos"+c.query, "")
		rows := get[[]struct {
			Name  string `json:"name"`
			Total int    `json:"total_range"`
		}](w, "vic", "/v2/manage/repos"+c.query)
		var got []string
		for _, r := range rows {
			got = append(got, r.Name)
			if want := c.place[strings.Index(c.place, "/")+1:]; fmt.Sprint(r.Total) != want {
				t.Errorf("%s: total_range %d", c.query, r.Total)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.query, diff)
		}
		if place := a.Header.Get("Content-Range"); place != c.place {
			t.Errorf("%s: Content-Range %s, want %s", c.query, place, c.place)
		}
	}
	if got := w.ok(200, "ada", "GET", "/v2/manage/repos?namespace=none", ""); got != "[]\n" {
		t.Errorf("an empty list is %q", got)
	}
}

func TestListReposDetailsLine(t *testing.T) {
	w := newWorld(t)
	repositories(w)
	w.push("prj1", "app", "web", "v1", "one")
	w.now = w.now.Add(time.Minute)
	w.push("prj1", "app", "web", "v2", "two")
	w.must(w.db.AddDownloads(t.Context(), map[int64]int64{3: 9}))
	size := len("one") + len("config of one") + len("two") + len("config of two") + 2*len(`{"schemaVersion":2,"layers":"one"}`)
	want := []map[string]any{{
		"name": "web", "category": "framework_app", "description": "", "size": float64(size), "is_public": false, "num_images": 2.0, "num_download": 9.0,
		"created_at": "2026-11-22T12:02:00.939000Z", "updated_at": "2026-11-22T12:06:00.939000Z", "logo": "", "url": "",
		"path": host + "/app/web", "internal_path": host + "/app/web", "domain_name": "home", "namespace": "app",
		"tags": []any{"v2", "v1"}, "status": false, "total_range": 1.0,
	}}
	if diff := cmp.Diff(want, get[[]map[string]any](w, "vic", "/v2/manage/repos?name=web")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestListRepositoryTags(t *testing.T) {
	w := newWorld(t)
	repositories(w)
	first := w.push("prj1", "lib", "base/alpine", "3.19", "one")
	w.now = w.now.Add(time.Minute)
	index := w.push("prj1", "lib", "base/alpine", "latest", "")
	w.must(w.db.SetScanState(t.Context(), "prj1", first, breakwater.ScanSuccess, "", "", w.now))
	const target = "/v2/manage/namespaces/lib/repos/base$alpine/tags"
	want := []map[string]any{
		{
			"id": 2.0, "repo_id": 2.0, "Tag": "latest", "image_id": index.Hex(), "manifest": `{"schemaVersion":2,"manifests":[]}`, "digest": index.String(),
			"schema": 2.0, "path": host + "/lib/base/alpine:latest", "internal_path": host + "/lib/base/alpine:latest", "size": 7.0,
			"is_trusted": false, "created": "2026-11-22T12:06:00.939000Z", "updated": "2026-11-22T12:06:00.939000Z", "deleted": "",
			"domain_id": "dom1", "scanned": false, "tag_type": 1.0,
		},
		{
			"id": 1.0, "repo_id": 2.0, "Tag": "3.19", "image_id": breakwater.DigestOf([]byte("config of one")).Hex(),
			"manifest": `{"schemaVersion":2,"layers":"one"}`, "digest": first.String(),
			"schema": 2.0, "path": host + "/lib/base/alpine:3.19", "internal_path": host + "/lib/base/alpine:3.19", "size": float64(len("config of one") + len("one")),
			"is_trusted": false, "created": "2026-11-22T12:05:00.939000Z", "updated": "2026-11-22T12:05:00.939000Z", "deleted": "",
			"domain_id": "dom1", "scanned": true, "tag_type": 0.0,
		},
	}
	if diff := cmp.Diff(want, get[[]map[string]any](w, "vic", target)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, c := range []struct {
		query, want, place string
	}{
		{"?limit=1", "latest", "0-1/2"},
		{"?limit=1&offset=1", "3.19", "1-1/2"},
		{"?limit=1&offset=2", "", "2-0/2"},
		{"?order_column=updated_at&order_type=asc", "3.19,latest", "0-2/2"},
		{"?tag=LAT", "latest", "0-1/1"},
		{"?tag=none", "", "0-0/0"},
		{"?filter=tag::3.1", "3.19", "0-1/1"},
		{"?filter=" + url.QueryEscape("offset::1|limit::1|order_column::updated_at|order_type::asc") + "&tag=none", "latest", "1-1/2"},
	} {
		a := w.call("vic", "GET", target+c.query, "")
		var got []string
		for _, r := range get[[]map[string]any](w, "vic", target+c.query) {
			got = append(got, r["Tag"].(string))
		}
		if strings.Join(got, ",") != c.want || a.Header.Get("Content-Range") != c.place {
			t.Errorf("%s: %v, Content-Range %s", c.query, got, a.Header.Get("Content-Range"))
		}
	}
	if got := w.ok(200, "ada", "GET", "/v2/manage/namespaces/app/repos/pg/tags", ""); got != "[]\n" {
		t.Errorf("an empty list is %q", got)
	}
}
