package detect

import (
	"strings"

	"breakwater"

	packageurl "github.com/package-url/packageurl-go"
)

// Ecosystem is OSV's name for the release, for packages of the given type
// (deb, apk, rpm, alpm); empty when OSV has no such ecosystem or the release is
// unknown.
func (r Release) Ecosystem(kind string) string {
	switch kind {
	case "deb":
		return r.debian()
	case "apk":
		return r.alpine()
	case "rpm":
		return r.rpm()
	}
	return ""
}

// debian also knows the numbers of releases whose os-release has none yet:
// testing and unstable carry the coming release's codename only.
func (r Release) debian() string {
	switch r.ID {
	case "debian":
		version := r.VersionID
		if version == "" {
			version = map[string]string{"bookworm": "12", "trixie": "13", "forky": "14", "duke": "15"}[r.Codename]
		}
		return with("Debian", version)
	case "ubuntu":
		if strings.Contains(r.Version, "LTS") {
			return with("Ubuntu", r.VersionID+":LTS")
		}
		return with("Ubuntu", r.VersionID)
	}
	return ""
}

func (r Release) alpine() string {
	switch r.ID {
	case "wolfi":
		return "Wolfi"
	case "chainguard":
		return "Chainguard"
	case "minimos":
		return "MinimOS"
	case "alpaquita":
		return with("Alpaquita", r.VersionID)
	case "alpine":
		if strings.Contains(r.VersionID, "_alpha") || strings.Contains(r.VersionID, "edge") {
			return "Alpine:edge"
		}
		return with("Alpine", prefixed("v", parts(r.VersionID, 2)))
	}
	return ""
}

func (r Release) rpm() string {
	switch r.ID {
	case "almalinux":
		return with("AlmaLinux", parts(r.VersionID, 1))
	case "rocky":
		return with("Rocky Linux", parts(r.VersionID, 1))
	case "rhel":
		if _, product, ok := strings.Cut(r.CPE, ":redhat:"); ok {
			return with("Red Hat", product)
		}
		return with("Red Hat", prefixed("enterprise_linux:", parts(r.VersionID, 1)))
	case "azurelinux", "mariner":
		return with("Azure Linux", parts(r.VersionID, 1))
	case "opensuse-leap":
		return with("openSUSE", prefixed("Leap ", r.VersionID))
	case "opensuse-tumbleweed":
		return "openSUSE:Tumbleweed"
	case "sles", "sled", "sles_sap":
		return with("SUSE", suse(r.VersionID))
	case "openeuler":
		return with("openEuler", openEuler(r))
	case "mageia":
		return with("Mageia", parts(r.VersionID, 1))
	case "photon":
		return with("Photon OS", r.VersionID)
	}
	return ""
}

// suse turns 15.5 into "Linux Enterprise Server 15 SP5".
func suse(version string) string {
	major, pack, ok := strings.Cut(version, ".")
	if major == "" {
		return ""
	}
	if !ok || pack == "0" {
		return "Linux Enterprise Server " + major
	}
	return "Linux Enterprise Server " + major + " SP" + pack
}

// openEuler turns "24.03 (LTS-SP1)" into "24.03-LTS-SP1".
func openEuler(r Release) string {
	version, rest, ok := strings.Cut(r.Version, " (")
	if !ok || version == "" {
		return r.VersionID
	}
	return version + "-" + strings.ReplaceAll(strings.TrimSuffix(rest, ")"), " ", "-")
}

// with joins an ecosystem and its release; without a release there is no
// advisory that could be meant.
func with(name, release string) string {
	if release == "" || strings.HasPrefix(release, ":") {
		return ""
	}
	return name + ":" + release
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// parts is the first n dotted parts.
func parts(version string, n int) string {
	p := strings.SplitN(version, ".", n+1)
	return strings.Join(p[:min(n, len(p))], ".")
}

// Complete gives a package of the operating system what only the whole image
// knows: its ecosystem, its PURL, and whether advisories speak of the source
// package (Debian, Alpine, Azure Linux, SUSE, openEuler, Mageia) or of the
// package itself (AlmaLinux, Rocky Linux, Red Hat).
func (r Release) Complete(p *breakwater.Package) {
	if p.Kind != breakwater.PackageOS {
		return
	}
	p.Ecosystem = r.Ecosystem(p.Type)
	if p.Type == "rpm" {
		switch breakwater.BaseEcosystem(p.Ecosystem) {
		case "AlmaLinux", "Rocky Linux", "Red Hat", "":
			p.SourceName, p.SourceVersion = "", ""
		}
	}
	p.PURL = r.purl(*p)
}

// purl is the package URL: the epoch of an rpm is a qualifier, not part of the
// version, and the distribution tells releases apart.
func (r Release) purl(p breakwater.Package) string {
	q := map[string]string{}
	if p.Arch != "" {
		q["arch"] = p.Arch
	}
	if r.ID != "" && r.VersionID != "" {
		q["distro"] = r.ID + "-" + r.VersionID
	} else if r.Codename != "" {
		q["distro"] = r.Codename
	}
	version := p.Version
	if p.Type == "rpm" {
		if epoch, rest, ok := strings.Cut(version, ":"); ok {
			q["epoch"], version = epoch, rest
		}
	}
	return packageurl.NewPackageURL(p.Type, r.ID, p.Name, version, packageurl.QualifiersFromMap(q), "").String()
}
