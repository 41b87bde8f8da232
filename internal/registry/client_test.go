package registry_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"testing"

	"breakwater"
	"breakwater/internal/oci"
	"breakwater/internal/registry/registrytest"
	"breakwater/internal/store"
	"breakwater/internal/storetest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func makePublic(t testing.TB, w *registrytest.World, project, namespace, repository string) {
	t.Helper()
	ctx := context.Background()
	r, err := w.DB.Repository(ctx, registrytest.ProjectID(project), namespace, repository)
	if err != nil {
		t.Fatal(err)
	}
	r.Public = true
	if err := w.DB.UpdateRepository(ctx, r); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func signedIn(user string) remote.Option {
	return remote.WithAuth(&authn.Basic{Username: user, Password: registrytest.Password})
}

func ref(t testing.TB, w *registrytest.World, s string) name.Reference {
	t.Helper()
	r, err := name.ParseReference(w.Host + "/" + s)
	must(t, err)
	return r
}

// TestRealClient drives the registry with go-containerregistry, on every
// database: the token dance, images, indexes, lists, deletes, and what the
// catalogue then knows.
func TestRealClient(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := context.Background()
		w := registrytest.Start(t, db, nil)
		auth := signedIn("alpha@operator")
		image, err := random.Image(200_000, 5)
		must(t, err)
		index, err := random.Index(10_000, 2, 3)
		must(t, err)
		must(t, remote.Write(ref(t, w, "g/app:v1"), image, auth))
		must(t, remote.Write(ref(t, w, "g/deep/er/app:v1"), image, auth)) // mounts
		must(t, remote.WriteIndex(ref(t, w, "g/app:multi"), index, auth))

		got, err := remote.Image(ref(t, w, "g/app:v1"), auth)
		must(t, err)
		must(t, validate.Image(got))
		gotIndex, err := remote.Index(ref(t, w, "g/app:multi"), signedIn("alpha@viewer"))
		must(t, err)
		must(t, validate.Index(gotIndex))

		tags, err := remote.List(ref(t, w, "g/app").Context(), auth, remote.WithPageSize(1))
		must(t, err)
		if diff := cmp.Diff([]string{"multi", "v1"}, tags); diff != "" {
			t.Error(diff)
		}
		registry, err := name.NewRegistry(w.Host)
		must(t, err)
		repos, err := remote.Catalog(ctx, registry, auth)
		must(t, err)
		if diff := cmp.Diff([]string{"g/app", "g/deep/er/app"}, repos); diff != "" {
			t.Error(diff)
		}
		wantImages(t, w, image, "g/app:multi", "g/app:v1", "g/deep/er/app:v1")

		must(t, w.Registry.Flush(ctx))
		detail, err := db.RepositoryDetail(ctx, registrytest.ProjectID("alpha"), "g", "deep/er/app")
		must(t, err)
		size, err := image.Size()
		must(t, err)
		if detail.Images != 1 || detail.Downloads != 0 || detail.Size <= size {
			t.Errorf("%+v", detail)
		}

		must(t, remote.Delete(ref(t, w, "g/app:multi"), auth))
		digest, err := image.Digest()
		must(t, err)
		must(t, remote.Delete(ref(t, w, "g/app@"+digest.String()), auth))
		if _, err := remote.Get(ref(t, w, "g/app:v1"), auth); err == nil {
			t.Error("a deleted image is still there")
		}
		wantImages(t, w, image, "g/deep/er/app:v1")
		if err := remote.Write(ref(t, w, "g/app:v1"), image, signedIn("beta@admin")); err == nil {
			t.Error("another project pushed")
		}
	})
}

// wantImages holds the image list of project alpha to these names, and those of
// tag v1 to waiting for the first scan of the image.
func wantImages(t *testing.T, w *registrytest.World, image v1.Image, want ...string) {
	t.Helper()
	digest, err := image.Digest()
	must(t, err)
	rows, total, err := w.DB.Images(context.Background(), registrytest.ProjectID("alpha"), store.ImageFilter{}, store.ImagePage{Limit: 100})
	must(t, err)
	var names []string
	for _, i := range rows {
		names = append(names, i.Namespace+"/"+i.Name+":"+i.Version)
		if i.ScanStatus != breakwater.ScanWaiting || i.RegistryType != breakwater.RegistrySwrPrivate {
			t.Errorf("%s: %+v", names[len(names)-1], i.Image)
		}
		if (i.Version == "v1") != (i.Digest.String() == digest.String()) {
			t.Errorf("%s has the digest %s", i.Version, i.Digest)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(want, names); diff != "" || total != len(want) {
		t.Errorf("the catalogue knows %d: %s", total, diff)
	}
}

func TestDownloads(t *testing.T) {
	w := start(t)
	c := client{t, w, "alpha@operator"}
	c.pushImage("g/app", "v1", "layer")
	for range 3 {
		c.want(c.do("GET", "/v2/g/app/manifests/v1", ""), 200, "")
		c.do("HEAD", "/v2/g/app/manifests/v1", "")
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	must(t, w.Registry.Run(ctx)) // ends at once, and writes what there is
	r, err := w.DB.Repository(context.Background(), registrytest.ProjectID("alpha"), "g", "app")
	must(t, err)
	if r.Downloads != 3 {
		t.Errorf("%d downloads, want 3", r.Downloads)
	}
}

func TestSource(t *testing.T) {
	ctx := context.Background()
	w := start(t)
	client{t, w, "alpha@operator"}.pushImage("g/app", "v1", "layer")
	src, err := w.Registry.Source(ctx, registrytest.ProjectID("alpha"), "g", "app")
	must(t, err)
	m, err := src.Manifest(ctx, "v1")
	must(t, err)
	resolved, err := oci.Resolve(ctx, src, m)
	must(t, err)
	if !resolved.Artifact.Scannable || resolved.Artifact.Platform.Architecture != "amd64" {
		t.Errorf("%+v", resolved.Artifact)
	}
	r, err := src.Blob(ctx, breakwater.DigestOf([]byte("layer")), 5)
	must(t, err)
	body, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(body, []byte("layer")) {
		t.Errorf("%q, %v", body, err)
	}
	must(t, r.Close())
	for what, err := range map[string]error{
		"an absent blob":     func() error { _, err := src.Blob(ctx, breakwater.DigestOf(nil), 0); return err }(),
		"an absent manifest": func() error { _, err := src.Manifest(ctx, "v2"); return err }(),
		"another project":    func() error { _, err := w.Registry.Source(ctx, registrytest.ProjectID("beta"), "g", "app"); return err }(),
	} {
		if !breakwater.IsNotFound(err) {
			t.Errorf("%s: %v, want NotFound", what, err)
		}
	}
}
