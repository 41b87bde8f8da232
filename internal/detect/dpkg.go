package detect

import (
	"bufio"
	"bytes"
	"context"
	"path"
	"regexp"
	"slices"
	"strconv"
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
	sizes := installedSizes(b)
	var f Facts
	for _, p := range found {
		m, ok := p.Metadata.(*dpkgmeta.Metadata)
		if !ok || !unpacked(m.Status, in.Path) {
			continue
		}
		pkg := breakwater.Package{
			Name: p.Name, Version: p.Version, SourceName: p.Name, SourceVersion: p.Version,
			Kind: breakwater.PackageOS, Type: "deb", Arch: m.Architecture, Path: in.Path,
			Size: sizes[p.Name+" "+p.Version+" "+m.Architecture],
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

// installedSizes reads each stanza's Installed-Size, which is in KiB (Debian
// policy 5.6.20), by "name version architecture".
func installedSizes(status []byte) map[string]int64 {
	sizes := map[string]int64{}
	for stanza := range bytes.SplitSeq(status, []byte("\n\n")) {
		var name, version, arch, size string
		for line := range bytes.Lines(stanza) {
			key, value, ok := strings.Cut(string(line[:min(len(line), 4*maxName)]), ": ")
			if !ok {
				continue
			}
			switch key {
			case "Package":
				name = strings.TrimSpace(value)
			case "Version":
				version = strings.TrimSpace(value)
			case "Architecture":
				arch = strings.TrimSpace(value)
			case "Installed-Size":
				size = strings.TrimSpace(value)
			}
		}
		if kib, err := strconv.ParseInt(size, 10, 40); err == nil && kib > 0 {
			sizes[name+" "+version+" "+arch] = kib << 10
		}
	}
	return sizes
}

// isDpkgCopyright matches usr/share/doc/PACKAGE/copyright.
func isDpkgCopyright(p string) bool {
	rest, ok := strings.CutPrefix(p, "usr/share/doc/")
	name, file, _ := strings.Cut(rest, "/")
	return ok && name != "" && file == "copyright"
}

// maxLicences bounds the licences of one package.
const maxLicences = 50

// readDpkgCopyright reads the licences that a machine-readable copyright file
// names (copyright-format 1.0, "License" fields), each once, in their order. Of a
// free-form one it takes the names of files under common-licenses.
func readDpkgCopyright(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(in.Path, "usr/share/doc/"), "/")
	l := Licence{Package: name}
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" && len(s) <= maxName && len(l.Names) < maxLicences && !slices.Contains(l.Names, s) {
			l.Names = append(l.Names, strings.ToValidUTF8(s, "?"))
		}
	}
	if bytes.HasPrefix(b, []byte("Format:")) || bytes.Contains(b[:min(len(b), 2048)], []byte("\nFormat:")) {
		for line := range bytes.Lines(b) {
			if v, ok := bytes.CutPrefix(line, []byte("License:")); ok {
				add(string(v))
			}
		}
	} else {
		for _, m := range commonLicence.FindAllSubmatch(b, 4*maxLicences) {
			add(strings.TrimRight(string(m[1]), ".-+"))
		}
	}
	if len(l.Names) == 0 {
		return Facts{}, nil
	}
	return Facts{Licence: &l}, nil
}

var commonLicence = regexp.MustCompile(`/usr/share/common-licenses/([A-Za-z0-9.+-]{1,40})`)

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
	own := owning{formats: d.formats, own: Ownership{Package: name}}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		line := lines.Text()
		if sums {
			_, line, _ = strings.Cut(line, "  ")
		}
		own.add(strings.TrimPrefix(line, "/"))
	}
	return Facts{Owns: own.done()}, lines.Err()
}
