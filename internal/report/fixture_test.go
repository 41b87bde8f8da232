package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"breakwater"
)

func digest(name string) breakwater.Digest { return breakwater.DigestOf([]byte(name)) }

// builder makes reports for tests.
type builder struct{ r Report }

func build(name string) *builder {
	return &builder{Report{
		Name: name, Digest: digest(name), Tool: "breakwater", Version: "1.2.3",
		Time: time.Date(2026, 11, 27, 15, 4, 5, 0, time.UTC),
		Inventory: breakwater.Inventory{
			Digest: digest(name), Platform: breakwater.Platform{OS: "linux", Architecture: "amd64"}, Scanner: "9",
			OS: breakwater.OS{ID: "debian", VersionID: "12", Codename: "bookworm", Name: "Debian GNU/Linux 12 (bookworm)"},
		},
	}}
}

func (b *builder) layers(n int) *builder {
	for i := range n {
		name := fmt.Sprintf("layer %d", i+1)
		b.r.Inventory.Layers = append(b.r.Inventory.Layers, breakwater.LayerRef{
			Digest: digest(name), DiffID: digest("diff " + name), Size: int64(i+1) * 10 << 20})
	}
	return b
}

func (b *builder) checked(done ...breakwater.Check) *builder {
	for _, c := range done {
		b.r.Inventory.Coverage = append(b.r.Inventory.Coverage, breakwater.Coverage{Check: c, State: breakwater.StateDone})
	}
	return b
}

func (b *builder) coverage(c breakwater.Coverage) *builder {
	b.r.Inventory.Coverage = append(b.r.Inventory.Coverage, c)
	return b
}

func (b *builder) pkg(p breakwater.Package) *builder {
	b.r.Inventory.Packages = append(b.r.Inventory.Packages, p)
	return b
}

// vul says that an advisory affects packages of the inventory by their index.
func (b *builder) vul(v breakwater.Vulnerability, found ...int) *builder {
	for _, i := range found {
		v.Found = append(v.Found, b.r.Inventory.Packages[i])
	}
	if p := v.Found[0]; v.Package.Name == "" {
		v.Package = breakwater.PackageVersion{Ecosystem: p.MatchEcosystem(), Name: p.MatchName(), Version: p.MatchVersion()}
	}
	b.r.Vulnerabilities = append(b.r.Vulnerabilities, v)
	return b
}

func (b *builder) finding(f breakwater.Finding) *builder {
	b.r.Findings = append(b.r.Findings, f)
	return b
}

func deb(name, version, source, sourceVersion string, licences ...string) breakwater.Package {
	return breakwater.Package{
		Ecosystem: "Debian:12", Name: name, Version: version, SourceName: source, SourceVersion: sourceVersion,
		Kind: breakwater.PackageOS, Type: "deb", Arch: "amd64", Licences: licences, Size: 1 << 20,
		PURL:  "pkg:deb/debian/" + name + "@" + strings.NewReplacer(":", "%3A", "~", "~", "+", "%2B").Replace(version) + "?arch=amd64&distro=debian-12",
		Layer: digest("layer 1"), Path: "var/lib/dpkg/status",
	}
}

func app(kind, ecosystem, name, version, path string, layer int, licences ...string) breakwater.Package {
	return breakwater.Package{
		Ecosystem: ecosystem, Name: name, Version: version, Kind: breakwater.PackageApp, Type: kind, Licences: licences,
		PURL:  "pkg:" + kind + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "@", "%40"), ":", "/") + "@" + version,
		Layer: digest(fmt.Sprintf("layer %d", layer)), Path: path,
	}
}

// debian is an ordinary image with something of everything.
func debian() Report {
	b := build("docker.io/library/app:1.0").layers(3).
		checked(breakwater.CheckVulnerability, breakwater.CheckSoftware, breakwater.CheckFile, breakwater.CheckBaseline, breakwater.CheckBuildCommand).
		coverage(breakwater.Coverage{Check: breakwater.CheckSecret, State: breakwater.StateDone, Skipped: []breakwater.Skip{
			{Layer: digest("layer 2"), Path: "opt/huge.log", Reason: "larger than 64 MiB"}, {Layer: digest("layer 2"), Path: "opt/b.zip", Reason: "encrypted"},
			{Layer: digest("layer 2"), Path: "opt/c.zip", Reason: "encrypted"}, {Layer: digest("layer 3"), Path: "opt/d.zip", Reason: "encrypted"},
			{Layer: digest("layer 3"), Path: "opt/e.zip", Reason: "encrypted"}}}).
		coverage(breakwater.Coverage{Check: breakwater.CheckCompliance, State: breakwater.StateFailed, Code: breakwater.CodeCompliance, Reason: "the rules could not be read"}).
		coverage(breakwater.Coverage{Check: breakwater.CheckBaseImage, State: breakwater.StateNotAsked}).
		pkg(deb("libssl3", "3.0.11-1~deb12u1", "openssl", "3.0.11-1~deb12u1", "Apache-2.0", "Artistic", "GPL-1+")).
		pkg(deb("openssl", "3.0.11-1~deb12u1", "openssl", "3.0.11-1~deb12u1", "Apache-2.0")).
		pkg(deb("bsdutils", "1:2.38.1-5+b1", "util-linux", "2.38.1-5", "GPL-2+", "BSD-4-clause", "public-domain")).
		pkg(deb("python3-yaml", "6.0-3", "pyyaml", "6.0-3", "Expat")).
		pkg(app("npm", "npm", "@scope/left-pad", "1.0.0", "app/node_modules/@scope/left-pad/package.json", 3, "(MIT OR Apache-2.0)")).
		pkg(app("npm", "npm", "lodash", "4.17.0", "app/node_modules/lodash/package.json", 3, "MIT")).
		pkg(app("npm", "npm", "lodash", "4.17.0", "app/node_modules/x/node_modules/lodash/package.json", 3, "MIT")).
		pkg(app("golang", "Go", "github.com/foo/bar", "v1.2.3", "usr/bin/tool", 2)).
		pkg(app("maven", "Maven", "org.apache.logging.log4j:log4j-core", "2.14.0", "app/lib/log4j.jar", 3, "Apache License, Version 2.0"))
	owned := app("pypi", "PyPI", "pyyaml", "6.0", "usr/lib/python3/dist-packages/PyYAML-6.0.egg-info", 1, "MIT License")
	owned.OwnedBy = "python3-yaml"
	b.pkg(owned)
	published := time.Date(2024, 1, 9, 0, 0, 0, 0, time.UTC)
	b.vul(breakwater.Vulnerability{AdvisoryID: "DEBIAN-CVE-2024-0001", Aliases: []string{"CVE-2024-0001"}, CVEs: []string{"CVE-2024-0001"}, Feed: "Debian",
		Severity: breakwater.SeverityHigh, Score: 7.5, Summary: "Denial of service <b>in</b> `DH_check()` [link](http://x)", URL: "https://security-tracker.debian.org/tracker/CVE-2024-0001",
		Published: published, Fixed: "3.0.13-1~deb12u1", Rule: "range", EPSS: 0.0123, Percentile: 0.8,
		Vectors: []breakwater.Vector{{AdvisoryID: "DEBIAN-CVE-2024-0001", Text: "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L"}, {AdvisoryID: "CVE-2024-0001", Text: "nonsense"},
			{AdvisoryID: "CVE-2024-0001", Text: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N"}}}, 0, 1).
		vul(breakwater.Vulnerability{AdvisoryID: "DEBIAN-CVE-2024-0002", CVEs: []string{"CVE-2024-0002"}, Feed: "Debian", Severity: breakwater.SeverityLow, Score: -1, Fixed: "3.0.15-1~deb12u1", EPSS: -1}, 0, 1).
		vul(breakwater.Vulnerability{AdvisoryID: "DEBIAN-CVE-2024-0003", CVEs: []string{"CVE-2024-0003"}, Feed: "Debian", Severity: breakwater.SeverityMedium, Score: 5.5, EPSS: 0.0004}, 2).
		vul(breakwater.Vulnerability{AdvisoryID: "GHSA-jfh8-c2jp-5v3q", Aliases: []string{"CVE-2021-44228"}, CVEs: []string{"CVE-2021-44228"}, Feed: "Maven",
			Severity: breakwater.SeverityHigh, Score: 10, Summary: "Remote code injection", URL: "https://osv.dev/GHSA-jfh8-c2jp-5v3q", Fixed: "2.15.0", EPSS: 0.97, Percentile: 0.999, Exploited: true,
			Vectors: []breakwater.Vector{{AdvisoryID: "GHSA-jfh8-c2jp-5v3q", Text: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"}, {AdvisoryID: "CVE-2021-44228", Text: "AV:N/AC:M/Au:N/C:C/I:C/A:C"}}}, 8).
		vul(breakwater.Vulnerability{AdvisoryID: "GHSA-aaaa-bbbb-cccc", Feed: "npm", Severity: breakwater.SeverityHigh, Score: 7.2, Fixed: "4.17.21", EPSS: -1}, 5, 6)
	b.finding(breakwater.Finding{Check: breakwater.CheckSecret, Rule: "aws-access-token", Title: "AWS access key", Severity: breakwater.SeverityCritical, Path: "app/.env", Line: 3, Layer: digest("layer 3"), Current: "AKIA****************"}).
		finding(breakwater.Finding{Check: breakwater.CheckSecret, Rule: "generic-password", Title: "Password", Severity: breakwater.SeverityHigh, Where: breakwater.WhereEnv, Path: "DB_PASSWORD", Current: "h***"}).
		finding(breakwater.Finding{Check: breakwater.CheckFile, Rule: "Eicar-Test-Signature", Title: "EICAR test file", Severity: breakwater.SeverityHigh, Path: "opt/eicar.com", Layer: digest("layer 2"), Deleted: digest("layer 3"), SHA256: strings.Repeat("ab", 32), Engine: "signature"}).
		finding(breakwater.Finding{Check: breakwater.CheckBaseline, Rule: "sshd-root-login", Title: "Root may log in by SSH", Severity: breakwater.SeverityMedium, Path: "etc/ssh/sshd_config", Line: 33, Layer: digest("layer 2"), Current: "PermitRootLogin yes", Suggest: "PermitRootLogin no"}).
		finding(breakwater.Finding{Check: breakwater.CheckBaseline, Rule: "weak-password", Title: "The password can be guessed", Severity: breakwater.SeverityHigh, Path: "etc/shadow", Line: 1, Layer: digest("layer 2"), Subject: "root", Current: "t**r"}).
		finding(breakwater.Finding{Check: breakwater.CheckCompliance, Rule: "sniffer", Title: "Network sniffer", Severity: breakwater.SeverityMedium, Subject: "tcpdump", Version: "4.99", Path: "var/lib/dpkg/status", Layer: digest("layer 1")}).
		finding(breakwater.Finding{Check: breakwater.CheckBuildCommand, Rule: "curl-pipe-sh", Title: "A download is run unseen", Severity: breakwater.SeverityHigh, Where: breakwater.WhereHistory, Path: "step 4", Layer: digest("layer 3"),
			Current: "RUN curl http://get.example | sh", Suggest: "Fetch a release over TLS, check its sha256, then run it.", Description: "What the server sends today is what runs."})
	b.r.Inventory.Configs = []breakwater.ConfigFile{{Kind: "shadow", Path: "etc/shadow", Weak: []breakwater.WeakPassword{{Service: "system", User: "root", Path: "etc/shadow", Line: 1, Scheme: "yescrypt", Reason: "built_in_list", Masked: "t**r"}}}}
	b.r.Inventory.Setup = breakwater.Setup{User: "app", Labels: map[string]string{"b": "2", "a": "1"}, Env: []string{"PATH=/bin"}}
	b.r.Inventory.History = []breakwater.History{{CreatedBy: "ADD rootfs.tar /"}, {CreatedBy: "CMD sh", Empty: true}}
	b.r.Inventory.Files = breakwater.FileStat{Num: 3000, Bytes: 1 << 28, ByKind: map[breakwater.FileKind]breakwater.KindCount{"elf": {Num: 1000, Bytes: 1 << 27}, "text": {Num: 2000, Bytes: 1 << 26}}}
	b.r.Feeds = []breakwater.Feed{{Name: "Debian", URL: "https://example.org/Debian/all.zip", Records: 34000, Dated: published, Imported: published}, {Name: "npm", Records: 12, Starter: true, LastError: "no answer"}, {Name: breakwater.FeedKEV, Records: 1200, Dated: published}}
	b.r.Base = &Base{Name: "docker.io/library/debian:12", Digest: digest("debian"), Layers: 1, Newest: "docker.io/library/debian:12.5", Removes: 2}
	b.r.Exempted, b.r.Unfixed = 2, 1
	return b.r
}

// empty has no package, no finding and no coverage.
func empty() Report {
	r := build("scratch.tar").r
	r.Digest, r.Inventory.Digest, r.Inventory.OS = "", "", breakwater.OS{}
	return r
}

// failed has checks that failed, and one that nobody knows.
func failed() Report {
	b := build("registry.example:5000/Team/App@sha256:00").layers(1)
	for _, c := range checks() {
		b.coverage(breakwater.Coverage{Check: c, State: breakwater.StateFailed, Code: breakwater.CodeUnknown})
	}
	b.coverage(breakwater.Coverage{Check: "future", State: "strange", Reason: "\x1b[31mred"})
	return b.r
}

// evil is the text that an attacker would put into names.
const evil = "\x1b[2J\x1b]0;title\x07ev\u202eil\u200b\u2066\r\nname\xff\u0000[x](javascript:1)<script>\U000e0041"

// hostile has names, paths and words that mean harm.
func hostile() Report {
	b := build(evil).layers(1).
		checked(checks()...).
		pkg(breakwater.Package{Ecosystem: "npm", Name: evil, Version: evil, Type: "npm", PURL: evil, Licences: []string{evil, "MIT AND " + evil, strings.Repeat("x", 5000), "()", "( ( ( MIT"}, Layer: digest("layer 1"), Path: evil}).
		pkg(breakwater.Package{Name: "", Version: "", Type: ""}).
		pkg(breakwater.Package{Name: "", Version: "", Type: "", OwnedBy: "x"}).
		pkg(breakwater.Package{Ecosystem: "npm", Name: "a", Version: "1", Type: "npm", PURL: "pkg:npm/a@1", Path: "a:b/c d/é?#%"}).
		pkg(breakwater.Package{Ecosystem: "npm", Name: "a", Version: "1", Type: "npm", PURL: "pkg:npm/a@1", OwnedBy: "b", Path: strings.Repeat("long/", 300) + "package.json"}).
		pkg(breakwater.Package{Ecosystem: "npm", Name: "数据库连接池", Version: "１．０", Type: "npm", Path: "應用/数据库/package.json"})
	b.vul(breakwater.Vulnerability{AdvisoryID: evil, Aliases: []string{evil}, Severity: breakwater.SeverityHigh, Score: 9.9, Summary: evil, URL: "javascript:alert(1)", Fixed: evil, Feed: evil, EPSS: 1}, 0).
		vul(breakwater.Vulnerability{AdvisoryID: "X-1", Severity: "", Score: -1, EPSS: -1}, 1, 3, 4, 5)
	b.r.Vulnerabilities = append(b.r.Vulnerabilities, breakwater.Vulnerability{AdvisoryID: "X-2", Package: breakwater.PackageVersion{Name: "nowhere"}, Score: -1, EPSS: -1})
	for _, c := range checks() {
		b.finding(breakwater.Finding{Check: c, Rule: evil, Title: evil, Path: evil, Subject: evil, Current: evil, Suggest: evil, Description: evil, Remediation: evil, Line: 1})
		b.finding(breakwater.Finding{Check: c, Rule: "r", Where: breakwater.WhereLabel, Path: evil})
		b.finding(breakwater.Finding{Check: c})
	}
	b.r.Base = &Base{Name: evil, Newest: evil, Layers: 1, Removes: -1}
	b.r.Inventory.OS = breakwater.OS{ID: evil, VersionID: evil, Name: evil}
	b.r.Inventory.Coverage[0].Skipped = []breakwater.Skip{{Path: evil, Reason: evil}, {}}
	b.r.Feeds = []breakwater.Feed{{Name: evil, LastError: evil}}
	return b.r
}

// huge has n vulnerabilities in n/10 packages.
func huge(n int) Report {
	b := build("docker.io/library/huge:1").layers(20).checked(checks()...)
	words := []breakwater.Severity{breakwater.SeverityHigh, breakwater.SeverityMedium, breakwater.SeverityLow}
	for i := range n / 10 {
		p := deb(fmt.Sprintf("package-%d", i), fmt.Sprintf("1.%d-1", i), fmt.Sprintf("source-%d", i/2), fmt.Sprintf("1.%d-1", i/2), "GPL-2+", "Expat")
		p.Layer = digest(fmt.Sprintf("layer %d", i%20+1))
		b.pkg(p)
	}
	for i := range n {
		b.vul(breakwater.Vulnerability{AdvisoryID: fmt.Sprintf("DEBIAN-CVE-2024-%05d", i), CVEs: []string{fmt.Sprintf("CVE-2024-%05d", i)}, Feed: "Debian",
			Severity: words[i%3], Score: float64(i%100) / 10, Summary: "A buffer overflow lets attackers run code of theirs.", Fixed: fmt.Sprintf("1.%d-2", i), EPSS: float64(i%1000) / 1000}, i/10)
	}
	return b.r
}

// fixtures are the reports that every format is tried with.
func fixtures() map[string]Report {
	return map[string]Report{
		"debian": debian(), "empty": empty(), "failed": failed(), "hostile": hostile(), "huge": huge(300), "zero": {},
	}
}

func write(t testing.TB, format string, r Report, o Options) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, format, r, o); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.Bytes()
}

// shuffled is the same report with its lists in another order.
func shuffled(r Report, seed uint64) Report {
	random := rand.New(rand.NewPCG(seed, 1))
	shuffle := func(n int, swap func(i, j int)) { random.Shuffle(n, swap) }
	r.Vulnerabilities = append([]breakwater.Vulnerability(nil), r.Vulnerabilities...)
	for i := range r.Vulnerabilities {
		found := append([]breakwater.Package(nil), r.Vulnerabilities[i].Found...)
		shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
		r.Vulnerabilities[i].Found = found
	}
	shuffle(len(r.Vulnerabilities), func(i, j int) {
		r.Vulnerabilities[i], r.Vulnerabilities[j] = r.Vulnerabilities[j], r.Vulnerabilities[i]
	})
	r.Findings = append([]breakwater.Finding(nil), r.Findings...)
	shuffle(len(r.Findings), func(i, j int) { r.Findings[i], r.Findings[j] = r.Findings[j], r.Findings[i] })
	r.Inventory.Packages = append([]breakwater.Package(nil), r.Inventory.Packages...)
	shuffle(len(r.Inventory.Packages), func(i, j int) {
		r.Inventory.Packages[i], r.Inventory.Packages[j] = r.Inventory.Packages[j], r.Inventory.Packages[i]
	})
	r.Inventory.Coverage = append([]breakwater.Coverage(nil), r.Inventory.Coverage...)
	shuffle(len(r.Inventory.Coverage), func(i, j int) {
		r.Inventory.Coverage[i], r.Inventory.Coverage[j] = r.Inventory.Coverage[j], r.Inventory.Coverage[i]
	})
	r.Feeds = append([]breakwater.Feed(nil), r.Feeds...)
	shuffle(len(r.Feeds), func(i, j int) { r.Feeds[i], r.Feeds[j] = r.Feeds[j], r.Feeds[i] })
	return r
}

// module reads a file of a module that the product depends on.
func module(t *testing.T, name string, file ...string) []byte {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", name).Output()
	if err != nil {
		t.Fatalf("go list -m %s: %v", name, err)
	}
	b, err := os.ReadFile(filepath.Join(append([]string{strings.TrimSpace(string(out))}, file...)...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
