package detect

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

// inPieces cuts b at random places.
func inPieces(b []byte, r *rand.Rand) (out [][]byte) {
	for len(b) > 0 {
		n := 1 + r.IntN(min(len(b), 1+r.IntN(20)))
		out = append(out, b[:n])
		b = b[n:]
	}
	return out
}

// TestPieces: a file in pieces reads, and is searched, as one in one piece.
func TestPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 2000 {
		b := make([]byte, r.IntN(200))
		for i := range b {
			b[i] = "Go buildinf:"[r.IntN(12)]
		}
		if len(b) > len(goMark) && r.IntN(2) == 0 {
			copy(b[r.IntN(len(b)-len(goMark)):], goMark)
		}
		m := InMemory(inPieces(b, r)...)
		if err := iotest.TestReader(m, b); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.bytes(), b) {
			t.Fatal("the pieces do not make the whole")
		}
		want := bytes.Contains(b, goMark)
		if m.pieces.contains(goMark) != want {
			t.Fatalf("%q in %q: not %v", goMark, m.pieces, want)
		}
		if want {
			found++
		}
	}
	if found < 500 {
		t.Fatalf("only %d had the mark", found)
	}
	if n, err := InMemory().ReadAt(make([]byte, 1), 0); n != 0 || err != io.EOF {
		t.Errorf("an empty file: %d, %v", n, err)
	}
}
