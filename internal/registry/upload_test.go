package registry_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/registry"
	"breakwater/internal/registry/registrytest"
	"breakwater/internal/storetest"
)

// begin starts a session and answers its location.
func (c client) begin(repo string) string {
	c.t.Helper()
	a := c.do("POST", "/v2/"+repo+"/blobs/uploads/", "")
	c.want(a, http.StatusAccepted, "")
	return a.header.Get("Location")
}

func (c client) wantRange(a answer, want string) {
	c.t.Helper()
	if got := a.header.Get("Range"); got != want {
		c.t.Errorf("Range %q, want %q", got, want)
	}
}

func TestChunks(t *testing.T) {
	w := start(t)
	c := client{t, w, "alpha@robot"}
	client{t, w, "alpha@operator"}.pushBlob("g/app", "x") // robots make no namespaces
	loc := c.begin("g/app")
	c.wantRange(c.do("GET", loc, ""), "0-0")
	c.want(c.do("PATCH", loc, "01234", "Content-Range: 5-9"), 416, "BLOB_UPLOAD_INVALID")
	a := c.do("PATCH", loc, "01234", "Content-Range: 0-4")
	c.want(a, 202, "")
	c.wantRange(a, "0-4")
	a = c.do("PATCH", loc, "01234", "Content-Range: 0-4")
	c.want(a, 416, "BLOB_UPLOAD_INVALID")
	c.wantRange(a, "0-4")
	c.want(c.do("PATCH", loc, "567", "Content-Range: 5-9"), 400, "SIZE_INVALID")
	c.want(c.do("PATCH", loc, "567", "Content-Range: nonsense"), 400, "BLOB_UPLOAD_INVALID")
	c.want(c.do("PATCH", loc, "567"), 202, "") // streamed: no Content-Range
	a = c.do("GET", loc, "")
	c.want(a, 204, "")
	c.wantRange(a, "0-7")
	d := breakwater.DigestOf([]byte("0123456789"))
	c.want(c.do("PUT", loc, "89"), 400, "DIGEST_INVALID")
	a = c.do("PUT", loc+"?digest="+d.String(), "89", "Content-Range: 8-9")
	c.want(a, 201, "")
	if got := c.do("GET", a.header.Get("Location"), ""); string(got.body) != "0123456789" {
		t.Errorf("the blob is %q", got.body)
	}
	c.want(c.do("GET", loc, ""), 404, "BLOB_UPLOAD_UNKNOWN")
	c.want(c.do("PUT", loc+"?digest="+d.String(), ""), 404, "BLOB_UPLOAD_UNKNOWN")
}

func TestUploadEnds(t *testing.T) {
	w := start(t)
	c := client{t, w, "alpha@operator"}
	loc := c.begin("g/app")
	c.want(c.do("DELETE", loc, ""), 204, "")
	c.want(c.do("DELETE", loc, ""), 404, "BLOB_UPLOAD_UNKNOWN")
	c.want(c.do("PATCH", loc, "x"), 404, "BLOB_UPLOAD_UNKNOWN")

	loc = c.begin("g/app")
	wrong := breakwater.DigestOf([]byte("right")).String()
	c.want(c.do("PUT", loc+"?digest="+wrong, "wrong"), 400, "DIGEST_INVALID")
	c.want(c.do("GET", loc, ""), 404, "BLOB_UPLOAD_UNKNOWN")
	c.want(c.do("POST", "/v2/g/app/blobs/uploads/?digest="+wrong, "wrong"), 400, "DIGEST_INVALID")
	c.want(c.do("POST", "/v2/g/app/blobs/uploads/?digest=md5:1", "wrong"), 400, "DIGEST_INVALID")

	// A session belongs to its repository.
	loc = c.begin("g/app")
	c.pushBlob("g/other", "x")
	c.want(c.do("PATCH", strings.Replace(loc, "g/app", "g/other", 1), "x"), 404, "BLOB_UPLOAD_UNKNOWN")
	for _, id := range []string{"upl..%2Fx", "x", "upl", "..", "%2e%2e%2fblobs"} {
		if a := c.do("PATCH", "/v2/g/app/blobs/uploads/"+id, "x"); a.status != 404 && a.status != 405 && a.status != 400 {
			t.Errorf("the session %s: %d", id, a.status)
		}
	}
}

func TestBlobLimit(t *testing.T) {
	w := registrytest.Start(t, storetest.SQLite(t), func(o *registry.Options) { o.MaxBlob = 10 })
	c := client{t, w, "alpha@operator"}
	loc := c.begin("g/app")
	c.want(c.do("PATCH", loc, "0123456789a"), 413, "SIZE_INVALID")
	c.want(c.do("PATCH", loc, "0123456789"), 202, "")
	c.want(c.do("PATCH", loc, "a"), 413, "SIZE_INVALID")
	// Without a stated length the limit is found while reading.
	req, err := http.NewRequest("PATCH", w.Server.URL+c.begin("g/app"), io.NopCloser(strings.NewReader("0123456789a")))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(c.user, registrytest.Password)
	c.want(send(t, req), 413, "SIZE_INVALID")
	c.want(c.do("POST", "/v2/g/app/blobs/uploads/?digest="+breakwater.DigestOf([]byte("0123456789a")).String(), "0123456789a"), 413, "SIZE_INVALID")
}

// TestResume breaks a connection in the middle of a chunk and continues from
// what the registry says it has, in a registry started anew.
func TestResume(t *testing.T) {
	db := storetest.SQLite(t)
	w := registrytest.Start(t, db, nil)
	c := client{t, w, "alpha@operator"}
	body := strings.Repeat("breakwater", 1000)
	loc := c.begin("g/app")
	c.want(c.do("PATCH", loc, body[:100]), 202, "")

	conn, err := net.Dial("tcp", w.Host)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("PATCH", w.Server.URL+loc, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(c.user, registrytest.Password)
	_, _ = io.WriteString(conn, "PATCH "+loc+" HTTP/1.1\r\nHost: x\r\nAuthorization: "+req.Header.Get("Authorization")+
		"\r\nContent-Range: 100-9999\r\nContent-Length: 9900\r\n\r\n"+body[100:5000])
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(conn) // until the registry has given up on it
	_ = conn.Close()

	w2 := w.Restart(t)
	c = client{t, w2, c.user}
	c.wantRange(c.do("GET", loc, ""), "0-4999")
	d := breakwater.DigestOf([]byte(body))
	c.want(c.do("PATCH", loc, body[5000:], "Content-Range: 5000-9999"), 202, "")
	c.want(c.do("PUT", loc+"?digest="+d.String(), ""), 201, "")
	if got := c.do("GET", "/v2/g/app/blobs/"+d.String(), ""); string(got.body) != body {
		t.Errorf("%d bytes came back", len(got.body))
	}
}

func TestMount(t *testing.T) {
	w := start(t)
	alpha, beta := client{t, w, "alpha@operator"}, client{t, w, "beta@operator"}
	d := alpha.pushBlob("g/app", "shared").String()
	mount := func(c client, repo, from string) answer {
		q := url.Values{"mount": {d}}
		if from != "" {
			q.Set("from", from)
		}
		return c.do("POST", "/v2/"+repo+"/blobs/uploads/?"+q.Encode(), "")
	}
	alpha.want(mount(alpha, "g/two", "g/app"), 201, "")
	alpha.want(mount(alpha, "g/three", ""), 201, "")
	alpha.want(mount(alpha, "g/four", "g/none"), 202, "")
	alpha.want(mount(alpha, "g/four", "../etc"), 202, "")
	if a := alpha.do("GET", "/v2/g/two/blobs/"+d, ""); string(a.body) != "shared" {
		t.Errorf("the mounted blob: %d %q", a.status, a.body)
	}
	// Knowing a digest is no right to its bytes.
	beta.want(mount(beta, "h/app", "g/app"), 202, "")
	beta.want(mount(beta, "h/app", ""), 202, "")
	beta.want(beta.do("GET", "/v2/h/app/blobs/"+d, ""), 404, "BLOB_UNKNOWN")

	repo, err := w.DB.Repository(context.Background(), registrytest.ProjectID("alpha"), "g", "app")
	if err != nil {
		t.Fatal(err)
	}
	repo.Public = true
	if err := w.DB.UpdateRepository(context.Background(), repo); err != nil {
		t.Fatal(err)
	}
	beta.want(mount(beta, "h/app", "g/app"), 201, "")
	alpha.want(alpha.do("POST", "/v2/g/two/blobs/uploads/?mount=sha256:x&from=g/app", ""), 400, "DIGEST_INVALID")
}
