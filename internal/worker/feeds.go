package worker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"

	"breakwater"
	"breakwater/internal/osv"
	"breakwater/internal/store"
)

// FeedOptions says where advisories come from.
type FeedOptions struct {
	Every   time.Duration // age at which the feeds are read again; 0 or less: never by themselves
	From    string        // a directory of feeds; empty: HTTP
	URL     string        // base address of a copy of the OSV bucket; empty: the public one
	KEVURL  string        // see osv.Options
	EPSSURL string
	Feeds   []string // names wanted; nil: osv.DefaultFeeds, or all of the directory
	TempDir string   // for downloads
	Force   bool     // take dumps that look older or much smaller than what is there
	Starter bool     // read the starter set instead
	Limits  osv.Limits

	// Progress hears of every step of every feed, Result of each feed's end; both
	// may be nil. They are called one after the other.
	Progress func(osv.Progress)
	Result   func(FeedResult)
}

// maxSilent is after how many feeds in a row without any answer the others are
// not asked for.
const maxSilent = 3

// StepMatch is the step of osv.Progress in which packages are judged again.
const StepMatch = "match"

// FeedResult is how one feed's update ended.
type FeedResult struct {
	Feed      string
	Unchanged bool // the source has what is here already
	Absent    bool // the source does not have it; an error only for a feed that was asked for by name or is here
	Report    osv.Report
	Changes   store.Changes
	Took      time.Duration
	Err       error
}

// Summary is how an update ended.
type Summary struct {
	Results []FeedResult
	Judged  int // package versions judged again
	Changed int // of them, judged differently now
}

// Err joins the errors of the feeds; nil when none failed.
func (s Summary) Err() error {
	var list []error
	for _, r := range s.Results {
		if r.Err != nil {
			list = append(list, r.Err)
		}
	}
	return errors.Join(list...)
}

// UpdateFeeds reads every feed of the source that has changed, imports it, and
// judges again the packages it names. A feed that fails is noted and keeps its
// old data; the others go on. The error is of what concerns all: the source
// cannot be listed, the database fails, ctx ends; Summary.Err has the feeds'.
func UpdateFeeds(ctx context.Context, db *store.DB, client *http.Client, o FeedOptions) (Summary, error) {
	source, err := o.source(client, db.Now)
	if err != nil {
		return Summary{}, fmt.Errorf("worker.UpdateFeeds: %w", err)
	}
	if err := rulesChanged(ctx, db); err != nil {
		return Summary{}, fmt.Errorf("worker.UpdateFeeds: %w", err)
	}
	names := o.Feeds
	if len(names) == 0 {
		if names, err = source.Names(ctx); err != nil {
			return Summary{}, fmt.Errorf("worker.UpdateFeeds: %w", err)
		}
	}
	var sum Summary
	var at round
	for _, name := range names {
		r := at.feed(ctx, db, source, name, o)
		if ctx.Err() != nil {
			return sum, fmt.Errorf("worker.UpdateFeeds: %w", ctx.Err())
		}
		sum.Results = append(sum.Results, r)
		if o.Result != nil {
			o.Result(r)
		}
		if !o.Starter && (r.Err != nil || r.Unchanged && !r.Absent) {
			if err := db.PutFeedCheck(ctx, name, people(r.Err)); err != nil {
				return sum, fmt.Errorf("worker.UpdateFeeds: %w", err)
			}
		}
	}
	if at.absent > 0 && at.absent == len(names) {
		return sum, breakwater.Errorf(breakwater.KindUnavailable, "the source has none of the feeds: is its address right?")
	}
	sum.Judged, sum.Changed, err = Rematch(ctx, db, func(done int) { o.progress(osv.Progress{Step: StepMatch, Done: int64(done)}) })
	if err != nil {
		return sum, err
	}
	if err := db.SweepAdvisories(ctx); err != nil {
		return sum, fmt.Errorf("worker.UpdateFeeds: %w", err)
	}
	return sum, nil
}

// round is an update under way.
type round struct {
	silent int // feeds in a row whose source gave no answer
	absent int // feeds that the source does not have
}

// feed updates the next feed. An installation without a network must not wait
// for each of them, so after some silence it stops asking.
func (at *round) feed(ctx context.Context, db *store.DB, source osv.Source, name string, o FeedOptions) FeedResult {
	if at.silent >= maxSilent {
		return FeedResult{Feed: name, Err: breakwater.Errorf(breakwater.KindUnavailable, "the feed %s was not asked for: its source does not answer", name)}
	}
	began := time.Now()
	r := updateFeed(ctx, db, source, name, o)
	r.Took = time.Since(began)
	if errors.Is(r.Err, &breakwater.Error{Kind: breakwater.KindUnavailable, Code: osv.CodeUnreachable}) {
		at.silent++
	} else {
		at.silent = 0
	}
	if r.Absent {
		at.absent++
	}
	return r
}

func (o FeedOptions) progress(p osv.Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}

func (o FeedOptions) source(client *http.Client, now func() time.Time) (osv.Source, error) {
	opts := osv.Options{Limits: o.Limits, Now: now, Progress: o.Progress, Client: client, BaseURL: o.URL,
		KEVURL: o.KEVURL, EPSSURL: o.EPSSURL, TempDir: o.TempDir, Feeds: o.Feeds}
	switch {
	case o.Starter:
		return osv.NewStarter(opts)
	case o.From != "":
		return osv.NewDir(o.From, opts), nil
	}
	return osv.NewMirror(opts)
}

// rulesChanged makes everything wait to be matched again when this release
// matches differently from the one that wrote the verdicts.
func rulesChanged(ctx context.Context, db *store.DB) error {
	const setting = "match_version"
	was, err := db.Setting(ctx, setting)
	if err != nil && !breakwater.IsNotFound(err) {
		return err
	}
	if was == matchVersion {
		return nil
	}
	return db.Tx(ctx, func(tx *store.DB) error {
		if err := tx.RematchAll(ctx); err != nil {
			return err
		}
		return tx.PutSetting(ctx, setting, matchVersion)
	})
}

// people is an error's text that may be shown: ours is, anybody else's stays inside.
func people(err error) string {
	var e *breakwater.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e) && e.Kind != breakwater.KindInternal:
		if e.Err != nil && e.Kind == breakwater.KindUnavailable {
			return e.Message + ": " + e.Err.Error()
		}
		return e.Message
	}
	return "the feed could not be imported"
}

func updateFeed(ctx context.Context, db *store.DB, source osv.Source, name string, o FeedOptions) FeedResult {
	r := FeedResult{Feed: name}
	previous, err := db.Feed(ctx, name)
	if err != nil && !breakwater.IsNotFound(err) {
		r.Err = err
		return r
	}
	if o.Force && !o.Starter {
		previous.ETag = ""
	}
	dump, err := source.Open(ctx, name, previous)
	switch {
	case errors.Is(err, osv.ErrNotModified):
		r.Unchanged = true
		return r
	case breakwater.IsNotFound(err):
		if r.Absent = true; len(o.Feeds) > 0 || previous.Records > 0 && !previous.Starter {
			r.Err = err
		}
		return r
	case err != nil:
		r.Err = err
		return r
	}
	r.Changes, r.Err = importDump(ctx, db, dump, &r.Report, o)
	if err := dump.Close(); err != nil && r.Err == nil {
		r.Err = fmt.Errorf("worker.UpdateFeeds(%s): %w", name, err)
	}
	return r
}

func importDump(ctx context.Context, db *store.DB, dump *osv.Dump, report *osv.Report, o FeedOptions) (store.Changes, error) {
	feed := dump.Feed
	expected := feed.Records
	opts := store.ImportOptions{Force: o.Force, Progress: func(done, n int) {
		o.progress(osv.Progress{Feed: feed.Name, Step: osv.StepImport, Done: int64(done), Total: int64(max(n, expected))})
	}}
	switch feed.Name {
	case breakwater.FeedKEV:
		list, err := dump.Exploited(ctx, report)
		if err != nil {
			return store.Changes{}, err
		}
		feed.Newest, feed.Records = report.Newest, report.Records
		return db.ImportExploited(ctx, feed, list, opts)
	case breakwater.FeedEPSS:
		return db.ImportLikelihoods(ctx, &feed, counted(dump.Likelihoods(ctx, report), &feed, report), opts)
	}
	if !o.Force {
		known, err := db.KnownRecords(ctx, feed.Name)
		if err != nil {
			return store.Changes{}, err
		}
		dump.Known = func(raw string) (string, time.Time, bool) {
			k, ok := known[raw]
			return k.ID, k.Modified, ok
		}
	}
	return db.ImportFeed(ctx, &feed, counted(dump.Advisories(ctx, report), &feed, report), opts)
}

// counted passes a sequence on and, at its end, tells the feed what the report
// has counted.
func counted[T any](in iter.Seq2[T, error], feed *breakwater.Feed, report *osv.Report) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range in {
			if !yield(v, err) {
				return
			}
		}
		feed.Newest, feed.Records = report.Newest, report.Records
	}
}
