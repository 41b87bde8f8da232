package detect

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"breakwater"

	rpmdb "github.com/erikvarga/go-rpmdb/pkg"
	_ "modernc.org/sqlite" // the database/sql driver that go-rpmdb asks for by name
)

// rpmTimeout bounds reading one database; a damaged Berkeley DB can loop.
const rpmTimeout = 2 * time.Minute

func isRPM(p string) bool {
	dir, base := path.Split(p)
	switch dir {
	case "var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/":
		return base == "Packages" || base == "Packages.db" || base == "rpmdb.sqlite"
	}
	return false
}

// readRPM reads all three database formats through go-rpmdb, the library below
// scalibr's extractor, because that one drops the file lists.
func readRPM(ctx context.Context, d *Detector, in input) (Facts, error) {
	if in.Size == 0 {
		return Facts{}, errEmpty
	}
	ctx, cancel := context.WithTimeout(ctx, rpmTimeout)
	defer cancel()
	db, err := rpmdb.Open(in.real)
	if err != nil {
		return Facts{}, fmt.Errorf("open: %w", err)
	}
	defer db.Close()
	list, err := db.ListPackagesWithContext(ctx)
	var f Facts
	for _, p := range list {
		if p.Name == "gpg-pubkey" {
			continue // a signing key, kept like a package
		}
		f.Packages = append(f.Packages, rpmPackage(p, in.Path))
		if own := rpmFiles(d.formats, p); len(own.Paths) > 0 {
			f.Owns = append(f.Owns, own)
		}
	}
	return f, err
}

func rpmPackage(p *rpmdb.PackageInfo, path string) breakwater.Package {
	epoch := ""
	if n := p.EpochNum(); n > 0 {
		epoch = fmt.Sprintf("%d:", n)
	}
	pkg := breakwater.Package{
		Name: p.Name, Version: epoch + p.Version + "-" + p.Release,
		Kind: breakwater.PackageOS, Type: "rpm", Arch: p.Arch, Licences: licences([]string{p.License}), Path: path,
	}
	pkg.SourceName, pkg.SourceVersion = pkg.Name, pkg.Version
	if name, version, ok := sourceRPM(p.SourceRpm); ok {
		pkg.SourceName, pkg.SourceVersion = name, epoch+version
	}
	return pkg
}

// sourceRPM takes name and version-release out of "openssl-3.0.7-6.el9.src.rpm".
// The file name holds no epoch; a source and its packages share one.
func sourceRPM(s string) (name, version string, ok bool) {
	s, ok = strings.CutSuffix(s, ".rpm")
	if !ok {
		return "", "", false
	}
	if i := strings.LastIndexByte(s, '.'); i > 0 {
		s = s[:i] // .src or .nosrc
	}
	release := strings.LastIndexByte(s, '-')
	if release <= 0 {
		return "", "", false
	}
	v := strings.LastIndexByte(s[:release], '-')
	if v <= 0 {
		return "", "", false
	}
	return s[:v], s[v+1:], true
}

// rpmFiles lists the files of interest; indexes are the file's and not trusted.
func rpmFiles(list []format, p *rpmdb.PackageInfo) Ownership {
	own := Ownership{Package: p.Name}
	for i, base := range p.BaseNames {
		if i >= len(p.DirIndexes) {
			break
		}
		dir := int(p.DirIndexes[i])
		if dir < 0 || dir >= len(p.DirNames) {
			continue
		}
		if name := strings.TrimPrefix(p.DirNames[dir]+base, "/"); ownable(list, name) {
			own.Paths = append(own.Paths, name)
		}
	}
	return own
}
