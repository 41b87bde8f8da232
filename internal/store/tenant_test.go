package store_test

import (
	"context"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
)

var day = time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)

// tenants makes a domain, two projects and a user who is in the first.
func tenants(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := context.Background()
	for _, err := range []error{
		db.CreateDomain(ctx, breakwater.Domain{ID: "dom1", Name: "home", Created: day}),
		db.CreateProject(ctx, breakwater.Project{ID: "prj1", DomainID: "dom1", Name: "one", Created: day}),
		db.CreateProject(ctx, breakwater.Project{ID: "prj2", DomainID: "dom1", Name: "two", Created: day}),
		db.CreateUser(ctx, breakwater.User{ID: "usr1", DomainID: "dom1", Name: "ada", PasswordHash: "h", Created: day}),
		db.PutMember(ctx, breakwater.Member{ProjectID: "prj1", UserID: "usr1", Role: breakwater.RoleOperator}),
		db.CreateAccessKey(ctx, breakwater.AccessKey{AK: "AK1", UserID: "usr1", ProjectID: "prj1", SealedSK: []byte{1, 0, 2}, Created: day}),
		db.CreateAccessKey(ctx, breakwater.AccessKey{AK: "AK2", UserID: "usr1", ProjectID: "prj1", SealedSK: []byte{3}, Temporary: true, Expires: day.Add(time.Hour), Created: day}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestTenants(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		tenants(t, db)
		one := breakwater.Project{ID: "prj1", DomainID: "dom1", Name: "one", Created: day}
		two := breakwater.Project{ID: "prj2", DomainID: "dom1", Name: "two", Created: day}
		ada := breakwater.User{ID: "usr1", DomainID: "dom1", Name: "ada", PasswordHash: "h", Created: day}
		caller := breakwater.Caller{DomainID: "dom1", DomainName: "home", ProjectID: "prj1", ProjectName: "one", UserID: "usr1", UserName: "ada", Role: "operator"}
		for _, tc := range []struct {
			name string
			want any
			read func() (any, error)
		}{
			{"Domains", []breakwater.Domain{{ID: "dom1", Name: "home", Created: day}}, func() (any, error) { return db.Domains(ctx) }},
			{"Domain", breakwater.Domain{ID: "dom1", Name: "home", Created: day}, func() (any, error) { return db.Domain(ctx, "dom1") }},
			{"Project", one, func() (any, error) { return db.Project(ctx, "prj1") }},
			{"ProjectByName", two, func() (any, error) { return db.ProjectByName(ctx, "two") }},
			{"all Projects", []breakwater.Project{one, two}, func() (any, error) { return db.Projects(ctx, "") }},
			{"a user's Projects", []breakwater.Project{one}, func() (any, error) { return db.Projects(ctx, "usr1") }},
			{"User", ada, func() (any, error) { return db.User(ctx, "usr1") }},
			{"UserByName", ada, func() (any, error) { return db.UserByName(ctx, "dom1", "ada") }},
			{"Users", []breakwater.User{ada}, func() (any, error) { return db.Users(ctx, "dom1") }},
			{"Members", []breakwater.Member{{ProjectID: "prj1", UserID: "usr1", Role: "operator"}}, func() (any, error) { return db.Members(ctx, "prj1") }},
			{"Caller", caller, func() (any, error) { return db.Caller(ctx, "usr1", "prj1") }},
			{"AccessKeys", []breakwater.AccessKey{{AK: "AK1", UserID: "usr1", ProjectID: "prj1", SealedSK: []byte{1, 0, 2}, Created: day}},
				func() (any, error) { return db.AccessKeys(ctx, "usr1") }},
		} {
			got, err := tc.read()
			if err != nil {
				t.Fatalf("%s: %v", tc.name, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s:\n%s", tc.name, diff)
			}
		}
		k, c, err := db.AccessKey(ctx, "AK2")
		caller.AK = "AK2"
		want := breakwater.AccessKey{AK: "AK2", UserID: "usr1", ProjectID: "prj1", SealedSK: []byte{3}, Temporary: true, Expires: day.Add(time.Hour), Created: day}
		if diff := cmp.Diff(want, k) + cmp.Diff(caller, c); err != nil || diff != "" {
			t.Errorf("AccessKey: %v\n%s", err, diff)
		}
	})
}

func TestTenantRefusals(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		tenants(t, db)
		for _, tc := range []struct {
			name string
			want breakwater.Kind
			err  error
		}{
			{"project name taken", breakwater.KindConflict, db.CreateProject(ctx, breakwater.Project{ID: "prj9", DomainID: "dom1", Name: "one"})},
			{"user name taken", breakwater.KindConflict, db.CreateUser(ctx, breakwater.User{ID: "usr9", DomainID: "dom1", Name: "ada"})},
			{"key of nobody", breakwater.KindNotFound, db.CreateAccessKey(ctx, breakwater.AccessKey{AK: "AK9", UserID: "usr9", ProjectID: "prj1", SealedSK: []byte{1}})},
			{"member of nothing", breakwater.KindNotFound, db.PutMember(ctx, breakwater.Member{ProjectID: "prj9", UserID: "usr1", Role: "viewer"})},
			{"no such user", breakwater.KindNotFound, db.DeleteUser(ctx, "usr9")},
			{"no such project", breakwater.KindNotFound, db.DeleteProject(ctx, "prj9")},
			{"no such key", breakwater.KindNotFound, db.DeleteAccessKey(ctx, "AK9")},
			{"no such member", breakwater.KindNotFound, db.DeleteMember(ctx, "prj2", "usr1")},
			{"no such password", breakwater.KindNotFound, db.SetPasswordHash(ctx, "usr9", "x")},
		} {
			if got := breakwater.KindOf(tc.err); got != tc.want {
				t.Errorf("%s: %v, want %s", tc.name, tc.err, tc.want)
			}
		}
		if _, err := db.Caller(ctx, "usr1", "prj2"); !breakwater.IsNotFound(err) {
			t.Errorf("a caller in a project that does not admit them: %v", err)
		}
	})
}

// TestShutOut proves that a disabled user, a lost membership and a deleted user
// all end their keys at once.
func TestShutOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		tenants(t, db)
		valid := func() bool { _, _, err := db.AccessKey(ctx, "AK1"); return err == nil }
		step := func(name string, err error, want bool) {
			t.Helper()
			if err != nil || valid() != want {
				t.Fatalf("%s: %v, key valid %v, want %v", name, err, valid(), want)
			}
		}
		step("disable", db.DisableUser(ctx, "usr1", true), false)
		step("enable", db.DisableUser(ctx, "usr1", false), true)
		n, err := db.DeleteExpiredKeys(ctx, day.Add(2*time.Hour))
		if n != 1 {
			t.Errorf("DeleteExpiredKeys = %d", n)
		}
		step("expired keys", err, true)
		step("leave", db.DeleteMember(ctx, "prj1", "usr1"), false)
		step("join again", db.PutMember(ctx, breakwater.Member{ProjectID: "prj1", UserID: "usr1", Role: "viewer"}), false)
		step("new key", db.CreateAccessKey(ctx, breakwater.AccessKey{AK: "AK1", UserID: "usr1", ProjectID: "prj1", SealedSK: []byte{1}}), true)
		step("delete", db.DeleteUser(ctx, "usr1"), false)
		step("empty project", db.DeleteProject(ctx, "prj1"), false)
	})
}

// TestDeleteProject: an embedded registry that holds nothing goes with its
// project; a namespace keeps both.
func TestDeleteProject(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		tenants(t, db)
		embedded := breakwater.Registry{ID: "reg1", ProjectID: "prj2", Name: "embedded", Type: breakwater.RegistrySwrPrivate, Status: breakwater.RegistrySuccess, Created: day, Updated: day}
		if err := db.PutRegistry(ctx, embedded); err != nil {
			t.Fatal(err)
		}
		n, err := db.CreateNamespace(ctx, breakwater.Namespace{ProjectID: "prj2", Name: "group", Created: day})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.DeleteProject(ctx, "prj2"); breakwater.KindOf(err) != breakwater.KindConflict {
			t.Errorf("with a namespace: %v", err)
		}
		if _, err := db.EmbeddedRegistry(ctx, "prj2"); err != nil {
			t.Errorf("a refused removal took the registry: %v", err)
		}
		if err := db.DeleteNamespace(ctx, n.ProjectID, n.Name); err != nil {
			t.Fatal(err)
		}
		if err := db.DeleteProject(ctx, "prj2"); err != nil {
			t.Errorf("empty: %v", err)
		}
	})
}
