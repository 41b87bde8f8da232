package store

import (
	"context"
	"slices"

	"breakwater"
)

// The counters of findings run down three tables. package says of each package
// version how many advisories of each severity touch it and whether it is known
// at all; artifact holds the sums over its packages, and the level that follows;
// image holds what its artifact says. When advisories change, only differences
// are carried down, so the cost is the number of (artifact, changed package)
// pairs and not the number of facts.

// countColumns are the findings of package p by severity, from its verdicts; an
// advisory that is known to be exploited is high whatever its record says.
const countColumns = `
	COALESCE(sum(CASE WHEN pa.severity = 'high' OR ` + exploited + ` THEN 1 ELSE 0 END), 0),
	COALESCE(sum(CASE WHEN pa.severity = 'medium' AND NOT ` + exploited + ` THEN 1 ELSE 0 END), 0),
	COALESCE(sum(CASE WHEN pa.severity = 'low' AND NOT ` + exploited + ` THEN 1 ELSE 0 END), 0)`

// exploited tells whether CISA lists advisory a of verdict pa under any of its names.
const exploited = `(EXISTS (SELECT 1 FROM advisory_alias al JOIN kev k ON k.cve = al.alias WHERE al.advisory_id = pa.advisory_id)
	OR EXISTS (SELECT 1 FROM advisory ad JOIN kev k ON k.cve = ad.osv_id WHERE ad.id = pa.advisory_id))`

// packageKnown tells whether package p was matched by a feed that is there.
const packageKnown = `(p.matched AND EXISTS (SELECT 1 FROM feed f WHERE f.name = p.feed AND f.generation > 0))`

// level is the level that follows from sums of findings, advisories' and those of
// rules (artifact a): the worst of them, or Security when there is none, every
// check was done and every package is known.
func level(high, medium, low, unknown, judged string) string {
	return `CASE WHEN ` + high + ` + a.rule_high > 0 THEN 'High' WHEN ` + medium + ` + a.rule_medium > 0 THEN 'Medium' WHEN ` + low + ` + a.rule_low > 0 THEN 'Low'
		WHEN ` + judged + ` AND ` + unknown + ` = 0 THEN 'Security' ELSE '' END`
}

// RefreshPackages carries changed verdicts of packages down to every artifact
// that holds them and to every image of those, in all projects. Call it in the
// transaction that changed package_advisory, package.matched, kev or the
// feed's generation, with every package concerned.
func (db *DB) RefreshPackages(ctx context.Context, packageIDs []int64) error {
	err := db.Tx(ctx, func(tx *DB) error {
		touched, err := tx.refreshPackages(ctx, packageIDs)
		if err != nil {
			return err
		}
		return tx.refreshImages(ctx, touched)
	})
	return wrap(err, "store.RefreshPackages")
}

// RefreshCounters counts the findings of artifacts anew, first of their
// packages, and carries the result to every image of them in all projects. Call
// it after PutInventory and matching; RefreshPackages is the one for changes of
// advisories.
func (db *DB) RefreshCounters(ctx context.Context, artifactIDs []int64) error {
	if len(artifactIDs) == 0 {
		return nil
	}
	err := db.Tx(ctx, func(tx *DB) error {
		packages, err := tx.ids(ctx, `SELECT DISTINCT package_id FROM artifact_package WHERE artifact_id `+tx.inIDs(), jsonSet(artifactIDs))
		if err != nil {
			return err
		}
		touched, err := tx.refreshPackages(ctx, packages)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `UPDATE artifact AS a SET high = s.h, medium = s.m, low = s.l, unknown = s.u, vul_num = s.h + s.m + s.l,
			level = `+level("s.h", "s.m", "s.l", "s.u", "a.judged")+`
			FROM (SELECT one.id, COALESCE(sum(p.high), 0) AS h, COALESCE(sum(p.medium), 0) AS m, COALESCE(sum(p.low), 0) AS l,
				COALESCE(sum(CASE WHEN p.known OR p.id IS NULL THEN 0 ELSE 1 END), 0) AS u
				FROM artifact one LEFT JOIN artifact_package ap ON ap.artifact_id = one.id LEFT JOIN package p ON p.id = ap.package_id
				WHERE one.id `+tx.inIDs()+` AND NOT EXISTS (SELECT 1 FROM artifact_child c WHERE c.parent_id = one.id) GROUP BY one.id) AS s
			WHERE a.id = s.id`, jsonSet(artifactIDs))
		if err != nil {
			return err
		}
		return tx.refreshImages(ctx, append(touched, artifactIDs...))
	})
	return wrap(err, "store.RefreshCounters")
}

// refreshPackages brings the counts of package rows up to date, adds what
// changed to the artifacts that hold them, and answers those artifacts.
func (db *DB) refreshPackages(ctx context.Context, packageIDs []int64) (artifacts []int64, err error) {
	if len(packageIDs) == 0 {
		return nil, nil
	}
	if db.dialect == PostgreSQL { // SQLite has one writer
		if _, err := db.ids(ctx, `SELECT id FROM package WHERE id `+db.inIDs()+` ORDER BY id FOR UPDATE`, jsonSet(packageIDs)); err != nil {
			return nil, err
		}
	}
	var changed [][5]int64 // package, and the difference of high, medium, low, known
	rows, err := db.query(ctx, `SELECT p.id, p.high, p.medium, p.low, p.known, `+packageKnown+`,`+countColumns+`
		FROM package p LEFT JOIN package_advisory pa ON pa.package_id = p.id
		WHERE p.id `+db.inIDs()+` GROUP BY p.id`, jsonSet(packageIDs))
	err = each(rows, err, func(scan func(...any) error) error {
		var id, wasHigh, wasMedium, wasLow, high, medium, low int64
		var wasKnown, known bool
		if err := scan(&id, &wasHigh, &wasMedium, &wasLow, &wasKnown, &known, &high, &medium, &low); err != nil {
			return err
		}
		d := [5]int64{id, high - wasHigh, medium - wasMedium, low - wasLow, one(known) - one(wasKnown)}
		if d != [5]int64{id} {
			changed = append(changed, d)
		}
		return nil
	})
	if err != nil || len(changed) == 0 {
		return nil, err
	}
	deltas := jsonRows(changed)
	_, err = db.exec(ctx, `WITH d AS MATERIALIZED `+db.rowSet()+`
		UPDATE package AS p SET high = p.high + d.c1, medium = p.medium + d.c2, low = p.low + d.c3,
		known = CASE WHEN d.c4 = 0 THEN p.known ELSE d.c4 > 0 END FROM d WHERE p.id = d.c0`, deltas)
	if err != nil {
		return nil, err
	}
	return db.ids(ctx, `WITH d AS MATERIALIZED `+db.rowSet()+`
		`+db.update()+` artifact AS a SET high = a.high + s.h, medium = a.medium + s.m, low = a.low + s.l, unknown = a.unknown - s.k,
		vul_num = a.high + a.medium + a.low + s.h + s.m + s.l,
		level = `+level("a.high + s.h", "a.medium + s.m", "a.low + s.l", "a.unknown - s.k", "a.judged")+`
		FROM (SELECT ap.artifact_id, sum(d.c1) AS h, sum(d.c2) AS m, sum(d.c3) AS l, sum(d.c4) AS k
			FROM d JOIN artifact_package ap ON ap.package_id = d.c0 GROUP BY ap.artifact_id) AS s
		WHERE a.id = s.artifact_id RETURNING id`, deltas)
}

// refreshImages carries what artifacts say to the indexes that hold them and to
// the images of both that say something else.
func (db *DB) refreshImages(ctx context.Context, artifactIDs []int64) error {
	if len(artifactIDs) == 0 {
		return nil
	}
	parents, err := db.parents(ctx, artifactIDs)
	if err != nil {
		return err
	}
	if err := db.judgeIndexes(ctx, parents); err != nil {
		return err
	}
	told := append(parents, artifactIDs...)
	slices.Sort(told)
	return db.tellImages(ctx, slices.Compact(told))
}

// parents answers the indexes that hold any of the artifacts.
func (db *DB) parents(ctx context.Context, artifactIDs []int64) ([]int64, error) {
	if db.dialect == PostgreSQL { // planned by the size of the set
		return db.ids(ctx, `SELECT DISTINCT c.parent_id FROM `+idTable+` JOIN artifact a ON a.id = m.id JOIN artifact_child c ON c.digest = a.digest AND c.image`,
			planned, artifactIDs)
	}
	return db.ids(ctx, `SELECT DISTINCT c.parent_id FROM artifact a JOIN artifact_child c ON c.digest = a.digest AND c.image
		WHERE a.id `+db.inIDs(), jsonSet(artifactIDs))
}

// judgeIndexes gives indexes the verdict of their worst child. A child of which
// nothing is known is better than any finding and worse than Security.
func (db *DB) judgeIndexes(ctx context.Context, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := db.exec(ctx, `UPDATE artifact AS p SET vul_num = s.n, unsafe_num = s.u, malicious_num = s.f,
		level = CASE s.rank WHEN 4 THEN 'High' WHEN 3 THEN 'Medium' WHEN 2 THEN 'Low' WHEN 0 THEN 'Security' ELSE '' END
		FROM (SELECT c.parent_id, COALESCE(max(a.vul_num), 0) AS n, COALESCE(max(a.unsafe_num), 0) AS u, COALESCE(max(a.malicious_num), 0) AS f,
			max(CASE a.level WHEN 'High' THEN 4 WHEN 'Medium' THEN 3 WHEN 'Low' THEN 2 WHEN 'Security' THEN 0 ELSE 1 END) AS rank
			FROM artifact_child c LEFT JOIN artifact a ON a.digest = c.digest
			WHERE c.parent_id `+db.inIDs()+` AND c.image GROUP BY c.parent_id) AS s
		WHERE p.id = s.parent_id`, jsonSet(ids))
	return err
}

// ids runs a query of one int64 column.
func (db *DB) ids(ctx context.Context, query string, args ...any) (out []int64, err error) {
	rows, err := db.query(ctx, query, args...)
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		out = append(out, id)
		return err
	})
	return out, err
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// securityPossible reports whether an inventory lets an image be called
// Security at all: every check was done or had nothing to look at, no file that
// holds packages was left unread, and every package that stands on its own is of
// an ecosystem that some advisory source speaks of.
func securityPossible(inv breakwater.Inventory) bool {
	if len(inv.Coverage) == 0 {
		return false
	}
	for _, c := range inv.Coverage {
		if c.State != breakwater.StateDone && c.State != breakwater.StateNotApplicable {
			return false
		}
		if c.Check == breakwater.CheckSoftware && len(c.Skipped) > 0 {
			return false
		}
	}
	for _, p := range inv.Packages {
		if p.Ecosystem == "" && p.OwnedBy == "" {
			return false
		}
	}
	return true
}
