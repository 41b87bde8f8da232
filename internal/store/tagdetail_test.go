package store_test

import (
	"context"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
)

func TestTagDetails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		tenants(t, db)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		_, err := db.CreateNamespace(ctx, breakwater.Namespace{ProjectID: "prj1", Name: "group"})
		must(err)
		r, err := db.CreateRepository(ctx, breakwater.Repository{ProjectID: "prj1", Namespace: "group", Name: "a/b"})
		must(err)
		must(db.PutRegistry(ctx, breakwater.Registry{ID: "reg1", ProjectID: "prj1", Name: "SWR", Type: breakwater.RegistrySwrPrivate, Status: breakwater.RegistrySuccess}))
		small, large := strings.Repeat("s", 50), strings.Repeat("l", 51)
		for tag, body := range map[string]string{"small": small, "large": large} {
			d := breakwater.DigestOf([]byte(body))
			must(db.PutManifest(ctx, r.ID, store.Manifest{Digest: d, MediaType: "m", Body: []byte(body)}, nil, nil))
			must(db.PutTag(ctx, r.ID, tag, d))
			_, err := db.PutArtifact(ctx, breakwater.Artifact{Digest: d, MediaType: "m", Scannable: true})
			must(err)
			put, err := db.PutImage(ctx, breakwater.Image{ProjectID: "prj1", RegistryID: "reg1", Namespace: "group", Name: "a/b", Version: tag,
				Digest: d, Scannable: true, ScanStatus: breakwater.ScanNone}, 0)
			must(err)
			must(db.MarkImages(ctx, "prj1", []int64{put.ID}, breakwater.ScanWaiting))
		}
		must(db.SetScanState(ctx, "prj1", breakwater.DigestOf([]byte(large)), breakwater.ScanSuccess, "", "", day))
		tags, _, err := db.RepositoryTags(ctx, r.ID, store.TagFilter{})
		must(err)

		for budget, want := range map[int]map[breakwater.Digest]string{
			102: {breakwater.DigestOf([]byte(small)): small, breakwater.DigestOf([]byte(large)): large},
			101: {breakwater.DigestOf([]byte(small)): small},
			99:  {},
		} {
			got, err := db.ManifestTexts(ctx, r.ID, tags, budget)
			must(err)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("budget %d: (-want +got)\n%s", budget, diff)
			}
		}
		scanned, err := db.ScannedTags(ctx, r, tags)
		must(err)
		if diff := cmp.Diff(map[string]bool{"large": true}, scanned); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		none, err := db.ManifestTexts(ctx, r.ID, nil, 100)
		if err != nil || len(none) != 0 {
			t.Errorf("no tags: %v, %v", none, err)
		}

		must(db.DeleteRepositoryImages(ctx, "prj2", "reg1", "group", "a/b"))
		if rows, total, err := db.Images(ctx, "prj1", store.ImageFilter{}, store.ImagePage{Limit: 10}); err != nil || total != 2 {
			t.Errorf("another project's delete left %v, %v", rows, err)
		}
		must(db.DeleteRepositoryImages(ctx, "prj1", "reg1", "group", "a/b"))
		if rows, total, err := db.Images(ctx, "prj1", store.ImageFilter{}, store.ImagePage{Limit: 10}); err != nil || total != 0 {
			t.Errorf("after the delete: %v, %v", rows, err)
		}
	})
}
