package osv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"time"

	"breakwater"
)

// Dump is one feed's bytes, ready to be read; the caller closes it. Advisories
// is for an ecosystem, Exploited for "kev", Likelihoods for "epss".
type Dump struct {
	// Feed names the dump and where it came from: Name, URL, ETag, Dated and
	// Starter are set, the rest is known once it has been read.
	Feed breakwater.Feed
	// Known, if set, tells which record that is stored was read from the bytes
	// that raw names: such a record is not read again, and Advisories answers it
	// Unread. The starter set is always read.
	Known func(raw string) (id string, modified time.Time, ok bool)

	limits Limits
	now    func() time.Time
	size   int64
	file   io.ReaderAt // a zip, a KEV list or EPSS; nil for a dump of the starter set
	close  func() error
	starts func() (io.ReadCloser, error) // the dump's part of the starter set
}

// Close releases the dump; a fetched file is removed.
func (d *Dump) Close() error {
	if d.close == nil {
		return nil
	}
	return d.close()
}

// Report is what reading a dump found.
type Report struct {
	Records  int       // good ones, withdrawn ones included
	Broken   int       // unreadable, or a repeated id
	Foreign  int       // of Records: not answered, they name no version of this feed's ecosystem
	Newest   time.Time // latest modification that is not in the future
	Problems []string  // of the first broken ones, for people
}

const maxProblems = 10

func (r *Report) broken(id string, err error) {
	r.Broken++
	if len(r.Problems) < maxProblems {
		r.Problems = append(r.Problems, fmt.Sprintf("%s: %v", id, err))
	}
}

// saw notes when a record was modified. A few are dated in the future by
// mistake; they must not make every later dump look old.
func (r *Report) saw(modified, now time.Time) {
	if modified.After(r.Newest) && modified.Before(now) {
		r.Newest = modified
	}
}

// verdict refuses a dump that is empty or mostly unreadable.
func (r *Report) verdict() error {
	switch {
	case r.Records+r.Broken == 0:
		return errors.New("the dump is empty")
	case r.Records == r.Foreign:
		return errors.New("the dump holds no good record for this feed")
	case r.Broken*100 > r.Records+r.Broken:
		return fmt.Errorf("%d of %d records are broken (%s)", r.Broken, r.Records+r.Broken, strings.Join(r.Problems[:min(3, len(r.Problems))], "; "))
	}
	return nil
}

// Advisories reads the records in the dump's order and fills report as it goes.
// Broken records are counted and skipped; an error ends the sequence and means
// that the dump must not be used. A dump of an ecosystem answers what its
// records say of that ecosystem and leaves the rest of them to the other feeds.
func (d *Dump) Advisories(ctx context.Context, report *Report) iter.Seq2[breakwater.Advisory, error] {
	return func(yield func(breakwater.Advisory, error) bool) {
		source := d.fromZip(report)
		if d.starts != nil {
			source = d.fromStarter()
		}
		now := d.now().Add(time.Hour)
		seen := map[string]bool{}
		for a, err := range source {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(breakwater.Advisory{}, d.wrap(err))
				return
			}
			if seen[a.ID] {
				report.broken(a.ID, errors.New("the id is there twice"))
				continue
			}
			seen[a.ID] = true
			report.Records++
			if a.Unread() {
				report.saw(a.Modified, now)
				if !yield(a, nil) {
					return
				}
				continue
			}
			if a.Affected = d.own(a.Affected); len(a.Affected) == 0 && a.Withdrawn.IsZero() {
				report.Foreign++
				continue
			}
			report.saw(a.Modified, now)
			if !yield(a, nil) {
				return
			}
		}
		if err := report.verdict(); err != nil {
			yield(breakwater.Advisory{}, d.wrap(err))
		}
	}
}

// wrap says which feed an error is about, and keeps a caller's own ending apart
// from a bad dump.
func (d *Dump) wrap(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("osv.Advisories(%s): %w", d.Feed.Name, err)
	}
	return breakwater.Wrap(breakwater.KindUnavailable, err, "the feed %s was refused", d.Feed.Name)
}

// fromZip parses every entry; a record that cannot be read is reported.
func (d *Dump) fromZip(report *Report) iter.Seq2[breakwater.Advisory, error] {
	return func(yield func(breakwater.Advisory, error) bool) {
		n := 0
		for e, err := range entries(d.file, d.size, d.limits, d.isKnown()) {
			n++
			if err != nil {
				yield(breakwater.Advisory{}, err)
				return
			}
			if e.body == nil {
				id, modified, _ := d.Known(e.raw)
				if !yield(breakwater.Advisory{ID: id, Modified: modified, Raw: e.raw}, nil) {
					return
				}
				continue
			}
			a, err := ParseAdvisory(e.body)
			if err != nil {
				report.broken(fmt.Sprintf("record %d", n), err)
				continue
			}
			a.Raw = e.raw
			if !yield(a, nil) {
				return
			}
		}
	}
}

// isKnown is Known as entries asks it; nil when there is none.
func (d *Dump) isKnown() func(raw string) bool {
	if d.Known == nil {
		return nil
	}
	return func(raw string) bool {
		_, _, ok := d.Known(raw)
		return ok
	}
}

// own keeps the entries of this feed's ecosystem. A feed named with a release
// ("Debian:12") keeps that release only.
func (d *Dump) own(in []breakwater.Affected) []breakwater.Affected {
	feed := breakwater.NormalEcosystem(d.Feed.Name)
	base := breakwater.BaseEcosystem(feed)
	var out []breakwater.Affected
	for _, f := range in {
		if f.Ecosystem == feed || feed == base && breakwater.BaseEcosystem(f.Ecosystem) == base {
			out = append(out, f)
		}
	}
	return out
}

// openFile makes a dump of a file; cleanup runs when it is closed.
func openFile(path string, feed breakwater.Feed, o Options, cleanup func() error) (*Dump, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &Dump{Feed: feed, limits: o.Limits.withDefaults(), now: o.clock(), size: info.Size(), file: f, close: func() error {
		err := f.Close()
		if cleanup != nil {
			err = errors.Join(err, cleanup())
		}
		return err
	}}, nil
}
