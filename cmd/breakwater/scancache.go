package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"breakwater/internal/osv"
	"breakwater/internal/store"
	"breakwater/internal/worker"
)

// openCache opens the database of advisories and known layers, and fills it with
// what ships in the binary when it is new.
func (f *scanFlags) openCache(ctx context.Context, stderr io.Writer) (*store.DB, error) {
	if f.cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("--cache is needed: %w", err)
		}
		f.cache = filepath.Join(dir, "breakwater")
	}
	if err := os.MkdirAll(f.cache, 0o700); err != nil {
		return nil, fmt.Errorf("--cache: %w", err)
	}
	db, err := store.Open(ctx, store.Options{Path: filepath.Join(f.cache, "breakwater.db")})
	if err != nil {
		return nil, err
	}
	if err := f.fillCache(ctx, db, stderr); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// fillCache reads advisories, one command at a time: the next one waits, so that
// none judges by half of them.
func (f *scanFlags) fillCache(ctx context.Context, db *store.DB, stderr io.Writer) error {
	lock, err := lockFeeds(ctx, f.cache)
	if err != nil {
		return err
	}
	defer lock.Close()
	if f.update {
		err = f.updateCache(ctx, db)
	} else {
		said := f.quiet
		err = worker.LoadStarter(ctx, db, worker.FeedOptions{TempDir: f.cache, Progress: func(osv.Progress) {
			if !said {
				said = true
				fmt.Fprintln(terminal(stderr), "breakwater: reading the advisories that ship with the program, once")
			}
		}})
	}
	if err != nil {
		return err
	}
	feeds, err := db.Feeds(ctx)
	if err != nil {
		return err
	}
	if note := staleNote(feeds); note != "" {
		fmt.Fprintln(stderr, "breakwater:", note)
	}
	return nil
}

func (f *scanFlags) updateCache(ctx context.Context, db *store.DB) error {
	guard := config{}
	client, err := guard.client()
	if err != nil {
		return err
	}
	sum, err := worker.UpdateFeeds(ctx, db, client, worker.FeedOptions{From: f.feedDir, TempDir: f.cache})
	if err == nil {
		err = sum.Err()
	}
	if err != nil {
		return fmt.Errorf("the advisories could not be updated: %w", err)
	}
	return nil
}
