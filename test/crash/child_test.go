//go:build crash

package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"breakwater/internal/upstreamtest"
)

// TestKillChild kills the process that a scan runs in, in the middle of a layer:
// that scan fails with a code or is tried again, all others go on, the server
// lives, and the same image can be scanned afterwards.
func TestKillChild(t *testing.T) {
	const images = 8
	w := newShelf(t, images)
	s := newServer(t, "", "--starter=false", "--scan-on-sync=false", "--scan-workers", "2")
	w.begin(s)
	w.Break(upstreamtest.Fault{Path: "/blobs/", Skip: 2, Times: 6, How: upstreamtest.StallBody})
	kills := 0
	for kills < 3 {
		var victims []int
		s.until("a scan stands in a layer", func() bool {
			victims = s.children()
			return len(victims) > 0 && s.total("scan_status=scanning") > 0 && w.Count("/blobs/")-w.before >= 4
		})
		for _, pid := range victims {
			if syscall.Kill(pid, syscall.SIGKILL) == nil {
				kills++
			}
		}
		s.until("the killed processes are gone", func() bool {
			for _, pid := range victims {
				if alive(pid) {
					return false
				}
			}
			return true
		})
	}
	w.Mend()
	s.until("the task is over", func() bool { return s.tasks("image_scan")[0].Status == 100 })
	failed := 0
	for ref, i := range s.images("") {
		switch i.Status {
		case "success":
			if i.Found < 2 {
				t.Errorf("%s: %d findings", ref, i.Found)
			}
		case "failed":
			failed++
			if i.Code != "unknown_error" && i.Code != "failed_to_send_the_scan_request" || i.Failure == "" {
				t.Errorf("%s failed by %q: %q", ref, i.Code, i.Failure)
			}
		default:
			t.Errorf("%s is %s", ref, i.Status)
		}
	}
	if failed > kills {
		t.Errorf("%d kills failed %d scans", kills, failed)
	}
	t.Logf("%d processes killed, %d scans failed by it", kills, failed)
	s.call("POST", "/image/image-scan/tasks", map[string]any{"is_all": true}, nil)
	s.until("the second task is over", func() bool { return s.tasks("image_scan")[0].Status == 100 && len(s.tasks("image_scan")) == 2 })
	for ref, i := range s.images("") {
		if i.Status != "success" {
			t.Errorf("%s afterwards: %s, %s", ref, i.Status, i.Failure)
		}
	}
}

// TestLittleMemory: an image that needs more than a scan may take is over sized,
// by the contract's code, and the others are scanned by the same server.
func TestLittleMemory(t *testing.T) {
	w := upstreamtest.Start(upstreamtest.Options{Kind: upstreamtest.HarborV2, Username: "robot", Password: "secret"})
	t.Cleanup(w.Close)
	const small = 4
	for n := range small {
		w.Tag(fmt.Sprintf("team/small%d", n), "v1", upstreamtest.Image(map[string]string{"srv/package-lock.json": lockFile("p0", fmt.Sprint("p", n)), "srv/noise": noise(n, 50_000)}))
	}
	// A lock file of 150,000 packages takes many times its size.
	names := make([]string, 150_000)
	for n := range names {
		names[n] = fmt.Sprintf("a-rather-long-name-of-a-package-%d", n)
	}
	w.Tag("team/greedy", "v1", upstreamtest.Image(map[string]string{"srv/package-lock.json": lockFile(names...)}))
	s := newServer(t, "", "--starter=false", "--scan-on-sync=false", "--scan-workers", "2", "--scan-memory", strconv.Itoa(memoryForSmall))
	s.start()
	s.addRegistry("Harbor", w.Addr, "robot", "secret")
	s.until("the images are known", func() bool { return s.total("") == small+1 })
	s.call("POST", "/image/image-scan/tasks", map[string]any{"is_all": true}, nil)
	s.until("the task is over", func() bool { return s.tasks("image_scan")[0].Status == 100 })
	for ref, i := range s.images("") {
		greedy := strings.Contains(ref, "greedy")
		if want := map[bool]string{true: "image_oversized", false: "success"}[greedy]; i.Status != want {
			t.Errorf("%s is %s: %s", ref, i.Status, i.Failure)
		}
		if greedy && i.Code != "image_over_sized" {
			t.Errorf("%s: code %q, %s", ref, i.Code, i.Failure)
		}
	}
	if left := s.children(); len(left) > 2 {
		t.Errorf("%d processes of 2", len(left))
	}
}

// memoryForSmall is what a scan of next to nothing fits into.
const memoryForSmall = 128 << 20

// children are the processes that the server's scans run in.
func (s *server) children() (pids []int) {
	s.t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	must(s.t, err)
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // gone meanwhile
		}
		// proc(5): pid (comm) state ppid …; a zombie is none.
		f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(f) > 1 && f[0] != "Z" && f[1] == strconv.Itoa(s.cmd.Process.Pid) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			must(s.t, err)
			pids = append(pids, pid)
		}
	}
	return pids
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }
