package registry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/oci"
	"breakwater/internal/registry/registrytest"
	"breakwater/internal/storetest"
)

// answer is what came back, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// code is the code of the answer's first error.
func (a answer) code() string {
	var e struct{ Errors []struct{ Code string } }
	if json.Unmarshal(a.body, &e) != nil || len(e.Errors) == 0 {
		return ""
	}
	return e.Errors[0].Code
}

// client speaks to a registry as one user; "" is nobody.
type client struct {
	t    testing.TB
	w    *registrytest.World
	user string
}

func start(t *testing.T) *registrytest.World {
	t.Helper()
	return registrytest.Start(t, storetest.SQLite(t), nil)
}

// do sends one request; headers are "Name: value".
func (c client) do(method, path, body string, headers ...string) answer {
	c.t.Helper()
	req, err := http.NewRequest(method, c.w.Server.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if c.user != "" {
		req.SetBasicAuth(c.user, registrytest.Password)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Content-Length" {
			_, _ = fmt.Sscan(value, &req.ContentLength)
			continue
		}
		req.Header.Set(name, value)
	}
	return send(c.t, req)
}

func send(t testing.TB, req *http.Request) answer {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, b}
}

// want checks a status and, when it is not empty, an error code.
func (c client) want(a answer, status int, code string) {
	c.t.Helper()
	if a.status != status || a.code() != code {
		c.t.Errorf("answer %d %s, want %d %s: %s", a.status, a.code(), status, code, a.body)
	}
}

// pushBlob sends a blob in one request and answers its digest.
func (c client) pushBlob(repo, body string) breakwater.Digest {
	c.t.Helper()
	d := breakwater.DigestOf([]byte(body))
	c.want(c.do("POST", "/v2/"+repo+"/blobs/uploads/?digest="+d.String(), body), http.StatusCreated, "")
	return d
}

// imageManifest is a manifest of one config and one layer, with anything more
// put in as raw JSON.
func imageManifest(config, layer, more string) string {
	descriptor := func(mediaType, body string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, breakwater.DigestOf([]byte(body)), len(body))
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]%s}`, oci.TypeManifest,
		descriptor("application/vnd.oci.image.config.v1+json", config), descriptor("application/vnd.oci.image.layer.v1.tar", layer), more)
}

const config = `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`

// pushImage pushes a small image whose layer is the given text.
func (c client) pushImage(repo, tag, layer string) breakwater.Digest {
	c.t.Helper()
	c.pushBlob(repo, config)
	c.pushBlob(repo, layer)
	m := imageManifest(config, layer, "")
	c.want(c.do("PUT", "/v2/"+repo+"/manifests/"+tag, m, "Content-Type: "+oci.TypeManifest), http.StatusCreated, "")
	return breakwater.DigestOf([]byte(m))
}

func TestBlobs(t *testing.T) {
	w := start(t)
	c := client{t, w, "alpha@operator"}
	body := strings.Repeat("0123456789", 100)
	d := c.pushBlob("g/app", body)
	path := "/v2/g/app/blobs/" + d.String()
	absent := breakwater.DigestOf([]byte("absent")).String()
	for _, x := range []struct {
		name, method, path string
		headers            []string
		status             int
		code, want         string
	}{
		{"whole", "GET", path, nil, 200, "", body},
		{"head", "HEAD", path, nil, 200, "", ""},
		{"a range", "GET", path, []string{"Range: bytes=10-19"}, 206, "", "0123456789"},
		{"the end", "GET", path, []string{"Range: bytes=-5"}, 206, "", "56789"},
		{"from", "GET", path, []string{"Range: bytes=995-"}, 206, "", "56789"},
		{"unknown to the cache", "GET", path, []string{`If-None-Match: "x"`}, 200, "", body},
		{"known to the cache", "GET", path, []string{`If-None-Match: "` + d.String() + `"`}, 304, "", ""},
		{"absent", "GET", "/v2/g/app/blobs/" + absent, nil, 404, "BLOB_UNKNOWN", ""},
		{"a bad digest", "GET", "/v2/g/app/blobs/sha256:abc", nil, 400, "DIGEST_INVALID", ""},
		{"another algorithm", "GET", "/v2/g/app/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", nil, 400, "DIGEST_INVALID", ""},
		{"escaped", "GET", strings.Replace(path, ":", "%3A", 1), nil, 200, "", body},
		{"with ns", "GET", path + "?ns=docker.io", nil, 200, "", body},
		{"another repository", "GET", "/v2/g/other/blobs/" + d.String(), nil, 404, "NAME_UNKNOWN", ""},
		{"a method", "POST", path, nil, 405, "UNSUPPORTED", ""},
		{"unlinked", "DELETE", path, nil, 202, "", ""},
		{"after that", "GET", path, nil, 404, "BLOB_UNKNOWN", ""},
		{"twice", "DELETE", path, nil, 404, "BLOB_UNKNOWN", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := client{t, w, c.user}
			a := c.do(x.method, x.path, "", x.headers...)
			c.want(a, x.status, x.code)
			if x.code == "" && string(a.body) != x.want {
				t.Errorf("body %.40q, want %.40q", a.body, x.want)
			}
			if x.status == 200 && (a.header.Get("Docker-Content-Digest") != d.String() || a.header.Get("Content-Length") != "1000") {
				t.Errorf("headers %v", a.header)
			}
		})
	}
	if a := c.do("GET", path, "", "Range: bytes=2000-"); a.status != 404 {
		t.Errorf("a range of an unlinked blob: %d", a.status)
	}
	c.pushBlob("g/app", body)
	if a := c.do("GET", path, "", "Range: bytes=2000-"); a.status != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("a range behind the end: %d, want 416", a.status)
	}
}

func TestManifests(t *testing.T) {
	w := start(t)
	c := client{t, w, "alpha@operator"}
	d := c.pushImage("g/app", "v1", "layer")
	good := imageManifest(config, "layer", "")
	subject := fmt.Sprintf(`,"subject":{"mediaType":%q,"digest":%q,"size":1}`, oci.TypeManifest, d)
	index := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`, oci.TypeIndex, oci.TypeManifest, d, len(good))
	orphan := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":1}]}`, oci.TypeIndex, oci.TypeManifest, breakwater.DigestOf(nil))
	docker := "application/vnd.docker.distribution.manifest.v2+json"
	for _, x := range []struct {
		name, method, ref, body string
		headers                 []string
		status                  int
		code                    string
	}{
		{"by tag", "GET", "v1", "", nil, 200, ""},
		{"by digest", "GET", d.String(), "", nil, 200, ""},
		{"head", "HEAD", "v1", "", nil, 200, ""},
		{"not modified", "GET", "v1", "", []string{`If-None-Match: "` + d.String() + `"`}, 304, ""},
		{"of no accepted type", "GET", "v1", "", []string{"Accept: " + oci.TypeIndex}, 404, "MANIFEST_UNKNOWN"},
		{"by digest of any type", "GET", d.String(), "", []string{"Accept: " + oci.TypeIndex}, 200, ""},
		{"an absent tag", "GET", "v2", "", nil, 404, "MANIFEST_UNKNOWN"},
		{"an absent digest", "GET", breakwater.DigestOf(nil).String(), "", nil, 404, "MANIFEST_UNKNOWN"},
		{"a bad tag", "GET", ".x", "", nil, 400, "TAG_INVALID"},
		{"a long tag", "GET", strings.Repeat("a", 129), "", nil, 400, "TAG_INVALID"},
		{"a bad digest", "GET", "sha256:baddigeststring", "", nil, 400, "DIGEST_INVALID"},
		{"not JSON", "PUT", "x", "{", nil, 400, "MANIFEST_INVALID"},
		{"empty", "PUT", "x", "", nil, 400, "MANIFEST_INVALID"},
		{"two names", "PUT", "x", strings.Replace(good, `"layers"`, `"layers":[],"layers"`, 1), nil, 400, "MANIFEST_INVALID"},
		{"schema 1", "PUT", "x", `{"schemaVersion":1,"fsLayers":[]}`, nil, 400, "MANIFEST_INVALID"},
		{"another type than it says", "PUT", "x", good, []string{"Content-Type: " + docker}, 400, "MANIFEST_INVALID"},
		{"an absent layer", "PUT", "x", imageManifest(config, "absent", ""), nil, 404, "MANIFEST_BLOB_UNKNOWN"},
		{"an absent child", "PUT", "x", orphan, nil, 404, "MANIFEST_BLOB_UNKNOWN"},
		{"another digest", "PUT", breakwater.DigestOf(nil).String(), good, nil, 400, "DIGEST_INVALID"},
		{"too large", "PUT", "x", strings.Repeat(" ", oci.MaxManifest+1), nil, 413, "MANIFEST_INVALID"},
		{"too many tags", "PUT", d.String() + "?" + strings.Repeat("tag=x&", 17), good, nil, 400, "TAG_INVALID"},
		{"a bad tag beside", "PUT", d.String() + "?tag=-", good, nil, 400, "TAG_INVALID"},
		{"an index", "PUT", "multi", index, nil, 201, ""},
		{"with a subject", "PUT", "signature", imageManifest(config, "layer", subject), nil, 201, ""},
		{"with tags beside", "PUT", d.String() + "?tag=v3&tag=v4", good, nil, 201, ""},
		{"tagged beside", "GET", "v4", "", nil, 200, ""},
		{"a tag away", "DELETE", "v4", "", nil, 202, ""},
		{"and again", "DELETE", "v4", "", nil, 404, "MANIFEST_UNKNOWN"},
		{"the others stay", "GET", "v3", "", nil, 200, ""},
		{"all away", "DELETE", d.String(), "", nil, 202, ""},
		{"with their tags", "GET", "v1", "", nil, 404, "MANIFEST_UNKNOWN"},
		{"not the signature", "GET", "signature", "", nil, 200, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := client{t, w, c.user}
			a := c.do(x.method, "/v2/g/app/manifests/"+x.ref, x.body, x.headers...)
			if x.method == "HEAD" && a.status == x.status {
				return
			}
			c.want(a, x.status, x.code)
			if x.status == 201 && a.header.Get("Docker-Content-Digest") != breakwater.DigestOf([]byte(x.body)).String() {
				t.Errorf("digest header %q", a.header.Get("Docker-Content-Digest"))
			}
			if got := a.header.Get("OCI-Subject"); (x.name == "with a subject") != (got == d.String()) {
				t.Errorf("OCI-Subject %q", got)
			}
			if x.status == 200 && a.header.Get("Content-Type") != oci.TypeManifest {
				t.Errorf("Content-Type %q", a.header.Get("Content-Type"))
			}
		})
	}
}

// TestBlobInUse: an image must not lose a layer by accident.
func TestBlobInUse(t *testing.T) {
	c := client{t, start(t), "alpha@operator"}
	d := c.pushImage("g/app", "v1", "layer")
	layer := "/v2/g/app/blobs/" + breakwater.DigestOf([]byte("layer")).String()
	c.want(c.do("DELETE", layer, ""), http.StatusConflict, "DENIED")
	c.want(c.do("DELETE", "/v2/g/app/manifests/"+d.String(), ""), http.StatusAccepted, "")
	c.want(c.do("DELETE", layer, ""), http.StatusAccepted, "")
}

func TestLists(t *testing.T) {
	w := start(t)
	c := client{t, w, "alpha@operator"}
	for _, tag := range []string{"b", "a", "C", "d"} {
		c.pushImage("g/app", tag, "layer")
	}
	for _, repo := range []string{"g-h/x", "g/app/sub", "g/aa"} {
		c.pushBlob(repo, "x")
	}
	client{t, w, "beta@operator"}.pushBlob("foreign/app", "x")
	for _, x := range []struct{ path, want, link string }{
		{"/v2/g/app/tags/list", `{"name":"g/app","tags":["C","a","b","d"]}`, ""},
		{"/v2/g/app/tags/list?n=2", `{"name":"g/app","tags":["C","a"]}`, `</v2/g/app/tags/list?last=a&n=2>; rel="next"`},
		{"/v2/g/app/tags/list?n=2&last=a", `{"name":"g/app","tags":["b","d"]}`, ""},
		{"/v2/g/app/tags/list?last=bb", `{"name":"g/app","tags":["d"]}`, ""},
		{"/v2/g/app/tags/list?n=0", `{"name":"g/app","tags":[]}`, ""},
		{"/v2/g/app/tags/list?n=100000", `{"name":"g/app","tags":["C","a","b","d"]}`, ""},
		{"/v2/g/aa/tags/list", `{"name":"g/aa","tags":[]}`, ""},
		{"/v2/_catalog", `{"repositories":["g/aa","g/app","g/app/sub","g-h/x"]}`, ""},
		{"/v2/_catalog?n=2", `{"repositories":["g/aa","g/app"]}`, `</v2/_catalog?last=g%2Fapp&n=2>; rel="next"`},
		{"/v2/_catalog?n=2&last=g%2Fapp", `{"repositories":["g/app/sub","g-h/x"]}`, ""},
	} {
		a := c.do("GET", x.path, "")
		if a.status != 200 || string(a.body) != x.want || a.header.Get("Link") != x.link {
			t.Errorf("%s: %d %s %s", x.path, a.status, a.body, a.header.Get("Link"))
		}
	}
	for _, n := range []string{"-1", "x", "1.5", "99999999999999999999", ""} {
		c.want(c.do("GET", "/v2/g/app/tags/list?n="+n, ""), 400, "PAGINATION_NUMBER_INVALID")
		c.want(c.do("GET", "/v2/_catalog?n="+n, ""), 400, "PAGINATION_NUMBER_INVALID")
	}
	c.want(c.do("GET", "/v2/g/none/tags/list", ""), 404, "NAME_UNKNOWN")
}

func TestReferrers(t *testing.T) {
	w := start(t)
	c := client{t, w, "alpha@operator"}
	c.pushBlob("g/app", config)
	c.pushBlob("g/app", "layer")
	subject := breakwater.DigestOf([]byte("subject"))
	const n = 250
	for i := range n {
		more := fmt.Sprintf(`,"artifactType":"type/%d","annotations":{"n":"%d"},"subject":{"mediaType":"x","digest":%q,"size":7}`, i%2, i, subject)
		m := imageManifest(config, "layer", more)
		c.want(c.do("PUT", "/v2/g/app/manifests/"+breakwater.DigestOf([]byte(m)).String(), m), 201, "")
	}
	for filter, want := range map[string]int{"": n, "?artifactType=type/1": n / 2, "?artifactType=none": 0} {
		seen := map[string]bool{}
		for path := "/v2/g/app/referrers/" + subject.String() + filter; path != ""; {
			a := c.do("GET", path, "")
			var index struct {
				SchemaVersion int
				Manifests     []struct {
					Digest, ArtifactType string
					Size                 int
					Annotations          map[string]string
				}
			}
			if err := json.Unmarshal(a.body, &index); err != nil || a.status != 200 || a.header.Get("Content-Type") != oci.TypeIndex || index.SchemaVersion != 2 {
				t.Fatalf("%s: %d %v", path, a.status, err)
			}
			if (filter != "") != (a.header.Get("OCI-Filters-Applied") == "artifactType") {
				t.Errorf("%s: OCI-Filters-Applied %q", path, a.header.Get("OCI-Filters-Applied"))
			}
			for _, m := range index.Manifests {
				if seen[m.Digest] || m.Annotations["n"] == "" || m.Size == 0 || !strings.HasPrefix(m.ArtifactType, "type/") {
					t.Errorf("%+v", m)
				}
				seen[m.Digest] = true
			}
			path, _, _ = strings.Cut(strings.TrimPrefix(a.header.Get("Link"), "<"), ">")
		}
		if len(seen) != want {
			t.Errorf("%q: %d referrers, want %d", filter, len(seen), want)
		}
	}
	c.want(c.do("GET", "/v2/g/app/referrers/v1", ""), 400, "DIGEST_INVALID")
	if a := c.do("GET", "/v2/g/none/referrers/"+subject.String(), ""); a.status != 200 || !bytes.Contains(a.body, []byte(`"manifests":[]`)) {
		t.Errorf("of an unknown repository: %d %s", a.status, a.body)
	}
}
