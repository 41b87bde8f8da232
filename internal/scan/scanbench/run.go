package scanbench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"breakwater"
	"breakwater/internal/oci"
	"breakwater/internal/scan"
)

// Kind is what one process measures.
type Kind string

// The kinds, in the order of the table.
const (
	KindFloor    Kind = "floor"
	KindPackages Kind = "scan" // everything but secrets and malware signatures
	KindAll      Kind = "scan, secrets, malware"
	KindAgain    Kind = "second image, same layers"
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{KindFloor, KindPackages, KindAll, KindAgain} }

// Scope is what a kind scans for.
func (k Kind) Scope() breakwater.Scope {
	if k == KindPackages {
		return breakwater.ScopeAll &^ (breakwater.ScopeMalware | breakwater.ScopeSensitive)
	}
	return breakwater.ScopeAll
}

// Bars are the ratios that DESIGN sets; 0: none.
func (k Kind) bar() float64 {
	switch k {
	case KindPackages:
		return 1.25
	case KindAll:
		return 2
	}
	return 0
}

// Result is what the process printed.
type Result struct {
	Seconds  float64 `json:"seconds"`
	Packages int     `json:"packages"`
	Files    int64   `json:"files"`
	Read     int64   `json:"read"` // layer bytes
	Peak     int64   `json:"peak"` // bytes of memory, the most that was resident
}

// Measure runs one kind in this process. again is for KindAgain: the image is
// scanned once before the clock starts, with the same cache.
func Measure(ctx context.Context, kind Kind, src oci.Source, doc oci.Doc, s *scan.Scanner) (r Result, err error) {
	if kind == KindAgain {
		if _, err := s.Scan(ctx, src, doc.Digest, kind.Scope()); err != nil {
			return r, err
		}
	}
	began := time.Now()
	if kind == KindFloor {
		err = Floor(ctx, src, doc)
		r.Seconds = time.Since(began).Seconds()
	} else {
		inv, failed := s.Scan(ctx, src, doc.Digest, kind.Scope())
		r, err = Result{Seconds: time.Since(began).Seconds(), Packages: len(inv.Packages), Files: inv.Files.Num, Read: inv.Bytes}, failed
	}
	r.Peak = peak()
	return r, err
}

// peak is VmHWM of proc(5); 0 where there is none. (The kernel's ru_maxrss would
// count the parent's memory too, which a child shares until it executes.)
func peak() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0
	}
	return kib << 10
}

// Options of a run.
type Options struct {
	Command []string // what measures one kind: Command… KIND IMAGE
	Images  []string // OCI layouts or archives
	Rounds  int      // of each kind; the fastest counts
}

// Run measures every kind on every image, the kinds in turn so that what else
// the machine does falls on all, and prints the table. It answers false when a
// bar was missed.
func Run(ctx context.Context, o Options, w io.Writer) (good bool, err error) {
	good = true
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintf(t, "image\twhat\tseconds\t× floor\tbar\tpeak MiB\n")
	for _, image := range o.Images {
		best, most := map[Kind]Result{}, map[Kind]int64{}
		for range max(o.Rounds, 1) {
			for _, kind := range Kinds() {
				r, err := measureApart(ctx, o.Command, kind, image)
				if err != nil {
					return false, fmt.Errorf("%s, %s: %w", image, kind, err)
				}
				if have, ok := best[kind]; !ok || r.Seconds < have.Seconds {
					best[kind] = r
				}
				most[kind] = max(most[kind], r.Peak)
			}
		}
		for _, kind := range Kinds() {
			ratio := best[kind].Seconds / best[KindFloor].Seconds
			bar := ""
			if b := kind.bar(); b > 0 {
				bar = fmt.Sprintf("≤ %.2f", b)
				good = good && ratio <= b
			}
			fmt.Fprintf(t, "%s\t%s\t%.3f\t%.2f\t%s\t%d\n", filepath.Base(image), kind, best[kind].Seconds, ratio, bar, most[kind]>>20)
		}
	}
	fmt.Fprintf(t, "%d cores, %s; the fastest of %d rounds\n", runtime.GOMAXPROCS(0), runtime.Version(), max(o.Rounds, 1))
	return good, t.Flush()
}

// measureApart runs a kind in a process of its own.
func measureApart(ctx context.Context, command []string, kind Kind, image string) (r Result, err error) {
	if len(command) == 0 {
		return r, errors.New("no command")
	}
	cmd := exec.CommandContext(ctx, command[0], slices.Concat(command[1:], []string{string(kind), image})...)
	var errout strings.Builder
	cmd.Stderr, cmd.Env = &errout, os.Environ()
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%w: %s", err, errout.String())
	}
	return r, json.Unmarshal(out, &r)
}
