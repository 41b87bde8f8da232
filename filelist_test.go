package breakwater

import (
	"slices"
	"strings"
	"testing"
)

func TestFileList(t *testing.T) {
	in := []FileEntry{
		{Path: "bin/sh", Size: 1 << 40, Mode: 0o4755, Kind: FileELF, SHA256: [32]byte{1}},
		{Path: "bin/shred", UID: 1000, GID: 100, Kind: FileScript, Layer: 3},
		{Path: "etc/passwd", Size: 7, Mode: 0o644, Kind: FileText},
	}
	var w FileListWriter
	for _, e := range in {
		w.Append(e)
	}
	var out []FileEntry
	for e, err := range w.List().All() {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	if !slices.Equal(in, out) || w.Len() != len(in) {
		t.Errorf("%v became %v", in, out)
	}
	in[0].SHA256 = [32]byte{}
	out = out[:0]
	for e := range w.List().WithoutSums().All() {
		out = append(out, e)
	}
	if !slices.Equal(in, out) {
		t.Errorf("without sums: %v became %v", in, out)
	}
}

// TestFileListCopy: a copied entry is what an appended one would be.
func TestFileListCopy(t *testing.T) {
	var from, copied, appended FileListWriter
	for i, p := range []string{"a", "a/b", "a/bc", "b", "b/" + strings.Repeat("x", 300)} {
		from.Append(FileEntry{Path: p, Size: int64(i) << 30, Mode: 0o4755, UID: i * 1000, GID: 7, Kind: FileText, SHA256: [32]byte{31: byte(i)}, Layer: i})
	}
	r := from.List().Reader()
	for i := 0; r.Next(); i++ {
		if i == 1 {
			continue
		}
		e := r.Entry()
		e.Layer = i * 100
		appended.Append(e)
		if !copied.Copy(&r, i*100) || copied.Copy(&r, i*100) {
			t.Error("an entry is to be copied once")
		}
		if string(r.Path()) != e.Path || r.Size() != e.Size || r.Kind() != e.Kind {
			t.Errorf("%s, %d, %s, not %v", r.Path(), r.Size(), r.Kind(), e)
		}
	}
	if !slices.Equal(copied.List(), appended.List()) || r.Err() != nil || copied.Len() != 4 {
		t.Errorf("%x\n%x (%v)", copied.List(), appended.List(), r.Err())
	}
}

// TestFileListOrder: paths that are not in order are damage, as mergers rely on it.
func TestFileListOrder(t *testing.T) {
	for _, paths := range [][]string{{"b", "a"}, {"a", "a"}, {"a/b", "a"}, {""}, {"a", "b", "ab"}} {
		var w FileListWriter
		for _, p := range paths {
			w.Append(FileEntry{Path: p, Kind: FileText})
		}
		r, n := w.List().Reader(), 0
		for r.Next() {
			n++
		}
		if r.Err() == nil || n != len(paths)-1 || r.Next() {
			t.Errorf("%q: %d entries, %v", paths, n, r.Err())
		}
	}
}

// FuzzFileList: a damaged list ends with an error, not with a panic or for ever.
func FuzzFileList(f *testing.F) {
	var w FileListWriter
	w.Append(FileEntry{Path: "a/b", Size: 1, Kind: FileText})
	w.Append(FileEntry{Path: "a/c", Size: 2, Kind: FileData})
	f.Add([]byte(w.List()))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		for _, err := range FileList(b).All() {
			if n++; err != nil || n > len(b) {
				break
			}
		}
		if n > len(b) {
			t.Fatal("more entries than bytes")
		}
		var again FileListWriter
		for r := FileList(b).Reader(); r.Next(); {
			again.Copy(&r, 5)
		}
		from := FileList(b).Reader()
		for to := again.List().Reader(); to.Next(); {
			if !from.Next() {
				t.Fatal("more entries in a copy")
			}
			want := from.Entry()
			if want.Layer = 5; to.Entry() != want {
				t.Fatalf("%v became %v", want, to.Entry())
			}
		}
		if from.Next() {
			t.Fatal("fewer entries in a copy")
		}
		if bare := FileList(b).WithoutSums(); len(bare) != len(b) {
			t.Fatal("another length without sums")
		}
	})
}
