package match

import (
	"errors"
	"regexp"
	"strings"

	"breakwater"

	"github.com/google/osv-scalibr/semantic"
)

// An order is how an ecosystem sorts versions: the name under which the semantic
// package knows it, which strings are versions at all (the parsers there accept
// anything and would sort it somewhere), and what to take off an installed
// version that advisories never write.
type order struct {
	parser   string
	valid    *regexp.Regexp
	strip    *regexp.Regexp
	released bool // its advisories name the distribution's release
}

var (
	dpkgVersion  = regexp.MustCompile(`^(\d+:)?[0-9A-Za-z][0-9A-Za-z.+~:-]*$`)
	rpmVersion   = regexp.MustCompile(`^(\d+:)?[0-9A-Za-z._+~^-]+$`)
	apkVersion   = regexp.MustCompile(`^\d+(\.\d+)*\.?[a-z]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*(~[0-9a-f]+)?(-r\d+)?$`)
	pep440       = regexp.MustCompile(`(?i)^\s*v?(\d+!)?\d+(\.\d+)*([-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?\d*)?(-\d+|[-_.]?(post|rev|r)[-_.]?\d*)?([-_.]?dev[-_.]?\d*)?(\+[a-z0-9]+([-_.][a-z0-9]+)*)?\s*$`)
	semver       = regexp.MustCompile(`^[vV=]*\d+(\.\d+)*([-+.]?[0-9A-Za-z][0-9A-Za-z.+_-]*)?$`)
	gemVersion   = regexp.MustCompile(`^\d+(\.[0-9A-Za-z]+)*(-[0-9A-Za-z.-]+)?$`)
	mavenVersion = regexp.MustCompile(`^[vV]?\d[0-9A-Za-z._+-]*$|^[A-Za-z]+[._-]?\d[0-9A-Za-z._+-]*$`)
	composer     = regexp.MustCompile(`^[vV]?\d+(\.\d+)*([-_.+]?[0-9A-Za-z][0-9A-Za-z._+-]*)?$`)

	cranVersion  = regexp.MustCompile(`^\d+([.-]\d+)*$`)
	conanVersion = regexp.MustCompile(`^(v|cci[._-])?\d+([.+_-]?[0-9A-Za-z]+)*$`) // "9f", "2019_U9", "cci.20230101" of a recipe without releases

	gemPlatform    = regexp.MustCompile(`-(java|jruby|ruby|x86|x64|i[3-6]86|arm|aarch64|universal|mingw|mswin|powerpc|s390x|riscv).*$`)
	bitnamiRelease = regexp.MustCompile(`-\d+$`)
	goToolchain    = regexp.MustCompile(`^go|\s.*$`)
)

// orderOf is the order of an ecosystem; ok is false when nobody here knows it.
func orderOf(ecosystem string) (order, bool) {
	switch base := breakwater.BaseEcosystem(ecosystem); base {
	case "Debian", "Ubuntu":
		return order{parser: "Debian", valid: dpkgVersion, released: true}, true
	case "AlmaLinux", "Rocky Linux", "Red Hat", "SUSE", "openSUSE", "openEuler", "Mageia", "Azure Linux":
		return order{parser: "Red Hat", valid: rpmVersion, released: true}, true
	case "Alpine", "Alpaquita", "BellSoft Hardened Containers":
		return order{parser: "Alpine", valid: apkVersion, released: true}, true
	case "Chainguard", "Wolfi", "MinimOS":
		return order{parser: "Alpine", valid: apkVersion}, true
	case "PyPI":
		return order{parser: base, valid: pep440}, true
	case "Maven":
		return order{parser: base, valid: mavenVersion}, true
	case "RubyGems":
		return order{parser: base, valid: gemVersion, strip: gemPlatform}, true
	case "Packagist":
		return order{parser: base, valid: composer}, true
	case "Go":
		return order{parser: base, valid: semver, strip: goToolchain}, true
	case "Bitnami":
		return order{parser: base, valid: semver, strip: bitnamiRelease}, true
	case "CRAN":
		return order{parser: base, valid: cranVersion}, true
	case "ConanCenter":
		return order{parser: base, valid: conanVersion}, true
	case "NuGet", "npm", "crates.io", "Hex", "Pub", "SwiftURL", "Julia", "Hackage", "GHC", "Bioconductor":
		return order{parser: base, valid: semver}, true
	}
	return order{}, false
}

// errVersion says that a string is no version of its ecosystem.
var errVersion = errors.New("not a version of its ecosystem")

// maxVersion bounds what is parsed: some comparisons are quadratic.
const maxVersion = 256

// parse reads a version as advisories write them.
func (o order) parse(s string) (semantic.Version, error) {
	if len(s) > maxVersion || !o.valid.MatchString(s) {
		return nil, errVersion
	}
	if o.parser == "Packagist" && strings.HasSuffix(s, "x-dev") {
		return nil, errVersion // a branch
	}
	return semantic.Parse(strings.TrimLeft(s, "="), o.parser)
}

// parseInstalled reads a version as a package manager writes them.
func (o order) parseInstalled(s string) (string, semantic.Version, error) {
	if o.strip != nil && len(s) <= maxVersion {
		s = o.strip.ReplaceAllString(s, "")
	}
	v, err := o.parse(s)
	return s, v, err
}

// Compare orders two versions of an ecosystem: below zero when a is the older.
func Compare(ecosystem, a, b string) (int, error) {
	o, ok := orderOf(ecosystem)
	if !ok {
		return 0, errVersion
	}
	v, err := o.parse(a)
	if err != nil {
		return 0, err
	}
	w, err := o.parse(b)
	if err != nil {
		return 0, err
	}
	return v.Compare(w)
}
