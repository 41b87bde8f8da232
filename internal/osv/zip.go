package osv

import (
	"archive/zip"
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// entry is one .json file of a zip. body is good until the next turn; nil for
// one that is known.
type entry struct {
	body []byte
	raw  string // what rawOf says
}

// entries reads the .json files of a zip one by one, in the archive's order.
// Names are looked at for their ending and never used as paths. Those whose raw
// is known, if known is not nil, are not unpacked. An error ends the sequence.
func entries(r io.ReaderAt, size int64, limits Limits, known func(raw string) bool) iter.Seq2[entry, error] {
	limits = limits.withDefaults()
	return func(yield func(entry, error) bool) {
		if err := countEntries(r, size, limits.Entries); err != nil {
			yield(entry{}, err)
			return
		}
		archive, err := zip.NewReader(&readAhead{r: r}, size)
		if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
			yield(entry{}, fmt.Errorf("the zip cannot be read: %w", err))
			return
		}
		var buf bytes.Buffer
		var total int64
		scratch := make([]byte, 1<<15)
		for _, f := range archive.File {
			if f.Mode().IsDir() || !strings.HasSuffix(f.Name, ".json") {
				continue
			}
			raw, err := rawOf(f, limits, scratch)
			if err != nil {
				yield(entry{}, err)
				return
			}
			if known != nil && known(raw) {
				if !yield(entry{raw: raw}, nil) {
					return
				}
				continue
			}
			buf.Reset()
			if err := readEntry(&buf, f, limits); err != nil {
				yield(entry{}, err)
				return
			}
			if total += int64(buf.Len()); total > limits.Total {
				yield(entry{}, errors.New("the zip unpacks to more than the limit"))
				return
			}
			if !yield(entry{buf.Bytes(), raw}, nil) {
				return
			}
		}
	}
}

// readerVersion names what ParseAdvisory makes of a record. A release in which it
// makes something else of the same bytes raises it, and every record is read again.
const readerVersion = "1"

// rawOf names the bytes of a file as they are packed: the same name, the same
// record. A record that is packed differently is read again, and found to be the
// same by what it says.
func rawOf(f *zip.File, limits Limits, scratch []byte) (string, error) {
	if f.UncompressedSize64 > uint64(limits.Entry) || f.CompressedSize64 > uint64(limits.Entry) {
		return "", errors.New("a file of the zip is larger than the limit")
	}
	packed, err := f.OpenRaw()
	if err != nil {
		return "", fmt.Errorf("a file of the zip cannot be opened: %w", err)
	}
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s %d %d %d\n", readerVersion, f.Method, f.CRC32, f.UncompressedSize64)
	if _, err := io.CopyBuffer(h, packed, scratch); err != nil {
		return "", fmt.Errorf("a file of the zip is damaged: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

// readAhead reads large blocks for whoever reads small pieces in their order, as
// archive/zip does. It serves one goroutine.
type readAhead struct {
	r     io.ReaderAt
	start int64  // of block
	block []byte // what was read there; shorter than asked for at the end
}

const aheadSize = 1 << 18

func (b *readAhead) ReadAt(p []byte, off int64) (n int, err error) {
	if len(p) > aheadSize/2 || off < 0 {
		return b.r.ReadAt(p, off)
	}
	for n < len(p) {
		at := off + int64(n)
		if at < b.start || at >= b.start+int64(len(b.block)) {
			if cap(b.block) == 0 {
				b.block = make([]byte, aheadSize)
			}
			got, err := b.r.ReadAt(b.block[:aheadSize], at)
			b.start, b.block = at, b.block[:got]
			if got == 0 {
				return n, err
			}
		}
		n += copy(p[n:], b.block[at-b.start:])
	}
	return n, nil
}

// readEntry unpacks one file. The declared sizes are a claim: what is counted
// is what comes out, and archive/zip checks the checksum at its end.
func readEntry(buf *bytes.Buffer, f *zip.File, limits Limits) error {
	if f.UncompressedSize64 > uint64(limits.Entry) {
		return errors.New("a file of the zip is larger than the limit")
	}
	rc, err := f.Open()
	if err != nil {
		return fmt.Errorf("a file of the zip cannot be opened: %w", err)
	}
	defer func() { _ = rc.Close() }()
	n, err := buf.ReadFrom(io.LimitReader(rc, limits.Entry+1))
	switch {
	case err != nil:
		return fmt.Errorf("a file of the zip is damaged: %w", err)
	case n > limits.Entry:
		return errors.New("a file of the zip is larger than the limit")
	case n > 1<<20 && n/limits.Ratio > int64(f.CompressedSize64):
		return errors.New("a file of the zip unpacks to too many times its size")
	}
	return nil
}

// Sizes and signatures of PKWARE's APPNOTE, sections 4.3.12 to 4.3.16.
const (
	endSize, endSignature     = 22, 0x06054b50
	locatorSize, locatorMark  = 20, 0x07064b50
	end64Size, end64Signature = 56, 0x06064b50
	headerSize, headerMark    = 46, 0x02014b50
)

// countEntries walks the central directory without keeping it: archive/zip
// would hold all of it in memory before anyone could count. It starts at both
// places that archive/zip may start from.
func countEntries(r io.ReaderAt, size int64, limit int) error {
	tail := make([]byte, min(size, endSize+locatorSize+1<<16))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("the zip cannot be read: %w", err)
	}
	at := -1
	for i := len(tail) - endSize; i >= 0; i-- {
		if binary.LittleEndian.Uint32(tail[i:]) == endSignature {
			at = i
			break
		}
	}
	if at < 0 {
		return errors.New("not a zip, or a truncated one")
	}
	end := size - int64(len(tail)) + int64(at)
	length := int64(binary.LittleEndian.Uint32(tail[at+12:]))
	offset := int64(binary.LittleEndian.Uint32(tail[at+16:]))
	if at >= locatorSize && binary.LittleEndian.Uint32(tail[at-locatorSize:]) == locatorMark {
		record := make([]byte, end64Size)
		where := int64(binary.LittleEndian.Uint64(tail[at-locatorSize+8:]))
		if where < 0 || where > size-end64Size {
			return errors.New("the zip's directory is out of place")
		}
		if _, err := r.ReadAt(record, where); err == nil && binary.LittleEndian.Uint32(record) == end64Signature {
			length = int64(binary.LittleEndian.Uint64(record[40:]))
			offset = int64(binary.LittleEndian.Uint64(record[48:]))
			end = where
		}
	}
	for _, start := range []int64{offset, end - length} {
		if start < 0 || start > size {
			continue
		}
		if walkDirectory(io.NewSectionReader(r, start, size-start), limit) > limit {
			return fmt.Errorf("the zip holds more than %d files", limit)
		}
	}
	return nil
}

// walkDirectory counts headers until something else comes, or limit is passed.
func walkDirectory(r io.Reader, limit int) int {
	in := bufio.NewReaderSize(r, 1<<16)
	var header [headerSize]byte
	for n := 0; ; n++ {
		if n > limit {
			return n
		}
		if _, err := io.ReadFull(in, header[:]); err != nil || binary.LittleEndian.Uint32(header[:]) != headerMark {
			return n
		}
		skip := 0
		for _, at := range []int{28, 30, 32} { // name, extra field, comment
			skip += int(binary.LittleEndian.Uint16(header[at:]))
		}
		if _, err := in.Discard(skip); err != nil {
			return n + 1
		}
	}
}
