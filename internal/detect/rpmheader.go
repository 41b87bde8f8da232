package detect

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// maxHeader bounds one package's header; the largest real ones, with a hundred
// thousand files, have some 30 MiB.
const maxHeader = 64 << 20

// header is what we use of an rpm header: a list of index entries, each a tag,
// a type, an offset into the data behind the list, and a count.
type header struct {
	name, version, release, arch, source, licence string
	epoch, size                                   uint32
	bases, dirs                                   []string // a file is dirs[indexes[i]] + bases[i]
	indexes                                       []uint32
	paths                                         []string // whole paths, in databases older than that scheme
}

// The tags we read (rpm, rpmtag.h), and the types they have.
const (
	tagName, tagVersion, tagRelease, tagEpoch = 1000, 1001, 1002, 1003
	tagLicence, tagArch, tagOldFiles          = 1014, 1022, 1027
	tagSource, tagSize                        = 1044, 1009
	tagIndexes, tagBases, tagDirs             = 1116, 1117, 1118

	typeInt32, typeString, typeStrings = 4, 6, 8
)

var errHeader = errors.New("damaged rpm header")

// parseHeader reads a header as databases keep it: without the leading magic,
// numbers in big-endian order.
func parseHeader(b []byte) (header, error) {
	var h header
	if len(b) < 8 {
		return h, errHeader
	}
	count, size := int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:]))
	start := 8 + 16*count
	if start > int64(len(b)) || start+size > int64(len(b)) {
		return h, fmt.Errorf("%w: %d entries and %d bytes in %d", errHeader, count, size, len(b))
	}
	data := b[start : start+size]
	for i := range count {
		e := b[8+16*i:]
		tag, kind := binary.BigEndian.Uint32(e), binary.BigEndian.Uint32(e[4:])
		offset, n := int64(binary.BigEndian.Uint32(e[8:])), int64(binary.BigEndian.Uint32(e[12:]))
		if tag < tagName || offset > int64(len(data)) {
			continue // regions and signatures; what follows them may still be good
		}
		h.set(tag, kind, data[offset:], n)
	}
	return h, nil
}

// set takes one entry. An entry of another type than its tag has is passed over.
func (h *header) set(tag, kind uint32, data []byte, n int64) {
	switch kind {
	case typeString:
		if to := h.text(tag); to != nil {
			*to = cString(data)
		}
	case typeInt32:
		switch tag {
		case tagEpoch:
			if v := uint32s(data, min(n, 1)); len(v) == 1 {
				h.epoch = v[0]
			}
		case tagSize: // bytes installed, below 4 GiB
			if v := uint32s(data, min(n, 1)); len(v) == 1 {
				h.size = v[0]
			}
		case tagIndexes:
			h.indexes = uint32s(data, n)
		}
	case typeStrings:
		switch tag {
		case tagBases:
			h.bases = cStrings(data, n)
		case tagDirs:
			h.dirs = cStrings(data, n)
		case tagOldFiles:
			h.paths = cStrings(data, n)
		}
	}
}

func (h *header) text(tag uint32) *string {
	switch tag {
	case tagName:
		return &h.name
	case tagVersion:
		return &h.version
	case tagRelease:
		return &h.release
	case tagArch:
		return &h.arch
	case tagSource:
		return &h.source
	case tagLicence:
		return &h.licence
	}
	return nil
}

// cString is the text up to the zero byte, as valid UTF-8.
func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(bytes.ToValidUTF8(b, []byte("?")))
}

// cStrings reads up to n zero-ended strings; n is not trusted.
func cStrings(b []byte, n int64) []string {
	var out []string
	for ; n > 0 && len(b) > 0; n-- {
		i := bytes.IndexByte(b, 0)
		if i < 0 {
			break
		}
		out = append(out, string(bytes.ToValidUTF8(b[:i], []byte("?"))))
		b = b[i+1:]
	}
	return out
}

func uint32s(b []byte, n int64) []uint32 {
	n = min(n, int64(len(b)/4))
	out := make([]uint32, n)
	for i := range out {
		out[i] = binary.BigEndian.Uint32(b[4*i:])
	}
	return out
}
