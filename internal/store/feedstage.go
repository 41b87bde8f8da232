package store

import (
	"context"
	"encoding/json"
	"strings"

	"breakwater"
)

// advisoryBody is the part of a record that no statement looks into.
type advisoryBody struct {
	Aliases    []string `json:"a,omitempty"`
	Upstream   []string `json:"u,omitempty"`
	CVSS       []string `json:"c,omitempty"`
	VendorWord string   `json:"w,omitempty"`
}

// rangeBody is what a record says of one package.
type rangeBody struct {
	Ranges   []breakwater.Range  `json:"r,omitempty"`
	Versions []string            `json:"v,omitempty"`
	Severity breakwater.Severity `json:"s,omitempty"`
}

// insertAdvisories writes records that begin with a generation, with their
// aliases, their entries and the names to be matched again.
func (db *DB) insertAdvisories(ctx context.Context, feed string, since int64, batch []stagedRecord) error {
	records := rowWriter{db: db, columns: 13, head: `INSERT INTO advisory (feed, since, osv_id, hash, raw, published_ms, modified_ms, withdrawn_ms, summary, url, score, severity, body) VALUES `}
	for _, r := range batch {
		a := r.advisory
		body, err := json.Marshal(advisoryBody{a.Aliases, a.Upstream, a.CVSS, a.VendorWord})
		if err != nil {
			return err
		}
		records.add(feed, since, a.ID, r.hash, a.Raw, ms(a.Published), ms(a.Modified), ms(a.Withdrawn), a.Summary, a.URL, a.Score, string(a.Severity), string(body))
	}
	var last int64 // new rows get higher ids, on both databases
	if err := db.queryRow(ctx, `SELECT COALESCE(MAX(id), 0) FROM advisory`).Scan(&last); err != nil {
		return err
	}
	if err := records.flush(ctx); err != nil {
		return err
	}
	ids, err := db.advisoryIDs(ctx, feed, since, last)
	if err != nil {
		return err
	}
	aliases := rowWriter{db: db, columns: 2, head: `INSERT INTO advisory_alias (alias, advisory_id) VALUES `}
	entries := rowWriter{db: db, columns: 4, head: `INSERT INTO advisory_range (advisory_id, ecosystem, name, body) VALUES `}
	names := rowWriter{db: db, columns: 4, head: `INSERT INTO rematch (feed, generation, ecosystem, name) VALUES `, tail: ` ON CONFLICT DO NOTHING`}
	for _, r := range batch {
		id := ids[r.advisory.ID]
		seen := map[string]bool{}
		for _, list := range [][]string{r.advisory.Aliases, r.advisory.Upstream} {
			for _, alias := range list {
				if !seen[alias] {
					seen[alias] = true
					aliases.add(alias, id)
				}
			}
		}
		if !r.advisory.Withdrawn.IsZero() {
			continue // it is kept to be shown, and matches nothing
		}
		for _, f := range r.advisory.Affected {
			body, err := json.Marshal(rangeBody{f.Ranges, f.Versions, f.Severity})
			if err != nil {
				return err
			}
			entries.add(id, f.Ecosystem, f.Name, string(body))
			names.add(feed, since, f.Ecosystem, f.Name)
		}
	}
	for _, w := range []*rowWriter{&aliases, &entries, &names} {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) advisoryIDs(ctx context.Context, feed string, since, last int64) (map[string]int64, error) {
	ids := map[string]int64{}
	rows, err := db.query(ctx, `SELECT osv_id, id FROM advisory WHERE id > ? AND feed = ? AND since = ?`, last, feed, since)
	return ids, each(rows, err, func(scan func(...any) error) error {
		var name string
		var id int64
		err := scan(&name, &id)
		ids[name] = id
		return err
	})
}

// endAdvisories ends rows with a generation and notes the names they speak of.
func (db *DB) endAdvisories(ctx context.Context, feed string, until int64, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	set := jsonSet(ids)
	if _, err := db.exec(ctx, `UPDATE advisory SET until = ? WHERE id IN `+db.idSet(), until, set); err != nil {
		return err
	}
	_, err := db.exec(ctx, `INSERT INTO rematch (feed, generation, ecosystem, name)
		SELECT DISTINCT CAST(? AS TEXT), CAST(? AS BIGINT), r.ecosystem, r.name FROM advisory_range r WHERE r.advisory_id IN `+db.idSet()+` ON CONFLICT DO NOTHING`,
		feed, until, set)
	return err
}

func (db *DB) putRematch(ctx context.Context, feed string, generation int64, ecosystem, name string) error {
	_, err := db.exec(ctx, `INSERT INTO rematch (feed, generation, ecosystem, name) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`, feed, generation, ecosystem, name)
	return err
}

// rematchUnknown makes packages that could not be judged wait to be matched
// again: the new records may speak of their release for the first time.
func (db *DB) rematchUnknown(ctx context.Context, feed string, generation int64) error {
	_, err := db.exec(ctx, `INSERT INTO rematch (feed, generation, ecosystem, name)
		SELECT DISTINCT CAST(? AS TEXT), CAST(? AS BIGINT), p.ecosystem, p.name FROM package p WHERE p.feed = ? AND NOT p.matched ON CONFLICT DO NOTHING`,
		feed, generation, breakwater.BaseEcosystem(feed))
	return err
}

// deleteAdvisories removes rows for good, with their aliases and entries.
func (db *DB) deleteAdvisories(ctx context.Context, ids []int64) error {
	set := jsonSet(ids)
	for _, statement := range []string{
		`DELETE FROM advisory_range WHERE advisory_id IN `, `DELETE FROM advisory_alias WHERE advisory_id IN `, `DELETE FROM advisory WHERE id IN `,
	} {
		if _, err := db.exec(ctx, statement+db.idSet(), set); err != nil {
			return err
		}
	}
	return nil
}

// rowWriter collects rows and writes them in statements of a bounded size.
type rowWriter struct {
	db      *DB
	columns int
	head    string
	tail    string
	args    []any
}

// maxArgs keeps well below what the databases take (32,766 and 65,535).
const maxArgs = 12_000

func (w *rowWriter) add(row ...any) { w.args = append(w.args, row...) }

func (w *rowWriter) flush(ctx context.Context) error {
	step := maxArgs / w.columns * w.columns
	row := "(" + marks(w.columns) + ")"
	for part := range chunks(w.args, step) {
		n := len(part) / w.columns
		if _, err := w.db.exec(ctx, w.head+strings.Repeat(","+row, n)[1:]+w.tail, part...); err != nil {
			return err
		}
	}
	w.args = w.args[:0]
	return nil
}
