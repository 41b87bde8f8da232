package swr

import (
	"strings"
	"testing"
)

// FuzzFilter: whatever comes in, a filter that is taken has only known keys, no
// empty value, numbers in range, and says what it was given.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		"namespace::group", "namespace::a|name::b|limit::10|offset::0|order_column::name|order_type::desc", "name::a::b", "|", "::", "limit::1001", "tag::é|limit::007",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := parseRepoFilter(s); err == nil {
			if got.Limit < 1 || got.Limit > maxPage || got.Offset < 0 {
				t.Errorf("%q: limit %d, offset %d", s, got.Limit, got.Offset)
			}
		}
		got, err := parseFilter(s, "namespace", "name", "tag")
		if err != nil {
			return
		}
		size := len(got) - 1 // the bars
		for k, v := range got {
			if v == "" || !strings.Contains(s, k+"::"+v) {
				t.Errorf("%q: made up %q::%q", s, k, v)
			}
			size += len(k) + len("::") + len(v)
		}
		if size != len(s) {
			t.Errorf("%q: lost a part", s)
		}
	})
}
