package oci_test

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"

	"breakwater"
	"breakwater/internal/oci"
)

func TestVerify(t *testing.T) {
	content := bytes.Repeat([]byte("layer"), 1000)
	digest, size := breakwater.DigestOf(content), int64(len(content))
	tests := []struct {
		name string
		body []byte
		size int64
		good bool
	}{
		{"right", content, size, true},
		{"size unknown", content, -1, true},
		{"short", content[:len(content)-1], size, false},
		{"long", append(bytes.Clone(content), 'x'), size, false},
		{"changed", bytes.Replace(content, []byte("l"), []byte("L"), 1), size, false},
		{"changed, size unknown", content[1:], -1, false},
		{"empty", nil, size, false},
	}
	for _, tt := range tests {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "by byte": iotest.OneByteReader,
			"half": iotest.HalfReader, "data with end": iotest.DataErrReader,
		} {
			rc := oci.Verify(io.NopCloser(wrap(bytes.NewReader(tt.body))), digest, tt.size)
			got, err := io.ReadAll(rc)
			if (err == nil) != tt.good || tt.good && !bytes.Equal(got, content) {
				t.Errorf("%s, %s: %d bytes, %v", tt.name, how, len(got), err)
			}
			if int64(len(got)) > size && tt.size >= 0 {
				t.Errorf("%s, %s: %d bytes passed", tt.name, how, len(got))
			}
			if _, again := rc.Read(make([]byte, 1)); again == nil {
				t.Errorf("%s, %s: a read after the end succeeds", tt.name, how)
			}
		}
	}
}

// A reader that takes exactly the bytes it needs, and never asks for the end,
// must still learn that they were wrong.
func TestVerifyTellsWithTheLastByte(t *testing.T) {
	content := []byte("0123456789")
	rc := oci.Verify(io.NopCloser(bytes.NewReader([]byte("012345678X"))), breakwater.DigestOf(content), 10)
	if _, err := io.ReadFull(rc, make([]byte, 9)); err != nil {
		t.Fatal(err)
	}
	if n, err := rc.Read(make([]byte, 1)); err == nil {
		t.Fatalf("the last byte came as %d, %v", n, err)
	}
}
