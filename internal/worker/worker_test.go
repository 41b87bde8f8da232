package worker_test

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/audit"
	"breakwater/internal/catalog"
	"breakwater/internal/detect"
	"breakwater/internal/job"
	"breakwater/internal/keyring"
	"breakwater/internal/malware"
	"breakwater/internal/netguard"
	"breakwater/internal/oci"
	"breakwater/internal/password"
	"breakwater/internal/scan"
	"breakwater/internal/secret"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
	"breakwater/internal/upstream"
	"breakwater/internal/upstreamtest"
	"breakwater/internal/worker"
)

// yard is every room a job needs, over a real database and real HTTP.
type yard struct {
	db      *store.DB
	keys    *keyring.Keyring
	queue   *job.Queue
	catalog *catalog.Catalog
	worker  *worker.Worker
	project string
}

// newYard updates advisories by itself only when every is above 0.
func newYard(t *testing.T, db *store.DB, o catalog.Options, every ...time.Duration) *yard {
	t.Helper()
	ctx := context.Background()
	y := &yard{db: db, project: breakwater.NewID("prj")}
	guard, err := netguard.New(netguard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	must(t, err)
	client, err := guard.Client(netguard.ClientOptions{})
	must(t, err)
	y.keys, err = keyring.Open(t.TempDir(), keyring.Options{})
	must(t, err)
	y.queue, err = job.New(ctx, db, job.Options{Instance: "test", PollInterval: 20 * time.Millisecond, Every: time.Hour, Pause: 20 * time.Millisecond})
	must(t, err)
	y.catalog = catalog.New(db, y.queue, o)
	scanner := newScanner(t, db)
	rules, err := audit.New(audit.Options{})
	must(t, err)
	y.worker, err = worker.New(db, y.catalog, y.queue, y.keys, worker.Local{Scanner: scanner}, rules, worker.Options{
		Embedded: func(context.Context, string, string, string) (oci.Source, error) {
			return nil, breakwater.NotFound("repository")
		},
		Upstream: upstream.Options{HTTP: client, Attempts: 2, Pause: func(context.Context, time.Duration) error { return nil }},
		Feeds:    worker.FeedOptions{From: feedDir(t), TempDir: t.TempDir(), Every: append(every, 0)[0]}, FeedClient: http.DefaultClient,
	})
	must(t, err)
	must(t, db.CreateDomain(ctx, breakwater.Domain{ID: "dom", Name: "dom"}))
	must(t, db.CreateProject(ctx, breakwater.Project{ID: y.project, DomainID: "dom", Name: "one"}))
	return y
}

// newScanner is one that looks for everything, as the server's does.
func newScanner(t *testing.T, db *store.DB) *scan.Scanner {
	t.Helper()
	o := scan.Options{TempDir: t.TempDir()}
	var err error
	o.Secrets, err = secret.New(secret.Options{})
	must(t, err)
	o.Malware, err = malware.New(detect.Kind, malware.Options{TempDir: t.TempDir()})
	must(t, err)
	o.Passwords, err = password.New(password.Options{})
	must(t, err)
	s, err := scan.New(db.LayerCache(), o)
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// feedDir is a directory of one feed with one advisory.
func feedDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Create(filepath.Join(dir, "npm.zip"))
	must(t, err)
	z := zip.NewWriter(f)
	w, err := z.Create("GHSA-aaaa-bbbb-cccc.json")
	must(t, err)
	_, err = w.Write([]byte(`{"id":"GHSA-aaaa-bbbb-cccc","modified":"2026-01-02T00:00:00Z","published":"2026-01-01T00:00:00Z","aliases":["CVE-2026-1"],
		"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
		"affected":[{"package":{"ecosystem":"npm","name":"left-pad"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]}]}`))
	must(t, err)
	must(t, z.Close())
	must(t, f.Close())
	return dir
}

// lock is an npm lock file that installs left-pad at a version.
func lock(version string) map[string]string {
	return map[string]string{"srv/package-lock.json": `{"name":"a","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"a","version":"1.0.0"},
		"node_modules/left-pad":{"version":"` + version + `"}}}`}
}

// add onboards a registry as the door does.
func (y *yard) add(t *testing.T, r breakwater.Registry, password string) breakwater.Registry {
	t.Helper()
	r.ProjectID, r.EnterpriseProjectID, r.ClusterID = y.project, "0", breakwater.LocalCluster
	must(t, y.keys.Put(context.Background(), r.ID, password))
	must(t, y.catalog.AddRegistry(context.Background(), r))
	return r
}

// work runs the jobs until done is true.
func (y *yard) work(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- y.queue.Run(ctx, y.worker.Handlers(), 10*time.Second) }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s did not come about; the jobs:\n%s", what, y.jobs(t))
		case <-tick.C:
		}
	}
	cancel()
	must(t, <-ended)
}

// jobs says how every job and every registry stands.
func (y *yard) jobs(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	for _, query := range []string{
		`SELECT kind, CAST(args AS TEXT), CAST(state AS TEXT), CAST(attempt AS TEXT), COALESCE(CAST(errors AS TEXT), '') FROM river_job ORDER BY id`,
		`SELECT type, status, fail_reason, fail_detail, '' FROM registry`,
		`SELECT name, version, scan_status, scan_code, digest FROM image`,
	} {
		rows, err := y.db.Writer().Query(query)
		must(t, err)
		for rows.Next() {
			var f [5]string
			must(t, rows.Scan(&f[0], &f[1], &f[2], &f[3], &f[4]))
			fmt.Fprintln(&out, strings.Join(f[:], " "))
		}
		must(t, errors.Join(rows.Err(), rows.Close()))
	}
	return out.String()
}

func (y *yard) images(t *testing.T, f store.ImageFilter) map[string]store.ImageRow {
	t.Helper()
	rows, _, err := y.db.Images(context.Background(), y.project, f, store.ImagePage{Limit: 200})
	must(t, err)
	out := map[string]store.ImageRow{}
	for _, r := range rows {
		out[r.Namespace+"/"+r.Name+":"+r.Version] = r
	}
	return out
}

func (y *yard) allScanned(t *testing.T, n int) func() bool {
	return func() bool {
		rows := y.images(t, store.ImageFilter{ScanStatus: breakwater.ScanSuccess})
		return len(rows) == n
	}
}

func TestOnboardSyncScan(t *testing.T) {
	for _, kind := range []upstreamtest.Kind{upstreamtest.HarborV2, upstreamtest.HarborV1, upstreamtest.Artifactory, upstreamtest.Plain} {
		t.Run(string(kind), func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, db *store.DB) { onboard(t, db, kind) })
		})
	}
}

func onboard(t *testing.T, db *store.DB, kind upstreamtest.Kind) {
	ctx := context.Background()
	s := upstreamtest.Start(upstreamtest.Options{Kind: kind, Username: "robot", Password: `p'a"$ s`})
	defer s.Close()
	bad, good := upstreamtest.Image(lock("1.1.0")), upstreamtest.Image(lock("1.2.0"))
	s.Tag("team/app", "1", bad)
	s.Tag("team/app", "2", good)
	s.Tag("team/sub/multi", "x", upstreamtest.Index(upstreamtest.PlatformImage("linux/amd64", lock("1.2.0")), upstreamtest.PlatformImage("linux/arm64", lock("1.0.0"))))

	y := newYard(t, db, catalog.Options{})
	must(t, func() error {
		_, err := worker.UpdateFeeds(ctx, db, nil, worker.FeedOptions{From: feedDir(t)})
		return err
	}())
	r := y.add(t, s.Registry(breakwater.NewID("reg")), `p'a"$ s`)
	y.work(t, "three scanned images", y.allScanned(t, 3))

	got := y.images(t, store.ImageFilter{})
	for name, want := range map[string]struct {
		vuls  int
		level breakwater.Level
	}{"team/app:1": {1, breakwater.LevelHigh}, "team/app:2": {0, breakwater.LevelSecurity}, "team/sub/multi:x": {1, breakwater.LevelHigh}} {
		row, ok := got[name]
		if !ok || row.VulNum != want.vuls || row.Level != want.level {
			t.Errorf("%s = %d findings, level %q (there: %v); want %+v", name, row.VulNum, row.Level, ok, want)
		}
	}
	if multi := got["team/sub/multi:x"]; !multi.MultiArch || len(multi.Children) != 2 {
		t.Errorf("the index shows %d platforms", len(multi.Children))
	}
	stored, err := db.Registry(ctx, y.project, r.ID)
	if err != nil || stored.Status != breakwater.RegistrySuccess || stored.ImagesNum != 3 || stored.LatestSync.IsZero() {
		t.Fatalf("registry = %+v, %v", stored, err)
	}

	// A tag moves, one goes, one comes.
	s.Tag("team/app", "2", bad)
	s.Untag("team/app", "1")
	s.Tag("team/new", "1", good)
	task, err := y.catalog.StartSync(ctx, y.project, breakwater.TaskManualSync, []breakwater.Registry{stored})
	must(t, err)
	y.work(t, "the second sync", func() bool {
		tasks, _, err := db.SyncTasks(ctx, y.project, store.TaskFilter{ID: task.ID, Limit: 1})
		must(t, err)
		return tasks[0].State == breakwater.TaskFinished && y.allScanned(t, 3)()
	})
	got = y.images(t, store.ImageFilter{})
	if _, there := got["team/app:1"]; there || len(got) != 3 {
		t.Errorf("after the second sync: %d images, the removed tag there: %v", len(got), there)
	}
	if moved := got["team/app:2"]; moved.VulNum != 1 {
		t.Errorf("the moved tag = %+v", moved)
	}
	if fresh := got["team/new:1"]; fresh.VulNum != 0 || fresh.ScanStatus != breakwater.ScanSuccess {
		t.Errorf("the new tag = %+v", fresh)
	}
}

// TestScanAskedForAtTheEnd: a scan that nobody waits for is about to end when
// somebody asks for it, and gets no job of his own because this one is open.
func TestScanAskedForAtTheEnd(t *testing.T) {
	db := storetest.SQLite(t) // whose one writer makes the order certain
	ctx := context.Background()
	s := upstreamtest.Start(upstreamtest.Options{Kind: upstreamtest.HarborV2, Username: "robot", Password: "right"})
	defer s.Close()
	s.Tag("team/app", "1", upstreamtest.Image(lock("1.1.0")))
	y := newYard(t, db, catalog.Options{NoScanOnSync: true})
	y.add(t, s.Registry(breakwater.NewID("reg")), "right")
	y.work(t, "one image", func() bool { return len(y.images(t, store.ImageFilter{})) == 1 })
	row := y.images(t, store.ImageFilter{})["team/app:1"]

	ended := make(chan error, 1)
	must(t, db.Tx(ctx, func(tx *store.DB) error {
		go func() {
			ended <- y.worker.Handlers().Scan(ctx, job.Scan{ProjectID: y.project, Digest: row.Digest.String()}, false)
		}()
		time.Sleep(200 * time.Millisecond) // the job has seen that nobody waits, and waits to write
		return tx.MarkImages(ctx, y.project, []int64{row.ID}, breakwater.ScanWaiting)
	}))
	must(t, <-ended)
	if got := y.images(t, store.ImageFilter{})["team/app:1"].ScanStatus; got != breakwater.ScanSuccess {
		t.Errorf("the image that was asked for is %s", got)
	}
}

func TestOnboardWrongPassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := upstreamtest.Start(upstreamtest.Options{Kind: upstreamtest.HarborV2, Username: "robot", Password: "right"})
		defer s.Close()
		y := newYard(t, db, catalog.Options{})
		r := y.add(t, s.Registry(breakwater.NewID("reg")), "wrong")
		var stored breakwater.Registry
		y.work(t, "a failed registry", func() bool {
			var err error
			stored, err = db.RegistryByID(context.Background(), r.ID)
			must(t, err)
			return stored.Status == breakwater.RegistryFail
		})
		if stored.FailReason != breakwater.FailRequestAPI || stored.FailDetail == "" {
			t.Fatalf("registry = %+v", stored)
		}
	})
}

func TestScanFailureStandsBesideTheVerdict(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s := upstreamtest.Start(upstreamtest.Options{Kind: upstreamtest.Plain, Username: "u", Password: "p"})
		defer s.Close()
		s.Tag("team/app", "1", upstreamtest.Image(lock("1.1.0")))
		y := newYard(t, db, catalog.Options{})
		_, err := worker.UpdateFeeds(ctx, db, nil, worker.FeedOptions{From: feedDir(t)})
		must(t, err)
		y.add(t, s.Registry(breakwater.NewID("reg")), "p")
		y.work(t, "a scanned image", y.allScanned(t, 1))

		s.SetPassword("changed")
		row := y.images(t, store.ImageFilter{})["team/app:1"]
		task, err := y.catalog.StartScan(ctx, breakwater.ScanTask{ProjectID: y.project, Type: breakwater.TaskManual, Scope: breakwater.ScopeAll}, []int64{row.ID})
		must(t, err)
		y.work(t, "a failed scan", func() bool {
			got, err := db.ScanTask(ctx, y.project, task.ID)
			must(t, err)
			return got.State == breakwater.TaskFinished
		})
		row = y.images(t, store.ImageFilter{})["team/app:1"]
		if row.ScanStatus != breakwater.ScanFailed || row.ScanCode != breakwater.CodeAuthentication || row.VulNum != 1 || row.Scanned.IsZero() {
			t.Fatalf("image = %+v: the last good verdict must stay", row.Image)
		}
	})
}

// TestOneBrokenImageDoesNotHoldUpTheRest: a registry that cannot give one of its
// manifests still shows all its images, and the broken one says why.
func TestOneBrokenImageDoesNotHoldUpTheRest(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := upstreamtest.Start(upstreamtest.Options{Kind: upstreamtest.HarborV2, Username: "u", Password: "p"})
		defer s.Close()
		broken := upstreamtest.Index(upstreamtest.PlatformImage("linux/amd64", lock("1.0.0")), upstreamtest.PlatformImage("linux/arm64", lock("1.2.0")))
		s.Tag("team/broken", "1", broken)
		for _, name := range []string{"a", "b", "c"} {
			s.Tag("team/"+name, "1", upstreamtest.Image(lock("1.2.0"), map[string]string{"name": name}))
		}
		s.Break(upstreamtest.Fault{Path: "/manifests/" + broken.Digest.String(), How: upstreamtest.Status, Code: 500})
		y := newYard(t, db, catalog.Options{})
		y.add(t, s.Registry(breakwater.NewID("reg")), "p")
		y.work(t, "three good images and a failed one", func() bool {
			return y.allScanned(t, 3)() && len(y.images(t, store.ImageFilter{ScanStatus: breakwater.ScanFailed})) == 1
		})
		row := y.images(t, store.ImageFilter{})["team/broken:1"]
		if row.ScanCode != breakwater.CodeDownloadFailed {
			t.Fatalf("the broken image = %+v", row.Image)
		}

		// The registry gives it again: the next sync learns what it is, platforms
		// and all, and has it scanned.
		s.Mend()
		r, err := db.Registry(context.Background(), y.project, row.RegistryID)
		must(t, err)
		_, err = y.catalog.StartSync(context.Background(), y.project, breakwater.TaskManualSync, []breakwater.Registry{r})
		must(t, err)
		y.work(t, "four good images", y.allScanned(t, 4))
		if row = y.images(t, store.ImageFilter{})["team/broken:1"]; !row.MultiArch || len(row.Children) != 2 {
			t.Fatalf("the mended image = %+v with %d platforms", row.Image, len(row.Children))
		}
	})
}

// TestCatchUp: an import that ended between showing its advisories and judging
// what they name is finished by the next start.
func TestCatchUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s := upstreamtest.Start(upstreamtest.Options{Kind: upstreamtest.Plain, Username: "u", Password: "p"})
		defer s.Close()
		s.Tag("team/app", "1", upstreamtest.Image(lock("1.1.0")))
		y := newYard(t, db, catalog.Options{})
		y.add(t, s.Registry(breakwater.NewID("reg")), "p")
		y.work(t, "a scanned image", y.allScanned(t, 1))

		cut, cancel := context.WithCancel(ctx)
		_, err := worker.UpdateFeeds(cut, db, nil, worker.FeedOptions{From: feedDir(t), Result: func(worker.FeedResult) { cancel() }})
		if err == nil {
			t.Fatal("the import was to be cut short")
		}
		if row := y.images(t, store.ImageFilter{})["team/app:1"]; row.VulNum != 0 {
			t.Fatalf("judged already: %+v", row.Image)
		}
		must(t, y.worker.CatchUp(ctx))
		if row := y.images(t, store.ImageFilter{})["team/app:1"]; row.VulNum != 1 || row.Level != breakwater.LevelHigh {
			t.Fatalf("after the next start: %+v", row.Image)
		}
	})
}

// TestUpdateWhenDue: advisories are read by themselves when nobody asked their
// source for a while, and what is there already is judged by them.
func TestUpdateWhenDue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := upstreamtest.Start(upstreamtest.Options{Kind: upstreamtest.Plain, Username: "u", Password: "p"})
		defer s.Close()
		s.Tag("team/app", "1", upstreamtest.Image(lock("1.1.0")))
		y := newYard(t, db, catalog.Options{}, time.Hour)
		y.add(t, s.Registry(breakwater.NewID("reg")), "p")
		y.work(t, "a finding", func() bool { return y.images(t, store.ImageFilter{})["team/app:1"].VulNum == 1 })
	})
}
