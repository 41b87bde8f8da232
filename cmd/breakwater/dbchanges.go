package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"breakwater/internal/store"

	"github.com/spf13/cobra"
)

func dbChangesCommand() *cobra.Command {
	cmd := adminCommand("changes", "Show which findings came, went or changed, why, and by which state of which feed", cobra.NoArgs, feedChanges)
	cmd.Flags().String("since", "", "a date (2026-01-31), a time (RFC 3339) or an age (36h, 7d); default: all that is kept, 180 days")
	cmd.Flags().String("id", "", "an advisory's id, or a CVE")
	cmd.Flags().Int("limit", 50, "changes, the newest first, 1 to 1000")
	cmd.Flags().Bool("json", false, "one JSON array in place of a table")
	return cmd
}

// changeJSON is a change as --json writes it.
type changeJSON struct {
	At          time.Time `json:"at"`
	What        string    `json:"what"`
	Why         string    `json:"why"`
	AdvisoryID  string    `json:"advisory_id"`
	CVE         string    `json:"cve,omitempty"`
	Ecosystem   string    `json:"ecosystem"`
	Package     string    `json:"package"`
	Version     string    `json:"version"`
	OldSeverity string    `json:"old_severity,omitempty"`
	NewSeverity string    `json:"new_severity,omitempty"`
	OldFixed    string    `json:"old_fixed,omitempty"`
	NewFixed    string    `json:"new_fixed,omitempty"`
	Feed        string    `json:"feed"`
	Generation  int64     `json:"feed_generation"`
	Dated       time.Time `json:"feed_dated"`
	Newest      time.Time `json:"feed_newest,omitzero"`
	Images      int       `json:"images"`
	MoreImages  bool      `json:"more_images"` // than are counted
}

func feedChanges(cmd *cobra.Command, h *house, _ []string) error {
	since, err := parseSince(flagText(cmd, "since"), h.db.Now())
	if err != nil {
		return err
	}
	limit, _ := cmd.Flags().GetInt("limit")
	if limit < 1 || limit > store.MaxChanges {
		return fmt.Errorf("--limit: 1 to %d", store.MaxChanges)
	}
	list, err := h.db.Changes(cmd.Context(), store.ChangeFilter{Since: since, ID: flagText(cmd, "id"), Limit: limit})
	if err != nil {
		return err
	}
	if asJSON, _ := cmd.Flags().GetBool("json"); asJSON {
		out := make([]changeJSON, 0, len(list))
		for _, c := range list {
			out = append(out, changeJSON{c.At, string(c.What), string(c.Why), c.AdvisoryID, c.CVE, c.Package.Ecosystem, c.Package.Name, c.Package.Version,
				string(c.OldSeverity), string(c.NewSeverity), c.OldFixed, c.NewFixed, c.Feed, c.Generation, c.Dated, c.Newest, c.Images, c.More})
		}
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(out)
	}
	var rows [][]string
	for _, c := range list {
		rows = append(rows, changeCells(c))
	}
	table(cmd.OutOrStdout(), []string{"TIME", "FINDING", "ADVISORY", "CVE", "PACKAGE", "VERSION", "SEVERITY", "FIX", "WHY", "FEED", "OF", "IMAGES"}, rows)
	return nil
}

func changeCells(c store.TouchedChange) []string {
	images := strconv.Itoa(c.Images)
	if c.More {
		images = "over " + images
	}
	return []string{dateText(c.At), string(c.What), c.AdvisoryID, c.CVE, c.Package.Name, c.Package.Version,
		fromTo(string(c.OldSeverity), string(c.NewSeverity), c.What), fromTo(c.OldFixed, c.NewFixed, c.What), string(c.Why),
		fmt.Sprint(c.Feed, " #", c.Generation), dateText(c.Dated), images}
}

// fromTo shows both sides of what changed, and the one side of what came or went.
func fromTo(old, is string, what store.What) string {
	if what != store.FindingChanged || old == is {
		return old + strings.TrimPrefix(is, old)
	}
	name := func(s string) string {
		if s == "" {
			return "none"
		}
		return s
	}
	return name(old) + " → " + name(is)
}

func flagText(cmd *cobra.Command, name string) string {
	s, _ := cmd.Flags().GetString(name)
	return s
}

// parseSince reads a date, a time, or an age in hours or days; empty is the zero time.
func parseSince(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n < 100_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, errors.New("--since: a date (2026-01-31), a time (RFC 3339) or an age (36h, 7d)")
}
