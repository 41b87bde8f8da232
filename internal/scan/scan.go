package scan

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/layer"
	"breakwater/internal/oci"
)

// Version is what wrote the facts. Facts of another version are not used: the
// first part changes when their form does, the second when detect's list does.
const Version = "breakwater/2+" + detect.Version

// Limits of one scan. A zero field means its default.
type Limits struct {
	Compressed int64         // bytes of all layers together; 10 GiB
	Layers     int           // 127
	Wall       time.Duration // 30 minutes
	Facts      int64         // bytes of facts of all layers together, roughly; 128 MiB
	Layer      layer.Limits  // entries and decompressed bytes count over all layers too
	Buffer     int64         // see detect.Options
	Spill      int64         // see detect.Options
}

func (l Limits) withDefaults() Limits {
	l.Compressed = cmp.Or(l.Compressed, 10<<30)
	l.Layers = cmp.Or(l.Layers, 127)
	l.Wall = cmp.Or(l.Wall, 30*time.Minute)
	l.Facts = cmp.Or(l.Facts, 128<<20)
	return l
}

// Options of a Scanner; the zero value is good.
type Options struct {
	Limits   Limits
	Parallel int    // layers of one scan read at a time; GOMAXPROCS
	TempDir  string // for the few files that must lie on disk; the system's
}

// Scanner scans images. It may be used by several goroutines, and then reads a
// layer that two of them need only once.
type Scanner struct {
	cache  Cache
	opts   Options
	limits Limits
	detect *detect.Detector
	flight singleflight.Group
}

// New makes a scanner that keeps layer facts in cache; nil keeps none.
func New(cache Cache, opts Options) (*Scanner, error) {
	limits := opts.Limits.withDefaults()
	d, err := detect.New(detect.Options{Buffer: limits.Buffer, Spill: limits.Spill, TempDir: opts.TempDir})
	if err != nil {
		return nil, fmt.Errorf("scan.New: %w", err)
	}
	opts.Parallel = cmp.Or(opts.Parallel, runtime.GOMAXPROCS(0))
	return &Scanner{cache: cache, opts: opts, limits: limits, detect: d}, nil
}

// Scan reads one image manifest, not an index, with all its layers. The error
// is a *breakwater.Error with a ScanCode.
func (s *Scanner) Scan(ctx context.Context, src oci.Source, digest breakwater.Digest) (breakwater.Inventory, error) {
	wall, cancel := context.WithTimeout(ctx, s.limits.Wall)
	defer cancel()
	inv, err := s.scan(wall, src, digest)
	if err != nil {
		return breakwater.Inventory{}, explain(ctx, wall, digest, err)
	}
	return inv, nil
}

func (s *Scanner) scan(ctx context.Context, src oci.Source, digest breakwater.Digest) (breakwater.Inventory, error) {
	m, err := src.Manifest(ctx, digest.String())
	if err != nil {
		return breakwater.Inventory{}, err
	}
	doc, err := oci.Parse(m)
	if err != nil {
		return breakwater.Inventory{}, err
	}
	if err := s.check(doc); err != nil {
		return breakwater.Inventory{}, err
	}
	config, err := oci.ReadConfig(ctx, src, doc)
	if err != nil {
		return breakwater.Inventory{}, err
	}
	var read atomic.Int64
	facts, err := s.layers(ctx, src, doc.Layers, &read)
	if err != nil {
		return breakwater.Inventory{}, err
	}
	inv := merge(doc.Layers, facts)
	inv.Digest, inv.Platform, inv.History = digest, config.Platform, config.History
	inv.Bytes = read.Load()
	return inv, nil
}

// check holds the manifest against the limits before a layer byte is read.
func (s *Scanner) check(doc oci.Doc) error {
	if err := doc.CheckImage(); err != nil {
		return err
	}
	if n := len(doc.Layers); n > s.limits.Layers {
		return coded(breakwater.CodeLayers, breakwater.Errorf(breakwater.KindTooLarge, "the image has %d layers, the limit is %d", n, s.limits.Layers))
	}
	if n := doc.Size(); n > s.limits.Compressed {
		return coded(breakwater.CodeOverSized, breakwater.Errorf(breakwater.KindTooLarge, "the image has %d compressed bytes, the limit is %d", n, s.limits.Compressed))
	}
	return nil
}

// layers gets the facts of every layer, in the manifest's order. A layer that
// occurs twice is read once.
func (s *Scanner) layers(ctx context.Context, src oci.Source, list []oci.Descriptor, read *atomic.Int64) ([]*LayerFacts, error) {
	out := make([]*LayerFacts, len(list))
	first := map[breakwater.Digest]int{}
	budget := layer.NewBudget(s.limits.Layer)
	var weight atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(s.opts.Parallel)
	for i, d := range list {
		if _, twice := first[d.Digest]; twice {
			continue
		}
		first[d.Digest] = i
		g.Go(func() (err error) {
			out[i], err = s.facts(ctx, src, d, budget, read)
			if err == nil && weight.Add(out[i].Weight) > s.limits.Facts {
				err = fmt.Errorf("%w: more than %d bytes over all layers", errFacts, s.limits.Facts)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i, d := range list {
		out[i] = out[first[d.Digest]]
	}
	return out, nil
}
