package osv

import (
	"archive/zip"
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
)

// entries reads the .json files of a zip one by one, in the archive's order.
// Names are looked at for their ending and never used as paths. body is good
// until the next turn. An error ends the sequence.
func entries(r io.ReaderAt, size int64, limits Limits) iter.Seq2[[]byte, error] {
	limits = limits.withDefaults()
	return func(yield func([]byte, error) bool) {
		if err := countEntries(r, size, limits.Entries); err != nil {
			yield(nil, err)
			return
		}
		archive, err := zip.NewReader(r, size)
		if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
			yield(nil, fmt.Errorf("the zip cannot be read: %w", err))
			return
		}
		var buf bytes.Buffer
		var total int64
		for _, f := range archive.File {
			if f.Mode().IsDir() || !strings.HasSuffix(f.Name, ".json") {
				continue
			}
			buf.Reset()
			if err := readEntry(&buf, f, limits); err != nil {
				yield(nil, err)
				return
			}
			if total += int64(buf.Len()); total > limits.Total {
				yield(nil, errors.New("the zip unpacks to more than the limit"))
				return
			}
			if !yield(buf.Bytes(), nil) {
				return
			}
		}
	}
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
