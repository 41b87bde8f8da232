package match_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"breakwater"
	"breakwater/internal/match"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// versionOf writes the number n as a version of an ecosystem, in the same order.
func versionOf(ecosystem string, n int) string {
	switch ecosystem {
	case "Debian:12":
		return fmt.Sprintf("1:%d.%d-1", n/4, n%4)
	case "Alpine:v3.19":
		return fmt.Sprintf("%d.%d-r1", 1+n/4, n%4)
	case "AlmaLinux:9":
		return fmt.Sprintf("0:%d.%d-1.el9", n/4, n%4)
	case "Go":
		return fmt.Sprintf("%d.%d.0", n/4, n%4)
	}
	return fmt.Sprintf("%d.%d.1", n/4, n%4)
}

var ecosystems = []string{"npm", "PyPI", "Go", "Maven", "NuGet", "RubyGems", "Packagist", "crates.io", "Debian:12", "Alpine:v3.19", "AlmaLinux:9"}

// A range is drawn as cuts on a number line: it opens and closes in turns. The
// truth is then plain: n is inside when an odd number of cuts is at or below it.
func TestRangesAgreeWithANumberLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ecosystem := rapid.SampledFrom(ecosystems).Draw(t, "ecosystem")
		cuts := rapid.SliceOfNDistinct(rapid.IntRange(1, 24), 1, 6, rapid.ID[int]).Draw(t, "cuts")
		slices.Sort(cuts)
		var events []string
		for i, c := range cuts {
			events = append(events, []string{"i:", "f:"}[i%2]+versionOf(ecosystem, c))
		}
		events = rapid.Permutation(events).Draw(t, "events")
		n := rapid.IntRange(0, 25).Draw(t, "n")
		below := 0
		for _, c := range cuts {
			if c <= n {
				below++
			}
		}
		want, fix := below%2 == 1, ""
		if want && below < len(cuts) {
			fix = versionOf(ecosystem, cuts[below])
		}
		out := match.Match([]breakwater.PackageVersion{{Ecosystem: ecosystem, Name: "p", Version: versionOf(ecosystem, n)}},
			lookup(advisory("X-1", ecosystem, "p", span(events...))))
		if got := len(out.Verdicts) == 1; got != want {
			t.Fatalf("affected = %v, want %v", got, want)
		}
		if want && out.Verdicts[0].Fixed != fix {
			t.Fatalf("fixed = %q, want %q", out.Verdicts[0].Fixed, fix)
		}
	})
}

// Whatever the records are called and in whatever order they come, the answer is
// the same, no record is lost, and none is told twice as a finding of its own.
func TestMergingIsIndependentOfOrder(t *testing.T) {
	id := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"CVE-2024-000", "GHSA-", "PYSEC-"}).Draw(t, "db") + strconv.Itoa(rapid.IntRange(1, 4).Draw(t, "n"))
	})
	rapid.Check(t, func(t *rapid.T) {
		var list []breakwater.Advisory
		for _, own := range rapid.SliceOfNDistinct(id, 1, 8, rapid.ID[string]).Draw(t, "ids") {
			a := advisory(own, "PyPI", "p", span("i:0", "f:2"))
			a.Aliases = rapid.SliceOfN(id, 0, 2).Draw(t, "aliases")
			list = append(list, a)
		}
		p := []breakwater.PackageVersion{{Ecosystem: "PyPI", Name: "p", Version: "1"}}
		first := match.Match(p, lookup(list...))
		again := match.Match(p, lookup(rapid.Permutation(list).Draw(t, "order")...))
		if diff := cmp.Diff(first, again); diff != "" {
			t.Fatal(diff)
		}
		told := map[string]int{}
		for _, v := range first.Verdicts {
			for _, id := range append([]string{v.AdvisoryID}, v.Also...) {
				told[id]++
			}
		}
		for _, a := range list {
			if told[a.ID] != 1 {
				t.Fatalf("%s is told %d times", a.ID, told[a.ID])
			}
		}
	})
}

// Compare is an order: what it says one way it says the other way round.
func TestCompareIsAntisymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ecosystem := rapid.SampledFrom(ecosystems).Draw(t, "ecosystem")
		word := rapid.StringMatching(`[0-9]{1,3}(\.[0-9]{1,2}){0,3}([-~_.][a-z0-9]{1,4})?`)
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		x, err1 := match.Compare(ecosystem, a, b)
		y, err2 := match.Compare(ecosystem, b, a)
		if (err1 == nil) != (err2 == nil) || err1 == nil && x != -y {
			t.Fatalf("Compare(%q, %q) = %d, %v; reversed %d, %v", a, b, x, err1, y, err2)
		}
	})
}
