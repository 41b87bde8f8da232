package compliance

import (
	"errors"
	"strings"

	"breakwater"
	"breakwater/internal/match"
)

// versionRange is a list of bounds that must all hold: ">=1.0 <1.2".
type versionRange []bound

type bound struct {
	op      string // < <= = >= >
	version string
}

func parseRange(s string) (versionRange, error) {
	if len(s) > maxText {
		return nil, errTooLong
	}
	var out versionRange
	for f := range strings.FieldsSeq(s) {
		b := bound{op: "="}
		for _, op := range []string{"<=", ">=", "<", ">", "="} {
			if rest, ok := strings.CutPrefix(f, op); ok {
				b.op, f = op, rest
				break
			}
		}
		if b.version = f; f == "" {
			return nil, errors.New("a bound needs a version right after its sign")
		}
		out = append(out, b)
	}
	if len(out) == 0 {
		return nil, errors.New("a range needs a bound")
	}
	return out, nil
}

// orderOf is the ecosystem whose order a package's versions have: its own, or
// that of its kind where its distribution is not one that advisories speak of.
func orderOf(p breakwater.Package) string {
	if p.Ecosystem != "" {
		return p.MatchEcosystem()
	}
	switch p.Type {
	case "deb":
		return "Debian"
	case "rpm", "alpm": // libalpm compares as rpm does
		return "Red Hat"
	case "apk":
		return "Alpine"
	case "npm":
		return "npm"
	case "pypi":
		return "PyPI"
	case "golang":
		return "Go"
	case "maven":
		return "Maven"
	case "gem":
		return "RubyGems"
	case "composer":
		return "Packagist"
	case "cargo":
		return "crates.io"
	case "nuget":
		return "NuGet"
	}
	return ""
}

// within reports whether a package's version is in one of the ranges; known is
// false when that could not be decided.
func within(ranges []versionRange, p breakwater.Package) (in, known bool) {
	if len(ranges) == 0 {
		return true, true
	}
	known = true
	for _, r := range ranges {
		holds := true
		for _, b := range r {
			c, err := match.Compare(orderOf(p), p.Version, b.version)
			if err != nil {
				holds, known = false, false
				break
			}
			holds = holds && b.holds(c)
		}
		if holds {
			return true, true
		}
	}
	return false, known
}

func (b bound) holds(c int) bool {
	switch b.op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	}
	return c == 0
}
