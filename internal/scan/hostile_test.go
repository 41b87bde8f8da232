package scan_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/layer"
	"breakwater/internal/oci"
	"breakwater/internal/scan"
)

const gzipLayer = "application/vnd.oci.image.layer.v1.tar+gzip"

// manifestOf is a manifest of descriptors that need not be true.
func manifestOf(config desc, layers ...desc) any {
	return struct {
		SchemaVersion int    `json:"schemaVersion"`
		MediaType     string `json:"mediaType"`
		Config        desc   `json:"config"`
		Layers        []desc `json:"layers"`
	}{2, oci.TypeManifest, config, layers}
}

// TestCodes: each hostile or broken image ends its scan with the contract's code.
func TestCodes(t *testing.T) {
	r := newRepository()
	good := gz(t, entry{name: "a", body: strings.Repeat("text ", 5000)})
	config := []byte(`{"architecture":"amd64","os":"linux"}`)
	configDesc := desc{configType, r.put(config), len(config)}
	wrong := breakwater.DigestOf([]byte("something else"))
	r.blobs[wrong] = good.body
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	if _, err := z.Write(make([]byte, 4<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	many := make([]blobLayer, 4)
	for i := range many {
		many[i] = gz(t, entry{name: fmt.Sprint("f", i), body: strings.Repeat("x", 400)})
	}
	tests := []struct {
		name   string
		digest breakwater.Digest
		limits scan.Limits
		want   breakwater.ScanCode
	}{
		{"an image that is not there", wrong, scan.Limits{}, breakwater.CodeNotFound},
		{"more layers than allowed", r.image(t, many...), scan.Limits{Layers: 3}, breakwater.CodeLayers},
		{"larger than allowed", r.image(t, good), scan.Limits{Compressed: 100}, breakwater.CodeOverSized},
		{"larger once decompressed", r.image(t, good), scan.Limits{Layer: layer.Limits{Bytes: 10_000}}, breakwater.CodeOverSized},
		{"larger once all layers are decompressed", r.image(t, many...), scan.Limits{Layer: layer.Limits{Bytes: 5_000}}, breakwater.CodeOverSized},
		{"more files than allowed over all layers", r.image(t, many...), scan.Limits{Layer: layer.Limits{Entries: 3}}, breakwater.CodeLayers},
		{"a bomb", r.image(t, blobLayer{bomb.Bytes(), gzipLayer}), scan.Limits{Layer: layer.Limits{RatioFrom: 1 << 20}}, breakwater.CodeLayers},
		{"more facts than memory is given", r.image(t, gz(t, entry{name: "a/yarn.lock", body: yarnLock}, entry{name: "b/yarn.lock", body: yarnLock})), scan.Limits{Facts: 500}, breakwater.CodeLayers},
		{"more facts over all layers", r.image(t, gz(t, entry{name: "a/yarn.lock", body: yarnLock}), gz(t, entry{name: "b/yarn.lock", body: yarnLock})), scan.Limits{Facts: 500}, breakwater.CodeLayers},
		{"no time", r.image(t, good), scan.Limits{Wall: 1}, breakwater.CodeTimedOut},
		{"a path that leaves the image", r.image(t, gz(t, entry{name: "../../etc/cron.d/x", body: "x"})), scan.Limits{}, breakwater.CodeUnknown},
		{"a layer that is text", r.image(t, blobLayer{bytes.Repeat([]byte("text "), 1000), gzipLayer}), scan.Limits{}, breakwater.CodeUnknown},
		{"a layer in xz", r.image(t, blobLayer{[]byte("\xfd7zXZ\x00\x00\x04 and so on"), gzipLayer}), scan.Limits{}, breakwater.CodeUnknown},
		{"a layer cut short", r.image(t, blobLayer{good.body[:len(good.body)/2], gzipLayer}), scan.Limits{}, breakwater.CodeDownloadFailed},
		{"a layer with another digest", r.manifest(t, manifestOf(configDesc, desc{gzipLayer, wrong, len(good.body)})), scan.Limits{}, breakwater.CodeDownloadFailed},
		{"a layer of another size", r.manifest(t, manifestOf(configDesc, desc{gzipLayer, r.put(good.body), len(good.body) - 7})), scan.Limits{}, breakwater.CodeDownloadFailed},
		{"a chart", r.manifest(t, manifestOf(desc{"application/vnd.cncf.helm.config.v1+json", r.put([]byte("{}")), 2}, desc{"application/vnd.cncf.helm.chart.content.v1.tar+gzip", r.put(good.body), len(good.body)})), scan.Limits{}, breakwater.CodeBaseImage},
		{"a layer that is not there", r.manifest(t, manifestOf(configDesc, desc{gzipLayer, breakwater.DigestOf([]byte("gone")), 10})), scan.Limits{}, breakwater.CodeNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newScanner(t, newMemory(), scan.Options{Limits: tt.limits}).Scan(context.Background(), r, tt.digest, breakwater.ScopeAll)
			if got := code(err); got != tt.want {
				t.Errorf("code %q, want %q (%v)", got, tt.want, err)
			}
			var e *breakwater.Error
			if errors.As(err, &e) && e.Message == "" {
				t.Errorf("no message for people in %v", err)
			}
		})
	}
}

func TestStoppedByCaller(t *testing.T) {
	r := newRepository()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := newScanner(t, nil, scan.Options{}).Scan(ctx, r, r.image(t, gz(t, entry{name: "a"})), breakwater.ScopeAll)
	if !errors.Is(err, context.Canceled) || code(err) == breakwater.CodeTimedOut {
		t.Errorf("got %v", err)
	}
}

// TestForeignLayer: a layer that a registry may leave out is left out, and said.
func TestForeignLayer(t *testing.T) {
	r := newRepository()
	config := []byte(`{"architecture":"amd64","os":"windows"}`)
	local := gz(t, entry{name: "app/yarn.lock", body: yarnLock})
	missing := breakwater.DigestOf([]byte("elsewhere"))
	inv := scanImage(t, r, r.manifest(t, manifestOf(desc{configType, r.put(config), len(config)},
		desc{"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", missing, 100}, desc{gzipLayer, r.put(local.body), len(local.body)})))
	if len(inv.Packages) != 1 {
		t.Errorf("%d packages", len(inv.Packages))
	}
	for _, c := range inv.Coverage {
		if c.Check == breakwater.CheckSoftware && (len(c.Skipped) != 1 || c.Skipped[0].Layer != missing) {
			t.Errorf("skipped: %+v", c.Skipped)
		}
	}
}

// TestCoverage: every check is answered for, and what was not read is said.
func TestCoverage(t *testing.T) {
	r := newRepository()
	inv := scanImage(t, r, r.image(t, gz(t, entry{name: "app/package-lock.json", body: "{"}, entry{name: "gone/package-lock.json", body: "{"}), gz(t, entry{name: ".wh.gone"})))
	if len(inv.Coverage) != 8 {
		t.Fatalf("%d checks", len(inv.Coverage))
	}
	states := map[breakwater.Check]breakwater.Coverage{}
	for _, c := range inv.Coverage {
		states[c.Check] = c
	}
	if c := states[breakwater.CheckSoftware]; c.State != breakwater.StateDone || len(c.Skipped) != 1 || c.Skipped[0].Path != "app/package-lock.json" {
		t.Errorf("software: %+v", c)
	}
	if c := states[breakwater.CheckVulnerability]; c.State != breakwater.StateNotApplicable || c.Reason == "" {
		t.Errorf("vulnerability: %+v", c)
	}
	if c := states[breakwater.CheckSecret]; c.State != breakwater.StateNotAsked {
		t.Errorf("secret: %+v", c)
	}
	inv = scanImage(t, r, r.image(t, gz(t, entry{name: "var/lib/dpkg/status", body: deb("bash", "5", "")}, entry{name: "etc/os-release", body: "ID=kali\nPRETTY_NAME=\"Kali\"\n"})))
	if c := inv.Coverage[0]; c.State != breakwater.StateDone || !strings.Contains(c.Reason, "Kali") {
		t.Errorf("an unknown distribution: %+v", c)
	}
	inv = scanImage(t, r, r.image(t, gz(t, entry{name: "opt/status", body: deb("bash", "5", "")}, entry{name: "etc/os-release", body: "ID=debian\nPRETTY_NAME=\"Debian 12\"\n"})))
	if c := inv.Coverage[0]; c.State != breakwater.StateFailed || !strings.Contains(c.Reason, "Debian 12") {
		t.Errorf("a distribution without its package database: %+v", c)
	}
	if inv.Platform.OS != "linux" || inv.History[0].CreatedBy != "COPY . /" || inv.Layers[0].DiffID == "" {
		t.Errorf("config: %+v", inv)
	}
}

// TestDamagedCache entries, and those of another version, are read again.
func TestDamagedCache(t *testing.T) {
	r := newRepository()
	l := gz(t, entry{name: "app/yarn.lock", body: yarnLock})
	digest := r.image(t, l)
	c := newMemory()
	s := newScanner(t, c, scan.Options{})
	key := scan.CacheKey(s.Version(breakwater.ScopeAll), breakwater.DigestOf(l.body))
	old, err := (&scan.LayerFacts{Scanner: "older"}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{[]byte("garbage"), old} {
		c.m[key] = b
		inv, err := s.Scan(context.Background(), r, digest, breakwater.ScopeAll)
		if err != nil || len(inv.Packages) != 1 || inv.Bytes == 0 {
			t.Errorf("%d packages, %d bytes, %v", len(inv.Packages), inv.Bytes, err)
		}
		if bytes.Equal(c.m[key], b) {
			t.Error("the damaged entry is still there")
		}
	}
}

// gate is a Source whose layers wait until they are let through.
type gate struct {
	*repository
	open chan struct{}
}

func (g gate) Blob(ctx context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	select {
	case <-g.open:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return g.repository.Blob(ctx, d, size)
}

// TestOneReaderOfALayer: scans at the same time read a shared layer once, and a
// scan that is stopped does not take the others with it.
func TestOneReaderOfALayer(t *testing.T) {
	r := newRepository()
	digest := r.image(t, gz(t, entry{name: "app/yarn.lock", body: yarnLock}))
	g := gate{r, make(chan struct{})}
	s := newScanner(t, newMemory(), scan.Options{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	stopped, stop := context.WithCancel(ctx)
	results := make(chan error, 9)
	for i := range 9 {
		c := ctx
		if i == 0 {
			c = stopped
		}
		go func() {
			inv, err := s.Scan(c, g, digest, breakwater.ScopeAll)
			if err == nil && len(inv.Packages) != 1 {
				err = fmt.Errorf("%d packages", len(inv.Packages))
			}
			results <- err
		}()
	}
	stop()
	if err := <-results; !errors.Is(err, context.Canceled) {
		t.Fatalf("the stopped scan: %v", err)
	}
	close(g.open)
	for range 8 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := r.layers.Load(); n != 8+1 {
		t.Errorf("%d blobs opened, want eight configs and one layer", n)
	}
}

func FuzzDecode(f *testing.F) {
	good, err := (&scan.LayerFacts{Scanner: scan.Version, Removed: []string{"a"}, Names: make([]byte, 8)}).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		facts, err := scan.Decode(b, scan.Version)
		if err != nil {
			return
		}
		again, err := facts.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := scan.Decode(again, scan.Version); err != nil {
			t.Fatal(err)
		}
	})
}
