package detect_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater/internal/detect"
)

// TestGoBinary reads this test's own program, in memory and through a file. The
// go command leaves the modules out of a test's list; TestGoModules has them.
func TestGoBinary(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	for _, buffer := range []int64{1 << 30, 1 << 20} {
		f := read(t, newDetector(t, detect.Options{Buffer: buffer}), "usr/local/bin/tool", body)
		got := render(f)
		version, _, _ := strings.Cut(strings.TrimPrefix(runtime.Version(), "go"), " ")
		if want := "Go|stdlib " + version; !slices.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}

// TestNotAProgram: a library without a list is not of interest, and a text that
// holds the words is no program.
func TestNotAProgram(t *testing.T) {
	d := newDetector(t, detect.Options{})
	f := read(t, d, "usr/lib/libx.so", elfWith(t, ".text", []byte("code")))
	if len(f.Packages) != 0 || f.Skipped != "" {
		t.Errorf("%+v", f)
	}
	text := strings.Repeat("\xff Go buildinf: .dep-v0 ", 1000)
	if _, ok, err := d.Detect(context.Background(), detect.File{Path: "notes", Mode: 0o755, Size: int64(len(text))}, strings.NewReader(text)); ok || err != nil {
		t.Errorf("wanted %v, %v", ok, err)
	}
	broken := append([]byte("\x7fELF"), []byte(text)...)
	if f := read(t, d, "usr/bin/broken", broken); len(f.Packages) != 0 {
		t.Errorf("%+v", f)
	}
}

func TestCargoAuditable(t *testing.T) {
	d := newDetector(t, detect.Options{})
	list := `{"packages":[{"name":"app","version":"1.0.0","source":"local","root":true,"dependencies":[1]},{"name":"time","version":"0.1.43","source":"crates.io"},{"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"}]}`
	f := read(t, d, "usr/bin/app", elfWith(t, ".dep-v0", deflate(t, []byte(list))))
	if diff := cmp.Diff([]string{"crates.io|app 1.0.0", "crates.io|time 0.1.43"}, render(f)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	bomb := deflate(t, make([]byte, 20<<20))
	if f := read(t, d, "usr/bin/app", elfWith(t, ".dep-v0", bomb)); !strings.Contains(f.Skipped, "larger than") {
		t.Errorf("a bomb: %+v", f)
	}
}

func deflate(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// elfWith writes the least 64-bit ELF file that has a section of that name.
func elfWith(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	le := binary.LittleEndian
	names := []byte("\x00" + name + "\x00.shstrtab\x00")
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], 2)    // executable
	le.PutUint16(b[18:], 0x3e) // amd64
	le.PutUint32(b[20:], 1)
	le.PutUint16(b[52:], 64)
	le.PutUint16(b[58:], 64) // size of a section header
	le.PutUint16(b[60:], 3)  // how many
	le.PutUint16(b[62:], 2)  // which holds the names
	section := func(nameAt, kind int, body []byte) []byte {
		s := make([]byte, 64)
		le.PutUint32(s, uint32(nameAt))
		le.PutUint32(s[4:], uint32(kind))
		le.PutUint64(s[24:], uint64(len(b)))
		le.PutUint64(s[32:], uint64(len(body)))
		b = append(b, body...)
		return s
	}
	headers := make([]byte, 64)
	headers = append(headers, section(1, 1, content)...)
	headers = append(headers, section(len(name)+2, 3, names)...)
	le.PutUint64(b[40:], uint64(len(b)))
	b = append(b, headers...)
	return append(b, make([]byte, 8192)...)
}
