package report

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
)

// natural compares the numbers in two versions; a letter alone is an error.
func natural(_, a, b string) (int, error) {
	numbers := func(s string) (out []int) {
		for _, f := range strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' }) {
			n, _ := strconv.Atoi(f)
			out = append(out, n)
		}
		return out
	}
	x, y := numbers(a), numbers(b)
	if len(x) == 0 || len(y) == 0 {
		return 0, errors.New("no version")
	}
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return x[i] - y[i], nil
		}
	}
	return len(x) - len(y), nil
}

func TestUpgrades(t *testing.T) {
	vul := func(name, id, fixed string, severity breakwater.Severity) breakwater.Vulnerability {
		return breakwater.Vulnerability{Package: breakwater.PackageVersion{Ecosystem: "npm", Name: name, Version: "1"}, AdvisoryID: id, Fixed: fixed, Severity: severity}
	}
	list := []breakwater.Vulnerability{
		vul("a", "A1", "1.9", "low"), vul("a", "A2", "1.10", "medium"), vul("a", "A3", "", "high"),
		vul("b", "B1", "2", "high"), vul("c", "C1", "", "high"), vul("d", "D1", "x", "low"), vul("d", "D2", "2", "low"),
	}
	got := upgrades(list, natural)
	version := func(name string) breakwater.PackageVersion {
		return breakwater.PackageVersion{Ecosystem: "npm", Name: name, Version: "1"}
	}
	want := []upgrade{
		{Package: version("b"), To: []string{"2"}, Fixes: []string{"B1"}, Worst: "high"},
		{Package: version("a"), To: []string{"1.10"}, Fixes: []string{"A1", "A2"}, Left: 1, Worst: "medium"},
		{Package: version("d"), To: []string{"2", "x"}, Fixes: []string{"D1", "D2"}, Worst: "low"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Without a way to compare, no single version can be said to repair all.
	if u := upgrades(list, nil)[1]; u.target() != "the newest of 1.10, 1.9" {
		t.Errorf("%q", u.target())
	}
}
