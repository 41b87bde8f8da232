package registry

import (
	"strings"
	"testing"

	"breakwater"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	d := "sha256:" + strings.Repeat("a", 64)
	for path, want := range map[string]route{
		"/v2":                         {kind: kindRoot},
		"/v2/":                        {kind: kindRoot},
		"/v2/token":                   {kind: kindToken},
		"/service/token":              {kind: kindToken},
		"/v2/_catalog":                {kind: kindCatalog},
		"/v2/g/a/tags/list":           {kindTags, "g", "a", ""},
		"/v2/g/a/manifests/latest":    {kindManifest, "g", "a", "latest"},
		"/v2/g/a/b/manifests/" + d:    {kindManifest, "g", "a/b", d},
		"/v2/g/a/blobs/" + d:          {kindBlob, "g", "a", d},
		"/v2/g/a/blobs/uploads/":      {kindUploads, "g", "a", ""},
		"/v2/g/a/blobs/uploads":       {kindUploads, "g", "a", ""},
		"/v2/g/a/blobs/uploads/uplx":  {kindUpload, "g", "a", "uplx"},
		"/v2/g/a/referrers/" + d:      {kindReferrers, "g", "a", d},
		"/v2/g/blobs/manifests/x":     {kindManifest, "g", "blobs", "x"},
		"/v2/g/blobs/blobs/uploads/u": {kindUpload, "g", "blobs", "u"},
		"/v2/g/tags/list/tags/list":   {kindTags, "g", "tags/list", ""},
		"/v2/g/token/manifests/x":     {kindManifest, "g", "token", "x"},
		"/v2/g/a__b/c--d.e/tags/list": {kindTags, "g", "a__b/c--d.e", ""},
	} {
		got, err := parse(path)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(route{})); err != nil || diff != "" {
			t.Errorf("parse(%s): %v %s", path, err, diff)
		}
	}
	for path, code := range map[string]string{
		"/v2/a/manifests/latest":                           codeNameInvalid,
		"/v2/G/a/manifests/latest":                         codeNameInvalid,
		"/v2/g/A/manifests/latest":                         codeNameInvalid,
		"/v2/g/../a/manifests/latest":                      codeNameInvalid,
		"/v2/g//a/manifests/latest":                        codeNameInvalid,
		"/v2//g/a/manifests/latest":                        codeNameInvalid,
		"/v2/g/a./manifests/latest":                        codeNameInvalid,
		"/v2/g/a b/tags/list":                              codeNameInvalid,
		"/v2/manage/a/tags/list":                           codeNameInvalid,
		"/v2/g/a\x00/tags/list":                            codeNameInvalid,
		"/v2/g/" + strings.Repeat("a", 129) + "/tags/list": codeNameInvalid,
		"/v2/" + strings.Repeat("a", 65) + "/a/tags/list":  codeNameInvalid,
		"/v2/tags/list":                                    codeUnsupported,
		"/v2/g/a":                                          codeUnsupported,
		"/v2/g/a/manifests/":                               codeUnsupported,
		"/v2/g/a/manifests":                                codeUnsupported,
		"/v2/g/a/tags":                                     codeUnsupported,
		"/v2x/g/a/tags/list":                               codeUnsupported,
		"/v1/":                                             codeUnsupported,
		"":                                                 codeUnsupported,
		"/v2/g/" + strings.Repeat("a/", 600) + "a/tags/list": codeUnsupported,
	} {
		_, err := parse(path)
		e, _ := err.(*breakwater.Error)
		if e == nil || e.Code != code {
			t.Errorf("parse(%.60q) = %v, want %s", path, err, code)
		}
	}
}

// FuzzParse holds every path that is understood to the grammar of names, and to
// being understood the same when it is put together again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"/v2/", "/v2/g/a/tags/list", "/v2/g/a/b/manifests/latest", "/v2/g/a/blobs/sha256:00", "/v2/g/a/blobs/uploads/",
		"/v2/g/a/blobs/uploads/x", "/v2/g/a/referrers/x", "/v2/../a/tags/list", "/v2//", "/service/token", "/v2/g/a%2fb/tags/list",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r, err := parse(path)
		if err != nil || r.kind <= kindCatalog {
			return
		}
		if breakwater.CheckNamespace(r.namespace) != nil || breakwater.CheckRepository(r.repository) != nil {
			t.Fatalf("%q passed with the name %q", path, r.path())
		}
		if strings.Contains(r.ref, "/") || strings.Contains(r.path(), "..") {
			t.Fatalf("%q passed with %+v", path, r)
		}
		tail := map[kind]string{
			kindTags: "/tags/list", kindManifest: "/manifests/" + r.ref, kindBlob: "/blobs/" + r.ref,
			kindUploads: "/blobs/uploads/", kindUpload: "/blobs/uploads/" + r.ref, kindReferrers: "/referrers/" + r.ref,
		}[r.kind]
		again, err := parse("/v2/" + r.path() + tail)
		if err != nil || again != r {
			t.Fatalf("%q: %+v, put together again: %+v, %v", path, r, again, err)
		}
	})
}

func TestContentRange(t *testing.T) {
	for s, want := range map[string][2]int64{"0-9": {0, 9}, "bytes 5-5/100": {5, 5}, "bytes=1-2": {1, 2}, "10-19/*": {10, 19}} {
		if a, b, ok := contentRange(s); !ok || a != want[0] || b != want[1] {
			t.Errorf("contentRange(%s) = %d, %d, %v", s, a, b, ok)
		}
	}
	for _, s := range []string{"", "-", "5", "5-4", "-1-4", "a-b", "0-9223372036854775808", "0x1-2", "1-2-3", "+1-2", "bytes"} {
		if a, b, ok := contentRange(s); ok {
			t.Errorf("contentRange(%q) = %d, %d", s, a, b)
		}
	}
}

func TestAccepts(t *testing.T) {
	const index = "application/vnd.oci.image.index.v1+json"
	for _, c := range []struct {
		accept []string
		want   bool
	}{
		{nil, true},
		{[]string{"*/*"}, true},
		{[]string{"application/json"}, true},
		{[]string{"text/html, application/xhtml+xml, */*;q=0.8"}, true},
		{[]string{"application/vnd.docker.distribution.manifest.v2+json", index}, true},
		{[]string{"application/vnd.docker.distribution.manifest.v2+json, " + index + ";q=0.5"}, true},
		{[]string{"application/vnd.docker.distribution.manifest.v2+json"}, false},
		{[]string{"application/vnd.docker.distribution.manifest.v2+json, " + index + ";q=0"}, false},
		{[]string{";;;"}, true},
	} {
		if got := accepts(c.accept, index); got != c.want {
			t.Errorf("accepts(%q) = %v", c.accept, got)
		}
	}
}
