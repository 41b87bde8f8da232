//go:build crash

package crash

import (
	"fmt"
	"maps"
	"testing"

	"breakwater"
	"breakwater/internal/upstreamtest"

	"github.com/google/go-cmp/cmp"
)

// TestKillSync kills the server in the middle of the first synchronisation with
// a Harbor of 3,000 repositories, and in the middle of another one after much
// of the Harbor has changed.
func TestKillSync(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		size := 3000
		if p.small {
			size = 1200
		}
		h := newHarbor(t, size)
		s := newServer(t, p.dsn, "--starter=false", "--scan-on-sync=false")
		s.start()
		s.addRegistry("Harbor", h.Addr, "robot", "secret")
		h.first(s, p.kills/2)
		h.change()
		h.second(s, p.kills/2)
	})
}

// harbor is the registry of the world, and what it holds by reference.
type harbor struct {
	*upstreamtest.Server
	t    *testing.T
	size int
	want map[string]string
}

func newHarbor(t *testing.T, size int) *harbor {
	h := &harbor{t: t, size: size, want: map[string]string{}, Server: upstreamtest.Start(upstreamtest.Options{
		Kind: upstreamtest.HarborV2, Username: "robot", Password: "secret"})}
	t.Cleanup(h.Close)
	for n := range size {
		h.put(n, "v1", fmt.Sprint("image ", n))
	}
	return h
}

func repository(n int) string { return fmt.Sprintf("team%02d/app%04d", n%30, n) }

func (h *harbor) put(n int, tag, content string) {
	a := upstreamtest.Image(map[string]string{"srv/content": content})
	h.Tag(repository(n), tag, a)
	h.want[repository(n)+":"+tag] = a.Digest.String()
}

// change removes every tenth repository, moves a tag in another tenth and adds
// a tag in a third.
func (h *harbor) change() {
	for n := range h.size {
		switch n % 10 {
		case 3:
			h.Remove(repository(n))
			delete(h.want, repository(n)+":v1")
		case 5:
			h.put(n, "v1", fmt.Sprint("moved ", n))
		case 7:
			h.put(n, "v2", fmt.Sprint("second ", n))
		}
	}
}

// kills lets the server ask so many requests of the Harbor between one kill and
// the next, and looks at what each has left behind.
func (h *harbor) kills(s *server, kills, requests int, look func(rows map[string]string)) {
	for round := range kills {
		h.t.Helper()
		from := h.Count("")
		s.until("the synchronisation goes on", func() bool { return h.Count("")-from >= requests+round%7 })
		s.kill()
		left := s.left()
		s.start()
		look(left)
	}
}

// first: images appear page by page, each with its digest; none goes away again.
func (h *harbor) first(s *server, kills int) {
	began, rows := h.listed(), 0
	h.kills(s, kills, 4*h.size/(kills+2), func(now map[string]string) {
		if len(now) < rows || len(now) == h.size {
			h.t.Fatalf("%d images after %d, of %d", len(now), rows, h.size)
		}
		rows = len(now)
		for ref, digest := range now {
			if h.want[ref] != digest {
				h.t.Fatalf("%s is %s here and %s there", ref, digest, h.want[ref])
			}
		}
	})
	if rows == 0 {
		h.t.Fatal("no kill hit the middle: nothing was there after any")
	}
	s.until("all images are here", func() bool { return s.total("") == h.size })
	h.same(s)
	h.cheap(began, h.size, kills)
}

// second: what is gone upstream stays until the whole list was read.
func (h *harbor) second(s *server, kills int) {
	gone := func(rows map[string]string) (n int) {
		for ref := range rows {
			if _, ok := h.want[ref]; !ok {
				n++
			}
		}
		return n
	}
	s.until("the first synchronisation has ended", func() bool { return s.registryStatus() == "success" && !s.busy() })
	all := gone(s.left())
	began := h.listed()
	s.call("POST", "/image/image-sync/tasks", map[string]any{"sync_all_registries": true}, nil)
	h.kills(s, kills, h.size/(kills+2), func(now map[string]string) {
		if n := gone(now); n != all {
			h.t.Fatalf("of %d images that are gone upstream %d are left, before the list was read to its end", all, n)
		}
		if k := s.manual(); k.Status == 100 || k.Status < 0 {
			h.t.Fatalf("the task in the middle: %+v", k)
		}
	})
	s.until("the task is finished", func() bool { return s.manual().Status == 100 })
	h.same(s)
	h.cheap(began, h.size*9/10, kills)
	if done := s.manual(); done.Success != done.Total || done.Failed != 0 {
		h.t.Errorf("the task ended as %+v", done)
	}
}

// same: the list is the Harbor's, exactly.
func (h *harbor) same(s *server) {
	h.t.Helper()
	got := map[string]string{}
	for ref, i := range s.images("") {
		got[ref] = i.Digest
	}
	if diff := cmp.Diff(maps.Clone(h.want), got); diff != "" {
		h.t.Fatalf("the Harbor (-) and the list (+) differ:\n%s", diff)
	}
}

// listed is how often a repository's artifacts were asked for.
func (h *harbor) listed() int { return h.Count("/artifacts") }

// cheap: the work went on where it stood. A kill costs the page it hit;
// whoever starts over each time asks for half of everything after each kill.
func (h *harbor) cheap(began, repositories, kills int) {
	h.t.Helper()
	if asked, limit := h.listed()-began, repositories+150*kills; asked < repositories || asked > limit {
		h.t.Errorf("%d repositories were asked for %d times, want at most %d", repositories, asked, limit)
	}
}

// manual is the task that the test made; there may be one of the server's own.
func (s *server) manual() task {
	s.t.Helper()
	var found []task
	for _, k := range s.tasks("image_sync") {
		if k.Type == breakwater.TaskManualSync {
			found = append(found, k)
		}
	}
	if len(found) != 1 {
		s.t.Fatalf("the tasks: %+v", found)
	}
	return found[0]
}

// registryStatus is how the one foreign registry stands.
func (s *server) registryStatus() string {
	s.t.Helper()
	var out struct {
		List []struct {
			Status string `json:"status"`
		} `json:"data_list"`
	}
	s.call("GET", "/image/registries?registry_type=Harbor", nil, &out)
	if len(out.List) != 1 {
		s.t.Fatalf("%d registries", len(out.List))
	}
	return out.List[0].Status
}

// left is every image row with its digest, in one look at the database: pages
// of the list would shift while a synchronisation writes.
func (s *server) left() map[string]string {
	s.t.Helper()
	db := s.look()
	defer db.Close()
	rows, err := db.Writer().QueryContext(s.t.Context(), `SELECT namespace, name, version, digest FROM image`)
	must(s.t, err)
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var i image
		must(s.t, rows.Scan(&i.Namespace, &i.Name, &i.Version, &i.Digest))
		if _, ok := all[i.ref()]; ok {
			s.t.Fatalf("there are two rows of %s", i.ref())
		}
		all[i.ref()] = i.Digest
	}
	must(s.t, rows.Err())
	return all
}

// busy: a sync job is open.
func (s *server) busy() bool {
	s.t.Helper()
	db := s.look()
	defer db.Close()
	return count(s.t, db, `SELECT COUNT(*) FROM river_job WHERE kind = 'sync' AND state NOT IN ('completed', 'cancelled', 'discarded')`) > 0
}
