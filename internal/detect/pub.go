package detect

import (
	"context"

	"github.com/google/osv-scalibr/purl"
	"gopkg.in/yaml.v3"
)

// readPubspec reads pubspec.lock of Dart and Flutter (dart.dev, "pub lockfile").
// scalibr takes the SDK's own packages, directories of the project and repositories
// for packages of pub.dev. An empty file is a project without packages.
func readPubspec(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	var doc yaml.Node
	if yaml.Unmarshal(b, &doc) != nil {
		return Facts{}, errForm
	}
	if doc.Kind == 0 {
		return Facts{}, nil
	}
	var f Facts
	ok := pairs(&doc, "packages", func(name string, p *yaml.Node) {
		source, version := word(p, "source"), word(p, "version")
		if name == "" || version == "" || source != "hosted" && source != "git" {
			return
		}
		pkg := app(purl.TypePub, name, version, in.Path)
		if source == "git" {
			pkg.Ecosystem = "" // any revision that calls itself so
		}
		f.Packages = append(f.Packages, pkg)
	})
	if !ok {
		return f, errForm
	}
	return f, nil
}
