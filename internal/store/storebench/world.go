package storebench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"breakwater"
	"breakwater/internal/store"
)

// prefix begins the id of every project of a benchmark, and names the setting
// that says how a database was filled; a database in use is left alone.
const prefix = "prjbench"

// World is what the database is filled with: names to ask for.
type World struct {
	Rows     int
	Projects []Project // the largest first
	Now      time.Time
}

// Project is one tenant of a World.
type Project struct {
	ID         string
	Rows       int
	Registries []breakwater.Registry
	Namespaces int
	Names      int
}

var types = []breakwater.RegistryType{breakwater.RegistryHarbor, breakwater.RegistrySwrPrivate, breakwater.RegistryJfrog,
	breakwater.RegistrySwrEnterprise, breakwater.RegistryOther, breakwater.RegistrySwrShared}

// NewWorld plans rows images over so many projects, the k-th of which holds a
// share of 1/k.
func NewWorld(rows, projects int) *World {
	w := &World{Rows: rows, Now: time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC)}
	sum := 0.0
	for k := range projects {
		sum += 1 / float64(k+1)
	}
	left := rows
	for k := range projects {
		n := min(left, int(float64(rows)/float64(k+1)/sum)+1)
		left -= n
		p := Project{ID: fmt.Sprint(prefix, k), Rows: n, Namespaces: max(2, n/4000), Names: max(3, n/12)}
		for r := range 4 + k%3 {
			p.Registries = append(p.Registries, breakwater.Registry{ID: fmt.Sprintf("regbench%d-%d", k, r), ProjectID: p.ID,
				Name: fmt.Sprintf("registry-%d", r), Type: types[r%len(types)], Status: breakwater.RegistrySuccess})
		}
		w.Projects = append(w.Projects, p)
	}
	return w
}

// pools of multi-arch artifacts that images share.
const (
	indexes  = 2000
	platform = 3
)

// Fill writes the world into an empty database; one that holds it already is
// used as it is.
func (w *World) Fill(ctx context.Context, db *store.DB) error {
	size := fmt.Sprint(w.Rows, " images, ", len(w.Projects), " projects")
	switch filled, err := db.Setting(ctx, prefix); {
	case filled == size:
		return nil
	case err == nil:
		return breakwater.Errorf(breakwater.KindConflict, "the database holds a benchmark of another size: %s", filled)
	case !breakwater.IsNotFound(err):
		return err
	}
	var projects int
	if err := db.Writer().QueryRowContext(ctx, `SELECT count(*) FROM project`).Scan(&projects); err != nil {
		return err
	}
	if projects > 0 {
		return breakwater.Errorf(breakwater.KindConflict, "the database is in use; a benchmark needs one of its own")
	}
	if err := w.tenants(ctx, db); err != nil {
		return err
	}
	if err := w.artifacts(ctx, db); err != nil {
		return err
	}
	indexes, err := dropIndexes(ctx, db, "image")
	if err != nil {
		return err
	}
	for k := range w.Projects {
		if err := w.images(ctx, db, k); err != nil {
			return err
		}
	}
	for _, create := range indexes {
		if _, err := db.Writer().ExecContext(ctx, create); err != nil {
			return err
		}
	}
	if err := vacuum(ctx, db); err != nil {
		return err
	}
	return db.PutSetting(ctx, prefix, size)
}

// vacuum does on PostgreSQL what autovacuum would do soon. It names our tables: a
// VACUUM of all fails when somebody else's table is dropped under it, as those of
// other tests are.
func vacuum(ctx context.Context, db *store.DB) error {
	if db.Dialect() != store.PostgreSQL {
		return nil
	}
	var tables string
	err := db.Writer().QueryRowContext(ctx, `SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = current_schema()`).Scan(&tables)
	if err != nil {
		return err
	}
	_, err = db.Writer().ExecContext(ctx, `VACUUM ANALYZE `+tables)
	return err
}

// dropIndexes drops the indexes of tables, which are filled many times faster
// without, and answers the statements that make them.
func dropIndexes(ctx context.Context, db *store.DB, tables ...string) (create []string, err error) {
	var names []string
	for _, table := range tables {
		query := `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = '` + table + `' AND sql IS NOT NULL`
		if db.Dialect() == store.PostgreSQL {
			query = `SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
				WHERE x.indrelid = '` + table + `'::regclass AND NOT x.indisunique`
		}
		rows, err := db.Writer().QueryContext(ctx, query)
		if err != nil {
			return nil, err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var name, sql string
			if err := rows.Scan(&name, &sql); err != nil {
				return nil, err
			}
			names, create = append(names, name), append(create, sql)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		_ = rows.Close() // SQLite has one writer
	}
	for _, name := range names {
		if _, err := db.Writer().ExecContext(ctx, `DROP INDEX `+name); err != nil {
			return nil, err
		}
	}
	return create, nil
}

func (w *World) tenants(ctx context.Context, db *store.DB) error {
	return db.Tx(ctx, func(tx *store.DB) error {
		if err := tx.CreateDomain(ctx, breakwater.Domain{ID: "dombench", Name: "bench"}); err != nil {
			return err
		}
		for _, p := range w.Projects {
			if err := tx.CreateProject(ctx, breakwater.Project{ID: p.ID, DomainID: "dombench", Name: p.ID}); err != nil {
				return err
			}
			for _, r := range p.Registries {
				if err := tx.PutRegistry(ctx, r); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func indexDigest(n int) breakwater.Digest {
	return breakwater.DigestOf([]byte(fmt.Sprint("index ", n)))
}

// artifacts puts the indexes that multi-arch images name, three platforms each.
func (w *World) artifacts(ctx context.Context, db *store.DB) error {
	return db.Tx(ctx, func(tx *store.DB) error {
		for n := range indexes {
			index := breakwater.Artifact{Digest: indexDigest(n), MediaType: "application/vnd.oci.image.index.v1+json", Scannable: true}
			for c, arch := range [platform]string{"amd64", "arm64", "s390x"} {
				child := breakwater.Artifact{Digest: breakwater.DigestOf([]byte(fmt.Sprint("child ", n, c))), ConfigDigest: breakwater.DigestOf([]byte{byte(n), byte(c)}),
					MediaType: "application/vnd.oci.image.manifest.v1+json", Size: 1 << 20, Scannable: true, Platform: breakwater.Platform{OS: "linux", Architecture: arch}}
				if _, err := tx.PutArtifact(ctx, child); err != nil {
					return err
				}
				index.Children = append(index.Children, breakwater.Child{Digest: child.Digest, Platform: child.Platform, Image: true})
			}
			if _, err := tx.PutArtifact(ctx, index); err != nil {
				return err
			}
		}
		return nil
	})
}

var columns = []string{"project_id", "enterprise_project_id", "registry_id", "namespace", "name", "version", "digest", "config_digest", "size",
	"multi_arch", "latest", "updated_ms", "synced_ms", "scanned_ms", "scan_status", "scan_code", "level", "vul_num", "unsafe_setting_num",
	"malicious_file_num", "instance_id", "instance_name", "rev"}

// batch is the rows of one INSERT: below the 32,766 values SQLite binds.
const batch = 500

// images writes project k's rows in large statements, as no door would.
func (w *World) images(ctx context.Context, db *store.DB, k int) error {
	rnd := rand.New(rand.NewPCG(7, uint64(k)))
	next := w.Projects[k].generator(w, rnd)
	tx, err := db.Writer().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, fmt.Sprintf(`UPDATE project SET image_rev = 1 WHERE id = '%s'`, w.Projects[k].ID)); err != nil {
		return err
	}
	whole, err := tx.PrepareContext(ctx, insert(db.Dialect(), "image", columns, batch))
	if err != nil {
		return err
	}
	defer func() { _ = whole.Close() }()
	for left := w.Projects[k].Rows; left > 0; {
		n := min(left, batch)
		left -= n
		args := make([]any, 0, n*len(columns))
		for range n {
			args = append(args, next()...)
		}
		if n == batch {
			_, err = whole.ExecContext(ctx, args...)
		} else {
			_, err = tx.ExecContext(ctx, insert(db.Dialect(), "image", columns, n), args...)
		}
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// insert is one statement for n rows of a table in the dialect's placeholders.
func insert(d store.Dialect, table string, columns []string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `INSERT INTO %s (%s) VALUES `, table, strings.Join(columns, ", "))
	for row := range n {
		for col := range columns {
			b.WriteString(map[bool]string{true: "(", false: ","}[col == 0])
			if d == store.PostgreSQL {
				fmt.Fprintf(&b, "$%d", row*len(columns)+col+1)
			} else {
				b.WriteByte('?')
			}
		}
		b.WriteByte(')')
		if row < n-1 {
			b.WriteByte(',')
		}
	}
	return b.String()
}
