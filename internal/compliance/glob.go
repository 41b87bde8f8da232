package compliance

import (
	"errors"
	"path"
	"strings"

	"gopkg.in/yaml.v3"
)

// globSet is a list of globs (path.Match), made fast for the many packages of
// the many images that are held against it: most globs have no special
// character, and the others begin with a text that most names do not.
type globSet struct {
	exact map[string]bool
	rest  []prefixGlob
	lower *globSet // the same in lower case; nil in itself
}

type prefixGlob struct{ prefix, glob string }

var errGlob = errors.New("no list of globs, each of at most 256 bytes")

// UnmarshalYAML reads and checks a list.
func (g *globSet) UnmarshalYAML(n *yaml.Node) error {
	var list []string
	if err := n.Decode(&list); err != nil {
		return err
	}
	set, err := newGlobSet(list...)
	if err != nil {
		return err
	}
	low := make([]string, len(list))
	for i, s := range list {
		low[i] = strings.ToLower(s)
	}
	lower, err := newGlobSet(low...)
	if err != nil {
		return err
	}
	*g = set
	g.lower = &lower
	return nil
}

func newGlobSet(list ...string) (globSet, error) {
	g := globSet{exact: map[string]bool{}}
	if len(list) > maxList {
		return g, errGlob
	}
	for _, s := range list {
		if _, err := path.Match(s, ""); err != nil || len(s) > 256 {
			return g, errGlob
		}
		if at := strings.IndexAny(s, `*?[\`); at >= 0 {
			g.rest = append(g.rest, prefixGlob{s[:at], s})
		} else {
			g.exact[s] = true
		}
	}
	return g, nil
}

func (g *globSet) empty() bool { return len(g.exact)+len(g.rest) == 0 }

func (g *globSet) match(name string) bool {
	if g.exact[name] {
		return true
	}
	for _, one := range g.rest {
		if strings.HasPrefix(name, one.prefix) {
			if ok, _ := path.Match(one.glob, name); ok {
				return true
			}
		}
	}
	return false
}

// fold matches without regard to case.
func (g *globSet) fold(lowerName string) bool { return g.lower != nil && g.lower.match(lowerName) }
