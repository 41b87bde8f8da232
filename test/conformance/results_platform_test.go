package conformance

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5/model"
)

// pushIndex sends a multi-arch image: one image for amd64, the other for arm64.
func (w *world) pushIndex(t *testing.T, repository, tag string, amd64, arm64 v1.Image) v1.ImageIndex {
	t.Helper()
	c, err := arm64.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c = c.DeepCopy()
	c.Architecture = "arm64"
	if arm64, err = mutate.ConfigFile(arm64, c); err != nil {
		t.Fatal(err)
	}
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: amd64, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: arm64, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm64"}}})
	ref, err := name.NewTag(host()+"/"+results+"/"+repository+":"+tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(ref, index, remote.WithAuth(login(t, w.c)), remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	return index
}

// totals are how much each operation says of an image.
type totals struct {
	Vulnerabilities, Apps, LocalApps, Files, FileStat, Malware, Sensitive, Weak, Policy, Failing, Commands, CommandImages, Bases, NonCompliant int32
}

// testPlatforms pushes the planted image and its clean twin as two platforms of
// one image. The whole has what either has, each platform its own.
func testPlatforms(t *testing.T, w *world) {
	w.pushIndex(t, "multi", "1", w.planted.img, w.clean.img)
	row := scanned(t, w.c, &model.ListRegistryImagesRequest{Namespace: to(results), ImageName: to("multi"), ImageVersion: to("1")})
	parts := val(row.AssociationImages)
	if len(parts) != 2 || !val(row.IsMultipleArch) {
		t.Fatalf("%v", row)
	}
	if diff := cmp.Diff(countersOf(w.planted.row), countersOf(row)); diff != "" {
		t.Errorf("the whole image (-want +got)\n%s", diff)
	}
	for i, want := range []counters{countersOf(w.planted.row), {}} {
		want.Level = "" // platforms show none
		if diff := cmp.Diff(want, counters{val(parts[i].VulNum), val(parts[i].UnsafeSettingNum), val(parts[i].MaliciousFileNum), ""}); diff != "" {
			t.Errorf("platform %d (-want +got)\n%s", i, diff)
		}
	}
	amd64, arm64 := int32(len(visible(w.planted.steps))), int32(len(visible(w.clean.steps)))
	for id, want := range map[string]totals{
		// ListImageFiles is the first platform's; ShowImageFilesStat counts all.
		val(row.ImageId):      {11, 17, 17, amd64, amd64 + arm64, 3, 6, 2, 5, 25, 7, 1, 2, 2},
		val(parts[0].ImageId): {11, 10, 10, amd64, amd64, 3, 6, 2, 5, 25, 7, 2, 1, 2},
		val(parts[1].ImageId): {0, 8, 8, arm64, arm64, 0, 0, 0, 0, 0, 0, 0, 1, 0},
	} {
		if diff := cmp.Diff(want, w.totals(t, id)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", id, diff)
		}
	}
}

// totals asks every operation for an image of results/multi:1.
func (w *world) totals(t *testing.T, id string) (out totals) {
	t.Helper()
	h, kind, space, name, tag := w.c.hss, "private_image", to(results), to("multi"), to("1")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	vulnerabilities, err := h.ListImageVulnerabilities(&model.ListImageVulnerabilitiesRequest{ImageType: kind, ImageId: id, Namespace: results, ImageName: "multi", TagName: "1"})
	must(err)
	apps, err := h.ListImageApps(&model.ListImageAppsRequest{ImageType: kind, ImageId: id, Namespace: space, ImageName: name, TagName: tag})
	must(err)
	local, err := h.ListLocalImageAppInfo(&model.ListLocalImageAppInfoRequest{ImageId: id})
	must(err)
	files, err := h.ListImageFiles(&model.ListImageFilesRequest{ImageType: kind, ImageId: id, Namespace: space, ImageName: name, TagName: tag})
	must(err)
	stat, err := h.ShowImageFilesStat(&model.ShowImageFilesStatRequest{ImageType: kind, ImageId: id, Namespace: space, ImageName: name, TagName: tag})
	must(err)
	malware, err := h.ListImageMalware(&model.ListImageMalwareRequest{ImageType: kind, ImageId: id, Namespace: space, ImageName: name, TagName: tag})
	must(err)
	sensitive, err := h.ListImageSensitive(&model.ListImageSensitiveRequest{ImageType: kind, ImageId: id, Namespace: space, ImageName: name, ImageVersion: tag})
	must(err)
	weak, err := h.ListImageWeakPwdUsers(&model.ListImageWeakPwdUsersRequest{ImageType: kind, ImageId: to(id), Namespace: space, ImageName: name, TagName: tag})
	must(err)
	baseline, err := h.ShowImageBaselineStatistic(&model.ShowImageBaselineStatisticRequest{ImageType: kind, ImageId: to(id), Namespace: space, ImageName: name, ImageVersion: tag})
	must(err)
	commands, err := h.ListImageBuildCommandRisks(&model.ListImageBuildCommandRisksRequest{ImageType: "registry", ImageId: to(id)})
	must(err)
	images, err := h.ListImageBuildCommandRisksImages(&model.ListImageBuildCommandRisksImagesRequest{ImageType: "registry", ImageId: to(id), RuleId: "BW-BUILD-010"})
	must(err)
	bases, err := h.ListImageBasicImage(&model.ListImageBasicImageRequest{ImageType: kind, ImageId: id, Namespace: space, ImageName: name, ImageVersion: tag})
	must(err)
	software, err := h.ListImageNonCompliantApp(&model.ListImageNonCompliantAppRequest{ImageType: kind, ImageId: id, Namespace: space, ImageName: name, ImageVersion: tag})
	must(err)
	return totals{val(vulnerabilities.TotalNum), val(apps.TotalNum), val(local.TotalNum), val(files.TotalNum), val(stat.TotalFilesNum), val(malware.TotalNum), val(sensitive.TotalNum),
		val(weak.TotalNum), val(baseline.PwdPolicy), val(baseline.SecurityCheck), val(commands.TotalNum), val(images.TotalNum), val(bases.TotalNum), val(software.TotalNum)}
}
