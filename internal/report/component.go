package report

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"github.com/package-url/packageurl-go"

	"breakwater"
)

// component is one piece of software for an SBOM: the packages of an inventory
// that are the same thing in several places.
type component struct {
	breakwater.Package // the first of them; Licences are of all
	id                 identity
	Ref                string  // unique in the report
	Places             []place // where it lies, sorted
}

type place struct {
	Path  string
	Layer breakwater.Digest
}

// identity is what makes two packages the same component.
type identity struct{ kind, name, version, arch, purl, owner string }

func identityOf(p breakwater.Package) identity {
	return identity{p.Type, p.Name, p.Version, p.Arch, p.PURL, p.OwnedBy}
}

// components gathers the packages of the inventory, and those that only a
// vulnerability names, so that every affected package can be referred to.
func components(v *view) []component {
	list := slices.Clone(v.Inventory.Packages)
	for _, vul := range v.Vulnerabilities {
		list = append(list, vul.Found...)
	}
	at := map[identity]int{}
	var out []component
	for _, p := range list {
		id := identityOf(p)
		i, ok := at[id]
		if !ok {
			i = len(out)
			at[id] = i
			first := p
			first.Licences = slices.Clone(p.Licences)
			out = append(out, component{Package: first, id: id})
		}
		out[i].add(p)
	}
	for i := range out {
		c := &out[i]
		slices.SortFunc(c.Places, func(a, b place) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Layer, b.Layer)) })
		c.Places = slices.Compact(c.Places)
	}
	slices.SortStableFunc(out, func(a, b component) int { return comparePackages(a.Package, b.Package) })
	reference(out)
	return out
}

func (c *component) add(p breakwater.Package) {
	c.Places = append(c.Places, place{p.Path, p.Layer})
	for _, l := range p.Licences {
		if !slices.Contains(c.Licences, l) {
			c.Licences = append(c.Licences, l)
		}
	}
	if c.SourceName == "" {
		c.SourceName, c.SourceVersion = p.SourceName, p.SourceVersion
	}
}

// reference gives each component a name that no other has: its package URL where
// that is enough.
func reference(list []component) {
	seen := map[string]bool{}
	for i := range list {
		c := &list[i]
		c.PURL = exchangePURL(c.Package)
		ref := c.PURL
		if ref == "" || seen[ref] {
			ref += "#" + shortHash(c.id.kind, c.id.name, c.id.version, c.id.arch, c.id.purl, c.id.owner)
		}
		for seen[ref] {
			ref += "+"
		}
		seen[ref] = true
		c.Ref = ref
	}
}

// exchangePURL is the package URL as the readers of SBOMs look for it: with the
// source package that a distribution's advisories speak of (upstream, as syft
// writes it and grype reads it), and a Go module's version with its v.
func exchangePURL(p breakwater.Package) string {
	purl := validPURL(p.PURL)
	switch {
	case purl == "" || strings.Contains(purl, "#"):
	case p.Kind == breakwater.PackageOS && p.SourceName != "" && (p.SourceName != p.Name || p.SourceVersion != p.Version) && !strings.Contains(purl, "upstream="):
		source := p.SourceName
		switch {
		case strings.HasPrefix(purl, "pkg:rpm/"): // the name of the source package's file, which has no epoch
			version := cmp.Or(p.SourceVersion, p.Version)
			source += "-" + version[strings.IndexByte(version, ':')+1:] + ".src.rpm"
		case p.SourceVersion != "" && p.SourceVersion != p.Version:
			source += "@" + p.SourceVersion
		}
		joint := "?"
		if strings.Contains(purl, "?") {
			joint = "&" // qualifiers are sorted, and upstream is last of ours
		}
		return validPURL(purl + joint + "upstream=" + url.QueryEscape(source))
	case strings.HasPrefix(purl, "pkg:golang/") && !strings.HasPrefix(purl, "pkg:golang/stdlib@"):
		if at := strings.LastIndexByte(purl, '@'); at > 0 && at+1 < len(purl) && purl[at+1] >= '0' && purl[at+1] <= '9' {
			return purl[:at+1] + "v" + purl[at+1:]
		}
	}
	return purl
}

// validPURL is the package URL, or nothing when it cannot be read as one.
func validPURL(s string) string {
	if s == "" {
		return ""
	}
	if _, err := packageurl.FromString(s); err != nil {
		return ""
	}
	return s
}

// byIdentity finds the component of a package.
func byIdentity(list []component) map[identity]*component {
	out := make(map[identity]*component, len(list))
	for i := range list {
		out[list[i].id] = &list[i]
	}
	return out
}

// imagePURL is the package URL of the image itself (purl-spec, type "oci": the
// last part of the repository in lower case, the manifest's digest as version).
// A file's name is no repository, and has none.
func (v *view) imagePURL() string {
	if v.File {
		return ""
	}
	repository, tag := v.repository()
	name := strings.ToLower(repository[strings.LastIndexByte(repository, '/')+1:])
	var q []packageurl.Qualifier
	if arch := v.Inventory.Platform.Architecture; arch != "" {
		q = append(q, packageurl.Qualifier{Key: "arch", Value: arch})
	}
	if strings.Contains(repository, "/") {
		q = append(q, packageurl.Qualifier{Key: "repository_url", Value: strings.ToLower(repository)})
	}
	if tag != "" {
		q = append(q, packageurl.Qualifier{Key: "tag", Value: tag})
	}
	purl := packageurl.NewPackageURL(packageurl.TypeOCI, "", name, string(v.manifest()), q, "")
	return purl.ToString()
}

// manifest is the digest that a registry may know the image by.
func (v *view) manifest() breakwater.Digest {
	if v.Made {
		return ""
	}
	return v.Digest
}

// repository splits the image's name; an archive's name is taken whole.
func (v *view) repository() (repository, tag string) {
	name, _, _ := strings.Cut(v.Name, "@")
	last := strings.LastIndexByte(name, '/') + 1
	if i := strings.LastIndexByte(name[last:], ':'); i >= 0 {
		name, tag = name[:last+i], name[last+i+1:]
	}
	if name == "" || strings.HasSuffix(name, "/") {
		name += "image"
	}
	return name, tag
}

// shortHash is 16 hex digits that stand for the parts.
func shortHash(parts ...string) string {
	return hashOf(parts...)[:16]
}

func hashOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}

// uuid is a UUID that the digest, the name, the program and the time decide
// (RFC 9562, section 5.8, "UUID Version 8": made of our own hash).
func (v *view) uuid(purpose string) string {
	h := []byte(hashOf(purpose, string(v.Digest), v.Name, v.Tool, v.Version, v.timestamp()))
	h[12] = '8'
	h[16] = "89ab"[h[16]&3]
	s := string(h)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:32]
}

func (v *view) timestamp() string { return v.Time.Format("2006-01-02T15:04:05Z") }

// hexOf is the digest's hex, and whether it is a sha256.
func hexOf(d breakwater.Digest) (string, bool) {
	if d.Algorithm() != "sha256" {
		return "", false
	}
	if _, err := hex.DecodeString(d.Hex()); err != nil || len(d.Hex()) != sha256.Size*2 {
		return "", false
	}
	return d.Hex(), true
}
