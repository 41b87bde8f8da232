package detect

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"

	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

// sqliteHeaders reads rpmdb.sqlite, as rpm writes it since 4.16. The schema is
// hostile too: only an ordinary table without computed columns is read.
func sqliteHeaders(ctx context.Context, file string, each func([]byte) error) (err error) {
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: file}).EscapedPath(), RawQuery: "mode=ro&immutable=1&_pragma=trusted_schema(0)"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return fmt.Errorf("rpm sqlite: %w", err)
	}
	defer db.Close()
	var plain int
	err = db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master
		WHERE type = 'table' AND name = 'Packages' AND sql NOT LIKE 'CREATE VIRTUAL%'
		AND NOT EXISTS (SELECT 1 FROM pragma_table_xinfo('Packages') WHERE hidden <> 0)`).Scan(&plain)
	if err != nil {
		return fmt.Errorf("rpm sqlite: %w", err)
	}
	if plain != 1 {
		return errors.New("rpm sqlite: no table of packages")
	}
	rows, err := db.QueryContext(ctx, `SELECT blob FROM Packages WHERE length(blob) <= ?`, maxHeader)
	if err != nil {
		return fmt.Errorf("rpm sqlite: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var blob sql.RawBytes
		if err := rows.Scan(&blob); err != nil {
			return fmt.Errorf("rpm sqlite: %w", err)
		}
		if err := each(blob); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ndbHeaders reads SUSE's Packages.db: pages of slots, each pointing at a blob
// by its number of 16-byte blocks. Numbers are little-endian.
func ndbHeaders(ctx context.Context, r io.ReaderAt, size int64, each func([]byte) error) error {
	const page, slot, maxPages = 4096, 16, 2048
	head := make([]byte, 32)
	if _, err := r.ReadAt(head, 0); err != nil {
		return fmt.Errorf("rpm ndb: %w", err)
	}
	pages := int64(binary.LittleEndian.Uint32(head[12:]))
	if version := binary.LittleEndian.Uint32(head[4:]); version != 0 || pages == 0 || pages > maxPages || pages*page > size {
		return fmt.Errorf("rpm ndb: version %d with %d pages", version, pages)
	}
	slots := make([]byte, pages*page-int64(len(head)))
	if _, err := r.ReadAt(slots, int64(len(head))); err != nil {
		return fmt.Errorf("rpm ndb: %w", err)
	}
	left := 2 * size // blobs do not overlap, so all together are no more than the file
	for at := 0; at+slot <= len(slots); at += slot {
		s := slots[at:]
		if string(s[:4]) != "Slot" {
			return errors.New("rpm ndb: damaged slot")
		}
		index := binary.LittleEndian.Uint32(s[4:])
		if index == 0 {
			continue // free
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		blob, err := ndbBlob(r, size, index, 16*int64(binary.LittleEndian.Uint32(s[8:])))
		if err != nil {
			return err
		}
		if left -= int64(len(blob)); left < 0 {
			return errors.New("rpm ndb: blobs overlap")
		}
		if err := each(blob); err != nil {
			return err
		}
	}
	return nil
}

func ndbBlob(r io.ReaderAt, size int64, index uint32, at int64) ([]byte, error) {
	head := make([]byte, 16)
	if _, err := r.ReadAt(head, at); err != nil {
		return nil, fmt.Errorf("rpm ndb: %w", err)
	}
	n := int64(binary.LittleEndian.Uint32(head[12:]))
	if string(head[:4]) != "BlbS" || binary.LittleEndian.Uint32(head[4:]) != index || n > maxHeader || at+16+n > size {
		return nil, errors.New("rpm ndb: damaged blob")
	}
	blob := make([]byte, n)
	if _, err := r.ReadAt(blob, at+16); err != nil {
		return nil, fmt.Errorf("rpm ndb: %w", err)
	}
	return blob, nil
}
