package hss_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/hss"
	"breakwater/internal/keyring"

	"github.com/google/go-cmp/cmp"
)

type registryList struct {
	Total int              `json:"total_num"`
	List  []map[string]any `json:"data_list"`
}

const registries = "/image/registries"

// body is a good AddRegistry body with changes in pairs; the value "-" leaves
// the field out.
func body(changes ...string) string {
	fields := map[string]string{
		"registry_name": "harbor", "registry_type": "Harbor", "api_version": "V2", "protocol": "https", "registry_addr": "harbor.example.com",
		"registry_username": "robot", "registry_password": `p$a"ss 'w'`, "connect_cluster_id": "local", "get_scan_image_channel": "Swr",
	}
	for i := 0; i < len(changes); i += 2 {
		fields[changes[i]] = changes[i+1]
	}
	var parts []string
	for k, v := range fields {
		if v != "-" {
			parts = append(parts, fmt.Sprintf("%q:%q", k, v))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// byName is a project's registries as the door shows them.
func (w *world) byName(user string) map[string]map[string]any {
	w.t.Helper()
	out := map[string]map[string]any{}
	for _, r := range list[registryList](w, user, registries+"?limit=200&enterprise_project_id=all_granted_eps").List {
		out[r["registry_name"].(string)] = r
	}
	return out
}

func TestAddAndListRegistries(t *testing.T) {
	w := newWorld(t)
	if got := w.ok("olga", "POST", registries, body()); got != "{}\n" {
		t.Errorf("AddRegistry answers %s", got)
	}
	r := w.byName("vic")["harbor"]
	id, _ := r["id"].(string)
	want := map[string]any{
		"id": id, "registry_name": "harbor", "registry_type": "Harbor", "api_version": "V2", "protocol": "https", "registry_addr": "harbor.example.com",
		"registry_username": "robot", "connect_cluster_id": "local", "get_scan_image_channel": "Swr", "status": "accessing", "images_num": 0.0,
	}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	password, err := w.keys.Get(context.Background(), id)
	if err != nil || password != `p$a"ss 'w'` {
		t.Errorf("the keyring holds %q, %v", password, err)
	}
	if strings.Contains(w.log.String(), "ss 'w'") {
		t.Error("the password is in the log")
	}
	w.now = w.now.Add(time.Second)
	w.ok("olga", "POST", registries, body("registry_name", "frog", "registry_type", "Jfrog", "registry_addr", "frog.example.com:8443/artifactory/"))
	w.ok("olga", "POST", registries+"?enterprise_project_id=eps1", body("registry_name", "plain", "registry_type", "Other", "get_scan_image_channel", "Other", "namespace", "tools"))
	if addr := w.byName("vic")["frog"]["registry_addr"]; addr != "frog.example.com:8443/artifactory" {
		t.Errorf("the address is kept as %v", addr)
	}
	w.must(w.db.SetRegistryStatus(context.Background(), id, breakwater.RegistryFail, breakwater.FailRequestAPI, "no"))
	for query, want := range map[string]string{
		"":                                       "harbor SWR frog", // the order they came to be
		"?enterprise_project_id=eps1":            "plain",
		"?enterprise_project_id=all_granted_eps": "harbor SWR frog plain",
		"?registry_name=frog":                    "frog",
		"?registry_name=fro":                     "",
		"?registry_id=" + id:                     "harbor",
		"?registry_type=Harbor,Jfrog":            "harbor frog",
		"?registry_type=SwrPrivate":              "SWR",
		"?registry_type=SwrShared":               "",
		"?registry_addr=harbor.example.com":      "harbor",
		"?status=fail":                           "harbor",
		"?status=success":                        "SWR",
		"?offset=2":                              "frog",
		"?offset=9":                              "",
	} {
		out := list[registryList](w, "vic", registries+query)
		var names []string
		for _, r := range out.List {
			names = append(names, r["registry_name"].(string))
		}
		if got := strings.Join(names, " "); len(strings.Fields(got)) != len(strings.Fields(want)) || !sameWords(got, want) {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
		if total := len(strings.Fields(want)); !strings.Contains(query, "offset") && out.Total != total {
			t.Errorf("%s: total_num %d, want %d", query, out.Total, total)
		}
	}
	if r := w.byName("vic")["harbor"]; r["fail_reason"] != "REQUEST_API_ERROR" || r["status"] != "fail" {
		t.Errorf("a failed registry is shown as %v", r)
	}
	w.image(w.own("prj1"), "lib/app:v1", artifact("a"))
	if r := w.byName("vic")["SWR"]; r["images_num"] != 1.0 || "http://"+r["registry_addr"].(string) != w.url || r["protocol"] != "http" {
		t.Errorf("the embedded registry is shown as %v", r)
	}
}

func sameWords(a, b string) bool {
	have := map[string]bool{}
	for _, s := range strings.Fields(a) {
		have[s] = true
	}
	for _, s := range strings.Fields(b) {
		if !have[s] {
			return false
		}
	}
	return true
}

func TestAddRegistryRefuses(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ field, value, words string }{
		{"registry_name", "", "registry_name"}, {"registry_name", "-", "registry_name"}, {"registry_name", "a\\nb", "registry_name"},
		{"registry_type", "Quay", "registry_type"}, {"api_version", "V3", "api_version"}, {"protocol", "ftp", "protocol"},
		{"registry_addr", "", "registry_addr"}, {"registry_addr", "https://harbor.example.com", "registry_addr"},
		{"registry_addr", "user:secretvalue@harbor.example.com", "registry_addr"}, {"registry_addr", "harbor.example.com?x=1", "registry_addr"},
		{"registry_addr", "harbor example.com", "registry_addr"}, {"registry_addr", "harbor.example.com:0", "registry_addr"},
		{"registry_addr", "harbor.example.com:99999", "registry_addr"}, {"registry_addr", "[fe80::1%25eth0]", "registry_addr"},
		{"registry_username", "a:b", "registry_username"}, {"registry_password", "", "registry_password"},
		{"connect_cluster_id", "other-cluster", "connect_cluster_id"}, {"get_scan_image_channel", "None", "get_scan_image_channel"},
		{"get_scan_image_channel", "Other", "namespace"}, {"namespace", "a//b", "namespace"}, {"namespace", "../etc", "namespace"},
	} {
		value := strings.ReplaceAll(c.value, "\\n", "\n")
		w.refused("HSS.0001", c.words, "olga", "POST", registries, body(c.field, value))
	}
	if strings.Contains(w.log.String(), "secretvalue") {
		t.Error("a refused value is in the log")
	}
	w.ok("olga", "POST", registries, body())
	w.refused("HSS.1409", "exists", "olga", "POST", registries, body())
	w.refused("HSS.1409", "own registry", "olga", "POST", registries, body("registry_name", "SWR"))
	ids, err := w.keys.List(context.Background())
	if err != nil || len(ids) != 1 {
		t.Errorf("%d passwords are kept for one registry (%v)", len(ids), err)
	}
}

func TestUpdateRegistry(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.ok("olga", "POST", registries, body())
	id := w.byName("vic")["harbor"]["id"].(string)
	w.must(w.db.SetRegistryStatus(ctx, id, breakwater.RegistryFail, breakwater.FailRequestAPI, "no"))
	w.ok("olga", "PUT", registries+"/"+id, `{"registry_addr":"new.example.com:444/","registry_username":"someone","namespace":"tools","get_scan_image_channel":"Other"}`)
	r := w.byName("vic")["harbor"]
	if r["registry_addr"] != "new.example.com:444" || r["registry_username"] != "someone" || r["namespace"] != "tools" || r["status"] != "accessing" || r["fail_reason"] != nil {
		t.Errorf("after the change: %v", r)
	}
	if p, _ := w.keys.Get(ctx, id); p != `p$a"ss 'w'` {
		t.Error("a change without a password touched it")
	}
	w.ok("olga", "PUT", registries+"/"+id, `{"registry_password":"second","api_version":"V1","protocol":"http"}`)
	if p, _ := w.keys.Get(ctx, id); p != "second" {
		t.Error("the password was not changed")
	}
	for bad, words := range map[string]string{
		`{"registry_addr":"https://x"}`: "registry_addr", `{"connect_cluster_id":"x"}`: "connect_cluster_id", `{"protocol":"x"}`: "protocol",
		`{"registry_password":"third","registry_username":"a:b"}`: "registry_username",
	} {
		w.refused("HSS.0001", words, "olga", "PUT", registries+"/"+id, bad)
	}
	if p, _ := w.keys.Get(ctx, id); p != "second" {
		t.Error("a refused change touched the password")
	}
	w.refused("HSS.0011", "registry", "olga", "PUT", registries+"/reg123", `{}`)
	w.refused("HSS.1409", "own registry", "olga", "PUT", registries+"/"+w.own("prj1").ID, `{"registry_username":"x"}`)
}

func TestDeleteRegistries(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		w.ok("olga", "POST", registries, body("registry_name", name))
	}
	id := map[string]string{}
	for name, r := range w.byName("vic") {
		id[name] = r["id"].(string)
	}
	w.ok("olga", "DELETE", registries+"/"+id["a"], "")
	w.refused("HSS.0011", "registry", "olga", "DELETE", registries+"/"+id["a"], "")
	w.refused("HSS.1409", "own registry", "olga", "DELETE", registries+"/"+id["SWR"], "")

	batch := func(ids ...string) string { return `{"ids":["` + strings.Join(ids, `","`) + `"]}` }
	w.refused("HSS.0001", "ids", "olga", "POST", registries+"/batch-delete", `{"ids":[]}`)
	w.refused("HSS.0001", "ids", "olga", "POST", registries+"/batch-delete", `{}`)
	w.refused("HSS.0011", "ids[1]", "olga", "POST", registries+"/batch-delete", batch(id["b"], "reg0", id["c"]))
	w.refused("HSS.1409", "own registry", "olga", "POST", registries+"/batch-delete", batch(id["b"], id["SWR"]))
	if left := w.byName("vic"); len(left) != 4 {
		t.Errorf("a batch that failed removed something: %v", left)
	}
	w.ok("olga", "POST", registries+"/batch-delete", batch(id["b"], id["c"], id["b"]))
	if left := w.byName("vic"); len(left) != 2 || left["d"] == nil {
		t.Errorf("left: %v", left)
	}
	if ids, err := w.keys.List(context.Background()); err != nil || len(ids) != 1 || ids[0] != id["d"] {
		t.Errorf("passwords left: %v, %v", ids, err)
	}
}

// TestSweepPasswords: what a crash left goes, but not at once, for a registry's
// password is there before the registry.
func TestSweepPasswords(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.ok("olga", "POST", registries, body())
	id := w.byName("vic")["harbor"]["id"].(string)
	coming := breakwater.NewID(breakwater.PrefixRegistry)
	w.must(w.keys.Put(ctx, coming, "of a registry that is being added, or left by a crash"))
	w.must(hss.SweepPasswords(ctx, w.db, w.keys))
	if _, err := w.keys.Get(ctx, coming); err != nil {
		t.Errorf("a registry that is being added lost its password: %v", err)
	}
	later, err := keyring.Open(w.keyDir, keyring.Options{Now: func() time.Time { return time.Now().Add(2 * time.Hour) }})
	w.must(err)
	w.must(hss.SweepPasswords(ctx, w.db, later))
	if ids, err := w.keys.List(ctx); err != nil || len(ids) != 1 || ids[0] != id {
		t.Errorf("after the sweep: %v, %v", ids, err)
	}
}

func TestClusters(t *testing.T) {
	w := newWorld(t)
	for target, want := range map[string]string{
		"/kubernetes/clusters":                                         `{"total_num":1,"cluster_info_list":[{"id":"local","cluster_name":"local","cluster_id":"local","status":"Available","version":"v1.2.3"}]}`,
		"/kubernetes/clusters?cluster_name=local&offset=1":             `{"total_num":1,"cluster_info_list":[]}`,
		"/kubernetes/clusters?cluster_name=x":                          `{"total_num":0,"cluster_info_list":[]}`,
		"/container/kubernetes/multi-cloud/clusters?cluster_id=x":      `{"total_num":0,"data_list":[]}`,
		"/container/kubernetes/multi-cloud/clusters?cluster_id=local":  `{"total_num":1,"data_list":[{"cluster_id":"local","cluster_name":"local","provider":"breakwater","server":"` + w.url + `","image_repo":"` + strings.TrimPrefix(w.url, "http://") + `","status":"connect_success","version":"v1.2.3"}]}`,
		"/container/kubernetes/multi-cloud/clusters?offset=1&limit=10": `{"total_num":1,"data_list":[]}`,
	} {
		if got := w.ok("vic", "GET", target, ""); got != want+"\n" {
			t.Errorf("%s: %s", target, got)
		}
	}
}

func TestSynchronise(t *testing.T) {
	w := newWorld(t)
	harbor, frog := w.registry("prj1", "harbor", breakwater.RegistryHarbor), w.registry("prj1", "frog", breakwater.RegistryJfrog)
	const tasks = "/image/image-sync/tasks"
	for _, c := range []struct{ body, code, words string }{
		{`{"sync_all_registries":false}`, "HSS.0001", "registry_info"},
		{`{}`, "HSS.0001", "sync_all_registries"},
		{`{"sync_all_registries":false,"registry_info":[{}]}`, "HSS.0001", "element 0"},
		{`{"sync_all_registries":false,"registry_info":[{"registry_id":"` + harbor.ID + `"},{"registry_id":"reg0"}]}`, "HSS.0011", "registry_info[1]"},
		{`{"sync_all_registries":false,"registry_info":[{"registry_id":"` + harbor.ID + `","registry_type":"Jfrog"}]}`, "HSS.0011", "registry_info[0]"},
		{`{"sync_all_registries":false,"registry_info":[{"registry_type":"SwrShared"}]}`, "HSS.0011", "registry_info[0]"},
	} {
		w.refused(c.code, c.words, "olga", "POST", tasks, c.body)
	}
	w.ok("olga", "POST", tasks, `{"sync_all_registries":true}`)
	w.now = w.now.Add(time.Second)
	w.ok("olga", "POST", tasks, `{"sync_all_registries":false,"registry_info":[{"registry_id":"`+harbor.ID+`"},{"registry_type":"Harbor"}]}`)
	got := list[taskList](w, "vic", "/image/tasks?type=image_sync")
	if got.Total != 2 || got.List[0].Total != 1 || got.List[1].Total != 3 || got.List[1].Success != 1 || got.List[1].Status != 33 || got.List[0].Type != "manualSync" {
		t.Fatalf("tasks: %+v", got)
	}
	all := tasks + "/" + got.List[1].ID + "/registries"
	w.must(w.db.CloseSync(context.Background(), frog.ID, breakwater.SyncFailed, breakwater.FailRequestAPI))
	for query, want := range map[string]string{
		"":                              "SWR=finished frog=failed(REQUEST_API_ERROR) harbor=running",
		"?registry_name=frog":           "frog=failed(REQUEST_API_ERROR)",
		"?registry_type=Harbor,Jfrog":   "frog=failed(REQUEST_API_ERROR) harbor=running",
		"?sync_status=finished":         "SWR=finished",
		"?offset=2&limit=10":            "harbor=running",
		"?sync_status=running&offset=5": "",
	} {
		var words []string
		for _, r := range list[registryList](w, "vic", all+query).List {
			word := fmt.Sprintf("%v=%v", r["registry_name"], r["sync_status"])
			if reason, failed := r["failed_reason"]; failed {
				word += fmt.Sprintf("(%v)", reason)
			}
			words = append(words, word)
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
	w.refused("HSS.0011", "task", "vic", "GET", tasks+"/syn0/registries", "")
	if got := w.ok("olga", "POST", "/image/synchronize", `{"image_type":"private_image"}`); got != `{"error_code":0,"error_description":""}`+"\n" {
		t.Errorf("private: %s", got)
	}
	if got := w.ok("olga", "POST", "/image/synchronize", `{"image_type":"shared_image"}`); !strings.Contains(got, `"error_code":0`) || !strings.Contains(got, "nothing") {
		t.Errorf("shared: %s", got)
	}
	w.refused("HSS.0001", "image_type", "olga", "POST", "/image/synchronize", `{"image_type":"harbor"}`)
}
