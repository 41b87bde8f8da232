package worker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"breakwater/internal/storetest"
	"breakwater/internal/worker"

	"github.com/google/go-cmp/cmp"
)

// TestSharedFeeds imports the real feeds that BREAKWATER_SHARED points at, on
// SQLite, and looks for findings that are known to be true. It runs in .ci/run;
// without the variable there is nothing to do.
func TestSharedFeeds(t *testing.T) {
	root := os.Getenv("BREAKWATER_SHARED")
	if root == "" {
		return
	}
	s := newShelf(t, storetest.SQLite(t))
	s.dir = filepath.Join(root, "osv")
	began := time.Now()
	sum := s.update(worker.FeedOptions{})
	must(t, sum.Err())
	records := map[string]int{}
	for _, r := range sum.Results {
		records[r.Feed] = r.Report.Records
		if r.Report.Broken > 0 {
			t.Errorf("%s: %d broken records: %v", r.Feed, r.Report.Broken, r.Report.Problems)
		}
	}
	t.Logf("read in %s: %v", time.Since(began), records)
	if diff := cmp.Diff(map[string]int{
		"AlmaLinux": 5637, "Alpine": 7046, "Azure Linux": 1222, "Bitnami": 7444, "Debian": 17882, "Go": 4291, "Maven": 940, "NuGet": 51,
		"Packagist": 1794, "PyPI": 7080, "Rocky Linux": 3, "RubyGems": 1174, "Ubuntu": 17336, "crates.io": 1206, "npm": 818,
		"epss": 360142, "kev": 1662,
	}, records); diff != "" {
		t.Error(diff)
	}
	for held, want := range map[string]string{
		"Maven|org.apache.logging.log4j:log4j-core|2.14.1": "GHSA-jfh8-c2jp-5v3q 2.15.0",
		"Maven|org.apache.logging.log4j:log4j-core|2.2":    "GHSA-jfh8-c2jp-5v3q 2.3.1",
		"Maven|org.springframework:spring-beans|5.3.17":    "GHSA-36p3-wjmg-h94x 5.3.18",
		"npm|axios|1.5.0":                           "GHSA-wf5p-g6vw-rhxx 1.6.0",
		"npm|express|4.17.1":                        "GHSA-rv95-896h-c2vc 4.19.2",
		"NuGet|Newtonsoft.Json|12.0.3":              "GHSA-5crp-9r3c-p9vr 13.0.1",
		"PyPI|Jinja2|2.11.2":                        "PYSEC-2021-66 2.11.3",
		"PyPI|requests|2.19.0":                      "PYSEC-2018-28 2.20.0",
		"Go|stdlib|1.20.1":                          "GO-2023-1621 1.20.2",
		"Go|golang.org/x/text|v0.3.7":               "GO-2022-1059 0.3.8",
		"crates.io|time|0.1.43":                     "RUSTSEC-2020-0071 0.2.0",
		"RubyGems|nokogiri|1.13.2-x86_64-linux":     "GHSA-crjr-9rc5-ghw8 1.13.4",
		"Packagist|symfony/http-kernel|v4.4.10":     "CVE-2020-15094 4.4.13",
		"Packagist|drupal/core|9.0.0":               "DRUPAL-CORE-2020-007 9.0.6",
		"Debian:12.5|openssl|3.0.11-1~deb12u1":      "DEBIAN-CVE-2023-5363 3.0.11-1~deb12u2",
		"Debian:11|curl|7.74.0-1.3+deb11u1":         "DSA-5197-1 7.74.0-1.3+deb11u2",
		"Alpine:3.19.1|openssl|3.1.4-r0":            "ALPINE-CVE-2023-5678 3.1.4-r1",
		"AlmaLinux:9.4|openssl-libs|1:3.0.1-41.el9": "ALSA-2022:7288 1:3.0.1-43.el9_0",
		"Rocky Linux:8|firefox|102.10.0-1.el8":      "RLSA-2023:3220 0:102.11.0-2.el8_7",
		"Azure Linux:3|curl|8.0.0-1.azl3":           "AZL-34648 8.8.0-1.azl3",
		"Bitnami|joomla|5.4.5-0":                    "BIT-joomla-2026-40383 5.4.6",
	} {
		if got := s.findings(s.image(held, held)); !strings.Contains(got+",", " "+want+",") {
			t.Errorf("%s: %s is missing in %.300s", held, want, got)
		}
	}
	for _, clean := range []string{
		"npm|axios|99.0.0", "NuGet|Newtonsoft.Json|13.0.3", "Rocky Linux:8|firefox|999.0-1.el8", "Packagist|symfony/http-kernel|v99.0.0",
	} {
		if got := s.findings(s.image(clean, clean)); got != "Security: " {
			t.Errorf("%s: %.300s", clean, got)
		}
	}
	again := s.update(worker.FeedOptions{})
	for _, r := range again.Results {
		if !r.Unchanged {
			t.Errorf("%s is not known to be unchanged", r.Feed)
		}
	}
	again = s.update(worker.FeedOptions{Force: true})
	for _, r := range again.Results {
		if r.Changes.Changed() && r.Feed != "epss" {
			t.Errorf("%s: the same bytes change %+v", r.Feed, r.Changes)
		}
	}
	if again.Judged > 0 {
		t.Errorf("%d packages were judged again for nothing", again.Judged)
	}
}
