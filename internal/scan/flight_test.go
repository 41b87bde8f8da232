package scan_test

import (
	"context"
	"io"
	"runtime"
	"sync/atomic"
	"testing"

	"breakwater"
	"breakwater/internal/scan"
)

// leaving is a Source whose caller goes away while the layers are being asked
// for. It counts what is asked of it once the scan has answered.
type leaving struct {
	*repository
	cancel func()
	over   atomic.Bool
	late   *atomic.Int64
}

func (l *leaving) Blob(ctx context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	if l.over.Load() {
		l.late.Add(1)
	}
	b, err := l.repository.Blob(ctx, d, size)
	if err != nil {
		return nil, err
	}
	return &closing{b, l.cancel}, nil
}

// closing calls back when the blob is closed, which of the config is just before
// the layers are asked for.
type closing struct {
	io.ReadCloser
	then func()
}

func (c *closing) Close() error {
	go c.then()
	return c.ReadCloser.Close()
}

// TestNothingOutlivesAScan: a scan that is stopped at any moment leaves no reading
// of a layer behind.
func TestNothingOutlivesAScan(t *testing.T) {
	r := newRepository()
	var layers []blobLayer
	for i := range 16 {
		layers = append(layers, plain(t, entry{name: "f" + string(rune('a'+i)), body: "x"}))
	}
	digest := r.image(t, layers...)
	s := newScanner(t, nil, scan.Options{Parallel: 16})
	var late atomic.Int64
	for range 2000 {
		ctx, cancel := context.WithCancel(context.Background())
		src := &leaving{repository: r, cancel: cancel, late: &late}
		_, _ = s.Scan(ctx, src, digest, breakwater.ScopeAll)
		src.over.Store(true)
		cancel()
		runtime.Gosched()
	}
	if n := late.Load(); n > 0 {
		t.Errorf("%d blobs were asked for after the scan had ended", n)
	}
}
