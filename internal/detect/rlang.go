package detect

import (
	"bytes"
	"context"
	"path"
	"strings"

	"breakwater"

	"github.com/google/osv-scalibr/purl"
)

// isInstalledR matches LIBRARY/PACKAGE/DESCRIPTION. A library is called library
// or site-library; a user's x86_64-pc-linux-gnu-library has R's version below it,
// and renv's has its distribution, R and platform there and links into a cache.
func isInstalledR(p string) bool {
	dir, ok := strings.CutSuffix(p, "/DESCRIPTION")
	if !ok {
		return false
	}
	for range 5 {
		if dir = path.Dir(dir); dir == "." {
			return false
		}
		if strings.HasSuffix(dir, "library") {
			return true
		}
	}
	return strings.Contains("/"+p, "/renv/cache/")
}

// readDescription reads the metadata of an installed package (Writing R
// Extensions, "The DESCRIPTION file"). R adds the field Built when it installs
// one; a file without it is source code. No extractor of scalibr reads it.
func readDescription(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	field := map[string]string{}
	key := ""
	for line := range bytes.Lines(b) {
		text := string(line[:min(len(line), 4*maxName)])
		if strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\t") {
			if key == "License" && len(field[key]) < maxName {
				field[key] += " " + strings.TrimSpace(text)
			}
			continue
		}
		value := ""
		key, value, _ = strings.Cut(text, ":")
		switch key {
		case "Package", "Version", "License", "Built", "Repository", "RemoteType", "git_url":
			field[key] = strings.ToValidUTF8(strings.TrimSpace(value), "?")
		}
	}
	if field["Built"] == "" {
		return Facts{}, nil
	}
	if field["Package"] == "" || field["Version"] == "" {
		return Facts{}, errForm
	}
	p := app(purl.TypeCran, field["Package"], field["Version"], in.Path)
	p.Licences = licences([]string{field["License"]})
	switch from := field["RemoteType"]; {
	case strings.HasPrefix(field["Repository"], "Bioc"), strings.Contains(field["git_url"], "git.bioconductor.org"), strings.HasPrefix(from, "bioc"):
		p.Ecosystem = bioconductor
	case from != "" && from != "standard" && from != "cran":
		p.Ecosystem = "" // a revision of a repository, a directory
	}
	return one(p), nil
}

// bioconductor is OSV's name for R's other repository; its package URLs are CRAN's.
const bioconductor = "Bioconductor"

// readRenv reads renv.lock (renv's documentation, "lockfiles"). scalibr keeps only
// what the lock file says is from a repository called CRAN; where packages come
// from a mirror the name is the mirror's, RSPM in the images of Rocker and Posit.
func readRenv(_ context.Context, _ *Detector, in input) (Facts, error) {
	var lock struct {
		Packages map[string]struct {
			Package string  `json:"Package"`
			Version string  `json:"Version"`
			Source  string  `json:"Source"`
			Licence licence `json:"License"`
		} `json:"Packages"`
	}
	if err := decode(in, &lock); err != nil {
		return Facts{}, err
	}
	var f Facts
	for name, l := range lock.Packages {
		if l.Package != "" {
			name = l.Package
		}
		if name == "" || l.Version == "" {
			continue
		}
		p := app(purl.TypeCran, name, l.Version, in.Path)
		p.Licences = licences(l.Licence)
		switch l.Source {
		case "Repository", "CRAN", "":
		case bioconductor:
			p.Ecosystem = bioconductor
		default:
			p.Ecosystem = "" // GitHub, GitLab, URL, Local, unknown
		}
		f.Packages = append(f.Packages, p)
	}
	return f, nil
}

// one is the facts of a file that describes one package.
func one(p breakwater.Package) Facts { return Facts{Packages: []breakwater.Package{p}} }
