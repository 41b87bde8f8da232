package storebench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"breakwater"
	"breakwater/internal/store"
)

// RematchOptions says what RunRematch measures; every zero value means the
// figure named.
type RematchOptions struct {
	Store      store.Options // a database of its own, empty or filled by a run before
	Dir        string        // for the feeds; needed
	Images     int           // 100,000
	Packages   int           // distinct package versions: 400,000
	Records    int           // advisories in all: 50,000
	Advisories int           // of them, different in each update: 1,000
	Runs       int           // 3
	// Update imports the feeds of a directory as the server does, to the end.
	Update func(ctx context.Context, db *store.DB, dir string) (Updated, error)
}

// Updated is how long the parts of an update took and what it did.
type Updated struct {
	Read   time.Duration // feeds read, staged and shown
	Match  time.Duration // packages judged again and images told
	Sweep  time.Duration // rows that nothing shows any more deleted
	Judged int           // package versions
}

func (o *RematchOptions) fill() {
	for _, d := range []struct {
		v       *int
		becomes int
	}{{&o.Images, 100_000}, {&o.Packages, 400_000}, {&o.Records, 50_000}, {&o.Advisories, 1000}, {&o.Runs, 3}} {
		if *d.v == 0 {
			*d.v = d.becomes
		}
	}
}

// ErrUntrue says that a list or a counter is not what the advisories say.
var ErrUntrue = errors.New("the images do not say what the advisories say")

// RunRematch fills the database if it is empty, updates its feeds, and holds
// every image, every list total and every noted change against an evaluation of
// its own. It prints a table to out and fails with ErrUntrue when one differs.
func RunRematch(ctx context.Context, o RematchOptions, out io.Writer) error {
	o.fill()
	db, err := store.Open(ctx, o.Store)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	began := time.Now()
	r := &rematch{o: o, db: db, out: out}
	r.say = func(format string, args ...any) {
		_, _ = fmt.Fprintf(out, "%7.1f s  "+format+"\n", append([]any{time.Since(began).Seconds()}, args...)...)
	}
	if err := r.prepare(ctx); err != nil {
		return fmt.Errorf("storebench.RunRematch: %w", err)
	}
	if err := db.WarmImages(ctx); err != nil {
		return fmt.Errorf("storebench.RunRematch: %w", err)
	}
	r.say("%s: %d images, %d package versions, %d pairs, %d advisories", db.Dialect(), o.Images, len(r.software.Packages), r.software.Pairs(), len(r.feeds.list))
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "run\tread s\tmatch s\tlists s\tin all s\tsweep s\tCPU s\tjudged\tfindings changed\timages changed\tpeak MiB\tof it mapped\tload\ttrue\t")
	var untrue error
	for n := range o.Runs {
		if err := r.run(ctx, t, n+1); errors.Is(err, ErrUntrue) {
			untrue = err
		} else if err != nil {
			return fmt.Errorf("storebench.RunRematch: %w", err)
		}
	}
	return errors.Join(untrue, t.Flush())
}

type rematch struct {
	o        RematchOptions
	db       *store.DB
	out      io.Writer
	say      func(format string, args ...any)
	software *Software
	feeds    *Advisories
	held     map[int32]bool
}

// prepare plans the world and brings the database to it, or the plan to where
// the runs before have left the database.
func (r *rematch) prepare(ctx context.Context) error {
	r.software = NewSoftware(r.o.Images, r.o.Packages)
	r.held = r.software.Held()
	r.feeds = NewAdvisories(r.software, r.o.Records)
	size := fmt.Sprint(r.o.Images, " images, ", r.o.Packages, " packages, ", r.o.Records, " records, ", r.o.Advisories, " in a step; step ")
	filled, err := r.db.Setting(ctx, rematchSetting)
	if breakwater.IsNotFound(err) {
		var projects int
		if err := r.db.Writer().QueryRowContext(ctx, `SELECT count(*) FROM project`).Scan(&projects); err != nil {
			return err
		}
		if projects > 0 {
			return breakwater.Errorf(breakwater.KindConflict, "the database is in use; a benchmark needs one of its own")
		}
		if err := r.fill(ctx); err != nil {
			return err
		}
		return r.db.PutSetting(ctx, rematchSetting, size+"0")
	}
	if err != nil {
		return err
	}
	tail, ok := strings.CutPrefix(filled, size)
	state, err := strconv.Atoi(tail)
	if !ok || err != nil {
		return breakwater.Errorf(breakwater.KindConflict, "the database holds a benchmark of another size: %s", filled)
	}
	for range state {
		r.feeds.Step(r.o.Advisories)
	}
	return nil
}

// run makes one update and prints its line.
func (r *rematch) run(ctx context.Context, out io.Writer, number int) error {
	before, err := r.images(ctx)
	if err != nil {
		return err
	}
	if err := vacuum(ctx, r.db); err != nil { // as between two updates of a day
		return err
	}
	counted := r.feeds.Counts()
	r.feeds.Step(r.o.Advisories)
	if err := r.feeds.Write(r.o.Dir); err != nil {
		return err
	}
	size, _, _ := strings.Cut(must(r.db.Setting(ctx, rematchSetting)), "; step ")
	last := must(r.lastChange(ctx))
	resetPeak()
	load := loadAverage()
	began, cpu := time.Now(), cpuTime()
	u, err := r.o.Update(ctx, r.db, r.o.Dir)
	if err != nil {
		return err
	}
	updated := time.Since(began)
	totals, err := r.totals(ctx)
	if err != nil {
		return err
	}
	lists := time.Since(began) - updated
	cpu = cpuTime() - cpu
	peak, mapped := memory("VmHWM:"), memory("RssFile:")
	if err := r.db.PutSetting(ctx, rematchSetting, fmt.Sprint(size, "; step ", r.feeds.state)); err != nil {
		return err
	}
	after, err := r.images(ctx)
	if err != nil {
		return err
	}
	noted, err := r.noted(ctx, last)
	if err != nil {
		return err
	}
	moved, wrong := r.compare(before, after, counted, totals, noted)
	verdict := "yes"
	if len(wrong) > 0 {
		verdict = "NO"
	}
	_, _ = fmt.Fprintf(out, "%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%d\t%d\t%d\t%.0f\t%.0f\t%s\t%s\t\n", number, u.Read.Seconds(), u.Match.Seconds(), lists.Seconds(),
		(updated - u.Sweep + lists).Seconds(), u.Sweep.Seconds(), cpu.Seconds(), u.Judged, noted, moved, float64(peak)/(1<<20), float64(mapped)/(1<<20), load, verdict)
	for _, w := range wrong {
		r.say("UNTRUE: %s", w)
	}
	if len(wrong) > 0 {
		return ErrUntrue
	}
	return nil
}

// must is for reads that prepare has made succeed before; an empty value shows
// in what follows.
func must[T any](v T, _ error) T { return v }

// loadAverage is the machine's over the last minute.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	one, _, _ := strings.Cut(string(b), " ")
	return one
}

// cpuTime is what this process has used, of all cores together.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resetPeak makes VmHWM speak of what follows (proc(5), clear_refs).
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// memory is a figure of this process in bytes: VmHWM is its largest resident
// size, RssFile the part of the size of now that is pages of mapped files, which
// the system takes back when it needs them. 0 where the system does not tell.
func memory(figure string) (n int64) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), figure)
	_, _ = fmt.Sscan(rest, &n)
	return n << 10
}
