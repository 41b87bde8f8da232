package osv

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"breakwater"

	"github.com/google/go-cmp/cmp"
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
	for _, e := range entries(bytes.NewReader(body), int64(len(body)), limits, nil) {
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
		for b, err := range entries(bytes.NewReader(body), int64(len(body)), limits, nil) {
			if err != nil {
				continue
			}
			total += len(b.body)
			if n++; n > limits.Entries || len(b.body) > int(limits.Entry) || total > int(limits.Total) {
				t.Fatalf("over the limits: %d files, %d bytes", n, total)
			}
		}
	})
}

// What is read ahead is what is there, wherever one looks.
func TestReadAhead(t *testing.T) {
	whole := make([]byte, 3*aheadSize+17)
	for i := range whole {
		whole[i] = byte(i * 7 / 3)
	}
	b := &readAhead{r: bytes.NewReader(whole)}
	for _, at := range []int{0, 5, aheadSize - 3, aheadSize - 3, 2 * aheadSize, 1, 3*aheadSize + 10, len(whole) - 1, len(whole), len(whole) + 5} {
		for _, n := range []int{1, 7, 4096, aheadSize} {
			want, got := make([]byte, n), make([]byte, n)
			wn, werr := bytes.NewReader(whole).ReadAt(want, int64(at))
			gn, gerr := b.ReadAt(got, int64(at))
			if wn != gn || !bytes.Equal(want, got) || !errors.Is(gerr, werr) {
				t.Errorf("%d bytes at %d: %d, %v; want %d, %v", n, at, gn, gerr, wn, werr)
			}
		}
	}
}

// A record that is known by its packed bytes is not read; one that differs in
// one byte is.
func TestKnownIsNotRead(t *testing.T) {
	record := func(id, name string) string {
		return `{"id":"` + id + `","modified":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"` + name + `"},"versions":["1"]}]}`
	}
	read := func(body []byte, known map[string]string) (out []string, raws map[string]string) {
		raws = map[string]string{}
		d := &Dump{Feed: breakwater.Feed{Name: "npm"}, file: bytes.NewReader(body), size: int64(len(body)), now: time.Now,
			Known: func(raw string) (string, time.Time, bool) {
				id, ok := known[raw]
				return id, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ok
			}}
		var report Report
		for a, err := range d.Advisories(t.Context(), &report) {
			if err != nil {
				t.Fatal(err)
			}
			raws[a.Raw] = a.ID
			out = append(out, fmt.Sprint(a.ID, " ", a.Unread(), " ", len(a.Affected)))
		}
		if report.Records != 2 || report.Newest.Year() != 2026 {
			t.Errorf("%+v", report)
		}
		return out, raws
	}
	first, raws := read(pack(t, "A-1.json", record("A-1", "a"), "A-2.json", record("A-2", "b")), nil)
	again, _ := read(pack(t, "A-2.json", record("A-2", "c"), "A-1.json", record("A-1", "a")), raws)
	if diff := cmp.Diff([]string{"A-1 false 1", "A-2 false 1", "A-2 false 1", "A-1 true 0"}, append(first, again...)); diff != "" {
		t.Error(diff)
	}
}
