//go:build crash

package crash

import (
	"fmt"
	"testing"

	"breakwater/internal/upstreamtest"

	"github.com/google/go-cmp/cmp"
)

// TestKillScan kills the server while a task scans the images of a foreign
// registry: in every second round a layer stands still, so that a scan is
// surely in the middle of it. The result must be that of an undisturbed server.
func TestKillScan(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		images := 80
		if p.small {
			images = 24
		}
		w := newShelf(t, images)
		calm := newServer(t, "", "--starter=false", "--scan-on-sync=false")
		w.begin(calm)
		want := w.end(calm)
		blobs := w.Count("/blobs/") - w.before // that many in all
		calm.kill()

		s := newServer(t, p.dsn, "--starter=false", "--scan-on-sync=false")
		w.begin(s)
		for round := range p.kills {
			w.kill(s, round, blobs/(p.kills+4))
			for _, i := range s.images("") {
				if i.Status == "failed" {
					t.Fatalf("round %d: a kill is no failure of %s: %s", round, i.ref(), i.Failure)
				}
			}
		}
		if diff := cmp.Diff(want, w.end(s)); diff != "" {
			t.Errorf("undisturbed (-) and killed (+) differ:\n%s", diff)
		}
	})
}

// shelf is a registry of images to scan, and a feed that finds something in each.
type shelf struct {
	*upstreamtest.Server
	t      *testing.T
	images int
	feeds  string
	before int // blobs asked for before the scans
}

func newShelf(t *testing.T, images int) *shelf {
	w := &shelf{t: t, images: images, feeds: t.TempDir(), Server: upstreamtest.Start(upstreamtest.Options{
		Kind: upstreamtest.HarborV2, Username: "robot", Password: "secret"})}
	t.Cleanup(w.Close)
	writeFeed(t, w.feeds, "npm", images, 1)
	base := map[string]string{"usr/lib/base": noise(-1, 100_000), "srv/base/package-lock.json": lockFile("p0")}
	for n := range images {
		w.Tag(fmt.Sprintf("team/app%02d", n), "v1", upstreamtest.Image(base,
			map[string]string{"srv/a/package-lock.json": lockFile(fmt.Sprint("p", n), "unknown"), "srv/a/noise": noise(n, 100_000)},
			map[string]string{"srv/b/package-lock.json": lockFile(fmt.Sprint("p", n/2), fmt.Sprint("p", (n+1)%images)), "srv/b/noise": noise(1000+n, 200_000)},
		))
	}
	return w
}

// begin starts a server that knows all images, and the task that scans them.
func (w *shelf) begin(s *server) {
	w.t.Helper()
	s.start()
	if out, err := s.run(w.t.Context(), "db", "update", "--from", w.feeds).CombinedOutput(); err != nil {
		w.t.Fatalf("db update: %v\n%s", err, out)
	}
	s.addRegistry("Harbor", w.Addr, "robot", "secret")
	s.until("the images are known", func() bool { return s.total("") == w.images })
	w.before = w.Count("/blobs/")
	s.call("POST", "/image/image-scan/tasks", map[string]any{"is_all": true}, nil)
}

// kill ends the server when so many more blobs were asked for, or when one of
// them stands still in the middle, and starts it again.
func (w *shelf) kill(s *server, round, blobs int) {
	from := w.Count("/blobs/")
	asked := func() int { return w.Count("/blobs/") - from }
	if round%2 == 0 {
		s.until("scans go on", func() bool { return asked() >= blobs+round%3 })
	} else {
		w.Break(upstreamtest.Fault{Path: "/blobs/", Skip: blobs - 1, Times: 2, How: upstreamtest.StallBody})
		s.until("a scan stands in a layer", func() bool { return asked() >= blobs && s.total("scan_status=scanning") > 0 })
	}
	s.kill()
	w.Mend()
	s.start()
}

// end waits for the task and answers what is shown of every image, and of the task.
func (w *shelf) end(s *server) map[string][]string {
	w.t.Helper()
	s.until("the task is finished", func() bool { return s.tasks("image_scan")[0].Status == 100 })
	tasks := s.tasks("image_scan")
	if got := tasks[0]; len(tasks) != 1 || got.Total != w.images || got.Success != w.images || got.Failed != 0 {
		w.t.Errorf("the tasks: %+v", tasks)
	}
	out := map[string][]string{}
	for ref, i := range s.images("") {
		out[ref] = s.findings(i)
		if i.Status != "success" || i.Found != len(out[ref]) || i.Found < 2 {
			w.t.Errorf("%s is %s with %d findings, and %d are listed", ref, i.Status, i.Found, len(out[ref]))
		}
	}
	return out
}
