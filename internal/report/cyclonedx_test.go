package report

import (
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"

	"breakwater"
)

// TestCycloneDXIsAsItsSchemaSays uses the official schemas, which the CycloneDX
// module carries.
func TestCycloneDXIsAsItsSchemaSays(t *testing.T) {
	const name = "github.com/CycloneDX/cyclonedx-go"
	const at = "http://cyclonedx.org/schema/"
	s := validator(t, at+"bom-1.6.schema.json", map[string][]byte{
		at + "bom-1.6.schema.json":  module(t, name, "schema", "bom-1.6.schema.json"),
		at + "spdx.schema.json":     module(t, name, "schema", "spdx.schema.json"),
		at + "jsf-0.82.schema.json": module(t, name, "schema", "jsf-0.82.schemax.json"),
	})
	for name, r := range fixtures() {
		validate(t, s, name, write(t, FormatCycloneDX, r, Options{}))
	}
}

// TestCycloneDXReferences checks what the schema does not: that every reference
// leads to one element.
func TestCycloneDXReferences(t *testing.T) {
	for name, r := range fixtures() {
		bom := decode[cdx.BOM](t, write(t, FormatCycloneDX, r, Options{}))
		known := map[string]bool{bom.Metadata.Component.BOMRef: true}
		for _, c := range all(bom.Components) {
			if known[c.BOMRef] || c.BOMRef == "" {
				t.Errorf("%s: bom-ref %q stands twice or is empty", name, c.BOMRef)
			}
			known[c.BOMRef] = true
		}
		vulnerabilities := map[string]bool{}
		for _, v := range all(bom.Vulnerabilities) {
			if vulnerabilities[v.BOMRef] || known[v.BOMRef] {
				t.Errorf("%s: bom-ref %q stands twice", name, v.BOMRef)
			}
			vulnerabilities[v.BOMRef] = true
			for _, a := range all(v.Affects) {
				if !known[a.Ref] {
					t.Errorf("%s: %s affects %q, which is no component", name, v.ID, a.Ref)
				}
			}
		}
		root := (*bom.Dependencies)[0]
		if root.Ref != bom.Metadata.Component.BOMRef || len(all(root.Dependencies)) != len(all(bom.Components)) {
			t.Errorf("%s: the image does not depend on all", name)
		}
		for _, d := range *bom.Dependencies {
			if !known[d.Ref] {
				t.Errorf("%s: dependency of %q", name, d.Ref)
			}
		}
		for _, c := range all(bom.Compositions) {
			for _, ref := range all(c.Vulnerabilities) {
				if !vulnerabilities[string(ref)] {
					t.Errorf("%s: composition of %q", name, ref)
				}
			}
		}
	}
}

// all is a list that may be absent.
func all[T any](list *[]T) []T {
	if list == nil {
		return nil
	}
	return *list
}

func TestCycloneDXComponents(t *testing.T) {
	bom := decode[cdx.BOM](t, write(t, FormatCycloneDX, debian(), Options{}))
	image := bom.Metadata.Component
	if want := "pkg:oci/app@sha256:" + debian().Digest.Hex() + "?arch=amd64&repository_url=docker.io%2Flibrary%2Fapp&tag=1.0"; image.PackageURL != want {
		t.Errorf("image %s\nwant  %s", image.PackageURL, want)
	}
	if (*image.Hashes)[0].Value != debian().Digest.Hex() {
		t.Errorf("hash %v", *image.Hashes)
	}
	by := map[string]cdx.Component{}
	for _, c := range *bom.Components {
		by[c.Name] = c
	}
	if len(*bom.Components) != 10 { // 9 different packages and the operating system
		t.Errorf("%d components", len(*bom.Components))
	}
	lodash := by["lodash"]
	if o := *lodash.Evidence.Occurrences; len(o) != 2 || o[0].Location != "/app/node_modules/lodash/package.json" {
		t.Errorf("lodash lies at %v", o)
	}
	bsd := by["bsdutils"]
	if got := valuesOf(bsd, "source:name", "source:version", "layer:digest", "path"); !slices.Equal(got,
		[]string{"util-linux", "2.38.1-5", string(digest("layer 1")), "var/lib/dpkg/status"}) {
		t.Errorf("bsdutils: %v", got)
	}
	if got := valuesOf(by["pyyaml"], "owned_by"); !slices.Equal(got, []string{"python3-yaml"}) {
		t.Errorf("pyyaml: %v", got)
	}
	if c := by["log4j-core"]; c.Group != "org.apache.logging.log4j" {
		t.Errorf("log4j: group %q", c.Group)
	}
	if c := by["debian"]; c.Type != cdx.ComponentTypeOS || c.Version != "12" {
		t.Errorf("operating system: %+v", c)
	}
}

func valuesOf(c cdx.Component, names ...string) (out []string) {
	for _, n := range names {
		for _, p := range *c.Properties {
			if p.Name == property+n {
				out = append(out, p.Value)
			}
		}
	}
	return out
}

func TestCycloneDXVulnerabilities(t *testing.T) {
	bom := decode[cdx.BOM](t, write(t, FormatCycloneDX, debian(), Options{}))
	first := (*bom.Vulnerabilities)[0]
	if first.ID != "GHSA-jfh8-c2jp-5v3q" || *(*first.Ratings)[0].Score != 10 || (*first.Ratings)[0].Severity != cdx.SeverityCritical {
		t.Errorf("first: %+v", first)
	}
	if !strings.Contains(first.Recommendation, "to 2.15.0") || (*first.References)[0].ID != "CVE-2021-44228" {
		t.Errorf("recommendation %q, references %v", first.Recommendation, *first.References)
	}
	want := []cdx.Property{{Name: "breakwater:kev", Value: "true"}, {Name: "breakwater:epss:score", Value: "0.97"}, {Name: "breakwater:epss:percentile", Value: "0.999"}}
	if diff := cmp.Diff(want, *first.Properties); diff != "" {
		t.Error(diff)
	}
	for _, v := range *bom.Vulnerabilities {
		if v.ID == "CVE-2024-0001" && len(*v.Affects) != 2 {
			t.Errorf("both packages of the source are affected, got %v", *v.Affects)
		}
	}
}

func TestCycloneDXRatings(t *testing.T) {
	bom := decode[cdx.BOM](t, write(t, FormatCycloneDX, debian(), Options{}))
	type rating struct {
		Source   string
		Score    float64
		Severity cdx.Severity
		Method   cdx.ScoringMethod
		Vector   string
	}
	want := map[string][]rating{
		"GHSA-jfh8-c2jp-5v3q": {
			{"GitHub Advisory Database", 10, "critical", "CVSSv31", "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"},
			{"CVE", 9.3, "high", "CVSSv2", "AV:N/AC:M/Au:N/C:C/I:C/A:C"},
		},
		"CVE-2024-0001": { // no vector says what the report goes by
			{"Debian", 7.5, "high", "other", ""},
			{"Debian", 5.3, "medium", "CVSSv3", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"},
			{"CVE", 0, "none", "CVSSv4", "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"},
		},
		"GHSA-aaaa-bbbb-cccc": {{"npm", 7.2, "high", "other", ""}},
	}
	for _, v := range *bom.Vulnerabilities {
		if want[v.ID] == nil {
			continue
		}
		var got []rating
		for _, r := range *v.Ratings {
			score := 0.0 // the library leaves it out
			if r.Score != nil {
				score = *r.Score
			}
			got = append(got, rating{r.Source.Name, score, r.Severity, r.Method, r.Vector})
		}
		if diff := cmp.Diff(want[v.ID], got); diff != "" {
			t.Errorf("%s: %s", v.ID, diff)
		}
		delete(want, v.ID)
	}
	if len(want) > 0 {
		t.Errorf("not there: %v", want)
	}
}

func TestCycloneDXSaysHowCompleteItIs(t *testing.T) {
	aggregates := func(r Report) (out []cdx.CompositionAggregate) {
		for _, c := range *decode[cdx.BOM](t, write(t, FormatCycloneDX, r, Options{})).Compositions {
			out = append(out, c.Aggregate)
		}
		return out
	}
	skipped := breakwater.Coverage{Check: breakwater.CheckSoftware, State: breakwater.StateDone, Skipped: []breakwater.Skip{{Path: "a", Reason: "b"}}}
	rest := []breakwater.Check{breakwater.CheckFile, breakwater.CheckSecret}
	tests := []struct {
		name string
		r    Report
		want []cdx.CompositionAggregate
	}{
		{"all done", build("a").checked(checks()...).r, []cdx.CompositionAggregate{"unknown", "unknown"}},
		{"a file skipped", build("a").checked(rest...).checked(breakwater.CheckVulnerability).coverage(skipped).r, []cdx.CompositionAggregate{"incomplete", "incomplete"}},
		{"vulnerabilities failed", build("a").checked(breakwater.CheckSoftware).coverage(breakwater.Coverage{Check: breakwater.CheckVulnerability, State: breakwater.StateFailed}).r, []cdx.CompositionAggregate{"unknown", "incomplete"}},
		{"nothing known", Report{}, []cdx.CompositionAggregate{"incomplete", "incomplete"}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, aggregates(test.r)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	bom := decode[cdx.BOM](t, write(t, FormatCycloneDX, debian(), Options{}))
	if len(*bom.Annotations) != 7 {
		t.Errorf("%d annotations, want one for each of the 7 gaps", len(*bom.Annotations))
	}
}

func TestImagePURL(t *testing.T) {
	for name, want := range map[string]string{
		"docker.io/library/debian:12":      "pkg:oci/debian?repository_url=docker.io%2Flibrary%2Fdebian&tag=12",
		"localhost:5000/App":               "pkg:oci/app?repository_url=localhost:5000%2Fapp",
		"localhost:5000/a/b:v1@sha256:abc": "pkg:oci/b?repository_url=localhost:5000%2Fa%2Fb&tag=v1",
		"archive.tar":                      "pkg:oci/archive.tar",
		"":                                 "pkg:oci/image",
		"dir/":                             "pkg:oci/image?repository_url=dir%2Fimage",
	} {
		v := newView(Report{Name: name}, Options{})
		if got := v.imagePURL(); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}

// TestExchangePURL: package URLs in an SBOM, from those of the inventory.
func TestExchangePURL(t *testing.T) {
	module := app("golang", "Go", "github.com/foo/bar", "1.2.3", "usr/bin/tool", 1)
	module.PURL = "pkg:golang/github.com/foo/bar@1.2.3"
	library := app("golang", "Go", "stdlib", "1.22.1", "usr/bin/tool", 1)
	library.PURL = "pkg:golang/stdlib@1.22.1"
	apk := breakwater.Package{Kind: breakwater.PackageOS, Type: "apk", Name: "libcrypto3", Version: "3.1.0-r4", SourceName: "openssl", SourceVersion: "3.1.0-r4",
		PURL: "pkg:apk/alpine/libcrypto3@3.1.0-r4?arch=x86_64&distro=alpine-3.18"}
	rpm := breakwater.Package{Kind: breakwater.PackageOS, Type: "rpm", Name: "openssl-libs", Version: "1:3.0.7-6.el9", SourceName: "openssl", SourceVersion: "1:3.0.7-6.el9",
		PURL: "pkg:rpm/rocky/openssl-libs@3.0.7-6.el9?arch=x86_64&distro=rocky-9&epoch=1"}
	for _, tt := range []struct {
		p    breakwater.Package
		want string
	}{
		{rpm, "pkg:rpm/rocky/openssl-libs@3.0.7-6.el9?arch=x86_64&distro=rocky-9&epoch=1&upstream=openssl-3.0.7-6.el9.src.rpm"},
		{deb("openssl", "3.0.11-1", "openssl", "3.0.11-1"), "pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12"},
		{deb("bsdutils", "1:2.38.1-5", "util-linux", "2.38.1-5"), "pkg:deb/debian/bsdutils@1%3A2.38.1-5?arch=amd64&distro=debian-12&upstream=util-linux%402.38.1-5"},
		{apk, "pkg:apk/alpine/libcrypto3@3.1.0-r4?arch=x86_64&distro=alpine-3.18&upstream=openssl"},
		{module, "pkg:golang/github.com/foo/bar@v1.2.3"},
		{library, "pkg:golang/stdlib@1.22.1"},
		{app("npm", "npm", "@scope/x", "1.0.0", "a", 1), "pkg:npm/%40scope/x@1.0.0"},
		{breakwater.Package{Name: "x", PURL: "no purl"}, ""},
	} {
		if got := exchangePURL(tt.p); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.p.Name, got, tt.want)
		}
	}
}

// TestUnknownToRegistries: a file's name is no repository, and a manifest that
// was made up has no digest that others could look for.
func TestUnknownToRegistries(t *testing.T) {
	r := debian()
	r.Name, r.File, r.Made = "/srv/images/shop.tar", true, true
	image := decode[cdx.BOM](t, write(t, FormatCycloneDX, r, Options{})).Metadata.Component
	if image.PackageURL != "" || image.Hashes != nil || image.BOMRef != "image:"+string(r.Digest) {
		t.Errorf("of a file: %+v", image)
	}
	r.Name, r.File = "docker.io/library/app:1.0", false
	image = decode[cdx.BOM](t, write(t, FormatCycloneDX, r, Options{})).Metadata.Component
	if want := "pkg:oci/app?arch=amd64&repository_url=docker.io%2Flibrary%2Fapp&tag=1.0"; image.PackageURL != want || image.Hashes != nil {
		t.Errorf("made up: %+v", image)
	}
}

func TestSerialNumbers(t *testing.T) {
	a, b := debian(), debian()
	b.Digest = digest("other")
	first, second := newView(a, Options{}).uuid("cyclonedx"), newView(b, Options{}).uuid("cyclonedx")
	if first == second || first == newView(a, Options{}).uuid("spdx") || len(first) != 36 || first[14] != '8' {
		t.Errorf("%s %s", first, second)
	}
}
