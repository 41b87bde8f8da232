package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"breakwater"
)

// Pending is a name whose packages wait to be matched again.
type Pending struct {
	Feed       string
	Generation int64
	PackageName
}

// PendingNames is the next names to match again, at most limit.
func (db *DB) PendingNames(ctx context.Context, limit int) (out []Pending, err error) {
	rows, err := db.query(ctx, `SELECT r.feed, r.generation, r.ecosystem, r.name FROM rematch r JOIN feed f ON f.name = r.feed
		WHERE r.generation <= f.generation ORDER BY r.feed, r.ecosystem, r.name, r.generation LIMIT ?`, limit)
	err = each(rows, err, func(scan func(...any) error) error {
		var p Pending
		err := scan(&p.Feed, &p.Generation, &p.Ecosystem, &p.Name)
		out = append(out, p)
		return err
	})
	return out, wrap(err, "store.PendingNames")
}

// PendingPackages is the package versions that have one of the names, in order.
// A record that names no release speaks of the packages of every release.
func (db *DB) PendingPackages(ctx context.Context, names []Pending) ([]int64, error) {
	var out []int64
	byEcosystem := map[string][]string{}
	for _, n := range names {
		if n.Name == "*" {
			ids, err := db.ids(ctx, `SELECT id FROM package WHERE feed = ?`, breakwater.BaseEcosystem(n.Feed))
			if err != nil {
				return nil, wrap(err, "store.PendingPackages")
			}
			out = append(out, ids...)
			continue
		}
		byEcosystem[n.Ecosystem] = append(byEcosystem[n.Ecosystem], n.Name)
	}
	for ecosystem, list := range byEcosystem {
		statement, args := `SELECT id FROM package WHERE ecosystem = ? AND name IN `+db.textSet(), []any{ecosystem, jsonSet(list)}
		if !strings.Contains(ecosystem, ":") {
			statement = `SELECT id FROM package WHERE feed = ? AND name IN ` + db.textSet()
		}
		ids, err := db.ids(ctx, statement, args...)
		if err != nil {
			return nil, wrap(err, "store.PendingPackages(%s)", ecosystem)
		}
		out = append(out, ids...)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// DeletePending forgets names whose packages have been matched; with "*" every
// name of its feed up to that generation.
func (db *DB) DeletePending(ctx context.Context, names []Pending) error {
	err := db.Tx(ctx, func(tx *DB) error {
		for part := range chunks(names, 1000) {
			w := make([]any, 0, 4*len(part))
			for _, n := range part {
				if n.Name == "*" {
					if _, err := tx.exec(ctx, `DELETE FROM rematch WHERE feed = ? AND generation <= ?`, n.Feed, n.Generation); err != nil {
						return err
					}
				}
				w = append(w, n.Feed, n.Ecosystem, n.Name, n.Generation)
			}
			_, err := tx.exec(ctx, `DELETE FROM rematch WHERE (feed, ecosystem, name, generation) IN (VALUES `+
				strings.Repeat(",(?,?,?,CAST(? AS BIGINT))", len(part))[1:]+`)`, w...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "store.DeletePending")
}

// RematchAll makes every package of every feed wait to be matched again: the
// rules of matching have changed.
func (db *DB) RematchAll(ctx context.Context) error {
	_, err := db.exec(ctx, `INSERT INTO rematch (feed, generation, ecosystem, name)
		SELECT f.name, f.generation, '*', '*' FROM feed f WHERE f.generation > 0 ON CONFLICT DO NOTHING`)
	return wrap(err, "store.RematchAll")
}

// SweepAdvisories deletes rows that no generation shows any more, in small
// transactions. Rows whose packages still wait to be matched again stay: the old
// verdicts are served until then.
func (db *DB) SweepAdvisories(ctx context.Context) error {
	for {
		var n int
		err := db.Tx(ctx, func(tx *DB) error {
			ids, err := tx.ids(ctx, `SELECT a.id FROM advisory a JOIN feed f ON f.name = a.feed
				WHERE a.until > 0 AND a.until <= f.generation
				AND NOT EXISTS (SELECT 1 FROM rematch r WHERE r.feed = a.feed AND r.generation <= f.generation)
				AND NOT EXISTS (SELECT 1 FROM package_advisory pa WHERE pa.advisory_id = a.id) LIMIT 1000`)
			if n = len(ids); err != nil || n == 0 {
				return err
			}
			return tx.deleteAdvisories(ctx, ids)
		})
		if err != nil || n == 0 {
			return wrap(err, "store.SweepAdvisories")
		}
	}
}

// PackagesToMatch reads package versions and holds them, and the feeds as they
// are shown, until the end of the transaction.
func (db *DB) PackagesToMatch(ctx context.Context, ids []int64) (out []breakwater.PackageVersion, err error) {
	if err := db.lockMatching(ctx, false); err != nil {
		return nil, wrap(err, "store.PackagesToMatch")
	}
	hold := ""
	if db.dialect == PostgreSQL { // SQLite has one writer
		hold = ` FOR UPDATE`
	}
	rows, err := db.query(ctx, `SELECT id, ecosystem, name, version FROM package WHERE id IN `+db.idSet()+` ORDER BY id`+hold, jsonSet(ids))
	err = each(rows, err, func(scan func(...any) error) error {
		var p breakwater.PackageVersion
		err := scan(&p.ID, &p.Ecosystem, &p.Name, &p.Version)
		out = append(out, p)
		return err
	})
	return out, wrap(err, "store.PackagesToMatch")
}

// PackageVerdict is a verdict with the row of the record that it rests on.
type PackageVerdict struct {
	breakwater.Verdict
	Row int64
}

// Judged is what matching said of one package version. A package of which
// something could not be decided is not known: it is matched again whenever it
// is seen, and no image that holds it is called secure.
type Judged struct {
	PackageID int64
	Known     bool
	Verdicts  []PackageVerdict
}

// PutVerdicts replaces the verdicts of package versions and answers those of
// which anything is different now. Of packages that were judged before and that
// images hold it notes what came, went and changed, and why (Change); rules
// tells, for each feed, up to which of its generations records were judged by
// other rules of matching before. RefreshPackages, or RefreshCounters, follows
// in the same transaction.
func (db *DB) PutVerdicts(ctx context.Context, judged []Judged, rules map[string]int64) (changed []int64, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		changed, err = tx.putVerdicts(ctx, judged, rules)
		return err
	})
	return changed, wrap(err, "store.PutVerdicts")
}

func (db *DB) putVerdicts(ctx context.Context, judged []Judged, rules map[string]int64) (changed []int64, err error) {
	ids := make([]int64, 0, len(judged))
	for _, j := range judged {
		ids = append(ids, j.PackageID)
	}
	was, stands, err := db.verdictsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	var diffs []diff
	insert := rowWriter{db: db, columns: 7, head: `INSERT INTO package_advisory (package_id, advisory_id, severity, score, fixed, rule, also) VALUES `}
	var rewritten, nowKnown, nowUnknown []int64
	for _, j := range judged {
		next := map[verdictRow]bool{}
		for _, v := range j.Verdicts {
			also, err := json.Marshal(orEmpty(v.Also))
			if err != nil {
				return nil, err
			}
			next[verdictRow{v.Row, v.Severity, v.Score, v.Fixed, v.Rule, string(also)}] = true
		}
		same := len(next) == len(was[j.PackageID])
		for r := range next {
			same = same && was[j.PackageID][r]
		}
		if !same {
			rewritten = append(rewritten, j.PackageID)
			if stands[j.PackageID].known || len(was[j.PackageID]) > 0 { // a first verdict is no change
				diffs = append(diffs, diff{packageID: j.PackageID, was: was[j.PackageID], is: next})
			}
			for r := range next {
				insert.add(j.PackageID, r.advisory, string(r.severity), r.score, r.fixed, r.rule, r.also)
			}
		}
		if matched := stands[j.PackageID].matched; j.Known && !matched {
			nowKnown = append(nowKnown, j.PackageID)
		} else if !j.Known && matched {
			nowUnknown = append(nowUnknown, j.PackageID)
		}
	}
	if _, err := db.exec(ctx, `DELETE FROM package_advisory WHERE package_id IN `+db.idSet(), jsonSet(rewritten)); err != nil {
		return nil, err
	}
	if err := insert.flush(ctx); err != nil {
		return nil, err
	}
	for matched, list := range map[bool][]int64{true: nowKnown, false: nowUnknown} {
		if _, err := db.exec(ctx, `UPDATE package SET matched = ? WHERE id IN `+db.idSet(), matched, jsonSet(list)); err != nil {
			return nil, err
		}
	}
	if err := db.putChanges(ctx, diffs, rules); err != nil {
		return nil, err
	}
	changed = slices.Concat(rewritten, nowKnown, nowUnknown)
	slices.Sort(changed)
	return slices.Compact(changed), nil
}

func orEmpty(in []string) []string {
	if in == nil {
		return []string{}
	}
	return in
}

// verdictRow is a row of package_advisory without its package.
type verdictRow struct {
	advisory int64
	severity breakwater.Severity
	score    float64
	fixed    string
	rule     string
	also     string
}

// standing is how a package version stood before it was judged again: matched
// by the rules, and known to the artifacts that hold it (packageKnown).
type standing struct{ matched, known bool }

// verdictsOf reads what is written of packages, and how they stand.
func (db *DB) verdictsOf(ctx context.Context, ids []int64) (map[int64]map[verdictRow]bool, map[int64]standing, error) {
	was, stands := map[int64]map[verdictRow]bool{}, map[int64]standing{}
	set := jsonSet(ids)
	rows, err := db.query(ctx, `SELECT package_id, advisory_id, severity, score, fixed, rule, also FROM package_advisory WHERE package_id IN `+db.idSet(), set)
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		var r verdictRow
		err := scan(&id, &r.advisory, &r.severity, &r.score, &r.fixed, &r.rule, &r.also)
		if was[id] == nil {
			was[id] = map[verdictRow]bool{}
		}
		was[id][r] = true
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	rows, err = db.query(ctx, `SELECT id, matched, known FROM package WHERE id IN `+db.idSet(), set)
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		var s standing
		err := scan(&id, &s.matched, &s.known)
		stands[id] = s
		return err
	})
	return was, stands, err
}
