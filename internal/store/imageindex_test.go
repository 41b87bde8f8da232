package store_test

import (
	"fmt"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// few draws one of few numbers, so that values repeat.
func few(t *rapid.T, what string) int64 { return rapid.Int64Range(0, 3).Draw(t, what) }

func maybe[T any](t *rapid.T, what string, g *rapid.Generator[T]) *T {
	if !rapid.Bool().Draw(t, "with "+what) || !rapid.Bool().Draw(t, "really with "+what) {
		return nil
	}
	v := g.Draw(t, what)
	return &v
}

func word(t *rapid.T, what string, words ...string) string {
	if p := maybe(t, what, rapid.SampledFrom(words)); p != nil {
		return *p
	}
	return ""
}

func drawFilter(t *rapid.T) store.ImageFilter {
	moment := rapid.Int64Range(0, 40)
	f := store.ImageFilter{
		EnterpriseProjectID: word(t, "enterprise project", "0", "e1", store.AllEnterpriseProjects, "none"),
		Namespace:           word(t, "namespace", "n0", "n1", "none", "\x00", "\xff"),
		Name:                word(t, "name", "i0", "i1", "i2", "I0"),
		Version:             word(t, "version", "v0", "v1", "v2", "none"),
		RegistryID:          word(t, "registry", "ra", "rb", "r2", "none"),
		RegistryName:        word(t, "registry name", "rega", "regb", "renamed0", "renamed1"),
		InstanceID:          word(t, "instance", "x0", "x1"),
		InstanceName:        word(t, "instance name", "y0", "y1"),
		Type:                breakwater.ImageType(word(t, "type", "harbor", "jfrog", "other", "private_image", "none")),
		ScanStatus:          breakwater.ScanStatus(word(t, "status", "unscan", "waiting_for_scan", "scanning", "success", "failed", "download_failed", "image_oversized", "none")),
		Level:               breakwater.Level(word(t, "level", "High", "Medium", "Low", "Security", "none")),
		Latest:              maybe(t, "latest", rapid.Bool()), MultiArch: maybe(t, "multi", rapid.Bool()), HasMalicious: maybe(t, "malicious", rapid.Bool()),
		HasUnsafe: maybe(t, "unsafe", rapid.Bool()), HasVul: maybe(t, "vul", rapid.Bool()), Risky: maybe(t, "risky", rapid.Bool()),
		Size:        maybe(t, "size", rapid.Int64Range(0, 3)),
		UpdatedFrom: maybe(t, "updated from", moment), UpdatedTo: maybe(t, "updated to", moment),
		ScannedFrom: maybe(t, "scanned from", moment), ScannedTo: maybe(t, "scanned to", moment),
		SyncedFrom: maybe(t, "synced from", moment), SyncedTo: maybe(t, "synced to", moment),
	}
	if rapid.IntRange(0, 9).Draw(t, "with ids") == 0 {
		f.IDs = rapid.SliceOfN(rapid.Int64Range(0, 30), 0, 10).Draw(t, "ids")
	}
	return f
}

func drawPage(t *rapid.T) store.ImagePage {
	return store.ImagePage{Offset: rapid.IntRange(0, 20).Draw(t, "offset"), Limit: rapid.IntRange(0, 12).Draw(t, "limit"),
		SortScanned: rapid.Bool().Draw(t, "by scan"), Desc: rapid.Bool().Draw(t, "down")}
}

// change does one thing that changes images.
func (w *world) change(t *rapid.T) {
	registry := rapid.SampledFrom([]string{"ra", "rb"}).Draw(t, "registry")
	namespace, name, version := fmt.Sprint("n", few(t, "namespace")), fmt.Sprint("i", few(t, "name")), fmt.Sprint("v", few(t, "version"))
	d := fmt.Sprint("d", few(t, "digest"))
	ids, err := w.db.SelectImageIDs(w.ctx, "p1", store.ImageFilter{})
	w.must(err)
	ids = append(ids, 1)
	some := rapid.SliceOfN(rapid.SampledFrom(ids), 1, 5).Draw(t, "some")
	switch rapid.IntRange(0, 12).Draw(t, "change") {
	default:
		_, err := w.db.PutImage(w.ctx, breakwater.Image{ProjectID: "p1", RegistryID: registry, Namespace: namespace, Name: name, Version: version,
			EnterpriseProjectID: rapid.SampledFrom([]string{"", "e1"}).Draw(t, "ep"), Digest: digest(d), Size: few(t, "size"), MultiArch: d == "d3", Scannable: true,
			Updated: time.UnixMilli(rapid.Int64Range(1, 40).Draw(t, "updated")), Synced: time.UnixMilli(rapid.Int64Range(0, 40).Draw(t, "synced")),
			InstanceID: fmt.Sprint("x", few(t, "instance")), InstanceName: fmt.Sprint("y", few(t, "instance name"))}, few(t, "generation"))
		w.must(err)
	case 0:
		if err := w.db.DeleteImage(w.ctx, "p1", registry, namespace, name, version); !breakwater.IsNotFound(err) {
			w.must(err)
		}
	case 1:
		_, err := w.db.DeleteUnseenImages(w.ctx, registry, few(t, "generation"), 3)
		w.must(err)
	case 2:
		w.must(w.db.RefreshLatest(w.ctx, registry, namespace, name))
	case 3:
		w.must(w.db.MarkImages(w.ctx, "p1", some, rapid.SampledFrom([]breakwater.ScanStatus{breakwater.ScanWaiting, breakwater.ScanNone}).Draw(t, "mark")))
	case 4, 5:
		status := rapid.SampledFrom([]breakwater.ScanStatus{breakwater.ScanRunning, breakwater.ScanSuccess, breakwater.ScanFailed}).Draw(t, "status")
		code := rapid.SampledFrom([]breakwater.ScanCode{breakwater.CodeDownloadFailed, breakwater.CodeOverSized, breakwater.CodeLayers}).Draw(t, "code")
		if status == breakwater.ScanSuccess {
			code = ""
		}
		w.must(w.db.SetScanState(w.ctx, "p1", digest(d), status, code, "", time.UnixMilli(rapid.Int64Range(1, 40).Draw(t, "scanned"))))
	case 6:
		name := map[string]string{"ra": "renamed0", "rb": "renamed1"}[registry]
		w.sql(`UPDATE registry SET name = ?, type = ? WHERE id = ?`, name, rapid.SampledFrom([]string{"Harbor", "Jfrog", "Other"}).Draw(t, "type"), registry)
	case 7:
		w.sql(`UPDATE project SET image_rev = image_rev + 1 WHERE id = 'p1'`)
		w.sql(`UPDATE image SET level = ?, vul_num = ?, unsafe_setting_num = ?, malicious_file_num = ?, rev = (SELECT image_rev FROM project WHERE id = 'p1') WHERE id = ?`,
			rapid.SampledFrom([]string{"", "High", "Medium", "Low", "Security"}).Draw(t, "level"), few(t, "vul"), few(t, "unsafe"), few(t, "malicious"), some[0])
	case 8: // an index that fell behind the tombstones
		w.sql(`UPDATE project SET image_floor = image_rev WHERE id = 'p1'`)
		w.sql(`DELETE FROM image_gone`)
	}
}

// same lists by columns and by SQL and compares.
func (w *world) same(t *rapid.T, f store.ImageFilter, p store.ImagePage) {
	if f.IDs != nil { // drawn as places in the list of all ids
		ids, err := w.db.SelectImageIDs(w.ctx, "p1", store.ImageFilter{})
		w.must(err)
		for n, place := range f.IDs {
			if int(place) < len(ids) {
				f.IDs[n] = ids[place]
			}
		}
	}
	rows, total, err := w.db.Images(w.ctx, "p1", f, p)
	w.must(err)
	w.must(w.db.View(w.ctx, func(tx *store.DB) error {
		want, wantTotal, err := tx.Images(w.ctx, "p1", f, p) // in a transaction: by SQL
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, rows); diff != "" || total != wantTotal {
			t.Fatalf("filter %+v page %+v: total %d, by SQL %d; rows differ from SQL's: %s", f, p, total, wantTotal, diff)
		}
		return nil
	}))
}

func TestColumnsAgreeWithSQL(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w := newWorld(t, db)
		for _, r := range []breakwater.Registry{{ID: "ra", Name: "rega", Type: breakwater.RegistryHarbor}, {ID: "rb", Name: "regb", Type: breakwater.RegistryOther}} {
			r.ProjectID, r.Status = "p1", breakwater.RegistrySuccess
			w.must(db.PutRegistry(w.ctx, r))
		}
		for n := range 3 {
			w.artifact(fmt.Sprint("d", n))
		}
		w.artifact("d3", "d0", "d1")
		w.image("2", "app", "v1", "d0", 5)
		rapid.Check(t, func(t *rapid.T) {
			for range rapid.IntRange(1, 12).Draw(t, "changes") {
				w.change(t)
			}
			for range 6 {
				w.same(t, drawFilter(t), drawPage(t))
			}
			w.same(t, store.ImageFilter{}, drawPage(t))
		})
	})
}
