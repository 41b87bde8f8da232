package door_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"breakwater/api"
	"breakwater/internal/door"

	"github.com/getkin/kin-openapi/openapi3"
)

var anyParameter = regexp.MustCompile(`\{[^}]*\}`)

// TestEveryOperationIsGuarded goes through every operation of every document:
// nobody gets in without signing in, and another project's path is not there.
func TestEveryOperationIsGuarded(t *testing.T) {
	for name, tc := range map[string]struct {
		doc     []byte
		dialect door.Dialect
	}{"hss": {api.HSS, door.HSS}, "swr": {api.SWR, door.SWR}, "iam": {api.IAM, door.IAM}} {
		d := newDoor(t, tc.doc, tc.dialect, io.Discard)
		doc, err := openapi3.NewLoader().LoadFromData(tc.doc)
		if err != nil {
			t.Fatal(err)
		}
		status := func(method, path, token string) int {
			r := httptest.NewRequest(method, path, nil)
			r.Header.Set("X-Auth-Token", token)
			w := httptest.NewRecorder()
			d.ServeHTTP(w, r)
			return w.Code
		}
		for path, item := range doc.Paths.Map() {
			for method, op := range item.Operations() {
				mine := anyParameter.ReplaceAllString(strings.ReplaceAll(path, "{project_id}", "prj1"), "x")
				foreign := anyParameter.ReplaceAllString(strings.ReplaceAll(path, "{project_id}", "prj2"), "x")
				if got := status(method, mine, "good"); got != 501 {
					t.Errorf("%s %s without a handler: %d", name, op.OperationID, got)
				}
				if op.Security != nil {
					continue
				}
				if got := status(method, mine, ""); got != 401 {
					t.Errorf("%s %s without signing in: %d", name, op.OperationID, got)
				}
				if got := status(method, foreign, "good"); foreign != mine && got != 404 {
					t.Errorf("%s %s in another project: %d", name, op.OperationID, got)
				}
			}
		}
	}
}

// TestMatches: doors that share a listener do not take each other's paths, nor
// docker's.
func TestMatches(t *testing.T) {
	doors := map[string]*door.Door{
		"hss": newDoor(t, api.HSS, door.HSS, io.Discard),
		"swr": newDoor(t, api.SWR, door.SWR, io.Discard),
		"iam": newDoor(t, api.IAM, door.IAM, io.Discard),
	}
	for path, want := range map[string]string{
		"/v5/prj1/image/registries/images": "hss",
		"/v2/manage/namespaces":            "swr",
		"/v2/prj1/instances":               "swr",
		"/v2":                              "swr",
		"/":                                "swr",
		"/v3/projects":                     "iam",
		"/v3/auth/tokens":                  "iam",
		"/v2/":                             "",
		"/v2/_catalog":                     "",
		"/v2/group/app/manifests/latest":   "",
		"/v2/group/app/tags/list":          "",
		"/v2/group/app/blobs/uploads/":     "",
		"/v2/group/app/referrers/sha256:0": "",
		"/openapi/hss.json":                "",
		"/v5/prj1/image/registries/images/and/deeper": "",
	} {
		for name, d := range doors {
			r := httptest.NewRequest(http.MethodPut, path, nil) // whatever the method
			if got := d.Matches(r); got != (name == want) {
				t.Errorf("%s matches %s: %v", name, path, got)
			}
		}
	}
}
