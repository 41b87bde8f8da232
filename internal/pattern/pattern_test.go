package pattern

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type hit struct{ ID, End int }

// plain is the slow truth: every place of every pattern by bytes.Index.
func plain(patterns [][]byte, b []byte, fold bool) []hit {
	if fold {
		b = foldAll(b)
	}
	var hits []hit
	for id, p := range patterns {
		if fold {
			p = foldAll(p)
		}
		for at := 0; ; {
			i := bytes.Index(b[at:], p)
			if i < 0 {
				break
			}
			hits = append(hits, hit{id, at + i + len(p)})
			at += i + 1
		}
	}
	order(patterns, hits)
	return hits
}

func order(patterns [][]byte, hits []hit) {
	slices.SortFunc(hits, func(a, b hit) int {
		if a.End != b.End {
			return a.End - b.End
		}
		if d := len(patterns[b.ID]) - len(patterns[a.ID]); d != 0 {
			return d
		}
		return a.ID - b.ID
	})
}

func foldAll(b []byte) []byte {
	b = bytes.Clone(b)
	for i := range b {
		b[i] = lower(b[i])
	}
	return b
}

// inChunks feeds b in pieces of the given sizes, over and over.
func inChunks(s *Set, b []byte, sizes []int) []hit {
	var hits []hit
	st, at := s.Start(), 0
	for n := 0; at < len(b); n++ {
		size := len(b)
		if len(sizes) > 0 {
			size = sizes[n%len(sizes)]
		}
		chunk := b[at:min(len(b), at+size)]
		st = s.Feed(st, chunk, func(id, end int) bool {
			hits = append(hits, hit{id, at + end})
			return true
		})
		at += len(chunk)
	}
	return hits
}

func check(t interface{ Fatalf(string, ...any) }, patterns [][]byte, b []byte, fold bool, sizes []int) {
	s, err := New(patterns, Options{Fold: fold})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	want := plain(patterns, b, fold)
	if diff := cmp.Diff(want, inChunks(s, b, nil)); diff != "" {
		t.Fatalf("patterns %q, text %q, fold %v (-want +got):\n%s", patterns, b, fold, diff)
	}
	if diff := cmp.Diff(want, inChunks(s, b, sizes)); diff != "" {
		t.Fatalf("in chunks of %v: patterns %q, text %q, fold %v (-want +got):\n%s", sizes, patterns, b, fold, diff)
	}
}

func TestEach(t *testing.T) {
	tests := []struct {
		name     string
		patterns []string
		text     string
		fold     bool
		want     []hit
	}{
		{"overlapping", []string{"abc", "bcd", "abcd"}, "xabcdx", false, []hit{{0, 4}, {2, 5}, {1, 5}}},
		{"itself", []string{"aaa"}, "aaaaa", false, []hit{{0, 3}, {0, 4}, {0, 5}}},
		{"twice", []string{"key", "key"}, "key", false, []hit{{0, 3}, {1, 3}}},
		{"fold", []string{"Token"}, "TOKEN token tOkEn", true, []hit{{0, 5}, {0, 11}, {0, 17}}},
		{"no fold", []string{"Token"}, "TOKEN Token", false, []hit{{0, 11}}},
		{"short", []string{"a", "ab"}, "ab", false, []hit{{0, 1}, {1, 2}}},
		{"at sign is no letter", []string{"[@`{"}, "{`@[ [@`{", true, []hit{{0, 9}}},
		{"empty text", []string{"abc"}, "", false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var patterns [][]byte
			for _, p := range tt.patterns {
				patterns = append(patterns, []byte(p))
			}
			s, err := New(patterns, Options{Fold: tt.fold})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, inChunks(s, []byte(tt.text), nil)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestStops(t *testing.T) {
	s, err := New([][]byte{[]byte("key")}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	s.Each([]byte("key key key"), func(int, int) bool { calls++; return calls < 2 })
	if calls != 2 {
		t.Errorf("%d calls after false at the second", calls)
	}
}

func TestRefuses(t *testing.T) {
	huge := make([][]byte, 70)
	for i := range huge {
		huge[i] = make([]byte, 1<<18)
	}
	var many [][]byte
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		p := make([]byte, 1000)
		for i := range p {
			p[i] = byte(r.Uint32())
		}
		many = append(many, p)
	}
	for name, patterns := range map[string][][]byte{"none": nil, "empty": {[]byte("a"), nil}, "too long": huge, "too many states": many} {
		if _, err := New(patterns, Options{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestAllBytes(t *testing.T) {
	var all []byte
	for c := range 256 {
		all = append(all, byte(c))
	}
	check(t, [][]byte{all, all[100:], {255, 0, 1}, {0, 0, 0}}, append(append([]byte{0, 0}, all...), 0, 1, 0, 0, 0, 255), false, []int{7})
}

func TestProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.SampledFrom([]byte("abAB@k\x00\xff"))
		least := rapid.IntRange(1, 3).Draw(t, "least")
		patterns := rapid.SliceOfN(rapid.SliceOfN(letters, least, 6), 1, 12).Draw(t, "patterns")
		text := rapid.SliceOfN(letters, 0, 200).Draw(t, "text")
		sizes := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 4).Draw(t, "sizes")
		check(t, patterns, text, rapid.Bool().Draw(t, "fold"), sizes)
	})
}

func FuzzEach(f *testing.F) {
	f.Add([]byte("key\ntoken\nsecret"), []byte("a Secret keytokEN"), true, 3)
	f.Add([]byte("aa\na"), []byte("aaaa"), false, 1)
	f.Fuzz(func(t *testing.T, list, text []byte, fold bool, size int) {
		var patterns [][]byte
		for p := range bytes.SplitSeq(list, []byte("\n")) {
			if len(p) > 0 {
				patterns = append(patterns, p)
			}
		}
		if len(patterns) == 0 || len(patterns) > 100 || size < 1 {
			return
		}
		check(t, patterns, text, fold, []int{size})
	})
}

// BenchmarkEach runs over the standard library's source with as many patterns
// as a real rule set has.
func BenchmarkEach(b *testing.B) {
	var text []byte
	files, _ := filepath.Glob(filepath.Join(goroot(b), "src", "net", "http", "*.go"))
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		text = append(text, data...)
	}
	words := []string{"key", "token", "api", "secret", "password", "credential", "auth", "akia", "ghp_", "glpat-", "xox", "sk-ant", "-----begin"}
	for _, n := range []int{40, 400, 4000} {
		r := rand.New(rand.NewPCG(3, 4))
		var patterns [][]byte
		for _, w := range words {
			patterns = append(patterns, []byte(w))
		}
		for len(patterns) < n {
			p := make([]byte, 4+r.IntN(9))
			for i := range p {
				p[i] = "etaoinshrdlucmfwypvbgkqjxz_-"[min(r.IntN(28), r.IntN(28)+4)]
			}
			patterns = append(patterns, p)
		}
		s, err := New(patterns, Options{Fold: true})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("patterns=%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			hits := 0
			for b.Loop() {
				s.Each(text, func(int, int) bool { hits++; return true })
			}
			b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
		})
	}
}

// goroot is where the Go that runs the tests keeps its source.
func goroot(b *testing.B) string {
	b.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Skip("no go command")
	}
	return strings.TrimSpace(string(out))
}
