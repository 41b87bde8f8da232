package hss_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"

	"github.com/google/go-cmp/cmp"
)

type imageList struct {
	Total int         `json:"total_num"`
	List  []imageInfo `json:"data_list"`
}

type imageInfo struct {
	ID       int64  `json:"id"`
	ImageID  string `json:"image_id"`
	Name     string `json:"image_name"`
	Version  string `json:"image_version"`
	Children []struct {
		ID      int64  `json:"id"`
		ImageID string `json:"image_id"`
		Vul     int    `json:"vul_num"`
	} `json:"association_images"`
}

const images = "/image/registries/images"

func TestListImagesShowsEveryField(t *testing.T) {
	w := newWorld(t)
	g := w.gallery()
	ctx := context.Background()
	w.must(w.db.Tx(ctx, func(tx *store.DB) error {
		return tx.SetScanState(ctx, "prj1", digest("bare"), breakwater.ScanFailed, breakwater.CodeDownloadFailed, "connection refused", w.now)
	}))
	w.scanned("prj1", "app1", libssl, lodash, lodashAgain)
	w.advise()
	out := list[registryList](w, "vic", images+"?limit=200")
	got := map[string]map[string]any{}
	for _, row := range out.List {
		got[row["image_name"].(string)+":"+row["image_version"].(string)] = row
	}
	want := map[string]any{
		"id": float64(g.app1), "namespace": "lib", "image_name": "app", "image_version": "v1", "image_id": digest("config app1").Hex(),
		"image_digest": digest("app1").String(), "image_type": "private_image", "registry_id": g.own.ID, "registry_name": "SWR",
		"registry_type": "SwrPrivate", "latest_version": false, "scan_status": "success", "image_size": 1004.0,
		"latest_update_time": float64(noon.UnixMilli()), "latest_scan_time": float64(w.now.UnixMilli()),
		"vul_num": 3.0, "unsafe_setting_num": 0.0, "malicious_file_num": 0.0, "scannable": true, "is_multiple_arch": false,
		"instance_name": "", "instance_id": "", "instance_url": "", "severity_level": "High",
	}
	if diff := cmp.Diff(want, got["app:v1"]); diff != "" {
		t.Errorf("app:v1: %s", diff)
	}
	bare := got["alpine:3"]
	if bare["scan_status"] != "download_failed" || bare["scan_failed_code"] != "download_failed" || bare["image_type"] != "other" ||
		!strings.Contains(bare["scan_failed_desc"].(string), "connection refused") || bare["severity_level"] != nil || bare["latest_scan_time"] != nil ||
		bare["latest_sync_time"] != float64(w.now.UnixMilli()) {
		t.Errorf("alpine:3: %v", bare)
	}
	web := got["web/front:v1"]
	children, _ := web["association_images"].([]any)
	if web["is_multiple_arch"] != true || web["image_id"] != digest("web").Hex() || web["image_type"] != "harbor" || len(children) != 2 {
		t.Fatalf("web/front:v1: %v", web)
	}
	child, _ := children[0].(map[string]any)
	if child["image_digest"] != digest("web-amd64").String() || child["image_name"] != "web/front" || child["namespace"] != "shop" ||
		child["image_version"] != "v1" || child["image_type"] != "harbor" || child["scan_status"] != "waiting_for_scan" || child["id"] == web["id"] {
		t.Errorf("child: %v", child)
	}
}

func TestListImagesFilters(t *testing.T) {
	w := newWorld(t)
	w.gallery()
	w.scanned("prj1", "app1", libssl)
	w.now = w.now.Add(time.Minute)
	w.scanned("prj1", "app2", express)
	w.advise()
	const all = "alpine:3 app:v1 app:v2 web/front:v1"
	for query, want := range map[string]string{
		"":                                      all,
		"enterprise_project_id=all_granted_eps": all,
		"enterprise_project_id=eps1":            "",
		"namespace=lib":                         "app:v1 app:v2",
		"image_name=app&image_version=v1":       "app:v1",
		"image_name=ap":                         "",
		"registry_name=harbor":                  "web/front:v1",
		"image_type=harbor":                     "web/front:v1",
		"image_type=other":                      "alpine:3",
		"image_type=shared_image":               "",
		"latest_version=true":                   "alpine:3 app:v2 web/front:v1",
		"latest_version=false":                  all,
		"image_size=1003":                       "web/front:v1",
		"scan_status=success":                   "app:v1 app:v2",
		"scan_status=waiting_for_scan":          "alpine:3 web/front:v1",
		"scan_status=unscan":                    "",
		"has_vul=true":                          "app:v1",
		"has_vul=false":                         "alpine:3 app:v2 web/front:v1",
		"risky=true":                            "app:v1",
		"has_malicious_file=true":               "",
		"has_unsafe_setting=false":              all,
		"is_multarch=true":                      "web/front:v1",
		"is_multarch=false":                     "alpine:3 app:v1 app:v2",
		"severity_level=High":                   "app:v1",
		"severity_level=Security":               "app:v2",
		"severity_level=Low":                    "",
		"instance_id=x":                         "",
		"end_latest_update_time=" + ms(noon):    "app:v1",
		"start_latest_update_time=" + ms(noon.Add(1)) + "&end_latest_update_time=" + ms(noon): "app:v1",
		"start_latest_scan_time=" + ms(w.now):                                                 "app:v2",
		"start_latest_scan_time=0&end_latest_scan_time=1":                                     "",
		"start_latest_sync_time=1":                                                            "alpine:3 web/front:v1",
		"start_latest_sync_time=1&end_latest_sync_time=1":                                     "",
	} {
		out := list[imageList](w, "vic", images+"?limit=200&"+query)
		var names []string
		for _, i := range out.List {
			names = append(names, i.Name+":"+i.Version)
		}
		if out.Total != len(strings.Fields(want)) || len(names) != out.Total || !sameWords(strings.Join(names, " "), want) {
			t.Errorf("%s: %d %v, want %s", query, out.Total, names, want)
		}
	}
	for query, want := range map[string]string{
		"sort_key=latest_scan_time&sort_dir=desc&limit=2": "app:v2 app:v1",
		"sort_key=latest_scan_time&offset=2&limit=2":      "app:v1 app:v2",
		"sort_key=latest_scan_time&offset=4":              "",
	} {
		out := list[imageList](w, "vic", images+"?"+query)
		var names []string
		for _, i := range out.List {
			names = append(names, i.Name+":"+i.Version)
		}
		if got := strings.Join(names, " "); got != want || out.Total != 4 {
			t.Errorf("%s: %d %s", query, out.Total, got)
		}
	}
	for _, query := range []string{"limit=0", "limit=201", "offset=-1", "image_type=x", "sort_key=name", "has_vul=maybe", "scan_status=download_failed", "severity_level=high"} {
		field, _, _ := strings.Cut(query, "=")
		w.refused("HSS.0001", field, "vic", "GET", images+"?"+query, "")
	}
}

type vulList struct {
	Total int                 `json:"total_num"`
	List  []map[string]string `json:"data_list"`
}

func TestListVulnerabilities(t *testing.T) {
	w := newWorld(t)
	w.gallery()
	app := digest("config app1").Hex()
	target := func(more ...string) string {
		return about(app, "vulnerabilities", "private_image", "lib", "app", "v1", more...)
	}
	if out := list[vulList](w, "vic", target()); out.Total != 0 || out.List == nil {
		t.Errorf("before any scan: %+v", out)
	}
	w.scanned("prj1", "app1", libssl, lodash, lodashAgain, express)
	w.advise()
	out := list[vulList](w, "vic", target())
	want := vulList{3, []map[string]string{
		{
			"vul_id": "DSA-5417-1", "repair_necessity": "immediate_repair", "description": "openssl - security update",
			"position": "layer " + digest("base layer").String(), "app_name": "libssl3", "app_path": "var/lib/dpkg/status", "version": "3.0.9-1",
			"solution": "Upgrade libssl3 (source package openssl) to 3.0.11-1 or later.", "url": "https://www.debian.org/security/2023/dsa-5417",
		},
		{
			"vul_id": "GHSA-35jh-r3h4-6jhm", "repair_necessity": "delay_repair", "description": "Command injection in lodash",
			"position": "layer " + digest("app layer").String(), "app_name": "lodash", "app_path": "app/package-lock.json", "version": "4.17.15",
			"solution": "Upgrade lodash to 4.17.21 or later.", "url": "https://osv.dev/vulnerability/GHSA-35jh-r3h4-6jhm",
		},
		{
			"vul_id": "GHSA-aaaa-bbbb-cccc", "repair_necessity": "not_needed_repair", "description": strings.Repeat("é", 127) + "…",
			"position": "layer " + digest("app layer").String(), "app_name": "lodash", "app_path": "app/package-lock.json", "version": "4.17.15",
			"solution": "No fixed version of lodash is known.", "url": "https://osv.dev/vulnerability/GHSA-aaaa-bbbb-cccc",
		},
	}}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Error(diff)
	}
	for _, c := range []struct {
		filter []string
		want   int
	}{
		{[]string{"repair_necessity", "immediate_repair"}, 1}, {[]string{"repair_necessity", "not_needed_repair"}, 1},
		{[]string{"vul_id", "GHSA-35jh-r3h4-6jhm"}, 1}, {[]string{"vul_id", "CVE-2021-23337"}, 1}, {[]string{"vul_id", "CVE-2023-0465"}, 1},
		{[]string{"vul_id", "CVE-1999-0001"}, 0}, {[]string{"app_name", "libssl3"}, 1}, {[]string{"app_name", "openssl"}, 1}, {[]string{"app_name", "lodash"}, 2},
		{[]string{"type", "linux_vul"}, 1}, {[]string{"type", "app_vul"}, 2}, {[]string{"handle_status", "unhandled"}, 3}, {[]string{"handle_status", "handled"}, 0},
		{[]string{"type", "app_vul", "repair_necessity", "immediate_repair"}, 0},
	} {
		if out := list[vulList](w, "vic", target(c.filter...)); out.Total != c.want || len(out.List) != c.want {
			t.Errorf("%v: %d", c.filter, out.Total)
		}
	}
	if out := list[vulList](w, "vic", target("offset", "2")); out.Total != 3 || len(out.List) != 1 || out.List[0]["vul_id"] != "GHSA-aaaa-bbbb-cccc" {
		t.Errorf("the second page: %+v", out)
	}
	w.refused("HSS.0011", "image", "vic", "GET", about(digest("x").Hex(), "vulnerabilities", "private_image", "lib", "app", "v1"), "")
	w.refused("HSS.0011", "image", "vic", "GET", about(app, "vulnerabilities", "private_image", "lib", "app", "v2"), "")
	w.refused("HSS.0011", "image", "vic", "GET", about(app, "vulnerabilities", "harbor", "lib", "app", "v1"), "")
	w.refused("HSS.0011", "image", "vic", "GET", about(app, "vulnerabilities", "cicd", "lib", "app", "v1"), "")
	w.refused("HSS.0001", "tag_name", "vic", "GET", about(app, "vulnerabilities", "private_image", "lib", "app", ""), "")
}

// TestMultiArch is an image of two platforms: the whole is the union of both,
// each platform can be asked for by its own image_id.
func TestMultiArch(t *testing.T) {
	w := newWorld(t)
	w.gallery()
	w.scanned("prj1", "web-amd64", libssl, lodash)
	w.scanned("prj1", "web-arm64", libssl)
	w.advise()
	out := list[vulList](w, "vic", about(digest("web").Hex(), "vulnerabilities", "harbor", "shop", "web/front", "v1"))
	if out.Total != 3 {
		t.Fatalf("the union: %+v", out)
	}
	position := map[string]string{}
	for _, v := range out.List {
		position[v["vul_id"]] = v["position"]
	}
	if p := position["DSA-5417-1"]; !strings.HasSuffix(p, "; linux/amd64, linux/arm64") {
		t.Errorf("on both: %s", p)
	}
	if p := position["GHSA-35jh-r3h4-6jhm"]; !strings.HasSuffix(p, "; linux/amd64") {
		t.Errorf("on one: %s", p)
	}
	row := list[imageList](w, "vic", images+"?is_multarch=true").List[0]
	if len(row.Children) != 2 || row.Children[0].Vul != 3 || row.Children[1].Vul != 1 {
		t.Fatalf("children: %+v", row.Children)
	}
	arm := list[vulList](w, "vic", about(row.Children[1].ImageID, "vulnerabilities", "harbor", "shop", "web/front", "v1"))
	if arm.Total != 1 || arm.List[0]["vul_id"] != "DSA-5417-1" {
		t.Errorf("arm64: %+v", arm)
	}
	apps := w.ok("vic", "GET", about(digest("web").Hex(), "apps", "harbor", "shop", "web/front", "v1"), "")
	if apps != `{"total_num":2,"data_list":[{"app_name":"libssl3","app_type":"deb","app_version":"3.0.9-1","vul_num":1},{"app_name":"lodash","app_type":"npm","app_version":"4.17.15","vul_num":2}]}`+"\n" {
		t.Errorf("apps: %s", apps)
	}
}

func TestListApps(t *testing.T) {
	w := newWorld(t)
	w.gallery()
	owned := lodash
	owned.OwnedBy, owned.Version = "node-lodash", "4.17.14"
	w.scanned("prj1", "bare", libssl, lodash, lodashAgain, express, owned)
	w.advise()
	id := digest("config bare").Hex()
	target := func(more ...string) string { return about(id, "apps", "other", "library", "alpine", "3", more...) }
	want := `{"total_num":4,"data_list":[{"app_name":"express","app_type":"npm","app_version":"5.0.0","vul_num":0},` +
		`{"app_name":"libssl3","app_type":"deb","app_version":"3.0.9-1","vul_num":1},{"app_name":"lodash","app_type":"npm","app_version":"4.17.14","vul_num":0},` +
		`{"app_name":"lodash","app_type":"npm","app_version":"4.17.15","vul_num":2}]}` + "\n"
	for _, namespace := range []string{"library", ""} { // the image has none
		if got := w.ok("vic", "GET", about(id, "apps", "other", namespace, "alpine", "3"), ""); got != want {
			t.Errorf("namespace %q: %s", namespace, got)
		}
	}
	if got := w.ok("vic", "GET", target("app_name", "lodash", "offset", "1"), ""); got != `{"total_num":2,"data_list":[{"app_name":"lodash","app_type":"npm","app_version":"4.17.15","vul_num":2}]}`+"\n" {
		t.Errorf("filtered: %s", got)
	}
	if got := w.ok("vic", "GET", target("app_name", "lodas"), ""); got != `{"total_num":0,"data_list":[]}`+"\n" {
		t.Errorf("no such app: %s", got)
	}
	if got := w.ok("vic", "GET", about(digest("config app1").Hex(), "apps", "private_image", "lib", "app", "v1"), ""); got != `{"total_num":0,"data_list":[]}`+"\n" {
		t.Errorf("never scanned: %s", got)
	}
	w.refused("HSS.0001", "image_name", "vic", "GET", "/image/"+id+"/apps?image_type=other", "")
	w.refused("HSS.0011", "image", "vic", "GET", about(id, "apps", "other", "lib", "alpine", "3"), "")
	if got := list[vulList](w, "vic", about(id, "vulnerabilities", "other", "library", "alpine", "3")); got.Total != 3 {
		t.Errorf("an image without namespace: %+v", got)
	}
}

func TestListCVEs(t *testing.T) {
	w := newWorld(t)
	w.advise()
	w.feed("Alpine", breakwater.Advisory{
		ID: "CVE-2023-0464", Published: noon.AddDate(-2, 0, 0), Modified: noon, Score: 9.8, Severity: breakwater.SeverityHigh, Summary: "its own record",
		Affected: []breakwater.Affected{{Ecosystem: "Alpine:v3.19", Name: "openssl", Versions: []string{"1"}}},
	})
	type cve struct {
		ID          string  `json:"cve_id"`
		Score       float64 `json:"cvss_score"`
		Published   int64   `json:"publish_time"`
		Description string  `json:"description"`
	}
	at := func(years int) int64 { return noon.AddDate(years, 0, 0).UnixMilli() }
	own := cve{"CVE-2023-0464", 9.8, at(-2), "its own record"}
	shared := cve{"CVE-2023-0465", 7.5, at(-1), "openssl - security update"}
	lodash := cve{"CVE-2021-23337", 5.5, at(-2), "Command injection in lodash"}
	for id, want := range map[string][]cve{
		"DSA-5417-1": {own, shared}, "CVE-2023-0464": {own}, "CVE-2023-0465": {shared}, "GHSA-35jh-r3h4-6jhm": {lodash}, "GHSA-aaaa-bbbb-cccc": {},
		"DSA-5417-1/cve?offset=1&limit=5": {shared}, "DSA-5417-1/cve?limit=1": {own}, "DSA-5417-1/cve?offset=7": {},
	} {
		if !strings.Contains(id, "/") {
			id += "/cve"
		}
		var out struct {
			Total int   `json:"total_num"`
			List  []cve `json:"data_list"`
		}
		w.must(json.Unmarshal([]byte(w.ok("vic", "GET", "/image/vulnerability/"+id, "")), &out))
		if diff := cmp.Diff(want, out.List); diff != "" {
			t.Errorf("%s: %s", id, diff)
		}
		if strings.HasPrefix(id, "DSA") && out.Total != 2 {
			t.Errorf("%s: total_num %d", id, out.Total)
		}
	}
	w.refused("HSS.0011", "vulnerability", "vic", "GET", "/image/vulnerability/CVE-1999-0001/cve", "")
	w.refused("HSS.0001", "offset", "vic", "GET", "/image/vulnerability/DSA-5417-1/cve?offset=-1", "")
}
