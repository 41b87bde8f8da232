package child

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater"
)

// testPool is a pool over this test binary. The cleanup holds that nothing of it
// is left: no file, no process, no goroutine.
func testPool(t *testing.T, opts Options) *Pool {
	t.Helper()
	before := runtime.NumGoroutine()
	opts.Command = []string{os.Args[0]}
	opts.TempDir = t.TempDir()
	opts.Version = testVersion
	p, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		left, err := os.ReadDir(opts.TempDir)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
		eventually(t, "goroutines are left", func() bool { return runtime.NumGoroutine() <= before })
	})
	return p
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Errorf("%s\n%s", what, buf[:runtime.Stack(buf, true)])
}

func alive(pid int) bool {
	// A child of ours that was not waited for would show as a zombie, and count.
	_, err := os.Stat("/proc/" + strconv.Itoa(pid))
	return err == nil
}

// good scans an image that nothing is wrong with, and answers the child's pid.
func good(t *testing.T, p *Pool, m *image) int {
	t.Helper()
	inv, err := p.Scan(t.Context(), m.task(plantGood))
	if err != nil {
		t.Fatalf("a good scan: %v", err)
	}
	pid, err := strconv.Atoi(inv.Scanner)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestScan(t *testing.T) {
	p := testPool(t, Options{Cache: &memory{}})
	m := newImage(strings.Repeat("a", 1<<20), "two")
	inv, err := p.Scan(t.Context(), m.task(plantGood))
	if err != nil {
		t.Fatal(err)
	}
	want := breakwater.Inventory{
		Digest: m.digest, Platform: breakwater.Platform{OS: "linux", Architecture: "amd64"}, Scanner: inv.Scanner, Bytes: 1<<20 + 3,
		Layers: []breakwater.LayerRef{{Digest: m.layers[0], Size: 1 << 20}, {Digest: m.layers[1], Size: 3}},
	}
	if d := cmp.Diff(want, inv); d != "" {
		t.Error(d)
	}
	inv, err = p.Scan(t.Context(), m.task(plantGood))
	if err != nil || inv.Bytes != 0 {
		t.Errorf("the second scan read %d bytes: %v", inv.Bytes, err)
	}
}

func TestPlanted(t *testing.T) {
	tests := []struct {
		name  string
		scope breakwater.Scope
		opts  Options
		kind  breakwater.Kind
		code  breakwater.ScanCode
		words string // in the error's text for the operator
		stays bool   // the same child does the next scan
	}{
		{name: "panic", scope: plantPanic, kind: breakwater.KindInternal, code: breakwater.CodeUnknown, words: "planted panic"},
		{name: "panic in a goroutine", scope: plantPanicElsewhere, kind: breakwater.KindInternal, code: breakwater.CodeUnknown, words: "planted panic elsewhere"},
		{name: "never ends", scope: plantEndless, opts: Options{Wall: time.Second}, kind: breakwater.KindTooLarge, code: breakwater.CodeTimedOut},
		{name: "stops reading", scope: plantOpenBlob, opts: Options{Wall: time.Second}, kind: breakwater.KindTooLarge, code: breakwater.CodeTimedOut},
		{name: "eats memory", scope: plantEater, opts: Options{Memory: 200 << 20}, kind: breakwater.KindTooLarge, code: breakwater.CodeOverSized},
		{name: "exits without a result", scope: plantExit, kind: breakwater.KindInternal, code: breakwater.CodeUnknown, words: "exit status 0"},
		{name: "writes garbage", scope: plantGarbage, kind: breakwater.KindInternal, code: breakwater.CodeUnknown},
		{name: "answers for another image", scope: plantOtherImage, kind: breakwater.KindInternal, code: breakwater.CodeUnknown, words: "another image"},
		{name: "answers too much", scope: plantHuge, opts: Options{Result: 1 << 20}, kind: breakwater.KindTooLarge, code: breakwater.CodeOverSized},
		{name: "reports an error", scope: plantError, kind: breakwater.KindTooLarge, code: breakwater.CodeLayers, words: "for the operator", stays: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.opts.Size = 1
			tt.opts.Cache = &memory{}
			p := testPool(t, tt.opts)
			before := good(t, p, newImage("other"))
			m := newImage(strings.Repeat("layer", 1<<20))
			_, err := p.Scan(t.Context(), m.task(tt.scope))
			var e *breakwater.Error
			if !errors.As(err, &e) || e.Kind != tt.kind || e.Code != string(tt.code) || !strings.Contains(err.Error(), tt.words) {
				t.Errorf("got %v; want kind %s, code %s, %q", err, tt.kind, tt.code, tt.words)
			}
			after := good(t, p, m)
			if (before == after) != tt.stays {
				t.Errorf("child %d before, %d after", before, after)
			}
			if !tt.stays && alive(before) {
				t.Errorf("process %d is still there", before)
			}
		})
	}
}

// TestBesides holds that a scan in another child does not notice.
func TestBesides(t *testing.T) {
	p := testPool(t, Options{Size: 2})
	var both sync.WaitGroup
	both.Go(func() {
		m := newImage("a", "b", "c")
		if _, err := p.Scan(t.Context(), m.task(plantSlow)); err != nil {
			t.Error(err)
		}
	})
	both.Go(func() {
		for range 3 {
			if _, err := p.Scan(t.Context(), newImage("d").task(plantPanicElsewhere)); breakwater.KindOf(err) != breakwater.KindInternal {
				t.Error(err)
			}
		}
	})
	both.Wait()
}

func TestRecycle(t *testing.T) {
	p := testPool(t, Options{Size: 1, Recycle: 2})
	m := newImage("layer")
	var pids []int
	for range 5 {
		pids = append(pids, good(t, p, m))
	}
	if pids[0] != pids[1] || pids[1] == pids[2] || pids[2] != pids[3] || pids[3] == pids[4] {
		t.Errorf("children of five scans: %v", pids)
	}
	if alive(pids[0]) || !alive(pids[4]) {
		t.Error("the first child is there, or the last is not")
	}
}

func TestCancel(t *testing.T) {
	p := testPool(t, Options{Size: 1})
	m := newImage("layer")
	pid := good(t, p, m)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := p.Scan(ctx, m.task(plantEndless))
	if !errors.Is(err, context.DeadlineExceeded) || breakwater.KindOf(err) != breakwater.KindUnavailable {
		t.Errorf("got %v", err)
	}
	if alive(pid) {
		t.Error("the child still runs")
	}
	good(t, p, m)
}

func TestCloseEndsScans(t *testing.T) {
	p := testPool(t, Options{Size: 1})
	m := newImage("layer")
	pid := good(t, p, m)
	var scans sync.WaitGroup
	for range 2 { // one runs, one waits for a place
		scans.Go(func() {
			if _, err := p.Scan(t.Context(), m.task(plantEndless)); !errors.Is(err, errPoolClosed) {
				t.Error(err)
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	scans.Wait()
	if alive(pid) {
		t.Error("the child still runs")
	}
	if _, err := p.Scan(t.Context(), m.task(plantGood)); !errors.Is(err, errPoolClosed) {
		t.Error(err)
	}
}

// TestIdleDeath: a child that died between two scans costs no scan.
func TestIdleDeath(t *testing.T) {
	p := testPool(t, Options{Size: 1})
	m := newImage("layer")
	for range 3 {
		pid := good(t, p, m)
		q, err := os.FindProcess(pid)
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Kill(); err != nil {
			t.Fatal(err)
		}
		if next := good(t, p, m); next == pid {
			t.Error("a dead child scanned")
		}
	}
}

func TestCannotStart(t *testing.T) {
	for name, opts := range map[string]Options{
		"fails":  {Env: []string{"PLANT_START=no"}},
		"absent": {},
	} {
		t.Run(name, func(t *testing.T) {
			p := testPool(t, opts)
			if name == "absent" {
				p.opts.Command = []string{"/nonexistent"}
			}
			_, err := p.Scan(t.Context(), newImage("a").task(plantGood))
			var e *breakwater.Error
			if !errors.As(err, &e) || e.Kind != breakwater.KindInternal || e.Code != string(breakwater.CodeSend) {
				t.Errorf("got %v", err)
			}
			if name == "fails" && !strings.Contains(err.Error(), "planted: no start") {
				t.Errorf("the child's last words are missing: %v", err)
			}
		})
	}
}

// TestSourceErrors: what the Source says reaches the scan, and its end the caller.
func TestSourceErrors(t *testing.T) {
	gone := &breakwater.Error{Kind: breakwater.KindNotFound, Code: string(breakwater.CodeNotFound), Message: "the registry does not hold it", Err: errors.New("HTTP status 404")}
	tests := []struct {
		name string
		m    *image
		do   func(*image)
		kind breakwater.Kind
		code breakwater.ScanCode
		say  string
	}{
		{name: "manifest", do: func(m *image) { m.fail = gone }, kind: breakwater.KindNotFound, code: breakwater.CodeNotFound, say: "the registry does not hold it"},
		{name: "blob absent", do: func(m *image) { delete(m.blobs, m.layers[0]) }, kind: breakwater.KindNotFound},
		{name: "in the middle", do: func(m *image) {
			m.spoil = func(r io.Reader) io.Reader { return io.MultiReader(io.LimitReader(r, 1<<19), failing{gone}) }
		}, kind: breakwater.KindNotFound, code: breakwater.CodeNotFound, say: "the registry does not hold it"},
		{name: "wrong bytes", do: func(m *image) {
			m.spoil = func(r io.Reader) io.Reader { return strings.NewReader(strings.Repeat("b", 1<<20)) }
		}, kind: breakwater.KindUnavailable, code: breakwater.CodeDownloadFailed, say: "digest"},
		{name: "too short", do: func(m *image) { m.spoil = func(r io.Reader) io.Reader { return io.LimitReader(r, 10) } },
			kind: breakwater.KindUnavailable, code: breakwater.CodeDownloadFailed, say: "shorter"},
	}
	p := testPool(t, Options{Size: 1})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newImage(strings.Repeat("a", 1<<20))
			tt.do(m)
			_, err := p.Scan(t.Context(), m.task(plantGood))
			var e *breakwater.Error
			if !errors.As(err, &e) || e.Kind != tt.kind || e.Code != string(tt.code) || !strings.Contains(e.Message, tt.say) {
				t.Errorf("got %#v", err)
			}
		})
	}
	good(t, p, newImage("a"))
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestEnvironment: a child gets no environment but its own, stands in a
// directory of its own, and what it leaves there goes with it.
func TestEnvironment(t *testing.T) {
	t.Setenv("BREAKWATER_MASTER_KEY", "a secret")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "a secret")
	p := testPool(t, Options{Size: 1, Recycle: 1, Env: []string{"EXTRA=1"}})
	inv, err := p.Scan(t.Context(), newImage("a").task(plantEnviron))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var wd string
	for line := range strings.Lines(inv.OS.Name) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		names = append(names, name)
		if name == "WD" {
			wd = value
		}
	}
	want := []string{envURL, envToken, envMemory, envSoft, "TMPDIR", "EXTRA", "WD"}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
	if !strings.HasPrefix(wd, p.dir.path) {
		t.Errorf("it stands in %s", wd)
	}
	if _, err := os.Stat(wd); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory is still there: %v", err)
	}
}

// TestOneReader: two children that need the same layer read it once.
func TestOneReader(t *testing.T) {
	p := testPool(t, Options{Size: 2, Cache: &memory{}})
	m := newImage("shared layer")
	var scans sync.WaitGroup
	for range 2 {
		scans.Go(func() {
			if _, err := p.Scan(t.Context(), m.task(plantSlow)); err != nil {
				t.Error(err)
			}
		})
	}
	scans.Wait()
	if n := m.reads.Load(); n != 1 {
		t.Errorf("the layer was read %d times", n)
	}
}

// TestReaderDies: when the one who reads dies, the one who waits reads.
func TestReaderDies(t *testing.T) {
	p := testPool(t, Options{Size: 2, Cache: &memory{}})
	m := newImage("shared layer")
	ctx, cancel := context.WithCancel(t.Context())
	var scans sync.WaitGroup
	scans.Go(func() {
		if _, err := p.Scan(ctx, m.task(plantOpenBlob)); err == nil {
			t.Error("it ended well")
		}
	})
	eventually(t, "the first does not read", func() bool { return m.reads.Load() == 1 })
	scans.Go(func() {
		if _, err := p.Scan(t.Context(), m.task(plantGood)); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(300 * time.Millisecond)
	if n := m.reads.Load(); n != 1 {
		t.Errorf("the second did not wait: %d reads", n)
	}
	cancel()
	scans.Wait()
	if n := m.reads.Load(); n != 2 {
		t.Errorf("%d reads", n)
	}
}
