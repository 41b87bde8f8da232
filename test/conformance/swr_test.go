package conformance

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/swr/v2/model"
)

// host is the registry's part of an image name.
func host() string { return creds.Endpoint[strings.Index(creds.Endpoint, "//")+2:] }

// image is one layer with these files, and a config that names a platform and a
// user, so that there is nothing unsafe about it. The salt makes its digests its own.
func image(t *testing.T, salt string, files map[string]string) v1.Image {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	files["salt"] = salt
	for file, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.ConfigFile(img, &v1.ConfigFile{OS: "linux", Architecture: "amd64", Config: v1.Config{User: "10001"}, RootFS: v1.RootFS{Type: "layers", DiffIDs: diffIDs(t, layer)}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func diffIDs(t *testing.T, layer v1.Layer) []v1.Hash {
	t.Helper()
	id, err := layer.DiffID()
	if err != nil {
		t.Fatal(err)
	}
	return []v1.Hash{id}
}

// push sends an image into the embedded registry as docker would.
func push(t *testing.T, c clients, repository, tag string, img v1.Image) {
	t.Helper()
	ref, err := name.NewTag(host()+"/"+repository+":"+tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, img, remote.WithAuth(login(t, c)), remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// login is what CreateSecret answers; its three forms must agree.
func login(t *testing.T, c clients) authn.Authenticator {
	t.Helper()
	out, err := c.swr.CreateSecret(&model.CreateSecretRequest{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := base64.StdEncoding.DecodeString(out.Auths[host()].Auth)
	if err != nil {
		t.Fatal(err)
	}
	user, password, _ := strings.Cut(string(b), ":")
	if want := "docker login -u " + user + " -p " + password + " " + host(); val(out.XSwrDockerlogin) != want {
		t.Errorf("X-Swr-Dockerlogin %q, the body says %q", val(out.XSwrDockerlogin), want)
	}
	if !strings.HasPrefix(user, creds.ProjectName+"@") {
		t.Errorf("the login's user is %q", user)
	}
	if end, err := time.Parse(time.RFC3339, val(out.XSwrExpireat)); err != nil || end.Before(time.Now()) {
		t.Errorf("X-Swr-Expireat %q, %v", val(out.XSwrExpireat), err)
	}
	return &authn.Basic{Username: user, Password: password}
}

// recent checks a time of the wire: RFC 3339, UTC, a fraction, not long ago.
func recent(t *testing.T, what, s string) {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || !strings.HasSuffix(s, "Z") || !strings.Contains(s, ".") || time.Since(at).Abs() > time.Hour {
		t.Errorf("%s is %q", what, s)
	}
}

// TestSeed004 is the walk-through: organization, repository, what they show,
// and the calls that the SDK has beside them.
func TestSeed004(t *testing.T) {
	each(t, func(t *testing.T, c clients) {
		group := "group-" + c.way
		made, err := c.swr.CreateNamespace(&model.CreateNamespaceRequest{Body: &model.CreateNamespaceRequestBody{Namespace: group}})
		if err != nil || made.HttpStatusCode != http.StatusCreated {
			t.Fatalf("CreateNamespace: %v %v", made, err)
		}
		organization := checkNamespaces(t, c, group)
		created, err := c.swr.CreateRepo(&model.CreateRepoRequest{Namespace: group, Body: &model.CreateRepoRequestBody{
			Repository: "base/test", IsPublic: false, Description: to("test"), Category: to(model.GetCreateRepoRequestBodyCategoryEnum().LINUX)}})
		if err != nil || created.HttpStatusCode != http.StatusOK {
			t.Fatalf("CreateRepo: %v %v", created, err)
		}
		img := image(t, group, map[string]string{"etc/hello": "hello"})
		push(t, c, group+"/base/test", "v1", img)
		push(t, c, group+"/base/test", "v2", img)
		checkRepository(t, c, group, organization, img)
		checkTags(t, c, group, img)
		checkSWRRefusals(t, c, group)
		if out, err := c.swr.DeleteRepoTag(&model.DeleteRepoTagRequest{Namespace: group, Repository: "base$test", Tag: "v1"}); err != nil || out.HttpStatusCode != http.StatusNoContent {
			t.Errorf("DeleteRepoTag: %v %v", out, err)
		}
		if out, err := c.swr.DeleteRepo(&model.DeleteRepoRequest{Namespace: group, Repository: "base$test"}); err != nil || out.HttpStatusCode != http.StatusNoContent {
			t.Errorf("DeleteRepo: %v %v", out, err)
		}
		if out, err := c.swr.DeleteNamespaces(&model.DeleteNamespacesRequest{Namespace: group}); err != nil || out.HttpStatusCode != http.StatusNoContent {
			t.Errorf("DeleteNamespaces: %v %v", out, err)
		}
	})
}

// checkNamespaces finds the organization in every way and answers its id.
func checkNamespaces(t *testing.T, c clients, group string) int32 {
	t.Helper()
	shown, err := c.swr.ShowNamespace(&model.ShowNamespaceRequest{Namespace: group})
	if err != nil {
		t.Fatal(err)
	}
	if val(shown.Name) != group || val(shown.CreatorName) != creds.User || val(shown.Id) == 0 || shown.Auth.Value() != 7 {
		t.Errorf("ShowNamespace: %v", shown)
	}
	for what, request := range map[string]*model.ListNamespacesRequest{
		"filter": {Filter: to("namespace::" + group)}, "filter with mode": {Filter: to("namespace::" + group + "|mode::visible")}, "plain": {Namespace: to(group)},
	} {
		list, err := c.swr.ListNamespaces(request)
		if err != nil {
			t.Errorf("ListNamespaces, %s: %v", what, err)
			continue
		}
		rows := val(list.Namespaces)
		if len(rows) != 1 || rows[0].Name != group || rows[0].Id != val(shown.Id) || rows[0].CreatorName != creds.User || rows[0].Auth.Value() != 7 {
			t.Errorf("ListNamespaces, %s: %v", what, list)
		}
	}
	return val(shown.Id)
}

// checkRepository holds the 18 fields of ShowRepository and of a list line
// against the image that was pushed under two tags.
func checkRepository(t *testing.T, c clients, group string, organization int32, img v1.Image) {
	t.Helper()
	r, err := c.swr.ShowRepository(&model.ShowRepositoryRequest{Namespace: group, Repository: "base$test"})
	if err != nil {
		t.Fatal(err)
	}
	path := host() + "/" + group + "/base/test"
	recent(t, "created", val(r.Created))
	recent(t, "updated", val(r.Updated))
	if val(r.Id) == 0 || val(r.CreatorId) == "" {
		t.Errorf("ShowRepository: id %d, creator_id %q", val(r.Id), val(r.CreatorId))
	}
	want := model.ShowRepositoryResponse{
		Id: r.Id, NsId: to(int64(organization)), Name: to("base/test"), Category: to("linux"), Description: to("test"), CreatorId: r.CreatorId,
		CreatorName: to(creds.User), Size: to(stored(t, img)), IsPublic: to(false), NumImages: to(int64(2)), NumDownload: to(int64(0)), Url: to(""),
		Path: to(path), InternalPath: to(path), Created: r.Created, Updated: r.Updated, DomainId: to(creds.DomainID), Priority: to(int32(0)), HttpStatusCode: 200,
	}
	if diff := cmp.Diff(want, *r); diff != "" {
		t.Errorf("ShowRepository (-want +got)\n%s", diff)
	}
	list, err := c.swr.ListReposDetails(&model.ListReposDetailsRequest{Filter: to("namespace::" + group + "|name::test|limit::10|offset::0|order_column::updated_time|order_type::desc")})
	if err != nil {
		t.Fatal(err)
	}
	rows := val(list.Body)
	if len(rows) != 1 {
		t.Fatalf("ListReposDetails: %v", list)
	}
	line := model.ShowReposResp{
		Name: "base/test", Category: "linux", Description: "test", Size: stored(t, img), NumImages: 2, CreatedAt: val(r.Created), UpdatedAt: val(r.Updated),
		Path: path, InternalPath: path, DomainName: rows[0].DomainName, Namespace: group, Tags: []string{"v2", "v1"}, TotalRange: 1,
	}
	if diff := cmp.Diff(line, rows[0]); diff != "" || rows[0].DomainName == "" || val(list.ContentRange) != "0-1/1" {
		t.Errorf("ListReposDetails, Content-Range %s (-want +got)\n%s", val(list.ContentRange), diff)
	}
}

// stored is what an image takes in the registry: manifest, config and layers.
func stored(t *testing.T, img v1.Image) int64 {
	t.Helper()
	manifest, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(manifest)) + named(t, img)
}

// named is what a manifest names: config and layers.
func named(t *testing.T, img v1.Image) int64 {
	t.Helper()
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	size := m.Config.Size
	for _, l := range m.Layers {
		size += l.Size
	}
	return size
}

// checkTags holds the 17 fields of a tag against the image, once it is scanned.
func checkTags(t *testing.T, c clients, group string, img v1.Image) {
	t.Helper()
	var rows []model.ShowReposTagResp
	until(t, "the scan of a pushed image", func() bool {
		out, err := c.swr.ListRepositoryTags(&model.ListRepositoryTagsRequest{Namespace: group, Repository: "base$test",
			OrderColumn: to("updated_at"), OrderType: to("asc"), Limit: to("10"), Offset: to("0")})
		if err != nil {
			t.Fatal(err)
		}
		if rows = val(out.Body); len(rows) != 2 || val(out.ContentRange) != "0-2/2" {
			t.Fatalf("ListRepositoryTags: %v", out)
		}
		return rows[0].Scanned && rows[1].Scanned
	})
	digest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	config, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	for i, tag := range []string{"v1", "v2"} {
		path := host() + "/" + group + "/base/test:" + tag
		recent(t, "created", rows[i].Created)
		recent(t, "updated", rows[i].Updated)
		want := model.ShowReposTagResp{
			Id: rows[i].Id, RepoId: rows[i].RepoId, Tag: tag, ImageId: config.Hex, Manifest: string(manifest), Digest: digest.String(), Schema: 2,
			Path: path, InternalPath: path, Size: named(t, img), Created: rows[i].Created, Updated: rows[i].Updated, DomainId: creds.DomainID, Scanned: true,
		}
		if diff := cmp.Diff(want, rows[i]); diff != "" || rows[i].Id == 0 || rows[i].RepoId == 0 {
			t.Errorf("ListRepositoryTags (-want +got)\n%s", diff)
		}
	}
}

// checkSWRRefusals expects status and code of what cannot be.
func checkSWRRefusals(t *testing.T, c clients, group string) {
	t.Helper()
	_, err := c.swr.CreateNamespace(&model.CreateNamespaceRequest{Body: &model.CreateNamespaceRequestBody{Namespace: group}})
	refused(t, "a second organization", err, http.StatusConflict, "SVCSTG.SWR.4090000")
	_, err = c.swr.CreateNamespace(&model.CreateNamespaceRequest{Body: &model.CreateNamespaceRequestBody{Namespace: "Not-A-Name"}})
	refused(t, "a bad name", err, http.StatusBadRequest, "SVCSTG.SWR.4000014")
	_, err = c.swr.CreateRepo(&model.CreateRepoRequest{Namespace: group, Body: &model.CreateRepoRequestBody{Repository: "base/test"}})
	refused(t, "a second repository", err, http.StatusConflict, "SVCSTG.SWR.4090000")
	_, err = c.swr.ShowRepository(&model.ShowRepositoryRequest{Namespace: group, Repository: "none"})
	refused(t, "no repository", err, http.StatusNotFound, "SVCSTG.SWR.4040010")
	_, err = c.swr.ShowNamespace(&model.ShowNamespaceRequest{Namespace: "none"})
	refused(t, "no organization", err, http.StatusNotFound, "SVCSTG.SWR.4040010")
	_, err = c.swr.DeleteNamespaces(&model.DeleteNamespacesRequest{Namespace: group})
	refused(t, "a full organization", err, http.StatusNotAcceptable, "SVCSTG.SWR.4060074")
	_, err = c.swr.ListQuotas(&model.ListQuotasRequest{})
	refused(t, "an operation that is not served", err, http.StatusNotImplemented, "SVCSTG.SWR.5010000")
}

func TestVersions(t *testing.T) {
	each(t, func(t *testing.T, c clients) {
		out, err := c.swr.ListApiVersions(&model.ListApiVersionsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if rows := val(out.Versions); len(rows) != 1 || rows[0].Id != "v2" || rows[0].Status != "CURRENT" {
			t.Errorf("ListApiVersions: %v", out)
		}
	})
}
