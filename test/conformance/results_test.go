package conformance

import (
	"net/http"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/basic"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/config"
	hss "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5/model"
	swr "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/swr/v2"
	swrmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/swr/v2/model"
)

// results is the organization of the images below.
const results = "results"

// target is one image, as the operations name it.
type target struct {
	name, tag string
	img       v1.Image
	steps     []step
	id        string // image_id: the config's digest
	digest    string
	scanned   int64
	row       model.RegistryImagesInfo
}

// layer is the digest of the layer that one step made.
func (x target) layer(t *testing.T, step int) string {
	t.Helper()
	d, err := x.steps[step].layer.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// world is what the tests of the 17 result operations look at.
type world struct {
	c        clients
	answers  *recorder
	planted  target
	clean    target
	oldBase  target
	newBase  target
	planting planted
}

// TestResults pushes an image with planted cases for every check, its clean twin
// and two tags of their base, and holds every result operation against what was
// planted.
func TestResults(t *testing.T) {
	w := newWorld(t)
	for _, part := range []struct {
		name string
		test func(*testing.T, *world)
	}{
		{"vulnerabilities", testVulnerabilities}, {"software", testSoftware}, {"files", testFiles}, {"malware", testMalware}, {"sensitive", testSensitive},
		{"risk configs", testRiskConfigs}, {"risk config rules", testRiskConfigRules}, {"rule detail", testRuleDetail}, {"statistic", testStatistic},
		{"password complexity", testComplexity}, {"weak passwords", testWeakPasswords}, {"build commands", testBuildCommands}, {"base image", testBaseImage},
		{"non-compliant software", testNonCompliant}, {"image list", testCounters}, {"report", testReport}, {"scope", testScope}, {"platforms", testPlatforms}, {"nothing known", testUnknownImage},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, w) })
	}
	w.answers.Lock()
	defer w.answers.Unlock()
	for _, l := range leaks("an answer", w.answers.answers.Bytes()) {
		t.Error(l)
	}
}

// newWorld pushes the images and waits for what is said of them.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{answers: &recorder{}}
	signed := basic.NewCredentialsBuilder().WithAk(creds.AccessKey).WithSk(creds.SecretKey).WithProjectId(creds.ProjectID).Build()
	recorded := config.DefaultHttpConfig().WithHttpRoundTripper(w.answers)
	w.c = clients{results,
		swr.NewSwrClient(swr.SwrClientBuilder().WithEndpoint(creds.Endpoint).WithCredential(signed).Build()),
		hss.NewHssClient(hss.HssClientBuilder().WithEndpoint(creds.Endpoint).WithCredential(signed).WithHttpConfig(recorded).Build())}
	if _, err := w.c.swr.CreateNamespace(&swrmodel.CreateNamespaceRequest{Body: &swrmodel.CreateNamespaceRequestBody{Namespace: results}}); err != nil {
		t.Fatal(err)
	}
	shell := v1.Config{Cmd: []string{"/bin/bash"}}
	old, young := bake(t, baseSteps(oldDebs)...), bake(t, baseSteps(newDebs)...)
	w.planting = plant(t, old)
	steps, config := cleanSteps(t, old)
	w.oldBase = w.push(t, "base", "1.0", build(t, shell, old...), old)
	w.newBase = w.push(t, "base", "1.1", build(t, shell, young...), young)
	w.planted = w.push(t, "shop", "planted", build(t, w.planting.config, w.planting.steps...), w.planting.steps)
	w.clean = w.push(t, "twin", "clean", build(t, config, steps...), steps)
	for x, vulnerabilities := range map[*target]int{&w.oldBase: 5, &w.newBase: 1, &w.planted: 11, &w.clean: 0} {
		w.await(t, x, vulnerabilities)
	}
	return w
}

func (w *world) push(t *testing.T, name, tag string, img v1.Image, steps []step) target {
	t.Helper()
	push(t, w.c, results+"/"+name, tag, img)
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	id, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	return target{name: name, tag: tag, img: img, steps: steps, id: id.Hex, digest: digest.String()}
}

// await waits until an image is scanned and as many vulnerabilities are known of
// it: the advisories are read beside the first scans.
func (w *world) await(t *testing.T, x *target, vulnerabilities int) {
	t.Helper()
	request := &model.ListRegistryImagesRequest{Namespace: to(results), ImageName: to(x.name), ImageVersion: to(x.tag), ImageType: to("private_image")}
	until(t, "what advisories say of "+x.name+":"+x.tag, func() bool {
		x.row = scanned(t, w.c, request)
		return int(val(x.row.VulNum)) == vulnerabilities
	})
	x.scanned = val(x.row.LatestScanTime)
}

// list asks for everything on one page, then page by page, and expects the same;
// it answers everything. fetch answers total_num and data_list. Without a limit
// an answer has ten rows.
func list[T any](t *testing.T, what string, fetch func(offset, limit *int32) (int, *[]T, error)) []T {
	t.Helper()
	return pages(t, what, 10, fetch)
}

// pages is list for an operation with another limit, when none is given.
func pages[T any](t *testing.T, what string, unsaid int, fetch func(offset, limit *int32) (int, *[]T, error)) []T {
	t.Helper()
	total, all, err := fetch(nil, to(int32(200)))
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if all == nil || total != len(*all) {
		t.Fatalf("%s: total_num %d, data_list %v", what, total, all)
	}
	var paged []T
	for offset := 0; offset == 0 || offset < total; offset += 10 {
		n, page, err := fetch(to(int32(offset)), to(int32(10)))
		if err != nil || n != total || page == nil || len(*page) != min(10, total-offset) {
			t.Fatalf("%s, offset %d: total_num %d, %v, %v", what, offset, n, page, err)
		}
		paged = append(paged, *page...)
	}
	if diff := cmp.Diff(*all, append([]T{}, paged...)); diff != "" {
		t.Errorf("%s: the pages are not the list (-list +pages)\n%s", what, diff)
	}
	_, first, err := fetch(nil, nil)
	if err != nil || len(val(first)) != min(unsaid, total) {
		t.Errorf("%s without a limit: %d rows, %v", what, len(val(first)), err)
	}
	return *all
}

// set holds a list against what must be in it, in any order.
func set[T any](t *testing.T, what string, got []T, key func(T) string, want ...string) {
	t.Helper()
	keys := []string{}
	for _, g := range got {
		keys = append(keys, key(g))
	}
	sort.Strings(keys)
	want = append([]string{}, want...)
	sort.Strings(want)
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

// testUnknownImage asks every operation that must have an image for one that is not there.
func testUnknownImage(t *testing.T, w *world) {
	none := "0000000000000000000000000000000000000000000000000000000000000000"
	h := w.c.hss
	for what, call := range map[string]func() error{
		"vulnerabilities": func() error {
			_, err := h.ListImageVulnerabilities(&model.ListImageVulnerabilitiesRequest{ImageType: "private_image", ImageId: none, Namespace: results, ImageName: "shop", TagName: "planted"})
			return err
		},
		"local apps": func() error {
			_, err := h.ListLocalImageAppInfo(&model.ListLocalImageAppInfoRequest{ImageId: none})
			return err
		},
		"apps": func() error {
			_, err := h.ListImageApps(&model.ListImageAppsRequest{ImageType: "private_image", ImageId: none, Namespace: to(results), ImageName: to("shop"), TagName: to("planted")})
			return err
		},
		"files": func() error {
			_, err := h.ListImageFiles(&model.ListImageFilesRequest{ImageType: "private_image", ImageId: none})
			return err
		},
		"stat": func() error {
			_, err := h.ShowImageFilesStat(&model.ShowImageFilesStatRequest{ImageType: "private_image", ImageId: none})
			return err
		},
		"malware": func() error {
			_, err := h.ListImageMalware(&model.ListImageMalwareRequest{ImageType: "private_image", ImageId: none})
			return err
		},
		"sensitive": func() error {
			_, err := h.ListImageSensitive(&model.ListImageSensitiveRequest{ImageType: "private_image", ImageId: none})
			return err
		},
		"configs": func() error {
			_, err := h.ListImageRiskConfigs(&model.ListImageRiskConfigsRequest{ImageType: "private_image", ImageId: &none})
			return err
		},
		"rules": func() error {
			_, err := h.ListImageRiskConfigRules(&model.ListImageRiskConfigRulesRequest{ImageType: "private_image", ImageId: &none, CheckName: "SSH", Standard: "hw_standard"})
			return err
		},
		"statistic": func() error {
			_, err := h.ShowImageBaselineStatistic(&model.ShowImageBaselineStatisticRequest{ImageType: "private_image", ImageId: &none})
			return err
		},
		"basic": func() error {
			_, err := h.ListImageBasicImage(&model.ListImageBasicImageRequest{ImageType: "private_image", ImageId: none})
			return err
		},
		"compliance": func() error {
			_, err := h.ListImageNonCompliantApp(&model.ListImageNonCompliantAppRequest{ImageType: "private_image", ImageId: none})
			return err
		},
	} {
		refused(t, what, call(), http.StatusBadRequest, "HSS.0011")
	}
}
