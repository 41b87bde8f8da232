package scan

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/oci"
)

// live is a file of interest that the layers merged so far leave visible. Its
// packages know the layer that first brought them. Its names have the number of
// the file, when it is one that may be told of after it is gone.
type live struct {
	layer breakwater.Digest
	fact  FileFact
	inode int
	// since is the first layer that has the same bytes in the same place, when it
	// is another.
	since breakwater.Digest
	// until is the last layer that may write over the file, see image.until.
	until int
}

// from is the layer that secrets and malware of the file come from.
func (l *live) from() breakwater.Digest { return cmp.Or(l.since, l.layer) }

// image is the state of a merge: what a container would see. Keys are paths
// with links resolved, so that lib/apk and usr/lib/apk are one place.
type image struct {
	files   map[string]*live
	links   map[string]link
	written writers // of all layers, those that are still to be laid over it too
	parents parents
	// packaged are the layers in which a package manager wrote its database.
	packaged map[breakwater.Digest]bool
	deleted  []gone   // files with secrets or malware that a later layer hides, see settle
	layers   []masked // what each layer hides of those below it, for the file list
	inodes   int      // how many files have a number
}

// link is where a symbolic link leads.
type link struct {
	target string
	until  int // as of a file
}

// masked is what one layer hides of the layers below it.
type masked struct {
	names            Names
	removed, emptied map[string]bool
}

// merge lays the layers over each other, bottom first, and reads the inventory
// off the result, and what no check has looked at. It does not change facts,
// which other scans share.
func merge(list []oci.Descriptor, facts []*LayerFacts) (breakwater.Inventory, missed) {
	written := lastWritten(facts)
	im := image{files: map[string]*live{}, links: map[string]link{}, written: written, parents: parents{written: written}, packaged: map[breakwater.Digest]bool{}}
	inv := breakwater.Inventory{}
	out := newMissed()
	for i, d := range list {
		f := facts[i]
		inv.Layers = append(inv.Layers, breakwater.LayerRef{Digest: d.Digest, DiffID: f.DiffID, Size: d.Size})
		inv.Entries += f.Entries
		for _, c := range fileChecks {
			if f.Absent {
				out.add(c, breakwater.Skip{Layer: d.Digest, Reason: "a foreign layer that the registry does not hold"})
			}
			if f.Unnamed > 0 {
				out.add(c, breakwater.Skip{Layer: d.Digest, Reason: fmt.Sprintf("%d hard links more than are followed: what their files hold is not told of these names", f.Unnamed)})
			}
		}
		im.apply(d.Digest, f)
	}
	im.settle()
	wait := beside(func() { // each half takes about as long
		inv.Files, inv.FileList = im.list(facts)
		inv.Notable = im.notable(list, facts)
	})
	release, owners := im.release(), im.owners()
	inv.OS = release.OS()
	inv.Packages = im.packages(release, owners)
	im.misses(out, owners)
	inv.Configs = im.configs()
	inv.Secrets = im.secrets()
	inv.Malware = im.malware()
	wait()
	return inv, out
}

// beside runs f in a goroutine. Whoever asked for it waits for it, and hears its
// panic as if f had been called there.
func beside(f func()) (wait func()) {
	done := make(chan any, 1)
	go func() {
		defer func() { done <- recover() }()
		f()
	}()
	return func() {
		if p := <-done; p != nil {
			panic(p)
		}
	}
}

// apply lays one layer over the image.
func (im *image) apply(digest breakwater.Digest, f *LayerFacts) {
	m := masked{f.Names, im.resolveAll(f.Removed), im.resolveAll(f.Emptied)}
	number := len(im.layers)
	im.layers = append(im.layers, m)
	named := im.outside(f) // while what they name is there
	before := im.remove(m, number)
	for _, l := range f.Links {
		im.links[l.Path] = link{l.Target, im.until(l.Path)}
	}
	put := func(now *live) {
		key := im.resolve(now.fact.Path)
		old, had := before[key]
		if !had {
			if old, had = im.files[key]; had && old.layer != digest {
				before[key] = old // replaced through another spelling of its path
			}
		}
		inherit(now, old)
		now.until = im.until(key)
		if key != now.fact.Path { // the same name leads through the same links
			now.until = max(now.until, im.written.file(now.fact.Path))
		}
		im.files[key] = now
	}
	inode := im.numbers()
	for _, fact := range f.Files {
		now := &live{layer: digest, fact: fact, inode: inode(fact)}
		now.fact.Packages = slices.Clone(fact.Packages)
		if len(fact.Packages) > 0 && fact.Packages[0].Kind == breakwater.PackageOS {
			im.packaged[digest] = true
		}
		put(now)
	}
	for _, now := range named {
		put(now)
	}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if l := before[key]; l.fact.tells() {
			im.deleted = append(im.deleted, gone{*l, key, digest})
		}
	}
}

// until is the last layer that puts something at p, or something that is no
// directory where a directory above p was. Any layer before may do so too; none
// after it does, and most files have none after their own, so that they need not
// be looked for in each layer. It is asked for in the order of paths.
func (im *image) until(p string) int {
	return max(im.written.any([]byte(p)), im.parents.of(path.Dir(p)))
}

// inherit keeps the layer of packages that the earlier version of the same file,
// if there is one, already listed.
func inherit(now, old *live) {
	type id struct{ name, version, arch string }
	var first map[id]breakwater.Digest
	if old != nil && len(now.fact.Packages) > 0 {
		first = make(map[id]breakwater.Digest, len(old.fact.Packages))
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
func (im *image) remove(m masked, layer int) map[string]*live {
	gone := map[string]*live{}
	for key, l := range im.files {
		if m.deletes(key) || l.until >= layer && (m.names.replaces(key) || key != l.fact.Path && m.names.Has(l.fact.Path, false)) {
			gone[key] = l
			delete(im.files, key)
		}
	}
	for p, l := range im.links {
		if m.deletes(p) || l.until >= layer && m.names.replaces(p) {
			delete(im.links, p)
		}
	}
	return gone
}

// deletes reports whether the layer deletes p of a lower layer.
func (m masked) deletes(p string) bool {
	return m.removed[p] || below(m.removed, p) || below(m.emptied, p)
}

// below reports whether p lies under one of the directories; "" is the root.
func below(dirs map[string]bool, p string) bool {
	if len(dirs) == 0 {
		return false
	}
	if dirs[""] {
		return true
	}
	for dir := path.Dir(p); dir != "." && dir != "/"; dir = path.Dir(dir) {
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
		l, ok := im.links[next]
		if !ok {
			done = next
			continue
		}
		if hops++; hops > maxHops {
			return p // a loop leads nowhere
		}
		target := l.target
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

// packages lists what is installed, with its distribution and its owner.
func (im *image) packages(release detect.Release, owners map[string]string) []breakwater.Package {
	licences, num := im.licences(), 0
	for _, l := range im.files {
		num += len(l.fact.Packages)
	}
	if num == 0 {
		return nil
	}
	out := make([]breakwater.Package, 0, num)
	versions := sync.OnceValue(im.versions)
	for key, l := range im.files {
		owner := owners[key]
		for _, p := range l.fact.Packages {
			release.Complete(&p)
			if p.Kind == breakwater.PackageApp {
				if p.Type == detect.TypeProgram {
					if owner != "" && !detect.FromMakers(p.Name, owner, versions()[owner]) {
						continue // it is that package
					}
				} else {
					p.OwnedBy = owner
				}
			} else if len(p.Licences) == 0 {
				p.Licences = licences[p.Name]
			}
			out = append(out, p)
		}
	}
	slices.SortFunc(out, detect.Compare)
	return distinct(out)
}

// versions are those of the OS packages, by name.
func (im *image) versions() map[string]string {
	out := map[string]string{}
	for _, l := range im.files {
		for _, p := range l.fact.Packages {
			// Of two architectures the same one must win every time.
			if p.Kind == breakwater.PackageOS && p.Version > out[p.Name] {
				out[p.Name] = p.Version
			}
		}
	}
	return out
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
