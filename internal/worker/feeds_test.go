package worker_test

import (
	"archive/zip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
	"breakwater/internal/worker"

	"github.com/google/go-cmp/cmp"
)

// shelf is a database with a project, and a directory of feeds.
type shelf struct {
	*testing.T
	db  *store.DB
	ctx context.Context
	dir string
}

func newShelf(t *testing.T, db *store.DB) *shelf {
	t.Helper()
	s := &shelf{T: t, db: db, ctx: context.Background(), dir: t.TempDir()}
	must(t, db.CreateDomain(s.ctx, breakwater.Domain{ID: "dom", Name: "dom"}))
	must(t, db.CreateProject(s.ctx, breakwater.Project{ID: "p1", DomainID: "dom", Name: "p1"}))
	must(t, db.PutRegistry(s.ctx, breakwater.Registry{ID: "r1", ProjectID: "p1", Name: "reg", Type: breakwater.RegistryHarbor, Status: breakwater.RegistrySuccess}))
	return s
}

// feed writes a zip of records: "id|ecosystem|name|fixed|alias", with a fix of
// the empty string for none, and "withdrawn " before one that is.
func (s *shelf) feed(name, modified string, records ...string) {
	s.Helper()
	f, err := os.Create(filepath.Join(s.dir, name+".zip"))
	must(s.T, err)
	z := zip.NewWriter(f)
	for _, r := range records {
		r, withdrawn := strings.CutPrefix(r, "withdrawn ")
		p := strings.Split(r, "|")
		end := ""
		if withdrawn {
			end = fmt.Sprintf(`"withdrawn":%q,`, modified)
		}
		events := `{"introduced":"0"}`
		if p[3] != "" {
			events += fmt.Sprintf(`,{"fixed":%q}`, p[3])
		}
		w, err := z.Create(p[0] + ".json")
		must(s.T, err)
		_, err = fmt.Fprintf(w, `{"id":%q,"modified":%q,%s"aliases":[%q],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N"}],
			"affected":[{"package":{"ecosystem":%q,"name":%q},"ranges":[{"type":"ECOSYSTEM","events":[%s]}]}]}`, p[0], modified, end, p[4], p[1], p[2], events)
		must(s.T, err)
	}
	must(s.T, z.Close())
	must(s.T, f.Close())
}

// image makes an image known that holds "ecosystem|name|version" packages, as a
// scan of it would.
func (s *shelf) image(name string, packages ...string) int64 {
	s.Helper()
	d := breakwater.DigestOf([]byte(name))
	var id int64
	must(s.T, s.db.Tx(s.ctx, func(tx *store.DB) error {
		if _, err := tx.PutArtifact(s.ctx, breakwater.Artifact{Digest: d, MediaType: "m", Scannable: true}); err != nil {
			return err
		}
		put, err := tx.PutImage(s.ctx, breakwater.Image{ProjectID: "p1", RegistryID: "r1", Namespace: "n", Name: name, Version: "1", Digest: d, Scannable: true}, 1)
		if err != nil {
			return err
		}
		id = put.ID
		inv := breakwater.Inventory{Digest: d, Scanner: "t", Coverage: []breakwater.Coverage{{Check: breakwater.CheckSoftware, State: breakwater.StateDone}}}
		for _, p := range packages {
			f := strings.Split(p, "|")
			inv.Packages = append(inv.Packages, breakwater.Package{Ecosystem: f[0], Name: f[1], Version: f[2]})
		}
		artifact, fresh, err := tx.PutInventory(s.ctx, inv)
		if err != nil {
			return err
		}
		if err := worker.MatchPackages(s.ctx, tx, fresh); err != nil {
			return err
		}
		return tx.RefreshCounters(s.ctx, []int64{artifact})
	}))
	return id
}

func (s *shelf) update(o worker.FeedOptions) worker.Summary {
	s.Helper()
	if o.URL == "" && !o.Starter {
		o.From = s.dir
	}
	sum, err := worker.UpdateFeeds(s.ctx, s.db, http.DefaultClient, o)
	must(s.T, err)
	return sum
}

// findings is "level: id fixed, id fixed" of an image.
func (s *shelf) findings(id int64) string {
	s.Helper()
	row, err := s.db.Image(s.ctx, "p1", id)
	must(s.T, err)
	list, total, err := s.db.ImageFindings(s.ctx, row.Digest, store.FindingFilter{})
	must(s.T, err)
	if total != row.VulNum {
		s.Errorf("the image counts %d findings and lists %d", row.VulNum, total)
	}
	var out []string
	for _, f := range list {
		out = append(out, strings.TrimSpace(f.AdvisoryID+" "+f.Fixed))
	}
	slices.Sort(out)
	return string(row.Level) + ": " + strings.Join(out, ", ")
}

func TestUpdateReachesImagesWithoutARegistry(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newShelf(t, db)
		early := s.image("early", "npm|a|1.0.0", "Debian:12.5|p|1.0-1")
		late := s.image("late", "npm|b|1.0.0")
		odd := s.image("odd", "npm|b|file:../b")
		expect := func(when string, want ...string) {
			t.Helper()
			var got []string
			for _, id := range []int64{early, late, odd} {
				got = append(got, s.findings(id))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s: %s", when, diff)
			}
		}
		expect("without feeds nothing is known", ": ", ": ", ": ")

		s.feed("npm", "2026-01-01T00:00:00Z", "GHSA-1|npm|a|1.0.1|CVE-2026-0001", "CVE-2026-0001|npm|a|1.0.1|GHSA-1", "GHSA-2|npm|z|9|CVE-2026-0002")
		sum := s.update(worker.FeedOptions{})
		must(t, sum.Err())
		if sum.Judged != 3 {
			t.Errorf("judged %d package versions, want the 3 of npm", sum.Judged)
		}
		expect("npm is known", "Medium: GHSA-1 1.0.1", "Security: ", ": ")

		s.feed("Debian", "2026-01-01T00:00:00Z", "DEBIAN-CVE-2026-0003|Debian:12|p|1.0-2|CVE-2026-0003", "DEBIAN-CVE-2026-0004|Debian:11|p|1.0-2|CVE-2026-0004")
		if sum = s.update(worker.FeedOptions{}); sum.Judged != 1 || !sum.Results[1].Unchanged {
			t.Errorf("%+v", sum)
		}
		expect("Debian too", "Medium: DEBIAN-CVE-2026-0003 1.0-2, GHSA-1 1.0.1", "Security: ", ": ")

		s.feed("npm", "2026-01-02T00:00:00Z", "GHSA-1|npm|a|1.0.0|CVE-2026-0001", "GHSA-2|npm|b||CVE-2026-0002", "GHSA-5|npm|z|9|CVE-2026-0005")
		if sum = s.update(worker.FeedOptions{}); sum.Changed != 2 {
			t.Errorf("%d packages are judged differently, want 2", sum.Changed)
		}
		expect("one repaired, one found", "Medium: DEBIAN-CVE-2026-0003 1.0-2", "Medium: GHSA-2", ": ")

		must(t, os.WriteFile(filepath.Join(s.dir, "npm.zip"), []byte("PK"), 0o600))
		if sum = s.update(worker.FeedOptions{}); sum.Err() == nil {
			t.Error("a truncated feed was taken")
		}
		expect("a broken feed changes nothing", "Medium: DEBIAN-CVE-2026-0003 1.0-2", "Medium: GHSA-2", ": ")
		feed, err := db.Feed(s.ctx, "npm")
		if err != nil || feed.LastError == "" || feed.Records != 3 {
			t.Errorf("%+v, %v", feed, err)
		}

		must(t, os.WriteFile(filepath.Join(s.dir, "kev.json"), []byte(`{"dateReleased":"2026-01-03T00:00:00Z","count":1,"vulnerabilities":[{"cveID":"CVE-2026-0002","dateAdded":"2026-01-02"}]}`), 0o600))
		s.update(worker.FeedOptions{Feeds: []string{"kev"}})
		expect("exploited", "Medium: DEBIAN-CVE-2026-0003 1.0-2", "High: GHSA-2", ": ")
	})
}

// A feed that speaks of other releases only says nothing of this one.
func TestReleaseThatNoRecordNames(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newShelf(t, db)
		s.feed("Debian", "2026-01-01T00:00:00Z", "DEBIAN-CVE-2026-0001|Debian:12|p|2|CVE-2026-0001")
		must(t, s.update(worker.FeedOptions{}).Err())
		spoken, silent := s.image("spoken", "Debian:12|q|1"), s.image("silent", "Debian:13|q|1")
		if a, b := s.findings(spoken), s.findings(silent); a != "Security: " || b != ": " {
			t.Fatalf("the release of the feed is %q, the other one %q", a, b)
		}
		s.feed("Debian", "2026-01-02T00:00:00Z", "DEBIAN-CVE-2026-0001|Debian:12|p|2|CVE-2026-0001", "DEBIAN-CVE-2026-0002|Debian:13|p|2|CVE-2026-0002")
		must(t, s.update(worker.FeedOptions{}).Err())
		if got := s.findings(silent); got != "Security: " {
			t.Fatalf("when a record names the release: %q", got)
		}
	})
}

// A run that was cut short between showing a feed and judging again is taken up.
func TestRematchIsTakenUp(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		s := newShelf(t, db)
		image := s.image("a", "npm|a|1.0.0")
		f := breakwater.Feed{Name: "npm", Records: 1}
		a := breakwater.Advisory{ID: "GHSA-1", Severity: breakwater.SeverityLow, Score: 1, Affected: []breakwater.Affected{{Ecosystem: "npm", Name: "a", Versions: []string{"1.0.0"}}}}
		_, err := db.ImportFeed(s.ctx, &f, func(yield func(breakwater.Advisory, error) bool) { yield(a, nil) }, store.ImportOptions{})
		must(t, err)
		if got := s.findings(image); got != ": " {
			t.Fatalf("before: %s", got)
		}
		judged, changed, err := worker.Rematch(s.ctx, db, nil)
		if err != nil || judged != 1 || changed != 1 || s.findings(image) != "Low: GHSA-1" {
			t.Fatalf("judged %d, changed %d, %v, %s", judged, changed, err, s.findings(image))
		}
		if judged, _, err := worker.Rematch(s.ctx, db, nil); err != nil || judged != 0 {
			t.Fatalf("again: judged %d, %v", judged, err)
		}
		if later := s.image("b", "npm|a|1.0.0", "npm|b|1"); s.findings(later) != "Low: GHSA-1" {
			t.Fatalf("an image that comes later: %s", s.findings(later))
		}
	})
}

func TestUpdateFromAMirror(t *testing.T) {
	s := newShelf(t, storetest.SQLite(t))
	s.feed("npm", "2026-01-01T00:00:00Z", "GHSA-1|npm|a|1.0.1|CVE-2026-0001")
	files := http.FileServer(http.Dir(s.dir))
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		r.URL.Path = strings.Replace(r.URL.Path, "/all.zip", ".zip", 1)
		files.ServeHTTP(w, r)
	}))
	defer server.Close()
	sum := s.update(worker.FeedOptions{URL: server.URL, TempDir: t.TempDir()})
	must(t, sum.Err())
	if db, err := s.db.Feeds(s.ctx); err != nil || len(db) != 1 || db[0].Records != 1 {
		t.Errorf("feeds %+v, %v", db, err)
	}
	sum = s.update(worker.FeedOptions{URL: server.URL, TempDir: t.TempDir(), Feeds: []string{"npm", "PyPI"}})
	if len(sum.Results) != 2 || !sum.Results[0].Unchanged || !breakwater.IsNotFound(sum.Results[1].Err) {
		t.Errorf("%+v", sum.Results)
	}
	must(t, os.Remove(filepath.Join(s.dir, "npm.zip")))
	if _, err := worker.UpdateFeeds(s.ctx, s.db, http.DefaultClient, worker.FeedOptions{URL: server.URL}); breakwater.KindOf(err) != breakwater.KindUnavailable {
		t.Errorf("a source without any feed: %v", err)
	}
	server.Close()
	asked = 0
	sum = s.update(worker.FeedOptions{URL: server.URL, TempDir: t.TempDir()})
	if sum.Err() == nil || asked > 0 {
		t.Errorf("a silent source: %v", sum.Err())
	}
	if feed, err := s.db.Feed(s.ctx, "npm"); err != nil || feed.Records != 1 || feed.LastError == "" {
		t.Errorf("%+v, %v", feed, err)
	}
}
