package scan

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"breakwater"
	"breakwater/internal/layer"
	"breakwater/internal/oci"
)

// Cache keeps layer facts. Get answers an error of kind NotFound for a key it
// does not hold. What it returns is checked: a damaged entry is computed again.
type Cache interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, b []byte) error
}

// CacheKey is the key that the facts of a layer are kept under: what wrote them,
// and whose they are.
func CacheKey(version string, d breakwater.Digest) string { return version + "/" + d.String() }

// facts gets a layer's facts from the cache, from another scan that is reading
// the same layer, or from its bytes. What it reads itself has ended when it
// answers: nothing of it outlives ctx.
func (s *Scanner) facts(ctx context.Context, src oci.Source, d oci.Descriptor, want checks, budget *layer.Budget, read *atomic.Int64) (*LayerFacts, error) {
	key := CacheKey(s.version(want), d.Digest)
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, mine := s.flight.join(key)
		if mine {
			return s.lead(ctx, key, r, src, d, want, budget, read)
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if r.err == nil {
			return r.got.facts, budget.Spend(r.got.facts.Entries, r.got.facts.Bytes)
		}
		// The other scan failed for reasons of its own: its time, its rights, its
		// budget. This one tries for itself.
	}
}

// lead does a reading that others may wait for.
func (s *Scanner) lead(ctx context.Context, key string, r *reading, src oci.Source, d oci.Descriptor, want checks, budget *layer.Budget, read *atomic.Int64) (*LayerFacts, error) {
	defer s.flight.end(key, r)
	r.got, r.err = s.load(ctx, src, d, want, budget, read)
	if r.err != nil {
		return nil, r.err
	}
	if r.got.cached {
		return r.got.facts, budget.Spend(r.got.facts.Entries, r.got.facts.Bytes)
	}
	return r.got.facts, nil
}

// loaded is a layer's facts and whether the cache had them.
type loaded struct {
	facts  *LayerFacts
	cached bool
}

func (s *Scanner) load(ctx context.Context, src oci.Source, d oci.Descriptor, want checks, budget *layer.Budget, read *atomic.Int64) (loaded, error) {
	for _, version := range s.answering(want) {
		b, err := s.cache.Get(ctx, CacheKey(version, d.Digest))
		switch {
		case err == nil:
			if f, err := Decode(b, version); err == nil {
				return loaded{f, true}, nil
			}
		case !breakwater.IsNotFound(err):
			return loaded{}, coded(breakwater.CodeDatabase, breakwater.Wrap(breakwater.KindUnavailable, err, "the layer cache could not be read"))
		}
	}
	f, err := s.readLayer(ctx, src, d, want, budget, read)
	if err != nil {
		return loaded{}, layerError{d.Digest, err}
	}
	if s.cache == nil || f.Absent || f.failed() {
		return loaded{f, false}, nil
	}
	b, err := f.Encode()
	if err == nil {
		err = s.cache.Put(ctx, CacheKey(f.Scanner, d.Digest), b)
	}
	if err != nil {
		return loaded{}, coded(breakwater.CodeDatabase, breakwater.Wrap(breakwater.KindUnavailable, err, "the layer's facts could not be kept"))
	}
	return loaded{f, false}, nil
}

// layerError says which layer an error is about.
type layerError struct {
	digest breakwater.Digest
	err    error
}

func (e layerError) Error() string { return fmt.Sprintf("layer %s: %v", e.digest, e.err) }
func (e layerError) Unwrap() error { return e.err }

// explain gives an error its scan code, once, and tells our own time limit from
// the caller's cancellation.
func explain(ctx, wall context.Context, digest breakwater.Digest, err error) error {
	if wall.Err() != nil && ctx.Err() == nil {
		return coded(breakwater.CodeTimedOut, breakwater.Wrap(breakwater.KindUnavailable, err, "the scan took longer than its time limit"))
	}
	err = fmt.Errorf("scan %s: %w", digest, err)
	var e *breakwater.Error
	if errors.As(err, &e) && e.Code != "" {
		return err
	}
	wrap := func(code breakwater.ScanCode, kind breakwater.Kind, message string) error {
		return coded(code, breakwater.Wrap(kind, err, "%s", message))
	}
	switch {
	case ctx.Err() != nil:
		return wrap(breakwater.CodeUnknown, breakwater.KindUnavailable, "the scan was stopped")
	case errors.Is(err, layer.ErrBytes):
		return wrap(breakwater.CodeOverSized, breakwater.KindTooLarge, "the image is larger than the limit once it is decompressed")
	case errors.Is(err, layer.ErrEntries):
		return wrap(breakwater.CodeLayers, breakwater.KindTooLarge, "the image holds more files than the limit")
	case errors.Is(err, layer.ErrRatio):
		return wrap(breakwater.CodeLayers, breakwater.KindTooLarge, "a layer decompresses to more than the allowed multiple of its size")
	case errors.Is(err, errFacts):
		return wrap(breakwater.CodeLayers, breakwater.KindTooLarge, "the image holds more package data than the limit")
	case errors.Is(err, layer.ErrPath):
		return wrap(breakwater.CodeUnknown, breakwater.KindInvalid, "a layer holds a path that leaves the image")
	case errors.Is(err, layer.ErrNotTar), errors.Is(err, layer.ErrCompressed):
		return wrap(breakwater.CodeUnknown, breakwater.KindInvalid, "a layer is not a tar archive in a known compression")
	case errors.Is(err, layer.ErrCorrupt):
		return wrap(breakwater.CodeDownloadFailed, breakwater.KindInvalid, "a layer is broken or ends too early")
	}
	if kind := breakwater.KindOf(err); kind == breakwater.KindNotFound {
		return wrap(breakwater.CodeNotFound, kind, "the image is not there any more")
	}
	return wrap(breakwater.CodeUnknown, breakwater.KindUnavailable, "the image could not be read")
}

// coded gives an error the code of a scan.
func coded(code breakwater.ScanCode, e *breakwater.Error) error {
	e.Code = string(code)
	return e
}
