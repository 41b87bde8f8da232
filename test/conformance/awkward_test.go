package conformance

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/swr/v2/model"
)

// TestAwkwardNames pushes and pulls images whose names read like paths of the
// management API, which lives below /v2/ too.
func TestAwkwardNames(t *testing.T) {
	each(t, func(t *testing.T, c clients) {
		group := "awkward-" + c.way
		if _, err := c.swr.CreateNamespace(&model.CreateNamespaceRequest{Body: &model.CreateNamespaceRequestBody{Namespace: group}}); err != nil {
			t.Fatal(err)
		}
		auth := login(t, c)
		for _, repository := range []string{"app", "instances", "instances/manifests", "manage/namespaces", "a/b/c"} {
			for _, tag := range []string{"tags", "list", "artifacts", "repositories", "registries"} {
				img := image(t, group+repository+tag, map[string]string{"etc/name": tag})
				push(t, c, group+"/"+repository, tag, img)
				ref, err := name.NewTag(host()+"/"+group+"/"+repository+":"+tag, name.Insecure)
				if err != nil {
					t.Fatal(err)
				}
				got, err := remote.Get(ref, remote.WithAuth(auth), remote.WithContext(t.Context()))
				if err != nil {
					t.Errorf("%s: %v", ref, err)
					continue
				}
				if want, err := img.Digest(); err != nil || got.Digest != want {
					t.Errorf("%s is %s, pushed was %s, %v", ref, got.Digest, want, err)
				}
			}
		}
	})
}
