package scan

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sort"

	"github.com/klauspost/compress/zstd"

	"breakwater"
	"breakwater/internal/detect"
)

// LayerFacts is all that a scan keeps of one layer.
type LayerFacts struct {
	Scanner string            `json:"scanner"`
	DiffID  breakwater.Digest `json:"diff_id"`
	Entries int64             `json:"entries"`
	Bytes   int64             `json:"bytes"`  // decompressed
	Weight  int64             `json:"weight"` // roughly what these facts take in memory
	// Absent marks a foreign layer that its registry does not hold.
	Absent bool       `json:"absent,omitempty"`
	Files  []FileFact `json:"files,omitempty"` // sorted by path
	// Removed are the paths of lower layers that this one deletes, with all
	// below them; Emptied are directories that lose only what lower layers held
	// in them. Both sorted.
	Removed []string `json:"removed,omitempty"`
	Emptied []string `json:"emptied,omitempty"`
	// Links are the symbolic links near the root, which is where distributions
	// move whole directories (lib → usr/lib, var/lib/rpm → …). Sorted by path.
	Links []Link `json:"links,omitempty"`
	Names Names  `json:"names,omitempty"`
}

// FileFact is a file of interest and its facts.
type FileFact struct {
	Path string `json:"path"`
	detect.Facts
}

// Link is a symbolic link.
type Link struct {
	Path   string `json:"path"`
	Target string `json:"target"`
}

// Names is the set of all paths that a layer writes, as sorted 64-bit hashes:
// enough to know that a file of a lower layer was replaced by something of no
// interest, at eight bytes a path. Directories are hashed with a trailing slash.
type Names []byte

func hashName(p string, dir bool) uint64 {
	h := fnv.New64a()
	h.Write([]byte(p))
	if dir {
		h.Write([]byte{'/'})
	}
	return h.Sum64()
}

// packNames sorts and packs; it uses hashes up.
func packNames(hashes []uint64) Names {
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	n := make(Names, 0, 8*len(hashes))
	for _, h := range hashes {
		n = binary.BigEndian.AppendUint64(n, h)
	}
	return n
}

// Has reports whether the layer writes p as a directory, or as anything else.
func (n Names) Has(p string, dir bool) bool {
	want := hashName(p, dir)
	count := len(n) / 8
	at := func(i int) uint64 { return binary.BigEndian.Uint64(n[8*i:]) }
	i := sort.Search(count, func(i int) bool { return at(i) >= want })
	return i < count && at(i) == want
}

// maxDecoded bounds a cached entry once decompressed.
const maxDecoded = 512 << 20

// Encode is the cached form: JSON, compressed with zstd. Equal facts give equal bytes.
func (f *LayerFacts) Encode() ([]byte, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode facts: %w", err)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("encode facts: %w", err)
	}
	defer enc.Close()
	return enc.EncodeAll(raw, nil), nil
}

var errStale = errors.New("facts of another scanner version")

// Decode reads what Encode wrote. It refuses other versions and what a scan
// could not have written.
func Decode(b []byte) (*LayerFacts, error) {
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxDecoded))
	if err != nil {
		return nil, fmt.Errorf("decode facts: %w", err)
	}
	defer dec.Close()
	raw, err := dec.DecodeAll(b, nil)
	if err != nil {
		return nil, fmt.Errorf("decode facts: %w", err)
	}
	var f LayerFacts
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("decode facts: %w", err)
	}
	if f.Scanner != Version {
		return nil, errStale
	}
	if len(f.Names)%8 != 0 || f.Entries < 0 || f.Bytes < 0 || f.Weight < 0 {
		return nil, errors.New("decode facts: damaged")
	}
	return &f, nil
}
