package scan

import (
	"path"
	"slices"
	"strings"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/oci"
)

// live is a file of interest that the layers merged so far leave visible. Its
// packages know the layer that first brought them.
type live struct {
	layer breakwater.Digest
	fact  FileFact
}

// image is the state of a merge: what a container would see. Keys are paths
// with links resolved, so that lib/apk and usr/lib/apk are one place.
type image struct {
	files map[string]live
	links map[string]string
}

// merge lays the layers over each other, bottom first, and reads the inventory
// off the result. It does not change facts, which other scans share.
func merge(list []oci.Descriptor, facts []*LayerFacts) breakwater.Inventory {
	im := image{files: map[string]live{}, links: map[string]string{}}
	inv := breakwater.Inventory{Scanner: Version}
	var absent []breakwater.Skip
	for i, d := range list {
		f := facts[i]
		inv.Layers = append(inv.Layers, breakwater.LayerRef{Digest: d.Digest, DiffID: f.DiffID, Size: d.Size})
		inv.Entries += f.Entries
		if f.Absent {
			absent = append(absent, breakwater.Skip{Layer: d.Digest, Reason: "a foreign layer that the registry does not hold"})
			continue
		}
		im.apply(d.Digest, f)
	}
	release := im.release()
	inv.OS = release.OS()
	inv.Packages = im.packages(release)
	inv.Coverage = coverage(inv, append(absent, im.skipped()...))
	return inv
}

// apply lays one layer over the image.
func (im *image) apply(digest breakwater.Digest, f *LayerFacts) {
	before := im.remove(f)
	for _, l := range f.Links {
		im.links[l.Path] = l.Target
	}
	for _, fact := range f.Files {
		key := im.resolve(fact.Path)
		now := live{layer: digest, fact: fact}
		now.fact.Packages = slices.Clone(fact.Packages)
		old, had := before[key]
		if !had {
			old, had = im.files[key]
		}
		inherit(now, old, had)
		im.files[key] = now
	}
}

// inherit keeps the layer of packages that the earlier version of the same file
// already listed.
func inherit(now, old live, had bool) {
	type id struct{ name, version, arch string }
	first := map[id]breakwater.Digest{}
	if had {
		for _, p := range old.fact.Packages {
			first[id{p.Name, p.Version, p.Arch}] = p.Layer
		}
	}
	for i := range now.fact.Packages {
		p := &now.fact.Packages[i]
		p.Layer = now.layer
		if l, ok := first[id{p.Name, p.Version, p.Arch}]; ok {
			p.Layer = l
		}
	}
}

// remove drops what the layer deletes or replaces, and returns it, because a
// database that is written anew inherits from the one it replaces.
func (im *image) remove(f *LayerFacts) map[string]live {
	gone := map[string]live{}
	removed := im.resolveAll(f.Removed)
	emptied := im.resolveAll(f.Emptied)
	for key, l := range im.files {
		if removed[key] || below(removed, key) || below(emptied, key) || f.Names.replaces(key) {
			gone[key] = l
			delete(im.files, key)
		}
	}
	for p := range im.links {
		if removed[p] || below(removed, p) || below(emptied, p) || f.Names.Has(p, true) || f.Names.replaces(p) {
			delete(im.links, p)
		}
	}
	return gone
}

// replaces reports whether the layer puts something at p, or something that is
// no directory where a directory above p was.
func (n Names) replaces(p string) bool {
	if len(n) == 0 {
		return false
	}
	if n.Has(p, false) || n.Has(p, true) {
		return true
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if n.Has(dir, false) {
			return true
		}
	}
	return false
}

// below reports whether p lies under one of the directories; "" is the root.
func below(dirs map[string]bool, p string) bool {
	if len(dirs) == 0 {
		return false
	}
	if dirs[""] {
		return true
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if dirs[dir] {
			return true
		}
	}
	return false
}

func (im *image) resolveAll(list []string) map[string]bool {
	out := make(map[string]bool, len(list))
	for _, p := range list {
		out[im.resolve(p)] = true
	}
	return out
}

// maxHops bounds the links followed for one path, as a kernel does.
const maxHops = 40

// resolve follows the links among a path's directories, not the last element,
// and never leaves the root.
func (im *image) resolve(p string) string {
	dir, base := path.Split(p)
	if dir == "" || len(im.links) == 0 {
		return p
	}
	return path.Join(im.follow(strings.TrimSuffix(dir, "/")), base)
}

// follow resolves every element of a path.
func (im *image) follow(p string) string {
	done := ""
	rest := strings.Split(p, "/")
	for hops := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		target, ok := im.links[next]
		if !ok {
			done = next
			continue
		}
		if hops++; hops > maxHops {
			return p // a loop leads nowhere
		}
		if !strings.HasPrefix(target, "/") {
			target = path.Join("/", done, target)
		}
		// Cleaning an absolute path cannot climb above the root.
		target = strings.TrimPrefix(path.Clean(target), "/")
		if done = ""; target != "" {
			rest = append(strings.Split(target, "/"), rest...)
		}
	}
	return done
}

// release is the os-release that a container would read.
func (im *image) release() detect.Release {
	for _, p := range []string{"etc/os-release", "usr/lib/os-release"} {
		if l, ok := im.files[im.follow(p)]; ok && l.fact.Release != nil {
			return *l.fact.Release
		}
	}
	return detect.Release{}
}

// skipped lists what was not read of the files that are still there. What an OS
// package brought is judged by that package, so nothing is missed there.
func (im *image) skipped() []breakwater.Skip {
	owners := im.owners()
	var out []breakwater.Skip
	for key, l := range im.files {
		if l.fact.Skipped != "" && owners[key] == "" {
			out = append(out, breakwater.Skip{Layer: l.layer, Path: l.fact.Path, Reason: l.fact.Skipped})
		}
	}
	return out
}

// packages lists what is installed, with its distribution and its owner.
func (im *image) packages(release detect.Release) []breakwater.Package {
	owners := im.owners()
	var out []breakwater.Package
	for key, l := range im.files {
		owner := owners[key]
		for _, p := range l.fact.Packages {
			release.Complete(&p)
			if p.Kind == breakwater.PackageApp {
				p.OwnedBy = owner
			}
			out = append(out, p)
		}
	}
	slices.SortFunc(out, detect.Compare)
	return distinct(out)
}

// owners maps a file to the OS package that installed it, for packages that are
// still installed: without its package a file is nobody's.
func (im *image) owners() map[string]string {
	installed := map[string]bool{}
	for _, l := range im.files {
		for _, p := range l.fact.Packages {
			if p.Kind == breakwater.PackageOS {
				installed[p.Name] = true
			}
		}
	}
	owners := map[string]string{}
	for _, l := range im.files {
		for _, o := range l.fact.Owns {
			if !installed[o.Package] {
				continue
			}
			for _, p := range o.Paths {
				key := im.resolve(p)
				// Two packages may list one file; the same one must win every time.
				if have, ok := owners[key]; !ok || o.Package < have {
					owners[key] = o.Package
				}
			}
		}
	}
	return owners
}

// distinct drops OS packages that two databases list, which happens while one
// form of a database is being replaced by another. The list is sorted.
func distinct(list []breakwater.Package) []breakwater.Package {
	type id struct{ kind, name, version, arch string }
	seen := map[id]bool{}
	return slices.DeleteFunc(list, func(p breakwater.Package) bool {
		if p.Kind != breakwater.PackageOS {
			return false
		}
		k := id{p.Type, p.Name, p.Version, p.Arch}
		twice := seen[k]
		seen[k] = true
		return twice
	})
}
