package osv

import (
	"context"
	"errors"
	"testing"

	"breakwater"
)

// The set in the binary can be read whole, is dated, holds no prose and stays
// below its size.
func TestStarter(t *testing.T) {
	ctx := context.Background()
	s, err := NewStarter(Options{})
	if err != nil {
		t.Fatal(err)
	}
	names, err := s.Names(ctx)
	if err != nil || len(names) < 10 {
		t.Fatalf("%v, %v", names, err)
	}
	for _, name := range names {
		d, err := s.Open(ctx, name, breakwater.Feed{})
		if err != nil {
			t.Fatal(err)
		}
		if !d.Feed.Starter || d.Feed.Dated.IsZero() || d.Feed.Records == 0 {
			t.Errorf("%s: %+v", name, d.Feed)
		}
		var r Report
		switch name {
		case breakwater.FeedKEV:
			_, err = d.Exploited(ctx, &r)
		case breakwater.FeedEPSS:
			for _, e := range d.Likelihoods(ctx, &r) {
				err = errors.Join(err, e)
			}
		case "Ubuntu":
			t.Error("Ubuntu's data may not be shipped")
		default:
			for a, e := range d.Advisories(ctx, &r) {
				if err = errors.Join(err, e); a.Summary != "" || e == nil && len(a.Affected) == 0 {
					t.Fatalf("%s: %+v", name, a)
				}
			}
		}
		if err != nil || r.Records != d.Feed.Records || r.Broken > 0 {
			t.Errorf("%s: %v, %+v of %d records", name, err, r, d.Feed.Records)
		}
		if _, err := s.Open(ctx, name, d.Feed); !errors.Is(err, ErrNotModified) {
			t.Errorf("%s: the second time: %v", name, err)
		}
		if _, err := s.Open(ctx, name, breakwater.Feed{Records: 1, ETag: `"x"`}); !errors.Is(err, ErrNotModified) {
			t.Errorf("%s: it would replace a feed that was imported: %v", name, err)
		}
	}
	var total int64
	files, err := starterFiles.ReadDir("starter")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 8<<20 {
		t.Errorf("the set has %d bytes", total)
	}
}
