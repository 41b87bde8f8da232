package store

import (
	"context"
	"encoding/json"
	"slices"

	"breakwater"
)

// Results is everything that is known of one scanned manifest.
type Results struct {
	Inventory       breakwater.Inventory // without the list of files
	Vulnerabilities []breakwater.Vulnerability
	Findings        []breakwater.Finding
	Feeds           []breakwater.Feed
	Base            *breakwater.BaseImage // nil: not known
}

// Results reads them, of one moment; NotFound when the digest was never scanned.
// The base image is looked for among the project's images and the operator's list.
func (db *DB) Results(ctx context.Context, projectID string, digest breakwater.Digest) (r Results, err error) {
	err = db.View(ctx, func(tx *DB) (err error) {
		if r.Inventory, err = tx.Inventory(ctx, digest); err != nil {
			return err
		}
		if r.Vulnerabilities, _, err = tx.ImageFindings(ctx, digest, FindingFilter{}); err != nil {
			return err
		}
		if err := tx.vectors(ctx, r.Vulnerabilities); err != nil {
			return err
		}
		if r.Findings, err = tx.Findings(ctx, digest, ""); err != nil {
			return err
		}
		if r.Feeds, err = tx.Feeds(ctx); err != nil {
			return err
		}
		base, err := tx.ImageBase(ctx, projectID, digest)
		if breakwater.IsNotFound(err) {
			return nil
		}
		r.Base = &base
		return err
	})
	return r, wrap(err, "store.Results(%s)", digest)
}

// vectors adds the CVSS vectors of the visible records that go by a
// vulnerability's ids. One that several records repeat stands once, with the
// first of them: the vulnerability's own record, then its aliases by name.
func (db *DB) vectors(ctx context.Context, all []breakwater.Vulnerability) error {
	var ids []string
	for _, v := range all {
		ids = append(append(ids, v.AdvisoryID), v.Aliases...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	byID := map[string][]string{}
	for part := range chunks(ids, 500) {
		rows, err := db.query(ctx, `SELECT a.osv_id, a.body FROM advisory a JOIN feed f ON f.name = a.feed
			WHERE a.osv_id `+db.inTexts()+` AND a.since <= f.generation AND (a.until = 0 OR a.until > f.generation) AND a.withdrawn_ms = 0
			ORDER BY a.osv_id, a.modified_ms DESC, a.id`, jsonSet(part))
		err = each(rows, err, func(scan func(...any) error) error {
			var id, body string
			if err := scan(&id, &body); err != nil {
				return err
			}
			var b advisoryBody
			err := json.Unmarshal([]byte(body), &b)
			byID[id] = append(byID[id], b.CVSS...)
			return err
		})
		if err != nil {
			return err
		}
	}
	for n := range all {
		seen := map[string]bool{}
		for _, id := range append([]string{all[n].AdvisoryID}, all[n].Aliases...) {
			for _, text := range byID[id] {
				if !seen[text] {
					seen[text] = true
					all[n].Vectors = append(all[n].Vectors, breakwater.Vector{AdvisoryID: id, Text: text})
				}
			}
		}
	}
	return nil
}
