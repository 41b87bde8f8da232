package main

import (
	"testing"
	"time"

	"breakwater/internal/store"
)

func TestParseSince(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"":                          {},
		"2026-01-31":                time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		"2026-01-31T10:00:00+02:00": time.Date(2026, 1, 31, 8, 0, 0, 0, time.UTC),
		"36h":                       now.Add(-36 * time.Hour),
		"7d":                        now.AddDate(0, 0, -7),
	} {
		if got, err := parseSince(in, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"yesterday", "-3h", "-1d", "2026-13-01", "d"} {
		if got, err := parseSince(in, now); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestFromTo(t *testing.T) {
	for _, c := range []struct {
		old, is string
		what    store.What
		want    string
	}{
		{"", "high", store.FindingCame, "high"}, {"low", "", store.FindingWent, "low"}, {"low", "high", store.FindingChanged, "low → high"},
		{"1.2", "1.2", store.FindingChanged, "1.2"}, {"1.2", "", store.FindingChanged, "1.2 → none"}, {"", "", store.FindingCame, ""},
	} {
		if got := fromTo(c.old, c.is, c.what); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
