package report

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdxlib"

	"breakwater"
)

func readSPDX(t *testing.T, r Report) *spdx.Document {
	t.Helper()
	d, err := json.Read(bytes.NewReader(write(t, FormatSPDX, r, Options{})))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestSPDXIsValid reads each document back and checks what the specification
// asks of it (SPDX 2.3).
func TestSPDXIsValid(t *testing.T) {
	id := regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
	for name, r := range fixtures() {
		d := readSPDX(t, r)
		if err := spdxlib.ValidateDocument(d); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d.SPDXVersion != "SPDX-2.3" || d.DataLicense != "CC0-1.0" || strings.Contains(d.DocumentNamespace, "#") {
			t.Errorf("%s: %s %s %s", name, d.SPDXVersion, d.DataLicense, d.DocumentNamespace)
		}
		seen := map[string]bool{"DOCUMENT": true}
		for _, p := range d.Packages {
			key := string(p.PackageSPDXIdentifier)
			if seen[key] || !id.MatchString(key) {
				t.Errorf("%s: id %q stands twice or has a wrong sign", name, key)
			}
			seen[key] = true
			if p.PackageName == "" || p.PackageDownloadLocation == "" || p.FilesAnalyzed {
				t.Errorf("%s: %s lacks what a package must have", name, key)
			}
			checkDeclared(t, name, d, p.PackageLicenseDeclared)
		}
		described := 0
		for _, x := range d.Relationships {
			if x.Relationship == "DESCRIBES" {
				described++
			}
		}
		if described != 1 || len(d.Relationships) != len(d.Packages) {
			t.Errorf("%s: %d described, %d relationships of %d packages", name, described, len(d.Relationships), len(d.Packages))
		}
		if len(d.Annotations) != len(newView(r, Options{}).gaps) {
			t.Errorf("%s: %d annotations", name, len(d.Annotations))
		}
	}
}

// checkDeclared parses a licence expression and finds each LicenseRef in the document.
func checkDeclared(t *testing.T, name string, d *spdx.Document, text string) {
	t.Helper()
	if text == noAssertion {
		return
	}
	p := &licenceParser{list: readLicences(), tokens: licenceTokens(text)}
	if got, ok := p.expression(0); !ok || p.at != len(p.tokens) || got != text {
		t.Errorf("%s: %q is no SPDX expression", name, text)
	}
	for _, word := range licenceTokens(text) {
		if strings.HasPrefix(word, "LicenseRef-") && !slices.ContainsFunc(d.OtherLicenses, func(o *spdx.OtherLicense) bool {
			return o.LicenseIdentifier == word && o.ExtractedText != ""
		}) {
			t.Errorf("%s: %s has no text", name, word)
		}
	}
}

func TestSPDXPackages(t *testing.T) {
	d := readSPDX(t, debian())
	by := map[string]*spdx.Package{}
	for _, p := range d.Packages {
		by[p.PackageName] = p
	}
	if p := by[debian().Name]; p.PrimaryPackagePurpose != "CONTAINER" || p.PackageChecksums[0].Value != debian().Digest.Hex() {
		t.Errorf("image: %+v", p)
	}
	bsd := by["bsdutils"]
	if !regexp.MustCompile(`^GPL-2.0-or-later AND BSD-4-Clause AND LicenseRef-public-domain-[0-9a-f]{8}$`).MatchString(bsd.PackageLicenseDeclared) {
		t.Errorf("bsdutils: %s", bsd.PackageLicenseDeclared)
	}
	if !strings.Contains(bsd.PackageSourceInfo, "source package util-linux 2.38.1-5") || !strings.Contains(bsd.PackageSourceInfo, "/var/lib/dpkg/status") {
		t.Errorf("bsdutils: %s", bsd.PackageSourceInfo)
	}
	if p := by["github.com/foo/bar"]; p.PackageLicenseDeclared != noAssertion || p.PackageExternalReferences[0].Locator != "pkg:golang/github.com/foo/bar@v1.2.3" {
		t.Errorf("bar: %+v", p)
	}
	if p := by["pyyaml"]; !strings.Contains(p.PackageSourceInfo, "python3-yaml") {
		t.Errorf("pyyaml: %s", p.PackageSourceInfo)
	}
}

func TestSPDXNamespaceFollowsTheDigest(t *testing.T) {
	a, b := debian(), debian()
	b.Digest = breakwater.Digest("sha256:" + strings.Repeat("0", 64))
	if readSPDX(t, a).DocumentNamespace == readSPDX(t, b).DocumentNamespace {
		t.Error("two images have one namespace")
	}
}
