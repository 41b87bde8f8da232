package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/layer"
	"breakwater/internal/oci"
)

// errFacts ends a layer whose facts would fill the memory.
var errFacts = errors.New("more facts than allowed")

// readLayer streams one layer through the detector.
func (s *Scanner) readLayer(ctx context.Context, src oci.Source, d oci.Descriptor, budget *layer.Budget, read *atomic.Int64) (*LayerFacts, error) {
	// Cancelled first on the way out, so that a reader blocked on the network lets go.
	ctx, cancel := context.WithCancel(ctx)
	blob, err := src.Blob(ctx, d.Digest, d.Size)
	if err != nil {
		cancel()
		if foreign(d.MediaType) && breakwater.IsNotFound(err) {
			return &LayerFacts{Scanner: Version, Absent: true}, nil
		}
		return nil, err
	}
	defer blob.Close()
	r := layer.Open(ctx, counted{blob, read}, s.limits.Layer, budget)
	defer r.Close()
	defer cancel()
	c := collector{detect: s.detect, most: s.limits.Facts, files: map[string]detect.Facts{}}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = c.add(ctx, e, r)
		}
		if err != nil {
			return nil, err
		}
	}
	return c.done(r.Stats()), nil
}

// foreign reports whether a layer may by its type be absent from the registry.
func foreign(mediaType string) bool {
	return strings.Contains(mediaType, ".foreign.") || strings.Contains(mediaType, ".nondistributable.")
}

// counted adds what is read to a sum over all layers.
type counted struct {
	r io.Reader
	n *atomic.Int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// collector gathers the facts of one layer. Later entries of a path replace
// earlier ones, as they would when unpacked.
type collector struct {
	detect  *detect.Detector
	most    int64
	weight  int64
	files   map[string]detect.Facts
	links   map[string]string
	names   []uint64
	removed []string
	emptied []string
}

func (c *collector) add(ctx context.Context, e layer.Entry, r io.Reader) error {
	switch e.Kind {
	case layer.Whiteout:
		c.removed = append(c.removed, e.Path)
		return c.weigh(len(e.Path))
	case layer.Opaque:
		c.emptied = append(c.emptied, e.Path)
		return c.weigh(len(e.Path))
	case layer.Ignored:
		return nil
	}
	if e.Path == "" {
		return nil
	}
	c.names = append(c.names, hashName(e.Path, e.Kind == layer.Dir))
	delete(c.files, e.Path)
	delete(c.links, e.Path)
	switch e.Kind {
	case layer.File:
		return c.file(ctx, e, r)
	case layer.Symlink:
		return c.link(e)
	case layer.Hardlink:
		return c.hardlink(e)
	}
	return nil
}

func (c *collector) file(ctx context.Context, e layer.Entry, r io.Reader) error {
	f, ok, err := c.detect.Detect(ctx, detect.File{Path: e.Path, Mode: e.Mode, Size: e.Size}, r)
	if err != nil {
		return fmt.Errorf("%q: %w", e.Path, err)
	}
	if !ok {
		return nil
	}
	// No record for a file without facts, such as every shared library: that it
	// is there, and so replaces what was, stands in Names.
	if len(f.Packages) == 0 && f.Release == nil && f.Owns == nil && f.Skipped == "" {
		return nil
	}
	c.files[e.Path] = f
	return c.weigh(weight(e.Path, f))
}

// linkDepth is how deep below the root links are kept.
const linkDepth = 3

func (c *collector) link(e layer.Entry) error {
	if strings.Count(e.Path, "/") >= linkDepth {
		return nil
	}
	if c.links == nil {
		c.links = map[string]string{}
	}
	c.links[e.Path] = e.Link
	return c.weigh(len(e.Path) + len(e.Link))
}

// hardlink gives a second name of a file the facts of the first. A name that
// would be read, of a file that was not, is said to be skipped: its bytes have
// gone by.
func (c *collector) hardlink(e layer.Entry) error {
	wants := c.detect.Wants(e.Path)
	f, ok := c.files[e.Link]
	switch {
	case ok && (wants || !c.detect.Wants(e.Link)):
		f.Packages = slices.Clone(f.Packages)
		for i := range f.Packages {
			f.Packages[i].Path = e.Path
		}
	case wants:
		f = detect.Facts{Skipped: "a hard link to a file that was not read"}
	default:
		return nil
	}
	c.files[e.Path] = f
	return c.weigh(weight(e.Path, f))
}

// weigh bounds the memory of the facts.
func (c *collector) weigh(n int) error {
	c.weight += int64(n) + 64
	if c.weight > c.most {
		return fmt.Errorf("%w: more than %d bytes", errFacts, c.most)
	}
	return nil
}

// weight is roughly what facts take in memory.
func weight(p string, f detect.Facts) int {
	n := len(p) + len(f.Skipped)
	for _, p := range f.Packages {
		n += 256 + len(p.Name) + len(p.Version) + len(p.SourceName) + len(p.SourceVersion) + len(p.PURL)
	}
	for _, o := range f.Owns {
		for _, p := range o.Paths {
			n += 16 + len(p)
		}
	}
	return n
}

// done sorts what was gathered into facts.
func (c *collector) done(s layer.Stats) *LayerFacts {
	f := &LayerFacts{Scanner: Version, DiffID: breakwater.Digest(s.DiffID), Entries: s.Entries, Bytes: s.Bytes, Weight: c.weight, Names: packNames(c.names)}
	for p, facts := range c.files {
		f.Files = append(f.Files, FileFact{Path: p, Facts: facts})
	}
	slices.SortFunc(f.Files, func(a, b FileFact) int { return strings.Compare(a.Path, b.Path) })
	for p, target := range c.links {
		f.Links = append(f.Links, Link{Path: p, Target: target})
	}
	slices.SortFunc(f.Links, func(a, b Link) int { return strings.Compare(a.Path, b.Path) })
	slices.Sort(c.removed)
	slices.Sort(c.emptied)
	f.Removed, f.Emptied = slices.Compact(c.removed), slices.Compact(c.emptied)
	return f
}
