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

// twoProjects makes projects p1 and p2.
func twoProjects(t *testing.T, db *store.DB) {
	t.Helper()
	ctx := context.Background()
	err := db.Tx(ctx, func(tx *store.DB) error {
		if err := tx.CreateDomain(ctx, breakwater.Domain{ID: "d", Name: "d", Created: tx.Now()}); err != nil {
			return err
		}
		for _, p := range []string{"p1", "p2"} {
			if err := tx.CreateProject(ctx, breakwater.Project{ID: p, DomainID: "d", Name: p, Created: tx.Now()}); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKind(t *testing.T, what string, err error, kind breakwater.Kind) {
	t.Helper()
	if breakwater.KindOf(err) != kind {
		t.Errorf("%s: %v, want kind %q", what, err, kind)
	}
}

func mkNamespace(t *testing.T, db *store.DB, project, name string) {
	t.Helper()
	_, err := db.CreateNamespace(context.Background(), breakwater.Namespace{ProjectID: project, Name: name, CreatorID: "u", CreatorName: "user"})
	must(t, err)
}

func mkRepo(t *testing.T, db *store.DB, r breakwater.Repository) breakwater.Repository {
	t.Helper()
	r, err := db.CreateRepository(context.Background(), r)
	must(t, err)
	return r
}

// pushManifest puts a manifest with the blobs it names, and a tag for it.
func pushManifest(t *testing.T, db *store.DB, repo int64, tag, body string, blobs map[string]int64) breakwater.Digest {
	t.Helper()
	ctx := context.Background()
	d := breakwater.DigestOf([]byte(body))
	must(t, db.Tx(ctx, func(tx *store.DB) error {
		var digests []breakwater.Digest
		var sum int64
		for content, size := range blobs {
			b := breakwater.DigestOf([]byte(content))
			if err := tx.LinkBlob(ctx, repo, b, size); err != nil {
				return err
			}
			digests, sum = append(digests, b), sum+size
		}
		m := store.Manifest{Digest: d, MediaType: "application/x", ConfigDigest: breakwater.DigestOf([]byte("config" + body)), Size: sum, Body: []byte(body)}
		if err := tx.PutManifest(ctx, repo, m, digests, nil); err != nil {
			return err
		}
		return tx.PutTag(ctx, repo, tag, d)
	}))
	return d
}

func TestNamespaces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		twoProjects(t, db)
		mkNamespace(t, db, "p1", "group")
		mkNamespace(t, db, "p1", "a-group")
		_, err := db.CreateNamespace(ctx, breakwater.Namespace{ProjectID: "p1", Name: "group"})
		wantKind(t, "a name of one's own", err, breakwater.KindConflict)
		_, err = db.CreateNamespace(ctx, breakwater.Namespace{ProjectID: "p2", Name: "group"})
		wantKind(t, "a name of another project", err, breakwater.KindConflict)
		_, err = db.Namespace(ctx, "p2", "group")
		wantKind(t, "another project's namespace", err, breakwater.KindNotFound)
		wantKind(t, "deleting another project's", db.DeleteNamespace(ctx, "p2", "group"), breakwater.KindNotFound)
		list, err := db.Namespaces(ctx, "p1")
		must(t, err)
		var names []string
		for _, n := range list {
			names = append(names, n.Name)
		}
		if diff := cmp.Diff([]string{"a-group", "group"}, names); diff != "" {
			t.Error(diff)
		}
		mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "app"})
		wantKind(t, "deleting one that holds repositories", db.DeleteNamespace(ctx, "p1", "group"), breakwater.KindConflict)
		_, err = db.DeleteRepository(ctx, "p1", "group", "app")
		must(t, err)
		must(t, db.DeleteNamespace(ctx, "p1", "group"))
		mkNamespace(t, db, "p2", "group")
		for _, bad := range []string{"", "A", "1a", "a/b", "a..b", "a--b", "-a", "a_", "manage", "a\x00", "ä"} {
			_, err := db.CreateNamespace(ctx, breakwater.Namespace{ProjectID: "p1", Name: bad})
			wantKind(t, fmt.Sprintf("the name %q", bad), err, breakwater.KindInvalid)
		}
	})
}

func TestRepositoryVisibility(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		twoProjects(t, db)
		mkNamespace(t, db, "p1", "group")
		private := mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "private/app", CreatorName: "ann"})
		mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "public", Public: true, Category: "linux", Description: "d"})
		_, err := db.CreateRepository(ctx, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "public"})
		wantKind(t, "a name twice", err, breakwater.KindConflict)
		_, err = db.CreateRepository(ctx, breakwater.Repository{ProjectID: "p2", Namespace: "group", Name: "x"})
		wantKind(t, "in another's namespace", err, breakwater.KindNotFound)
		for _, c := range []struct {
			project, name string
			visible, own  bool
		}{
			{"p1", "private/app", true, true}, {"p2", "private/app", false, false}, {"", "private/app", false, false},
			{"p1", "public", true, true}, {"p2", "public", true, false}, {"", "public", true, false},
		} {
			_, err := db.VisibleRepository(ctx, c.project, "group", c.name)
			if (err == nil) != c.visible || (err != nil && !breakwater.IsNotFound(err)) {
				t.Errorf("VisibleRepository(%q, %s) = %v", c.project, c.name, err)
			}
			_, err = db.Repository(ctx, c.project, "group", c.name)
			if (err == nil) != c.own || (err != nil && !breakwater.IsNotFound(err)) {
				t.Errorf("Repository(%q, %s) = %v", c.project, c.name, err)
			}
		}
		private.Category, private.Description, private.Public = "database", "new", true
		must(t, db.UpdateRepository(ctx, private))
		got, err := db.VisibleRepository(ctx, "p2", "group", "private/app")
		must(t, err)
		if got.Category != "database" || got.Description != "new" || got.CreatorName != "ann" {
			t.Errorf("after the update: %+v", got)
		}
		private.ProjectID = "p2"
		wantKind(t, "updating another's", db.UpdateRepository(ctx, private), breakwater.KindNotFound)
		_, err = db.DeleteRepository(ctx, "p2", "group", "public")
		wantKind(t, "deleting another's", err, breakwater.KindNotFound)
	})
}

func TestRepositoryDetails(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		twoProjects(t, db)
		mkNamespace(t, db, "p1", "group")
		mkNamespace(t, db, "p1", "other")
		mkNamespace(t, db, "p2", "foreign")
		mkRepo(t, db, breakwater.Repository{ProjectID: "p2", Namespace: "foreign", Name: "app"})
		app := mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "app", Category: "linux"})
		web := mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "web_app", Public: true})
		mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "other", Name: "empty"})
		pushManifest(t, db, app.ID, "1", "one", map[string]int64{"x": 10, "y": 5})
		pushManifest(t, db, app.ID, "2", "two", map[string]int64{"x": 10})
		pushManifest(t, db, web.ID, "1", "one", map[string]int64{"y": 5})
		must(t, db.AddDownloads(ctx, map[int64]int64{app.ID: 3, 999999: 1}))
		must(t, db.AddDownloads(ctx, map[int64]int64{app.ID: 2}))

		yes := true
		for _, c := range []struct {
			name   string
			filter store.RepositoryFilter
			want   []string
			total  int
		}{
			{"by name", store.RepositoryFilter{Order: store.OrderName, Asc: true}, []string{"app", "empty", "web_app"}, 3},
			{"by name, down", store.RepositoryFilter{Order: store.OrderName}, []string{"web_app", "empty", "app"}, 3},
			{"by tags", store.RepositoryFilter{Order: store.OrderTagCount}, []string{"app", "web_app", "empty"}, 3},
			{"a page", store.RepositoryFilter{Order: store.OrderName, Asc: true, Limit: 1, Offset: 1}, []string{"empty"}, 3},
			{"a namespace", store.RepositoryFilter{Order: store.OrderName, Asc: true, Namespace: "group"}, []string{"app", "web_app"}, 2},
			{"loosely", store.RepositoryFilter{Order: store.OrderName, Asc: true, Name: "APP"}, []string{"app", "web_app"}, 2},
			{"an underscore is itself", store.RepositoryFilter{Name: "b_a"}, []string{"web_app"}, 1},
			{"a percent sign is itself", store.RepositoryFilter{Name: "%"}, nil, 0},
			{"a category", store.RepositoryFilter{Category: "linux"}, []string{"app"}, 1},
			{"public", store.RepositoryFilter{Public: &yes}, []string{"web_app"}, 1},
		} {
			page, total, err := db.RepositoryDetails(ctx, "p1", c.filter)
			must(t, err)
			var names []string
			for _, d := range page {
				names = append(names, d.Name)
			}
			if diff := cmp.Diff(c.want, names); diff != "" || total != c.total {
				t.Errorf("%s: total %d, want %d; %s", c.name, total, c.total, diff)
			}
		}
		d, err := db.RepositoryDetail(ctx, "p1", "group", "app")
		must(t, err)
		if d.Images != 2 || d.Size != 15+6 || d.Downloads != 5 || cmp.Diff([]string{"2", "1"}, d.Tags) != "" {
			t.Errorf("images %d, size %d, downloads %d, tags %v; want 2, 21, 5, [2 1]", d.Images, d.Size, d.Downloads, d.Tags)
		}
		_, err = db.RepositoryDetail(ctx, "p2", "group", "app")
		wantKind(t, "another project's", err, breakwater.KindNotFound)
	})
}

func TestTags(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		twoProjects(t, db)
		mkNamespace(t, db, "p1", "group")
		r := mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "app"})
		one := pushManifest(t, db, r.ID, "v1", "one", map[string]int64{"x": 10})
		two := pushManifest(t, db, r.ID, "v2", "two", map[string]int64{"y": 20})
		pushManifest(t, db, r.ID, "V10", "two", nil)
		names, err := db.TagNames(ctx, r.ID, "", -1)
		must(t, err)
		if diff := cmp.Diff([]string{"V10", "v1", "v2"}, names); diff != "" {
			t.Error(diff)
		}
		names, err = db.TagNames(ctx, r.ID, "V10", 1)
		must(t, err)
		if diff := cmp.Diff([]string{"v1"}, names); diff != "" {
			t.Error(diff)
		}
		page, total, err := db.RepositoryTags(ctx, r.ID, store.TagFilter{Tag: "V1", Asc: true})
		must(t, err)
		if total != 2 || len(page) != 2 || page[0].Name != "v1" || page[0].Digest != one || page[0].Size != 10 || page[0].ConfigDigest == "" || page[0].ID == 0 {
			t.Errorf("tags with v1: %d %+v", total, page)
		}
		must(t, db.PutTag(ctx, r.ID, "v1", two))
		tag, err := db.RepositoryTag(ctx, r.ID, "v1")
		must(t, err)
		if tag.Digest != two || tag.Size != 20 {
			t.Errorf("the moved tag: %+v", tag)
		}
		must(t, db.DeleteTag(ctx, r.ID, "V10"))
		wantKind(t, "deleting a tag twice", db.DeleteTag(ctx, r.ID, "V10"), breakwater.KindNotFound)
		tags, err := db.DeleteManifest(ctx, r.ID, two)
		must(t, err)
		if len(tags) != 2 {
			t.Errorf("tags gone with the manifest: %v, want v1 and v2", tags)
		}
		_, err = db.DeleteManifest(ctx, r.ID, two)
		wantKind(t, "deleting a manifest twice", err, breakwater.KindNotFound)
		_, err = db.ManifestByTag(ctx, r.ID, "v1")
		wantKind(t, "a tag of the deleted manifest", err, breakwater.KindNotFound)
		m, err := db.ManifestByDigest(ctx, r.ID, one)
		must(t, err)
		if string(m.Body) != "one" || m.MediaType != "application/x" {
			t.Errorf("the untagged manifest: %+v", m)
		}
	})
}

func TestReferrers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		twoProjects(t, db)
		mkNamespace(t, db, "p1", "group")
		r := mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "app"})
		subject := breakwater.DigestOf([]byte("subject"))
		for i := range 5 {
			body := []byte(fmt.Sprint("referrer", i))
			must(t, db.PutManifest(ctx, r.ID, store.Manifest{
				Digest: breakwater.DigestOf(body), MediaType: "m", ArtifactType: fmt.Sprint("type", i%2), Subject: subject,
				Annotations: map[string]string{"n": fmt.Sprint(i)}, Body: body,
			}, nil, nil))
		}
		var seen int
		for last := breakwater.Digest(""); ; {
			page, err := db.Referrers(ctx, r.ID, subject, "type0", last, 2)
			must(t, err)
			if len(page) == 0 {
				break
			}
			for _, m := range page {
				if m.ArtifactType != "type0" || m.BodySize != 9 || m.Annotations["n"] == "" || m.Digest <= last {
					t.Errorf("%+v after %s", m, last)
				}
				seen, last = seen+1, m.Digest
			}
		}
		if seen != 3 {
			t.Errorf("%d referrers of type0, want 3", seen)
		}
	})
}

// TestDeletedRepository: a push into a repository that goes meanwhile is told
// that it is gone.
func TestDeletedRepository(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		twoProjects(t, db)
		mkNamespace(t, db, "p1", "group")
		r := mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "app"})
		pushManifest(t, db, r.ID, "v1", "one", map[string]int64{"x": 1})
		tags, err := db.DeleteRepository(ctx, "p1", "group", "app")
		must(t, err)
		if diff := cmp.Diff([]string{"v1"}, tags); diff != "" {
			t.Error(diff)
		}
		wantKind(t, "LinkBlob", db.LinkBlob(ctx, r.ID, breakwater.DigestOf(nil), 0), breakwater.KindNotFound)
		m := store.Manifest{Digest: breakwater.DigestOf([]byte("two")), MediaType: "m", Body: []byte("two")}
		wantKind(t, "PutManifest", db.PutManifest(ctx, r.ID, m, nil, nil), breakwater.KindNotFound)
		_, err = db.ManifestByTag(ctx, r.ID, "v1")
		wantKind(t, "a manifest of the repository", err, breakwater.KindNotFound)
	})
}

func TestBlobLinks(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		twoProjects(t, db)
		mkNamespace(t, db, "p1", "group")
		r := mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "app"})
		pub := mkRepo(t, db, breakwater.Repository{ProjectID: "p1", Namespace: "group", Name: "pub", Public: true})
		used, unused := breakwater.DigestOf([]byte("used")), breakwater.DigestOf([]byte("unused"))
		must(t, db.LinkBlob(ctx, r.ID, used, 4))
		must(t, db.LinkBlob(ctx, r.ID, unused, 6))
		pushManifest(t, db, r.ID, "v1", "one", map[string]int64{"used": 4})
		wantKind(t, "unlinking a used blob", db.UnlinkBlob(ctx, r.ID, used), breakwater.KindConflict)
		for _, c := range []struct {
			project string
			d       breakwater.Digest
			kind    breakwater.Kind
		}{{"p1", used, ""}, {"p2", used, breakwater.KindNotFound}, {"", used, breakwater.KindNotFound}} {
			_, err := db.PullableBlob(ctx, c.project, c.d)
			wantKind(t, "PullableBlob of "+c.project, err, c.kind)
		}
		must(t, db.LinkBlob(ctx, pub.ID, used, 4))
		size, err := db.PullableBlob(ctx, "p2", used)
		if err != nil || size != 4 {
			t.Errorf("a public blob: %d, %v", size, err)
		}
		n, err := db.TouchBlobs(ctx, r.ID, []breakwater.Digest{used, unused, breakwater.DigestOf(nil)})
		if err != nil || n != 2 {
			t.Errorf("TouchBlobs = %d, %v, want 2", n, err)
		}

		never := func() error { t.Error("bytes of a blob in use were removed"); return nil }
		later := db.Now().Add(time.Hour)
		if dropped, err := db.DropBlob(ctx, unused, later, never); dropped || err != nil {
			t.Errorf("DropBlob of a linked blob: %v, %v", dropped, err)
		}
		gone, err := db.UnlinkUnused(ctx, db.Now().Add(-time.Hour))
		if err != nil || gone != 0 {
			t.Errorf("UnlinkUnused took %d young links, %v", gone, err)
		}
		gone, err = db.UnlinkUnused(ctx, later)
		if err != nil || gone != 2 { // unused, and used of the repository that has no manifest
			t.Errorf("UnlinkUnused took %d links, %v; want 2", gone, err)
		}
		list, err := db.UnlinkedBlobs(ctx, later, "", 10)
		must(t, err)
		if diff := cmp.Diff([]breakwater.Digest{unused}, list); diff != "" {
			t.Error(diff)
		}
		if dropped, err := db.DropBlob(ctx, unused, db.Now().Add(-time.Hour), never); dropped || err != nil {
			t.Errorf("DropBlob of a young blob: %v, %v", dropped, err)
		}
		removed := false
		dropped, err := db.DropBlob(ctx, unused, later, func() error { removed = true; return nil })
		if !dropped || !removed || err != nil {
			t.Errorf("DropBlob = %v, %v", dropped, err)
		}
		known, err := db.KnownBlob(ctx, unused)
		if known || err != nil {
			t.Errorf("KnownBlob of a dropped blob: %v, %v", known, err)
		}
		must(t, db.AdoptBlob(ctx, unused, 6))
		if known, _ := db.KnownBlob(ctx, unused); !known {
			t.Error("an adopted blob is not known")
		}
	})
}
