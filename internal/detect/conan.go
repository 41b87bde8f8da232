package detect

import (
	"context"
	"strings"

	"breakwater"

	"github.com/google/osv-scalibr/purl"
	packageurl "github.com/package-url/packageurl-go"
)

// readConan reads conan.lock: of Conan 1 a graph of nodes, of Conan 2 lists of
// references (Conan's documentation, "Lockfiles"). scalibr drops user and channel,
// so that somebody's fork would be judged as the package of ConanCenter.
func readConan(_ context.Context, _ *Detector, in input) (Facts, error) {
	var lock struct {
		Graph struct {
			Nodes map[string]struct {
				Ref  string `json:"ref"`
				Pref string `json:"pref"` // before Conan 1.28: with the binary's id
				Path string `json:"path"` // of a recipe on disk: the project itself
			} `json:"nodes"`
		} `json:"graph_lock"`
		Requires       []string `json:"requires"`
		BuildRequires  []string `json:"build_requires"`
		PythonRequires []string `json:"python_requires"`
	}
	if err := decode(in, &lock); err != nil {
		return Facts{}, err
	}
	var f Facts
	add := func(ref string) {
		if p, ok := conanPackage(ref, in.Path); ok {
			f.Packages = append(f.Packages, p)
		}
	}
	for _, n := range lock.Graph.Nodes {
		if n.Path == "" {
			add(n.Ref + n.Pref) // never both
		}
	}
	for _, list := range [][]string{lock.Requires, lock.BuildRequires, lock.PythonRequires} {
		for _, ref := range list {
			add(ref)
		}
	}
	return f, nil
}

// conanPackage reads NAME/VERSION[@USER[/CHANNEL]][#REVISION][:BINARY…][%TIME]. A
// package with a user is not ConanCenter's; Conan 1 writes _ for none.
func conanPackage(ref, path string) (p breakwater.Package, ok bool) {
	if i := strings.IndexAny(ref, "#:%"); i >= 0 {
		ref = ref[:i]
	}
	ref, owner, _ := strings.Cut(ref, "@")
	name, version, _ := strings.Cut(ref, "/")
	if name == "" || version == "" {
		return p, false
	}
	p = app(purl.TypeConan, name, version, path)
	user, channel, _ := strings.Cut(owner, "/")
	if user == "" || user == "_" {
		return p, true
	}
	p.Ecosystem = ""
	q := map[string]string{"user": user}
	if channel != "" {
		q["channel"] = channel
	}
	if len(owner) <= maxName {
		p.PURL = packageurl.NewPackageURL(purl.TypeConan, "", name, version, packageurl.QualifiersFromMap(q), "").String()
	}
	return p, true
}
