package registry_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"breakwater"
	"breakwater/internal/registry/registrytest"
	"breakwater/internal/storetest"
)

// The benchmarks speak to a real listener from 16 clients, with a token, as a
// docker client does.

func benchWorld(b *testing.B) (*registrytest.World, func(method, path, body string) int) {
	w := registrytest.Start(b, storetest.SQLite(b), nil)
	token := client{b, w, "alpha@operator"}.bearer("repository:g/app:pull,push", "repository:g/new:pull,push")
	_, token, _ = strings.Cut(token, ": ")
	http := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	return w, func(method, path, body string) int {
		req, err := newRequest(method, w.Server.URL+path, body, token)
		if err != nil {
			b.Error(err)
			return 0
		}
		res, err := http.Do(req)
		if err != nil {
			b.Error(err)
			return 0
		}
		defer func() { _ = res.Body.Close() }()
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode
	}
}

func newRequest(method, url, body, token string) (*http.Request, error) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err == nil {
		req.Header.Set("Authorization", token)
	}
	return req, err
}

// concurrently runs f from 16 goroutines.
func concurrently(b *testing.B, f func(i int64)) {
	b.SetParallelism(max(1, 16/2))
	var n atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			f(n.Add(1))
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

func BenchmarkManifestGet(b *testing.B) {
	w, do := benchWorld(b)
	client{b, w, "alpha@operator"}.pushImage("g/app", "v1", "layer")
	concurrently(b, func(int64) {
		if s := do("GET", "/v2/g/app/manifests/v1", ""); s != 200 {
			b.Errorf("status %d", s)
		}
	})
}

func BenchmarkBlobGet(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20, 32 << 20} {
		b.Run(fmt.Sprint(size>>10, "KiB"), func(b *testing.B) {
			w, do := benchWorld(b)
			d := client{b, w, "alpha@operator"}.pushBlob("g/app", strings.Repeat("x", size))
			b.SetBytes(int64(size))
			concurrently(b, func(int64) {
				if s := do("GET", "/v2/g/app/blobs/"+d.String(), ""); s != 200 {
					b.Errorf("status %d", s)
				}
			})
		})
	}
}

// BenchmarkPush pushes an image of a config and one 1 MiB layer of its own: one
// POST for each blob and PUT of the manifest.
func BenchmarkPush(b *testing.B) {
	w, do := benchWorld(b)
	client{b, w, "alpha@operator"}.pushBlob("g/app", "x")
	filler := strings.Repeat("x", 1<<20)
	b.SetBytes(1 << 20)
	concurrently(b, func(i int64) {
		layer, cfg := fmt.Sprint(i, filler), strings.Replace(config, "amd64", fmt.Sprint("amd", i), 1)
		for _, body := range []string{cfg, layer} {
			if s := do("POST", "/v2/g/app/blobs/uploads/?digest="+breakwater.DigestOf([]byte(body)).String(), body); s != 201 {
				b.Errorf("blob: status %d", s)
			}
		}
		if s := do("PUT", fmt.Sprint("/v2/g/app/manifests/v", i), imageManifest(cfg, layer, "")); s != 201 {
			b.Errorf("manifest: status %d", s)
		}
	})
}

// BenchmarkBlobPush pushes one large blob at a time.
func BenchmarkBlobPush(b *testing.B) {
	_, do := benchWorld(b)
	body := []byte(strings.Repeat("breakwater123456", 4<<20))
	b.SetBytes(int64(len(body)))
	b.ResetTimer()
	for i := range b.N {
		copy(body, fmt.Sprintf("%016d", i))
		s := string(body)
		b.StopTimer()
		d := breakwater.DigestOf(body)
		b.StartTimer()
		if status := do("POST", "/v2/g/new/blobs/uploads/?digest="+d.String(), s); status != 201 {
			b.Errorf("status %d", status)
		}
	}
}
