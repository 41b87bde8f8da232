package scan_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/scan"
)

// someFacts has something in every part.
func someFacts(version string) *scan.LayerFacts {
	var w breakwater.FileListWriter
	w.Append(breakwater.FileEntry{Path: "a/b", Size: 1, Mode: 0o644, Kind: breakwater.FileText, SHA256: [32]byte{1}})
	w.Append(breakwater.FileEntry{Path: "a/c", Size: 2, UID: 3, Kind: breakwater.FileData})
	return &scan.LayerFacts{
		Scanner: version, DiffID: "sha256:x", Entries: 5, Bytes: 6, Weight: 7,
		Files: []scan.FileFact{
			{Path: "a/b", Facts: detect.Facts{Packages: []breakwater.Package{{Name: "n", Version: "1", Kind: breakwater.PackageApp, Type: "npm", Path: "a/b"}}}},
			{Path: "a/c", Secrets: []breakwater.Secret{{Rule: "r", Path: "a/c", Line: 1}}, Sum: make([]byte, 32)},
		},
		Removed: []string{"x"}, Emptied: []string{"y"}, Links: []scan.Link{{Path: "l", Target: "a"}},
		Hard: []scan.HardLink{{Path: "h", Target: "a/b"}}, Unnamed: 1, Names: []byte{0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2},
		List: w.List(), Unlisted: breakwater.FileStat{Num: 1, ByKind: map[breakwater.FileKind]breakwater.KindCount{breakwater.FileELF: {Num: 1}}},
		Notable: []breakwater.Notable{{Path: "n", Mode: 0o4755}},
	}
}

// TestStoredFacts: every part comes back, and nothing is made of none.
func TestStoredFacts(t *testing.T) {
	for _, f := range []*scan.LayerFacts{someFacts("v"), {Scanner: "v"}, {Scanner: "v", Absent: true}} {
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := scan.Decode(b, "v")
		if err != nil {
			t.Fatal(err)
		}
		if len(f.Names) == 0 {
			got.Names, got.List = nil, nil // empty ones are as good
		}
		if diff := cmp.Diff(f, got); diff != "" {
			t.Errorf("(-stored +read):\n%s", diff)
		}
		if _, err := scan.Decode(b, "w"); err == nil {
			t.Error("facts of another version were taken")
		}
		for n := range b {
			if _, err := scan.Decode(b[:n], "v"); err == nil {
				t.Errorf("%d of %d bytes were taken", n, len(b))
			}
		}
	}
}

var storing = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
})

// stored is the form that Encode writes, of parts that need not fit.
func stored(t testing.TB, num, names uint64, plain, bulk []byte) []byte {
	t.Helper()
	w, err := storing()
	if err != nil {
		t.Fatal(err)
	}
	packed := w.EncodeAll(plain, nil)
	b := binary.AppendUvarint(binary.AppendUvarint(nil, num), uint64(len(packed)))
	return w.EncodeAll(append(binary.AppendUvarint(nil, names), bulk...), append(b, packed...))
}

// TestStoredFactsRefused: parts that do not fit each other are not taken.
func TestStoredFactsRefused(t *testing.T) {
	good := []byte(`{"scanner":"v","files":[{"path":"a"}]}`)
	name := make([]byte, 8)
	for _, tt := range []struct {
		what       string
		num, names uint64
		plain      []byte
		bulk       []byte
		ok         bool
	}{
		{"good", 1, 8, good, name, true},
		{"a damaged list", 1, 8, good, append(name, 1, 2, 3), true},
		{"too many files", 0, 8, good, name, false},
		{"too few files", 1 << 63, 8, good, name, false},
		{"half a name", 1, 7, good, name, false},
		{"names that are not there", 1, 16, good, name, false},
		{"more names than there are numbers", 1, 1<<64 - 1, good, name, false},
		{"the same name twice", 1, 16, good, make([]byte, 16), false},
		{"no JSON", 1, 8, nil, name, false},
		{"more after the JSON", 1, 8, append(good, "{}"...), name, false},
		{"negative", 0, 8, []byte(`{"scanner":"v","weight":-1}`), name, false},
	} {
		if _, err := scan.Decode(stored(t, tt.num, tt.names, tt.plain, tt.bulk), "v"); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.what, err)
		}
	}
}

// FuzzStoredFacts scans an image whose layers have facts in the cache that no scan
// made: they are refused, or merged without a panic into a list that can be read.
func FuzzStoredFacts(f *testing.F) {
	r := newRepository()
	digest := r.image(f, gz(f, entry{name: "a"}), gz(f, entry{name: "b"}))
	c := newMemory()
	s := newScanner(f, c, scan.Options{})
	m, err := r.Manifest(context.Background(), digest.String())
	if err != nil {
		f.Fatal(err)
	}
	var doc struct{ Layers []desc }
	if err := json.Unmarshal(m.Body, &doc); err != nil {
		f.Fatal(err)
	}
	version := s.Version(breakwater.ScopeAll)
	facts := someFacts(version)
	plain, err := json.Marshal(facts)
	if err != nil {
		f.Fatal(err)
	}
	bulk := append(append([]byte{}, facts.Names...), facts.List...)
	f.Add(uint64(2), uint64(len(facts.Names)), plain, bulk, plain, bulk)
	f.Add(uint64(1), uint64(0), fmt.Appendf(nil, `{"scanner":%q,"files":[{"path":"/x"}]}`, version), []byte{}, fmt.Appendf(nil, `{"scanner":%q,"removed":["/"],"links":[{"path":"/x","target":"x"}]}`, version), bulk)
	f.Fuzz(func(t *testing.T, num, names uint64, plain, bulk, plain2, bulk2 []byte) {
		clear(c.m)
		c.m[scan.CacheKey(version, doc.Layers[0].Digest)] = stored(t, num, names, plain, bulk)
		c.m[scan.CacheKey(version, doc.Layers[1].Digest)] = stored(t, num, names, plain2, bulk2)
		inv, err := s.Scan(context.Background(), r, digest, breakwater.ScopeAll)
		if err == nil {
			for _, err := range inv.FileList.All() {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
