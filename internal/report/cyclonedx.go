package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"breakwater"
)

// The names of our properties in an SBOM begin so.
const property = "breakwater:"

// writeCycloneDX writes CycloneDX 1.6 JSON.
func writeCycloneDX(w io.Writer, v *view) error {
	e := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON)
	e.SetPretty(true)
	e.SetEscapeHTML(false)
	return e.EncodeVersion(v.bom(), cdx.SpecVersion1_6)
}

func (v *view) bom() *cdx.BOM {
	bom := cdx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + v.uuid("cyclonedx")
	bom.Metadata = &cdx.Metadata{
		Timestamp:  v.timestamp(),
		Lifecycles: &[]cdx.Lifecycle{{Phase: cdx.LifecyclePhasePostBuild}},
		Tools:      &cdx.ToolsChoice{Components: &[]cdx.Component{v.cdxTool()}},
		Component:  v.cdxImage(),
		Properties: v.cdxProperties(),
	}
	root := bom.Metadata.Component.BOMRef
	list := make([]cdx.Component, 0, len(v.software)+1)
	if system := v.cdxSystem(); system != nil {
		list = append(list, *system)
	}
	for _, c := range v.software {
		list = append(list, v.cdxComponent(c))
	}
	bom.Components = &list
	refs := make([]string, 0, len(list))
	graph := []cdx.Dependency{{Ref: root, Dependencies: &refs}}
	for _, c := range list {
		refs = append(refs, c.BOMRef)
		graph = append(graph, cdx.Dependency{Ref: c.BOMRef})
	}
	bom.Dependencies = &graph
	vulnerabilities := v.cdxVulnerabilities()
	bom.Vulnerabilities = &vulnerabilities
	bom.Compositions = v.cdxCompositions(root, vulnerabilities)
	bom.Annotations = v.cdxAnnotations(root)
	return bom
}

func (v *view) cdxTool() cdx.Component {
	return cdx.Component{Type: cdx.ComponentTypeApplication, Name: v.Tool, Version: v.Version}
}

func (v *view) cdxImage() *cdx.Component {
	c := &cdx.Component{Type: cdx.ComponentTypeContainer, Name: cmp.Or(v.Name, "image"), Version: string(v.Digest)}
	c.PackageURL = v.imagePURL()
	c.BOMRef = "image:" + cmp.Or(c.PackageURL, string(v.Digest))
	if hex, ok := hexOf(v.manifest()); ok {
		c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex}}
	}
	var props []cdx.Property
	for i, l := range v.Inventory.Layers {
		props = append(props, cdx.Property{Name: fmt.Sprintf("%slayer:%d:digest", property, i+1), Value: string(l.Digest)})
		if l.DiffID != "" {
			props = append(props, cdx.Property{Name: fmt.Sprintf("%slayer:%d:diff_id", property, i+1), Value: string(l.DiffID)})
		}
	}
	c.Properties = properties(append(props, cdx.Property{Name: property + "platform", Value: v.platform()}))
	return c
}

// cdxProperties says what the SBOM was judged by.
func (v *view) cdxProperties() *[]cdx.Property {
	var list []cdx.Property
	add := func(name, value string) { list = append(list, cdx.Property{Name: property + name, Value: value}) }
	for _, l := range v.checks {
		add("check:"+string(l.Coverage.Check)+":state", string(l.Coverage.State))
	}
	for _, f := range v.Feeds {
		text := number(f.Records, "record")
		if !f.Dated.IsZero() {
			text += " of " + f.Dated.UTC().Format(time.RFC3339)
		}
		if f.Starter {
			text += ", as shipped with the program"
		}
		add("feed:"+f.Name, text)
	}
	if v.Exempted > 0 {
		add("exempted", fmt.Sprint(v.Exempted))
	}
	if v.Unfixed > 0 {
		add("unfixed_left_out", fmt.Sprint(v.Unfixed))
	}
	if v.Base != nil {
		add("base:name", v.Base.Name)
		add("base:digest", string(v.Base.Digest))
		add("base:layers", fmt.Sprint(v.Base.Layers))
	}
	return properties(list)
}

func (v *view) cdxSystem() *cdx.Component {
	system := v.Inventory.OS
	if system.ID == "" {
		return nil
	}
	return &cdx.Component{
		Type: cdx.ComponentTypeOS, BOMRef: "os:" + system.ID + "@" + system.VersionID,
		Name: system.ID, Version: system.VersionID, Description: system.Name,
	}
}

func (v *view) cdxComponent(p component) cdx.Component {
	c := cdx.Component{
		Type: cdx.ComponentTypeLibrary, BOMRef: p.Ref, Name: cmp.Or(p.Name, "unnamed"), Version: p.Version,
		PackageURL: p.PURL, Licenses: cdxLicences(p.Licences),
	}
	if p.Kind == breakwater.PackageApp && p.Type == "maven" {
		if group, artifact, ok := strings.Cut(p.Name, ":"); ok && artifact != "" {
			c.Group, c.Name = group, artifact
		}
	}
	props := []cdx.Property{
		{Name: property + "type", Value: p.Type},
		{Name: property + "ecosystem", Value: p.Ecosystem},
		{Name: property + "owned_by", Value: p.OwnedBy},
	}
	if p.SourceName != "" && (p.SourceName != p.Name || p.SourceVersion != p.Version) {
		props = append(props, cdx.Property{Name: property + "source:name", Value: p.SourceName},
			cdx.Property{Name: property + "source:version", Value: p.SourceVersion})
	}
	if p.Size > 0 {
		props = append(props, cdx.Property{Name: property + "size", Value: fmt.Sprint(p.Size)})
	}
	var seen []cdx.EvidenceOccurrence
	layers := map[breakwater.Digest]bool{}
	for _, at := range p.Places {
		props = append(props, cdx.Property{Name: property + "path", Value: at.Path})
		if at.Layer != "" && !layers[at.Layer] {
			layers[at.Layer] = true
			props = append(props, cdx.Property{Name: property + "layer:digest", Value: string(at.Layer)})
		}
		if at.Path == "" {
			continue
		}
		o := cdx.EvidenceOccurrence{Location: "/" + at.Path}
		if at.Layer != "" {
			o.AdditionalContext = "layer " + string(at.Layer)
		}
		seen = append(seen, o)
	}
	if len(seen) > 0 {
		c.Evidence = &cdx.Evidence{Occurrences: &seen}
	}
	c.Properties = properties(props)
	return c
}

// properties leaves out those without a value; nil when none is left.
func properties(list []cdx.Property) *[]cdx.Property {
	out := list[:0]
	for _, p := range list {
		if p.Value != "" {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return &out
}

// cdxLicences uses an id where each licence is one, else a single expression
// where all can be said in one, else the package's own words. (A list may hold
// ids and names, or one expression, never both.)
func cdxLicences(words []string) *cdx.Licenses {
	var out cdx.Licenses
	compound := false
	seen := map[string]bool{}
	for _, w := range words {
		l := readLicence(w)
		choice := &cdx.License{ID: l.Expression}
		if !l.Simple || l.Young || strings.HasPrefix(l.Expression, "LicenseRef-") {
			choice = &cdx.License{Name: l.Words}
			compound = compound || l.Expression != ""
		}
		key := choice.ID + "\x00" + choice.Name
		if l.Words == "" || seen[key] {
			continue
		}
		seen[key] = true
		out = append(out, cdx.LicenseChoice{License: choice})
	}
	if compound {
		if all := joinLicences(words); all != "" {
			return &cdx.Licenses{{Expression: all}}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return &out
}
