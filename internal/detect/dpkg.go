package detect

import (
	"bufio"
	"bytes"
	"context"
	"path"
	"strings"

	"breakwater"

	dpkgmeta "github.com/google/osv-scalibr/extractor/filesystem/os/dpkg/metadata"
)

const (
	dpkgStatus  = "var/lib/dpkg/status"
	dpkgStatusD = "var/lib/dpkg/status.d/"
	dpkgInfo    = "var/lib/dpkg/info/"
)

// isDpkgStatus matches Debian's database and the directory that distroless
// images keep instead, one file a package.
func isDpkgStatus(p string) bool {
	return p == dpkgStatus || strings.HasPrefix(p, dpkgStatusD) && !strings.HasSuffix(p, ".md5sums")
}

// isDpkgFiles matches the lists of installed files of both.
func isDpkgFiles(p string) bool {
	return strings.HasPrefix(p, dpkgInfo) && strings.HasSuffix(p, ".list") ||
		strings.HasPrefix(p, dpkgStatusD) && strings.HasSuffix(p, ".md5sums")
}

// readDpkg keeps every package whose files are there. scalibr alone would keep
// those in state "installed" only, and an image built in one go often leaves
// libc-bin and its like in "triggers-pending".
func readDpkg(ctx context.Context, d *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	if bytes.Count(b, []byte("Package")) > maxPackages {
		return Facts{}, errMany
	}
	in.r = bytes.NewReader(b)
	found, err := extract(ctx, d.use.dpkg, in)
	var f Facts
	for _, p := range found {
		m, ok := p.Metadata.(*dpkgmeta.Metadata)
		if !ok || !unpacked(m.Status, in.Path) {
			continue
		}
		pkg := breakwater.Package{
			Name: p.Name, Version: p.Version, SourceName: p.Name, SourceVersion: p.Version,
			Kind: breakwater.PackageOS, Type: "deb", Arch: m.Architecture, Path: in.Path,
		}
		if m.SourceName != "" {
			pkg.SourceName = m.SourceName
		}
		if m.SourceVersion != "" {
			pkg.SourceVersion = m.SourceVersion
		}
		f.Packages = append(f.Packages, pkg)
	}
	return f, err
}

// unpacked reports whether the third word of a Status says that the files are
// installed (dpkg(1), "Package states"). status.d files carry no Status.
func unpacked(status, p string) bool {
	if status == "" {
		return strings.HasPrefix(p, dpkgStatusD)
	}
	words := strings.Fields(status)
	if len(words) != 3 {
		return false
	}
	switch words[2] {
	case "installed", "unpacked", "half-configured", "triggers-awaited", "triggers-pending":
		return true
	}
	return false
}

// readDpkgFiles reads which files a package owns: one path a line, in the
// md5sums form after a hash and two spaces.
func readDpkgFiles(_ context.Context, d *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	name, sums := strings.CutSuffix(path.Base(in.Path), ".md5sums")
	name = strings.TrimSuffix(name, ".list")
	name, _, _ = strings.Cut(name, ":") // libc6:amd64
	own := Ownership{Package: name}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		line := lines.Text()
		if sums {
			_, line, _ = strings.Cut(line, "  ")
		}
		if p := strings.TrimPrefix(line, "/"); p != "" && ownable(d.formats, p) {
			own.Paths = append(own.Paths, p)
		}
	}
	if len(own.Paths) == 0 {
		return Facts{}, lines.Err()
	}
	return Facts{Owns: []Ownership{own}}, lines.Err()
}
