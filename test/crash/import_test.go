//go:build crash

package crash

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/store"
)

// TestKillUpdate kills `breakwater db update`, beside a server that goes on, at
// the row that a round chooses. Of each feed the old edition is there or the new
// one, whole, and so are its verdicts; the next update completes it.
func TestKillUpdate(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		const packages = 1500
		s := newServer(t, p.dsn, "--starter=false")
		s.start()
		img, names := s.pushNames(30)
		db, dir := s.look(), t.TempDir()
		killed := 0
		for round := range p.kills {
			old, now := repairedBy(round), repairedBy(round+1)
			for _, ecosystem := range ecosystems {
				writeFeed(t, dir, ecosystem, packages, round+1)
			}
			if s.killUpdate(db, dir, 1+round*2*packages/p.kills) {
				killed++
			}
			for _, ecosystem := range ecosystems {
				shown := s.shown(db, ecosystem, packages)
				if whole := shown[old] == packages || shown[now] == packages || round == 0 && len(shown) == 0; !whole || len(shown) > 1 {
					t.Fatalf("round %d: of the feed %s is shown %v", round, ecosystem, shown)
				}
				found := s.repairs(img, ecosystem)
				if whole := found[old] == len(names) || found[now] == len(names) || round == 0 && len(found) == 0; !whole || len(found) > 1 {
					t.Fatalf("round %d: the image's %s findings are in pieces: %v", round, ecosystem, found)
				}
			}
			if out, err := s.run(t.Context(), "db", "update", "--from", dir).CombinedOutput(); err != nil {
				t.Fatalf("round %d: %v\n%s", round, err, out)
			}
			for _, ecosystem := range ecosystems {
				if found := s.repairs(img, ecosystem); found[now] != len(names) || len(found) != 1 {
					t.Fatalf("round %d: after a whole update the image's %s findings are %v, want %d by %s", round, ecosystem, found, len(names), now)
				}
			}
			if n := count(t, db, `SELECT COUNT(*) FROM advisory`); n != 2*packages {
				t.Fatalf("round %d: %d rows are kept of %d", round, n, 2*packages)
			}
		}
		if killed < p.kills-1 { // the last row may be written faster than a kill comes
			t.Errorf("only %d of %d kills hit an update", killed, p.kills)
		}
	})
}

var ecosystems = []string{"PyPI", "npm"}

// pushNames pushes an image that holds so many packages of both ecosystems.
func (s *server) pushNames(n int) (image, []string) {
	s.t.Helper()
	var names []string
	var pip strings.Builder
	for i := range n {
		names = append(names, fmt.Sprint("p", i*37))
		fmt.Fprintf(&pip, "p%d==1.0.0\n", i*37)
	}
	p := &pushes{server: s}
	must(s.t, p.write("g/names:v1", build(s.t, map[string]string{"srv/package-lock.json": lockFile(names...), "srv/requirements.txt": pip.String()}), newMeter(0)))
	s.until("the image is scanned", func() bool { return s.total("scan_status=success") == 1 })
	return s.images("")["g/names:v1"], names
}

// killUpdate starts an update and kills it when it has written so many rows;
// false when it was done before.
func (s *server) killUpdate(db *store.DB, dir string, rows int) bool {
	s.t.Helper()
	before := 0
	if n := count(s.t, db, `SELECT COUNT(*) FROM advisory`); n > 0 {
		before = count(s.t, db, `SELECT MAX(id) FROM advisory`)
	}
	cmd := s.run(context.Background(), "db", "update", "--from", dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(s.t, cmd.Start())
	over := make(chan struct{})
	go func() { _ = cmd.Wait(); close(over) }()
	early := false
	s.until("the update writes", func() bool {
		select {
		case <-over:
			early = true
		default:
		}
		return early || count(s.t, db, fmt.Sprint(`SELECT COUNT(*) FROM advisory WHERE id > `, before)) >= rows
	})
	_ = cmd.Process.Kill()
	<-over
	return !early
}

// shown is by how many packages of a feed which version repairs them, as the
// matcher is told.
func (s *server) shown(db *store.DB, ecosystem string, packages int) map[string]int {
	s.t.Helper()
	names := make([]store.PackageName, packages)
	for n := range names {
		names[n] = store.PackageName{Ecosystem: ecosystem, Name: fmt.Sprint("p", n)}
	}
	found, err := db.Candidates(s.t.Context(), names)
	must(s.t, err)
	out := map[string]int{}
	for _, list := range found {
		for _, c := range list {
			out[c.Advisory.Affected[0].Ranges[0].Events[1].Fixed]++
		}
	}
	return out
}

// repairs is by how many findings of an image which version repairs them.
func (s *server) repairs(i image, ecosystem string) map[string]int {
	s.t.Helper()
	out := map[string]int{}
	for _, f := range s.findings(i) {
		if !strings.Contains(f, "GHSA-"+ecosystem+"-") {
			continue
		}
		_, version, _ := strings.Cut(f, "7.")
		out["7."+version[:strings.IndexByte(version, '.')]+".0"]++
	}
	return out
}

// TestKillStarter kills a server that loads the set of advisories that ships in
// the binary. Each feed of it is there whole or not at all, findings too, and in
// the end all is as in a server that was left alone.
func TestKillStarter(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		s := newServer(t, p.dsn)
		s.start("--starter=false")
		push := &pushes{server: s}
		must(t, push.write("g/shop:v1", build(t, map[string]string{
			"srv/requirements.txt": "django==3.2.4\njinja2==2.11.2\n", "srv/Gemfile.lock": "GEM\n  remote: https://rubygems.org/\n  specs:\n    rack (2.0.6)\n\nDEPENDENCIES\n  rack\n",
		}), newMeter(0)))
		s.until("the image is scanned", func() bool { return s.total("scan_status=success") == 1 })
		shop := s.images("")["g/shop:v1"]
		s.kill()

		db := s.look()
		var seen []map[string]int
		for round := range p.kills {
			before := 0
			if n := count(t, db, `SELECT COUNT(*) FROM advisory`); n > 0 {
				before = count(t, db, `SELECT MAX(id) FROM advisory`)
			}
			s.start()
			if found := s.findings(shop); len(found) != 0 {
				t.Fatalf("round %d: %d findings before the set was judged", round, len(found))
			}
			s.until("the set is read", func() bool {
				return count(t, db, fmt.Sprint(`SELECT COUNT(*) FROM advisory WHERE id > `, before)) >= 1+round%6*700
			})
			s.kill()
			seen = append(seen, records(t, db))
		}
		s.start()
		s.until("the set is in", func() bool {
			v, err := db.Setting(t.Context(), "starter_loaded")
			return err == nil && v != ""
		})
		whole := records(t, db)
		for round, part := range seen {
			for feed, n := range part {
				if n != whole[feed] {
					t.Errorf("after kill %d the feed %s showed %d records of %d", round, feed, n, whole[feed])
				}
			}
		}
		if len(seen[0]) >= len(whole) {
			t.Errorf("no kill hit the middle: %v of %v", slices.Sorted(maps.Keys(seen[0])), len(whole))
		}
		found := s.findings(shop)
		if all := strings.Join(found, " "); len(found) != s.images("")["g/shop:v1"].Found || !strings.Contains(all, "django") || !strings.Contains(all, "rack") {
			t.Errorf("%d findings in the end", len(found))
		}
	})
}

// records is how many records each feed shows; none are left out.
func records(t *testing.T, db *store.DB) map[string]int {
	t.Helper()
	feeds, err := db.Feeds(t.Context())
	must(t, err)
	out := map[string]int{}
	for _, f := range feeds {
		if f.Records == 0 {
			continue
		}
		if out[f.Name] = f.Records; f.Name != breakwater.FeedKEV && f.Name != breakwater.FeedEPSS {
			shown := count(t, db, `SELECT COUNT(*) FROM advisory a JOIN feed f ON f.name = a.feed
				WHERE a.feed = '`+f.Name+`' AND a.since <= f.generation AND (a.until = 0 OR a.until > f.generation)`)
			if shown != f.Records {
				t.Errorf("the feed %s says %d records and shows %d", f.Name, f.Records, shown)
			}
		}
	}
	return out
}
