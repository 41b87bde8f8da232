package registry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/registry"
	"breakwater/internal/registry/registrytest"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
)

// worldAt is a registry over SQLite whose clock the test moves.
func worldAt(t *testing.T, grace time.Duration) (*registrytest.World, *atomic.Int64) {
	t.Helper()
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	db, err := store.Open(context.Background(), store.Options{Path: filepath.Join(t.TempDir(), "test.db"), Now: now})
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	w := registrytest.Start(t, db, func(o *registry.Options) { o.Grace, o.Now = grace, now })
	return w, &ahead
}

func wantCollected(t *testing.T, w *registrytest.World, want registry.Collected) {
	t.Helper()
	got, err := w.Registry.GC(context.Background())
	if err != nil || got != want {
		t.Errorf("GC = %+v, %v, want %+v", got, err, want)
	}
}

func TestGC(t *testing.T) {
	ctx := context.Background()
	w, ahead := worldAt(t, time.Hour)
	c := client{t, w, "alpha@operator"}
	d := c.pushImage("g/app", "v1", "layer")
	c.pushBlob("g/app", "unused")
	c.pushBlob("g/app", "about to be used")
	c.begin("g/app")
	exists := func(body string, want bool) {
		t.Helper()
		if _, err := w.Blobs.Stat(ctx, breakwater.DigestOf([]byte(body))); (err == nil) != want {
			t.Errorf("the blob %q: %v, want it there: %v", body, err, want)
		}
	}
	wantCollected(t, w, registry.Collected{})

	// A client that was told of a blob by HEAD has the grace period to use it.
	ahead.Store(int64(2 * time.Hour))
	c.want(c.do("HEAD", "/v2/g/app/blobs/"+breakwater.DigestOf([]byte("about to be used")).String(), ""), 200, "")
	// Unlinked now, the blob's row is as old as its upload.
	wantCollected(t, w, registry.Collected{Uploads: 1, Links: 1, Blobs: 1})
	exists("unused", false)
	exists("about to be used", true)
	exists("layer", true)

	c.want(c.do("DELETE", "/v2/g/app/manifests/"+d.String(), ""), 202, "")
	ahead.Store(int64(4 * time.Hour))
	wantCollected(t, w, registry.Collected{Links: 3, Blobs: 3})
	exists("layer", false)

	// What is gone can come back.
	c.pushImage("g/app", "v1", "layer")
	exists("layer", true)
	wantCollected(t, w, registry.Collected{})
}

// TestGCOrphans: bytes that a crash left between rename and row are adopted,
// and removed a grace period later.
func TestGCOrphans(t *testing.T) {
	ctx := context.Background()
	w, ahead := worldAt(t, time.Hour)
	u, err := w.Blobs.Upload("orphan")
	must(t, err)
	must(t, u.Create(ctx))
	d := breakwater.DigestOf(nil)
	_, err = u.Finish(ctx, d)
	must(t, err)
	wantCollected(t, w, registry.Collected{})
	ahead.Store(int64(2 * time.Hour))
	wantCollected(t, w, registry.Collected{Adopted: 1})
	wantCollected(t, w, registry.Collected{})
	ahead.Store(int64(4 * time.Hour))
	wantCollected(t, w, registry.Collected{Blobs: 1})
	if _, err := w.Blobs.Stat(ctx, d); !breakwater.IsNotFound(err) {
		t.Errorf("the orphan: %v", err)
	}
}

// TestGCBesidePushes pushes and deletes the same few images while GC runs
// without any grace. Whatever a push was told is there can be pulled until it
// is deleted; a push may be refused, never half done.
func TestGCBesidePushes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := registrytest.Start(t, db, func(o *registry.Options) { o.Grace = time.Nanosecond })
		stop := make(chan struct{})
		var gc, pushers sync.WaitGroup
		gc.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := w.Registry.GC(context.Background()); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Errorf("GC: %v", err)
					return
				}
			}
		})
		for p := range 3 {
			pushers.Go(func() { pushAndDelete(t, w, fmt.Sprint("g/app", p)) })
		}
		pushers.Wait()
		close(stop)
		gc.Wait()
	})
}

// pushAndDelete pushes layers that every pusher shares.
func pushAndDelete(t *testing.T, w *registrytest.World, repo string) {
	c := client{t, w, "alpha@operator"}
	done := 0
	for i := 0; i < 200 && done < 8; i++ {
		layer := fmt.Sprint("layer", i%2)
		m := imageManifest(config, layer, "")
		ok := true
		for _, body := range []string{config, layer} {
			a := c.do("POST", "/v2/"+repo+"/blobs/uploads/?digest="+breakwater.DigestOf([]byte(body)).String(), body)
			switch a.code() {
			case "", "UNAVAILABLE", "BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID": // GC took the bytes or the session
			default:
				t.Errorf("blob: %d %s", a.status, a.body)
			}
			ok = ok && a.status == 201
		}
		if !ok {
			continue
		}
		a := c.do("PUT", "/v2/"+repo+"/manifests/v1", m)
		if a.status == 404 && a.code() == "MANIFEST_BLOB_UNKNOWN" {
			continue
		}
		c.want(a, 201, "")
		for _, body := range []string{config, layer} {
			got := c.do("GET", "/v2/"+repo+"/blobs/"+breakwater.DigestOf([]byte(body)).String(), "")
			if got.status != 200 || string(got.body) != body {
				t.Errorf("a blob of a pushed image: %d %s", got.status, got.body)
			}
		}
		c.want(c.do("DELETE", "/v2/"+repo+"/manifests/"+breakwater.DigestOf([]byte(m)).String(), ""), 202, "")
		done++
	}
	if done == 0 {
		t.Error("no push came through")
	}
}
