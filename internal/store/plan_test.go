package store

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"breakwater"
)

// recorder runs statements and keeps them, each once.
type recorder struct {
	querier
	order []string
	args  map[string][]any
}

func (r *recorder) note(query string, args []any) {
	if _, ok := r.args[query]; !ok {
		r.order = append(r.order, query)
	}
	r.args[query] = args
}

func (r *recorder) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	r.note(query, args)
	return r.querier.ExecContext(ctx, query, args...)
}

func (r *recorder) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	r.note(query, args)
	return r.querier.QueryContext(ctx, query, args...)
}

func (r *recorder) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	r.note(query, args)
	return r.querier.QueryRowContext(ctx, query, args...)
}

// everything runs each function on images once, by its hits and its writes.
func everything(ctx context.Context, t *testing.T, db *DB) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(db.CreateDomain(ctx, breakwater.Domain{ID: "d", Name: "d"}))
	must(db.CreateProject(ctx, breakwater.Project{ID: "p", DomainID: "d", Name: "p"}))
	must(db.PutRegistry(ctx, breakwater.Registry{ID: "r", ProjectID: "p", Name: "r", Type: breakwater.RegistryHarbor, Status: breakwater.RegistrySuccess}))
	put := func(word string, children ...breakwater.Child) (breakwater.Digest, int64, int64) {
		d := breakwater.DigestOf([]byte(word))
		artifact, err := db.PutArtifact(ctx, breakwater.Artifact{Digest: d, MediaType: "m", Scannable: true, Children: children})
		must(err)
		res, err := db.PutImage(ctx, breakwater.Image{ProjectID: "p", RegistryID: "r", Namespace: "n", Name: "i", Version: word, Digest: d, MultiArch: children != nil, Scannable: true}, 1)
		must(err)
		return d, artifact, res.ID
	}
	plain, artifact, one := put("plain")
	index, _, two := put("index", breakwater.Child{Digest: plain, Image: true})
	put("other")
	_, err := db.PutImage(ctx, breakwater.Image{ProjectID: "p", RegistryID: "r", Namespace: "n", Name: "i", Version: "other", Digest: plain, Scannable: true}, 1)
	must(err)
	must(db.RefreshLatest(ctx, "r", "n", "i"))
	must(db.MarkImages(ctx, "p", []int64{one, two}, breakwater.ScanWaiting))
	must(db.SetScanState(ctx, "p", plain, breakwater.ScanRunning, "", "", time.Time{}))
	must(db.MarkImages(ctx, "p", []int64{one, two}, breakwater.ScanNone))
	must(db.MarkImages(ctx, "p", []int64{one, two}, breakwater.ScanWaiting))
	must(db.SetScanState(ctx, "p", plain, breakwater.ScanSuccess, "", "", time.UnixMilli(1)))
	_, unmatched, err := db.PutInventory(ctx, breakwater.Inventory{Digest: plain, Packages: []breakwater.Package{{Ecosystem: "npm", Name: "a", Version: "1"}}})
	must(err)
	must(db.RefreshCounters(ctx, []int64{artifact}))
	_, err = db.exec(ctx, `INSERT INTO advisory (feed, since, osv_id, hash, severity) VALUES ('npm', 1, 'CVE-2024-0001', '', 'low')`)
	must(err)
	_, err = db.exec(ctx, `INSERT INTO package_advisory (package_id, advisory_id, severity) SELECT CAST(? AS BIGINT), id, severity FROM advisory WHERE osv_id = 'CVE-2024-0001'`, unmatched[0])
	must(err)
	must(db.RefreshPackages(ctx, unmatched))
	_, _, err = db.ImageFindings(ctx, index, FindingFilter{})
	must(err)
	row, err := db.Image(ctx, "p", two)
	must(err)
	_, err = db.Image(ctx, "p", row.Children[0].ID)
	must(err)
	for _, f := range []ImageFilter{{}, {IDs: []int64{one}}, {Namespace: "n", Name: "i", Version: "plain"}, {RegistryName: "r", Type: breakwater.ImageHarbor}} {
		_, err = db.FindImages(ctx, "p", f, 10)
		must(err)
		_, err = db.SelectImageIDs(ctx, "p", f)
		must(err)
	}
	ix := &imageIndex{cols: newColumns(0)}
	rows, total, done, err := db.imagesByIndex(ctx, ix, "p", ImageFilter{Type: breakwater.ImageHarbor}, ImagePage{})
	must(err)
	if len(rows) != 3 || total != 3 || !done {
		t.Fatalf("%d rows of %d, done %v", len(rows), total, done)
	}
	must(db.eachImageFacts(ctx, func(imageFacts) {}, loadQuery, "p"))
	must(db.eachImageFacts(ctx, func(imageFacts) {}, db.deltaQuery(), "p", 0))
	must(db.DeleteImage(ctx, "p", "r", "n", "i", "index"))
	_, err = db.DeleteUnseenImages(ctx, "r", 2, 1)
	must(err)
	_, err = db.DeleteRegistryImages(ctx, "r", 10)
	must(err)
}

// large are the tables that a statement must not read whole.
var large = []string{"image", "artifact", "artifact_child", "artifact_package", "artifact_inventory", "package", "package_advisory", "child_scan", "image_gone", "image_stamp", "advisory", "advisory_alias", "epss"}

// TestPlans holds every statement on images to their indexes: none reads a large
// table whole, and only those that speak of a whole project read all its images.
func TestPlans(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		db, err := Open(t.Context(), Options{Path: filepath.Join(t.TempDir(), "plan.db")})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		checkPlans(t, db, "EXPLAIN QUERY PLAN ", func(line string) string {
			for _, table := range append(large, "i", "a", "p", "c", "ap", "pa", "cs", "one", "al", "ad", "e") {
				if line == "SCAN "+table || strings.HasPrefix(line, "SCAN "+table+" USING") {
					return "reads a table whole"
				}
			}
			if strings.HasSuffix(line, "USING INDEX image_rev (project_id=?)") || strings.HasSuffix(line, "USING INDEX image_scanned (project_id=?)") ||
				strings.HasSuffix(line, "USING INDEX image_name (project_id=?)") {
				return wholeProject
			}
			return ""
		})
	})
	if dsn := os.Getenv("BREAKWATER_TEST_POSTGRES"); dsn != "" {
		t.Run("postgres", func(t *testing.T) { checkPostgresPlans(t, dsn) })
	}
}

// TestPlannedBySize: PostgreSQL sees how many ids a set has.
func TestPlannedBySize(t *testing.T) {
	dsn := os.Getenv("BREAKWATER_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("BREAKWATER_TEST_POSTGRES names no database")
	}
	pg, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = pg.Close() }()
	db := &DB{shared: &shared{dialect: PostgreSQL, reader: pg, writer: pg}}
	for _, n := range []int{1, 70_000} {
		var plan string
		if err := db.queryRow(t.Context(), `EXPLAIN SELECT m.id FROM `+idTable, planned, make([]int64, n)).Scan(&plan); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(" rows=%d ", n); !strings.Contains(plan, want) {
			t.Errorf("a set of %d ids: %s", n, plan)
		}
	}
}

// checkPostgresPlans forbids sequential scans, which small tables invite, and
// finds the statements that have no other way.
func checkPostgresPlans(t *testing.T, dsn string) {
	schema := breakwater.NewID("plan_")
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal("BREAKWATER_TEST_POSTGRES must be a URL")
	}
	q := u.Query()
	q.Set("search_path", schema)
	q.Set("enable_seqscan", "off")
	u.RawQuery = q.Encode()
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	if _, err := admin.ExecContext(t.Context(), "CREATE SCHEMA "+schema); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if _, err := admin.Exec("DROP SCHEMA " + schema + " CASCADE"); err != nil {
			t.Error(err)
		}
	}()
	db, err := Open(t.Context(), Options{Postgres: u.String()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	checkPlans(t, db, "EXPLAIN ", func(line string) string {
		for _, table := range large {
			if strings.Contains(line, "Seq Scan on "+table+" ") {
				return "reads a table whole"
			}
		}
		return ""
	})
}

const wholeProject = "reads a whole project"

// projectWide begins the statements that speak of a whole project.
func projectWide(query string) bool {
	return query == loadQuery || strings.HasSuffix(query, "WHERE i.project_id = ? ORDER BY i.id") ||
		strings.HasSuffix(query, "WHERE i.project_id = ? ORDER BY i.id LIMIT ?") || strings.Contains(query, "r.name = ? AND r.type")
}

// checkPlans runs everything in a transaction that is undone, then asks for the
// plan of each statement and has each of its lines judged.
func checkPlans(t *testing.T, db *DB, explain string, judge func(line string) string) {
	tx, err := db.writer.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	r := &recorder{querier: tx, args: map[string][]any{}}
	everything(t.Context(), t, &DB{shared: db.shared, q: r, write: true, time: time.UnixMilli(1)})
	if len(r.order) < 50 {
		t.Fatalf("only %d statements were seen", len(r.order))
	}
	for _, query := range r.order {
		rows, err := tx.QueryContext(t.Context(), explain+query, r.args[query]...)
		if err != nil {
			t.Fatalf("%v: %s", err, query)
		}
		var plan []string
		for rows.Next() {
			cols, _ := rows.Columns()
			cells := make([]any, len(cols))
			for n := range cells {
				cells[n] = new(any)
			}
			if err := rows.Scan(cells...); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, strings.TrimSpace(fmt.Sprint(*cells[len(cells)-1].(*any))))
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		for _, line := range plan {
			if bad := judge(line); bad != "" && (bad != wholeProject || !projectWide(query)) {
				t.Errorf("%s: %s\n%s\n  %s", line, bad, query, strings.Join(plan, "\n  "))
			}
		}
	}
}
