//go:build crash

package crash

import (
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"breakwater"
)

// meter is a transport that counts what clients do and says when it is enough.
type meter struct {
	enough chan struct{}

	mu        sync.Mutex
	closed    bool
	requests  int // begun
	bytes     int // of bodies sent
	manifests int // manifests sent to their last byte

	maxRequests, maxBytes, maxManifests int // 0: does not matter
}

// newMeter chooses the moment of a round: after some requests, in the middle of
// a body, or when a manifest is sent and not answered.
func newMeter(round int) *meter {
	m := &meter{enough: make(chan struct{})}
	switch round % 3 {
	case 0:
		m.maxRequests = 4 + round*6
	case 1:
		m.maxBytes = 30_000 + round*170_000
	case 2:
		m.maxManifests = 1 + round/3
	}
	return m
}

func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	m.add(func() { m.requests++ })
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.GetBody = nil
		r.Body = &metered{ReadCloser: r.Body, m: m, manifest: r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/"), left: r.ContentLength}
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (m *meter) add(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
	reached := func(n, limit int) bool { return limit > 0 && n >= limit }
	if !m.closed && (reached(m.requests, m.maxRequests) || reached(m.bytes, m.maxBytes) || reached(m.manifests, m.maxManifests)) {
		m.closed = true
		close(m.enough)
	}
}

// stop ends the round early.
func (m *meter) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		close(m.enough)
	}
}

func (m *meter) over() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

// metered is a body on its way.
type metered struct {
	io.ReadCloser
	m        *meter
	manifest bool
	left     int64
}

func (b *metered) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	b.m.add(func() {
		b.m.bytes += n
		if b.manifest && (b.left == 0 || err == io.EOF) {
			b.manifest = false
			b.m.manifests++
		}
	})
	return n, err
}

// checkBlobs hashes the blob files that were not there at the last look: each
// must be what its name says.
func checkBlobs(t *testing.T, data string, done map[string]bool) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(data, "blobs", "blobs", "sha256"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || done[path] {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if d := breakwater.DigestOf(b); d.Hex() != e.Name() {
			t.Errorf("the blob file %s holds the bytes of %s", e.Name(), d)
		}
		if _, err := hex.DecodeString(e.Name()); err != nil {
			t.Errorf("%s lies among the blobs", e.Name())
		}
		done[path] = true
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a directory comes with its first blob
		t.Fatal(err)
	}
}
