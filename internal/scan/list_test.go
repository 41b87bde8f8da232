package scan_test

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/scan"
)

// unpacked is what unpacking layers one after the other leaves: path → layer. A
// directory is -1.
type unpacked map[string]int

func (u unpacked) drop(p string) {
	delete(u, p)
	u.empty(p)
}

func (u unpacked) empty(dir string) {
	for k := range u {
		if dir == "" || strings.HasPrefix(k, dir+"/") {
			delete(u, k)
		}
	}
}

// put writes a file or a directory, replacing what is in the way.
func (u unpacked) put(p string, layer int) {
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if n, ok := u[dir]; ok && n >= 0 {
			delete(u, dir)
		}
		u[dir] = -1
	}
	if n, ok := u[p]; layer >= 0 || ok && n >= 0 {
		u.drop(p)
	}
	u[p] = layer
}

// TestListAsUnpacked holds the file list equal to what unpacking gives, over
// random layers that replace, delete and empty each other's directories.
func TestListAsUnpacked(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 11))
	name := func() string {
		p := string(rune('a' + rng.IntN(3)))
		for rng.IntN(3) > 0 && strings.Count(p, "/") < 3 {
			p += "/" + string(rune('a'+rng.IntN(3)))
		}
		return p
	}
	for round := range 60 {
		r := newRepository()
		want := unpacked{}
		var layers []blobLayer
		var story []string
		for i := range 1 + rng.IntN(6) {
			var removals, writes []entry
			now := map[string]bool{} // file of this layer, or directory
			for range rng.IntN(12) {
				p := name()
				switch rng.IntN(5) {
				case 0:
					removals = append(removals, entry{name: path.Join(path.Dir(p), ".wh."+path.Base(p))})
					want.drop(p)
				case 1:
					if i > 0 && rng.IntN(3) == 0 {
						removals = append(removals, entry{name: p + "/.wh..wh..opq"})
						want.empty(p)
					}
				default:
					if _, twice := now[p]; !twice && fits(now, p) {
						now[p] = true
						writes = append(writes, entry{name: p, body: fmt.Sprint(i)})
					}
				}
			}
			slices.SortFunc(writes, func(a, b entry) int { return strings.Compare(a.name, b.name) })
			var list []entry
			for _, w := range writes {
				// As a builder writes them: every directory has an entry.
				for _, dir := range parents(w.name) {
					if _, ok := now[dir]; !ok {
						now[dir] = false
						list = append(list, entry{name: dir + "/"})
						want.put(dir, -1)
					}
				}
				list = append(list, w)
				want.put(w.name, i)
			}
			// Removals are of lower layers, wherever they stand.
			all := append(list, removals...)
			rng.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
			for _, e := range all {
				story = append(story, fmt.Sprint(i, " ", e.name))
			}
			layers = append(layers, gz(t, all...))
		}
		inv := mustScan(t, newScanner(t, nil, scan.Options{}), r, r.image(t, layers...), breakwater.ScopeAll)
		got := map[string]int{}
		for e, err := range inv.FileList.All() {
			if err != nil {
				t.Fatal(err)
			}
			got[e.Path] = e.Layer
		}
		files := map[string]int{}
		for p, layer := range want {
			if layer >= 0 {
				files[p] = layer
			}
		}
		if diff := cmp.Diff(files, got); diff != "" {
			t.Fatalf("round %d (-unpacked +list):\n%s\n%s", round, diff, strings.Join(story, "\n"))
		}
	}
}

// fits reports whether a file is neither below nor above another of its layer.
func fits(now map[string]bool, p string) bool {
	for have := range now {
		if strings.HasPrefix(have, p+"/") || strings.HasPrefix(p, have+"/") {
			return false
		}
	}
	return true
}

func parents(p string) (out []string) {
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		out = append([]string{dir}, out...)
	}
	return out
}
