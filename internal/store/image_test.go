package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
)

// world is a database with projects p1 and p2 and a registry r1, r2 in each.
type world struct {
	testing.TB
	db  *store.DB
	ctx context.Context
}

func newWorld(t testing.TB, db *store.DB) *world {
	t.Helper()
	w := &world{TB: t, db: db, ctx: context.Background()}
	w.must(db.CreateDomain(w.ctx, breakwater.Domain{ID: "dom", Name: "dom"}))
	for _, n := range []string{"1", "2"} {
		w.must(db.CreateProject(w.ctx, breakwater.Project{ID: "p" + n, DomainID: "dom", Name: "p" + n}))
		w.must(db.PutRegistry(w.ctx, breakwater.Registry{ID: "r" + n, ProjectID: "p" + n, Name: "reg" + n, Type: breakwater.RegistryHarbor, Status: breakwater.RegistrySuccess}))
	}
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// digest makes a digest of a word.
func digest(s string) breakwater.Digest { return breakwater.DigestOf([]byte(s)) }

// artifact puts an artifact named s and its children.
func (w *world) artifact(s string, children ...string) int64 {
	w.Helper()
	a := breakwater.Artifact{Digest: digest(s), MediaType: "m", ConfigDigest: digest("config " + s), Size: 100, Scannable: true,
		Platform: breakwater.Platform{OS: "linux", Architecture: "amd64"}}
	for _, c := range children {
		a.Children = append(a.Children, breakwater.Child{Digest: digest(c), Platform: breakwater.Platform{OS: "linux", Architecture: c}, Image: c != "attestation"})
	}
	id, err := w.db.PutArtifact(w.ctx, a)
	w.must(err)
	return id
}

// image puts project n's image name:version of artifact s.
func (w *world) image(n, name, version, s string, updated int64) store.PutResult {
	w.Helper()
	a, err := w.db.Artifact(w.ctx, digest(s))
	w.must(err)
	res, err := w.db.PutImage(w.ctx, breakwater.Image{ProjectID: "p" + n, RegistryID: "r" + n, Namespace: "ns", Name: name, Version: version, Digest: digest(s),
		ConfigDigest: a.ConfigDigest, Size: a.Size, MultiArch: a.IsIndex(), Scannable: true, Updated: time.UnixMilli(updated), Synced: time.UnixMilli(7)}, 1)
	w.must(err)
	return res
}

func (w *world) row(n string, id int64) store.ImageRow {
	w.Helper()
	row, err := w.db.Image(w.ctx, "p"+n, id)
	w.must(err)
	return row
}

// finish scans artifact s: its inventory holds the named npm packages.
func (w *world) finish(s string, packages ...string) (id int64, unmatched []int64) {
	w.Helper()
	inv := breakwater.Inventory{Digest: digest(s), Scanner: "t", Coverage: []breakwater.Coverage{{Check: breakwater.CheckSoftware, State: breakwater.StateDone}}}
	for _, p := range packages {
		inv.Packages = append(inv.Packages, breakwater.Package{Ecosystem: "npm", Name: p, Version: "1", Kind: breakwater.PackageApp, Path: "app/" + p})
	}
	id, unmatched, err := w.db.PutInventory(w.ctx, inv)
	w.must(err)
	return id, unmatched
}

// sql runs a statement on the writer, for tables whose functions belong to others.
func (w *world) sql(query string, args ...any) {
	w.Helper()
	if w.db.Dialect() == store.PostgreSQL {
		out, n := "", 0
		for _, c := range query {
			if c == '?' {
				n++
				out += fmt.Sprintf("$%d", n)
				continue
			}
			out += string(c)
		}
		query = out
	}
	_, err := w.db.Writer().ExecContext(w.ctx, query, args...)
	w.must(err)
}

func TestPutImage(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("a")
		w.artifact("b")
		first := w.image("1", "app", "v1", "a", 1000)
		if !first.Created || first.Moved {
			t.Fatalf("first put: %+v", first)
		}
		if again := w.image("1", "app", "v1", "a", 1000); again != (store.PutResult{ID: first.ID}) {
			t.Fatalf("second put: %+v", again)
		}
		w.must(db.MarkImages(w.ctx, "p1", []int64{first.ID}, breakwater.ScanWaiting))
		w.must(db.SetScanState(w.ctx, "p1", digest("a"), breakwater.ScanSuccess, "", "", time.UnixMilli(5000)))
		if row := w.row("1", first.ID); row.ScanStatus != breakwater.ScanSuccess || row.Scanned.UnixMilli() != 5000 || row.RegistryName != "reg1" {
			t.Fatalf("after the scan: %+v", row)
		}
		if moved := w.image("1", "app", "v1", "b", 2000); !moved.Moved || moved.ID != first.ID {
			t.Fatalf("moved put: %+v", moved)
		}
		if row := w.row("1", first.ID); row.ScanStatus != breakwater.ScanNone || !row.Scanned.IsZero() || row.Digest != digest("b") {
			t.Fatalf("after the move: %+v", row)
		}
		if _, err := db.Image(w.ctx, "p2", first.ID); !breakwater.IsNotFound(err) {
			t.Fatalf("another project's image: %v", err)
		}
	})
}

func TestScanStateIsTheProjects(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("a")
		one, two := w.image("1", "app", "v1", "a", 1).ID, w.image("2", "app", "v1", "a", 1).ID
		w.must(db.MarkImages(w.ctx, "p1", []int64{one, two}, breakwater.ScanWaiting))
		w.must(db.SetScanState(w.ctx, "p1", digest("a"), breakwater.ScanRunning, "", "", time.Time{}))
		if got := w.row("2", two).ScanStatus; got != breakwater.ScanNone {
			t.Fatalf("the other project's image is %s", got)
		}
		w.must(db.SetScanState(w.ctx, "p1", digest("a"), breakwater.ScanFailed, breakwater.CodeDownloadFailed, "gone", time.Time{}))
		row := w.row("1", one)
		if row.WireStatus() != breakwater.ScanDownload || row.ScanDetail != "gone" {
			t.Fatalf("after the failure: %+v", row)
		}
		// A rescan that is stopped brings the failure back.
		w.must(db.MarkImages(w.ctx, "p1", []int64{one}, breakwater.ScanWaiting))
		if row := w.row("1", one); row.ScanStatus != breakwater.ScanWaiting || row.ScanCode != "" {
			t.Fatalf("while waiting: %+v", row)
		}
		w.must(db.MarkImages(w.ctx, "p1", []int64{one}, breakwater.ScanNone))
		if row := w.row("1", one); row.WireStatus() != breakwater.ScanDownload {
			t.Fatalf("after the stop: %+v", row)
		}
		// Nothing is under way: a late answer moves nothing.
		w.must(db.SetScanState(w.ctx, "p1", digest("a"), breakwater.ScanSuccess, "", "", time.UnixMilli(9)))
		if row := w.row("1", one); row.WireStatus() != breakwater.ScanDownload {
			t.Fatalf("after a late answer: %+v", row)
		}
	})
}

func TestIndexFollowsItsChildren(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("amd64")
		w.artifact("arm64")
		w.artifact("index", "amd64", "arm64", "attestation")
		id := w.image("1", "app", "v1", "index", 1).ID
		w.must(db.MarkImages(w.ctx, "p1", []int64{id}, breakwater.ScanWaiting))
		state := func(child string, s breakwater.ScanStatus, code breakwater.ScanCode, want breakwater.ScanStatus) {
			t.Helper()
			w.must(db.SetScanState(w.ctx, "p1", digest(child), s, code, "", time.UnixMilli(50)))
			if got := w.row("1", id).ScanStatus; got != want {
				t.Fatalf("after %s %s the index is %s, want %s", child, s, got, want)
			}
		}
		state("attestation", breakwater.ScanSuccess, "", breakwater.ScanWaiting)
		state("amd64", breakwater.ScanRunning, "", breakwater.ScanRunning)
		state("amd64", breakwater.ScanFailed, breakwater.CodeLayers, breakwater.ScanRunning)
		state("arm64", breakwater.ScanSuccess, "", breakwater.ScanFailed)
		row := w.row("1", id)
		if row.ScanCode != breakwater.CodeLayers || len(row.Children) != 2 {
			t.Fatalf("row %+v", row)
		}
		child := row.Children[1]
		if child.Digest != digest("arm64") || child.ScanStatus != breakwater.ScanSuccess || child.Platform.Architecture != "arm64" || child.Name != "app" {
			t.Fatalf("child %+v", child)
		}
		byID := w.row("1", child.ID)
		if diff := cmp.Diff(child.Image, byID.Image); diff != "" {
			t.Fatal(diff)
		}
		if _, err := db.Image(w.ctx, "p2", child.ID); !breakwater.IsNotFound(err) {
			t.Fatalf("another project's child: %v", err)
		}
		w.must(db.MarkImages(w.ctx, "p1", []int64{id}, breakwater.ScanWaiting))
		w.must(db.MarkImages(w.ctx, "p1", []int64{id}, breakwater.ScanNone))
		row = w.row("1", id)
		if row.ScanStatus != breakwater.ScanFailed || row.Children[1].ScanStatus != breakwater.ScanSuccess {
			t.Fatalf("after the stop: %+v", row)
		}
	})
}

func TestDeleteImages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("a")
		for n := range 5 {
			w.image("1", "app", fmt.Sprint("v", n), "a", int64(100+n))
		}
		w.must(db.RefreshLatest(w.ctx, "r1", "ns", "app"))
		latest := func() (out []string) {
			t.Helper()
			yes := true
			rows, total, err := db.Images(w.ctx, "p1", store.ImageFilter{Latest: &yes}, store.ImagePage{})
			w.must(err)
			if total != len(rows) {
				t.Fatalf("total %d of %d", total, len(rows))
			}
			for _, r := range rows {
				out = append(out, r.Version)
			}
			return out
		}
		if diff := cmp.Diff([]string{"v4"}, latest()); diff != "" {
			t.Fatal(diff)
		}
		w.must(db.DeleteImage(w.ctx, "p1", "r1", "ns", "app", "v4"))
		if err := db.DeleteImage(w.ctx, "p2", "r1", "ns", "app", "v3"); !breakwater.IsNotFound(err) {
			t.Fatalf("deleting another project's image: %v", err)
		}
		if diff := cmp.Diff([]string{"v3"}, latest()); diff != "" {
			t.Fatal(diff)
		}
		// Tombstones are kept for 10,000 revisions; an index from before reloads.
		w.sql(`UPDATE project SET image_rev = 20000 WHERE id = 'p1'`)
		w.image("1", "app", "v9", "a", 50)
		w.must(db.DeleteImage(w.ctx, "p1", "r1", "ns", "app", "v9"))
		var floor, graves int64
		w.must(db.Writer().QueryRowContext(w.ctx, `SELECT image_floor, (SELECT count(*) FROM image_gone) FROM project WHERE id = 'p1'`).Scan(&floor, &graves))
		if floor < 10000 || graves != 1 {
			t.Fatalf("floor %d, %d tombstones", floor, graves)
		}
		if diff := cmp.Diff([]string{"v3"}, latest()); diff != "" {
			t.Fatal(diff)
		}
		n, err := db.DeleteUnseenImages(w.ctx, "r1", 1, 10)
		if err != nil || n != 0 {
			t.Fatalf("all were seen: %d, %v", n, err)
		}
		if n, err = db.DeleteUnseenImages(w.ctx, "r1", 2, 3); err != nil || n != 3 {
			t.Fatalf("deleted %d, %v", n, err)
		}
		if len(latest()) != 1 {
			t.Fatal("one image is left and it is the latest")
		}
		if n, err = db.DeleteRegistryImages(w.ctx, "r1", 10); err != nil || n != 1 {
			t.Fatalf("deleted %d, %v", n, err)
		}
	})
}
