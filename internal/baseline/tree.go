package baseline

import (
	"path"
	"slices"
	"strings"

	"breakwater"
)

// The limits of joining the files of one program.
const (
	maxJoined   = 200_000 // directives of one program
	maxIncludes = 32      // files including files
)

// item is a directive in its place: with the section that the including file
// gives it, and the file that it stands in.
type item struct {
	file    *breakwater.ConfigFile
	entry   *breakwater.ConfigEntry
	section string
}

// instance is the whole configuration of one program: its directives in the
// order in which it reads them.
type instance struct {
	main  *breakwater.ConfigFile // the file that is named when a directive is absent
	items []item
	// partial says that the file a program begins with is not in the image: what
	// is absent from the rest may be there.
	partial bool
	byKey   map[string][]int // items by their key in small letters
}

// partials are the kinds that say nothing whole without their main file.
var partials = map[string]bool{kindSSHD: true, kindNginx: true, kindApache: true, kindPostgreSQL: true, kindSudoers: true}

// of are the items of any of the keys, in their order; of "*" all.
func (in *instance) of(keys []string) []item {
	if len(keys) == 1 && keys[0] == "*" {
		return in.items
	}
	if in.byKey == nil {
		in.byKey = make(map[string][]int, len(in.items))
		for i := range in.items {
			k := strings.ToLower(in.items[i].entry.Key)
			in.byKey[k] = append(in.byKey[k], i)
		}
	}
	var at []int
	for _, k := range keys {
		at = append(at, in.byKey[strings.ToLower(k)]...)
	}
	slices.Sort(at)
	out := make([]item, len(at))
	for i, k := range at {
		out[i] = in.items[k]
	}
	return out
}

// includes are the directives that read other files, by kind.
var includes = map[string][]string{
	kindSSHD:       {"include"},
	kindNginx:      {"include"},
	kindApache:     {"include", "includeoptional"},
	kindMySQL:      {"!includedir", "!include"},
	kindRedis:      {"include"},
	kindPostgreSQL: {"include", "include_if_exists", "include_dir"},
	kindSudoers:    {"includedir", "include"},
	kindFPM:        {"include"},
}

// mains are the files that a program begins with.
var mains = map[string][]string{
	kindSSHD: {"sshd_config"}, kindNginx: {"nginx.conf"}, kindApache: {"apache2.conf", "httpd.conf"}, kindMySQL: {"my.cnf"}, kindPHP: {"php.ini"},
	kindSudoers: {"sudoers"}, kindFPM: {"php-fpm.conf"}, kindSysctl: {"sysctl.conf"}, kindPwquality: {"pwquality.conf"}, kindLimits: {"limits.conf"},
	kindPostgreSQL: {"postgresql.conf"},
}

// alone are the kinds of which every file is a program's own.
var alone = map[string]bool{
	kindRedis: true, kindRedisACL: true, kindMongoDB: true, kindPgHBA: true, kindTomcatServer: true, kindTomcatWeb: true,
	kindTomcatContext: true, kindTomcatUsers: true, kindPAM: true, kindLoginDefs: true, kindDocker: true,
}

// instances joins the files of a kind, sorted by path, into configurations.
func instances(kind string, files []*breakwater.ConfigFile) []instance {
	var roots []*breakwater.ConfigFile
	byPath := map[string]*breakwater.ConfigFile{}
	for _, f := range files {
		byPath[f.Path] = f
		if alone[kind] || slices.Contains(mains[kind], path.Base(f.Path)) {
			roots = append(roots, f)
		}
	}
	if len(roots) == 0 && len(files) > 0 {
		in := instance{main: files[0], partial: partials[kind]}
		for _, f := range files {
			in.append(f, orphanSection(kind, f))
		}
		return []instance{in}
	}
	used := map[string]bool{}
	out := make([]instance, len(roots))
	for i, root := range roots {
		used[root.Path] = true
		out[i].main = root
		j := joiner{kind: kind, byPath: byPath, paths: files, used: used, base: path.Dir(root.Path), in: &out[i]}
		j.join(root, "", 0)
	}
	if kind == kindSSHD || kind == kindSudoers || alone[kind] {
		return out // what is not included is not read
	}
	for _, f := range files {
		if used[f.Path] {
			continue
		}
		in := &out[nearest(roots, f.Path)]
		if kind == kindSysctl || kind == kindPwquality {
			first := instance{}
			first.append(f, "")
			in.items = append(first.items, in.items...) // these are read before the main file
			continue
		}
		in.append(f, orphanSection(kind, f))
	}
	return out
}

// orphanSection is where a file stands that is reached by a symbolic link, which
// a scan does not follow: a site of nginx is part of its http block.
func orphanSection(kind string, f *breakwater.ConfigFile) string {
	if kind == kindNginx && !slices.Contains(mains[kind], path.Base(f.Path)) {
		return "http"
	}
	return ""
}

// nearest is the root whose folder holds most of the path.
func nearest(roots []*breakwater.ConfigFile, p string) int {
	best, length := 0, -1
	for i, root := range roots {
		if dir := path.Dir(root.Path) + "/"; strings.HasPrefix(p, dir) && len(dir) > length {
			best, length = i, len(dir)
		}
	}
	return best
}

func (in *instance) append(f *breakwater.ConfigFile, outer string) {
	for k := range f.Entries {
		if len(in.items) >= maxJoined {
			return
		}
		in.items = append(in.items, item{f, &f.Entries[k], joinSection(outer, f.Entries[k].Section)})
	}
}

func joinSection(outer, inner string) string {
	switch {
	case outer == "":
		return inner
	case inner == "":
		return outer
	}
	return outer + "/" + inner
}

// joiner follows the include directives of one program.
type joiner struct {
	kind   string
	byPath map[string]*breakwater.ConfigFile
	paths  []*breakwater.ConfigFile
	used   map[string]bool
	base   string // folder that relative names begin at
	in     *instance
}

func (j *joiner) join(f *breakwater.ConfigFile, outer string, depth int) {
	for k := range f.Entries {
		if len(j.in.items) >= maxJoined {
			return
		}
		e := &f.Entries[k]
		section := joinSection(outer, e.Section)
		if depth < maxIncludes && slices.Contains(includes[j.kind], strings.ToLower(e.Key)) {
			for pattern := range strings.FieldsSeq(e.Value) {
				for _, g := range j.matching(pattern, path.Dir(f.Path), strings.HasSuffix(e.Key, "dir") || strings.HasSuffix(e.Key, "_dir")) {
					if g != f && len(j.in.items) < maxJoined && !j.onPath(g, depth) {
						j.used[g.Path] = true
						j.join(g, section, depth+1)
					}
				}
			}
			continue
		}
		j.in.items = append(j.in.items, item{f, e, section})
	}
}

// onPath ends files that include each other: past a few levels a file that was
// read already is not read again.
func (j *joiner) onPath(g *breakwater.ConfigFile, depth int) bool { return depth > 3 && j.used[g.Path] }

// matching are the files that an include names, sorted by path. Names are taken
// from the program's folder, then from the including file's.
func (j *joiner) matching(pattern, here string, dir bool) []*breakwater.ConfigFile {
	pattern = strings.Trim(pattern, `"'`)
	var out []*breakwater.ConfigFile
	for _, base := range []string{j.base, here, path.Dir(j.base)} {
		full := path.Join(base, pattern)
		if path.IsAbs(pattern) {
			full = strings.TrimPrefix(path.Clean(pattern), "/")
		}
		if g := j.byPath[full]; g != nil && !dir {
			return []*breakwater.ConfigFile{g}
		}
		for _, g := range j.paths {
			if dir && path.Dir(g.Path) == full {
				out = append(out, g)
			} else if ok, _ := path.Match(full, g.Path); ok {
				out = append(out, g)
			}
		}
		if len(out) > 0 || path.IsAbs(pattern) {
			break
		}
	}
	return out
}
