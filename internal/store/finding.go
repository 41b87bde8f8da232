package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"breakwater"
)

// FindingFilter selects findings; the zero value selects all.
type FindingFilter struct {
	Severity    breakwater.Severity
	ID          string // the advisory's id or an alias
	PackageName string // as the package manager or as the advisory says it
	Kind        breakwater.PackageKind
	Offset      int
	Limit       int // 0: all
}

func (f FindingFilter) selects(x breakwater.Vulnerability) bool {
	if f.Severity != "" && f.Severity != x.Severity {
		return false
	}
	if f.ID != "" && f.ID != x.AdvisoryID && !slices.Contains(x.Aliases, f.ID) {
		return false
	}
	if f.PackageName != "" && f.PackageName != x.Package.Name && !slices.ContainsFunc(x.Found, func(p breakwater.Package) bool { return p.Name == f.PackageName }) {
		return false
	}
	return f.Kind == "" || slices.ContainsFunc(x.Found, func(p breakwater.Package) bool { return p.Kind == f.Kind })
}

// ImageFindings answers a page of the findings of a digest, the worst first, and
// how many the filter selects in all. The findings of an index are those of its
// children, each problem of a package version once. NotFound when the digest is
// not known. The caller has made sure that the project holds the digest.
func (db *DB) ImageFindings(ctx context.Context, digest breakwater.Digest, f FindingFilter) (page []breakwater.Vulnerability, total int, err error) {
	err = db.View(ctx, func(tx *DB) error {
		a, err := tx.Artifact(ctx, digest)
		if err != nil {
			return err
		}
		digests := []breakwater.Digest{digest}
		if a.IsIndex() {
			digests = nil
		}
		for _, c := range a.Children {
			if c.Image {
				digests = append(digests, c.Digest)
			}
		}
		all, err := tx.findings(ctx, digests)
		if err != nil {
			return err
		}
		if err := tx.locate(ctx, digests, all); err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(x breakwater.Vulnerability) bool { return !f.selects(x) })
		total = len(all)
		from := min(max(f.Offset, 0), total)
		to := total
		if f.Limit > 0 {
			to = min(from+f.Limit, total)
		}
		page = all[from:to]
		return nil
	})
	return page, total, wrap(err, "store.ImageFindings(%s)", digest)
}

func (db *DB) findings(ctx context.Context, digests []breakwater.Digest) (out []breakwater.Vulnerability, err error) {
	position := map[[2]int64]int{}
	advisories := map[int64][]int{}
	rows, err := db.query(ctx, `SELECT DISTINCT p.id, p.ecosystem, p.name, p.version, d.id, d.osv_id, d.feed, d.summary, d.url, d.published_ms,
		pa.severity, pa.score, pa.fixed, pa.rule, pa.also
		FROM artifact a JOIN artifact_package ap ON ap.artifact_id = a.id JOIN package p ON p.id = ap.package_id
		JOIN package_advisory pa ON pa.package_id = p.id JOIN advisory d ON d.id = pa.advisory_id
		WHERE a.digest `+db.inTexts(), jsonSet(digests))
	err = each(rows, err, func(scan func(...any) error) error {
		x := breakwater.Vulnerability{EPSS: -1, Percentile: -1}
		var advisory, published int64
		var also string
		if err := scan(&x.Package.ID, &x.Package.Ecosystem, &x.Package.Name, &x.Package.Version, &advisory, &x.AdvisoryID, &x.Feed, &x.Summary, &x.URL, &published,
			&x.Severity, &x.Score, &x.Fixed, &x.Rule, &also); err != nil {
			return err
		}
		x.Published = fromMS(published)
		if err := json.Unmarshal([]byte(also), &x.Aliases); err != nil {
			return err
		}
		key := [2]int64{x.Package.ID, advisory}
		if _, seen := position[key]; !seen {
			position[key] = len(out)
			advisories[advisory] = append(advisories[advisory], len(out))
			out = append(out, x)
		}
		return nil
	})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	if err := db.nameFindings(ctx, out, advisories); err != nil {
		return nil, err
	}
	if err := db.rateFindings(ctx, out); err != nil {
		return nil, err
	}
	slices.SortFunc(out, compareFindings)
	return out, nil
}

// nameFindings adds the aliases of the advisories.
func (db *DB) nameFindings(ctx context.Context, all []breakwater.Vulnerability, advisories map[int64][]int) error {
	ids := make([]int64, 0, len(advisories))
	for id := range advisories {
		ids = append(ids, id)
	}
	rows, err := db.query(ctx, `SELECT advisory_id, alias FROM advisory_alias WHERE advisory_id `+db.inIDs(), jsonSet(ids))
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		var alias string
		if err := scan(&id, &alias); err != nil {
			return err
		}
		for _, n := range advisories[id] {
			all[n].Aliases = append(all[n].Aliases, alias)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for n := range all {
		x := &all[n]
		slices.Sort(x.Aliases)
		x.Aliases = slices.DeleteFunc(slices.Compact(x.Aliases), func(s string) bool { return s == x.AdvisoryID })
		x.CVEs = breakwater.Advisory{ID: x.AdvisoryID, Aliases: x.Aliases}.CVEs()
	}
	return nil
}

// rateFindings adds what KEV and EPSS say of the CVEs.
func (db *DB) rateFindings(ctx context.Context, all []breakwater.Vulnerability) error {
	byCVE := map[string][]int{}
	for n, x := range all {
		for _, cve := range x.CVEs {
			byCVE[cve] = append(byCVE[cve], n)
		}
	}
	cves := make([]string, 0, len(byCVE))
	for cve := range byCVE {
		cves = append(cves, cve)
	}
	rows, err := db.query(ctx, `SELECT cve FROM kev WHERE cve `+db.inTexts(), jsonSet(cves))
	err = each(rows, err, func(scan func(...any) error) error {
		var cve string
		if err := scan(&cve); err != nil {
			return err
		}
		for _, n := range byCVE[cve] {
			all[n].Exploited, all[n].Severity = true, breakwater.SeverityHigh
		}
		return nil
	})
	if err != nil {
		return err
	}
	rows, err = db.query(ctx, `SELECT e.cve, e.score, e.percentile FROM feed f JOIN epss e ON e.generation = f.generation
		WHERE f.name = ? AND e.cve `+db.inTexts(), breakwater.FeedEPSS, jsonSet(cves))
	return each(rows, err, func(scan func(...any) error) error {
		var cve string
		var score, percentile float64
		if err := scan(&cve, &score, &percentile); err != nil {
			return err
		}
		for _, n := range byCVE[cve] {
			if score > all[n].EPSS {
				all[n].EPSS, all[n].Percentile = score, percentile
			}
		}
		return nil
	})
}

// locate adds where the images hold the packages, from their inventories.
func (db *DB) locate(ctx context.Context, digests []breakwater.Digest, all []breakwater.Vulnerability) error {
	if len(all) == 0 {
		return nil
	}
	where := map[breakwater.PackageVersion][]breakwater.Package{}
	for _, d := range digests {
		inv, err := db.Inventory(ctx, d)
		if breakwater.IsNotFound(err) {
			continue
		}
		if err != nil {
			return err
		}
		for _, p := range inv.Packages {
			if p.Ecosystem == "" || p.OwnedBy != "" {
				continue
			}
			key := breakwater.PackageVersion{Ecosystem: p.MatchEcosystem(), Name: p.MatchName(), Version: p.MatchVersion()}
			where[key] = append(where[key], p)
		}
	}
	for n := range all {
		key := all[n].Package
		key.ID = 0
		all[n].Found = where[key]
	}
	return nil
}

// compareFindings puts the worst first: exploited, severity, score, then by name
// so that pages are stable.
func compareFindings(a, b breakwater.Vulnerability) int {
	rank := map[breakwater.Severity]int{breakwater.SeverityHigh: 0, breakwater.SeverityMedium: 1, breakwater.SeverityLow: 2}
	if a.Exploited != b.Exploited {
		return int(one(b.Exploited) - one(a.Exploited))
	}
	if d := rank[a.Severity] - rank[b.Severity]; d != 0 {
		return d
	}
	if a.Score != b.Score {
		if a.Score > b.Score {
			return -1
		}
		return 1
	}
	for _, pair := range [][2]string{{a.AdvisoryID, b.AdvisoryID}, {a.Package.Ecosystem, b.Package.Ecosystem}, {a.Package.Name, b.Package.Name}, {a.Package.Version, b.Package.Version}} {
		if d := strings.Compare(pair[0], pair[1]); d != 0 {
			return d
		}
	}
	return strings.Compare(a.Feed, b.Feed)
}
