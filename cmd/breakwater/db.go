package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"breakwater"
	"breakwater/internal/osv"
	"breakwater/internal/worker"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func dbCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "db", Short: "The advisory database"}
	update := adminCommand("update", "Read the advisory feeds now", cobra.NoArgs, updateFeeds)
	update.Flags().String("from", "", "directory of OSV zips, kev.json and epss.csv.gz to read instead of the network")
	update.Flags().String("feed-url", "", "base URL of a mirror of the OSV bucket")
	update.Flags().String("kev-url", "", "URL of the KEV catalogue")
	update.Flags().String("epss-url", "", "URL of the EPSS scores")
	update.Flags().StringSlice("feeds", nil, "ecosystems to read (default: all that packages are found for)")
	update.Flags().StringSlice("allow-networks", nil, "networks that may be dialled although they are loopback or reserved")
	update.Flags().StringSlice("deny-networks", nil, "networks that are never dialled")
	update.Flags().Bool("force", false, "take feeds that look older or much smaller than what is there")
	update.Flags().String("ca", "", "PEM certificates to trust beside the system's")
	cmd.AddCommand(update, adminCommand("status", "Show what is known, from where, and how old it is", cobra.NoArgs, feedStatus), dbChangesCommand())
	return cmd
}

// feedOptions is where advisories come from by configuration.
func (c config) feedOptions(scratch string) worker.FeedOptions {
	return worker.FeedOptions{Every: c.FeedEvery, From: c.FeedDir, URL: c.FeedURL, KEVURL: c.KEVURL, EPSSURL: c.EPSSURL,
		Feeds: c.Feeds, TempDir: scratch}
}

// updateFeeds reads the feeds with a bar for each.
func updateFeeds(cmd *cobra.Command, h *house, _ []string) error {
	if from, _ := cmd.Flags().GetString("from"); from != "" {
		h.config.FeedDir = from
	}
	client, err := h.config.client()
	if err != nil {
		return err
	}
	bar := &feedBar{w: terminal(cmd.ErrOrStderr())}
	o := h.config.feedOptions(h.config.Data)
	o.Force, _ = cmd.Flags().GetBool("force")
	o.Progress = bar.progress
	o.Result = func(r worker.FeedResult) {
		bar.end()
		fmt.Fprintln(cmd.OutOrStdout(), resultText(r))
	}
	sum, err := worker.UpdateFeeds(cmd.Context(), h.db, client, o)
	bar.end()
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%d package versions judged again, %d of them differently\n", sum.Judged, sum.Changed)
	return sum.Err()
}

// terminal is w when it is one, and nowhere otherwise: a bar has no place in a file.
func terminal(w io.Writer) io.Writer {
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return w
	}
	return io.Discard
}

func resultText(r worker.FeedResult) string {
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%-14s refused: %v", r.Feed, r.Err)
	case r.Absent:
		return fmt.Sprintf("%-14s not offered by the source", r.Feed)
	case r.Unchanged:
		return fmt.Sprintf("%-14s unchanged", r.Feed)
	}
	return fmt.Sprintf("%-14s %d records in %s", r.Feed, r.Report.Records, r.Took.Round(10*time.Millisecond))
}

// feedBar shows one bar at a time, on a terminal's error stream.
type feedBar struct {
	w    io.Writer
	bar  *progressbar.ProgressBar
	what string
}

func (b *feedBar) progress(p osv.Progress) {
	if what := p.Feed + " " + p.Step; what != b.what {
		b.end()
		b.what = what
		total := p.Total
		if total <= 0 {
			total = -1
		}
		b.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription(what),
			progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	}
	_ = b.bar.Set64(p.Done)
}

func (b *feedBar) end() {
	if b.bar != nil {
		_ = b.bar.Finish()
		_ = b.bar.Clear()
	}
	b.bar, b.what = nil, ""
}

func feedStatus(cmd *cobra.Command, h *house, _ []string) error {
	feeds, err := h.db.Feeds(cmd.Context())
	if err != nil {
		return err
	}
	var rows [][]string
	for _, f := range feeds {
		state := "current"
		switch {
		case f.Records == 0:
			state = "never read"
		case f.Starter:
			state = "STALE: ships with the binary"
		case h.db.Now().Sub(f.Checked) > 7*24*time.Hour:
			state = "STALE: not asked for a week"
		}
		if f.LastError != "" {
			state += " (last try: " + f.LastError + ")"
		}
		rows = append(rows, []string{f.Name, strconv.Itoa(f.Records), dateText(f.Dated), dateText(f.Checked), state})
	}
	table(cmd.OutOrStdout(), []string{"FEED", "RECORDS", "DATED", "ASKED", "STATE"}, rows)
	if note := staleNote(feeds); note != "" {
		fmt.Fprintln(cmd.OutOrStdout(), "\n"+note)
	}
	return nil
}

// staleNote says what must not be believed, or nothing.
func staleNote(feeds []breakwater.Feed) string {
	oldest := time.Time{}
	n := 0
	for _, f := range feeds {
		if f.Starter && f.Records > 0 {
			n++
			if oldest.IsZero() || f.Dated.Before(oldest) {
				oldest = f.Dated
			}
		}
	}
	switch {
	case len(feeds) == 0:
		return "No advisories yet: nothing can be said of vulnerabilities. Run: breakwater db update"
	case n > 0:
		return fmt.Sprintf("STALE ADVISORIES: %d feeds are the set that ships in the binary (oldest of %s).\nVerdicts are true only as far as that reaches. Run: breakwater db update", n, oldest.Format("2006-01-02"))
	}
	return ""
}
