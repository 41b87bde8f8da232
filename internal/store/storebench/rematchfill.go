package storebench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"breakwater"
)

// rematchSetting says how a database was filled.
const rematchSetting = prefix + "rematch"

// multiEvery is of how many images one is multi-arch, with the two images before it as its
// platforms.
const multiEvery = 50

func isMulti(n int) bool { return n%multiEvery == multiEvery-1 }

// fill writes the packages, has them judged by the first state of the feeds,
// and then writes the images that hold them, with sums made by one statement.
func (r *rematch) fill(ctx context.Context) error {
	world := NewWorld(r.o.Images, 5)
	if err := world.tenants(ctx, r.db); err != nil {
		return err
	}
	indexes, err := dropIndexes(ctx, r.db, "image", "artifact_package")
	if err != nil {
		return err
	}
	if err := r.packages(ctx); err != nil {
		return err
	}
	r.say("%d package versions written", len(r.software.Packages))
	if err := r.feeds.Write(r.o.Dir); err != nil {
		return err
	}
	if _, err := r.o.Update(ctx, r.db, r.o.Dir); err != nil {
		return err
	}
	r.say("judged by %d advisories", len(r.feeds.list))
	for _, step := range []func(context.Context, *World) error{r.artifacts, r.holdings, r.imageRows} {
		if err := step(ctx, world); err != nil {
			return err
		}
	}
	r.say("%d images with %d pairs written", r.o.Images, r.software.Pairs())
	for _, create := range indexes {
		if err := r.exec(ctx, create); err != nil {
			return err
		}
	}
	if err := r.sums(ctx); err != nil {
		return err
	}
	r.say("summed up")
	return nil
}

func (r *rematch) exec(ctx context.Context, statement string) error {
	_, err := r.db.Writer().ExecContext(ctx, statement)
	return err
}

// insert writes rows in large statements.
func (r *rematch) insert(ctx context.Context, table string, columns []string, rows func(yield func(row ...any) bool)) error {
	tx, err := r.db.Writer().BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	size := 12_000 / len(columns)
	whole, err := tx.PrepareContext(ctx, insert(r.db.Dialect(), table, columns, size))
	if err != nil {
		return err
	}
	defer func() { _ = whole.Close() }()
	args := make([]any, 0, size*len(columns))
	rows(func(row ...any) bool {
		if args = append(args, row...); len(args) == size*len(columns) {
			_, err = whole.ExecContext(ctx, args...)
			args = args[:0]
		}
		return err == nil
	})
	if err == nil && len(args) > 0 {
		_, err = tx.ExecContext(ctx, insert(r.db.Dialect(), table, columns, len(args)/len(columns)), args...)
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

func (r *rematch) packages(ctx context.Context) error {
	return r.insert(ctx, "package", []string{"id", "ecosystem", "name", "version", "feed"}, func(yield func(...any) bool) {
		for n, p := range r.software.Packages {
			if !yield(int64(n+1), p.ecosystem, p.name.name, p.text(), breakwater.BaseEcosystem(p.ecosystem)) {
				return
			}
		}
	})
}

func imageDigest(n int) breakwater.Digest {
	return breakwater.DigestOf([]byte(fmt.Sprint("rematch ", n)))
}

func (r *rematch) artifacts(ctx context.Context, _ *World) error {
	err := r.insert(ctx, "artifact", []string{"id", "digest", "media_type", "size", "scannable", "scanner", "scanned_ms", "judged"}, func(yield func(...any) bool) {
		for n := range r.o.Images {
			media := "application/vnd.oci.image.manifest.v1+json"
			if isMulti(n) {
				media = "application/vnd.oci.image.index.v1+json"
			}
			if !yield(int64(n+1), string(imageDigest(n)), media, int64(1<<26), true, "bench", int64(1), true) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return r.insert(ctx, "artifact_child", []string{"parent_id", "position", "digest", "image"}, func(yield func(...any) bool) {
		for n := range r.o.Images {
			for k := 1; isMulti(n) && k <= 2; k++ {
				if !yield(int64(n+1), int64(k), string(imageDigest(n-k)), true) {
					return
				}
			}
		}
	})
}

// holdings writes the sets, and joins them to their images in the database.
func (r *rematch) holdings(ctx context.Context, _ *World) error {
	for _, s := range []string{`CREATE TABLE bench_set (set_id BIGINT NOT NULL, package_id BIGINT NOT NULL, PRIMARY KEY (set_id, package_id))`,
		`CREATE TABLE bench_hold (artifact_id BIGINT NOT NULL, set_id BIGINT NOT NULL, PRIMARY KEY (artifact_id, set_id))`} {
		if err := r.exec(ctx, s); err != nil {
			return err
		}
	}
	err := r.insert(ctx, "bench_set", []string{"set_id", "package_id"}, func(yield func(...any) bool) {
		for n, set := range r.software.Sets {
			for _, p := range set {
				if !yield(int64(n), int64(p)+1) {
					return
				}
			}
		}
	})
	if err != nil {
		return err
	}
	err = r.insert(ctx, "bench_hold", []string{"artifact_id", "set_id"}, func(yield func(...any) bool) {
		for n, hold := range r.software.Holds {
			for _, set := range hold {
				if !yield(int64(n+1), int64(set)) {
					return
				}
			}
		}
	})
	if err != nil {
		return err
	}
	const step = 5000 // one transaction of all would need as much room again
	for from := 0; from <= r.o.Images; from += step {
		if err := r.exec(ctx, fmt.Sprintf(`INSERT INTO artifact_package (artifact_id, package_id) SELECT h.artifact_id, s.package_id
			FROM bench_hold h JOIN bench_set s ON s.set_id = h.set_id WHERE h.artifact_id >= %d AND h.artifact_id < %d ORDER BY h.artifact_id`, from, from+step)); err != nil {
			return err
		}
	}
	for _, s := range []string{`DROP TABLE bench_set`, `DROP TABLE bench_hold`} {
		if err := r.exec(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// imageRows gives each artifact one name.
func (r *rematch) imageRows(ctx context.Context, w *World) error {
	rnd := rand.New(rand.NewPCG(17, 0))
	project := 0
	left := w.Projects[0].Rows
	return r.insert(ctx, "image", columns, func(yield func(...any) bool) {
		for n := range r.o.Images {
			for ; left == 0; left = w.Projects[project].Rows {
				project++
			}
			left--
			p := w.Projects[project]
			number := skewed(rnd, p.Names)
			row := p.row(w, rnd, p.Registries[rnd.IntN(len(p.Registries))], Namespace(number%p.Namespaces), Name(number), fmt.Sprint("build-", n))
			for at, column := range columns {
				switch column {
				case "digest", "config_digest":
					row[at] = string(imageDigest(n))
				case "multi_arch":
					row[at] = isMulti(n)
				case "level":
					row[at] = ""
				case "vul_num":
					row[at] = int64(0)
				}
			}
			if !yield(row...) {
				return
			}
		}
	})
}

// sums makes the counters of all artifacts and images, as scans would have.
func (r *rematch) sums(ctx context.Context) error {
	level := func(h, m, l string) string {
		return strings.NewReplacer("$h", h, "$m", m, "$l", l).Replace(`CASE WHEN $h > 0 THEN 'High' WHEN $m > 0 THEN 'Medium' WHEN $l > 0 THEN 'Low' ELSE 'Security' END`)
	}
	statements := []string{
		`UPDATE artifact AS a SET high = s.h, medium = s.m, low = s.l, vul_num = s.h + s.m + s.l, level = ` + level("s.h", "s.m", "s.l") + `
			FROM (SELECT ap.artifact_id AS id, sum(p.high) AS h, sum(p.medium) AS m, sum(p.low) AS l FROM artifact_package ap JOIN package p ON p.id = ap.package_id
			GROUP BY ap.artifact_id) AS s WHERE s.id = a.id`,
		`UPDATE artifact AS a SET vul_num = s.n, level = ` + level("s.h", "s.m", "s.l") + `
			FROM (SELECT c.parent_id AS id, max(k.vul_num) AS n, max(k.high) AS h, max(k.medium) AS m, max(k.low) AS l FROM artifact_child c JOIN artifact k ON k.digest = c.digest
			GROUP BY c.parent_id) AS s WHERE s.id = a.id`,
		`UPDATE image AS i SET level = a.level, vul_num = a.vul_num FROM artifact a WHERE a.digest = i.digest`,
		`UPDATE project SET image_rev = 1`,
	}
	for _, s := range statements {
		if err := r.exec(ctx, s); err != nil {
			return err
		}
	}
	return vacuum(ctx, r.db)
}
