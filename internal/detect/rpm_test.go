package detect_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater/internal/detect"
)

// rpmHeader builds a header from tags, in the form that databases keep.
func rpmHeader(name, version, release, source string, epoch uint32, dir string, bases ...string) []byte {
	var index, data []byte
	entry := func(tag, kind, count int, value []byte) {
		for kind == 4 && len(data)%4 != 0 {
			data = append(data, 0)
		}
		for _, v := range []int{tag, kind, len(data), count} {
			index = binary.BigEndian.AppendUint32(index, uint32(v))
		}
		data = append(data, value...)
	}
	text := func(tag int, s string) { entry(tag, 6, 1, append([]byte(s), 0)) }
	entry(63, 7, 16, make([]byte, 16)) // the region that signatures cover
	text(1000, name)
	text(1001, version)
	text(1002, release)
	if epoch > 0 {
		entry(1003, 4, 1, binary.BigEndian.AppendUint32(nil, epoch))
	}
	text(1014, "MIT")
	text(1022, "x86_64")
	text(1044, source)
	var indexes, names []byte
	for _, b := range bases {
		indexes = binary.BigEndian.AppendUint32(indexes, 0)
		names = append(append(names, b...), 0)
	}
	entry(1116, 4, len(bases), indexes)
	entry(1117, 8, len(bases), names)
	entry(1118, 8, 1, append([]byte(dir), 0))
	b := binary.BigEndian.AppendUint32(nil, uint32(len(index)/16))
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	return append(append(b, index...), data...)
}

func rpmHeaders() [][]byte {
	return [][]byte{
		rpmHeader("openssl-libs", "3.0.7", "6.el9_2", "openssl-3.0.7-6.el9_2.src.rpm", 1, "/usr/lib64/", "libssl.so.3"),
		rpmHeader("python3-six", "1.15.0", "9.el9", "python-six-1.15.0-9.el9.src.rpm", 0, "/usr/lib/python3.9/site-packages/six.dist-info/", "METADATA", "RECORD"),
		rpmHeader("gpg-pubkey", "350d275d", "6279464b", "(none)", 0, "/"),
	}
}

// rpmSQLite writes a database as rpm does, with a statement that may spoil it.
func rpmSQLite(t testing.TB, headers [][]byte, spoil ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rpmdb.sqlite")
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	run := func(q string, args ...any) {
		if _, err := db.Exec(q, args...); err != nil {
			t.Fatal(err)
		}
	}
	run(`PRAGMA journal_mode=WAL`)
	run(`CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)`)
	for _, h := range headers {
		run(`INSERT INTO Packages (blob) VALUES (?)`, h)
	}
	for _, q := range spoil {
		run(q)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rpmNDB writes one page of slots and the blobs behind it.
func rpmNDB(headers [][]byte) []byte {
	le := binary.LittleEndian
	b := make([]byte, 4096)
	copy(b, "RpmP")
	le.PutUint32(b[12:], 1)
	for at := 32; at < len(b); at += 16 {
		copy(b[at:], "Slot")
	}
	for i, h := range headers {
		s := b[32+16*(2*i):] // a free slot between two
		le.PutUint32(s[4:], uint32(i+1))
		le.PutUint32(s[8:], uint32(len(b)/16))
		blob := append([]byte("BlbS"), make([]byte, 12)...)
		le.PutUint32(blob[4:], uint32(i+1))
		le.PutUint32(blob[12:], uint32(len(h)))
		b = append(append(b, blob...), h...)
		b = append(b, make([]byte, 32-len(b)%16)...)
	}
	return b
}

// rpmBDB writes a meta page, one hash page, and a chain of overflow pages for
// each header.
func rpmBDB(headers [][]byte, order binary.ByteOrder) []byte {
	const page = 512
	newPage := func(kind byte) []byte { p := make([]byte, page); p[25] = kind; return p }
	meta, table := newPage(8), newPage(13)
	pages := [][]byte{meta, table}
	order.PutUint16(table[20:], uint16(2*len(headers)))
	at := page
	for i, h := range headers {
		at -= 16 // a key in the page
		table[at] = 1
		order.PutUint16(table[26+4*i:], uint16(at))
		at -= 12 // a value on other pages
		table[at] = 3
		order.PutUint16(table[28+4*i:], uint16(at))
		order.PutUint32(table[at+4:], uint32(len(pages)))
		order.PutUint32(table[at+8:], uint32(len(h)))
		for len(h) > 0 {
			p := newPage(7)
			n := copy(p[26:], h)
			if h = h[n:]; len(h) > 0 {
				order.PutUint32(p[16:], uint32(len(pages)+1))
			}
			order.PutUint16(p[22:], uint16(n))
			pages = append(pages, p)
		}
	}
	order.PutUint32(meta[12:], 0x061561)
	order.PutUint32(meta[20:], page)
	order.PutUint32(meta[32:], uint32(len(pages)-1))
	return bytes.Join(pages, nil)
}

func TestRPM(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for path, body := range map[string][]byte{
		"var/lib/rpm/rpmdb.sqlite":          rpmSQLite(t, rpmHeaders()),
		"usr/lib/sysimage/rpm/Packages.db":  rpmNDB(rpmHeaders()),
		"var/lib/rpm/Packages":              rpmBDB(rpmHeaders(), binary.LittleEndian),
		"usr/share/rpm/Packages":            rpmBDB(rpmHeaders(), binary.BigEndian),
		"usr/lib/sysimage/rpm/rpmdb.sqlite": rpmSQLite(t, rpmHeaders()),
	} {
		f := read(t, d, path, body)
		if f.Skipped != "" {
			t.Errorf("%s: skipped: %s", path, f.Skipped)
		}
		want := []string{"|openssl-libs 1:3.0.7-6.el9_2 (openssl 1:3.0.7-6.el9_2)", "|python3-six 1.15.0-9.el9 (python-six 1.15.0-9.el9)"}
		if diff := cmp.Diff(want, render(f)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
		owns := []detect.Ownership{{Package: "python3-six", Paths: []string{"usr/lib/python3.9/site-packages/six.dist-info/METADATA"}}}
		if diff := cmp.Diff(owns, spelt(t, f.Owns)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if f := read(t, d, "var/lib/rpm/Packages", nil); f.Skipped != "" || f.Packages != nil {
		t.Errorf("an empty database: %+v", f)
	}
}

// TestRPMHostile databases end with a reason, quickly.
func TestRPMHostile(t *testing.T) {
	d := newDetector(t, detect.Options{})
	good := rpmBDB(rpmHeaders(), binary.LittleEndian)
	loop := bytes.Clone(good)
	binary.LittleEndian.PutUint32(loop[2*512+16:], 2) // an overflow page that follows itself
	huge := bytes.Clone(good)
	binary.LittleEndian.PutUint32(huge[2*512+26:], 1<<31) // a header with two billion entries
	blob := rpmNDB(rpmHeaders())
	binary.LittleEndian.PutUint32(blob[4096+12:], 0xffffffff) // a blob of 4 GiB
	for name, in := range map[string]struct {
		path string
		body []byte
	}{
		"a chain that loops":  {"var/lib/rpm/Packages", loop},
		"a header too large":  {"var/lib/rpm/Packages", huge},
		"a file cut short":    {"var/lib/rpm/Packages", good[:3*512]},
		"a blob too large":    {"var/lib/rpm/Packages.db", blob},
		"a table without end": {"var/lib/rpm/rpmdb.sqlite", rpmSQLite(t, nil, `DROP TABLE Packages`, `CREATE VIEW Packages AS WITH RECURSIVE n(blob) AS (SELECT 1 UNION ALL SELECT blob+1 FROM n) SELECT * FROM n`)},
		"a computed column":   {"var/lib/rpm/rpmdb.sqlite", rpmSQLite(t, nil, `DROP TABLE Packages`, `CREATE TABLE Packages (n INTEGER, blob AS (zeroblob(1000000000)))`, `INSERT INTO Packages VALUES (1)`)},
	} {
		if f := read(t, d, in.path, in.body); f.Skipped == "" {
			t.Errorf("%s: no reason given", name)
		}
	}
}

func FuzzRPM(f *testing.F) {
	f.Add(rpmNDB(rpmHeaders()))
	f.Add(rpmBDB(rpmHeaders(), binary.LittleEndian))
	f.Add(rpmBDB(rpmHeaders(), binary.BigEndian))
	d := newDetector(f, detect.Options{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.HasPrefix(b, []byte("SQLite")) {
			return // SQLite's own parser has better fuzzers
		}
		_, _, err := d.Detect(context.Background(), detect.File{Path: "var/lib/rpm/Packages", Size: int64(len(b))}, bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
	})
}
