package child

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestParentKilled: kill -9 of a parent ends its child, whatever that does, and
// the next pool removes their files.
func TestParentKilled(t *testing.T) {
	dir := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = []string{envParent + "=" + dir}
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("the parent says %q", line)
	}
	children := childrenOf(t, parent.Process.Pid)
	if len(children) != 1 {
		t.Fatalf("the parent has children %v", children)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	eventually(t, "the child is still there", func() bool { return !running(children[0]) })
	left, _ := filepath.Glob(filepath.Join(dir, dirPattern+"*"))
	if len(left) != 1 {
		t.Fatalf("left by the parent: %v", left)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(left[0], old, old); err != nil {
		t.Fatal(err)
	}
	// One that is in use stays, however old.
	used, err := newWorkDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(used.path, old, old); err != nil {
		t.Fatal(err)
	}
	p, err := New(Options{Command: []string{os.Args[0]}, TempDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	now, _ := filepath.Glob(filepath.Join(dir, dirPattern+"*"))
	if len(now) != 2 || now[0] == left[0] || now[1] == left[0] {
		t.Errorf("before: %v and %s; now: %v", left, used.path, now)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := used.remove(); err != nil {
		t.Error(err)
	}
}

// running: there, and not a zombie that nobody in this test's world waits for.
func running(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func childrenOf(t *testing.T, pid int) (out []int) {
	t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, s := range stats {
		b, err := os.ReadFile(s)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		f := strings.Fields(rest)
		if len(f) > 1 && f[1] == strconv.Itoa(pid) {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(s)))
			out = append(out, n)
		}
	}
	return out
}

// TestTame: every thread of a child is nice, and the system kills it first.
func TestTame(t *testing.T) {
	p := testPool(t, Options{Size: 1, Nice: 7})
	pid := strconv.Itoa(good(t, p, newImage("a")))
	threads, _ := filepath.Glob("/proc/" + pid + "/task/*/stat")
	for _, path := range threads {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); f[16] != "7" { // field 19 of proc(5), from the state on
			t.Errorf("%s has niceness %s", path, f[16])
		}
	}
	if len(threads) < 2 {
		t.Errorf("%d threads", len(threads))
	}
	b, err := os.ReadFile("/proc/" + pid + "/oom_score_adj")
	if err != nil || strings.TrimSpace(string(b)) != "500" {
		t.Errorf("oom_score_adj: %s %v", b, err)
	}
}

// TestDataLimit: without anybody watching, the limit of the system alone ends a
// child that eats memory.
func TestDataLimit(t *testing.T) {
	if underRace {
		t.Skip("the race detector has more memory than the limit: see serveTest")
	}
	p := testPool(t, Options{Size: 1, Memory: 200 << 20})
	m := newImage("a")
	good(t, p, m)
	p.idle[0].memory = 1 << 50
	_, err := p.Scan(t.Context(), m.task(plantEater))
	if err == nil || !strings.Contains(err.Error(), "the scan needed more memory than its limit") {
		t.Errorf("got %v", err)
	}
}
