package store

import (
	"context"
	"encoding/json"

	"breakwater"
)

// Candidate is a stored record that speaks of a package name. Its advisory holds
// the entry of that name only.
type Candidate struct {
	Row      int64
	Advisory breakwater.Advisory
}

// PackageName is what advisories are looked up by, in its normal spelling.
type PackageName struct{ Ecosystem, Name string }

// Candidates answers the visible records that speak of the names, in bulk.
// Withdrawn ones are left out.
func (db *DB) Candidates(ctx context.Context, names []PackageName) (map[PackageName][]Candidate, error) {
	out := map[PackageName][]Candidate{}
	byEcosystem := map[string][]string{}
	for _, n := range names {
		byEcosystem[n.Ecosystem] = append(byEcosystem[n.Ecosystem], n.Name)
	}
	for ecosystem, names := range byEcosystem {
		for part := range chunks(names, 500) {
			if err := db.candidates(ctx, ecosystem, part, out); err != nil {
				return nil, wrap(err, "store.Candidates(%s)", ecosystem)
			}
		}
	}
	return out, nil
}

// Spoken tells of which of the ecosystems, in their normal spelling, any visible
// record speaks. A feed may know other releases of a distribution and not this one.
func (db *DB) Spoken(ctx context.Context, ecosystems []string) (map[string]bool, error) {
	out := map[string]bool{}
	for _, e := range ecosystems {
		if _, done := out[e]; done {
			continue
		}
		var spoken bool
		err := db.queryRow(ctx, `SELECT EXISTS (SELECT 1 FROM advisory_range r JOIN advisory a ON a.id = r.advisory_id JOIN feed f ON f.name = a.feed
			WHERE r.ecosystem = ? AND a.since <= f.generation AND (a.until = 0 OR a.until > f.generation))`, e).Scan(&spoken)
		if err != nil {
			return nil, wrap(err, "store.Spoken(%s)", e)
		}
		out[e] = spoken
	}
	return out, nil
}

func (db *DB) candidates(ctx context.Context, ecosystem string, names []string, out map[PackageName][]Candidate) error {
	rows, err := db.query(ctx, `SELECT a.id, a.osv_id, a.modified_ms, a.score, a.severity, a.body, r.name, r.body
		FROM advisory_range r JOIN advisory a ON a.id = r.advisory_id JOIN feed f ON f.name = a.feed
		WHERE r.ecosystem = ? AND r.name IN `+db.textSet()+` AND a.since <= f.generation AND (a.until = 0 OR a.until > f.generation) AND a.withdrawn_ms = 0`,
		ecosystem, jsonSet(names))
	return each(rows, err, func(scan func(...any) error) error {
		var c Candidate
		var modified int64
		var name, body, entry string
		a := &c.Advisory
		if err := scan(&c.Row, &a.ID, &modified, &a.Score, &a.Severity, &body, &name, &entry); err != nil {
			return err
		}
		var b advisoryBody
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			return err
		}
		var r rangeBody
		if err := json.Unmarshal([]byte(entry), &r); err != nil {
			return err
		}
		a.Modified, a.Aliases, a.Upstream, a.CVSS, a.VendorWord = fromMS(modified), b.Aliases, b.Upstream, b.CVSS, b.VendorWord
		a.Affected = []breakwater.Affected{{Ecosystem: ecosystem, Name: name, Ranges: r.Ranges, Versions: r.Versions, Severity: r.Severity}}
		key := PackageName{ecosystem, name}
		out[key] = append(out[key], c)
		return nil
	})
}

// AdvisoryByID is the visible record with an id, with all its entries; the one
// modified last when several feeds carry it. NotFound when there is none.
func (db *DB) AdvisoryByID(ctx context.Context, id string) (a breakwater.Advisory, err error) {
	err = db.View(ctx, func(tx *DB) error {
		var row, published, modified, withdrawn int64
		var body string
		err := tx.queryRow(ctx, `SELECT a.id, a.osv_id, a.published_ms, a.modified_ms, a.withdrawn_ms, a.summary, a.url, a.score, a.severity, a.body
			FROM advisory a JOIN feed f ON f.name = a.feed
			WHERE a.osv_id = ? AND a.since <= f.generation AND (a.until = 0 OR a.until > f.generation) ORDER BY a.modified_ms DESC, a.id LIMIT 1`, id).
			Scan(&row, &a.ID, &published, &modified, &withdrawn, &a.Summary, &a.URL, &a.Score, &a.Severity, &body)
		if err != nil {
			return notFound(err, "advisory")
		}
		var b advisoryBody
		if err := json.Unmarshal([]byte(body), &b); err != nil {
			return err
		}
		a.Published, a.Modified, a.Withdrawn = fromMS(published), fromMS(modified), fromMS(withdrawn)
		a.Aliases, a.Upstream, a.CVSS, a.VendorWord = b.Aliases, b.Upstream, b.CVSS, b.VendorWord
		rows, err := tx.query(ctx, `SELECT ecosystem, name, body FROM advisory_range WHERE advisory_id = ? ORDER BY ecosystem, name`, row)
		return each(rows, err, func(scan func(...any) error) error {
			var f breakwater.Affected
			var entry string
			if err := scan(&f.Ecosystem, &f.Name, &entry); err != nil {
				return err
			}
			var r rangeBody
			err := json.Unmarshal([]byte(entry), &r)
			f.Ranges, f.Versions, f.Severity = r.Ranges, r.Versions, r.Severity
			a.Affected = append(a.Affected, f)
			return err
		})
	})
	return a, wrap(err, "store.AdvisoryByID")
}
