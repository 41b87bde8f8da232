package baseline

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"breakwater"
)

// Permission is a check of who may do what with the files of some kinds.
type Permission struct {
	Kinds  []string `yaml:"kinds"`
	Path   string   `yaml:"path"` // a regular expression; every file of the kinds when empty
	Mode   string   `yaml:"mode"` // octal: the most that may be set
	Owners []int    `yaml:"owners"`
	Groups []string `yaml:"groups"` // names; the group is not looked at when empty

	most uint32
	path *regexp.Regexp
}

func (p *Permission) compile() (err error) {
	n, err := strconv.ParseUint(p.Mode, 8, 12)
	if err != nil || len(p.Kinds) == 0 {
		return breakwater.Invalid("permission", "needs kinds and an octal mode")
	}
	p.most = uint32(n)
	p.path, err = pattern("path", p.Path)
	return err
}

func (v *view) permission(p *Permission) ([]breakwater.CheckCase, bool) {
	var cases []breakwater.CheckCase
	suggest := fmt.Sprintf("mode %04o or less", p.most)
	if len(p.Owners) > 0 {
		suggest += fmt.Sprintf(", owner %d", p.Owners[0])
	}
	if len(p.Groups) > 0 {
		suggest += ", group " + strings.Join(p.Groups, " or ")
	}
	for _, kind := range p.Kinds {
		for _, f := range v.files[kind] {
			if p.path != nil && !p.path.MatchString(f.Path) {
				continue
			}
			bad := f.Mode&07777&^p.most != 0 || len(p.Owners) > 0 && !slices.Contains(p.Owners, f.UID) ||
				len(p.Groups) > 0 && !slices.Contains(p.Groups, v.groupName(f.GID))
			cases = append(cases, caseOf(f, 0, bad, fmt.Sprintf("mode %04o, owner %d, group %d", f.Mode&07777, f.UID, f.GID), suggest))
		}
	}
	return cases, len(cases) > 0
}

// Notables is a check of the entries with telling permissions.
type Notables struct {
	Test  string   `yaml:"test"`  // world_writable_file, world_writable_dir, setuid, setgid or device
	Allow []string `yaml:"allow"` // path patterns as in path.Match, or base names
}

func (n *Notables) compile() error {
	switch n.Test {
	case "world_writable_file", "world_writable_dir", "setuid", "setgid", "device":
	default:
		return breakwater.Invalid("test", "is not a test of notable entries")
	}
	for _, p := range n.Allow {
		if _, err := path.Match(p, "x"); err != nil {
			return breakwater.Invalid("allow", "is not a path pattern")
		}
	}
	return nil
}

// The bits of chmod(1).
const (
	bitSetuid = 04000
	bitSetgid = 02000
	bitSticky = 01000
	bitWorld  = 00002
)

func (n *Notables) meets(e *breakwater.Notable) bool {
	switch n.Test {
	case "world_writable_file":
		return e.Kind == "file" && e.Mode&bitWorld != 0
	case "world_writable_dir":
		return e.Kind == "dir" && e.Mode&bitWorld != 0 && e.Mode&bitSticky == 0
	case "setuid":
		return e.Kind == "file" && e.Mode&bitSetuid != 0
	case "setgid":
		return e.Kind == "file" && e.Mode&bitSetgid != 0
	case "device":
		return e.Kind == "device"
	}
	return false
}

func (n *Notables) allowed(p string) bool {
	for _, a := range n.Allow {
		if ok, _ := path.Match(a, p); ok || !strings.Contains(a, "/") && a == path.Base(p) {
			return true
		}
	}
	return false
}

// notables is applicable to every image that has files at all.
func (v *view) notables(n *Notables) ([]breakwater.CheckCase, bool) {
	var cases []breakwater.CheckCase
	suggest := map[string]string{
		"world_writable_file": "chmod o-w", "world_writable_dir": "chmod o-w, or the sticky bit", "setuid": "chmod u-s, or remove the program",
		"setgid": "chmod g-s, or remove the program", "device": "no device files in an image",
	}[n.Test]
	for i := range v.inv.Notable {
		e := &v.inv.Notable[i]
		if n.meets(e) && !n.allowed(e.Path) {
			cases = append(cases, breakwater.CheckCase{
				Current: fmt.Sprintf("mode %04o, owner %d, group %d", e.Mode&07777, e.UID, e.GID), Suggest: suggest, Path: e.Path, Layer: e.Layer, Failed: true,
			})
		}
	}
	if len(cases) == 0 {
		cases = append(cases, breakwater.CheckCase{Current: "none", Suggest: suggest})
	}
	return cases, true
}

// Exists is a check that files of some kinds are, or are not, in the image.
type Exists struct {
	Kinds []string `yaml:"kinds"`
	Path  string   `yaml:"path"` // a regular expression; every file of the kinds when empty
	Want  bool     `yaml:"want"`

	path *regexp.Regexp
}

func (e *Exists) compile() (err error) {
	if len(e.Kinds) == 0 {
		return breakwater.Invalid("exists", "needs kinds")
	}
	e.path, err = pattern("path", e.Path)
	return err
}

func (v *view) exists(e *Exists) ([]breakwater.CheckCase, bool) {
	var cases []breakwater.CheckCase
	for _, kind := range e.Kinds {
		for _, f := range v.files[kind] {
			if e.path == nil || e.path.MatchString(f.Path) {
				cases = append(cases, caseOf(f, 0, !e.Want, "the file is there", map[bool]string{true: "the file", false: "no such file"}[e.Want]))
			}
		}
	}
	if len(cases) == 0 {
		cases = append(cases, breakwater.CheckCase{Current: "no such file", Suggest: map[bool]string{true: "the file", false: "no such file"}[e.Want], Failed: e.Want})
	}
	return cases, true
}
