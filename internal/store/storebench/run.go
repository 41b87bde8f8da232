package storebench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"breakwater"
	"breakwater/internal/store"

	"golang.org/x/sync/errgroup"
)

// Options says what to measure; every zero value means the figure named.
type Options struct {
	Store    store.Options // a database of its own, empty or filled by a run before
	Rows     int           // images: 1,000,000
	Projects int           // 20
	Clients  int           // that ask at once: 16
	Requests int           // over all clients and kinds: 30,000
	Writes   int           // scans that finish each second meanwhile: 20; below 0: none

	// Through, if set, opens another way to ask than the store itself, such as
	// the API over HTTP; close ends it.
	Through func(db *store.DB) (ask Ask, close func(), err error)
}

// Ask asks one query and answers when the whole answer is there.
type Ask func(ctx context.Context, q Query) error

func (o *Options) fill() {
	for _, d := range []struct {
		v       *int
		becomes int
	}{{&o.Rows, 1_000_000}, {&o.Projects, 20}, {&o.Clients, 16}, {&o.Requests, 30_000}, {&o.Writes, 20}} {
		if *d.v == 0 {
			*d.v = d.becomes
		}
	}
}

// Run fills the database if it is empty, warms the list up, asks, and prints a
// table to out.
func Run(ctx context.Context, o Options, out io.Writer) error {
	o.fill()
	db, err := store.Open(ctx, o.Store)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	w := NewWorld(o.Rows, o.Projects)
	began := time.Now()
	if err := w.Fill(ctx, db); err != nil {
		return fmt.Errorf("storebench.Run: %w", err)
	}
	_, _ = fmt.Fprintf(out, "%s: %d images in %d projects, the largest %d; filled in %.1f s\n", db.Dialect(), w.Rows, len(w.Projects), w.Projects[0].Rows, time.Since(began).Seconds())
	heap := heapBytes()
	began = time.Now()
	if err := db.WarmImages(ctx); err != nil {
		return fmt.Errorf("storebench.Run: %w", err)
	}
	loaded := heapBytes() - heap
	_, _ = fmt.Fprintf(out, "columns loaded in %.1f s, %.0f MB, %.0f bytes an image\n", time.Since(began).Seconds(), float64(loaded)/1e6, float64(loaded)/float64(w.Rows))
	r := &run{db: db, world: w, kinds: Kinds(), options: o}
	r.times = make([][]time.Duration, len(r.kinds))
	r.through = func(ctx context.Context, q Query) error {
		_, _, err := db.Images(ctx, q.ProjectID, q.Filter, q.Page)
		return err
	}
	if o.Through != nil {
		through, end, err := o.Through(db)
		if err != nil {
			return fmt.Errorf("storebench.Run: %w", err)
		}
		defer end()
		r.through = through
	}
	began = time.Now()
	if err := r.drive(ctx); err != nil {
		return fmt.Errorf("storebench.Run: %w", err)
	}
	return r.print(out, time.Since(began))
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

type run struct {
	db      *store.DB
	world   *World
	kinds   []Kind
	options Options
	through Ask

	asked, wrote atomic.Int64
	mu           sync.Mutex
	times        [][]time.Duration // by kind
}

// drive runs the clients to the last request, and the writer beside them.
func (r *run) drive(ctx context.Context) error {
	writing, stop := context.WithCancel(ctx)
	defer stop()
	var writer errgroup.Group
	if r.options.Writes > 0 {
		writer.Go(func() error { return r.write(writing) })
	}
	var clients errgroup.Group
	for n := range r.options.Clients {
		clients.Go(func() error { return r.ask(ctx, rand.New(rand.NewPCG(11, uint64(n)))) })
	}
	err := clients.Wait()
	stop()
	return errors.Join(err, writer.Wait())
}

func (r *run) ask(ctx context.Context, rnd *rand.Rand) error {
	for {
		n := int(r.asked.Add(1)) - 1
		if n >= r.options.Requests {
			return nil
		}
		kind := n % len(r.kinds)
		q := r.world.Draw(rnd, r.kinds[kind])
		began := time.Now()
		if err := r.through(ctx, q); err != nil {
			return fmt.Errorf("%s: %w", r.kinds[kind].Name, err)
		}
		took := time.Since(began)
		r.mu.Lock()
		r.times[kind] = append(r.times[kind], took)
		r.mu.Unlock()
	}
}

// write finishes the scan of one image after the other, at the stated rate.
func (r *run) write(ctx context.Context) error {
	rnd := rand.New(rand.NewPCG(13, 0))
	tick := time.NewTicker(time.Second / time.Duration(r.options.Writes))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		p := r.world.Draw(rnd, r.kinds[0]).ProjectID
		var row store.ImageRow
		rows, _, err := r.db.Images(ctx, p, store.ImageFilter{}, store.ImagePage{Offset: rnd.IntN(1000), Limit: 1})
		if len(rows) == 1 && err == nil {
			row = rows[0]
			err = r.db.Tx(ctx, func(tx *store.DB) error {
				if err := tx.MarkImages(ctx, p, []int64{row.ID}, breakwater.ScanWaiting); err != nil {
					return err
				}
				return tx.SetScanState(ctx, p, row.Digest, breakwater.ScanSuccess, "", "", tx.Now())
			})
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		r.wrote.Add(1)
	}
}

func (r *run) print(out io.Writer, took time.Duration) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "request\tn\tp50 ms\tp95 ms\tp99 ms\tmax ms\t")
	var all []time.Duration
	line := func(name string, times []time.Duration) {
		slices.Sort(times)
		at := func(share float64) float64 {
			if len(times) == 0 {
				return 0
			}
			return float64(times[min(len(times)-1, int(share*float64(len(times))))]) / float64(time.Millisecond)
		}
		_, _ = fmt.Fprintf(t, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t\n", name, len(times), at(0.50), at(0.95), at(0.99), at(1))
	}
	for n, k := range r.kinds {
		line(k.Name, r.times[n])
		all = append(all, r.times[n]...)
	}
	line("all", all)
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d clients, %.0f requests/s, %.0f scans finished/s\n", r.options.Clients,
		float64(len(all))/took.Seconds(), float64(r.wrote.Load())/took.Seconds())
	return err
}
