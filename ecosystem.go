package breakwater

import "strings"

// Advisories and packages come from people who write the same release and the
// same package differently: "Ubuntu:22.04:LTS" and "Ubuntu:22.04", "AlmaLinux:9"
// and "AlmaLinux:9.4", "Flask_Login" and "flask-login". The functions of this
// file give each the one spelling that is stored and looked up, so that a
// verdict never depends on who wrote it down.

// BaseEcosystem is the ecosystem without its release: "Debian" of "Debian:12".
func BaseEcosystem(ecosystem string) string {
	base, _, _ := strings.Cut(ecosystem, ":")
	return base
}

// NormalEcosystem is the one spelling of an OSV ecosystem with its release.
//
//	Ubuntu:22.04:LTS → Ubuntu:22.04        Alpine:3.19.1 → Alpine:v3.19
//	Debian:12.5 → Debian:12                AlmaLinux:9.4 → AlmaLinux:9
//	Azure Linux:3.0 → Azure Linux:3        Red Hat:enterprise_linux:9::baseos → Red Hat:9
//	Packagist:https://packages.drupal.org/8 → Packagist
//	SUSE:Linux Enterprise Module for Basesystem 15 SP5 → SUSE:Linux Enterprise 15 SP5
//
// A spelling that it does not know is returned as it is.
func NormalEcosystem(ecosystem string) string {
	base, release, ok := strings.Cut(strings.TrimSpace(ecosystem), ":")
	if !ok || release == "" {
		return base
	}
	switch base {
	case "Packagist", "Maven", "npm", "PyPI", "NuGet", "RubyGems", "crates.io", "Go", "Bitnami", "Hex", "Pub", "CRAN", "ConanCenter", "SwiftURL":
		return base // the suffix names a repository, and package names there do not clash
	case "Ubuntu":
		release = strings.TrimSuffix(release, ":LTS")
	case "Alpine":
		release = "v" + leading(strings.TrimPrefix(release, "v"), 2)
		if release == "vedge" {
			release = "edge"
		}
	case "Debian":
		// Before 7 a release was two numbers: 3.1 and 3.0 are not the same one.
		if major := leading(release, 1); len(major) > 1 || major >= "7" {
			release = major
		}
	case "AlmaLinux", "Rocky Linux", "Azure Linux", "Mageia":
		release = leading(release, 1)
	case "Red Hat":
		release = redHatRelease(release)
	case "SUSE":
		release = suseRelease(release)
	}
	return base + ":" + release
}

// redHatRelease shortens the CPE tail of the main product, and leaves every
// other product (extended support, OpenShift) apart from it.
func redHatRelease(release string) string {
	tail, ok := strings.CutPrefix(release, "enterprise_linux:")
	if !ok {
		if strings.Contains(release, ":") {
			return release
		}
		tail = release
	}
	number, _, _ := strings.Cut(tail, ":")
	return leading(number, 1)
}

// suseRelease drops the product or module: one system has packages of many
// ("Linux Enterprise Module for Basesystem 15 SP5" → "Linux Enterprise 15 SP5").
// Products with versions of their own (Micro 5.5, LTSS) stay apart.
func suseRelease(release string) string {
	words := strings.Fields(release)
	n := len(words)
	if n < 3 || words[0] != "Linux" || words[1] != "Enterprise" {
		return release
	}
	number, pack := words[n-1], ""
	if strings.HasPrefix(number, "SP") && digits(number[2:]) {
		number, pack = words[n-2], " "+number
	}
	if !digits(number) {
		return release
	}
	return "Linux Enterprise " + number + pack
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// leading is the first n dotted parts of a release.
func leading(release string, n int) string {
	parts := strings.SplitN(release, ".", n+1)
	if len(parts) > n {
		parts = parts[:n]
	}
	return strings.Join(parts, ".")
}

// NormalName is the one spelling of a package name in its ecosystem: PyPI names
// by the rule of the simple repository API (lower case; runs of "-", "_" and
// "." are one "-"), NuGet, Packagist and Bitnami names in lower case, SwiftURL
// names, which are addresses of repositories, too and without scheme and ".git",
// every other name as it is.
func NormalName(ecosystem, name string) string {
	switch BaseEcosystem(ecosystem) {
	case "PyPI":
		return normalPyPI(name)
	case "NuGet", "Packagist", "Bitnami":
		return strings.ToLower(name)
	case "SwiftURL":
		return normalRepository(name)
	}
	return name
}

// normalRepository of a normal name is the same one.
func normalRepository(address string) string {
	name := strings.ToLower(address)
	if i := strings.LastIndex(name, "://"); i >= 0 {
		name = name[i+len("://"):]
	}
	for {
		short := strings.TrimSuffix(strings.TrimRight(name, "/"), ".git")
		if short == name {
			return name
		}
		name = short
	}
}

func normalPyPI(name string) string {
	var b strings.Builder
	gap := false
	for _, c := range strings.ToLower(name) {
		if c == '-' || c == '_' || c == '.' {
			gap = true
			continue
		}
		if gap {
			b.WriteByte('-')
			gap = false
		}
		b.WriteRune(c)
	}
	if gap {
		b.WriteByte('-')
	}
	return b.String()
}

// LookupEcosystems lists the normal ecosystems whose advisories apply to a
// package of the given one: its release, and the records that name no release.
func LookupEcosystems(ecosystem string) []string {
	normal := NormalEcosystem(ecosystem)
	if base := BaseEcosystem(normal); base != normal {
		return []string{normal, base}
	}
	return []string{normal}
}

// IsCVE reports whether id is a CVE number.
func IsCVE(id string) bool {
	rest, ok := strings.CutPrefix(id, "CVE-")
	if !ok || len(rest) < 9 || len(rest) > 24 || rest[4] != '-' {
		return false
	}
	for i := 0; i < len(rest); i++ {
		if i != 4 && (rest[i] < '0' || rest[i] > '9') {
			return false
		}
	}
	return true
}

// CVEs lists the CVE numbers that the advisory speaks of, without repeats and
// in the record's order: its own id, its aliases, and what it derives from.
func (a Advisory) CVEs() []string {
	var out []string
	seen := map[string]bool{}
	for _, ids := range [][]string{{a.ID}, a.Aliases, a.Upstream} {
		for _, id := range ids {
			if IsCVE(id) && !seen[id] {
				seen[id] = true
				out = append(out, id)
			}
		}
	}
	return out
}
