package detect_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater/internal/detect"
)

func newDetector(t testing.TB, o detect.Options) *detect.Detector {
	t.Helper()
	if o.TempDir == "" {
		o.TempDir = t.TempDir()
	}
	d, err := detect.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// read detects one file that must be wanted.
func read(t testing.TB, d *detect.Detector, path string, body []byte) detect.Facts {
	t.Helper()
	f, ok, err := d.Detect(context.Background(), detect.File{Path: path, Mode: 0o755, Size: int64(len(body))}, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Fatalf("%s is not wanted", path)
	}
	return f
}

func render(f detect.Facts) []string {
	var out []string
	for _, p := range f.Packages {
		s := strings.TrimSpace(fmt.Sprintf("%s|%s %s", p.Ecosystem, p.Name, p.Version))
		if p.SourceName != "" && (p.SourceName != p.Name || p.SourceVersion != p.Version) {
			s += fmt.Sprintf(" (%s %s)", p.SourceName, p.SourceVersion)
		}
		out = append(out, s)
	}
	return out
}

func TestFormats(t *testing.T) {
	tests := []struct {
		name, path, body string
		want             []string
	}{
		{"dpkg: states, sources, binary rebuilds", "var/lib/dpkg/status", dpkgStatus,
			[]string{"|bsdutils 1:2.38.1-5+b1 (util-linux 2.38.1-5)", "|libc-bin 2.36-9 (glibc 2.36-9)", "|zlib1g 1:1.2.13.dfsg-1 (zlib 1:1.2.13.dfsg-1)"}},
		{"apk: origins, virtual packages left out", "lib/apk/db/installed", apkInstalled,
			[]string{"|libcrypto3 3.1.4-r1 (openssl 3.1.4-r1)", "|musl 1.2.4-r2"}},
		{"npm lock 1", "app/package-lock.json", npmLock1, []string{"npm|lodash 4.17.4", "npm|minimist 0.0.8", "npm|mkdirp 0.5.1", "npm|string-width 4.2.0"}},
		{"npm lock 2", "app/package-lock.json", npmLock2, []string{"npm|@babel/core 7.0.0", "npm|lodash 4.17.4"}},
		{"npm lock 3", "app/npm-shrinkwrap.json", npmLock3, []string{"npm|debug 2.6.8", "npm|lodash 4.17.4", "npm|ms 2.0.0"}},
		{"yarn 1", "app/yarn.lock", "# yarn lockfile v1\n\n\n\"@babel/core@^7.0.0\":\n  version \"7.0.0\"\n  resolved \"https://r.example/x\"\n\nlodash@^4.0.0, lodash@^4.17.0:\n  version \"4.17.4\"\n", []string{"npm|@babel/core 7.0.0", "npm|lodash 4.17.4"}},
		{"yarn berry", "app/yarn.lock", "__metadata:\n  version: 6\n\n\"lodash@npm:^4.0.0\":\n  version: 4.17.4\n  resolution: \"lodash@npm:4.17.4\"\n  languageName: node\n  linkType: hard\n", []string{"npm|lodash 4.17.4"}},
		{"pnpm 5", "app/pnpm-lock.yaml", "lockfileVersion: 5.4\npackages:\n  /lodash/4.17.4:\n    resolution: {integrity: sha512-x}\n    dev: false\n", []string{"npm|lodash 4.17.4"}},
		{"pnpm 9", "app/pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  '@babel/core@7.0.0':\n    resolution: {integrity: sha512-x}\n  lodash@4.17.4:\n    resolution: {integrity: sha512-x}\n", []string{"npm|@babel/core 7.0.0", "npm|lodash 4.17.4"}},
		{"pnpm 5: scopes, peers, other registries", "app/pnpm-lock.yaml", "lockfileVersion: 5.4\npackages:\n  /@babel/core/7.0.0:\n    resolution: {integrity: x}\n  /a/1.0.0_@babel+core@7.0.0:\n    resolution: {integrity: x}\n  registry.example/b/1.1.0:\n    resolution: {integrity: x}\n  '@example.registry/c/1.2.0': {}\n  github.com/d/e/0123456789:\n    name: e\n    version: 2.0.0\n  file:../f:\n    dev: false\n", []string{"npm|@babel/core 7.0.0", "npm|@example.registry/c 1.2.0", "npm|a 1.0.0", "npm|b 1.1.0", "npm|e 2.0.0"}},
		{"pnpm 6: scoped peers", "app/pnpm-lock.yaml", "lockfileVersion: '6.0'\npackages:\n  /@testing-library/user-event@13.5.0(@testing-library/dom@9.2.0):\n    resolution: {integrity: x}\n  /lodash@4.17.4(react@18.0.0)(x@1.0.0):\n    resolution: {integrity: x}\n  registry.example/@s/b@1.1.0:\n    resolution: {integrity: x}\n  /odd_name@1.0.0:\n    resolution: {integrity: x}\n", []string{"npm|@s/b 1.1.0", "npm|@testing-library/user-event 13.5.0", "npm|lodash 4.17.4", "npm|odd_name 1.0.0"}},
		{"pnpm 9: repositories", "app/pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  is-positive@https://codeload.example/is-positive/tar.gz/97edff6:\n    resolution: {tarball: x}\n    version: 3.1.0\n  '@s/t@git+https://x.example/t.git#1':\n    resolution: {commit: x}\n  own@file:own: {}\nsnapshots:\n  x@1.0.0(y@2.0.0): {}\n", []string{"npm|is-positive 3.1.0"}},
		{"pnpm 11: two documents", "app/pnpm-lock.yaml", "---\nlockfileVersion: '9.0'\npackages:\n  pnpm@11.0.0: {}\n---\nlockfileVersion: '9.0'\npackages:\n  a@1.0.0: {}\n", []string{"npm|a 1.0.0", "npm|pnpm 11.0.0"}},
		{"installed npm", "srv/node_modules/lodash/package.json", `{"name":"lodash","version":"4.17.4","license":"MIT"}`, []string{"npm|lodash 4.17.4"}},
		{"installed npm, scoped, below pnpm's store", "srv/node_modules/.pnpm/@babel+core@7.0.0/node_modules/@babel/core/package.json", `{"name":"@babel/core","version":"7.0.0"}`, []string{"npm|@babel/core 7.0.0"}},
		{"installed npm, Debian's place", "usr/share/nodejs/acorn/package.json", `{"name":"acorn","version":"8.8.1"}`, []string{"npm|acorn 8.8.1"}},
		{"python wheel", "usr/lib/python3/site-packages/Flask-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: Flask\nVersion: 1.0\n\nlong text\n", []string{"PyPI|Flask 1.0"}},
		{"python egg-info directory", "x/dist-packages/six.egg-info/PKG-INFO", "Metadata-Version: 1.1\nName: six\nVersion: 1.16.0\n", []string{"PyPI|six 1.16.0"}},
		{"python egg-info file", "x/dist-packages/PyJWT-2.6.0.egg-info", "Metadata-Version: 1.1\nName: PyJWT\nVersion: 2.6.0\n", []string{"PyPI|PyJWT 2.6.0"}},
		{"python zipped egg", "x/site-packages/six-1.0-py3.egg", jar(t, member{"EGG-INFO/PKG-INFO", "Metadata-Version: 1.1\nName: six\nVersion: 1.0\n"}), []string{"PyPI|six 1.0"}},
		{"poetry", "app/poetry.lock", "[[package]]\nname = \"jinja2\"\nversion = \"2.10\"\noptional = false\n\n[metadata]\nlock-version = \"2.0\"\n", []string{"PyPI|jinja2 2.10"}},
		{"uv: not the project itself", "app/uv.lock", "version = 1\nrevision = 3\nrequires-python = \">=3.11\"\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\ndependencies = [\n    { name = \"jinja2\" },\n]\n\n[package.metadata]\nrequires-dist = [{ name = \"jinja2\", specifier = \"==2.10\" }]\n\n[[package]]\nname = \"jinja2\"\nversion = \"2.10\"\nsource = { registry = \"https://index.example/simple\" }\nsdist = { url = \"https://x.example/a.tar.gz\", hash = \"sha256:00\" }\n", []string{"PyPI|jinja2 2.10"}},
		{"pdm", "app/pdm.lock", "[metadata]\nlock_version = \"4.5.0\"\n\n[[package]]\nname = \"jinja2\"\nversion = \"2.10\"\nsummary = \"x\"\nfiles = [\n    {file = \"a.whl\", hash = \"sha256:00\"},\n]\n", []string{"PyPI|jinja2 2.10"}},
		{"pylock", "app/pylock.dev.toml", "lock-version = \"1.0\"\ncreated-by = \"pip\"\n\n[[packages]]\nname = \"jinja2\"\nversion = \"2.10\"\n\n[[packages.wheels]]\nname = \"jinja2-2.10.whl\"\n\n[[packages]]\nname = \"here\"\n\n[packages.directory]\npath = \".\"\n", []string{"PyPI|jinja2 2.10"}},
		{"requirements in a directory", "app/requirements/prod.txt", "Jinja2==2.10\n", []string{"PyPI|Jinja2 2.10"}},
		{"bun", "app/bun.lock", "{\n  \"lockfileVersion\": 1,\n  \"workspaces\": {\"\": {\"name\": \"a,]\\\"\",},},\n  \"packages\": {\n    \"al\": [\"axios@0.21.0\", \"\", { \"dependencies\": { \"x\": \"^1\" } }, \"sha512-x\"],\n\n    \"@babel/core\": [\"@babel/core@7.0.0\", \"\", {}, \"sha512-x\"],\n    \"own\": [\"own@workspace:packages/own\"],\n    \"git\": [\"git@github:a/b#1234567\", {}, \"x\"],\n  }\n}\n", []string{"npm|@babel/core 7.0.0", "npm|axios 0.21.0"}},
		{"gradle", "app/gradle.lockfile", "# This is a Gradle generated file for dependency locking.\ncom.fasterxml.jackson.core:jackson-databind:2.9.0=compileClasspath,runtimeClasspath\nempty=annotationProcessor\n", []string{"Maven|com.fasterxml.jackson.core:jackson-databind 2.9.0"}},
		{"gradle, one file for each configuration", "app/gradle/dependency-locks/runtimeClasspath.lockfile", "com.a:b:1.0\n", []string{"Maven|com.a:b 1.0"}},
		{"nuget lock", "app/packages.lock.json", `{"version":1,"dependencies":{".NETCoreApp,Version=v3.1":{"Newtonsoft.Json":{"type":"Direct","requested":"[9.0.1, )","resolved":"9.0.1","contentHash":"x"},"own":{"type":"Project"}},"net8.0":{"Newtonsoft.Json":{"type":"Transitive","resolved":"9.0.1"}}}}`, []string{"NuGet|Newtonsoft.Json 9.0.1"}},
		{"nuget config", "app/packages.config", "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<packages>\n  <package id=\"Newtonsoft.Json\" version=\"9.0.1\" targetFramework=\"net45\" />\n</packages>\n", []string{"NuGet|Newtonsoft.Json 9.0.1"}},
		{"Bitnami's component", "opt/bitnami/redis/.spdx-redis.spdx", `{"spdxVersion":"SPDX-2.3","packages":[{"name":"redis","SPDXID":"SPDXRef-Package-redis","versionInfo":"7.0.2-3","licenseDeclared":"BSD-3-Clause","externalRefs":[{"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:*:redis:redis:7.0.2:*:*:*:*:*:*:*"},{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:bitnami/redis@7.0.2-3?arch=amd64&distro=debian-12"}]},{"name":"golang.org/x/net","externalRefs":[{"referenceLocator":"pkg:golang/golang.org/x/net@v0.1.0"}]}]}`, []string{"Bitnami|redis 7.0.2-3"}},
		{"Bitnami's components", "opt/bitnami/.bitnami_components.json", `{"redis":{"arch":"amd64","distro":"debian-10","type":"NAMI","version":"6.0.2-3"}}`, []string{"Bitnami|redis 6.0.2-3"}},
		{"pipenv", "app/Pipfile.lock", `{"_meta":{},"default":{"jinja2":{"version":"==2.10"}},"develop":{"pytest":{"version":"==5.0"}}}`, []string{"PyPI|jinja2 2.10", "PyPI|pytest 5.0"}},
		{"requirements: pinned only", "app/requirements-prod.txt", "Jinja2==2.10 # why\nrequests[socks]==2.19.0 ; python_version > '3'\nflask>=1.0\nsix\ndjango==2.*\n-r other.txt\nurllib3===1.24 --hash=sha256:aa\n", []string{"PyPI|Jinja2 2.10", "PyPI|requests 2.19.0", "PyPI|urllib3 1.24"}},
		{"go.mod: no toolchain, replacements", "app/go.mod", "module example.com/app\n\ngo 1.20\n\nrequire (\n\tgolang.org/x/text v0.3.0\n\texample.com/old v1.0.0 // indirect\n)\n\nreplace example.com/old => example.com/new v1.2.0\n", []string{"Go|example.com/new 1.2.0", "Go|golang.org/x/text 0.3.0"}},
		{"gemspec", "usr/lib/ruby/gems/3.1.0/specifications/rack-2.0.1.gemspec", "# -*- encoding: utf-8 -*-\n\nGem::Specification.new do |s|\n  s.name = \"rack\".freeze\n  s.version = \"2.0.1\"\n  s.platform = Gem::Platform::RUBY\nend\n", []string{"RubyGems|rack 2.0.1"}},
		{"bundler", "app/Gemfile.lock", "GEM\n  remote: https://rubygems.example/\n  specs:\n    rack (2.0.1)\n    nokogiri (1.10.0-x86_64-linux)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rack\n", []string{"RubyGems|nokogiri 1.10.0", "RubyGems|rack 2.0.1"}},
		{"composer lock", "app/composer.lock", `{"packages":[{"name":"guzzlehttp/guzzle","version":"6.0.0","license":["MIT"]}],"packages-dev":[{"name":"phpunit/phpunit","version":"v5.0.0"}]}`, []string{"Packagist|guzzlehttp/guzzle 6.0.0", "Packagist|phpunit/phpunit v5.0.0"}},
		{"composer 2 installed", "app/vendor/composer/installed.json", `{"packages":[{"name":"twig/twig","version":"v1.0.0"}],"dev":false}`, []string{"Packagist|twig/twig v1.0.0"}},
		{"composer 1 installed", "app/vendor/composer/installed.json", ` [{"name":"twig/twig","version":"v1.0.0","license":"BSD"}]`, []string{"Packagist|twig/twig v1.0.0"}},
		{"cargo", "app/Cargo.lock", "version = 3\n\n[[package]]\nname = \"time\"\nversion = \"0.1.43\"\nsource = \"registry+https://r.example\"\n", []string{"crates.io|time 0.1.43"}},
		{"dotnet", "app/web.deps.json", `{"libraries":{"web/1.0.0":{"type":"project"},"Newtonsoft.Json/9.0.1":{"type":"package"},"runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/6.0.1":{"type":"runtimepack"}}}`, []string{"NuGet|Microsoft.NETCore.App.Runtime.linux-x64 6.0.1", "NuGet|Newtonsoft.Json 9.0.1", "NuGet|web 1.0.0"}},
		{"jar with pom.properties", "app/lib.jar", jar(t, pom("com.fasterxml.jackson.core", "jackson-databind", "2.9.0")), []string{"Maven|com.fasterxml.jackson.core:jackson-databind 2.9.0"}},
		{"shaded jar", "app/all.jar", jar(t, pom("org.a", "one", "1"), pom("org.b", "two", "2")), []string{"Maven|org.a:one 1", "Maven|org.b:two 2"}},
		{"jar in war in ear", "app/x.ear", jar(t, member{"web.war", jar(t, member{"WEB-INF/lib/log4j-core.jar", jar(t, pom("org.apache.logging.log4j", "log4j-core", "2.14.1"))})}), []string{"Maven|org.apache.logging.log4j:log4j-core 2.14.1"}},
		{"spring jar, which never has pom.properties", "app/app.jar", jar(t, member{"BOOT-INF/lib/spring-beans-5.3.0.jar", jar(t, member{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Title: spring-beans\nAutomatic-Module-Name: spring.beans\nImplementation-Version: 5.3.0\n"})}), []string{"Maven|org.springframework:spring-beans 5.3.0"}},
		{"jar known by its name alone", "app/log4j-core-2.14.1.jar", jar(t, member{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n"}), []string{"Maven|org.apache.logging.log4j:log4j-core 2.14.1"}},
		{"jar known by its manifest and name", "app/commons-io-2.4.jar", jar(t, member{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Vendor-Id: commons-io\nImplementation-Version: 2.4\n"}), []string{"Maven|commons-io:commons-io 2.4"}},
	}
	d := newDetector(t, detect.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := read(t, d, tt.path, []byte(tt.body))
			if f.Skipped != "" {
				t.Errorf("skipped: %s", f.Skipped)
			}
			if diff := cmp.Diff(tt.want, render(f)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for _, p := range f.Packages {
				if p.Path != tt.path {
					t.Errorf("%s has the path %s", p.Name, p.Path)
				}
				if p.Ecosystem != "" && !strings.HasPrefix(p.PURL, "pkg:"+p.Type+"/") {
					t.Errorf("%s has the purl %q", p.Name, p.PURL)
				}
			}
		})
	}
}

// member is one file of a jar.
type member struct{ name, body string }

func pom(group, artifact, version string) member {
	return member{"META-INF/maven/" + group + "/" + artifact + "/pom.properties",
		fmt.Sprintf("#Generated\nversion=%s\ngroupId=%s\nartifactId=%s\n", version, group, artifact)}
}

func jar(t testing.TB, members ...member) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range members {
		f, err := w.Create(m.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, m.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// manyEntries is an archive of nothing but a table of contents of 18 MB.
func manyEntries() string {
	entry := make([]byte, 47)
	copy(entry, "PK\x01\x02")
	entry[28] = 1 // length of the name
	entry[46] = 'x'
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	const n = 400_000
	binary.LittleEndian.PutUint16(end[8:], n%65536)
	binary.LittleEndian.PutUint16(end[10:], n%65536)
	binary.LittleEndian.PutUint32(end[12:], n*47)
	return strings.Repeat(string(entry), n) + string(end)
}

// TestUnwanted are files that look like installations and are none.
func TestUnwanted(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for _, p := range []string{
		"app/package.json", "srv/node_modules/a/test/package.json", "srv/node_modules/a/b/c/package.json", "srv/node_modules/a/package-lock.json",
		"usr/local/go/src/go.mod", "root/go/pkg/mod/x@v1/go.mod", "app/testdata/go.mod", "usr/local/cargo/registry/src/x/Cargo.lock",
		"app/vendor/a/b/composer.lock", "usr/lib/ruby/gems/3.1.0/gems/rack-2.0.1/rack.gemspec", "usr/lib/python3/site-packages/x/requirements.txt",
		"var/lib/dpkg/status-old", "var/lib/dpkg/available", "lib/apk/db/scripts.tar", "var/lib/rpm/Basenames", "jdk/jmods/java.base.jmod",
		"tmp/ensurepip/pip-23.0-py3-none-any.whl", "usr/bin/script",
	} {
		body := strings.Repeat("#!/bin/sh\n", 1000)
		if _, ok, err := d.Detect(context.Background(), detect.File{Path: p, Mode: 0o755, Size: int64(len(body))}, strings.NewReader(body)); ok || err != nil {
			t.Errorf("%s: wanted %v, %v", p, ok, err)
		}
	}
}

func TestOwnership(t *testing.T) {
	d := newDetector(t, detect.Options{})
	tests := []struct {
		path, body string
		want       []detect.Ownership
	}{
		{"var/lib/dpkg/info/python3-six:all.list", "/.\n/usr\n/usr/lib/python3/dist-packages/six.egg-info/PKG-INFO\n/usr/share/doc/six/README\n/usr/bin/six\n",
			[]detect.Ownership{{Package: "python3-six", Paths: []string{"usr/lib/python3/dist-packages/six.egg-info/PKG-INFO", "usr/bin/six"}}}},
		{"var/lib/dpkg/status.d/base.md5sums", "00000000000000000000000000000000  usr/bin/true\n", []detect.Ownership{{Package: "base", Paths: []string{"usr/bin/true"}}}},
		{"lib/apk/db/installed", apkInstalled, []detect.Ownership{{Package: "libcrypto3", Paths: []string{"usr/bin/openssl", "usr/lib/libcrypto.so.3"}}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, spelt(t, read(t, d, tt.path, []byte(tt.body)).Owns)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.path, diff)
		}
	}
}

// TestBroken files are skipped with a reason, whole or in part, and never end a scan.
func TestBroken(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for _, tt := range []struct{ path, body string }{
		{"app/package-lock.json", `{"packages":`},
		{"app/composer.lock", `[1]`},
		{"app/bun.lock", "{,"},
		{"opt/bitnami/x/.spdx-x.spdx", "SPDXVersion: SPDX-2.3"},
		{"app/packages.lock.json", "[]"},
		{"app/packages.config", "<packages>"},
		{"app/gradle.lockfile", strings.Repeat("a:b:c", 1<<18)},
		{"app/poetry.lock", strings.Repeat("x", 2<<20)},
		{"app/pnpm-lock.yaml", "a: *b\n"},
		{"app/pnpm-lock.yaml", "packages: s3cret\n"},
		{"app/composer.lock", `{"packages":"s3cret"}`},
		{"app/x.jar", "PK\x03\x04 and nothing else that a zip archive would hold"},
		{"app/bomb.jar", jar(t, member{"a.jar", jar(t, member{"b.jar", jar(t, member{"c.jar", jar(t, member{"d.jar", jar(t, pom("a", "b", "1"))})})})})},
		{"app/manifest.jar", jar(t, member{"META-INF/MANIFEST.MF", strings.Repeat("A: b\n", 300_000)})},
		{"app/many.jar", manyEntries()},
		{"app/own-1.0.jar", jar(t, member{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n"})},
		{"app/spring3-core-3.x.jar", jar(t, member{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nImplementation-Title: spring-core\nImplementation-Version: 4.3.30.RELEASE\n"})},
		{"app/many.egg", jar(t, member{"EGG-INFO/PKG-INFO", strings.Repeat("a: b\n", 1<<19)})},
		{"app/manyinside.jar", jar(t, member{"many.jar", manyEntries()})},
		{"var/lib/rpm/Packages", strings.Repeat("no database", 1000)},
		{"var/lib/rpm/rpmdb.sqlite", "SQLite format 3\x00" + strings.Repeat("damaged", 1000)},
		{"var/lib/rpm/Packages.db", "RpmP" + strings.Repeat("\x00", 8000)},
		{"app/Cargo.lock", "[[package]]\nname = \"" + strings.Repeat("a", 1000) + "\"\nversion = \"1\"\n"},
	} {
		if f := read(t, d, tt.path, []byte(tt.body)); f.Skipped == "" || len(f.Skipped) > 300 || strings.Contains(f.Skipped, "s3cret") {
			t.Errorf("%s: %d packages, reason %q", tt.path, len(f.Packages), f.Skipped)
		}
	}
}

func TestLimits(t *testing.T) {
	dir := t.TempDir()
	d := newDetector(t, detect.Options{Buffer: 1000, Spill: 100_000, TempDir: dir})
	pad := member{"pad", strings.Repeat(fmt.Sprint(os.Getpid()), 3000)}
	var small bytes.Buffer
	w := zip.NewWriter(&small)
	for _, m := range []member{pad, pom("org.a", "one", "1")} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, m.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if small.Len() < 2000 || small.Len() > 90_000 {
		t.Fatalf("the archive has %d bytes", small.Len())
	}
	if diff := cmp.Diff([]string{"Maven|org.a:one 1"}, render(read(t, d, "x.jar", small.Bytes()))); diff != "" {
		t.Errorf("an archive larger than the buffer goes through a file:\n%s", diff)
	}
	for path, size := range map[string]int{"x.jar": 100_001, "var/lib/dpkg/status": 16<<20 + 1} {
		if f := read(t, d, path, make([]byte, size)); !strings.Contains(f.Skipped, "larger than the limit") {
			t.Errorf("%s of %d bytes: %q", path, size, f.Skipped)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("temp files left: %v %v", left, err)
	}
}

// TestReaderError is the stream's, not the file's: it must come through.
func TestReaderError(t *testing.T) {
	d := newDetector(t, detect.Options{})
	broken := errors.New("the stream broke")
	for _, path := range []string{"var/lib/dpkg/status", "var/lib/rpm/rpmdb.sqlite", "usr/bin/tool"} {
		_, _, err := d.Detect(context.Background(), detect.File{Path: path, Size: 100_000}, failing{broken})
		if !errors.Is(err, broken) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// FuzzText feeds any text to every reader of text; whatever it is, it ends in
// facts that are sorted and within bounds.
func FuzzText(f *testing.F) {
	paths := []string{
		"a/package-lock.json", "a/yarn.lock", "a/pnpm-lock.yaml", "a/poetry.lock", "a/Pipfile.lock", "a/requirements.txt", "a/go.mod",
		"a/Gemfile.lock", "a/composer.lock", "a/composer/installed.json", "a/Cargo.lock", "a/x.deps.json", "a/x.jar", "etc/os-release",
		"var/lib/dpkg/status", "var/lib/dpkg/info/a.list", "a/bun.lock", "a/uv.lock", "a/packages.lock.json", "a/packages.config", "a/gradle.lockfile", "lib/apk/db/installed", "x.dist-info/METADATA",
		"conda-meta/a.json", "r/library/a/DESCRIPTION", "a/renv.lock", "a/mix.lock", "a/rebar.lock", "a/pubspec.lock", "a/conan.lock", "a/Package.resolved",
		"a/Podfile.lock", "x/rocks-5.1/a/1/a-1.rockspec", "var/lib/pacman/local/a-1-1/desc", "var/lib/pacman/local/a-1-1/files",
	}
	for i, body := range []string{npmLock1, npmLock3, dpkgStatus, apkInstalled} {
		f.Add(uint8(i), body)
	}
	for i, path := range paths {
		for _, seed := range languageSeeds {
			if strings.HasSuffix(path, seed.name) {
				f.Add(uint8(i), seed.body)
			}
		}
	}
	d := newDetector(f, detect.Options{})
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		path := paths[int(which)%len(paths)]
		facts, ok, err := d.Detect(context.Background(), detect.File{Path: path, Size: int64(len(body))}, strings.NewReader(body))
		if err != nil || !ok {
			t.Fatalf("%s: wanted %v, %v", path, ok, err)
		}
		for i, p := range facts.Packages {
			if p.Name == "" || len(p.Name) > 512 || i > 0 && detect.Compare(facts.Packages[i-1], p) >= 0 {
				t.Fatalf("%s: package %d is %+v", path, i, p)
			}
		}
		if strings.Contains(facts.Skipped, "crashed") {
			t.Fatalf("%s: %s", path, facts.Skipped)
		}
	})
}

// spelt is the owners of files that are spelt out, each of which its set of all
// files must know too.
func spelt(t *testing.T, owns []detect.Ownership) (out []detect.Ownership) {
	t.Helper()
	for _, o := range owns {
		if len(o.All) == 0 || len(o.All)%8 != 0 || o.Owns("no/such/file") {
			t.Errorf("%s: a set of %d bytes", o.Package, len(o.All))
		}
		for _, p := range o.Paths {
			if !o.Owns(p) {
				t.Errorf("%s does not own %s", o.Package, p)
			}
		}
		if len(o.Paths) > 0 {
			out = append(out, detect.Ownership{Package: o.Package, Paths: o.Paths})
		}
	}
	return out
}
