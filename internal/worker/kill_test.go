package worker_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"breakwater/internal/osv"
	"breakwater/internal/store"
	"breakwater/internal/worker"
)

// TestKillImport kills a process that imports a feed, 20 times, each time at
// another step. Whoever opens the database then sees the old feed or the new
// one, whole; and the next update brings the new one, with its verdicts.
func TestKillImport(t *testing.T) {
	if path := os.Getenv(importChild); path != "" {
		importAndTell(t, path)
		return
	}
	const records = 600
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	open := func() *store.DB {
		db, err := store.Open(context.Background(), store.Options{Path: path})
		must(t, err)
		return db
	}
	db := open()
	s := newShelf(t, db)
	var packages []string
	names := make([]store.PackageName, records)
	for n := range records {
		names[n] = store.PackageName{Ecosystem: "npm", Name: fmt.Sprintf("p%d", n)}
		if n%100 == 0 {
			packages = append(packages, "npm|"+names[n].Name+"|1.0.0")
		}
	}
	image := s.image("image", packages...)
	for round := range 20 {
		fix := fmt.Sprintf("1.0.%d", round+1)
		var list []string
		for n, name := range names {
			list = append(list, fmt.Sprintf("GHSA-%d|npm|%s|%s|CVE-2026-%05d", n, name.Name, fix, n))
		}
		s.feed("npm", fmt.Sprintf("2026-01-%02dT00:00:00Z", round+1), list...)
		must(t, db.Close())
		killChild(t, path, s.dir, round%7)
		db = open()
		s.db = db
		shown := map[string]int{}
		found, err := db.Candidates(s.ctx, names)
		must(t, err)
		for _, list := range found {
			for _, c := range list {
				shown[c.Advisory.Affected[0].Ranges[0].Events[1].Fixed]++
			}
		}
		old := fmt.Sprintf("1.0.%d", round)
		if whole := shown[fix] == records || shown[old] == records || round == 0 && len(shown) == 0; !whole || len(shown) > 1 {
			t.Fatalf("round %d: what is shown is in pieces: %v", round, shown)
		}
		must(t, s.update(worker.FeedOptions{}).Err())
		row, err := db.Image(s.ctx, "p1", image)
		must(t, err)
		all, total, err := db.ImageFindings(s.ctx, row.Digest, store.FindingFilter{})
		if err != nil || total != len(packages) || row.VulNum != total {
			t.Fatalf("round %d: %d findings, the image says %d, %v", round, total, row.VulNum, err)
		}
		for _, f := range all {
			if f.Fixed != fix {
				t.Fatalf("round %d: %s is repaired by %s, want %s", round, f.Package.Name, f.Fixed, fix)
			}
		}
		var rows int
		must(t, db.Writer().QueryRow(`SELECT COUNT(*) FROM advisory`).Scan(&rows))
		if rows != records {
			t.Fatalf("round %d: %d rows are kept", round, rows)
		}
	}
	must(t, db.Close())
}

const (
	importChild = "BREAKWATER_IMPORT_CHILD"
	importFrom  = "BREAKWATER_IMPORT_FROM"
)

// importAndTell is the child: it imports and writes a line at each step.
func importAndTell(t *testing.T, path string) {
	db, err := store.Open(context.Background(), store.Options{Path: path})
	must(t, err)
	defer func() { _ = db.Close() }()
	fmt.Println("step open")
	_, err = worker.UpdateFeeds(context.Background(), db, http.DefaultClient, worker.FeedOptions{From: os.Getenv(importFrom),
		Progress: func(p osv.Progress) { fmt.Println("step", p.Step, p.Done) }, Result: func(worker.FeedResult) { fmt.Println("step shown") }})
	must(t, err)
}

// killChild starts a child and kills it after some steps; a child that was done
// before is as good.
func killChild(t *testing.T, path, dir string, steps int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKillImport$")
	cmd.Env = append(os.Environ(), importChild+"="+path, importFrom+"="+dir)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for n := 0; n <= steps && lines.Scan(); n++ {
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}
