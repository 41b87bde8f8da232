package hss_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"breakwater/api"
	"breakwater/internal/store"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
)

// operation is one request of every operation that this door serves, as olga
// of prj1 would make it about prj1's things.
type operation struct {
	id, method, target, body string
	change                   bool
	foreign                  string // what bob gets who makes it in prj2: an error code, or a body
}

const nothing = `{"total_num":0,"data_list":[]}` + "\n"

// operations lists them all, about a world with a gallery.
func operations(w *world, g gallery, scanTask, syncTask string) []operation {
	app := digest("config app1").Hex()
	return []operation{
		{"ListRegistry", "GET", registries + "?registry_id=" + g.harbor.ID, "", false, `{"data_list":[],"total_num":0}` + "\n"},
		{"UpdateRegistry", "PUT", registries + "/" + g.harbor.ID, `{"registry_username":"x","registry_password":"stolen"}`, true, "HSS.0011"},
		{"ListKubernetesClusterDetails", "GET", "/kubernetes/clusters?cluster_name=x", "", false, `{"total_num":0,"cluster_info_list":[]}` + "\n"},
		{"ListMultiCloudClusters", "GET", "/container/kubernetes/multi-cloud/clusters?cluster_id=x", "", false, nothing},
		{"CreateImageSynchronizeTask", "POST", "/image/image-sync/tasks", `{"sync_all_registries":false,"registry_info":[{"registry_id":"` + g.harbor.ID + `"}]}`, true, "HSS.0011"},
		{"ListAssociateRegistries", "GET", "/image/image-sync/tasks/" + syncTask + "/registries", "", false, "HSS.0011"},
		{"RunImageSynchronize", "POST", "/image/synchronize", `{"image_type":"shared_image"}`, true, `{"error_code":0,"error_description":"There is no registry of this sort; nothing was synchronised."}` + "\n"},
		{"BatchScanSwrImage", "POST", "/image/batch-scan", `{"image_type":"private_image","image_info_list":[{"namespace":"lib","image_name":"app","image_version":"v1"}]}`, true, "HSS.0011"},
		{"CreateManualImageScanTask", "POST", "/image/image-scan/tasks", fmt.Sprintf(`{"image_info":[{"id":%d}]}`, g.app1), true, "HSS.0011"},
		{"ListImageScanTask", "GET", "/image/tasks?type=image_scan&task_id=" + scanTask, "", false, `{"data_list":[],"total_num":0}` + "\n"},
		{"ListRegistryImages", "GET", images + "?namespace=lib", "", false, nothing},
		{"ListImageVulnerabilities", "GET", about(app, "vulnerabilities", "private_image", "lib", "app", "v1"), "", false, "HSS.0011"},
		{"ListImageApps", "GET", about(app, "apps", "private_image", "lib", "app", "v1"), "", false, "HSS.0011"},
		{"ListLocalImageAppInfo", "GET", "/image/local/apps?image_id=" + app, "", false, "HSS.0011"},
		{"ListImageFiles", "GET", about(app, "files", "private_image", "lib", "app", "v1"), "", false, "HSS.0011"},
		{"ShowImageFilesStat", "GET", about(app, "files-statistics", "private_image", "lib", "app", "v1"), "", false, "HSS.0011"},
		{"ListImageMalware", "GET", about(app, "malwares", "private_image", "lib", "app", "v1"), "", false, "HSS.0011"},
		{"ListImageSensitive", "GET", about(app, "sensitive", "private_image", "lib", "app", "v1") + "&image_version=v1", "", false, "HSS.0011"},
		{"ListImageNonCompliantApp", "GET", about(app, "non-compliant-app", "private_image", "lib", "app", "v1") + "&image_version=v1", "", false, "HSS.0011"},
		{"ListImageBasicImage", "GET", about(app, "basic-image", "private_image", "lib", "app", "v1") + "&image_version=v1", "", false, "HSS.0011"},
		{"ShowImageReport", "GET", about(app, "report", "private_image", "lib", "app", "v1") + "&format=cyclonedx", "", false, "HSS.0011"},
		{"ShowImageBaselineStatistic", "GET", "/image/baseline/statistic?image_type=private_image&image_id=" + app, "", false, "HSS.0011"},
		{"ListImageRiskConfigs", "GET", "/image/baseline/risk-configs?image_type=private_image&image_id=" + app, "", false, "HSS.0011"},
		{"ListImageRiskConfigRules", "GET", "/image/baseline/risk-configs/Image/rules?standard=hw_standard&image_type=private_image&image_id=" + app, "", false, "HSS.0011"},
		{"ShowImageCheckRuleDetail", "GET", "/image/baseline/check-rule/detail?check_name=Image&check_type=Image&check_rule_id=BW-IMG-001&standard=hw_standard&image_type=private_image&image_id=" + app, "", false, "HSS.0011"},
		{"ListImagePwdComplexity", "GET", "/image/baseline/password-complexity?image_type=private_image", "", false, `{"total_num":0,"data_list":[]}` + "\n"},
		{"ListImageWeakPwdUsers", "GET", "/image/baseline/weak-password-users?image_type=registry", "", false, nothing},
		{"ListImageBuildCommandRisks", "GET", "/image/build-command-risks?image_type=registry", "", false, nothing},
		{"ListImageBuildCommandRisksImages", "GET", "/image/build-command-risks/images?image_type=registry&rule_id=BW-BUILD-001", "", false, nothing},
		// Advisories and the component belong to nobody.
		{"ListVulnerabilityCve", "GET", "/image/vulnerability/GHSA-aaaa-bbbb-cccc/cve", "", false, nothing},
		{"ShowImageUploadCommand", "GET", registries + "/image-upload-command?registry_addr=a.example&namespace=b&username=c&password=d", "", false, ""},
		{"StopImageScanTask", "PUT", "/image/image-scan/tasks/" + scanTask + "/stop", "", true, "HSS.0011"},
		{"DeleteRegistry", "DELETE", registries + "/" + g.harbor.ID, "", true, "HSS.0011"},
		{"BatchDeleteRegistry", "POST", registries + "/batch-delete", `{"ids":["` + g.other.ID + `"]}`, true, "HSS.0011"},
		{"AddRegistry", "POST", registries, body("registry_name", "again"), true, "{}\n"},
	}
}

// prepared is a world with a gallery, a scan task and a sync task of prj1, whose
// second project is empty.
func prepared(t *testing.T) (*world, []operation) {
	t.Helper()
	w := newWorld(t)
	g := gallery{own: w.own("prj1")}
	g.harbor, g.other = w.registry("prj1", "harbor", "Harbor"), w.registry("prj1", "plain", "Other")
	g.app1 = w.image(g.own, "lib/app:v1", artifact("app1"))
	w.must(w.keys.Put(context.Background(), g.harbor.ID, "first"))
	w.scanned("prj1", "app1", libssl)
	w.advise()
	w.ok("ada", "POST", "/image/image-scan/tasks", `{"is_all":true}`)
	w.ok("ada", "POST", "/image/image-sync/tasks", `{"sync_all_registries":true}`)
	sync := list[taskList](w, "ada", "/image/tasks?type=image_sync").List[0].ID
	return w, operations(w, g, w.newestTask("ada").ID, sync)
}

// state is everything of prj1 that a request could change.
func state(w *world) string {
	ctx := context.Background()
	var b strings.Builder
	rows, total, err := w.db.Images(ctx, "prj1", store.ImageFilter{}, store.ImagePage{Limit: 100})
	fmt.Fprintln(&b, rows, total, err)
	regs, n, err := w.db.Registries(ctx, "prj1", store.RegistryFilter{})
	fmt.Fprintln(&b, regs, n, err)
	scans, n, err := w.db.ScanTasks(ctx, "prj1", store.TaskFilter{Limit: 100})
	fmt.Fprintln(&b, scans, n, err)
	syncs, n, err := w.db.SyncTasks(ctx, "prj1", store.TaskFilter{Limit: 100})
	fmt.Fprintln(&b, syncs, n, err)
	for _, r := range regs {
		p, err := w.keys.Get(ctx, r.ID)
		fmt.Fprintln(&b, r.ID, p, err != nil)
	}
	return b.String()
}

// TestProjectsAreApart makes every operation from another project, about the
// first one's things and at the first one's path: nothing is seen or changed.
func TestProjectsAreApart(t *testing.T) {
	w, all := prepared(t)
	before := state(w)
	tried := map[string]bool{}
	for _, o := range all {
		tried[o.id] = true
		a := w.call("bob", o.method, o.target, o.body)
		if strings.HasPrefix(o.foreign, "HSS.") && (a.Status != 400 || a.Code != o.foreign) || o.foreign != "" && !strings.HasPrefix(o.foreign, "HSS.") && a.Body != o.foreign {
			t.Errorf("%s in prj2: %d %s", o.id, a.Status, a.Body)
		}
		if a := w.callRaw("bob", o.method, "/v5/prj1"+o.target, o.body); a.Status != 404 || strings.Contains(a.Body, "harbor") {
			t.Errorf("%s at prj1's path: %d %s", o.id, a.Status, a.Body)
		}
	}
	if diff := cmp.Diff(before, state(w)); diff != "" {
		t.Errorf("bob changed what is prj1's:\n%s", diff)
	}
	for id, served := range w.server.Door().Operations() {
		if served && !tried[id] {
			t.Errorf("%s was not tried", id)
		}
	}
}

// TestRoles makes every operation as a viewer and a robot: viewers read, robots
// and strangers do nothing, and the operator may do it all.
func TestRoles(t *testing.T) {
	w, all := prepared(t)
	before := state(w)
	for _, o := range all {
		a := w.call("vic", o.method, o.target, o.body)
		if o.change && a.Code != "HSS.0013" || !o.change && a.Status != 200 {
			t.Errorf("%s as a viewer: %d %s", o.id, a.Status, a.Body)
		}
		if a := w.call("rob", o.method, o.target, o.body); a.Code != "HSS.0013" {
			t.Errorf("%s as a robot: %d %s", o.id, a.Status, a.Body)
		}
		if a := w.call("mallory", o.method, o.target, o.body); a.Status != 401 || a.Code != "APIGW.0301" {
			t.Errorf("%s as a stranger: %d %s", o.id, a.Status, a.Body)
		}
	}
	if diff := cmp.Diff(before, state(w)); diff != "" {
		t.Errorf("somebody changed something without the right:\n%s", diff)
	}
	schemas := answers(t)
	for _, o := range all {
		a := w.call("olga", o.method, o.target, o.body)
		if a.Status != 200 {
			t.Errorf("%s as the operator: %d %s", o.id, a.Status, a.Body)
			continue
		}
		var v any
		w.must(json.Unmarshal([]byte(a.Body), &v))
		if err := schemas[o.id].VisitJSON(v); err != nil {
			t.Errorf("%s: the answer %s is not the document's: %v", o.id, a.Body, err)
		}
	}
}

// answers are the schemas of the document's successful answers by operation.
func answers(t *testing.T) map[string]*openapi3.Schema {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.HSS)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*openapi3.Schema{}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if r := op.Responses.Value("200"); r != nil && r.Value.Content["application/json"] != nil {
				out[op.OperationID] = r.Value.Content["application/json"].Schema.Value
			}
		}
	}
	return out
}
