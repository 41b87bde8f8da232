package detect

import (
	"bytes"
	"context"
	"path"
	"strings"

	"breakwater"

	"github.com/google/osv-scalibr/purl"
	packageurl "github.com/package-url/packageurl-go"
)

// swiftPin is one entry of Package.resolved.
type swiftPin struct {
	Package  string `json:"package"`       // version 1
	URL      string `json:"repositoryURL"` // version 1
	Identity string `json:"identity"`
	Location string `json:"location"`
	State    struct {
		Version  string `json:"version"` // of a branch or a revision: null
		Revision string `json:"revision"`
	} `json:"state"`
}

// readSwift reads Package.resolved, versions 1 to 3 (SwiftPM's PinsStore). scalibr
// does not read version 1, and keeps user and token of an address in the name.
func readSwift(_ context.Context, _ *Detector, in input) (Facts, error) {
	var doc struct {
		Pins   []swiftPin `json:"pins"`
		Object struct {
			Pins []swiftPin `json:"pins"`
		} `json:"object"`
	}
	if err := decode(in, &doc); err != nil {
		return Facts{}, err
	}
	var f Facts
	for _, pin := range append(doc.Pins, doc.Object.Pins...) {
		if p, ok := pin.as(in.Path); ok {
			f.Packages = append(f.Packages, p)
		}
	}
	return f, nil
}

// as names a package as OSV does, by the address of its repository. What is
// pinned to a revision, comes from a registry or lies on disk has no advisories.
func (pin swiftPin) as(from string) (breakwater.Package, bool) {
	name, version := repositoryName(pin.Location+pin.URL), pin.State.Version
	known := name != "" && version != ""
	if name == "" {
		name = pin.Identity + pin.Package
	}
	if version == "" {
		version = pin.State.Revision
	}
	if name == "" {
		return breakwater.Package{}, false
	}
	p := app(purl.TypeSwift, name, version, from)
	if !known {
		p.Ecosystem = ""
	}
	space, last := path.Split(name)
	p.PURL = packageurl.NewPackageURL(purl.TypeSwift, strings.TrimSuffix(space, "/"), last, version, nil, "").String()
	return p, true
}

// repositoryName is HOST/PATH of a repository's address: https://u:t@h/a/b.git,
// ssh://git@h/a/b, git@h:a/b.git. It is empty for a path on disk.
func repositoryName(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	switch {
	case !ok:
		rest = address
		if at, colon := strings.IndexByte(rest, '@'), strings.IndexByte(rest, ':'); at < 0 || colon < at {
			return ""
		}
		rest = strings.Replace(rest, ":", "/", 1)
	case strings.EqualFold(scheme, "file"):
		return ""
	}
	host, repository, _ := strings.Cut(rest, "/")
	host = host[strings.LastIndexByte(host, '@')+1:]
	host, _, _ = strings.Cut(host, ":") // the port
	repository = strings.TrimSuffix(strings.Trim(repository, "/"), ".git")
	if host == "" || repository == "" {
		return ""
	}
	return strings.ToLower(host) + "/" + repository
}

// readPodfile reads Podfile.lock: below PODS a list of NAME[/PART] (VERSION), each
// perhaps with a list of what it needs further in (CocoaPods' lockfile.rb). It is
// read by line: scalibr gives it to a YAML parser that compares each key with each
// other, and lists the parts of a pod as packages.
func readPodfile(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	var f Facts
	pods, found := false, len(bytes.TrimSpace(b)) == 0
	for raw := range bytes.Lines(b) {
		line := strings.TrimRight(string(raw[:min(len(raw), 4*maxName)]), "\r\n")
		if line != "" && line[0] != ' ' {
			pods = line == "PODS:"
			found = found || pods
			continue
		}
		entry, ok := strings.CutPrefix(line, "  - ")
		if !pods || !ok {
			continue
		}
		entry = strings.Trim(strings.TrimSuffix(entry, ":"), `"`)
		name, version, ok := strings.Cut(entry, " (")
		name, _, _ = strings.Cut(name, "/")
		if version = strings.TrimSuffix(version, ")"); !ok || name == "" || version == "" {
			continue
		}
		if len(f.Packages) > maxPackages {
			return f, errMany
		}
		f.Packages = append(f.Packages, app(purl.TypeCocoapods, name, version, in.Path))
	}
	if !found && !bytes.Contains(b, []byte("PODFILE CHECKSUM:")) {
		return f, errForm
	}
	return f, nil
}
