package oci

import (
	"encoding/json"
	"strings"

	"breakwater"
)

// The annotations that name an image in index.json: the OCI layout's own
// (image-layout.md; often only a tag), and containerd's, with registry and all.
const (
	annotationName       = "org.opencontainers.image.ref.name"
	annotationContainerd = "io.containerd.image.name"
)

// readLayout reads the index of an OCI image layout (image-layout.md).
func (a *Archive) readLayout(index []byte) error {
	version, err := a.small("oci-layout", 64<<10)
	if err == nil {
		var w struct {
			Version string `json:"imageLayoutVersion"`
		}
		if json.Unmarshal(version, &w) != nil || !strings.HasPrefix(w.Version, "1.") {
			return badArchive("the OCI layout is of an unknown version")
		}
	} else if !breakwater.IsNotFound(err) { // some tools leave it out of a tar
		return err
	}
	doc, err := Parse(Manifest{Body: index})
	if err != nil {
		return err
	}
	if !doc.IsIndex() {
		return badArchive("index.json is not an index")
	}
	if len(doc.Manifests) > MaxChildren {
		return coded(breakwater.Errorf(breakwater.KindTooLarge, "the archive holds more than %d images", MaxChildren), breakwater.CodeOverSized)
	}
	for _, d := range doc.Manifests {
		r := Root{Descriptor: d}
		for _, key := range []string{annotationContainerd, annotationName} {
			if name := d.Annotations[key]; name != "" {
				r.Names = append(r.Names, name)
			}
		}
		a.addRoot(r)
	}
	return nil
}

// addRoot joins what is said of one digest at several places: "docker save"
// lists an image once for each of its names.
func (a *Archive) addRoot(r Root) {
	for i := range a.roots {
		if a.roots[i].Digest == r.Digest {
			a.roots[i].Names = append(a.roots[i].Names, r.Names...)
			return
		}
	}
	a.roots = append(a.roots, r)
}

// named reports whether a root goes by a name: as the archive says it, as its
// tag, its digest, or another way of writing the same image.
func (r Root) named(name string) bool {
	if name == r.Digest.String() {
		return true
	}
	want, err := Locate(name)
	for _, n := range r.Names {
		if n == name || CheckTag(name) == nil && strings.HasSuffix(n, ":"+name) {
			return true
		}
		if has, herr := Locate(n); err == nil && herr == nil && has.Host == want.Host && has.Reference == want.Reference {
			return true
		}
	}
	return false
}

// root is the only root with a name.
func (a *Archive) root(name string) (Root, error) {
	var found []Root
	for _, r := range a.roots {
		if r.named(name) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return Root{}, breakwater.Errorf(breakwater.KindNotFound, "the archive holds no image of that name; it holds %s", list(a.roots))
	case 1:
		return found[0], nil
	}
	return Root{}, breakwater.Invalid("image", "the archive holds several images of that name: %s", list(found))
}

// list is the names of roots for people, not too many of them.
func list(roots []Root) string {
	if len(roots) == 0 {
		return "none"
	}
	var out []string
	for i, r := range roots {
		if i == 20 {
			out = append(out, "…")
			break
		}
		name := r.Digest.String()
		if len(r.Names) > 0 {
			name = printable(r.Names[0])
		}
		if r.Platform != (breakwater.Platform{}) {
			name += " (" + printable(r.Platform.String()) + ")"
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

func printable(s string) string {
	if len(s) > 300 {
		s = s[:300]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
