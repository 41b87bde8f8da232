package osv

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"breakwater"
)

// bucket serves one feed as the OSV bucket does, and whatever a test asks for.
func bucket(t *testing.T, serve http.HandlerFunc) (*httptest.Server, func(Options) *Mirror) {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	return server, func(o Options) *Mirror {
		o.Client, o.BaseURL = server.Client(), server.URL+"/"
		o.TempDir = t.TempDir()
		m, err := NewMirror(o)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

func TestMirror(t *testing.T) {
	body := pack(t, "RLSA-1.json", rec("RLSA-1", "Rocky Linux:9", day))
	server, mirror := bucket(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/Rocky%20Linux/all.zip" {
			http.NotFound(w, r)
			return
		}
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Last-Modified", "Tue, 02 Jan 2024 00:00:00 GMT")
		_, _ = w.Write(body)
	})
	var steps []Progress
	tmp := t.TempDir()
	m := mirror(Options{Progress: func(p Progress) { steps = append(steps, p) }})
	m.opts.TempDir = tmp
	d, err := m.Open(context.Background(), "Rocky Linux", breakwater.Feed{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Feed.ETag != `"v1"` || d.Feed.URL != server.URL+"/Rocky%20Linux/all.zip" || !d.Feed.Dated.Equal(time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("feed %+v", d.Feed)
	}
	files, err := os.ReadDir(tmp)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	if info, err := files[0].Info(); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the download can be read by others: %v, %v", info.Mode(), err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if files, err = os.ReadDir(tmp); err != nil || len(files) != 0 {
		t.Fatalf("%d files are left, %v", len(files), err)
	}
	if len(steps) == 0 || steps[len(steps)-1] != (Progress{Feed: "Rocky Linux", Step: StepDownload, Done: int64(len(body)), Total: int64(len(body))}) {
		t.Errorf("progress %+v", steps)
	}
	if _, err := m.Open(context.Background(), "Rocky Linux", d.Feed); !errors.Is(err, ErrNotModified) {
		t.Errorf("the second time: %v", err)
	}
	if _, err := m.Open(context.Background(), "Rocky Linux", breakwater.Feed{URL: "http://elsewhere/", ETag: `"v1"`}); err != nil {
		t.Errorf("a tag of another address was sent: %v", err)
	}
	if _, err := m.Open(context.Background(), "npm", breakwater.Feed{}); !breakwater.IsNotFound(err) {
		t.Errorf("a feed the source does not have: %v", err)
	}
}

func TestMirrorByDate(t *testing.T) {
	const stamp = "Tue, 02 Jan 2024 00:00:00 GMT"
	_, mirror := bucket(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-Modified-Since") == stamp {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Last-Modified", stamp)
		_, _ = w.Write(pack(t, "A.json", rec("GHSA-1", "npm", day)))
	})
	m := mirror(Options{})
	d, err := m.Open(context.Background(), "npm", breakwater.Feed{})
	if err != nil || d.Close() != nil {
		t.Fatal(err)
	}
	if _, err := m.Open(context.Background(), "npm", d.Feed); !errors.Is(err, ErrNotModified) {
		t.Fatalf("the second time: %v", err)
	}
}

func TestMirrorThatFails(t *testing.T) {
	for what, c := range map[string]struct {
		serve http.HandlerFunc
		kind  breakwater.Kind
	}{
		"an error":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, breakwater.KindUnavailable},
		"a hang-up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, breakwater.KindUnavailable},
		"a short body": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("PK"))
		}, breakwater.KindUnavailable},
		"too large": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 2000)) }, breakwater.KindTooLarge},
		"too large, unannounced": {func(w http.ResponseWriter, _ *http.Request) {
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(make([]byte, 2000))
		}, breakwater.KindTooLarge},
	} {
		_, mirror := bucket(t, c.serve)
		m := mirror(Options{Limits: Limits{Download: 1000}})
		_, err := m.Open(context.Background(), "npm", breakwater.Feed{})
		if breakwater.KindOf(err) != c.kind {
			t.Errorf("%s: %v", what, err)
		}
		if left, err := os.ReadDir(m.opts.TempDir); err != nil || len(left) > 0 {
			t.Errorf("%s: %d files are left, %v", what, len(left), err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, mirror := bucket(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := mirror(Options{}).Open(ctx, "npm", breakwater.Feed{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestMirrorAddresses(t *testing.T) {
	m, err := NewMirror(Options{Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	if got := m.address("crates.io"); got != "https://osv-vulnerabilities.storage.googleapis.com/crates.io/all.zip" {
		t.Error(got)
	}
	if !strings.Contains(m.address(breakwater.FeedKEV), "cisa.gov") || !strings.HasSuffix(m.address(breakwater.FeedEPSS), ".csv.gz") {
		t.Error(m.address(breakwater.FeedKEV), m.address(breakwater.FeedEPSS))
	}
	own, err := NewMirror(Options{Client: http.DefaultClient, BaseURL: "https://mirror.example/osv/"})
	if err != nil || own.address(breakwater.FeedKEV) != "https://mirror.example/osv/kev.json" {
		t.Errorf("a mirror asks elsewhere: %v, %v", own.address(breakwater.FeedKEV), err)
	}
	for _, bad := range []string{"ftp://h", "https://", "https://user:pw@h", ":"} {
		if _, err := NewMirror(Options{Client: http.DefaultClient, BaseURL: bad}); breakwater.KindOf(err) != breakwater.KindInvalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
