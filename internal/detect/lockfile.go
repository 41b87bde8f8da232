package detect

import (
	"bytes"
	"context"
	"encoding/json"
	"path"
	"strings"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/requirements"
	"github.com/google/osv-scalibr/purl"
	"golang.org/x/mod/modfile"
)

// npm's and composer's lock files are read here: scalibr searches the whole
// file again for the line of every entry, which is seconds for a real project
// and hours for a hostile one.

// npmLock is package-lock.json: version 1 has Dependencies, version 3 Packages,
// version 2 both, and then Packages is the whole truth.
type npmLock struct {
	Packages     map[string]npmPackage    `json:"packages"`
	Dependencies map[string]npmDependency `json:"dependencies"`
}

type npmPackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Link    bool   `json:"link"`
}

type npmDependency struct {
	Version      string                   `json:"version"`
	Dependencies map[string]npmDependency `json:"dependencies"`
}

func readNPMLock(_ context.Context, _ *Detector, in input) (Facts, error) {
	var lock npmLock
	if err := decode(in, &lock); err != nil {
		return Facts{}, err
	}
	var f Facts
	if lock.Packages == nil {
		npmTree(&f, lock.Dependencies, in.Path)
		return f, nil
	}
	for at, p := range lock.Packages {
		// "" is the project; a path without node_modules is a workspace of it.
		i := strings.LastIndex("/"+at, "/node_modules/")
		if i < 0 || p.Link || p.Version == "" {
			continue
		}
		name := p.Name // set where the directory has another name: an alias
		if name == "" {
			name = at[i+len("node_modules/"):]
		}
		f.Packages = append(f.Packages, app(purl.TypeNPM, name, p.Version, in.Path))
	}
	return f, nil
}

// npmTree walks a version 1 file. encoding/json bounds how deep it can nest.
func npmTree(f *Facts, deps map[string]npmDependency, from string) {
	for name, d := range deps {
		npmTree(f, d.Dependencies, from)
		version := d.Version
		if alias, ok := strings.CutPrefix(version, "npm:"); ok {
			if i := strings.LastIndexByte(alias, '@'); i > 0 {
				name, version = alias[:i], alias[i+1:]
			}
		}
		if version == "" || strings.ContainsAny(version, ":/") {
			continue // a file, a URL or a repository has no version to speak of
		}
		f.Packages = append(f.Packages, app(purl.TypeNPM, name, version, from))
	}
}

// isComposer matches a project's lock file and composer's list of what it has
// installed; the lock files that packages bring along are not the project's.
func isComposer(p string) bool {
	if path.Base(p) == "composer.lock" {
		return !insidePackage(p) && !strings.Contains("/"+p, "/vendor/")
	}
	return strings.HasSuffix("/"+p, "/composer/installed.json")
}

type composerPackage struct {
	Name    string  `json:"name"`
	Version string  `json:"version"`
	Licence licence `json:"license"`
}

// licence is a list, or in old files one word.
type licence []string

func (l *licence) UnmarshalJSON(b []byte) error {
	var many []string
	if json.Unmarshal(b, &many) == nil {
		*l = many
		return nil
	}
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = licence{one}
	}
	return nil // a licence of another shape is no reason to lose the package
}

func readComposer(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	var list struct {
		Packages []composerPackage `json:"packages"`
		Dev      []composerPackage `json:"packages-dev"`
	}
	if trimmed := bytes.TrimSpace(b); bytes.HasPrefix(trimmed, []byte("[")) {
		err = json.Unmarshal(trimmed, &list.Packages) // installed.json of composer 1
	} else {
		err = json.Unmarshal(b, &list)
	}
	if err != nil {
		err = errForm
	}
	var f Facts
	for _, p := range append(list.Packages, list.Dev...) {
		pkg := app(purl.TypeComposer, p.Name, p.Version, in.Path)
		pkg.Licences = licences(p.Licence)
		f.Packages = append(f.Packages, pkg)
	}
	return f, err
}

// readRequirements keeps what is pinned to one version: a range is a wish, and
// what pip made of it stands in the installed metadata.
func readRequirements(ctx context.Context, d *Detector, in input) (Facts, error) {
	found, err := extract(ctx, d.use.requirements, in)
	pinned := found[:0]
	for _, p := range found {
		m, ok := p.Metadata.(*requirements.Metadata)
		if ok && (m.VersionComparator == "==" || m.VersionComparator == "===") && !strings.ContainsAny(p.Version, "*,<>! ") {
			pinned = append(pinned, p)
		}
	}
	return Facts{Packages: convert(pinned, in.Path)}, err
}

// readGoMod lists the requirements. The go directive is left out: it is the
// least version that may compile the module, not a standard library that is there.
func readGoMod(ctx context.Context, d *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	switch modfile.ModulePath(b) {
	case "std", "cmd", "misc":
		return Facts{}, nil // the toolchain's own sources
	}
	in.r = bytes.NewReader(b)
	found, err := extract(ctx, d.use.gomod, in)
	kept := make([]*extractor.Package, 0, len(found))
	for _, p := range found {
		if p.Name != "stdlib" && p.Name != "go" && p.Version != "" {
			kept = append(kept, p)
		}
	}
	return Facts{Packages: convert(kept, in.Path)}, err
}

func decode(in input, to any) error {
	b, err := in.all()
	if err != nil {
		return err
	}
	if json.Unmarshal(b, to) != nil {
		return errForm
	}
	return nil
}

var _ json.Unmarshaler = (*licence)(nil)
