package report

import (
	"cmp"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

const noAssertion = "NOASSERTION"

// writeSPDX writes SPDX 2.3 JSON.
func writeSPDX(w io.Writer, v *view) error {
	return json.Write(v.spdx(), w, json.Indent("  "), json.EscapeHTML(false))
}

func (v *view) spdx() *v2_3.Document {
	creator := v.Tool
	if v.Version != "" {
		creator += "-" + v.Version
	}
	name := cmp.Or(v.Name, "image")
	d := &v2_3.Document{
		SPDXVersion: v2_3.Version, DataLicense: v2_3.DataLicense, SPDXIdentifier: "DOCUMENT", DocumentName: name,
		DocumentNamespace: "https://spdx.org/spdxdocs/" + url.PathEscape(name) + "-" + v.uuid("spdx"),
		CreationInfo: &v2_3.CreationInfo{
			Creators: []common.Creator{{CreatorType: "Tool", Creator: creator}}, Created: v.timestamp(),
		},
	}
	extracted := map[string]*v2_3.OtherLicense{}
	root := v.spdxImage()
	d.Packages = append(d.Packages, root)
	relate := func(from, to common.ElementID, how string) {
		d.Relationships = append(d.Relationships, &v2_3.Relationship{
			RefA: common.DocElementID{ElementRefID: from}, RefB: common.DocElementID{ElementRefID: to}, Relationship: how})
	}
	relate(d.SPDXIdentifier, root.PackageSPDXIdentifier, common.TypeRelationshipDescribe)
	if system := v.spdxSystem(); system != nil {
		d.Packages = append(d.Packages, system)
		relate(root.PackageSPDXIdentifier, system.PackageSPDXIdentifier, common.TypeRelationshipContains)
	}
	for _, c := range v.software {
		p := spdxPackage(c, extracted)
		d.Packages = append(d.Packages, p)
		relate(root.PackageSPDXIdentifier, p.PackageSPDXIdentifier, common.TypeRelationshipContains)
	}
	for _, id := range sortedKeys(extracted) {
		d.OtherLicenses = append(d.OtherLicenses, extracted[id])
	}
	for _, g := range v.gaps {
		d.Annotations = append(d.Annotations, &v2_3.Annotation{
			Annotator:      common.Annotator{AnnotatorType: "Tool", Annotator: creator},
			AnnotationDate: v.timestamp(), AnnotationType: "OTHER", AnnotationComment: g.Text,
		})
	}
	return d
}

func (v *view) spdxImage() *v2_3.Package {
	p := newSPDXPackage("Image-"+shortHash(string(v.Digest), v.Name), cmp.Or(v.Name, "image"), string(v.Digest))
	p.PrimaryPackagePurpose = "CONTAINER"
	if hex, ok := hexOf(v.manifest()); ok {
		p.PackageChecksums = []common.Checksum{{Algorithm: common.SHA256, Value: hex}}
	}
	p.PackageExternalReferences = purlReference(v.imagePURL())
	return p
}

func (v *view) spdxSystem() *v2_3.Package {
	system := v.Inventory.OS
	if system.ID == "" {
		return nil
	}
	p := newSPDXPackage("OperatingSystem-"+shortHash(system.ID, system.VersionID), system.ID, system.VersionID)
	p.PrimaryPackagePurpose = "OPERATING-SYSTEM"
	p.PackageDescription = system.Name
	return p
}

// newSPDXPackage is a package with the fields that every one must have.
func newSPDXPackage(id, name, version string) *v2_3.Package {
	return &v2_3.Package{
		PackageSPDXIdentifier: common.ElementID(id), PackageName: name, PackageVersion: version,
		PackageSupplier:         &common.Supplier{Supplier: noAssertion},
		PackageDownloadLocation: noAssertion, PackageLicenseConcluded: noAssertion,
		PackageLicenseDeclared: noAssertion, PackageCopyrightText: noAssertion,
	}
}

func purlReference(purl string) []*v2_3.PackageExternalReference {
	if purl == "" {
		return nil
	}
	return []*v2_3.PackageExternalReference{{
		Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: purl}}
}

func spdxPackage(c component, extracted map[string]*v2_3.OtherLicense) *v2_3.Package {
	id := "Package-" + spdxWord(c.Type) + "-" + spdxWord(c.Name) + "-" + shortHash(c.Ref)
	p := newSPDXPackage(id, cmp.Or(c.Name, "unnamed"), c.Version)
	p.PrimaryPackagePurpose = "LIBRARY"
	p.PackageExternalReferences = purlReference(c.PURL)
	p.PackageLicenseDeclared = spdxLicence(c.Licences, extracted)
	p.PackageSourceInfo = sourceInfo(c)
	return p
}

// sourceInfo says where the package was seen and what it was built from.
func sourceInfo(c component) string {
	var parts []string
	for _, at := range c.Places {
		text := "read from /" + at.Path
		if at.Layer != "" {
			text += " in layer " + string(at.Layer)
		}
		parts = append(parts, text)
	}
	if c.SourceName != "" && (c.SourceName != c.Name || c.SourceVersion != c.Version) {
		parts = append(parts, strings.TrimSpace("built from source package "+c.SourceName+" "+c.SourceVersion))
	}
	if c.OwnedBy != "" {
		parts = append(parts, "installed by the system's package "+c.OwnedBy)
	}
	return strings.Join(parts, "; ")
}

// spdxWord makes a text fit for an SPDX identifier: letters, digits, "." and "-".
func spdxWord(s string) string {
	const limit = 60
	out := []byte(s[:min(len(s), limit)])
	for i, c := range out {
		if !idString(string(rune(c))) || c >= 0x80 {
			out[i] = '-'
		}
	}
	return string(out)
}

// spdxLicence is the declared licence: all of the package's joined by AND, and
// what is no SPDX expression as a LicenseRef whose words the document holds.
func spdxLicence(words []string, extracted map[string]*v2_3.OtherLicense) string {
	var parts []string
	for _, w := range words {
		l := readLicence(w)
		switch {
		case l.Words == "":
		case l.Expression != "" && !strings.Contains(l.Expression, "LicenseRef-"):
			parts = append(parts, l.Expression)
		default:
			id := "LicenseRef-" + strings.Trim(spdxWord(l.Words), "-.") + "-" + shortHash(l.Words)[:8]
			extracted[id] = &v2_3.OtherLicense{
				LicenseIdentifier: id, ExtractedText: l.Words, LicenseName: l.Words[:min(len(l.Words), 100)],
				LicenseComment: "The package's own words for its licence; the licence text was not read.",
			}
			if len(l.Words) > 100 {
				extracted[id].LicenseName = strings.ToValidUTF8(extracted[id].LicenseName, "")
			}
			parts = append(parts, id)
		}
	}
	return cmp.Or(conjunction(parts), noAssertion)
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
