package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"breakwater"

	"github.com/klauspost/compress/zstd"
)

// maxInventory bounds the JSON of one inventory, in memory.
const maxInventory = 512 << 20

// PutInventory replaces the facts of a known artifact by those of a new scan. It
// answers the artifact's row and the package versions of it that nothing has
// judged yet. Packages of no ecosystem, and those an OS package owns, are kept as
// facts and never judged. Verdicts and counters follow by matching the unjudged
// packages and RefreshCounters, in the same transaction.
func (db *DB) PutInventory(ctx context.Context, inv breakwater.Inventory) (artifactID int64, unmatched []int64, err error) {
	files, err := packFiles(inv.FileList)
	if err != nil {
		return 0, nil, wrap(err, "store.PutInventory(%s)", inv.Digest)
	}
	inv.FileList = nil // kept apart
	body, err := packInventory(inv)
	if err != nil {
		return 0, nil, wrap(err, "store.PutInventory(%s)", inv.Digest)
	}
	err = db.Tx(ctx, func(tx *DB) error {
		artifactID, unmatched, err = tx.putInventory(ctx, inv, body, files)
		return err
	})
	return artifactID, unmatched, wrap(err, "store.PutInventory(%s)", inv.Digest)
}

func (db *DB) putInventory(ctx context.Context, inv breakwater.Inventory, body, files []byte) (id int64, unmatched []int64, err error) {
	chain := ""
	if chains := breakwater.Chains(inv.Layers); len(chains) > 0 {
		chain = chains[len(chains)-1]
	}
	err = db.writeRow(ctx, `UPDATE artifact SET scanner = ?, scanned_ms = ?, judged = ?, chain = ?, layers = ? WHERE digest = ? RETURNING id`,
		inv.Scanner, ms(db.Now()), securityPossible(inv), chain, len(inv.Layers), string(inv.Digest)).Scan(&id)
	if err != nil {
		return 0, nil, notFound(err, "artifact")
	}
	_, err = db.exec(ctx, `INSERT INTO artifact_inventory (artifact_id, body, files) VALUES (?, ?, ?)
		ON CONFLICT (artifact_id) DO UPDATE SET body = excluded.body, files = excluded.files`, id, body, files)
	if err != nil {
		return 0, nil, err
	}
	if _, err := db.exec(ctx, `DELETE FROM artifact_package WHERE artifact_id = ?`, id); err != nil {
		return 0, nil, err
	}
	for part := range slices.Chunk(judgedPackages(inv), 500) {
		fresh, err := db.linkPackages(ctx, id, part)
		if err != nil {
			return 0, nil, err
		}
		unmatched = append(unmatched, fresh...)
	}
	return id, unmatched, nil
}

// judgedPackages is the distinct package versions that advisories can speak of,
// sorted, so that concurrent scans write rows in the same order.
func judgedPackages(inv breakwater.Inventory) []breakwater.PackageVersion {
	var out []breakwater.PackageVersion
	for _, p := range inv.Packages {
		if p.Ecosystem != "" && p.OwnedBy == "" && p.MatchName() != "" && p.MatchVersion() != "" {
			out = append(out, breakwater.PackageVersion{Ecosystem: p.MatchEcosystem(), Name: p.MatchName(), Version: p.MatchVersion()})
		}
	}
	slices.SortFunc(out, func(a, b breakwater.PackageVersion) int {
		return cmp.Or(cmp.Compare(a.Ecosystem, b.Ecosystem), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	return slices.Compact(out)
}

// linkPackages makes the package versions known, says that the artifact holds
// them, and answers those that are not matched.
func (db *DB) linkPackages(ctx context.Context, artifactID int64, packages []breakwater.PackageVersion) (unmatched []int64, err error) {
	rows4, rows3 := "", ""
	var args4, args3 []any
	for n, p := range packages {
		if n > 0 {
			rows4, rows3 = rows4+",", rows3+","
		}
		rows4, rows3 = rows4+"(?,?,?,?)", rows3+"(?,?,?)"
		args4 = append(args4, p.Ecosystem, p.Name, p.Version, breakwater.BaseEcosystem(p.Ecosystem))
		args3 = append(args3, p.Ecosystem, p.Name, p.Version)
	}
	_, err = db.exec(ctx, `INSERT INTO package (ecosystem, name, version, feed) VALUES `+rows4+` ON CONFLICT (ecosystem, name, version) DO NOTHING`, args4...)
	if err != nil {
		return nil, err
	}
	var ids []int64
	rows, err := db.query(ctx, `SELECT id, matched FROM package WHERE (ecosystem, name, version) IN (VALUES `+rows3+`) ORDER BY id`, args3...)
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		var matched bool
		if err := scan(&id, &matched); err != nil {
			return err
		}
		ids = append(ids, id)
		if !matched {
			unmatched = append(unmatched, id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, err = db.exec(ctx, `INSERT INTO artifact_package (artifact_id, package_id) SELECT CAST(? AS BIGINT), p.id FROM package p WHERE p.id `+db.inIDs(),
		artifactID, jsonSet(ids))
	return unmatched, err
}

// Files is the list of files of the last good scan of a digest, whose layers are
// numbers into the inventory's; NotFound when there was none.
func (db *DB) Files(ctx context.Context, d breakwater.Digest) (list breakwater.FileList, err error) {
	var files []byte
	err = db.queryRow(ctx, `SELECT i.files FROM artifact a JOIN artifact_inventory i ON i.artifact_id = a.id WHERE a.digest = ?`, string(d)).Scan(&files)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, breakwater.NotFound("inventory")
	}
	if err == nil && len(files) > 0 {
		list, err = unpack(files)
	}
	return list, wrap(err, "store.Files(%s)", d)
}

// Inventory is the facts of the last good scan of a digest, without the list of
// files; NotFound when there was none.
func (db *DB) Inventory(ctx context.Context, d breakwater.Digest) (inv breakwater.Inventory, err error) {
	var body []byte
	err = db.queryRow(ctx, `SELECT i.body FROM artifact a JOIN artifact_inventory i ON i.artifact_id = a.id WHERE a.digest = ?`, string(d)).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return inv, breakwater.NotFound("inventory")
	}
	if err == nil {
		inv, err = unpackInventory(body)
	}
	return inv, wrap(err, "store.Inventory(%s)", d)
}

func packInventory(inv breakwater.Inventory) ([]byte, error) {
	plain, err := json.Marshal(inv)
	if err != nil {
		return nil, err
	}
	if len(plain) > maxInventory {
		return nil, breakwater.Errorf(breakwater.KindTooLarge, "the image holds more facts than can be kept")
	}
	return pack(plain)
}

func packFiles(list breakwater.FileList) ([]byte, error) {
	if len(list) == 0 {
		return nil, nil
	}
	return pack(list)
}

func pack(plain []byte) ([]byte, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer func() { _ = w.Close() }()
	return w.EncodeAll(plain, nil), nil
}

func unpack(body []byte) ([]byte, error) {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxInventory))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.DecodeAll(body, nil)
}

func unpackInventory(body []byte) (inv breakwater.Inventory, err error) {
	plain, err := unpack(body)
	if err != nil {
		return inv, err
	}
	return inv, json.Unmarshal(plain, &inv)
}
