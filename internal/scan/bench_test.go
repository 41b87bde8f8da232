package scan_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/klauspost/compress/gzip"

	"breakwater"
	"breakwater/internal/scan"
)

// The two benchmarks read the same layer: what a scan costs is their ratio.
// DESIGN's bar is 1.25.
//
//	go test ./internal/scan -run NONE -bench 'Floor|ScanLayer'

// benchLayer is about 100 MB of a distribution's mixture: a package database,
// 6,000 files of prose, 400 shared libraries, 500 installed modules.
var benchLayer = sync.OnceValue(func() blobLayer {
	rnd := rand.New(rand.NewPCG(1, 2))
	words := make([][]byte, 4000)
	for i := range words {
		w := make([]byte, 2+rnd.IntN(9))
		for j := range w {
			w[j] = byte('a' + rnd.IntN(26))
		}
		words[i] = append(w, ' ')
	}
	prose := func(n int) []byte {
		var b []byte
		for len(b) < n {
			b = append(b, words[rnd.IntN(len(words))]...)
		}
		return b[:n]
	}
	code := func(n int) []byte { // compresses about as machine code does
		b := make([]byte, n)
		for i := 0; i < n; i += 4 {
			b[i], b[i+1] = byte(rnd.IntN(40)), byte(rnd.IntN(256))
		}
		copy(b, "\x7fELF\x02\x01\x01")
		return b
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	add := func(name string, body []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(body)), Typeflag: tar.TypeReg}); err != nil {
			panic(err)
		}
		if _, err := w.Write(body); err != nil {
			panic(err)
		}
	}
	var status []byte
	for i := range 400 {
		status = append(status, deb(fmt.Sprint("package", i), fmt.Sprintf("1.%d-1", i), "source")...)
		add(fmt.Sprintf("usr/lib/x/lib%d.so.1", i), code(100<<10))
		add(fmt.Sprintf("var/lib/dpkg/info/package%d.list", i), fmt.Appendf(nil, "/.\n/usr/lib\n/usr/lib/x/lib%d.so.1\n", i))
	}
	add("var/lib/dpkg/status", status)
	add("etc/os-release", []byte(debian12))
	for i := range 500 {
		add(fmt.Sprintf("srv/node_modules/m%d/package.json", i), fmt.Appendf(nil, `{"name":"m%d","version":"1.0.0"}`, i))
	}
	for i := range 6000 {
		add(fmt.Sprintf("usr/share/doc/d%d/text", i), prose(10<<10))
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return blobLayer{out.Bytes(), gzipLayer}
})

func BenchmarkScanLayer(b *testing.B) {
	r := newRepository()
	l := benchLayer()
	digest := r.image(b, l)
	s := newScanner(b, nil, scan.Options{})
	b.SetBytes(int64(len(l.body)))
	for b.Loop() {
		inv, err := s.Scan(context.Background(), r, digest, breakwater.ScopeAll)
		if err != nil || len(inv.Packages) != 900 {
			b.Fatal(len(inv.Packages), err)
		}
	}
}

// BenchmarkFloor is what any scanner must do: inflate, hash both streams, walk
// the archive; inflating and hashing overlap.
func BenchmarkFloor(b *testing.B) {
	l := benchLayer()
	b.SetBytes(int64(len(l.body)))
	whole := breakwater.DigestOf(l.body) // outside the loop: the floor hashes each stream once
	for b.Loop() {
		packed := sha256.New()
		z, err := gzip.NewReader(io.TeeReader(bytes.NewReader(l.body), packed))
		if err != nil {
			b.Fatal(err)
		}
		hash, walk := make(chan []byte, 32), make(chan []byte, 32)
		go func() {
			defer close(hash)
			defer close(walk)
			for {
				block := make([]byte, 256<<10)
				n, err := io.ReadFull(z, block)
				hash <- block[:n]
				walk <- block[:n]
				if err != nil {
					return
				}
			}
		}()
		plain := sha256.New()
		var done sync.WaitGroup
		done.Go(func() {
			for block := range hash {
				plain.Write(block)
			}
		})
		t := tar.NewReader(&blocks{from: walk})
		for {
			if _, err := t.Next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		for range walk { // the rest of the stream
		}
		done.Wait()
		if breakwater.DigestOfHash("sha256", packed) != whole {
			b.Fatal("not everything was read")
		}
	}
}

// blocks reads the blocks of a channel.
type blocks struct {
	from chan []byte
	rest []byte
}

func (r *blocks) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		block, ok := <-r.from
		if !ok {
			return 0, io.EOF
		}
		r.rest = block
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
