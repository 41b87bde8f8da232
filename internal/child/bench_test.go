package child

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"breakwater"
	"breakwater/internal/oci"
)

// BenchmarkScan is one scan of a 64 MiB layer on disk by a scanner that only
// reads: the difference between the two is all that a child costs, because a
// real scanner decompresses as well, which is ten times slower than this.
func BenchmarkScan(b *testing.B) {
	m := diskImage(b, 64<<20)
	run := func(b *testing.B, scan func() error) {
		b.SetBytes(64 << 20)
		for b.Loop() {
			if err := scan(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("here", func(b *testing.B) {
		run(b, func() error {
			_, err := planted{&memory{}}.read(b.Context(), m, m.digest, plantGood)
			return err
		})
	})
	b.Run("child", func(b *testing.B) {
		p := benchPool(b, Options{Size: 1, Recycle: 1 << 30})
		run(b, func() error { _, err := p.Scan(b.Context(), m.task(plantGood)); return err })
	})
	b.Run("fresh child", func(b *testing.B) {
		p := benchPool(b, Options{Size: 1, Recycle: 1})
		run(b, func() error { _, err := p.Scan(b.Context(), m.task(plantGood)); return err })
	})
}

// BenchmarkSmall is a scan of next to nothing: what a task and a process cost.
func BenchmarkSmall(b *testing.B) {
	m := newImage("small")
	for _, recycle := range []int{1, 20, 1 << 30} {
		b.Run("scans per child "+strconv.Itoa(recycle), func(b *testing.B) {
			p := benchPool(b, Options{Size: 1, Recycle: recycle})
			for b.Loop() {
				if _, err := p.Scan(b.Context(), m.task(plantGood)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCheckCost is how fast a result is looked through before it is decoded.
func BenchmarkCheckCost(b *testing.B) {
	inv := breakwater.Inventory{}
	for i := range 20_000 {
		n := strconv.Itoa(i)
		inv.Packages = append(inv.Packages, breakwater.Package{Ecosystem: "Debian:12", Name: "package" + n, Version: "1." + n, Layer: breakwater.DigestOf(nil), Path: "var/lib/dpkg/status"})
	}
	raw, err := json.Marshal(inv)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("check", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if err := checkCost(raw, maxInMemory); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("check and decode", func(b *testing.B) {
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			var out breakwater.Inventory
			if err := decodeFrugal(raw, &out, maxInMemory); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchPool(b *testing.B, opts Options) *Pool {
	b.Helper()
	opts.Command, opts.TempDir, opts.Version = []string{os.Args[0]}, b.TempDir(), testVersion
	p, err := New(opts)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = p.Close() })
	return p
}

// onDisk is an image whose layer lies in a file, as in the embedded registry.
type onDisk struct {
	*image
	path string
}

func (m onDisk) task(scope breakwater.Scope) Task {
	return Task{Digest: m.digest, Source: m, Scope: scope}
}

func (m onDisk) Blob(ctx context.Context, d breakwater.Digest, size int64) (io.ReadCloser, error) {
	if d != m.layers[0] {
		return m.image.Blob(ctx, d, size)
	}
	f, err := os.Open(m.path)
	if err != nil {
		return nil, err
	}
	return oci.Verify(f, d, size), nil
}

func diskImage(b *testing.B, size int) onDisk {
	b.Helper()
	layer := make([]byte, size)
	_, _ = rand.Read(layer)
	m := onDisk{newImage(string(layer)), filepath.Join(b.TempDir(), "layer")}
	if err := os.WriteFile(m.path, layer, 0o600); err != nil {
		b.Fatal(err)
	}
	return m
}

// BenchmarkInflate is the least that a real scan does with each byte, to hold
// the figures of BenchmarkScan against: SetBytes counts compressed ones.
func BenchmarkInflate(b *testing.B) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	exe, err := os.ReadFile(os.Args[0])
	if err != nil {
		b.Fatal(err)
	}
	_, _ = w.Write(exe)
	_ = w.Close()
	b.SetBytes(int64(packed.Len()))
	for b.Loop() {
		r, err := gzip.NewReader(bytes.NewReader(packed.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}
