package breakwater

import (
	"encoding/binary"
	"errors"
)

// maxListedPath bounds a path that a damaged list could make us hold.
const maxListedPath = 1 << 16

var errFileList = errors.New("damaged file list")

// FileListReader goes through a list entry by entry and unpacks only what it is
// asked for; see FileList.Reader. It is for one goroutine, and good for as long as
// the list is not changed.
type FileListReader struct {
	rest    []byte
	damaged bool

	// the entry at which it stands
	path    []byte
	numbers []byte // size, mode, uid and gid, packed
	tail    []byte // kind and sum
	size    int64
	layer   int
}

// Reader stands before the first entry.
func (l FileList) Reader() FileListReader { return FileListReader{rest: l} }

// Next moves to the next entry. False: there is none, or the list is damaged
// there, which Err tells. A list whose paths are not in order is a damaged one, so
// whoever merges lists need not look.
func (r *FileListReader) Next() bool {
	if r.damaged || len(r.rest) == 0 {
		return false
	}
	r.damaged = !r.next()
	return !r.damaged
}

func (r *FileListReader) next() bool {
	shared, ok1 := r.number()
	length, ok2 := r.number()
	if !ok1 || !ok2 || shared > uint64(len(r.path)) || length > maxListedPath || shared+length > maxListedPath || length > uint64(len(r.rest)) {
		return false
	}
	// The first byte that is not shared says which path is greater.
	if length == 0 || shared < uint64(len(r.path)) && r.rest[0] <= r.path[shared] {
		return false
	}
	r.path = append(r.path[:shared], r.rest[:length]...)
	r.rest = r.rest[length:]
	from := r.rest
	var numbers [4]uint64
	for i := range numbers {
		var ok bool
		if numbers[i], ok = r.number(); !ok {
			return false
		}
	}
	r.size, r.numbers = int64(numbers[0]), from[:len(from)-len(r.rest)]
	layer, ok := r.number()
	if !ok || len(r.rest) < 33 || int(r.rest[0]) >= len(fileKinds) {
		return false
	}
	r.layer, r.tail, r.rest = int(layer), r.rest[:33], r.rest[33:]
	return true
}

func (r *FileListReader) number() (uint64, bool) {
	if len(r.rest) > 0 && r.rest[0] < 0x80 { // most are small
		n := uint64(r.rest[0])
		r.rest = r.rest[1:]
		return n, true
	}
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > 1<<62 {
		return 0, false
	}
	r.rest = r.rest[size:]
	return n, true
}

// Err is why Next answered false, nil at the end of a good list.
func (r *FileListReader) Err() error {
	if r.damaged {
		return errFileList
	}
	return nil
}

// Path is the entry's path; its bytes are good until Next.
func (r *FileListReader) Path() []byte { return r.path }

// Size is the entry's size in bytes.
func (r *FileListReader) Size() int64 { return r.size }

// Kind is what the entry holds.
func (r *FileListReader) Kind() FileKind { return fileKinds[r.tail[0]] }

// Entry is the whole entry. Path, Size, Kind and Entry may be asked for once Next
// has answered true.
func (r *FileListReader) Entry() FileEntry {
	e := FileEntry{Path: string(r.path), Size: r.size, Kind: r.Kind(), Layer: r.layer}
	one := FileListReader{rest: r.numbers}
	one.number() // size
	mode, _ := one.number()
	uid, _ := one.number()
	gid, _ := one.number()
	e.Mode, e.UID, e.GID = uint32(mode), int(uid), int(gid)
	copy(e.SHA256[:], r.tail[1:])
	return e
}
