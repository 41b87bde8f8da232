package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
)

// TestListsWhileImagesChange lists from many sides while images come, go and are
// scanned. In every answer total and page are of one moment: pairs of images
// that are put and deleted in one transaction are never seen apart.
func TestListsWhileImagesChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		w.artifact("a")
		pair := func(n int, put bool) error {
			return db.Tx(w.ctx, func(tx *store.DB) error {
				for _, side := range []string{"left", "right"} {
					version := fmt.Sprint("v", n)
					var err error
					if put {
						_, err = tx.PutImage(w.ctx, breakwater.Image{ProjectID: "p1", RegistryID: "r1", Namespace: "ns", Name: side, Version: version,
							Digest: digest("a"), Scannable: true, Updated: time.UnixMilli(int64(n + 1))}, 1)
					} else {
						err = tx.DeleteImage(w.ctx, "p1", "r1", "ns", side, version)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		var writers, readers sync.WaitGroup
		stop := make(chan struct{})
		for side := range 2 {
			writers.Go(func() {
				for n := side * 1000; n < side*1000+60; n++ {
					err := pair(n, true)
					if err == nil && n%3 == 0 {
						err = pair(n, false)
					}
					if err == nil && n%5 == 0 {
						ids, _ := db.SelectImageIDs(w.ctx, "p1", store.ImageFilter{Version: fmt.Sprint("v", n)})
						err = db.MarkImages(w.ctx, "p1", ids, breakwater.ScanWaiting)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		for range 6 {
			readers.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					rows, total, err := db.Images(w.ctx, "p1", store.ImageFilter{}, store.ImagePage{Limit: 1000})
					if err != nil || total != len(rows) || total%2 != 0 {
						t.Errorf("total %d, %d rows, %v", total, len(rows), err)
						return
					}
				}
			})
		}
		writers.Wait()
		close(stop)
		readers.Wait()
		if _, total, err := db.Images(w.ctx, "p1", store.ImageFilter{}, store.ImagePage{}); err != nil || total != 160 {
			t.Fatalf("in the end %d, %v", total, err)
		}
	})
}
