package breakwater

import (
	"encoding/binary"
	"iter"
	"slices"
)

// FileList is many files in few bytes: sorted by path, each path written as the
// length that it shares with the one before and the rest. The zero value is
// empty. Layers are numbers that the owner of the list gives meaning to.
//
//	uvarint shared · uvarint length · rest of the path · uvarint size · uvarint mode ·
//	uvarint uid · uvarint gid · uvarint layer · byte kind · 32 bytes sha256
type FileList []byte

// FileEntry is one file of a list.
type FileEntry struct {
	Path   string
	Size   int64
	Mode   uint32 // as in chmod(1): 07777
	UID    int
	GID    int
	Kind   FileKind
	SHA256 [32]byte // zero: nobody asked
	Layer  int
}

// fileKinds are numbered by their place; only append.
var fileKinds = [...]FileKind{FileData, FileEmpty, FileText, FileScript, FileELF, FilePE, FileMachO, FileArchive, FileMedia}

// FileListWriter makes a list. Entries are appended in the order of their paths.
type FileListWriter struct {
	list FileList
	last []byte // path
	num  int
}

// Grow makes room for n more bytes of list.
func (w *FileListWriter) Grow(n int) { w.list = slices.Grow(w.list, n) }

// Append adds an entry whose path is greater than the last one's.
func (w *FileListWriter) Append(e FileEntry) {
	begin(w, e.Path)
	b := w.list
	for _, n := range [...]int64{e.Size, int64(e.Mode), int64(e.UID), int64(e.GID), int64(e.Layer)} {
		b = binary.AppendUvarint(b, uint64(max(n, 0)))
	}
	kind := 0
	for i, k := range fileKinds {
		if k == e.Kind {
			kind = i
		}
	}
	b = append(b, byte(kind))
	w.list = append(b, e.SHA256[:]...)
}

// Copy adds the entry at which r stands, under another layer and without
// unpacking it. One whose path is not greater than the last one's it leaves out,
// and answers false.
func (w *FileListWriter) Copy(r *FileListReader, layer int) bool {
	if string(r.path) <= string(w.last) {
		return false
	}
	begin(w, r.path)
	b := append(w.list, r.numbers...)
	b = binary.AppendUvarint(b, uint64(max(layer, 0)))
	w.list = append(b, r.tail...)
	return true
}

// begin writes the path of the next entry.
func begin[T string | []byte](w *FileListWriter, path T) {
	shared, most := 0, min(len(w.last), len(path))
	for shared < most && w.last[shared] == path[shared] {
		shared++
	}
	b := binary.AppendUvarint(w.list, uint64(shared))
	b = binary.AppendUvarint(b, uint64(len(path)-shared))
	w.list = append(b, path[shared:]...)
	w.last = append(w.last[:shared], path[shared:]...)
	w.num++
}

// Len is how many entries were appended.
func (w *FileListWriter) Len() int { return w.num }

// List is what was written.
func (w *FileListWriter) List() FileList { return w.list }

// All goes through the entries. A damaged list ends with an error.
func (l FileList) All() iter.Seq2[FileEntry, error] {
	return func(yield func(FileEntry, error) bool) {
		r := l.Reader()
		for r.Next() {
			if !yield(r.Entry(), nil) {
				return
			}
		}
		if err := r.Err(); err != nil {
			yield(FileEntry{}, err)
		}
	}
}

// WithoutSums is the list with every sum zero. A damaged one ends where it is damaged.
func (l FileList) WithoutSums() FileList {
	out := slices.Clone(l)
	r := out.Reader()
	for r.Next() {
		clear(r.tail[1:])
	}
	return out
}
