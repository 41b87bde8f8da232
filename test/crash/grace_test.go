//go:build crash

package crash

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakwater/internal/upstreamtest"

	"github.com/google/go-cmp/cmp"
)

// TestTerminateScan asks the server to end while scans stand in a layer that
// never comes: it waits for the time of grace, gives them up and ends well; the
// next start finishes the task.
func TestTerminateScan(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		w := newShelf(t, 12)
		calm := newServer(t, "", "--starter=false", "--scan-on-sync=false")
		w.begin(calm)
		want := w.end(calm)
		calm.kill()
		s := newServer(t, p.dsn, "--starter=false", "--scan-on-sync=false", "--grace", "1s")
		w.begin(s)
		for round := range 4 { // more often than a failing job is tried
			w.Break(upstreamtest.Fault{Path: "/blobs/", How: upstreamtest.StallBody})
			s.until("a scan stands in a layer", func() bool { return s.total("scan_status=scanning") > 0 || s.total("scan_status=success") == w.images })
			if err := s.terminate(); err != nil {
				t.Fatalf("round %d: the server ended with %v", round, err)
			}
			db := s.look()
			if n := count(t, db, `SELECT COUNT(*) FROM river_job WHERE kind = 'scan' AND (errors IS NOT NULL OR state NOT IN ('available', 'completed'))`); n != 0 {
				t.Errorf("round %d: %d scans were interrupted, and count it as a failure", round, n)
			}
			w.Mend()
			s.start()
		}
		if diff := cmp.Diff(want, w.end(s)); diff != "" {
			t.Errorf("undisturbed (-) and terminated (+) differ:\n%s", diff)
		}
	})
}

// TestTerminateScanInTime: scans that can end within the time of grace do, and
// what they found is kept.
func TestTerminateScanInTime(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		w := newShelf(t, 12)
		s := newServer(t, p.dsn, "--starter=false", "--scan-on-sync=false", "--grace", "60s")
		w.begin(s)
		s.until("scans go on", func() bool { return w.Count("/blobs/") > w.before+1 })
		if err := s.terminate(); err != nil {
			t.Fatalf("the server ended with %v", err)
		}
		db := s.look()
		if n := count(t, db, `SELECT COUNT(*) FROM image WHERE scan_status = 'scanning'`); n != 0 {
			t.Errorf("%d images are left in the middle", n)
		}
		if n := count(t, db, `SELECT COUNT(*) FROM river_job WHERE state = 'running'`); n != 0 {
			t.Errorf("%d jobs are left running", n)
		}
		s.start()
		w.end(s)
	})
}

// TestTerminatePush asks the server to end in the middle of a body: the client
// that goes on sending is answered, then the server ends well, and after the
// next start the session goes on.
func TestTerminatePush(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		s := newServer(t, p.dsn, "--starter=false")
		s.start()
		c := &chunked{server: s}
		status, h, err := c.do(http.DefaultTransport, "POST", "/v2/g/chunks/blobs/uploads/", 0, 0)
		if c.location = h.Get("Location"); err != nil || status != http.StatusAccepted {
			t.Fatalf("begin: %d, %v", status, err)
		}
		answers := make(chan error, 1)
		r, in := io.Pipe()
		req, err := http.NewRequest("PATCH", s.base+c.location, r)
		must(t, err)
		login := s.docker()
		req.SetBasicAuth(login.Username, login.Password)
		go func() {
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err == nil {
				if _ = resp.Body.Close(); resp.StatusCode != http.StatusAccepted {
					err = fmt.Errorf("the chunk: %s", resp.Status)
				}
			}
			answers <- err
		}()
		_, err = io.WriteString(in, stream()[:chunk])
		must(t, err)
		s.until("the server holds the beginning", func() bool { return uploaded(t, s.data) >= chunk/2 })
		over := make(chan error, 1)
		go func() { over <- s.terminate() }()
		s.until("no new connection is taken", func() bool {
			resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(mustRequest(t, s.base+"/healthz"))
			if err == nil {
				_ = resp.Body.Close()
			}
			return err != nil
		})
		_, err = io.WriteString(in, stream()[chunk:3*chunk])
		must(t, err)
		must(t, in.Close())
		must(t, <-answers)
		must(t, <-over)
		c.acked, c.sent = 3*chunk, 3*chunk
		s.start()
		c.check()
		c.finish()
	})
}

// uploaded is how many bytes lie in upload sessions.
func uploaded(t *testing.T, data string) (n int64) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(data, "blobs", "uploads"))
	must(t, err)
	for _, f := range files {
		info, err := f.Info()
		must(t, err)
		n += info.Size()
	}
	return n
}

func mustRequest(t *testing.T, url string) *http.Request {
	t.Helper()
	req, err := http.NewRequest("GET", url, strings.NewReader(""))
	must(t, err)
	return req
}
