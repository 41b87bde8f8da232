package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"breakwater/internal/store"
)

// TestScanFeedsBroken: advisories that cannot be read end the command as every
// error does, with 1: 2 is the word for findings.
func TestScanFeedsBroken(t *testing.T) {
	w := newWorkshop(t)
	shop := w.image(t, "shop.tar", "team/shop:1.4")
	w.feeds = filepath.Join(w.dir, "absent")
	if _, stderr, code := w.scan(t, shop); code != 1 || !strings.Contains(stderr, "the advisories could not be updated") || strings.Contains(stderr, "goroutine") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// TestScanStarterCutShort: a command that was ended while it filled the cache
// leaves a part of the advisories; the next one reads the rest.
func TestScanStarterCutShort(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("reads the whole starter set, which takes minutes under the race detector; .ci/run runs it without")
	}
	w := newWorkshop(t)
	f := scanFlags{cache: w.cache, quiet: true}
	ctx := t.Context()
	if err := os.MkdirAll(w.cache, 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(ctx, store.Options{Path: filepath.Join(w.cache, "breakwater.db")})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.PutFeedCheck(ctx, "AlmaLinux", ""); err != nil { // as a first feed that has begun
		t.Fatal(err)
	}
	_ = db.Close()
	db, err = f.openCache(ctx, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	feed, err := db.Feed(ctx, "Debian")
	if err != nil || feed.Records == 0 || !feed.Starter {
		t.Errorf("the feed after the one that was begun: %+v, %v", feed, err)
	}
}
