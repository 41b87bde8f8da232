package catalog_test

import (
	"context"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/catalog"
	"breakwater/internal/job"
	"breakwater/internal/oci"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
	"breakwater/internal/upstream"
)

// lister is a registry whose answer to Probe the test writes; changed runs
// while the probe is under way.
type lister struct {
	answer  error
	changed func()
}

var _ upstream.Lister = lister{}

func (l lister) Probe(context.Context) error {
	if l.changed != nil {
		l.changed()
	}
	return l.answer
}

func (lister) Page(context.Context, string) (upstream.Page, error) {
	return upstream.Page{Done: true}, nil
}
func (lister) Source(string, string) oci.Source { return nil }

func newCatalog(t *testing.T, db *store.DB) (*catalog.Catalog, breakwater.Registry) {
	t.Helper()
	ctx := context.Background()
	queue, err := job.New(ctx, db, job.Options{Instance: "test"})
	if err != nil {
		t.Fatal(err)
	}
	c := catalog.New(db, queue, catalog.Options{})
	r := breakwater.Registry{ID: "reg", ProjectID: "prj", EnterpriseProjectID: "0", Name: "r", Type: breakwater.RegistryHarbor}
	for _, err := range []error{
		db.CreateDomain(ctx, breakwater.Domain{ID: "dom", Name: "dom"}),
		db.CreateProject(ctx, breakwater.Project{ID: "prj", DomainID: "dom", Name: "one"}),
		c.AddRegistry(ctx, r),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return c, r
}

// TestProbeOfWhatWas: an answer about an address that was changed meanwhile is
// not written over the new one's.
func TestProbeOfWhatWas(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		c, r := newCatalog(t, db)
		r, err := db.RegistryByID(ctx, r.ID)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Probe(ctx, r, lister{answer: breakwater.Errorf(breakwater.KindUnavailable, "no"), changed: func() {
			for r.Updated.Equal(db.Now()) { // a change in the same millisecond is none
				time.Sleep(time.Millisecond)
			}
			changed := r
			changed.Addr = "elsewhere"
			if err := c.ChangeRegistry(ctx, changed); err != nil {
				t.Error(err)
			}
		}})
		if err == nil {
			t.Fatal("the probe must be asked again")
		}
		got, err := db.RegistryByID(ctx, r.ID)
		if err != nil || got.Status != breakwater.RegistryAccessing {
			t.Fatalf("status = %s, %v; want accessing", got.Status, err)
		}
		if err := c.Probe(ctx, got, lister{}); err != nil {
			t.Fatal(err)
		}
		if got, err = db.RegistryByID(ctx, r.ID); err != nil || got.Status != breakwater.RegistrySuccess {
			t.Fatalf("status = %s, %v; want success", got.Status, err)
		}
	})
}

// TestStaleRegistriesAreLeftAloneAfterATry: a registry that cannot be read is
// not asked at every turn.
func TestStaleRegistriesAreLeftAloneAfterATry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		c, r := newCatalog(t, db)
		now := db.Now()
		stale, err := db.StaleRegistries(ctx, now, now.Add(-time.Hour))
		if err != nil || len(stale) != 1 {
			t.Fatalf("StaleRegistries = %v, %v", stale, err)
		}
		if _, err := c.StartSync(ctx, r.ProjectID, breakwater.TaskAutoSync, stale); err != nil {
			t.Fatal(err)
		}
		if stale, err = db.StaleRegistries(ctx, now, now.Add(-time.Hour)); err != nil || len(stale) != 0 {
			t.Fatalf("after a try: %v, %v", stale, err)
		}
		if stale, err = db.StaleRegistries(ctx, now, db.Now().Add(time.Hour)); err != nil || len(stale) != 1 {
			t.Fatalf("an hour later: %v, %v", stale, err)
		}
	})
}
