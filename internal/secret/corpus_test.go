package secret

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// corpusBytes is a little more than the comparison has to cover.
const corpusBytes = 205 << 20

type corpusFile struct {
	path string
	text []byte
}

// readCorpus reads text files below dirs, in an order that mixes them, up to a
// number of bytes. Equal files and those that the rules never look at are left out.
func readCorpus(tb testing.TB, dirs []string, limit int) []corpusFile {
	tb.Helper()
	var paths []string
	for _, dir := range dirs {
		_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				paths = append(paths, path)
			}
			return nil // what cannot be read is not part of the corpus
		})
	}
	r := rand.New(rand.NewPCG(5, 6))
	r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	var files []corpusFile
	total := 0
	for _, path := range paths {
		rel := strings.TrimPrefix(path, "/")
		if total > limit {
			break
		}
		if info, err := os.Stat(path); err != nil || info.Size() > 8<<20 || ours().skips(rel) {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil || len(text) == 0 || bytes.IndexByte(text[:min(len(text), 4096)], 0) >= 0 {
			continue
		}
		files = append(files, corpusFile{rel, text})
		total += len(text)
	}
	return files
}

// corpusVariable names the environment variable that lists the directories of the
// corpus, separated by colons.
const corpusVariable = "BREAKWATER_SECRET_CORPUS"

// TestCorpusSameAsGitleaks compares the engine with gitleaks' detector on real
// text with planted secrets.
func TestCorpusSameAsGitleaks(t *testing.T) {
	dirs := os.Getenv(corpusVariable)
	if dirs == "" {
		t.Skip(corpusVariable + " is not set")
	}
	files := readCorpus(t, strings.Split(dirs, ":"), corpusBytes)
	ownFindings(t, files)
	planted := plantInto(files)
	total := 0
	for _, f := range files {
		total += len(f.text)
	}
	if total < 200<<20 {
		t.Errorf("only %d MB of text below %s", total>>20, dirs)
	}
	before := cpuTime(t)
	got := make([][]same, len(files))
	for i, f := range files {
		got[i] = fromOurs(f.path, f.text)
	}
	between := cpuTime(t)
	matches := compareAll(t, files, got)
	after := cpuTime(t)

	mb := float64(total) / 1e6
	oracleTook, oursTook := (after - between).Seconds(), (between - before).Seconds()
	t.Logf("%d files, %.0f MB, %d secrets planted, %d findings", len(files), mb, planted, matches)
	t.Logf("seconds of one core: gitleaks' detector %.1f (%.1f MB/s), ours %.2f (%.1f MB/s)",
		oracleTook, mb/oracleTook, oursTook, mb/oursTook)
}

// ownFindings lists what our own rules find in text in which nobody planted
// anything. More than a few are too many: nobody would read them.
func ownFindings(t *testing.T, files []corpusFile) {
	n := 0
	for _, f := range files {
		for _, s := range finder().Find(f.path, f.text) {
			if slices.ContainsFunc(finder().engine.rules, func(r *rule) bool { return r.own && r.id == s.Rule }) {
				n++
				t.Logf("own rule %s: %s:%d %s", s.Rule, s.Path, s.Line, s.Masked)
			}
		}
	}
	if limit := len(files)/100 + 20; n > limit {
		t.Errorf("our own rules found %d things in %d files, more than %d", n, len(files), limit)
	}
}

// compareAll runs the oracle over the files on all cores.
func compareAll(t *testing.T, files []corpusFile, got [][]same) int {
	var matches atomic.Int64
	work := make(chan int)
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range work {
				want := fromOracle(files[i].path, string(files[i].text))
				matches.Add(int64(len(want)))
				if diff := gocmp.Diff(want, got[i]); diff != "" {
					t.Errorf("%s: (-gitleaks +ours):\n%.2000s", files[i].path, diff)
				}
			}
		})
	}
	for i := range files {
		work <- i
	}
	close(work)
	wg.Wait()
	return int(matches.Load())
}

// cpuTime is what this process has used so far: other work on the machine does
// not count.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// plantInto puts a secret of a random rule at a random place into every fourth file.
func plantInto(files []corpusFile) int {
	r := rand.New(rand.NewPCG(7, 8))
	rules := ours().rules
	n := 0
	for i := range files {
		if i%4 != 0 {
			continue
		}
		p := plants(r, rules[r.IntN(len(rules))], 1)
		if len(p) == 0 {
			continue
		}
		f := &files[i]
		at := r.IntN(len(f.text) + 1)
		f.text = append(append(append([]byte(nil), f.text[:at]...), p[0]...), f.text[at:]...)
		n++
	}
	return n
}

// mixed is real text for benchmarks, by kind.
func mixed(b *testing.B) map[string][]corpusFile {
	b.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Skip("no go command")
	}
	src := strings.TrimSpace(string(out)) + "/src"
	kinds := map[string][]string{
		"go":     {src + "/net", src + "/crypto"},
		"docs":   {"/usr/share/doc"},
		"config": {"/etc"},
		"python": {"/usr/lib/python3"},
		"perl":   {"/usr/share/perl"},
		"js":     {"/usr/share/nodejs", "/usr/share/javascript", "/usr/lib/node_modules"},
	}
	found := map[string][]corpusFile{}
	for kind, dirs := range kinds {
		if files := readCorpus(b, dirs, 8<<20); len(files) > 0 {
			found[kind] = files
		}
	}
	return found
}

func sizeOf(files []corpusFile) (n int64) {
	for _, f := range files {
		n += int64(len(f.text))
	}
	return n
}

// benchKinds measures MB a second of one core by kind of text.
func benchKinds(b *testing.B, run func(corpusFile)) {
	for kind, files := range mixed(b) {
		b.Run(kind, func(b *testing.B) {
			size := sizeOf(files)
			b.SetBytes(size)
			b.ReportAllocs()
			begin := cpuTime(b)
			for b.Loop() {
				for _, f := range files {
					run(f)
				}
			}
			b.ReportMetric(float64(size)*float64(b.N)/1e6/(cpuTime(b)-begin).Seconds(), "MB/cpu-s")
		})
	}
}

func BenchmarkFind(b *testing.B) {
	f, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	benchKinds(b, func(c corpusFile) { f.Find(c.path, c.text) })
}

// BenchmarkRules is the engine with gitleaks' rules alone, to compare with BenchmarkGitleaks.
func BenchmarkRules(b *testing.B) {
	benchKinds(b, func(c corpusFile) { filter(ours().scan(c.path, c.text)) })
}

func BenchmarkGitleaks(b *testing.B) {
	benchKinds(b, func(c corpusFile) { fromOracle(c.path, string(c.text)) })
}
