package scan

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/oci"
)

// write is something that a layer writes.
type write struct {
	path string
	dir  bool
}

// namesOf is the facts of a layer that writes it.
func namesOf(list []write) *LayerFacts {
	var hashes []uint64
	for _, w := range list {
		hashes = append(hashes, hashName(w.path, w.dir))
	}
	return &LayerFacts{Names: packNames(hashes)}
}

// TestWriters holds what is known of the writers of names equal to asking every
// layer, over layers that write few different names.
func TestWriters(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	name := func() string {
		p := string(rune('a' + rng.IntN(4)))
		for rng.IntN(3) > 0 && len(p) < 9 {
			p += "/" + strings.Repeat(string(rune('a'+rng.IntN(3))), 1+rng.IntN(2))
		}
		return p
	}
	for range 200 {
		layers := make([][]write, rng.IntN(9))
		var facts []*LayerFacts
		for i := range layers {
			for range rng.IntN(20) {
				layers[i] = append(layers[i], write{name(), rng.IntN(2) == 0})
			}
			facts = append(facts, namesOf(layers[i]))
		}
		// last asks the layers themselves.
		last := func(wanted func(write) bool) int {
			for i := len(layers) - 1; i > 0; i-- {
				if slices.ContainsFunc(layers[i], wanted) {
					return i
				}
			}
			return 0
		}
		w := lastWritten(facts)
		p := parents{written: w}
		for range 60 {
			at := name()
			if got, want := w.file(at), last(func(w write) bool { return w == write{at, false} }); got != want {
				t.Fatalf("%s as a file: %d, not %d", at, got, want)
			}
			if got, want := w.any([]byte(at)), last(func(w write) bool { return w.path == at }); got != want {
				t.Fatalf("%s: %d, not %d", at, got, want)
			}
			above := func(w write) bool { return !w.dir && (w.path == at || strings.HasPrefix(at, w.path+"/")) }
			if got, want := p.of(at), last(above); got != want {
				t.Fatalf("the directory %s: %d, not %d", at, got, want)
			}
			for i, f := range facts {
				want := slices.ContainsFunc(layers[i], func(w write) bool { return w.path == at || above(w) })
				if got := f.Names.replaces(at); got != want {
					t.Fatalf("layer %d replaces %s: %v, not %v", i, at, got, want)
				}
			}
		}
		if p.of("") != 0 || p.of(".") != 0 {
			t.Fatal("something was written over the root")
		}
	}
}

// TestFind: names that are not spread evenly are found too, and those that are not
// in order, which only damage makes, do no harm.
func TestFind(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		var w writers
		for range rng.IntN(200) {
			w.hashes = append(w.hashes, rng.Uint64()>>rng.IntN(60)<<rng.IntN(4))
		}
		for range 50 {
			w.find(rng.Uint64() >> rng.IntN(60))
		}
		slices.Sort(w.hashes)
		w.hashes = slices.Compact(w.hashes)
		for range 50 {
			h := rng.Uint64() >> rng.IntN(60)
			if len(w.hashes) > 0 && rng.IntN(2) == 0 {
				h = w.hashes[rng.IntN(len(w.hashes))]
			}
			if got, want := w.find(h), slices.IndexFunc(w.hashes, func(have uint64) bool { return have >= h }); got != want && (want >= 0 || got != len(w.hashes)) {
				t.Fatalf("%x in %x: %d, not %d", h, w.hashes, got, want)
			}
		}
	}
}

func TestNamesValid(t *testing.T) {
	pack := func(hashes ...uint64) (n Names) {
		for _, h := range hashes {
			n = binary.BigEndian.AppendUint64(n, h)
		}
		return n
	}
	for _, tt := range []struct {
		names Names
		want  bool
	}{{nil, true}, {pack(5), true}, {pack(1, 2), true}, {pack(2, 1), false}, {pack(1, 1), false}, {make([]byte, 7), false}} {
		if got := tt.names.valid(); got != tt.want {
			t.Errorf("%x: %v", tt.names, got)
		}
	}
}

// TestListRoom: of more files than an image's list has, those of the lower layers
// are in it, and all are counted.
func TestListRoom(t *testing.T) {
	const each = 120_000
	var facts []*LayerFacts
	var digests []oci.Descriptor
	for i := range 3 {
		var w breakwater.FileListWriter
		for n := range each {
			w.Append(breakwater.FileEntry{Path: fmt.Sprintf("d%02d/%06d-%d", n/10_000, n, i), Size: 2, Kind: breakwater.FileText})
		}
		f := &LayerFacts{Unlisted: breakwater.FileStat{Num: 1, Bytes: 3, Unlisted: 1, ByKind: map[breakwater.FileKind]breakwater.KindCount{breakwater.FileELF: {Num: 1, Bytes: 3}}}}
		f.List = w.List()
		facts, digests = append(facts, f), append(digests, oci.Descriptor{Digest: breakwater.DigestOf([]byte{byte(i)})})
	}
	facts[2].Names = packNames([]uint64{hashName("d00/000000-0", false), hashName("d01/010000-1", true), hashName("d00/000000-2", false)})
	inv, _ := merge(digests, facts)
	want := breakwater.FileStat{Num: 3*each - 2 + 3, Bytes: 2*(3*each-2) + 9, Unlisted: 3*each - 2 - maxImageFiles + 3}
	if got := inv.Files; got.Num != want.Num || got.Bytes != want.Bytes || got.Unlisted != want.Unlisted || got.ByKind[breakwater.FileELF].Bytes != 9 {
		t.Errorf("%+v, not %+v", got, want)
	}
	listed := [3]int{}
	last := ""
	for e, err := range inv.FileList.All() {
		if err != nil {
			t.Fatal(err)
		}
		listed[e.Layer]++
		if e.Layer == 2 {
			last = e.Path
		}
	}
	if listed != [3]int{each - 1, each - 1, maxImageFiles - 2*each + 2} {
		t.Errorf("%v files of the layers", listed)
	}
	if last != fmt.Sprintf("d06/%06d-2", maxImageFiles-2*each+1) {
		t.Errorf("the last file of the third layer is %s", last)
	}
}

// TestBeside: a panic beside the caller is the caller's.
func TestBeside(t *testing.T) {
	defer func() {
		if p := recover(); p != "broken" {
			t.Errorf("heard %v", p)
		}
	}()
	beside(func() { panic("broken") })()
}
