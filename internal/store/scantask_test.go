package store_test

import (
	"context"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
)

// shelf is a project with a registry and three images.
type shelf struct {
	project  string
	registry breakwater.Registry
	ids      []int64
	digests  []breakwater.Digest
}

func newShelf(t *testing.T, db *store.DB, name string) shelf {
	t.Helper()
	ctx := context.Background()
	domain := breakwater.Domain{ID: breakwater.NewID("dom"), Name: name}
	s := shelf{project: breakwater.NewID("prj")}
	s.registry = breakwater.Registry{ID: breakwater.NewID("reg"), ProjectID: s.project, EnterpriseProjectID: "0", Name: "own",
		Type: breakwater.RegistryOther, Status: breakwater.RegistrySuccess}
	err := db.Tx(ctx, func(tx *store.DB) error {
		if err := tx.CreateDomain(ctx, domain); err != nil {
			return err
		}
		if err := tx.CreateProject(ctx, breakwater.Project{ID: s.project, DomainID: domain.ID, Name: name}); err != nil {
			return err
		}
		if err := tx.PutRegistry(ctx, s.registry); err != nil {
			return err
		}
		for _, version := range []string{"1", "2", "3"} {
			d := breakwater.DigestOf([]byte(version))
			if _, err := tx.PutArtifact(ctx, breakwater.Artifact{Digest: d, MediaType: "m", Size: 10, Scannable: true}); err != nil {
				return err
			}
			put, err := tx.PutImage(ctx, breakwater.Image{ProjectID: s.project, EnterpriseProjectID: "0", RegistryID: s.registry.ID,
				Namespace: "team", Name: "app", Version: version, Digest: d, Scannable: true, Updated: tx.Now(), ScanStatus: breakwater.ScanNone}, 0)
			if err != nil {
				return err
			}
			s.ids, s.digests = append(s.ids, put.ID), append(s.digests, d)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start puts a running task over the shelf's images, all of them sent.
func (s shelf) start(t *testing.T, db *store.DB) breakwater.ScanTask {
	t.Helper()
	ctx := context.Background()
	task := breakwater.ScanTask{ID: breakwater.NewID("scn"), ProjectID: s.project, Name: "n", Type: breakwater.TaskManual, Scope: breakwater.ScopeAll}
	err := db.Tx(ctx, func(tx *store.DB) error {
		n, err := tx.PutScanTask(ctx, task, append([]int64{424242}, s.ids...))
		if err != nil || n != len(s.ids) {
			t.Fatalf("PutScanTask = %d, %v; want %d", n, err, len(s.ids))
		}
		if err := tx.MarkImages(ctx, s.project, s.ids, breakwater.ScanWaiting); err != nil {
			return err
		}
		queued, err := tx.QueuedTaskImages(ctx, task.ID, 100)
		if err != nil {
			return err
		}
		for _, i := range queued {
			if err := tx.SendTaskImage(ctx, task.ID, i.ImageID, i.Digest); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func (s shelf) end(t *testing.T, db *store.DB, n int, status breakwater.ScanStatus, code breakwater.ScanCode) {
	t.Helper()
	ctx := context.Background()
	err := db.Tx(ctx, func(tx *store.DB) error {
		if err := tx.SetScanState(ctx, s.project, s.digests[n], status, code, "", time.UnixMilli(5000)); err != nil {
			return err
		}
		return tx.CloseTaskImages(ctx, s.project, s.digests[n:n+1])
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestScanTaskEndsWithItsImages(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s, other := newShelf(t, db, "one"), newShelf(t, db, "two")
		task, theirs := s.start(t, db), other.start(t, db)

		s.end(t, db, 0, breakwater.ScanSuccess, "")
		s.end(t, db, 1, breakwater.ScanFailed, breakwater.CodeDownloadFailed)
		got, err := db.ScanTask(ctx, s.project, task.ID)
		if err != nil || got.State != breakwater.TaskRunning || got.Success != 1 || got.Failed != 1 {
			t.Fatalf("after two of three: %+v, %v", got, err)
		}
		s.end(t, db, 2, breakwater.ScanSuccess, "")
		if got, err = db.ScanTask(ctx, s.project, task.ID); err != nil || got.State != breakwater.TaskFinished || got.Success != 2 || got.End.IsZero() {
			t.Fatalf("after the last: %+v, %v", got, err)
		}
		failed, err := db.FailedTaskImages(ctx, task.ID, 10)
		if err != nil || len(failed) != 1 || failed[0].Code != breakwater.CodeDownloadFailed || failed[0].RegistryName != "own" {
			t.Fatalf("FailedTaskImages = %+v, %v", failed, err)
		}
		// The same digests belong to another project's task, which has not moved.
		if got, err := db.ScanTask(ctx, other.project, theirs.ID); err != nil || got.Success+got.Failed != 0 {
			t.Fatalf("the other project's task: %+v, %v", got, err)
		}
		if _, err := db.ScanTask(ctx, other.project, task.ID); !breakwater.IsNotFound(err) {
			t.Fatalf("another project's task: %v, want NotFound", err)
		}
	})
}

func TestStopScanTask(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s := newShelf(t, db, "one")
		task := s.start(t, db)
		s.end(t, db, 0, breakwater.ScanSuccess, "")
		ids, err := db.StopScanTask(ctx, s.project, task.ID)
		if err != nil || len(ids) != 2 {
			t.Fatalf("StopScanTask = %v, %v; want the two that wait", ids, err)
		}
		if _, err := db.StopScanTask(ctx, s.project, task.ID); breakwater.KindOf(err) != breakwater.KindConflict {
			t.Fatalf("stopping twice: %v, want Conflict", err)
		}
		second := s.start(t, db)
		third := s.start(t, db)
		if ids, err = db.StopScanTask(ctx, s.project, third.ID); err != nil || len(ids) != 0 {
			t.Fatalf("images that another task waits for: %v, %v", ids, err)
		}
		// Images that vanish do not hold a task open.
		if _, err := db.DeleteRegistryImages(ctx, s.registry.ID, 10); err != nil {
			t.Fatal(err)
		}
		if err := db.SweepTaskImages(ctx); err != nil {
			t.Fatal(err)
		}
		got, err := db.ScanTask(ctx, s.project, second.ID)
		if err != nil || got.State != breakwater.TaskFinished || got.Failed != 3 {
			t.Fatalf("after its images vanished: %+v, %v", got, err)
		}
	})
}

func TestSyncTaskEndsWithItsRegistries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s := newShelf(t, db, "one")
		task := breakwater.SyncTask{ID: breakwater.NewID("syn"), ProjectID: s.project, Name: "n", Type: breakwater.TaskManualSync}
		if err := db.PutSyncTask(ctx, task, []breakwater.Registry{s.registry}); err != nil {
			t.Fatal(err)
		}
		running, _, err := db.SyncTasks(ctx, s.project, store.TaskFilter{Limit: 10})
		if err != nil || len(running) != 1 || running[0].State != breakwater.TaskRunning {
			t.Fatalf("SyncTasks = %+v, %v", running, err)
		}
		if err := db.CloseSync(ctx, s.registry.ID, breakwater.SyncFailed, "REQUEST_API_ERROR"); err != nil {
			t.Fatal(err)
		}
		ended, total, err := db.SyncTasks(ctx, s.project, store.TaskFilter{Limit: 10})
		if err != nil || total != 1 || ended[0].State != breakwater.TaskFailed || ended[0].FailReason != "REQUEST_API_ERROR" {
			t.Fatalf("SyncTasks = %+v, %v", ended, err)
		}
		rows, total, err := db.SyncRegistries(ctx, s.project, task.ID, store.SyncRegistryFilter{Status: breakwater.SyncFailed, Limit: 10})
		if err != nil || total != 1 || rows[0].RegistryName != "own" {
			t.Fatalf("SyncRegistries = %+v, %v", rows, err)
		}
		if _, _, err := db.SyncRegistries(ctx, "elsewhere", task.ID, store.SyncRegistryFilter{Limit: 10}); !breakwater.IsNotFound(err) {
			t.Fatalf("another project: %v, want NotFound", err)
		}
	})
}

func TestLocations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s := newShelf(t, db, "one")
		places, err := db.Locations(ctx, s.project, s.digests[0])
		if err != nil || len(places) != 1 || places[0].Wanted || places[0].Name != "app" {
			t.Fatalf("Locations = %+v, %v", places, err)
		}
		s.start(t, db)
		if places, err = db.Locations(ctx, s.project, s.digests[0]); err != nil || !places[0].Wanted {
			t.Fatalf("Locations while waiting = %+v, %v", places, err)
		}
		waiting, err := db.WaitingDigests(ctx)
		if err != nil || len(waiting) != 3 {
			t.Fatalf("WaitingDigests = %+v, %v", waiting, err)
		}
		if places, err = db.Locations(ctx, "elsewhere", s.digests[0]); err != nil || len(places) != 0 {
			t.Fatalf("another project sees %+v, %v", places, err)
		}
	})
}

// TestQueuedImagesAreNotLost: an image whose turn in a slow task has not come
// waits without a job, and must not be taken for one that lost its job.
func TestQueuedImagesAreNotLost(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		s := newShelf(t, db, "one")
		task := breakwater.ScanTask{ID: breakwater.NewID("scn"), ProjectID: s.project, Name: "n", Type: breakwater.TaskManual, Scope: breakwater.ScopeAll, RateLimit: 30}
		expect := func(when string, waiting, tasks int) {
			t.Helper()
			digests, err := db.WaitingDigests(ctx)
			if err != nil || len(digests) != waiting {
				t.Errorf("%s: %d digests without a job may be lost, want %d, %v", when, len(digests), waiting, err)
			}
			ids, err := db.QueuedTasks(ctx)
			if err != nil || len(ids) != tasks {
				t.Errorf("%s: %d tasks have something to send, want %d, %v", when, len(ids), tasks, err)
			}
		}
		err := db.Tx(ctx, func(tx *store.DB) error {
			if _, err := tx.PutScanTask(ctx, task, s.ids); err != nil {
				return err
			}
			return tx.MarkImages(ctx, s.project, s.ids, breakwater.ScanWaiting)
		})
		if err != nil {
			t.Fatal(err)
		}
		expect("nothing is sent", 0, 1)
		if err := db.SendTaskImage(ctx, task.ID, s.ids[0], s.digests[0]); err != nil {
			t.Fatal(err)
		}
		expect("one is sent", 1, 1)
		if _, err := db.StopScanTask(ctx, s.project, task.ID); err != nil {
			t.Fatal(err)
		}
		expect("the task is stopped", len(s.ids), 0)
	})
}
