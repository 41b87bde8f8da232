package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/hss/v5/model"
)

// counters are what the image list says of an image's findings.
type counters struct {
	Vulnerabilities, Unsafe, Malicious int32
	Level                              string
}

func countersOf(row model.RegistryImagesInfo) counters {
	return counters{val(row.VulNum), val(row.UnsafeSettingNum), val(row.MaliciousFileNum), val(row.SeverityLevel)}
}

// testCounters holds the counters and the filters of the image list. An unsafe
// setting is a baseline rule that fails, or a password that was guessed.
func testCounters(t *testing.T, w *world) {
	for _, tc := range []struct {
		image target
		want  counters
	}{
		{w.planted, counters{11, 27, 3, "High"}}, {w.clean, counters{0, 0, 0, "Security"}},
		{w.oldBase, counters{5, 1, 0, "High"}}, {w.newBase, counters{1, 1, 0, "Medium"}},
	} {
		if diff := cmp.Diff(tc.want, countersOf(tc.image.row)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tc.image.tag, diff)
		}
	}
	type request = model.ListRegistryImagesRequest
	for what, tc := range map[string]struct {
		change func(*request)
		want   []string
	}{
		"has_malicious_file":    {func(r *request) { r.HasMaliciousFile = to(true) }, []string{"planted"}},
		"no has_malicious_file": {func(r *request) { r.HasMaliciousFile = to(false) }, []string{"clean", "1.0", "1.1"}},
		"has_unsafe_setting":    {func(r *request) { r.HasUnsafeSetting = to(true) }, []string{"planted", "1.0", "1.1"}},
		"no has_unsafe_setting": {func(r *request) { r.HasUnsafeSetting = to(false) }, []string{"clean"}},
		"has_vul":               {func(r *request) { r.HasVul = to(true) }, []string{"planted", "1.0", "1.1"}},
		"no has_vul":            {func(r *request) { r.HasVul = to(false) }, []string{"clean"}},
		"risky":                 {func(r *request) { r.Risky = to(true) }, []string{"planted", "1.0", "1.1"}},
		"not risky":             {func(r *request) { r.Risky = to(false) }, []string{"clean"}},
		"High":                  {func(r *request) { r.SeverityLevel = to("High") }, []string{"planted", "1.0"}},
		"Medium":                {func(r *request) { r.SeverityLevel = to("Medium") }, []string{"1.1"}},
		"Low":                   {func(r *request) { r.SeverityLevel = to("Low") }, nil},
		"Security":              {func(r *request) { r.SeverityLevel = to("Security") }, []string{"clean"}},
	} {
		set(t, what, list(t, what, func(offset, limit *int32) (int, *[]model.RegistryImagesInfo, error) {
			r := &request{Namespace: to(results), Limit: limit, Offset: offset}
			tc.change(r)
			out, err := w.c.hss.ListRegistryImages(r)
			if err != nil {
				return 0, nil, err
			}
			return int(val(out.TotalNum)), out.DataList, nil
		}), func(i model.RegistryImagesInfo) string { return val(i.ImageVersion) }, tc.want...)
	}
}

// untried is what no report may keep quiet: that the budget did not last for all
// guesses at the strong passwords.
var untried = regexp.MustCompile(`carol: \d+ of \d+ guesses`)

// checks are the eight, as coverage names them.
var checks = []string{"vulnerability", "software", "file", "secret", "baseline", "compliance", "build_command", "base_image"}

// testReport holds the report of the planted image, in each format, against what
// was planted.
func testReport(t *testing.T, w *world) {
	var own struct {
		Coverage        []struct{ Check, State string }
		Vulnerabilities []json.RawMessage
		Findings        []struct{ Check string }
		Packages        []struct{ Name string }
	}
	var sarif struct {
		Version string
		Runs    []struct{ Results []json.RawMessage }
	}
	var cyclonedx struct {
		BomFormat, SpecVersion string
		Components             []struct{ Name string }
		Vulnerabilities        []json.RawMessage
	}
	var spdx struct {
		SpdxVersion string
		Packages    []struct{ Name string }
	}
	for format, out := range map[string]any{"json": &own, "sarif": &sarif, "cyclonedx": &cyclonedx, "spdx": &spdx} {
		body := w.get(t, w.planted, "report", "tag_name", url.Values{"format": {format}}, out)
		if !untried.Match(body) {
			t.Errorf("%s does not say what was not looked at", format)
		}
	}
	state := map[string]string{}
	for _, c := range own.Coverage {
		state[c.Check] = c.State
	}
	for _, c := range checks {
		if state[c] != "done" {
			t.Errorf("coverage of %s: %v", c, own.Coverage)
		}
	}
	count := map[string]int{}
	for _, f := range own.Findings {
		count[f.Check]++
	}
	if diff := cmp.Diff(map[string]int{"file": 3, "secret": 6, "baseline": 27, "compliance": 2, "build_command": 7}, count); diff != "" || len(own.Vulnerabilities) != 11 {
		t.Errorf("%d vulnerabilities, findings (-want +got)\n%s", len(own.Vulnerabilities), diff)
	}
	if sarif.Version != "2.1.0" || len(sarif.Runs) != 1 || len(sarif.Runs[0].Results) != 56 {
		t.Errorf("sarif: version %s, %d runs", sarif.Version, len(sarif.Runs))
	}
	if cyclonedx.BomFormat != "CycloneDX" || cyclonedx.SpecVersion != "1.6" || spdx.SpdxVersion != "SPDX-2.3" || len(cyclonedx.Vulnerabilities) != 11 {
		t.Errorf("%s %s, %d vulnerabilities; %s", cyclonedx.BomFormat, cyclonedx.SpecVersion, len(cyclonedx.Vulnerabilities), spdx.SpdxVersion)
	}
	names := func(list []struct{ Name string }) map[string]bool {
		out := map[string]bool{}
		for _, p := range list {
			out[p.Name] = true
		}
		return out
	}
	for what, got := range map[string]map[string]bool{"json": names(own.Packages), "cyclonedx": names(cyclonedx.Components), "spdx": names(spdx.Packages)} {
		for _, d := range append(append([]deb{{name: "lodash"}, {name: "minimist"}}, oldDebs...), tools...) {
			if !got[d.name] {
				t.Errorf("%s lacks %s", what, d.name)
			}
		}
	}
}

// testScope scans the planted image for one thing at a time: what was not asked
// for stays as it was.
func testScope(t *testing.T, w *world) {
	for what, scope := range map[string]int32{"vulnerabilities": 0xf0000, "baseline": 0xf000, "malware": 0xf00, "sensitive": 0xf0, "compliance": 0xf} {
		before := countersOf(w.planted.row)
		w.scanAgain(t, what, scope)
		if diff := cmp.Diff(before, countersOf(w.planted.row)); diff != "" {
			t.Errorf("after a scan for %s (-want +got)\n%s", what, diff)
		}
		for _, test := range []func(*testing.T, *world){testVulnerabilities, testSoftware, testMalware, testSensitive, testStatistic, testWeakPasswords, testBuildCommands, testBaseImage, testNonCompliant, testReport} {
			test(t, w)
		}
		if t.Failed() {
			t.Fatalf("the above after a scan for %s alone", what)
		}
	}
	for what, scope := range map[string]int32{"nothing": 0, "what nobody knows": 0x00100000} {
		err := w.scan(scope)
		refused(t, what, err, http.StatusBadRequest, "HSS.0001")
		if err != nil && !strings.Contains(err.Error(), "scan_scope") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func (w *world) scan(scope int32) error {
	_, err := w.c.hss.CreateManualImageScanTask(&model.CreateManualImageScanTaskRequest{GlobalImageType: to("registry"), Body: &model.CreateManualImageScanTaskReqInfo{
		ScanScope: to(scope), ImageInfo: &[]model.CreateManualImageScanTaskReqInfoImageInfo{{Namespace: to(results), ImageName: to("shop"), ImageVersion: to("planted")}}}})
	return err
}

// scanAgain scans the planted image, and waits for the end of it.
func (w *world) scanAgain(t *testing.T, what string, scope int32) {
	t.Helper()
	if err := w.scan(scope); err != nil {
		t.Fatal(err)
	}
	before := w.planted.scanned
	until(t, "the scan for "+what, func() bool {
		w.planted.row = scanned(t, w.c, &model.ListRegistryImagesRequest{Namespace: to(results), ImageName: to("shop"), ImageVersion: to("planted")})
		w.planted.scanned = val(w.planted.row.LatestScanTime)
		return w.planted.scanned > before
	})
}
