package store

import (
	"context"
	"slices"
	"time"

	"breakwater"
)

// What says how a finding of a package version changed.
type What string

// The changes. A finding changes when its severity or its fix does.
const (
	FindingCame    What = "came"
	FindingWent    What = "went"
	FindingChanged What = "changed"
)

// Why says what made a finding change.
type Why string

// The reasons, in words that people read.
const (
	WhyPublished   Why = "advisory published"
	WhyChanged     Why = "advisory changed"
	WhyWithdrawn   Why = "advisory withdrawn"
	WhyRemoved     Why = "advisory no longer in the feed"
	WhyUnaffected  Why = "no longer affects this version"
	WhyMerged      Why = "alias merged" // the same problem, under another record's name
	WhyRules       Why = "matching rules changed"
	WhyExploited   Why = "KEV listed it"
	WhyUnexploited Why = "KEV no longer lists it"
)

// Change is one finding of one package version that came, went or changed.
// Severities are as they are shown: what CISA lists is high.
type Change struct {
	ID          int64
	Package     breakwater.PackageVersion
	AdvisoryID  string
	CVE         string // empty when the record names none
	What        What
	Why         Why
	Feed        string
	Generation  int64     // of the feed: rises by one or more with each import
	Dated       time.Time // the day that state of the feed speaks of
	Newest      time.Time // its newest record
	OldSeverity breakwater.Severity
	NewSeverity breakwater.Severity
	OldFixed    string
	NewFixed    string
	At          time.Time
}

// recordRow is a row of advisory, as far as a change needs it.
type recordRow struct {
	id           int64
	feed         string
	name         string
	since, until int64
	withdrawn    bool
	state        feedState
}

// shown reports whether a reader of the feed sees the row.
func (r recordRow) shown() bool {
	return r.since <= r.state.generation && (r.until == 0 || r.until > r.state.generation)
}

// feedState is which state of a feed is shown.
type feedState struct {
	generation, dated, newest int64
}

// diff is the verdicts of one package version before and after.
type diff struct {
	packageID int64
	was, is   map[verdictRow]bool
}

// putChanges notes what is different for people in the verdicts of package
// versions, of those that an image holds. rules is for each feed the generation
// up to which records were judged before by other rules of matching.
func (db *DB) putChanges(ctx context.Context, diffs []diff, rules map[string]int64) error {
	diffs, err := db.heldDiffs(ctx, diffs)
	if err != nil || len(diffs) == 0 {
		return err
	}
	records, err := db.recordsOf(ctx, diffs)
	if err != nil {
		return err
	}
	put := db.changeWriter()
	for _, d := range diffs {
		for _, c := range records.explain(d, rules) {
			put.add(c)
		}
	}
	return put.flush(ctx)
}

// changeWriter is a rowWriter for changes.
type changeWriter struct{ rowWriter }

func (db *DB) changeWriter() changeWriter {
	return changeWriter{rowWriter{db: db, columns: 14, head: `INSERT INTO verdict_change (package_id, osv_id, cve, what, why, feed, generation, dated_ms, newest_ms,
		old_severity, new_severity, old_fixed, new_fixed, at_ms) VALUES `}}
}

func (w *changeWriter) add(c Change) {
	w.rowWriter.add(c.Package.ID, c.AdvisoryID, c.CVE, string(c.What), string(c.Why), c.Feed, c.Generation, ms(c.Dated), ms(c.Newest),
		string(c.OldSeverity), string(c.NewSeverity), c.OldFixed, c.NewFixed, ms(w.db.Now()))
}

// heldDiffs leaves out the package versions that no artifact holds.
func (db *DB) heldDiffs(ctx context.Context, diffs []diff) ([]diff, error) {
	if len(diffs) == 0 {
		return nil, nil
	}
	ids := make([]int64, 0, len(diffs))
	for _, d := range diffs {
		ids = append(ids, d.packageID)
	}
	held := map[int64]bool{}
	list, err := db.ids(ctx, `SELECT p.id FROM package p WHERE p.id `+db.inIDs()+`
		AND EXISTS (SELECT 1 FROM artifact_package ap WHERE ap.package_id = p.id)`, jsonSet(ids))
	for _, id := range list {
		held[id] = true
	}
	return slices.DeleteFunc(diffs, func(d diff) bool { return !held[d.packageID] }), err
}

// recordSet is the records that changed verdicts rest on.
type recordSet struct {
	byRow  map[int64]recordRow
	byName map[[2]string][]recordRow // feed and id: all versions that are kept, oldest first
	cves   map[string]string         // of an id
	listed map[int64]bool            // rows that CISA lists
}

// recordsOf reads the records on either side of the diffs, with their other
// versions.
func (db *DB) recordsOf(ctx context.Context, diffs []diff) (*recordSet, error) {
	rowIDs := map[int64]bool{}
	for _, d := range diffs {
		for v := range d.was {
			if !d.is[v] {
				rowIDs[v.advisory] = true
			}
		}
		for v := range d.is {
			rowIDs[v.advisory] = rowIDs[v.advisory] || !d.was[v]
		}
	}
	set := &recordSet{byRow: map[int64]recordRow{}, byName: map[[2]string][]recordRow{}, cves: map[string]string{}, listed: map[int64]bool{}}
	list := make([]int64, 0, len(rowIDs))
	for id := range rowIDs {
		list = append(list, id)
	}
	slices.Sort(list)
	rows, err := db.query(ctx, `SELECT a.id, a.feed, a.osv_id, a.since, a.until, a.withdrawn_ms > 0, f.generation, f.dated_ms, f.newest_ms
		FROM advisory a JOIN feed f ON f.name = a.feed
		WHERE a.id IN (SELECT v.id FROM advisory v JOIN advisory n ON v.osv_id = n.osv_id WHERE n.id `+db.inIDs()+`) ORDER BY a.id`, jsonSet(list))
	err = each(rows, err, func(scan func(...any) error) error {
		var r recordRow
		err := scan(&r.id, &r.feed, &r.name, &r.since, &r.until, &r.withdrawn, &r.state.generation, &r.state.dated, &r.state.newest)
		set.byRow[r.id] = r
		key := [2]string{r.feed, r.name}
		set.byName[key] = append(set.byName[key], r)
		if breakwater.IsCVE(r.name) {
			set.cves[r.name] = r.name
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	rows, err = db.query(ctx, `SELECT advisory_id, alias FROM advisory_alias WHERE advisory_id `+db.inIDs()+` AND alias LIKE 'CVE-%' ORDER BY alias DESC`, jsonSet(list))
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		var alias string
		err := scan(&id, &alias)
		if name := set.byRow[id].name; breakwater.IsCVE(alias) && !breakwater.IsCVE(name) {
			set.cves[name] = alias // the lowest comes last
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	listed, err := db.ids(ctx, `SELECT pa.advisory_id FROM (SELECT id AS advisory_id FROM advisory WHERE id `+db.inIDs()+`) AS pa WHERE `+exploited, jsonSet(list))
	for _, id := range listed {
		set.listed[id] = true
	}
	return set, err
}
