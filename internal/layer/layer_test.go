package layer_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"breakwater/internal/layer"
)

func archive(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		h.Mode = 0o644
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := w.Write(bytes.Repeat([]byte("x"), int(h.Size))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(b, nil)
}

// walk reads a layer to its end and renders its entries.
func walk(src io.Reader, limits layer.Limits, budget *layer.Budget) (entries []string, stats layer.Stats, err error) {
	r := layer.Open(context.Background(), src, limits, budget)
	defer r.Close()
	for {
		e, err := r.Next()
		if err == io.EOF {
			return entries, r.Stats(), nil
		}
		if err == nil && e.Kind == layer.File {
			_, err = io.Copy(io.Discard, r)
		}
		if err != nil {
			return entries, r.Stats(), err
		}
		s := fmt.Sprintf("%s %s", e.Kind, e.Path)
		if e.Link != "" {
			s += " -> " + e.Link
		}
		entries = append(entries, s)
	}
}

func TestEveryCompressionGivesTheSame(t *testing.T) {
	plain := archive(t, tar.Header{Name: "./etc/", Typeflag: tar.TypeDir}, tar.Header{Name: "./etc/passwd", Size: 700_000}, tar.Header{Name: "/abs", Size: 1})
	half := len(plain) / 2
	skippable := append([]byte{0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0}, "abc"...)
	inputs := map[string][]byte{
		"plain":                 plain,
		"gzip":                  zipped(t, plain),
		"gzip in two members":   append(zipped(t, plain[:half]), zipped(t, plain[half:])...),
		"gzip, an empty member": append(zipped(t, plain), zipped(t, nil)...),
		"gzip, garbage behind":  append(zipped(t, plain), "garbage that is no header"...),
		"gzip, zeros behind":    append(zipped(t, plain), make([]byte, 1000)...),
		"zstd":                  zstandard(t, plain),
		"zstd in two frames":    append(zstandard(t, plain[:half]), zstandard(t, plain[half:])...),
		"zstd, skippable frame": append(skippable, zstandard(t, plain)...),
	}
	for name, in := range inputs {
		t.Run(name, func(t *testing.T) {
			src := bytes.NewReader(in)
			got, stats, err := walk(src, layer.Limits{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"dir etc", "file etc/passwd", "file abs"}, got); diff != "" {
				t.Error(diff)
			}
			if want := fmt.Sprintf("sha256:%x", sha256.Sum256(plain)); stats.DiffID != want {
				t.Errorf("diff id %s, want %s", stats.DiffID, want)
			}
			if stats.Compressed != int64(len(in)) || stats.Bytes != int64(len(plain)) || src.Len() != 0 {
				t.Errorf("counted %d compressed and %d plain bytes, %d unread", stats.Compressed, stats.Bytes, src.Len())
			}
		})
	}
}

func TestEntries(t *testing.T) {
	tests := []struct {
		name   string
		header tar.Header
		want   string
	}{
		{"doubled slashes and dots", tar.Header{Name: ".//a/./b//c"}, "file a/b/c"},
		{"dots that stay inside", tar.Header{Name: "a/../b"}, "file b"},
		{"absolute", tar.Header{Name: "//etc/shadow"}, "file etc/shadow"},
		{"the root", tar.Header{Name: "./", Typeflag: tar.TypeDir}, "dir "},
		{"a link out is reported, not followed", tar.Header{Name: "x", Typeflag: tar.TypeSymlink, Linkname: "../../../etc/shadow"}, "symlink x -> ../../../etc/shadow"},
		{"a hard link", tar.Header{Name: "x", Typeflag: tar.TypeLink, Linkname: "/a/../b"}, "hardlink x -> b"},
		{"a device", tar.Header{Name: "dev/null", Typeflag: tar.TypeChar}, "device dev/null"},
		{"a whiteout", tar.Header{Name: "a/.wh.b"}, "whiteout a/b"},
		{"a whiteout at the root", tar.Header{Name: ".wh.b"}, "whiteout b"},
		{"a whiteout that is a device", tar.Header{Name: "a/.wh.b", Typeflag: tar.TypeChar}, "whiteout a/b"},
		{"an opaque directory", tar.Header{Name: "a/b/.wh..wh..opq"}, "opaque a/b"},
		{"an opaque root", tar.Header{Name: ".wh..wh..opq"}, "opaque "},
		{"aufs bookkeeping", tar.Header{Name: ".wh..wh.plnk"}, "ignored .wh..wh.plnk"},
		{"a name beyond one header", tar.Header{Name: strings.Repeat("d/", 400) + "f"}, "file " + strings.Repeat("d/", 400) + "f"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := walk(bytes.NewReader(archive(t, tt.header)), layer.Limits{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	good := archive(t, tar.Header{Name: "a", Size: 100_000}, tar.Header{Name: "b", Size: 10})
	bomb := zipped(t, make([]byte, 8<<20))
	tests := []struct {
		name   string
		in     []byte
		limits layer.Limits
		want   error
	}{
		{"a name that leaves the root", archive(t, tar.Header{Name: "../etc/passwd"}), layer.Limits{}, layer.ErrPath},
		{"one that leaves it on the way", archive(t, tar.Header{Name: "a/../../b"}), layer.Limits{}, layer.ErrPath},
		{"a hard link out of the root", archive(t, tar.Header{Name: "x", Typeflag: tar.TypeLink, Linkname: "../../etc/shadow"}), layer.Limits{}, layer.ErrPath},
		{"a whiteout of the parent", archive(t, tar.Header{Name: "a/.wh..."}), layer.Limits{}, layer.ErrPath},
		{"a whiteout of nothing", archive(t, tar.Header{Name: "a/.wh."}), layer.Limits{}, layer.ErrPath},
		{"a name longer than any path", archive(t, tar.Header{Name: strings.Repeat("n", 5000)}), layer.Limits{}, layer.ErrPath},
		{"more entries than allowed", archive(t, tar.Header{Name: "a"}, tar.Header{Name: "b"}, tar.Header{Name: "c"}), layer.Limits{Entries: 2}, layer.ErrEntries},
		{"more bytes than allowed", good, layer.Limits{Bytes: 50_000}, layer.ErrBytes},
		{"bytes behind the archive count", append(archive(t), make([]byte, 1<<20)...), layer.Limits{Bytes: 50_000}, layer.ErrBytes},
		{"a bomb", bomb, layer.Limits{RatioFrom: 1 << 20}, layer.ErrRatio},
		{"a zstd bomb", zstandard(t, make([]byte, 8<<20)), layer.Limits{RatioFrom: 1 << 20}, layer.ErrRatio},
		{"gzip cut short", zipped(t, good)[:100], layer.Limits{}, layer.ErrCorrupt},
		{"gzip with a wrong checksum", flip(zipped(t, good), -6), layer.Limits{}, layer.ErrCorrupt},
		{"zstd cut short", zstandard(t, good)[:40], layer.Limits{}, layer.ErrCorrupt},
		{"garbage behind zstd", append(zstandard(t, good), "garbage"...), layer.Limits{}, layer.ErrCorrupt},
		{"tar cut short in a file", good[:2000], layer.Limits{}, layer.ErrCorrupt},
		{"tar with a broken second header", flip(good, 100_864+20), layer.Limits{}, layer.ErrCorrupt},
		{"not a tar", bytes.Repeat([]byte("text "), 500), layer.Limits{}, layer.ErrNotTar},
		{"a compressed thing that is no tar", zipped(t, bytes.Repeat([]byte("text "), 500)), layer.Limits{}, layer.ErrNotTar},
		{"bzip2", []byte("BZh91AY&SY"), layer.Limits{}, layer.ErrCompressed},
		{"xz", []byte{0xfd, '7', 'z', 'X', 'Z', 0, 0, 4}, layer.Limits{}, layer.ErrCompressed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, _, err := walk(bytes.NewReader(tt.in), tt.limits, nil); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// flip changes one byte; from the end when at is negative.
func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	if at < 0 {
		at += len(b)
	}
	b[at] ^= 0xff
	return b
}

// TestSparse reads a file of 64 GiB of holes, in 1.5 KiB of archive: its name is
// fine, reading it is limited.
func TestSparse(t *testing.T) {
	sparse := sparseArchive(64 << 30)
	r := layer.Open(context.Background(), bytes.NewReader(sparse), layer.Limits{Bytes: 1 << 20}, nil)
	defer r.Close()
	e, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if e.Size != 64<<30 {
		t.Fatalf("size %d", e.Size)
	}
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, layer.ErrBytes) {
		t.Errorf("got %v, want %v", err, layer.ErrBytes)
	}
	got, _, err := skim(sparse)
	if err != nil || got != 1 {
		t.Errorf("passing it over: %d entries, %v", got, err)
	}
}

// sparseArchive writes an old GNU sparse header by hand: no fragment with data.
func sparseArchive(size int64) []byte {
	h := make([]byte, 512)
	copy(h, "holes")
	copy(h[100:], "0000644\x00")
	copy(h[108:], "0000000\x00")
	copy(h[116:], "0000000\x00")
	copy(h[124:], "00000000000\x00") // nothing stored
	copy(h[136:], "00000000000\x00")
	h[156] = 'S'
	copy(h[257:], "ustar  \x00")
	base256 := func(b []byte, v int64) {
		b[0] = 0x80
		for i := len(b) - 1; i > 0 && v > 0; i-- {
			b[i] = byte(v)
			v >>= 8
		}
	}
	base256(h[386:398], size) // the one fragment starts at the end
	copy(h[398:], "00000000000\x00")
	base256(h[483:495], size)
	copy(h[148:], "        ")
	sum := 0
	for _, b := range h {
		sum += int(b)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return append(h, make([]byte, 1024)...)
}

// skim passes over a layer without reading its files.
func skim(b []byte) (n int, stats layer.Stats, err error) {
	r := layer.Open(context.Background(), bytes.NewReader(b), layer.Limits{}, nil)
	defer r.Close()
	for {
		if _, err := r.Next(); err == io.EOF {
			return n, r.Stats(), nil
		} else if err != nil {
			return n, r.Stats(), err
		}
		n++
	}
}

func TestBudgetIsSharedByLayers(t *testing.T) {
	in := archive(t, tar.Header{Name: "a", Size: 5000}, tar.Header{Name: "b"})
	entries := layer.NewBudget(layer.Limits{Entries: 3})
	size := layer.NewBudget(layer.Limits{Bytes: int64(len(in)) + 100})
	for i, want := range []error{nil, layer.ErrEntries} {
		if _, _, err := walk(bytes.NewReader(in), layer.Limits{}, entries); !errors.Is(err, want) {
			t.Errorf("entries, layer %d: %v", i, err)
		}
	}
	for i, want := range []error{nil, layer.ErrBytes} {
		if _, _, err := walk(bytes.NewReader(in), layer.Limits{}, size); !errors.Is(err, want) {
			t.Errorf("bytes, layer %d: %v", i, err)
		}
	}
}

// TestSourceErrorComesThrough: what the source says, a wrong digest for
// instance, is the answer, wherever in the stream it is said.
func TestSourceErrorComesThrough(t *testing.T) {
	broken := errors.New("the digest is wrong")
	plain := archive(t, tar.Header{Name: "a", Size: 300_000})
	for name, in := range map[string][]byte{"plain": plain, "gzip": zipped(t, plain), "zstd": zstandard(t, plain)} {
		for _, at := range []int{0, 3, len(in) / 2, len(in) - 1, len(in)} {
			src := io.MultiReader(bytes.NewReader(in[:at]), failing{broken})
			if _, _, err := walk(src, layer.Limits{}, nil); !errors.Is(err, broken) {
				t.Errorf("%s, broken at %d of %d: %v", name, at, len(in), err)
			}
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := layer.Open(ctx, bytes.NewReader(archive(t, tar.Header{Name: "a"})), layer.Limits{}, nil)
	defer r.Close()
	if _, err := r.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestMillionEntries walks to one entry more than the limit.
func TestMillionEntries(t *testing.T) {
	const n = manyEntries
	h := archive(t, tar.Header{Name: "f"})[:512]
	src := func() io.Reader {
		return io.MultiReader(io.LimitReader(&repeating{b: h}, 512*n), bytes.NewReader(make([]byte, 1024)))
	}
	r := layer.Open(context.Background(), src(), layer.Limits{Entries: n - 1}, nil)
	defer r.Close()
	count := 0
	for {
		_, err := r.Next()
		if errors.Is(err, layer.ErrEntries) {
			break
		}
		if err != nil {
			t.Fatalf("after %d entries: %v", count, err)
		}
		count++
	}
	if count != n-1 {
		t.Errorf("%d entries before the limit", count)
	}
}

// repeating reads the same bytes for ever.
type repeating struct {
	b  []byte
	at int
}

func (r *repeating) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		m := copy(p[n:], r.b[r.at:])
		n += m
		r.at = (r.at + m) % len(r.b)
	}
	return n, nil
}

func FuzzWalk(f *testing.F) {
	plain := archive(f, tar.Header{Name: "etc/passwd", Size: 10}, tar.Header{Name: "a/.wh.b"}, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "x"})
	f.Add(plain)
	f.Add(zipped(f, plain))
	f.Add(zstandard(f, plain))
	f.Add(sparseArchive(1 << 40))
	limits := layer.Limits{Entries: 1000, Bytes: 4 << 20, RatioFrom: 1 << 20}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := layer.Open(context.Background(), bytes.NewReader(b), limits, nil)
		defer r.Close()
		for {
			e, err := r.Next()
			if err != nil {
				return
			}
			clean, err := layer.Clean(e.Path, 4096)
			if err != nil || clean != e.Path {
				t.Fatalf("path %q is not clean", e.Path)
			}
			_, _ = io.Copy(io.Discard, r)
		}
	})
}
