package detect

import (
	"bufio"
	"bytes"
	"context"
	"strconv"
	"strings"

	"breakwater"

	apkmeta "github.com/google/osv-scalibr/extractor/filesystem/os/apk/metadata"
)

func isApk(p string) bool {
	return p == "lib/apk/db/installed" || p == "usr/lib/apk/db/installed" || p == "var/lib/apk/db/installed"
}

// readApk lists Alpine's packages under their origin, which is what its
// advisories name, and the files they own. Virtual packages, which apk makes to
// remember what to remove again, have a leading dot and no content.
func readApk(ctx context.Context, d *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	if bytes.Count(b, []byte("P:")) > maxPackages {
		return Facts{}, errMany
	}
	in.r = bytes.NewReader(b)
	found, err := extract(ctx, d.use.apk, in)
	f := Facts{Owns: apkFiles(d.formats, b)}
	sizes := apkSizes(b)
	for _, p := range found {
		m, ok := p.Metadata.(*apkmeta.Metadata)
		if !ok || strings.HasPrefix(p.Name, ".") {
			continue
		}
		pkg := breakwater.Package{
			Name: p.Name, Version: p.Version, SourceName: p.Name, SourceVersion: p.Version,
			Kind: breakwater.PackageOS, Type: "apk", Arch: m.Architecture, Licences: licences(p.Licenses), Size: sizes[p.Name+" "+p.Version], Path: in.Path,
		}
		if m.OriginName != "" {
			pkg.SourceName = m.OriginName
		}
		f.Packages = append(f.Packages, pkg)
	}
	return f, err
}

// apkSizes reads the I: (installed bytes) of each P: and V:, in that order.
func apkSizes(b []byte) map[string]int64 {
	sizes := map[string]int64{}
	name, version := "", ""
	for line := range bytes.Lines(b) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line[:min(len(line), 2*maxName)])), ":")
		switch key {
		case "P":
			name = value
		case "V":
			version = value
		case "I":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n > 0 {
				sizes[name+" "+version] = n
			}
		}
	}
	return sizes
}

// apkFiles reads the F: (directory) and R: (file) lines below each P: (package).
func apkFiles(list []format, b []byte) []Ownership {
	var owns []Ownership
	cur := owning{formats: list}
	dir := ""
	flush := func() {
		if cur.own.Package != "" {
			owns = append(owns, cur.done()...)
		}
		cur, dir = owning{formats: list}, ""
	}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		key, value, ok := strings.Cut(lines.Text(), ":")
		switch {
		case !ok:
			flush() // an empty line ends a package
		case key == "P":
			cur.own.Package = value
		case key == "F":
			dir = value
		case key == "R":
			p := value
			if dir != "" {
				p = dir + "/" + value
			}
			cur.add(p)
		}
	}
	flush()
	return owns
}
