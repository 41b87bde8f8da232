package detect

import (
	"context"
	"path"
	"strings"

	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dotnet/depsjson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/gomod"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/archive"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagejson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/yarnlock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/pipfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/requirements"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/wheelegg"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemfilelock"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemspec"
	"github.com/google/osv-scalibr/extractor/filesystem/os/apk"
	"github.com/google/osv-scalibr/extractor/filesystem/os/dpkg"
	"github.com/google/osv-scalibr/purl"
)

// Version names the list below and how it is read: facts of another version are
// computed again. Raise the number when a reader changes what it finds; the
// letters are a fingerprint of the list, held true by a test.
const Version = "10-0f33d4fa"

// Sizes of what is text: a lock file of this size would be the largest we know
// of a few times over, and parsing it costs ten times its size in memory.
const (
	small  = 1 << 20
	nested = 8 << 20 // YAML, whose parser takes the most
	text   = 16 << 20
)

// format is one kind of file that holds facts.
type format struct {
	name   string
	match  func(p string) bool // by path; nil: by content, see binary.go
	read   func(ctx context.Context, d *Detector, in input) (Facts, error)
	limit  int64 // largest size read; 0: Options.Buffer
	spill  bool  // larger than Options.Buffer goes through a temp file, up to Options.Spill
	binary bool  // only files that begin as a program does
	os     bool  // of the operating system: not itself owned by a package
}

// extractors are the scalibr readers in use.
type extractors struct {
	apk, archive, deps, dpkg, gemfile, gemspec, gomod filesystem.Extractor
	packageJSON, pipfile, requirements, wheel, yarn   filesystem.Extractor
}

// build makes each extractor with its limits.
func build() (extractors, error) {
	var x extractors
	for _, e := range []struct {
		to   *filesystem.Extractor
		make func() (filesystem.Extractor, error)
	}{
		{&x.apk, plain(apk.New)},
		{&x.archive, archiveExtractor},
		{&x.deps, plain(depsjson.New)},
		{&x.dpkg, dpkgExtractor},
		{&x.gemfile, plain(gemfilelock.New)},
		{&x.gemspec, plain(gemspec.New)},
		{&x.gomod, plain(gomod.New)},
		{&x.packageJSON, plain(packagejson.New)},
		{&x.pipfile, plain(pipfilelock.New)},
		{&x.requirements, plain(requirements.New)},
		{&x.wheel, plain(wheelegg.New)},
		{&x.yarn, plain(yarnlock.New)},
	} {
		made, err := e.make()
		if err != nil {
			return x, err
		}
		*e.to = made
	}
	return x, nil
}

// The names of formats stand in the version's fingerprint.
const (
	dpkgName = dpkg.Name
	jarName  = archive.Name
	rpmName  = "rpm"
)

// formats is the list, most telling first; the first match reads the file.
func formats() []format {
	return []format{
		{name: dpkgName, match: isDpkgStatus, read: readDpkg, limit: text, os: true},
		{name: "dpkg-files", match: isDpkgFiles, read: readDpkgFiles, limit: text, os: true},
		{name: "dpkg-copyright", match: isDpkgCopyright, read: readDpkgCopyright, limit: small, os: true},
		{name: "apk", match: isApk, read: readApk, limit: text, os: true},
		{name: rpmName, match: isRPM, read: readRPM, spill: true, os: true},
		{name: "pacman", match: isPacman, read: readPacman, limit: small, os: true},
		{name: "pacman-files", match: isPacmanFiles, read: readPacmanFiles, limit: text, os: true},
		{name: "os-release", match: isRelease, read: readRelease, limit: small, os: true},
		{name: "bitnami", match: isBitnami, read: readBitnami, limit: nested},
		{name: "npm-lock", match: lock("package-lock.json", "npm-shrinkwrap.json"), read: readNPMLock, limit: text},
		{name: "yarn", match: lock("yarn.lock"), read: scalibr(func(x *extractors) filesystem.Extractor { return x.yarn }), limit: nested},
		{name: "pnpm", match: lock("pnpm-lock.yaml"), read: readPnpm, limit: nested},
		{name: "bun", match: lock("bun.lock"), read: readBunLock, limit: nested},
		{name: "npm-installed", match: isInstalledNPM, read: readInstalledNPM, limit: small},
		{name: "python-installed", match: isInstalledPython, read: readPython, limit: text},
		{name: "poetry", match: lock("poetry.lock"), read: readTOML(purl.TypePyPi), limit: nested},
		{name: "python-lock", match: isPythonLock, read: readTOML(purl.TypePyPi), limit: nested},
		{name: "pipfile", match: lock("Pipfile.lock"), read: scalibr(func(x *extractors) filesystem.Extractor { return x.pipfile }), limit: nested},
		{name: "requirements", match: isRequirements, read: readRequirements, limit: small},
		{name: "go-mod", match: lock("go.mod"), read: readGoMod, limit: small},
		{name: jarName, match: isJar, read: readJar, spill: true},
		{name: "gradle", match: isGradleLock, read: readGradleLock, limit: 2 * small},
		{name: "gem-installed", match: isInstalledGem, read: scalibr(func(x *extractors) filesystem.Extractor { return x.gemspec }), limit: small},
		{name: "gemfile", match: lock("Gemfile.lock", "gems.locked"), read: scalibr(func(x *extractors) filesystem.Extractor { return x.gemfile }), limit: 2 * small},
		{name: "composer", match: isComposer, read: readComposer, limit: text},
		{name: "cargo", match: lock("Cargo.lock"), read: readTOML(purl.TypeCargo), limit: nested},
		{name: "dotnet", match: func(p string) bool { return strings.HasSuffix(p, ".deps.json") }, read: scalibr(func(x *extractors) filesystem.Extractor { return x.deps }), limit: nested},
		{name: "nuget-lock", match: lock("packages.lock.json"), read: readNuGetLock, limit: nested},
		{name: "nuget-config", match: lock("packages.config"), read: readNuGetConfig, limit: small},
		{name: "conda", match: isConda, read: readConda, limit: text},
		{name: "r-installed", match: isInstalledR, read: readDescription, limit: small},
		{name: "renv", match: lock("renv.lock"), read: readRenv, limit: nested},
		{name: "hex", match: isHexLock, read: readHexLock, limit: 2 * small},
		{name: "pub", match: lock("pubspec.lock"), read: readPubspec, limit: small},
		{name: "conan", match: lock("conan.lock"), read: readConan, limit: nested},
		{name: "swift", match: lock("Package.resolved"), read: readSwift, limit: 2 * small},
		{name: "cocoapods", match: lock("Podfile.lock"), read: readPodfile, limit: 2 * small},
		{name: "luarocks", match: isInstalledRock, read: readRock, limit: small},
		{name: "program-text", match: isProgramText, read: readProgramText, limit: small},
		{name: "program", match: isProgram, read: readProgram, spill: true, binary: true},
		{name: "binary", read: readBinary, spill: true},
	}
}

// lock matches the named lock files, except those that came along inside
// another package: what such a file lists is nobody's installation.
func lock(names ...string) func(string) bool {
	return func(p string) bool {
		base := path.Base(p)
		for _, n := range names {
			if base == n {
				return !insidePackage(p)
			}
		}
		return false
	}
}

// insidePackage reports whether the path lies in an installed or cached package.
func insidePackage(p string) bool {
	p = "/" + p
	for _, dir := range []string{
		"/node_modules/", "/site-packages/", "/dist-packages/", "/pkg/mod/", "/testdata/",
		"/registry/src/", "/gems/", "/vendor/", "/.pub-cache/", "/.build/checkouts/", "/Pods/", "/.conan/data/", "/.conan2/p/", "/usr/share/nodejs/", "/usr/share/doc/",
		"/usr/local/go/", "/usr/lib/go", "/usr/share/go-", // the Go toolchain's own tests and generators
	} {
		if strings.Contains(p, dir) {
			return true
		}
	}
	return false
}

// isInstalledNPM matches node_modules/NAME/package.json and its scoped form,
// where npm, yarn and pnpm install, Debian's place for the same, and the
// directory where the official node images keep yarn. A package.json elsewhere
// describes an application or a test, not something installed.
func isInstalledNPM(p string) bool {
	dir, ok := strings.CutSuffix(p, "/package.json")
	if !ok {
		return false
	}
	name := ""
	for _, root := range []string{"node_modules/", "usr/share/nodejs/"} {
		if i := strings.LastIndex("/"+dir, "/"+root); i >= 0 {
			name = dir[i+len(root):]
			break
		}
	}
	if strings.HasPrefix(dir, "opt/yarn-v") && !strings.Contains(dir[len("opt/"):], "/") {
		return true
	}
	if strings.HasPrefix(name, "@") {
		return strings.Count(name, "/") == 1
	}
	return name != "" && !strings.HasPrefix(name, ".") && !strings.Contains(name, "/")
}

func isInstalledPython(p string) bool {
	return strings.HasSuffix(p, ".dist-info/METADATA") || strings.HasSuffix(p, ".egg-info/PKG-INFO") ||
		strings.HasSuffix(p, "EGG-INFO/PKG-INFO") || strings.HasSuffix(p, ".egg-info") || strings.HasSuffix(p, ".egg")
}

func isInstalledGem(p string) bool {
	return strings.HasSuffix(p, ".gemspec") && strings.Contains("/"+p, "/specifications/")
}

// isRequirements matches requirements-prod.txt, and requirements/prod.txt too.
func isRequirements(p string) bool {
	dir, base := path.Split(p)
	return strings.HasSuffix(base, ".txt") && (strings.Contains(base, "requirements") || path.Base(dir) == "requirements") && !insidePackage(p)
}

// isPythonLock matches the lock files of uv and pdm, and those of PEP 751, which
// may have a name in the middle.
func isPythonLock(p string) bool {
	base := path.Base(p)
	return lock("uv.lock", "pdm.lock", "pylock.toml")(p) || strings.HasPrefix(base, "pylock.") && strings.HasSuffix(base, ".toml") && !insidePackage(p)
}

func isJar(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".jar", ".war", ".ear", ".par", ".sar", ".jpi", ".hpi", ".lpkg", ".nar":
		return true
	}
	return false
}

// ownable reports whether a file of an OS package may hold a language package:
// only such paths are kept from the file lists.
func ownable(list []format, p string) bool {
	for _, f := range list {
		if !f.os && f.match != nil && f.match(p) {
			return true
		}
	}
	if strings.Contains(path.Base(p), ".") {
		return false
	}
	dir := "/" + path.Dir(p) + "/"
	if strings.Contains(dir, "-packages/") {
		return false // the files of a Python package beside its metadata
	}
	return strings.Contains(dir, "bin/") || strings.Contains(dir, "/libexec/") || strings.Contains(dir, "/lib/") || strings.Contains(dir, "/opt/")
}
