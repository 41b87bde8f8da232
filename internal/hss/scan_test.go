package hss_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"
)

type taskList struct {
	Total int        `json:"total_num"`
	List  []taskInfo `json:"data_list"`
}

type taskInfo struct {
	ID        string `json:"task_id"`
	Name      string `json:"task_name"`
	Begin     int64  `json:"begin_time"`
	End       int64  `json:"end_time"`
	Remain    *int64 `json:"remain_min"`
	Type      string `json:"task_type"`
	ImageType string `json:"image_type"`
	Status    int    `json:"task_status"`
	Scope     int64  `json:"scan_scope"`
	Rate      int    `json:"rate_limit"`
	All       bool   `json:"is_all"`
	Failed    int    `json:"failed_num"`
	Success   int    `json:"success_num"`
	Total     int    `json:"total_num"`
	Risky     int    `json:"risky_num"`
	Images    []struct {
		ID     int64  `json:"id"`
		Name   string `json:"image_name"`
		Type   string `json:"registry_type"`
		Reason string `json:"failed_reason"`
	} `json:"failed_images"`
}

// newestTask is the newest scan task as the door lists it.
func (w *world) newestTask(user string) taskInfo {
	w.t.Helper()
	out := list[taskList](w, user, "/image/tasks?type=image_scan")
	if len(out.List) == 0 {
		w.t.Fatal("there is no task")
	}
	return out.List[0]
}

// gallery is images of all sorts in prj1, and one of the same name in prj2.
type gallery struct {
	own, harbor, other             breakwater.Registry
	app1, app2, web, bare, foreign int64
}

func (w *world) gallery() (g gallery) {
	g.own, g.harbor, g.other = w.own("prj1"), w.registry("prj1", "harbor", breakwater.RegistryHarbor), w.registry("prj1", "plain", breakwater.RegistryOther)
	g.app1 = w.image(g.own, "lib/app:v1", artifact("app1"))
	w.now = w.now.Add(time.Minute)
	g.app2 = w.image(g.own, "lib/app:v2", artifact("app2"))
	g.web = w.image(g.harbor, "shop/web/front:v1", artifact("web", "web-amd64", "web-arm64"))
	g.bare = w.image(g.other, "alpine:3", artifact("bare"))
	g.foreign = w.image(w.own("prj2"), "lib/app:v1", artifact("foreign"))
	return g
}

func TestBatchScan(t *testing.T) {
	w := newWorld(t)
	g := w.gallery()
	const target = "/image/batch-scan"
	for _, c := range []struct{ body, code, words string }{
		{`{"image_type":"private_image"}`, "HSS.0001", "image_info_list"},
		{`{"image_type":"private_image","operate_all":false,"image_info_list":[]}`, "HSS.0001", "image_info_list"},
		{`{"operate_all":true}`, "HSS.0001", "image_type"},
		{`{"image_type":"harbor","operate_all":true}`, "HSS.0001", "image_type"},
		{`{"image_type":"private_image","repo_type":"X","operate_all":true}`, "HSS.0001", "repo_type"},
		{`{"image_type":"shared_image","operate_all":true}`, "HSS.0001", "no image"},
		{`{"image_type":"private_image","image_info_list":[{"namespace":"lib","image_name":"app"}]}`, "HSS.0001", "image_info_list[0].image_version"},
		{`{"image_type":"private_image","image_info_list":[{"namespace":"lib","image_name":"app","image_version":"v1"},{"namespace":"lib","image_name":"app","image_version":"v9"}]}`, "HSS.0011", "image_info_list[1]"},
		{`{"image_type":"instance_image","image_info_list":[{"namespace":"lib","image_name":"app","image_version":"v1"}]}`, "HSS.0011", "image_info_list[0]"},
	} {
		w.refused(c.code, c.words, "olga", "POST", target, c.body)
	}
	if out := list[taskList](w, "vic", "/image/tasks?type=image_scan"); out.Total != 0 {
		t.Fatalf("a refused request made a task: %+v", out)
	}
	for _, c := range []struct {
		body string
		want int
	}{
		{`{"image_type":"private_image","repo_type":"SWR","image_info_list":[{"namespace":"lib","image_name":"app","image_version":"v1"},{"namespace":"lib","image_name":"app","image_version":"v1"}]}`, 1},
		{`{"image_type":"private_image","operate_all":true}`, 2},
		{`{"image_type":"private_image","operate_all":true,"image_version":"v2","image_name":"app","namespace":"lib"}`, 1},
		{`{"image_type":"private_image","operate_all":true,"latest_version":true}`, 1},
		{`{"image_type":"private_image","operate_all":true,"latest_version":false}`, 2},
		{`{"image_type":"private_image","operate_all":true,"image_size":1004}`, 2},
		{fmt.Sprintf(`{"image_type":"private_image","operate_all":true,"start_latest_update_time":%s}`, ms(noon.Add(time.Second))), 1},
		{fmt.Sprintf(`{"image_type":"private_image","operate_all":true,"end_latest_update_time":%s}`, ms(noon)), 1},
	} {
		w.now = w.now.Add(time.Second)
		if got := w.ok("olga", "POST", target, c.body); got != "{}\n" {
			t.Errorf("%s answers %s", c.body, got)
		}
		if task := w.newestTask("vic"); task.Total != c.want || task.Scope != 0x7fffffff || task.Type != "manual" {
			t.Errorf("%s: %+v", c.body, task)
		}
	}
	row, err := w.db.Image(context.Background(), "prj1", g.app1)
	if err != nil || row.ScanStatus != breakwater.ScanWaiting {
		t.Errorf("%s, %v", row.ScanStatus, err)
	}
}

func TestManualScan(t *testing.T) {
	w := newWorld(t)
	g := w.gallery()
	const target = "/image/image-scan/tasks"
	child, err := w.db.Image(context.Background(), "prj1", g.web)
	w.must(err)
	for _, c := range []struct{ body, code, words string }{
		{``, "HSS.0001", "image_info"}, {`{}`, "HSS.0001", "image_info"}, {`{"is_all":false,"image_info":[]}`, "HSS.0001", "image_info"},
		{`{"is_all":true,"scan_scope":7}`, "HSS.0001", "scan_scope"}, {`{"is_all":true,"scan_scope":0}`, "HSS.0001", "scan_scope"},
		{`{"is_all":true,"rate_limit":1001}`, "HSS.0001", "rate_limit"},
		{`{"is_all":true,"query_info":{"host_id":"h"}}`, "HSS.0001", "query_info.host_id"},
		{`{"is_all":true,"query_info":{"image_name":"none"}}`, "HSS.0001", "no image"},
		{`{"image_info":[{}]}`, "HSS.0001", "image_info[0]"},
		{`{"image_info":[{"image_name":"app"}]}`, "HSS.0001", "image_info[0]"},
		{`{"image_info":[{"image_digest":"sha256:x"}]}`, "HSS.0001", "image_info[0].image_digest"},
		{fmt.Sprintf(`{"image_info":[{"id":%d},{"id":99999}]}`, g.app1), "HSS.0011", "image_info[1]"},
		{fmt.Sprintf(`{"image_info":[{"id":%d}]}`, g.foreign), "HSS.0011", "image_info[0]"},
		{`{"image_info":[{"image_digest":"` + digest("foreign").String() + `"}]}`, "HSS.0011", "image_info[0]"},
		{`{"image_info":[{"namespace":"lib","image_name":"app","image_version":"v1","image_digest":"` + digest("app2").String() + `"}]}`, "HSS.0011", "image_info[0]"},
		{`{"image_info":[{"namespace":"lib","image_name":"app","image_version":"v1","registry_type":"Harbor"}]}`, "HSS.0011", "image_info[0]"},
	} {
		w.refused(c.code, c.words, "olga", "POST", target, c.body)
	}
	w.refused("HSS.0001", "hosts", "olga", "POST", target+"?global_image_type=local", `{"is_all":true}`)
	if a := w.call("olga", "POST", target, `{"is_all":true,"scan_scope":1048576}`); a.Code != "HSS.0001" {
		t.Errorf("a scope of nothing that is looked for: %d %s", a.Status, a.Body)
	}
	for _, c := range []struct {
		body string
		want int
	}{
		{`{"is_all":true}`, 4},
		{`{"is_all":true,"scan_scope":983040,"rate_limit":60,"query_info":{"image_type":"harbor"}}`, 1},
		{`{"is_all":true,"query_info":{"image_type":"other","has_vul":false}}`, 1},
		{`{"is_all":true,"query_info":{"has_vul":false,"scan_status":"failed","image_type":"harbor"}}`, 0},
		{fmt.Sprintf(`{"image_info":[{"id":%d},{"id":%d}]}`, g.app1, g.web), 2},
		{fmt.Sprintf(`{"image_info":[{"id":%d}]}`, child.Children[0].ID), 1}, // one platform stands for its image
		{`{"image_info":[{"namespace":"shop","image_name":"web/front","image_version":"v1","registry_type":"Harbor","registry_id":"` + g.harbor.ID + `"}]}`, 1},
		{`{"image_info":[{"image_name":"alpine","image_version":"3","registry_name":"plain"}]}`, 1},
		{`{"image_info":[{"image_digest":"` + digest("app2").String() + `"},{"namespace":"lib","image_name":"app","image_version":"v2"}]}`, 1},
	} {
		w.now = w.now.Add(time.Second)
		if c.want == 0 {
			w.refused("HSS.0001", "no image", "olga", "POST", target, c.body)
			continue
		}
		w.ok("olga", "POST", target, c.body)
		if task := w.newestTask("vic"); task.Total != c.want {
			t.Errorf("%s: %+v", c.body, task)
		}
	}
}

func TestTaskList(t *testing.T) {
	w := newWorld(t)
	g := w.gallery()
	ctx := context.Background()
	w.ok("olga", "POST", "/image/image-scan/tasks", `{"is_all":true,"scan_scope":983040,"rate_limit":60}`)
	first := w.newestTask("vic")
	if first.Status != 0 || first.Remain == nil || *first.Remain != 4 || !first.All || first.Rate != 60 || first.ImageType != "registry" || first.Scope != 983040 {
		t.Fatalf("a fresh task at 60 an hour: %+v", first)
	}
	// One of four is done after ten minutes: at that pace half an hour is left.
	more := true
	for more {
		var err error
		more, _, err = w.catalog.Dispatch(ctx, first.ID)
		w.must(err)
	}
	w.now = w.now.Add(10 * time.Minute)
	w.must(w.db.Tx(ctx, func(tx *store.DB) error {
		if err := tx.SetScanState(ctx, "prj1", digest("app1"), breakwater.ScanFailed, breakwater.CodeDownloadFailed, "", w.now); err != nil {
			return err
		}
		return tx.CloseTaskImages(ctx, "prj1", []breakwater.Digest{digest("app1")})
	}))
	half := w.newestTask("vic")
	if half.Status != 25 || half.Remain == nil || *half.Remain != 30 || half.Failed != 1 || half.Total != 4 || len(half.Images) != 1 {
		t.Fatalf("after ten minutes: %+v", half)
	}
	if f := half.Images[0]; f.ID != g.app1 || f.Name != "app" || f.Type != "SwrPrivate" || f.Reason != breakwater.CodeDownloadFailed.Describe() {
		t.Errorf("failed image: %+v", f)
	}
	w.ok("olga", "PUT", "/image/image-scan/tasks/"+first.ID+"/stop", "")
	w.refused("HSS.1409", "ended", "olga", "PUT", "/image/image-scan/tasks/"+first.ID+"/stop", "")
	w.refused("HSS.0011", "task", "olga", "PUT", "/image/image-scan/tasks/scn0/stop", "")
	if stopped := w.newestTask("vic"); stopped.Status != -1 || stopped.End == 0 || *stopped.Remain != 0 {
		t.Errorf("stopped: %+v", stopped)
	}
	w.now = w.now.Add(time.Second)
	w.ok("olga", "POST", "/image/image-scan/tasks", `{"is_all":true}`)
	second := w.newestTask("vic")
	if second.Remain != nil {
		t.Errorf("nobody can know when an unlimited task ends that has not begun: %d", *second.Remain)
	}
	for query, want := range map[string]string{
		"":                                     second.ID + " " + first.ID,
		"&global_image_type=registry":          second.ID + " " + first.ID,
		"&global_image_type=local":             "",
		"&task_status=scanning":                second.ID,
		"&task_status=finished":                first.ID,
		"&task_id=" + first.ID:                 first.ID,
		"&task_name=" + second.Name:            second.ID,
		"&task_type=cycle":                     "",
		"&task_type=manual&offset=1":           first.ID,
		"&scan_scope=983040":                   first.ID,
		"&create_time=" + ms(w.now):            second.ID,
		"&end_time=" + fmt.Sprint(first.Begin): first.ID,
	} {
		var ids []string
		for _, task := range list[taskList](w, "vic", "/image/tasks?type=image_scan"+query).List {
			ids = append(ids, task.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %s", query, got)
		}
	}
	w.refused("HSS.0001", "type", "vic", "GET", "/image/tasks", "")
}
