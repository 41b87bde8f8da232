package layer_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"breakwater/internal/layer"
)

// readAll is a way to read one file; it releases nothing, but gives the loans.
type readAll func(r *layer.Reader, loans []layer.Loan) (content []byte, all []layer.Loan, err error)

func byRead(r *layer.Reader, loans []layer.Loan) ([]byte, []layer.Loan, error) {
	b, err := io.ReadAll(r)
	return b, loans, err
}

func byLend(r *layer.Reader, loans []layer.Loan) ([]byte, []layer.Loan, error) {
	if !r.Lends() {
		return byRead(r, loans)
	}
	head, err := r.Peek(1024)
	if err != nil {
		return nil, loans, err
	}
	head = bytes.Clone(head)
	at := len(loans)
	loans, err = r.Lend(loans)
	var b []byte
	for _, l := range loans[at:] {
		b = append(b, l.Data...)
	}
	if err == nil && !bytes.HasPrefix(b, head) {
		err = errors.New("what was peeked at is not what was lent")
	}
	if err == nil && len(head) > 0 && len(loans[at].Data) < len(head) {
		err = errors.New("the first piece is shorter than what was peeked at")
	}
	return b, loans, err
}

func byPeek(r *layer.Reader, loans []layer.Loan) ([]byte, []layer.Loan, error) {
	if r.Lends() {
		if _, err := r.Peek(1024); err != nil {
			return nil, loans, err
		}
	}
	return byRead(r, loans)
}

// unread passes the file over, with or without a look at its beginning.
func unread(r *layer.Reader, loans []layer.Loan) ([]byte, []layer.Loan, error) {
	var err error
	if r.Lends() && r.Offset()%3 != 0 {
		_, err = r.Peek(700)
	}
	return nil, loans, err
}

// content walks a layer and reads each file by one of the ways, of which choose
// says the number. Loans are kept to the end, and then compared with what was
// read of them at first.
func content(src io.Reader, limits layer.Limits, choose func() int, ways ...readAll) (files []string, stats layer.Stats, err error) {
	r := layer.Open(context.Background(), src, limits, nil)
	defer r.Close()
	var loans []layer.Loan
	var kept [][]byte
	defer func() {
		for n, l := range loans {
			if !bytes.Equal(l.Data, kept[n]) {
				err = errors.Join(err, fmt.Errorf("loan %d changed while it was kept", n))
			}
			l.Release()
		}
	}()
	for {
		e, err := r.Next()
		if err == io.EOF {
			return files, r.Stats(), nil
		}
		if err != nil {
			return files, stats, err
		}
		var b []byte
		if e.Kind == layer.File {
			b, loans, err = ways[choose()](r, loans)
			for _, l := range loans[len(kept):] {
				kept = append(kept, bytes.Clone(l.Data))
			}
		}
		files = append(files, fmt.Sprintf("%s %s %d %x", e.Kind, e.Path, e.Size, sha256.Sum256(b)))
		if err != nil {
			return files, stats, err
		}
	}
}

// randomArchive has files of every sort of size about the blocks of the stream.
func randomArchive(t testing.TB, seed uint64) (b []byte, files map[string][]byte) {
	t.Helper()
	r, source := rand.New(rand.NewPCG(seed, 1)), rand.NewChaCha8([32]byte{byte(seed)})
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	files = map[string][]byte{}
	sizes := []int{0, 1, 511, 512, 513, 1023, 1024, 1025, 64 << 10, 256<<10 - 512, 256 << 10, 256<<10 + 1, 1 << 20, 6 << 20}
	for n := range 60 {
		content := make([]byte, sizes[r.IntN(len(sizes))]+r.IntN(3))
		_, _ = source.Read(content)
		name := fmt.Sprintf("f%02d", n)
		files[name] = content
		if err := errors.Join(w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Size: int64(len(content)), Mode: 0o644}), second(w.Write(content))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), files
}

func second(_ int, err error) error { return err }

// TestLend reads the same archives in every way, mixed at random: what is lent,
// peeked at or passed over changes nothing of the files around it, and lent bytes
// stay as they are however long they are kept, far beyond what the pipe holds.
func TestLend(t *testing.T) {
	for seed := range uint64(3) {
		b, files := randomArchive(t, seed)
		r := rand.New(rand.NewPCG(seed, 2))
		ways := []readAll{byRead, byLend, byLend, byPeek, unread}
		way := 0
		got, stats, err := content(bytes.NewReader(zstandard(t, b)), layer.Limits{Ratio: 1 << 30}, func() int { way = r.IntN(len(ways)); return way }, ways...)
		if err != nil {
			t.Fatal(err)
		}
		_, plain, err := walk(bytes.NewReader(b), layer.Limits{}, nil)
		if err != nil || stats.DiffID != plain.DiffID || stats.Bytes != int64(len(b)) {
			t.Fatalf("stats %+v and %+v, %v", stats, plain, err)
		}
		read, none := 0, sha256.Sum256(nil)
		for n, f := range got {
			name := fmt.Sprintf("f%02d", n)
			whole, passed := fmt.Sprintf("file %s %d %x", name, len(files[name]), sha256.Sum256(files[name])), fmt.Sprintf("file %s %d %x", name, len(files[name]), none)
			if f != whole && f != passed {
				t.Fatalf("seed %d: %s is not as it was packed", seed, name)
			}
			if f == whole && len(files[name]) > 0 {
				read++
			}
		}
		if len(got) != len(files) || read < len(files)/3 {
			t.Fatalf("%d files, %d of them read", len(got), read)
		}
	}
}

// TestLendCutOff cuts an archive anywhere: every way says that it is corrupt.
func TestLendCutOff(t *testing.T) {
	b := archive(t, tar.Header{Name: "a", Size: 3000}, tar.Header{Name: "b", Size: 700_000}, tar.Header{Name: "c", Size: 10})
	for _, at := range []int{1, 511, 513, 700, 1600, 4096, 5000, 262_100, 262_144, 262_200, 500_000, 704_000} {
		for n, way := range []readAll{byRead, byLend, byPeek, unread} {
			_, _, err := content(bytes.NewReader(b[:at]), layer.Limits{}, func() int { return 0 }, way)
			if !errors.Is(err, layer.ErrCorrupt) && !errors.Is(err, layer.ErrNotTar) {
				t.Errorf("cut at %d, way %d: %v", at, n, err)
			}
		}
	}
}

// TestLendOnce: what was lent cannot be read or lent again, and what was read
// cannot be lent.
func TestLendOnce(t *testing.T) {
	r := layer.Open(context.Background(), bytes.NewReader(archive(t, tar.Header{Name: "a", Size: 10}, tar.Header{Name: "b", Size: 10})), layer.Limits{}, nil)
	defer r.Close()
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	loans, err := r.Lend(nil)
	if err != nil || len(loans) != 1 {
		t.Fatal(loans, err)
	}
	defer loans[0].Release()
	if _, err := r.Lend(nil); err == nil {
		t.Error("lent twice")
	}
	if _, err := r.Peek(1); err == nil {
		t.Error("peeked at what was lent")
	}
	if n, err := r.Read(make([]byte, 1)); err == nil {
		t.Errorf("read %d bytes of what was lent", n)
	}
	if _, err := r.Next(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if r.Lends() {
		t.Error("lends what was read")
	}
}

// TestLoansOutliveTheReader: a reader may be closed before what it lent.
func TestLoansOutliveTheReader(t *testing.T) {
	b, files := randomArchive(t, 9)
	r := layer.Open(context.Background(), bytes.NewReader(b), layer.Limits{}, layer.NewBudget(layer.Limits{}))
	var loans []layer.Loan
	for range 30 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		var err error
		if loans, err = r.Lend(loans); err != nil {
			t.Fatal(err)
		}
	}
	r.Close()
	var want, got []byte
	for n := range 30 {
		want = append(want, files[fmt.Sprintf("f%02d", n)]...)
	}
	for _, l := range loans {
		got = append(got, l.Data...)
		l.Release()
	}
	if !bytes.Equal(got, want) {
		t.Error("what was lent changed when the reader was closed")
	}
}

// FuzzLend: an archive of anybody's gives the same whether it is read or lent.
func FuzzLend(f *testing.F) {
	plain := archive(f, tar.Header{Name: "etc/passwd", Size: 10}, tar.Header{Name: "a/.wh.b"}, tar.Header{Name: "c", Size: 2000})
	f.Add(plain)
	f.Add(zipped(f, plain))
	f.Add(sparseArchive(1 << 16))
	limits := layer.Limits{Entries: 1000, Bytes: 4 << 20, RatioFrom: 1 << 20}
	f.Fuzz(func(t *testing.T, b []byte) {
		first := func() int { return 0 }
		read, _, err := content(bytes.NewReader(b), limits, first, byRead)
		lent, _, err2 := content(bytes.NewReader(b), limits, first, byLend)
		if (err == nil) != (err2 == nil) || errors.Is(err, layer.ErrCorrupt) != errors.Is(err2, layer.ErrCorrupt) {
			t.Fatalf("read: %v; lent: %v", err, err2)
		}
		if err == nil && !slices.Equal(read, lent) {
			t.Fatalf("read %q, lent %q", read, lent)
		}
		if _, _, err3 := content(bytes.NewReader(b), limits, first, unread); err == nil && err3 != nil {
			t.Fatalf("passed over: %v", err3)
		}
	})
}
