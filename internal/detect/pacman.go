package detect

import (
	"bytes"
	"context"
	"path"
	"strconv"
	"strings"

	"breakwater"
)

// pacmanLocal holds a directory NAME-VERSION-RELEASE for each package that Arch
// Linux and its like have installed (libalpm, "be_local").
const pacmanLocal = "var/lib/pacman/local/"

// typePacman is the type of their package URLs.
const typePacman = "alpm"

func inPacman(p, file string) bool {
	rest, ok := strings.CutPrefix(p, pacmanLocal)
	dir, base, _ := strings.Cut(rest, "/")
	return ok && dir != "" && base == file
}

// isPacman matches the description of a package.
func isPacman(p string) bool { return inPacman(p, "desc") }

// isPacmanFiles matches the list of its files.
func isPacmanFiles(p string) bool { return inPacman(p, "files") }

// readPacman reads one package. scalibr's extractor drops its architecture, the
// package it was built from, licences and size, and gives it a package URL of a
// type that is not the registered one.
func readPacman(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	pkg := breakwater.Package{Kind: breakwater.PackageOS, Type: typePacman, Path: in.Path}
	var named []string
	pacmanSections(b, func(section, value string) {
		switch section {
		case "NAME":
			pkg.Name = value
		case "VERSION":
			pkg.Version = value
		case "BASE":
			pkg.SourceName = value
		case "ARCH":
			pkg.Arch = value
		case "LICENSE":
			if len(named) < maxLicences {
				named = append(named, value)
			}
		case "SIZE":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
				pkg.Size = n
			}
		}
	})
	if pkg.Name == "" || pkg.Version == "" {
		return Facts{}, errForm
	}
	if pkg.SourceName == "" {
		pkg.SourceName = pkg.Name
	}
	pkg.SourceVersion = pkg.Version
	pkg.Licences = licences(named)
	return one(pkg), nil
}

// readPacmanFiles reads which files a package owns.
func readPacmanFiles(_ context.Context, d *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	name := path.Base(path.Dir(in.Path))
	for range 2 { // off with release and version
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i]
		}
	}
	own := owning{formats: d.formats, own: Ownership{Package: name}}
	pacmanSections(b, func(section, value string) {
		if section == "FILES" && !strings.HasSuffix(value, "/") {
			own.add(value)
		}
	})
	return Facts{Owns: own.done()}, nil
}

// pacmanSections calls each for every line below a %SECTION%, which an empty line
// ends.
func pacmanSections(b []byte, each func(section, value string)) {
	section := ""
	for raw := range bytes.Lines(b) {
		line := strings.TrimSpace(string(raw[:min(len(raw), 16*maxName)]))
		name, ok := strings.CutPrefix(line, "%")
		switch {
		case line == "":
			section = ""
		case section == "" && ok && strings.HasSuffix(name, "%"):
			section = strings.TrimSuffix(name, "%")
		case section != "":
			each(section, line)
		}
	}
}
