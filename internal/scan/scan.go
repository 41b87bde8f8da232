package scan

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"breakwater"
	"breakwater/internal/detect"
	"breakwater/internal/history"
	"breakwater/internal/layer"
	"breakwater/internal/malware"
	"breakwater/internal/oci"
	"breakwater/internal/password"
	"breakwater/internal/secret"
)

// Version is what wrote the facts. Facts of another version are not used: the
// first part changes when their form does, the second when detect's list does.
// What the rules of the other checks are is added by Scanner.version.
const Version = "breakwater/8+" + detect.Version

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
	Parallel int    // layers of one scan read at a time; GOMAXPROCS, at most 8, as each takes memory
	TempDir  string // for the few files that must lie on disk; the system's

	// The checks beyond packages; one that is nil is reported as not asked for.
	Secrets   *secret.Finder
	Malware   *malware.Detector
	Passwords *password.Judge // with it, configuration is read
}

// Scanner scans images. It may be used by several goroutines, and then reads a
// layer that two of them need only once.
type Scanner struct {
	cache   Cache
	opts    Options
	limits  Limits
	detect  *detect.Detector
	history *history.Rules
	flight  flight
	memo    *memo
	memory  *semaphore.Weighted // of buffers, see inFlight
	batches sync.Pool           // of *batch
	texts   sync.Pool           // of *[]byte: texts put together
}

// New makes a scanner that keeps layer facts in cache; nil keeps none.
func New(cache Cache, opts Options) (*Scanner, error) {
	limits := opts.Limits.withDefaults()
	d, err := detect.New(detect.Options{Buffer: limits.Buffer, Spill: limits.Spill, TempDir: opts.TempDir})
	if err != nil {
		return nil, fmt.Errorf("scan.New: %w", err)
	}
	steps, err := history.LoadRules(nil)
	if err != nil {
		return nil, fmt.Errorf("scan.New: %w", err)
	}
	opts.Parallel = cmp.Or(opts.Parallel, min(runtime.GOMAXPROCS(0), 8))
	s := &Scanner{cache: cache, opts: opts, limits: limits, detect: d, history: steps, memo: newMemo(), memory: semaphore.NewWeighted(inFlight)}
	s.batches.New = func() any { return new(batch) }
	s.texts.New = func() any { return new([]byte) }
	return s, nil
}

// Scan reads one image manifest, not an index, with all its layers, for the
// checks of the scope. The error is a *breakwater.Error with a ScanCode; a check
// that fails alone says so in the inventory's Coverage.
func (s *Scanner) Scan(ctx context.Context, src oci.Source, digest breakwater.Digest, scope breakwater.Scope) (breakwater.Inventory, error) {
	wall, cancel := context.WithTimeout(ctx, s.limits.Wall)
	defer cancel()
	inv, err := s.scan(wall, src, digest, s.greet(wall, s.wanted(scope)))
	if err != nil {
		return breakwater.Inventory{}, explain(ctx, wall, digest, err)
	}
	return inv, nil
}

func (s *Scanner) scan(ctx context.Context, src oci.Source, digest breakwater.Digest, want checks) (breakwater.Inventory, error) {
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
	facts, err := s.layers(ctx, src, doc.Layers, want, &read)
	if err != nil {
		return breakwater.Inventory{}, err
	}
	inv, missed := merge(doc.Layers, facts)
	want.only(&inv)
	if want.absent != "" {
		missed.fail(Miss{Check: breakwater.CheckFile, Reason: want.absent, Failed: true})
	}
	inv.Scanner, inv.Digest, inv.Platform = s.version(want), digest, config.Platform
	s.setup(&inv, config, want, missed)
	inv.Coverage = coverage(inv, want, missed)
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
func (s *Scanner) layers(ctx context.Context, src oci.Source, list []oci.Descriptor, want checks, read *atomic.Int64) ([]*LayerFacts, error) {
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
			out[i], err = s.facts(ctx, src, d, want, budget, read)
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
