package detect

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The parts of a Berkeley DB hash file that hold rpm headers. Pages have a
// 26-byte head; a hash page lists pairs of offsets, key and value; a value too
// large for its page stands on a chain of overflow pages. rpm's headers always
// are too large, and its other values never matter.
const (
	bdbMagic    = 0x061561
	bdbHead     = 26
	bdbOverflow = 7  // page type
	bdbMeta     = 8  // page type
	bdbUnsorted = 2  // page type, before Berkeley DB 4.6
	bdbHash     = 13 // page type
	bdbOffPage  = 3  // item type: a value on overflow pages
)

var errBDB = errors.New("damaged Berkeley DB")

// bdb is an open file: its byte order is that of the machine that wrote it.
type bdb struct {
	r     io.ReaderAt
	order binary.ByteOrder
	page  int64
	pages int64
}

// bdbHeaders reads the file Packages of older distributions. No chain is longer
// than the file, and all values together are at most twice the file.
func bdbHeaders(ctx context.Context, r io.ReaderAt, size int64, each func([]byte) error) error {
	db, err := openBDB(r, size)
	if err != nil {
		return err
	}
	left := 2 * size
	page := make([]byte, db.page)
	for n := int64(1); n < db.pages; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := r.ReadAt(page, n*db.page); err != nil {
			return fmt.Errorf("rpm bdb: %w", err)
		}
		if kind := page[25]; kind != bdbHash && kind != bdbUnsorted {
			continue
		}
		values, err := db.values(page)
		if err != nil {
			return err
		}
		for _, v := range values {
			if left -= v.size; v.size > maxHeader || left < 0 {
				return fmt.Errorf("%w: impossible size of a value", errBDB)
			}
			blob, err := db.chain(v)
			if err != nil {
				return err
			}
			if err := each(blob); err != nil {
				return err
			}
		}
	}
	return nil
}

func openBDB(r io.ReaderAt, size int64) (*bdb, error) {
	meta := make([]byte, 72)
	if _, err := r.ReadAt(meta, 0); err != nil {
		return nil, fmt.Errorf("rpm bdb: %w", err)
	}
	db := &bdb{r: r, order: binary.LittleEndian}
	if binary.BigEndian.Uint32(meta[12:]) == bdbMagic {
		db.order = binary.BigEndian
	}
	db.page = int64(db.order.Uint32(meta[20:]))
	if db.order.Uint32(meta[12:]) != bdbMagic || meta[24] != 0 || meta[25] != bdbMeta ||
		db.page < 512 || db.page > 65536 || db.page&(db.page-1) != 0 {
		return nil, errBDB
	}
	db.pages = min(size/db.page, int64(db.order.Uint32(meta[32:]))+1)
	return db, nil
}

// value is one value on a chain of overflow pages.
type value struct{ page, size int64 }

// values lists a hash page's values that stand on overflow pages: the second,
// fourth … of its items.
func (db *bdb) values(page []byte) ([]value, error) {
	count := int(db.order.Uint16(page[20:]))
	if count%2 != 0 || bdbHead+2*count > len(page) {
		return nil, fmt.Errorf("%w: %d items on a page", errBDB, count)
	}
	var out []value
	for i := 1; i < count; i += 2 {
		at := int(db.order.Uint16(page[bdbHead+2*i:]))
		if at >= len(page) || page[at] != bdbOffPage {
			continue
		}
		if at+12 > len(page) {
			return nil, fmt.Errorf("%w: an item past its page", errBDB)
		}
		out = append(out, value{int64(db.order.Uint32(page[at+4:])), int64(db.order.Uint32(page[at+8:]))})
	}
	return out, nil
}

// chain collects a value; the last page says how much of it is used.
func (db *bdb) chain(v value) ([]byte, error) {
	var out []byte
	page := make([]byte, db.page)
	for n := v.page; n != 0; n = int64(db.order.Uint32(page[16:])) {
		if n >= db.pages || int64(len(out)) >= v.size {
			return nil, fmt.Errorf("%w: a chain leaves the file or its size", errBDB)
		}
		if _, err := db.r.ReadAt(page, n*db.page); err != nil {
			return nil, fmt.Errorf("rpm bdb: %w", err)
		}
		used := len(page) - bdbHead
		if db.order.Uint32(page[16:]) == 0 {
			used = int(db.order.Uint16(page[22:]))
		}
		if page[25] != bdbOverflow || used > len(page)-bdbHead {
			return nil, fmt.Errorf("%w: not an overflow page", errBDB)
		}
		out = append(out, page[bdbHead:bdbHead+used]...)
	}
	if int64(len(out)) > v.size {
		out = out[:v.size]
	}
	return out, nil
}
