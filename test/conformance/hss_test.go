package conformance

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5/model"
	swrmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/swr/v2/model"
)

// lock is a package-lock.json with one package of a known vulnerability
// (CVE-2021-23337 and others) and one without.
const lock = `{"name":"app","version":"1.0.0","lockfileVersion":3,"packages":{
"":{"name":"app","version":"1.0.0","dependencies":{"lodash":"4.17.20"}},
"node_modules/lodash":{"version":"4.17.20","resolved":"https://example.invalid/lodash-4.17.20.tgz","integrity":"sha512-x"}}}`

// body is AddRegistry's request for the foreign registry.
func body(registry, addr string) *model.AddRegistryRequestBody {
	return &model.AddRegistryRequestBody{
		RegistryName: registry, RegistryType: "Other", ApiVersion: "V2", Protocol: "http", RegistryAddr: addr,
		RegistryUsername: foreignUser, RegistryPassword: foreignPassword, Namespace: to("components"),
		ConnectClusterId: "local", GetScanImageChannel: "Other",
	}
}

// TestSeeds000And002 onboards a foreign registry, waits for its images, and
// holds the lists field by field; then a wrong password, and what is refused.
func TestSeeds000And002(t *testing.T) {
	addr := foreign(t)
	img := image(t, "foreign", map[string]string{"app/package-lock.json": lock})
	put(t, addr, "team/app", "1.0", img)
	each(t, func(t *testing.T, c clients) {
		registry := "foreign-" + c.way
		began := time.Now()
		added, err := c.hss.AddRegistry(&model.AddRegistryRequest{Body: body(registry, addr)})
		if err != nil || added.HttpStatusCode != http.StatusOK {
			t.Fatalf("AddRegistry: %v %v", added, err)
		}
		var r model.RegistryInfo
		until(t, "the first synchronisation", func() bool {
			r = findRegistry(t, c, registry)
			if val(r.Status) == "fail" {
				t.Fatalf("the registry failed: %v", r)
			}
			return val(r.LatestSyncTime) != 0
		})
		want := model.RegistryInfo{
			Id: r.Id, RegistryName: to(registry), RegistryType: to("Other"), ApiVersion: to("V2"), Protocol: to("http"), RegistryAddr: to(addr),
			RegistryUsername: to(foreignUser), Namespace: to("components"), ConnectClusterId: to("local"), GetScanImageChannel: to("Other"),
			Status: to("success"), ImagesNum: to(int32(1)), LatestSyncTime: r.LatestSyncTime,
		}
		if diff := cmp.Diff(want, r); diff != "" || val(r.Id) == "" {
			t.Errorf("ListRegistry (-want +got)\n%s", diff)
		}
		row := judged(t, c, &model.ListRegistryImagesRequest{RegistryName: to(registry)})
		checkImage(t, row, img, began, model.RegistryImagesInfo{
			Namespace: to("team"), ImageName: to("app"), ImageVersion: to("1.0"), ImageType: to("other"),
			RegistryId: r.Id, RegistryName: to(registry), RegistryType: to("Other"), LatestSyncTime: row.LatestSyncTime,
		})
		if val(row.LatestSyncTime) < began.UnixMilli() {
			t.Errorf("latest_sync_time is %d", val(row.LatestSyncTime))
		}
		checkFilters(t, c, registry, row)
		checkHSSRefusals(t, c, registry, addr)
	})
}

// findRegistry is the registry of that name; there must be one.
func findRegistry(t *testing.T, c clients, registry string) model.RegistryInfo {
	t.Helper()
	out, err := c.hss.ListRegistry(&model.ListRegistryRequest{RegistryName: to(registry), Limit: to(int32(10)), Offset: to(int32(0))})
	if err != nil {
		t.Fatal(err)
	}
	if val(out.TotalNum) != 1 || len(val(out.DataList)) != 1 {
		t.Fatalf("ListRegistry: %v", out)
	}
	return val(out.DataList)[0]
}

// scanned waits until the one image that the request selects has been scanned.
func scanned(t *testing.T, c clients, request *model.ListRegistryImagesRequest) (row model.RegistryImagesInfo) {
	t.Helper()
	until(t, "the scan", func() bool {
		out, err := c.hss.ListRegistryImages(request)
		if err != nil {
			t.Fatal(err)
		}
		rows := val(out.DataList)
		if len(rows) != 1 || val(out.TotalNum) != 1 {
			t.Fatalf("ListRegistryImages: %v", out)
		}
		row = rows[0]
		if val(row.ScanStatus) == "failed" {
			t.Fatalf("the scan failed: %v", row)
		}
		return val(row.ScanStatus) == "success"
	})
	return row
}

// judged waits until the advisories that ship with the server have been read,
// which takes a while on an empty database, and say something of the image.
func judged(t *testing.T, c clients, request *model.ListRegistryImagesRequest) (row model.RegistryImagesInfo) {
	t.Helper()
	until(t, "the verdict", func() bool {
		row = scanned(t, c, request)
		return val(row.VulNum) > 0
	})
	return row
}

// checkImage holds a scanned row with the vulnerable lock file against its image;
// where is the part of it that depends on where the image lies.
func checkImage(t *testing.T, row model.RegistryImagesInfo, img v1.Image, began time.Time, where model.RegistryImagesInfo) {
	t.Helper()
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	want := where
	want.Id, want.ImageId, want.ImageDigest, want.ImageSize = row.Id, to(config.Hex), to(digest.String()), to(named(t, img))
	want.LatestVersion, want.ScanStatus, want.Scannable, want.IsMultipleArch = to(true), to("success"), to(true), to(false)
	want.LatestUpdateTime, want.LatestScanTime = row.LatestUpdateTime, row.LatestScanTime
	want.VulNum, want.UnsafeSettingNum, want.MaliciousFileNum = row.VulNum, to(int32(0)), to(int32(0))
	want.InstanceId, want.InstanceName, want.InstanceUrl = to(""), to(""), to("")
	want.SeverityLevel = to("High")
	if diff := cmp.Diff(want, row); diff != "" {
		t.Errorf("ListRegistryImages (-want +got)\n%s", diff)
	}
	if val(row.Id) == 0 || val(row.VulNum) < 1 {
		t.Errorf("id %d, vul_num %d", val(row.Id), val(row.VulNum))
	}
	for what, ms := range map[string]*int64{"latest_update_time": row.LatestUpdateTime, "latest_scan_time": row.LatestScanTime} {
		if at := time.UnixMilli(val(ms)); time.Since(at).Abs() > time.Hour {
			t.Errorf("%s is %s", what, at)
		}
	}
}

// checkFilters asks for the scanned row of a registry by every filter: once so
// that it is found, once so that it is not.
func checkFilters(t *testing.T, c clients, registry string, row model.RegistryImagesInfo) {
	t.Helper()
	scan, update, sync := val(row.LatestScanTime), val(row.LatestUpdateTime), val(row.LatestSyncTime)
	for what, f := range map[string][2]func(r *model.ListRegistryImagesRequest){
		"namespace":      {func(r *model.ListRegistryImagesRequest) { r.Namespace = to("team") }, func(r *model.ListRegistryImagesRequest) { r.Namespace = to("none") }},
		"image_name":     {func(r *model.ListRegistryImagesRequest) { r.ImageName = to("app") }, func(r *model.ListRegistryImagesRequest) { r.ImageName = to("none") }},
		"image_version":  {func(r *model.ListRegistryImagesRequest) { r.ImageVersion = to("1.0") }, func(r *model.ListRegistryImagesRequest) { r.ImageVersion = to("9.9") }},
		"image_type":     {func(r *model.ListRegistryImagesRequest) { r.ImageType = to("other") }, func(r *model.ListRegistryImagesRequest) { r.ImageType = to("harbor") }},
		"latest_version": {func(r *model.ListRegistryImagesRequest) { r.LatestVersion = to(true) }, nil},
		"scan_status":    {func(r *model.ListRegistryImagesRequest) { r.ScanStatus = to("success") }, func(r *model.ListRegistryImagesRequest) { r.ScanStatus = to("failed") }},
		"scan time":      {func(r *model.ListRegistryImagesRequest) { r.StartLatestScanTime, r.EndLatestScanTime = &scan, &scan }, func(r *model.ListRegistryImagesRequest) { r.StartLatestScanTime = to(scan + 1) }},
		"update time": {func(r *model.ListRegistryImagesRequest) {
			r.StartLatestUpdateTime, r.EndLatestUpdateTime = &update, &update
		}, func(r *model.ListRegistryImagesRequest) { r.EndLatestUpdateTime = to(update - 1) }},
		"sync time":          {func(r *model.ListRegistryImagesRequest) { r.StartLatestSyncTime, r.EndLatestSyncTime = &sync, &sync }, func(r *model.ListRegistryImagesRequest) { r.EndLatestSyncTime = to(sync - 1) }},
		"has_malicious_file": {func(r *model.ListRegistryImagesRequest) { r.HasMaliciousFile = to(false) }, func(r *model.ListRegistryImagesRequest) { r.HasMaliciousFile = to(true) }},
		"has_unsafe_setting": {func(r *model.ListRegistryImagesRequest) { r.HasUnsafeSetting = to(false) }, func(r *model.ListRegistryImagesRequest) { r.HasUnsafeSetting = to(true) }},
		"has_vul":            {func(r *model.ListRegistryImagesRequest) { r.HasVul = to(true) }, func(r *model.ListRegistryImagesRequest) { r.HasVul = to(false) }},
		"risky":              {func(r *model.ListRegistryImagesRequest) { r.Risky = to(true) }, func(r *model.ListRegistryImagesRequest) { r.Risky = to(false) }},
		"is_multarch":        {func(r *model.ListRegistryImagesRequest) { r.IsMultarch = to(false) }, func(r *model.ListRegistryImagesRequest) { r.IsMultarch = to(true) }},
		"severity_level":     {func(r *model.ListRegistryImagesRequest) { r.SeverityLevel = to("High") }, func(r *model.ListRegistryImagesRequest) { r.SeverityLevel = to("Low") }},
		"sort":               {func(r *model.ListRegistryImagesRequest) { r.SortKey, r.SortDir = to("latest_scan_time"), to("desc") }, nil},
	} {
		for i, change := range f {
			if change == nil {
				continue
			}
			request := &model.ListRegistryImagesRequest{RegistryName: to(registry), Limit: to(int32(200)), Offset: to(int32(0))}
			change(request)
			out, err := c.hss.ListRegistryImages(request)
			if err != nil {
				t.Errorf("%s: %v", what, err)
				continue
			}
			if want := 1 - i; int(val(out.TotalNum)) != want || len(val(out.DataList)) != want {
				t.Errorf("%s, should find %d: %v", what, want, out)
			}
		}
	}
}

// checkHSSRefusals tries what cannot be: the seed's empty body, wrong words, a
// taken name, a password that the registry does not take.
func checkHSSRefusals(t *testing.T, c clients, registry, addr string) {
	t.Helper()
	_, err := c.hss.AddRegistry(&model.AddRegistryRequest{Body: &model.AddRegistryRequestBody{}})
	refused(t, "the empty body of the sample", err, http.StatusBadRequest, "HSS.0001")
	for what, change := range map[string]func(b *model.AddRegistryRequestBody){
		"registry_type":      func(b *model.AddRegistryRequestBody) { b.RegistryType = "Nexus" },
		"api_version":        func(b *model.AddRegistryRequestBody) { b.ApiVersion = "V3" },
		"protocol":           func(b *model.AddRegistryRequestBody) { b.Protocol = "ftp" },
		"registry_name":      func(b *model.AddRegistryRequestBody) { b.RegistryName = strings.Repeat("x", 129) },
		"registry_password":  func(b *model.AddRegistryRequestBody) { b.RegistryPassword = "" },
		"connect_cluster_id": func(b *model.AddRegistryRequestBody) { b.ConnectClusterId = "elsewhere" },
		"namespace":          func(b *model.AddRegistryRequestBody) { b.Namespace = nil },
	} {
		b := body("refused-"+c.way, addr)
		change(b)
		_, err := c.hss.AddRegistry(&model.AddRegistryRequest{Body: b})
		refused(t, "wrong "+what, err, http.StatusBadRequest, "HSS.0001")
		if err != nil && (!strings.Contains(err.Error(), what) || strings.Contains(err.Error(), foreignPassword)) {
			t.Errorf("wrong %s: %v", what, err)
		}
	}
	_, err = c.hss.AddRegistry(&model.AddRegistryRequest{Body: body(registry, addr)})
	refused(t, "a taken name", err, http.StatusBadRequest, "HSS.1409")
	_, err = c.hss.ListRegistryImages(&model.ListRegistryImagesRequest{Limit: to(int32(201))})
	refused(t, "a limit out of range", err, http.StatusBadRequest, "HSS.0001")

	wrong := body("wrong-"+c.way, addr)
	wrong.RegistryPassword = "not this one"
	if _, err := c.hss.AddRegistry(&model.AddRegistryRequest{Body: wrong}); err != nil {
		t.Fatal(err)
	}
	until(t, "the refusal of a wrong password", func() bool {
		r := findRegistry(t, c, wrong.RegistryName)
		return val(r.Status) == "fail" && val(r.FailReason) == "REQUEST_API_ERROR"
	})
}

// TestSeed001 asks for the upload commands and fetches what they fetch. A
// password that tries to break out of the shell stays one word.
func TestSeed001(t *testing.T) {
	each(t, func(t *testing.T, c clients) {
		out, err := c.hss.ShowImageUploadCommand(&model.ShowImageUploadCommandRequest{
			RegistryAddr: "hub.example.com", Namespace: "test", Username: foreignUser, Password: `'; touch broken; '` + foreignPassword})
		if err != nil {
			t.Fatal(err)
		}
		for what, s := range map[string]string{"image_command": val(out.ImageCommand), "swr_image_pull_command": val(out.SwrImagePullCommand)} {
			if s == "" || len(s) > 1024 {
				t.Errorf("%s is %q", what, s)
			}
			if b, err := exec.CommandContext(t.Context(), "sh", "-n", "-c", s).CombinedOutput(); err != nil {
				t.Errorf("%s is not a command: %v %s", what, err, b)
			}
		}
		if !strings.Contains(val(out.ImageCommand), "hub.example.com/test/") {
			t.Errorf("image_command does not name the target: %s", val(out.ImageCommand))
		}
		resp, err := http.Get(val(out.ImagesDownloadUrl))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		head := make([]byte, 4)
		if _, err := io.ReadFull(resp.Body, head); err != nil || resp.StatusCode != http.StatusOK || string(head) != "PK\x03\x04" {
			t.Errorf("images_download_url: %s, begins with %q, %v", resp.Status, head, err)
		}
		_, err = c.hss.ShowImageUploadCommand(&model.ShowImageUploadCommandRequest{RegistryAddr: "hub.example.com", Namespace: "test", Username: "u"})
		refused(t, "no password", err, http.StatusBadRequest, "HSS.0001")
	})
}

// TestSeed003 pushes two images into the embedded registry, which scans them by
// itself, and scans them again: by list, and all.
func TestSeed003(t *testing.T) {
	each(t, func(t *testing.T, c clients) {
		group := "scan-" + c.way
		began := time.Now()
		if _, err := c.swr.CreateNamespace(&swrmodel.CreateNamespaceRequest{Body: &swrmodel.CreateNamespaceRequestBody{Namespace: group}}); err != nil {
			t.Fatal(err)
		}
		img := image(t, group, map[string]string{"app/package-lock.json": lock})
		push(t, c, group+"/openjdk", "v8.8", img)
		push(t, c, group+"/openjdk1", "v1.0", image(t, group+"1", map[string]string{"etc/hello": "hello"}))
		request := func(image string) *model.ListRegistryImagesRequest {
			return &model.ListRegistryImagesRequest{Namespace: to(group), ImageName: to(image), ImageType: to("private_image")}
		}
		find := func(image, version string) model.RegistryImagesInfo {
			r := request(image)
			r.ImageVersion = to(version)
			return scanned(t, c, r)
		}
		judged(t, c, request("openjdk"))
		row := find("openjdk", "v8.8")
		checkImage(t, row, img, began, model.RegistryImagesInfo{
			Namespace: to(group), ImageName: to("openjdk"), ImageVersion: to("v8.8"), ImageType: to("private_image"),
			RegistryId: row.RegistryId, RegistryName: to("SWR"), RegistryType: to("SwrPrivate"),
		})
		second := find("openjdk1", "v1.0")
		for what, body := range map[string]*model.BatchScanPrivateImageRequestInfo{
			"list": {ImageType: "private_image", ImageInfoList: &[]model.BatchScanSwrImageInfo{
				{Namespace: to(group), ImageName: to("openjdk"), ImageVersion: to("v8.8")},
				{Namespace: to(group), ImageName: to("openjdk1"), ImageVersion: to("v1.0")}}},
			"all":      {ImageType: "private_image", OperateAll: to(true)},
			"filtered": {ImageType: "private_image", OperateAll: to(true), RepoType: to("SWR"), Namespace: to(group), ScanStatus: to("success"), LatestVersion: to(true)},
		} {
			before := [2]int64{val(row.LatestScanTime), val(second.LatestScanTime)}
			out, err := c.hss.BatchScanSwrImage(&model.BatchScanSwrImageRequest{Body: body})
			if err != nil || out.HttpStatusCode != http.StatusOK {
				t.Errorf("%s: %v %v", what, out, err)
				continue
			}
			until(t, fmt.Sprintf("the scan of %s", what), func() bool {
				row, second = find("openjdk", "v8.8"), find("openjdk1", "v1.0")
				return val(row.LatestScanTime) > before[0] && val(second.LatestScanTime) > before[1]
			})
		}
		for what, body := range map[string]*model.BatchScanPrivateImageRequestInfo{
			"no image_type": {OperateAll: to(true)}, "a wrong image_type": {ImageType: "nothing", OperateAll: to(true)}, "nothing selected": {ImageType: "private_image"},
		} {
			_, err := c.hss.BatchScanSwrImage(&model.BatchScanSwrImageRequest{Body: body})
			refused(t, what, err, http.StatusBadRequest, "HSS.0001")
		}
	})
}
