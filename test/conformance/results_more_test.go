package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5/model"
)

func testComplexity(t *testing.T, w *world) {
	ask := func(what string, change func(*model.ListImagePwdComplexityRequest)) []model.ImagePwdComplexityInfoResponseInfo {
		return list(t, what, func(offset, limit *int32) (int, *[]model.ImagePwdComplexityInfoResponseInfo, error) {
			r := &model.ListImagePwdComplexityRequest{ImageType: to("private_image"), Namespace: to(results), Offset: offset, Limit: limit}
			change(r)
			out, err := w.c.hss.ListImagePwdComplexity(r)
			if err != nil {
				return 0, nil, err
			}
			return int(val(out.TotalNum)), out.DataList, nil
		})
	}
	key := func(p model.ImagePwdComplexityInfoResponseInfo) string {
		made := fmt.Sprint(val(p.MinLength), val(p.UppercaseLetter), val(p.LowercaseLetter), val(p.Number), val(p.SpecialCharacter))
		return strings.Join([]string{val(p.ImageName), val(p.ImageVersion), val(p.Namespace), val(p.ImageId), val(p.ImageType), made, fmt.Sprint(val(p.LatestScanTime))}, " ")
	}
	line := func(x target, made bool) string {
		return strings.Join([]string{x.name, x.tag, results, x.id, "SwrPrivate", fmt.Sprint(made, made, made, made, made), fmt.Sprint(x.scanned)}, " ")
	}
	everything := []string{line(w.planted, false), line(w.clean, true), line(w.oldBase, false), line(w.newBase, false)}
	set(t, "namespace", ask("namespace", func(*model.ListImagePwdComplexityRequest) {}), key, everything...)
	set(t, "registry", ask("registry", func(r *model.ListImagePwdComplexityRequest) { r.ImageType = to("registry") }), key, everything...)
	set(t, "any type", ask("any type", func(r *model.ListImagePwdComplexityRequest) { r.ImageType = nil }), key, everything...)
	set(t, "another type", ask("harbor", func(r *model.ListImagePwdComplexityRequest) { r.ImageType = to("harbor") }), key)
	set(t, "instance_id", ask("instance_id", func(r *model.ListImagePwdComplexityRequest) { r.InstanceId = to("none") }), key)
	set(t, "image_name", ask("image_name", func(r *model.ListImagePwdComplexityRequest) { r.ImageName = to("base") }), key, everything[2:]...)
	set(t, "image_version", ask("image_version", func(r *model.ListImagePwdComplexityRequest) { r.ImageVersion = to("clean") }), key, everything[1])
	got := ask("names", func(r *model.ListImagePwdComplexityRequest) { r.ImageName, r.ImageVersion = to("shop"), to("planted") })
	set(t, "names", got, key, everything[0])
	if len(got) == 1 && !strings.Contains(val(got[0].Suggestion), "pam_pwquality") {
		t.Errorf("suggestion: %s", val(got[0].Suggestion))
	}
}

func testWeakPasswords(t *testing.T, w *world) {
	ask := func(what string, change func(*model.ListImageWeakPwdUsersRequest)) []model.ImageWeakPwdListInfoResponseInfo {
		return list(t, what, func(offset, limit *int32) (int, *[]model.ImageWeakPwdListInfoResponseInfo, error) {
			r := &model.ListImageWeakPwdUsersRequest{ImageType: "private_image", Offset: offset, Limit: limit}
			change(r)
			out, err := w.c.hss.ListImageWeakPwdUsers(r)
			if err != nil {
				return 0, nil, err
			}
			return int(val(out.TotalNum)), out.DataList, nil
		})
	}
	key := func(u model.ImageWeakPwdListInfoResponseInfo) string {
		return strings.Join([]string{val(u.UserName), val(u.ServiceType), val(u.DesensitizedWeakPasswords), val(u.Namespace), val(u.ImageName), val(u.ImageVersion), val(u.ImageId),
			val(u.ImageType), fmt.Sprint(val(u.LatestScanTime))}, " ")
	}
	where := strings.Join([]string{results, "shop planted", w.planted.id, "SwrPrivate", fmt.Sprint(w.planted.scanned)}, " ")
	alice, bob := "alice system 1***6 "+where, "bob system p***d "+where
	type request = model.ListImageWeakPwdUsersRequest
	for what, tc := range map[string]struct {
		change func(*request)
		want   []string
	}{
		"all":                {func(*request) {}, []string{alice, bob}},
		"registry":           {func(r *request) { r.ImageType = "registry" }, []string{alice, bob}},
		"another type":       {func(r *request) { r.ImageType = "shared_image" }, nil},
		"namespace":          {func(r *request) { r.Namespace = to(results) }, []string{alice, bob}},
		"another namespace":  {func(r *request) { r.Namespace = to("elsewhere") }, nil},
		"image_name":         {func(r *request) { r.ImageName = to("shop") }, []string{alice, bob}},
		"another image_name": {func(r *request) { r.ImageName = to("twin") }, nil},
		"another tag":        {func(r *request) { r.TagName = to("clean") }, nil},
		"instance_id":        {func(r *request) { r.InstanceId = to("none") }, nil},
		"names":              {func(r *request) { r.Namespace, r.ImageName, r.TagName = to(results), to("shop"), to("planted") }, []string{alice, bob}},
		"the clean twin":     {func(r *request) { r.Namespace, r.ImageName, r.TagName = to(results), to("twin"), to("clean") }, nil},
		"image_id":           {func(r *request) { r.ImageId = to(w.planted.id) }, []string{alice, bob}},
		"user_name":          {func(r *request) { r.UserName = to("bob") }, []string{bob}},
		"user and image":     {func(r *request) { r.UserName, r.ImageId = to("alice"), to(w.planted.id) }, []string{alice}},
		"a strong password":  {func(r *request) { r.UserName = to("carol") }, nil},
	} {
		got := ask(what, tc.change)
		set(t, what, got, key, tc.want...)
		for _, u := range got {
			if val(u.Suggestion) == "" || val(u.Duration) < 0 {
				t.Errorf("%s: %v", what, u)
			}
		}
	}
}

func testBuildCommands(t *testing.T, w *world) {
	type request = model.ListImageBuildCommandRisksRequest
	ask := func(what string, change func(*request)) []model.ImageBuildCommandRiskResponseInfo {
		return list(t, what, func(offset, limit *int32) (int, *[]model.ImageBuildCommandRiskResponseInfo, error) {
			r := &request{ImageType: "registry", ImageId: to(w.planted.id), Offset: offset, Limit: limit}
			change(r)
			out, err := w.c.hss.ListImageBuildCommandRisks(r)
			if err != nil {
				return 0, nil, err
			}
			return int(val(out.TotalNum)), out.DataList, nil
		})
	}
	key := func(r model.ImageBuildCommandRiskResponseInfo) string { return val(r.RuleId) + " " + val(r.RiskLevel) }
	masked := func(where string) string {
		v := w.planting.values[where]
		return v[:2] + "******" + v[len(v)-2:]
	}
	// What rule finds what instruction, as it must be shown.
	steps := map[string]string{
		"BW-BUILD-001 high": "ENV DB_PASSWORD=" + masked("env:DB_PASSWORD"), "BW-BUILD-002 high": "ARG API_TOKEN=" + masked("history"), "BW-BUILD-010 high": "RUN curl -fsSL https://get.example.com/install.sh | sh",
		"BW-BUILD-012 medium": "ADD http://downloads.example.com/tool.bin /opt/tool", "BW-BUILD-020 medium": "ADD http://downloads.example.com/tool.bin /opt/tool",
		"BW-BUILD-060 medium": "no USER: the container runs as root", "BW-BUILD-063 medium": "RUN chmod -R 777 /srv/app",
	}
	some := func(word string) (out []string) {
		for k := range steps {
			if strings.Contains(k, word) {
				out = append(out, k)
			}
		}
		return out
	}
	got := ask("planted", func(*request) {})
	set(t, "planted", got, key, some("")...)
	for _, r := range got {
		if val(r.ImageNum) != 1 || val(r.RiskId) == "" || val(r.RiskName) == "" || val(r.Description) == "" || val(r.ImageType) != "registry" || val(r.LatestScanTime) != w.planted.scanned {
			t.Errorf("%v", r)
		}
		w.checkRiskImages(t, val(r.RuleId), w.planted.id, map[string]string{w.planted.id: steps[key(r)]})
	}
	for _, level := range []string{"critical", "high", "medium", "low"} {
		set(t, level, ask(level, func(r *request) { r.RiskLevel = to(level) }), key, some(" "+level)...)
	}
	set(t, "risk_name", ask("risk_name", func(r *request) { r.RiskName = to("Files that everybody may change") }), key, "BW-BUILD-063 medium")
	set(t, "cicd", ask("cicd", func(r *request) { r.ImageType = "cicd" }), key)
	set(t, "clean", ask("clean", func(r *request) { r.ImageId = to(w.clean.id) }), key)
	set(t, "old base", ask("old base", func(r *request) { r.ImageId = to(w.oldBase.id) }), key, "BW-BUILD-060 medium")
	set(t, "no image", ask("no image", func(r *request) { r.ImageId = to("nothing") }), key)
	var seen bool
	for _, r := range ask("project", func(r *request) { r.ImageId = nil }) {
		if val(r.RuleId) == "BW-BUILD-060" {
			seen = true
			if val(r.ImageNum) < 3 {
				t.Errorf("three images run as root: %v", r)
			}
		}
	}
	if !seen {
		t.Error("the risks of all images do not hold that of one")
	}
	w.checkRiskImages(t, "BW-BUILD-010", "", map[string]string{w.planted.id: steps["BW-BUILD-010 high"]})
	w.checkRiskImages(t, "BW-BUILD-060", w.clean.id, nil)
	w.checkRiskImages(t, "BW-NONE", "", nil)
}

// checkRiskImages expects the images that a rule speaks of, by image_id, each
// with one instruction.
func (w *world) checkRiskImages(t *testing.T, rule, id string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for _, i := range list(t, rule, func(offset, limit *int32) (int, *[]model.BuildCommandRisksImageResponseInfo, error) {
		r := &model.ListImageBuildCommandRisksImagesRequest{ImageType: "registry", RuleId: rule, Offset: offset, Limit: limit}
		if id != "" {
			r.ImageId = to(id)
		}
		out, err := w.c.hss.ListImageBuildCommandRisksImages(r)
		if err != nil {
			return 0, nil, err
		}
		return int(val(out.TotalNum)), out.DataList, nil
	}) {
		detail := val(val(i.RiskDetailInfo).RiskList)
		if val(i.ImageId) != w.planted.id || val(i.Namespace) != results || val(i.ImageName) != "shop" || val(i.ImageVersion) != "planted" || val(i.ImageDigest) != w.planted.digest ||
			val(i.ImageType) != "private_image" || val(i.ImageSize) != named(t, w.planted.img) || val(i.LatestScanTime) != w.planted.scanned ||
			val(val(i.RiskDetailInfo).RiskNum) != 1 || len(detail) != 1 || val(detail[0].Remediation) == "" {
			t.Errorf("%s: %v", rule, i)
			continue
		}
		got[val(i.ImageId)] = val(detail[0].BuildInstruction)
	}
	if diff := cmp.Diff(want, got); diff != "" && len(want)+len(got) > 0 {
		t.Errorf("%s (-want +got)\n%s", rule, diff)
	}
}

func testBaseImage(t *testing.T, w *world) {
	type request = model.ListImageBasicImageRequest
	ask := func(what string, x target, change func(*request)) []model.ImageBasicImageInfo {
		return list(t, what, func(offset, limit *int32) (int, *[]model.ImageBasicImageInfo, error) {
			r := &request{ImageType: "private_image", ImageId: x.id, Namespace: to(results), ImageName: to(x.name), ImageVersion: to(x.tag), Offset: offset, Limit: limit}
			change(r)
			out, err := w.c.hss.ListImageBasicImage(r)
			if err != nil {
				return 0, nil, err
			}
			return int(val(out.TotalNum)), out.DataList, nil
		})
	}
	key := func(b model.ImageBasicImageInfo) string {
		return val(b.OsName) + " " + val(b.OsVersion) + " " + val(b.LayerDigest)
	}
	want := "debian 12 " + w.oldBase.layer(t, 1)
	set(t, "planted", ask("planted", w.planted, func(*request) {}), key, want)
	set(t, "clean", ask("clean", w.clean, func(*request) {}), key, want)
	set(t, "old base", ask("old base", w.oldBase, func(*request) {}), key)
	set(t, "new base", ask("new base", w.newBase, func(*request) {}), key)
	set(t, "os_name", ask("os_name", w.planted, func(r *request) { r.OsName = to("debian") }), key, want)
	set(t, "another os_name", ask("another os_name", w.planted, func(r *request) { r.OsName = to("alpine") }), key)

	// The extension: what the base brings, and what its newest tag would take away.
	// Of 56 findings five vulnerabilities come from the base; 1.1 still has one.
	for _, tc := range []struct {
		image target
		want  map[string]any
	}{
		{w.planted, map[string]any{"inherited_num": 5.0, "added_num": 51.0, "newest_removes_num": 4.0}},
		{w.clean, map[string]any{"inherited_num": 0.0, "added_num": 0.0, "newest_removes_num": 0.0}},
	} {
		var out struct {
			List []map[string]any `json:"data_list"`
		}
		w.get(t, tc.image, "basic-image", "image_version", nil, &out)
		for k, v := range map[string]any{"base_image_name": results + "/base", "base_image_tag": "1.0", "base_image_digest": w.oldBase.digest, "base_layer_num": 2.0, "newest_tag": "1.1"} {
			tc.want[k] = v
		}
		for k, v := range tc.want {
			if len(out.List) != 1 || out.List[0][k] != v {
				t.Errorf("the base of %s: %v, want %s %v", tc.image.tag, out.List, k, v)
			}
		}
	}
}

// get asks an operation of an image with a token and no SDK, which does not know
// extensions; it answers the body too.
func (w *world) get(t *testing.T, x target, operation, tag string, more url.Values, out any) []byte {
	t.Helper()
	q := url.Values{"image_type": {"private_image"}, "namespace": {results}, "image_name": {x.name}, tag: {x.tag}}
	for k, v := range more {
		q[k] = v
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, creds.Endpoint+"/v5/"+creds.ProjectID+"/image/"+x.id+"/"+operation+"?"+q.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Auth-Token", token)
	resp, err := (&http.Client{Transport: w.answers}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s %v", operation, resp.Status, b, err)
	}
	if err := json.Unmarshal(b, out); err != nil {
		t.Fatalf("%s: %v", operation, err)
	}
	return b
}

func testNonCompliant(t *testing.T, w *world) {
	type request = model.ListImageNonCompliantAppRequest
	ask := func(what string, x target, change func(*request)) []model.ImageNonCompliantAppInfo {
		return list(t, what, func(offset, limit *int32) (int, *[]model.ImageNonCompliantAppInfo, error) {
			r := &request{ImageType: "private_image", ImageId: x.id, Namespace: to(results), ImageName: to(x.name), ImageVersion: to(x.tag), Offset: offset, Limit: limit}
			change(r)
			out, err := w.c.hss.ListImageNonCompliantApp(r)
			if err != nil {
				return 0, nil, err
			}
			return int(val(out.TotalNum)), out.DataList, nil
		})
	}
	key := func(a model.ImageNonCompliantAppInfo) string {
		return strings.Join([]string{val(a.AppName), val(a.AppVersion), val(a.AppPath), val(a.LayerDigest)}, " ")
	}
	layer := w.planted.layer(t, 2)
	nmap, tcpdump := "nmap 7.93+dfsg1-1 /var/lib/dpkg/status "+layer, "tcpdump 4.99.3-1 /var/lib/dpkg/status "+layer
	got := ask("planted", w.planted, func(*request) {})
	set(t, "planted", got, key, nmap, tcpdump)
	if len(got) == 2 && (val(got[0].Id) == "" || val(got[0].Id) == val(got[1].Id)) {
		t.Errorf("ids: %v", got)
	}
	set(t, "app_name", ask("app_name", w.planted, func(r *request) { r.AppName = to("nmap") }), key, nmap)
	set(t, "another app_name", ask("another app_name", w.planted, func(r *request) { r.AppName = to("bzip2") }), key)
	for _, x := range []target{w.clean, w.oldBase, w.newBase} {
		set(t, x.tag, ask(x.tag, x, func(*request) {}), key)
	}
}
