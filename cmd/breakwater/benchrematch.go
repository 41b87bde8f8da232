package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"breakwater/internal/osv"
	"breakwater/internal/store"
	"breakwater/internal/store/storebench"
	"breakwater/internal/worker"

	"github.com/spf13/cobra"
)

func benchRematchCommand() *cobra.Command {
	var o storebench.RematchOptions
	var dir, postgres, profile string
	cmd := &cobra.Command{
		Use:   "rematch",
		Short: "A feed update over 100,000 images: from its first byte until every list and counter is true",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			feeds, err := os.MkdirTemp("", "breakwater-bench-")
			if err != nil {
				return err
			}
			defer func() { _ = os.RemoveAll(feeds) }()
			o.Dir, o.Update = feeds, timedUpdate
			o.Store = store.Options{Postgres: postgres, Path: filepath.Join(dir, "rematch.db")}
			if profile != "" {
				f, err := os.Create(profile)
				if err != nil {
					return err
				}
				defer func() { _ = f.Close() }()
				if err := pprof.StartCPUProfile(f); err != nil {
					return err
				}
				defer pprof.StopCPUProfile()
			}
			return storebench.RunRematch(cmd.Context(), o, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "data", ".", "directory for the SQLite database rematch.db; kept, and used again")
	f.StringVar(&postgres, "postgres", "", "PostgreSQL connection string of an empty database of its own, in place of SQLite")
	f.StringVar(&profile, "profile", "", "file for a CPU profile of this process")
	f.IntVar(&o.Images, "images", 100_000, "images")
	f.IntVar(&o.Packages, "packages", 400_000, "distinct package versions that they share")
	f.IntVar(&o.Records, "records", 50_000, "advisories in all")
	f.IntVar(&o.Advisories, "advisories", 1000, "advisories that are new, changed or withdrawn in each update")
	f.IntVar(&o.Runs, "runs", 3, "updates, one after the other")
	return cmd
}

// timedUpdate is the update that the server makes, with the time of its parts.
func timedUpdate(ctx context.Context, db *store.DB, dir string) (u storebench.Updated, err error) {
	began := time.Now()
	var read, matched time.Time
	sum, err := worker.UpdateFeeds(ctx, db, http.DefaultClient, worker.FeedOptions{From: dir,
		Result: func(worker.FeedResult) { read = time.Now() },
		Progress: func(p osv.Progress) {
			if p.Step == worker.StepMatch {
				matched = time.Now()
			}
		}})
	if err == nil {
		err = sum.Err()
	}
	if matched.Before(read) {
		matched = read
	}
	u.Read, u.Match, u.Sweep, u.Judged = read.Sub(began), matched.Sub(read), time.Since(matched), sum.Judged
	return u, err
}
