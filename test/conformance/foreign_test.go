package conformance

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const (
	foreignUser     = "robot$reader"
	foreignPassword = `p"a's$s w0rd`
)

// foreign is somebody else's plain OCI registry on loopback, behind a password.
func foreign(t *testing.T) (addr string) {
	t.Helper()
	mustNotLeak("the foreign registry", foreignPassword)
	quoted, err := json.Marshal(foreignPassword)
	if err != nil {
		t.Fatal(err)
	}
	mustNotLeak("the foreign registry, in JSON", string(quoted[1:len(quoted)-1]))
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != foreignUser || password != foreignPassword {
			w.Header().Set("WWW-Authenticate", `Basic realm="foreign"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// put pushes an image into the foreign registry.
func put(t *testing.T, addr, repository, tag string, img v1.Image) {
	t.Helper()
	ref, err := name.NewTag(addr+"/"+repository+":"+tag, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	auth := &authn.Basic{Username: foreignUser, Password: foreignPassword}
	if err := remote.Write(ref, img, remote.WithAuth(auth), remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
}
