package store

import (
	"context"
	"maps"
	"slices"

	"breakwater"
)

// putExploitedChanges notes the findings that CISA's list makes high, or no
// longer makes high, after the CVEs in moved came to the list or went from it.
func (db *DB) putExploitedChanges(ctx context.Context, feed breakwater.Feed, generation int64, moved []string) error {
	turned, err := db.exploitedTurned(ctx, moved)
	if err != nil || len(turned) == 0 {
		return err
	}
	put := db.changeWriter()
	rows, err := db.query(ctx, `SELECT pa.package_id, pa.advisory_id, a.osv_id, pa.severity, pa.fixed FROM package_advisory pa JOIN advisory a ON a.id = pa.advisory_id
		WHERE pa.advisory_id `+db.inIDs()+` AND EXISTS (SELECT 1 FROM artifact_package ap WHERE ap.package_id = pa.package_id)
		ORDER BY pa.package_id, pa.advisory_id`, jsonSet(slices.Sorted(maps.Keys(turned))))
	err = each(rows, err, func(scan func(...any) error) error {
		c := Change{What: FindingChanged, Feed: feed.Name, Generation: generation, Dated: feed.Dated, Newest: feed.Newest}
		var advisory int64
		var severity breakwater.Severity
		if err := scan(&c.Package.ID, &advisory, &c.AdvisoryID, &severity, &c.NewFixed); err != nil {
			return err
		}
		t := turned[advisory]
		c.CVE, c.OldFixed = t.cve, c.NewFixed
		c.Why, c.OldSeverity, c.NewSeverity = WhyExploited, severity, breakwater.SeverityHigh
		if !t.listed {
			c.Why, c.OldSeverity, c.NewSeverity = WhyUnexploited, breakwater.SeverityHigh, severity
		}
		put.add(c)
		return nil
	})
	if err != nil {
		return err
	}
	return put.flush(ctx)
}

// turn is a record that CISA lists now and did not before, or the reverse.
type turn struct {
	listed bool
	cve    string // the lowest that moved
}

// exploitedTurned answers the records, with verdicts, that are listed now under
// one of their names and were under none, or the reverse.
func (db *DB) exploitedTurned(ctx context.Context, moved []string) (map[int64]turn, error) {
	out := map[int64]turn{}
	if len(moved) == 0 {
		return out, nil
	}
	hasMoved := map[string]bool{}
	for _, cve := range moved {
		hasMoved[cve] = true
	}
	before, after := map[int64]bool{}, map[int64]bool{}
	lowest := map[int64]string{}
	set := jsonSet(moved)
	rows, err := db.query(ctx, `WITH touched AS MATERIALIZED (SELECT al.advisory_id AS id FROM advisory_alias al WHERE al.alias IN `+db.textSet()+`
			UNION SELECT a.id FROM advisory a WHERE a.osv_id IN `+db.textSet()+`)
		SELECT n.id, n.name, EXISTS (SELECT 1 FROM kev k WHERE k.cve = n.name) FROM (
			SELECT t.id, al.alias AS name FROM touched t JOIN advisory_alias al ON al.advisory_id = t.id
			UNION ALL SELECT t.id, a.osv_id FROM touched t JOIN advisory a ON a.id = t.id) AS n
		WHERE EXISTS (SELECT 1 FROM package_advisory pa WHERE pa.advisory_id = n.id)`, set, set)
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		var name string
		var listed bool
		err := scan(&id, &name, &listed)
		after[id] = after[id] || listed
		before[id] = before[id] || listed != hasMoved[name]
		if hasMoved[name] && (lowest[id] == "" || name < lowest[id]) {
			lowest[id] = name
		}
		return err
	})
	for id, cve := range lowest {
		if before[id] != after[id] {
			out[id] = turn{listed: after[id], cve: cve}
		}
	}
	return out, err
}
