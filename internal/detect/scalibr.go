package detect

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"breakwater"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/archive"
	"github.com/google/osv-scalibr/extractor/filesystem/os/dpkg"
	"github.com/google/osv-scalibr/log"
	"github.com/google/osv-scalibr/purl"
)

// plain makes an extractor with scalibr's own settings.
func plain(make func(*cpb.PluginConfig) (filesystem.Extractor, error)) func() (filesystem.Extractor, error) {
	return func() (filesystem.Extractor, error) { return make(&cpb.PluginConfig{}) }
}

// dpkgExtractor lists packages in every state; readDpkg decides which count.
func dpkgExtractor() (filesystem.Extractor, error) {
	return dpkg.New(&cpb.PluginConfig{PluginSpecific: []*cpb.PluginSpecificConfig{{
		Config: &cpb.PluginSpecificConfig_Dpkg{Dpkg: &cpb.DpkgConfig{IncludeNotInstalled: true}},
	}}})
}

// archiveExtractor reads one archive and none inside it, see jar.go. It is told
// not to hash them, which we have no use for.
func archiveExtractor() (filesystem.Extractor, error) {
	hash := false
	return archive.New(&cpb.PluginConfig{PluginSpecific: []*cpb.PluginSpecificConfig{{
		Config: &cpb.PluginSpecificConfig_JavaArchive{JavaArchive: &cpb.JavaArchiveConfig{MaxZipDepth: 1, HashJars: &hash}},
	}}})
}

// scalibr is the reader of a format that an extractor reads as it is.
func scalibr(pick func(*extractors) filesystem.Extractor) func(context.Context, *Detector, input) (Facts, error) {
	return func(ctx context.Context, d *Detector, in input) (Facts, error) {
		found, err := extract(ctx, pick(&d.use), in)
		return Facts{Packages: convert(found, in.Path)}, err
	}
}

// What a reason says of a file that could not be read. An extractor's own words
// are dropped: they quote the file, and a lock file may hold a token in a URL.
var (
	errForm   = errors.New("its form is not the expected one")
	errNested = errors.New("the archives in it are larger than the limit")
	errMany   = errors.New("it lists more packages than any installation has")
)

func extract(ctx context.Context, e filesystem.Extractor, in input) ([]*extractor.Package, error) {
	// Root is set so that no extractor copies the file to a place of its own.
	got, err := e.Extract(ctx, &filesystem.ScanInput{FS: oneFile{in}, Path: in.Path, Root: "/nonexistent", Info: info{in.File}, Reader: in.r})
	if err != nil {
		err = errForm
	}
	return got.Packages, err
}

// ecosystem is OSV's name for a PURL type of a language, or none for a type that no
// advisory speaks of. Operating systems are not known here: theirs carry a release.
func ecosystem(purlType string) (name string, known bool) {
	switch purlType {
	case purl.TypeNPM:
		return "npm", true
	case purl.TypePyPi:
		return "PyPI", true
	case purl.TypeGolang:
		return "Go", true
	case purl.TypeMaven:
		return "Maven", true
	case purl.TypeGem:
		return "RubyGems", true
	case purl.TypeComposer:
		return "Packagist", true
	case purl.TypeCargo:
		return "crates.io", true
	case purl.TypeNuget:
		return "NuGet", true
	case purl.TypeHex:
		return "Hex", true
	case purl.TypePub:
		return "Pub", true
	case purl.TypeSwift:
		return "SwiftURL", true
	case purl.TypeConan:
		return "ConanCenter", true
	case purl.TypeCran:
		return "CRAN", true
	case typeBitnami:
		return "Bitnami", true
	case purl.TypeConda, purl.TypeCocoapods, typeLuaRocks:
		return "", true
	}
	return "", false
}

// convert turns an extractor's packages of a language into ours. What has no
// name or is only guessed to be there is left out.
func convert(found []*extractor.Package, path string) []breakwater.Package {
	out := make([]breakwater.Package, 0, len(found))
	for _, p := range found {
		if p == nil {
			continue
		}
		q := *p
		switch q.PURLType {
		case purl.TypeGolang:
			if q.Name == "go" {
				q.Name = "stdlib" // as the Go vulnerability database calls it
			}
		case purl.TypeNuget:
			q.Name = strings.TrimPrefix(q.Name, "runtimepack.")
		case purl.TypeMaven:
			if q.Name == "unknown" || q.Version == "unknown" {
				continue // scalibr's way to report a mere hash
			}
		case purl.TypeGit:
			q.PURLType = purl.TypeNPM // a lock file's entry that points at a repository
		}
		if q.PURLType == purl.TypeNPM {
			q.Metadata = nil // it would only add "source=UNKNOWN" to the package URL
		}
		eco, known := ecosystem(q.PURLType)
		if !known || q.Name == "" {
			continue
		}
		if q.Version == "" || q.Version == "(devel)" {
			eco = "" // nothing can be said of an unknown version
		}
		ours := breakwater.Package{Ecosystem: eco, Name: q.Name, Version: q.Version, Kind: breakwater.PackageApp, Type: q.PURLType, Path: path, Licences: licences(q.Licenses)}
		if u := q.PURL(); u != nil {
			ours.PURL = u.String()
		}
		out = append(out, ours)
	}
	return out
}

// app is a language package that was read here rather than by an extractor.
func app(purlType, name, version, path string) breakwater.Package {
	p := convert([]*extractor.Package{{Name: name, Version: version, PURLType: purlType}}, path)
	if len(p) == 0 {
		return breakwater.Package{}
	}
	return p[0]
}

func licences(in []string) []string {
	var out []string
	for _, l := range in {
		if l = strings.TrimSpace(l); l != "" && len(l) <= maxName {
			out = append(out, l)
		}
	}
	return out
}

// tidy sorts, drops doubles and what is out of bounds, and says so.
func tidy(f *Facts) {
	n := len(f.Packages)
	f.Packages = slices.DeleteFunc(f.Packages, func(p breakwater.Package) bool {
		return p.Name == "" || len(p.Name) > maxName || len(p.Version) > maxVersion || len(p.SourceName) > maxName || len(p.SourceVersion) > maxVersion
	})
	if len(f.Packages) < n && f.Skipped == "" {
		f.Skipped = "entries without a name, or with one that is too long, were left out"
	}
	slices.SortStableFunc(f.Packages, Compare)
	f.Packages = slices.CompactFunc(f.Packages, func(a, b breakwater.Package) bool { return Compare(a, b) == 0 })
	if len(f.Packages) > maxPackages {
		f.Packages = f.Packages[:maxPackages]
		f.Skipped = "more packages than one file may list"
	}
	slices.SortFunc(f.Owns, func(a, b Ownership) int { return cmp.Compare(a.Package, b.Package) })
}

// Compare is the order of an inventory: ecosystem, name, version, path, then
// what tells two builds apart.
func Compare(a, b breakwater.Package) int {
	if c := cmp.Compare(a.Ecosystem, b.Ecosystem); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Name, b.Name); c != 0 { // mostly: the rest is seldom compared
		return c
	}
	return cmp.Or(cmp.Compare(a.Version, b.Version),
		cmp.Compare(a.Path, b.Path), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Arch, b.Arch),
		cmp.Compare(a.SourceName, b.SourceName), cmp.Compare(a.SourceVersion, b.SourceVersion))
}

// quiet swallows scalibr's log: its lines speak of files we already answer for.
type quiet struct{}

func (quiet) Errorf(string, ...any) {}
func (quiet) Error(...any)          {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Warn(...any)           {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Info(...any)           {}
func (quiet) Debugf(string, ...any) {}
func (quiet) Debug(...any)          {}

// quietly sets the library's process-wide logger, which has no other handle,
// once: setting it again would race with a running scan.
var quietly = sync.OnceFunc(func() { log.SetLogger(quiet{}) })
