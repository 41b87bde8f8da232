package store_test

import (
	"fmt"
	"testing"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
)

// FuzzImageFilter hands the filter builder whatever a request may hold: it never
// fails, selects only the project's images, and the columns agree with it.
func FuzzImageFilter(f *testing.F) {
	f.Add("n0", "i1", "", "", "", "", "", "success", "High", "harbor", int64(0), int64(1<<62), int64(3), uint16(0x0fff), uint8(0))
	f.Add("' OR 1=1 --", "\x00", "%", "?", "$1", "\xff", "all_granted_eps", "failed", "", "other", int64(-1), int64(5), int64(-9), uint16(7), uint8(255))
	w := fuzzWorld(f)
	f.Fuzz(func(t *testing.T, namespace, name, version, registry, registryName, instance, ep, status, level, kind string, from, to, size int64, flags uint16, page uint8) {
		bit := func(n int) bool { return flags>>n&1 == 1 }
		flag := func(n int) *bool {
			if !bit(n) {
				return nil
			}
			v := bit(n + 1)
			return &v
		}
		filter := store.ImageFilter{Namespace: namespace, Name: name, Version: version, RegistryID: registry, RegistryName: registryName,
			InstanceID: instance, InstanceName: instance, EnterpriseProjectID: ep, ScanStatus: breakwater.ScanStatus(status), Level: breakwater.Level(level),
			Type: breakwater.ImageType(kind), Latest: flag(0), MultiArch: flag(2), HasVul: flag(4), Risky: flag(6)}
		if bit(8) {
			filter.UpdatedFrom, filter.ScannedTo = &from, &to
		}
		if bit(9) {
			filter.Size, filter.SyncedTo = &size, &to
		}
		if bit(10) {
			filter.IDs = []int64{from, to, size, 1, 2, 3}
		}
		p := store.ImagePage{Offset: int(page & 7), Limit: int(page >> 3 & 15), SortScanned: page&128 != 0, Desc: bit(11)}
		rows, total, err := w.db.Images(w.ctx, "p1", filter, p)
		if err != nil {
			t.Fatal(err)
		}
		err = w.db.View(w.ctx, func(tx *store.DB) error {
			want, wantTotal, err := tx.Images(w.ctx, "p1", filter, p)
			if diff := cmp.Diff(want, rows); diff != "" || total != wantTotal {
				t.Errorf("total %d, by SQL %d: %s", total, wantTotal, diff)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.ProjectID != "p1" {
				t.Fatalf("another project's image: %+v", r)
			}
		}
	})
}

func fuzzWorld(f *testing.F) *world {
	w := newWorld(f, storetest.SQLite(f))
	w.artifact("a")
	for n := range 12 {
		w.image("1", fmt.Sprint("i", n%3), fmt.Sprint("v", n), "a", int64(n))
		w.image("2", fmt.Sprint("i", n%3), fmt.Sprint("v", n), "a", int64(n))
	}
	w.must(w.db.RefreshLatest(w.ctx, "r1", "ns", "i0"))
	return w
}
