package conformance

import (
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5/model"
)

// What the advisories that ship with the server say of the planted packages.
var vulnerabilities = []string{
	"lodash 4.17.15 GHSA-29mw-wpgm-hmr9 delay_repair 4.17.21", "lodash 4.17.15 GHSA-35jh-r3h4-6jhm immediate_repair 4.17.21",
	"lodash 4.17.15 GHSA-p6mc-m468-83gw immediate_repair 4.17.19", "lodash 4.17.15 x_NSWG-ECO-516 delay_repair 4.17.19",
	"minimist 1.2.0 GHSA-vh95-rmgr-6w4m delay_repair 1.2.3", "minimist 1.2.0 GHSA-xvch-5gv4-984h immediate_repair 1.2.6",
	"bsdutils 1:2.38.1-5+b1 DEBIAN-CVE-2024-28085 not_needed_repair 2.38.1-5+deb12u1", "bzip2 1.0.6-9 DEBIAN-CVE-2019-12900 immediate_repair 1.0.6-9.1",
	"libexpat1 2.5.0-1 DEBIAN-CVE-2024-45490 immediate_repair 2.5.0-1+deb12u1", "libexpat1 2.5.0-1 DEBIAN-CVE-2024-45491 immediate_repair 2.5.0-1+deb12u1",
	"libexpat1 2.5.0-1 DEBIAN-CVE-2024-45492 immediate_repair 2.5.0-1+deb12u1",
}

// only are the vulnerabilities that hold a word.
func only(word string) (out []string) {
	for _, v := range vulnerabilities {
		if word == "" || strings.Contains(v, word) {
			out = append(out, v)
		}
	}
	return out
}

func testVulnerabilities(t *testing.T, w *world) {
	ask := func(t *testing.T, what string, x target, change func(r *model.ListImageVulnerabilitiesRequest), want ...string) {
		t.Helper()
		got := list(t, what, func(offset, limit *int32) (int, *[]model.ImageVulInfo, error) {
			r := &model.ListImageVulnerabilitiesRequest{ImageType: "private_image", ImageId: x.id, Namespace: results, ImageName: x.name, TagName: x.tag, Offset: offset, Limit: limit}
			change(r)
			out, err := w.c.hss.ListImageVulnerabilities(r)
			if err != nil {
				return 0, nil, err
			}
			return int(val(out.TotalNum)), out.DataList, nil
		})
		rank := map[string]int{"immediate_repair": 0, "delay_repair": 1, "not_needed_repair": 2}
		for i, v := range got {
			if i > 0 && rank[val(v.RepairNecessity)] < rank[val(got[i-1].RepairNecessity)] {
				t.Errorf("%s: the worst is not first: %v", what, got)
			}
			app := strings.Contains("lodash minimist", val(v.AppName))
			layer := x.layer(t, 0)
			if app {
				layer = x.layer(t, 3)
			}
			if val(v.Position) != "layer "+layer || val(v.Url) == "" || val(v.Description) == "" || app != (val(v.AppPath) == "srv/app/package-lock.json" || val(v.AppPath) == "/srv/app/package-lock.json") {
				t.Errorf("%s: %v, want layer %s", what, v, layer)
			}
		}
		set(t, what, got, func(v model.ImageVulInfo) string {
			_, fixed, _ := strings.Cut(strings.TrimSuffix(val(v.Solution), " or later."), " to ")
			return strings.Join([]string{val(v.AppName), val(v.Version), val(v.VulId), val(v.RepairNecessity), fixed}, " ")
		}, want...)
	}
	all := func(*model.ListImageVulnerabilitiesRequest) {}
	ask(t, "planted", w.planted, all, vulnerabilities...)
	ask(t, "clean", w.clean, all)
	ask(t, "old base", w.oldBase, all, only("DEBIAN")...)
	ask(t, "new base", w.newBase, all, only("28085")...)
	for _, necessity := range []string{"immediate_repair", "delay_repair", "not_needed_repair"} {
		ask(t, necessity, w.planted, func(r *model.ListImageVulnerabilitiesRequest) { r.RepairNecessity = to(necessity) }, only(necessity)...)
	}
	ask(t, "vul_id", w.planted, func(r *model.ListImageVulnerabilitiesRequest) { r.VulId = to("GHSA-p6mc-m468-83gw") }, only("GHSA-p6mc")...)
	ask(t, "vul_id of a CVE", w.planted, func(r *model.ListImageVulnerabilitiesRequest) { r.VulId = to("CVE-2021-44906") }, only("GHSA-xvch")...)
	ask(t, "app_name", w.planted, func(r *model.ListImageVulnerabilitiesRequest) { r.AppName = to("libexpat1") }, only("libexpat1")...)
	ask(t, "no such app_name", w.planted, func(r *model.ListImageVulnerabilitiesRequest) { r.AppName = to("zlib1g") })
	ask(t, "linux_vul", w.planted, func(r *model.ListImageVulnerabilitiesRequest) { r.Type = to("linux_vul") }, only("DEBIAN")...)
	ask(t, "app_vul", w.planted, func(r *model.ListImageVulnerabilitiesRequest) { r.Type = to("app_vul") }, append(only("lodash"), only("minimist")...)...)
	ask(t, "unhandled", w.planted, func(r *model.ListImageVulnerabilitiesRequest) { r.HandleStatus = to("unhandled") }, vulnerabilities...)
	ask(t, "handled", w.planted, func(r *model.ListImageVulnerabilitiesRequest) { r.HandleStatus = to("handled") })
}

func testSoftware(t *testing.T, w *world) {
	line := func(name, kind, version string, n int) string {
		return strings.Join([]string{name, kind, version, strconv.Itoa(n)}, " ")
	}
	found := map[string]int{"lodash": 4, "minimist": 2, "bsdutils": 1, "bzip2": 1, "libbz2-1.0": 1, "libexpat1": 3}
	want := func(debs []deb, lodash, minimist string, found map[string]int) (out []string) {
		for _, d := range debs {
			out = append(out, line(d.name, "deb", d.version, found[d.name]))
		}
		if lodash != "" {
			out = append(out, line("lodash", "npm", lodash, found["lodash"]), line("minimist", "npm", minimist, found["minimist"]))
		}
		return out
	}
	for _, tc := range []struct {
		image target
		want  []string
	}{
		{w.planted, want(append(append([]deb{}, oldDebs...), tools...), "4.17.15", "1.2.0", found)},
		{w.clean, want(cleanDebs, "4.17.21", "1.2.8", nil)},
		{w.oldBase, want(oldDebs, "", "", found)},
		{w.newBase, want(newDebs, "", "", map[string]int{"bsdutils": 1})},
	} {
		x := tc.image
		for what, name := range map[string]*string{"": nil, " by name": to("bzip2"), " by a name that is not there": to("bash")} {
			var expected []string
			for _, l := range tc.want {
				if name == nil || strings.HasPrefix(l, *name+" ") {
					expected = append(expected, l)
				}
			}
			set(t, "apps of "+x.tag+what, list(t, "apps", func(offset, limit *int32) (int, *[]model.ImageAppsInfo, error) {
				out, err := w.c.hss.ListImageApps(&model.ListImageAppsRequest{ImageType: "private_image", ImageId: x.id, Namespace: to(results), ImageName: to(x.name), TagName: to(x.tag), AppName: name, Offset: offset, Limit: limit})
				if err != nil {
					return 0, nil, err
				}
				return int(val(out.TotalNum)), out.DataList, nil
			}), func(a model.ImageAppsInfo) string {
				return line(val(a.AppName), val(a.AppType), val(a.AppVersion), int(val(a.VulNum)))
			}, expected...)
			set(t, "local apps of "+x.tag+what, list(t, "local apps", func(offset, limit *int32) (int, *[]model.LocalImageAppList, error) {
				out, err := w.c.hss.ListLocalImageAppInfo(&model.ListLocalImageAppInfoRequest{ImageId: x.id, AppName: name, Offset: offset, Limit: limit})
				if err != nil {
					return 0, nil, err
				}
				return int(val(out.TotalNum)), out.DataList, nil
			}), func(a model.LocalImageAppList) string {
				return line(val(a.AppName), val(a.AppType), val(a.AppVersion), int(val(a.VulNum)))
			}, expected...)
		}
	}
}

func testFiles(t *testing.T, w *world) {
	for _, x := range []target{w.planted, w.clean, w.oldBase, w.newBase} {
		there := visible(x.steps)
		var size int
		for _, n := range there {
			size += n
		}
		stat, err := w.c.hss.ShowImageFilesStat(&model.ShowImageFilesStatRequest{ImageType: "private_image", ImageId: x.id, Namespace: to(results), ImageName: to(x.name), TagName: to(x.tag)})
		if err != nil {
			t.Fatal(err)
		}
		if int(val(stat.TotalFilesNum)) != len(there) || int(val(stat.TotalFilesSize)) != size {
			t.Errorf("ShowImageFilesStat of %s: %v, want %d files of %d bytes", x.tag, stat, len(there), size)
		}
		for what, name := range map[string]*string{"": nil, " by name": to("copyright"), " by a part of a name": to("hd_con"), " by a name that is not there": to("nothing.txt"), " by a deleted file's name": to("old.key")} {
			var want []string
			for p, n := range there {
				if name == nil || strings.Contains(path.Base(p), *name) {
					want = append(want, path.Base(p)+" "+p+" "+strconv.Itoa(n))
				}
			}
			set(t, "files of "+x.tag+what, list(t, "files", func(offset, limit *int32) (int, *[]model.ImageFileInfo, error) {
				out, err := w.c.hss.ListImageFiles(&model.ListImageFilesRequest{ImageType: "private_image", ImageId: x.id, Namespace: to(results), ImageName: to(x.name), TagName: to(x.tag), FileName: name, Offset: offset, Limit: limit})
				if err != nil {
					return 0, nil, err
				}
				return int(val(out.TotalNum)), out.DataList, nil
			}), func(f model.ImageFileInfo) string {
				return val(f.FileName) + " " + val(f.FilePath) + " " + strconv.Itoa(int(val(f.Size)))
			}, want...)
		}
	}
}

func testMalware(t *testing.T, w *world) {
	ask := func(what string, x target, name *string) []model.ImageMalwareInfo {
		return list(t, what, func(offset, limit *int32) (int, *[]model.ImageMalwareInfo, error) {
			out, err := w.c.hss.ListImageMalware(&model.ListImageMalwareRequest{ImageType: "private_image", ImageId: x.id, Namespace: to(results), ImageName: to(x.name), TagName: to(x.tag), FileName: name, Offset: offset, Limit: limit})
			if err != nil {
				return 0, nil, err
			}
			return int(val(out.TotalNum)), out.DataList, nil
		})
	}
	key := func(m model.ImageMalwareInfo) string {
		return val(m.FileName) + " " + val(m.FilePath) + " " + strconv.Itoa(int(val(m.Size)))
	}
	zip := strconv.Itoa(visible(w.planted.steps)["/srv/samples/bundle.zip"])
	got := ask("planted", w.planted, nil)
	set(t, "malware", got, key, "plain.com /srv/samples/plain.com 68", "deleted.com /srv/samples/deleted.com 68", "bundle.zip /srv/samples/bundle.zip "+zip)
	brought, hidden := short(w.planted.layer(t, 3)), short(w.planted.layer(t, 5))
	for _, m := range got {
		words := []string{"EICAR", "layer " + brought}
		switch val(m.FileName) {
		case "bundle.zip":
			words = append(words, "inner/sample.com")
		case "deleted.com":
			words = append(words, "deleted by layer "+hidden)
		}
		for _, word := range words {
			if !strings.Contains(val(m.Description), word) {
				t.Errorf("%s does not say %q: %s", val(m.FileName), word, val(m.Description))
			}
		}
		if (val(m.FileName) == "deleted.com") != strings.Contains(val(m.Description), "deleted") {
			t.Errorf("%s: %s", val(m.FileName), val(m.Description))
		}
	}
	set(t, "file_name", ask("file_name", w.planted, to("bundle")), key, "bundle.zip /srv/samples/bundle.zip "+zip)
	set(t, "a file_name that is not there", ask("file_name", w.planted, to("nothing")), key)
	for _, x := range []target{w.clean, w.oldBase, w.newBase} {
		set(t, "malware of "+x.tag, ask(x.tag, x, nil), key)
	}
}

// short is as much of a digest as answers show.
func short(digest string) string { return strings.TrimPrefix(digest, "sha256:")[:12] }

func testSensitive(t *testing.T, w *world) {
	ask := func(what string, x target, change func(*model.ListImageSensitiveRequest)) []model.ImageSensitiveInfo {
		return list(t, what, func(offset, limit *int32) (int, *[]model.ImageSensitiveInfo, error) {
			r := &model.ListImageSensitiveRequest{ImageType: "private_image", ImageId: x.id, Namespace: to(results), ImageName: to(x.name), ImageVersion: to(x.tag), Offset: offset, Limit: limit}
			change(r)
			out, err := w.c.hss.ListImageSensitive(r)
			if err != nil {
				return 0, nil, err
			}
			return int(val(out.TotalNum)), out.DataList, nil
		})
	}
	key := func(s model.ImageSensitiveInfo) string {
		return strings.Join([]string{val(s.FilePath), val(s.Description), val(s.Severity), val(s.Position)}, " ")
	}
	all := func(*model.ListImageSensitiveRequest) {}
	layer := short(w.planted.layer(t, 3))
	// The key of a list line, and the credential that it must show masked.
	want := map[string]string{
		"/home/deploy/.ssh/id_ed25519 private-key critical line 1; layer " + layer:                                            "",
		"/srv/app/old.key private-key critical line 1; layer " + layer + "; deleted by layer " + short(w.planted.layer(t, 5)): "",
		"/srv/app/.env github-pat high line 2; layer " + layer:                                                                w.planting.values["/srv/app/.env"],
		"env:DB_PASSWORD config-password medium ":                                                                             w.planting.values["env:DB_PASSWORD"],
		"history:step 10 config-password medium ":                                                                             w.planting.values["env:DB_PASSWORD"],
		"history:step 11 github-pat high ":                                                                                    w.planting.values["history"],
	}
	some := func(word string) (out []string) {
		for k := range want {
			if strings.Contains(k, word) {
				out = append(out, k)
			}
		}
		return out
	}
	ids := map[string]bool{}
	got := ask("planted", w.planted, all)
	set(t, "sensitive", got, key, some("")...)
	for _, s := range got {
		masked := "-----BEGIN PRIVATE KEY----- ***"
		if v := want[key(s)]; v != "" {
			masked = v[:2] + "******" + v[len(v)-2:]
		}
		if val(s.Content) != masked || val(s.HandleStatus) != "unhandled" || val(s.OperateAccept) != "ignore" || val(s.Name) == "" || val(s.LatestScanTime) != w.planted.scanned {
			t.Errorf("%v, want it masked as %s, seen at %d", s, masked, w.planted.scanned)
		}
		ids[val(s.SensitiveInfoId)] = true
	}
	if len(ids) != len(want) || ids[""] {
		t.Errorf("sensitive_info_id: %v", ids)
	}
	for _, severity := range []string{"critical", "high", "medium", "low"} {
		set(t, severity, ask(severity, w.planted, func(r *model.ListImageSensitiveRequest) { r.Severity = to(severity) }), key, some(" "+severity+" ")...)
	}
	for _, part := range []string{"/srv/app", ".env", "nothing"} {
		set(t, "file_path "+part, ask(part, w.planted, func(r *model.ListImageSensitiveRequest) { r.FilePath = to(part) }), key, some(part)...)
	}
	set(t, "unhandled", ask("unhandled", w.planted, func(r *model.ListImageSensitiveRequest) { r.HandleStatus = to("unhandled") }), key, some("")...)
	set(t, "handled", ask("handled", w.planted, func(r *model.ListImageSensitiveRequest) { r.HandleStatus = to("handled") }), key)
	for _, x := range []target{w.clean, w.oldBase, w.newBase} {
		set(t, "sensitive of "+x.tag, ask(x.tag, x, all), key)
	}
}
