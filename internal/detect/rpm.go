package detect

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"breakwater"
)

// rpmTimeout bounds reading one database; a hostile SQLite schema can compute
// for ever.
const rpmTimeout = 2 * time.Minute

func isRPM(p string) bool {
	dir, base := path.Split(p)
	switch dir {
	case "var/lib/rpm/", "usr/lib/sysimage/rpm/", "usr/share/rpm/":
		return base == "Packages" || base == "Packages.db" || base == "rpmdb.sqlite"
	}
	return false
}

// readRPM reads the three forms of rpm's database: Berkeley DB, NDB, SQLite.
// They are read here because the library below scalibr's extractor parses them
// in a goroutine of its own, where a damaged page ends the whole process, takes
// lengths from the file without a bound, prints to standard output, and loses
// the file lists.
func readRPM(ctx context.Context, d *Detector, in input) (Facts, error) {
	if in.Size == 0 {
		return Facts{}, errEmpty
	}
	ctx, cancel := context.WithTimeout(ctx, rpmTimeout)
	defer cancel()
	var f Facts
	err := rpmHeaders(ctx, in, func(blob []byte) error {
		h, err := parseHeader(blob)
		if err != nil {
			return err
		}
		// gpg-pubkey is a signing key, kept like a package.
		if h.name == "gpg-pubkey" || h.name == "" {
			return nil
		}
		if len(f.Packages) >= maxPackages {
			return fmt.Errorf("more than %d packages", maxPackages)
		}
		f.Packages = append(f.Packages, h.asPackage(in.Path))
		f.Owns = append(f.Owns, h.owned(d.formats)...)
		return nil
	})
	return f, err
}

// rpmHeaders calls each for every package header of the database.
func rpmHeaders(ctx context.Context, in input, each func([]byte) error) error {
	head := make([]byte, 16)
	if _, err := in.r.ReadAt(head, 0); err != nil {
		return fmt.Errorf("rpm: %w", err)
	}
	switch {
	case string(head) == "SQLite format 3\x00":
		return sqliteHeaders(ctx, in.real, each)
	case string(head[:4]) == "RpmP":
		return ndbHeaders(ctx, in.r, in.Size, each)
	}
	return bdbHeaders(ctx, in.r, in.Size, each)
}

func (h header) asPackage(path string) breakwater.Package {
	epoch := ""
	if h.epoch > 0 {
		epoch = fmt.Sprintf("%d:", h.epoch)
	}
	p := breakwater.Package{
		Name: h.name, Version: epoch + h.version + "-" + h.release,
		Kind: breakwater.PackageOS, Type: "rpm", Arch: h.arch, Licences: licences([]string{h.licence}), Size: int64(h.size), Path: path,
	}
	p.SourceName, p.SourceVersion = p.Name, p.Version
	if name, version, ok := sourceRPM(h.source); ok {
		p.SourceName, p.SourceVersion = name, epoch+version
	}
	return p
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

// owned lists the files of interest; the indexes are the header's and not trusted.
func (h header) owned(list []format) []Ownership {
	own := owning{formats: list, own: Ownership{Package: h.name}}
	add := func(name string) { own.add(strings.TrimPrefix(name, "/")) }
	for i, base := range h.bases {
		if i < len(h.indexes) && int64(h.indexes[i]) < int64(len(h.dirs)) {
			add(h.dirs[h.indexes[i]] + base)
		}
	}
	for _, name := range h.paths {
		add(name)
	}
	return own.done()
}
