package osv

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"strings"
	"testing"
)

// pack makes a zip of name, content pairs.
func pack(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readZip(body []byte, limits Limits) (n int, err error) {
	for _, e := range entries(bytes.NewReader(body), int64(len(body)), limits) {
		if e != nil {
			return n, e
		}
		n++
	}
	return n, nil
}

func TestEntries(t *testing.T) {
	good := pack(t, "A-1.json", "{}", "dir/", "", "dir/B-2.json", "{}", "README", "x", "../../C-3.json", "{}", "/D-4.json", "{}")
	if n, err := readZip(good, Limits{}); n != 4 || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	big := strings.Repeat("a", 3<<20)
	for _, c := range []struct {
		what   string
		body   []byte
		limits Limits
		want   string
	}{
		{"truncated", good[:len(good)-30], Limits{}, "truncated"},
		{"no zip", []byte("hello"), Limits{}, "not a zip"},
		{"nothing", nil, Limits{}, "not a zip"},
		{"damaged", damaged(t, pack(t, "A.json", strings.Repeat("some text ", 50))), Limits{}, "damaged"},
		{"too many files", good, Limits{Entries: 5}, "more than 5 files"},
		{"a file too large", pack(t, "A.json", big), Limits{Entry: 1 << 20}, "larger than the limit"},
		{"a file that lies about its size", liar(t, big), Limits{Entry: 1 << 20}, ""},
		{"a bomb", pack(t, "A.json", big), Limits{Ratio: 10}, "too many times"},
		{"all too large", pack(t, "A.json", big, "B.json", big), Limits{Total: 4 << 20, Ratio: 1 << 20}, "more than the limit"},
	} {
		_, err := readZip(c.body, c.limits)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.what, err, c.want)
		}
	}
}

// damaged changes a byte of the first file's packed content.
func damaged(t *testing.T, body []byte) []byte {
	t.Helper()
	out := bytes.Clone(body)
	out[30+len("A.json")+5] ^= 0xff
	return out
}

// liar is a zip whose one file says it is small.
func liar(t *testing.T, content string) []byte {
	t.Helper()
	var packed, b bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	z := zip.NewWriter(&b)
	raw, err2 := z.CreateRaw(&zip.FileHeader{Name: "A.json", Method: zip.Deflate, CompressedSize64: uint64(packed.Len()), UncompressedSize64: 10})
	if err == nil && err2 == nil {
		_, err = raw.Write(packed.Bytes())
	}
	if err != nil || err2 != nil || z.Close() != nil {
		t.Fatal(err, err2)
	}
	return b.Bytes()
}

// A directory of more headers than its end record says, and a zip64 one, are
// counted all the same.
func TestCountEntries(t *testing.T) {
	var files []string
	for i := range 300 {
		files = append(files, fmt.Sprintf("A-%d.json", i), "{}")
	}
	body := pack(t, files...)
	lying := bytes.Clone(body)
	end := len(lying) - endSize
	lying[end+8], lying[end+9], lying[end+10], lying[end+11] = 1, 0, 1, 0
	for what, b := range map[string][]byte{"true": body, "lying": lying} {
		if err := countEntries(bytes.NewReader(b), int64(len(b)), 299); err == nil {
			t.Errorf("%s: 300 files pass a limit of 299", what)
		}
		if err := countEntries(bytes.NewReader(b), int64(len(b)), 300); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzEntries(f *testing.F) {
	f.Add(pack(f, "A-1.json", `{"id":"A-1"}`, "../B.json", strings.Repeat("x", 1000)))
	f.Add([]byte("PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	limits := Limits{Entries: 50, Entry: 1 << 16, Total: 1 << 18}
	f.Fuzz(func(t *testing.T, body []byte) {
		total, n := 0, 0
		for b, err := range entries(bytes.NewReader(body), int64(len(body)), limits) {
			if err != nil {
				continue
			}
			total += len(b)
			if n++; n > limits.Entries || len(b) > int(limits.Entry) || total > int(limits.Total) {
				t.Fatalf("over the limits: %d files, %d bytes", n, total)
			}
		}
	})
}
