package password

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
)

func TestParseWords(t *testing.T) {
	long := strings.Repeat("x", maxWord)
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "w%d\n", i)
		}
		return b.String()
	}
	for name, tt := range map[string]struct {
		list string
		want []string
		err  string // what the message says; empty: none
	}{
		"nothing":                      {"", nil, ""},
		"lines":                        {"harbour-7\nshop2026\n", []string{"harbour-7", "shop2026"}, ""},
		"no line feed at the end":      {"harbour-7\nshop2026", []string{"harbour-7", "shop2026"}, ""},
		"a mark of UTF-8":              {"\ufeffharbour-7\nshop2026\n", []string{"harbour-7", "shop2026"}, ""},
		"a mark within":                {"a\ufeff\n", []string{"a\ufeff"}, ""},
		"lines of Windows":             {"harbour-7\r\nshop2026\r\n\r\n", []string{"harbour-7", "shop2026"}, ""},
		"a carriage return of its own": {"harbour\r7\r\r\n", []string{"harbour\r7\r"}, ""},
		"lines of nothing":             {"\n\nharbour-7\n  \t\n\nshop2026\n\n", []string{"harbour-7", "shop2026"}, ""},
		"blanks belong to a password":  {" harbour 7 \n", []string{" harbour 7 "}, ""},
		"a hash begins a password":     {"#harbour\n# harbour\n#\n#!harbour\n#!\n", []string{"#harbour", "# harbour", "#", "#!harbour", "#!"}, ""},
		"comments":                     {"#!comment: from the audit of 2025\nharbour-7\r\n#!comment:\r\n#!comment: " + strings.Repeat("long ", 100) + "\nshop2026\n", []string{"harbour-7", "shop2026"}, ""},
		"a comment behind a mark":      {"\ufeff#!comment: from Windows\r\nharbour-7\r\n", []string{"harbour-7"}, ""},
		"twice":                        {"a\nb\na\n", []string{"a", "b"}, ""},
		"Latin-1":                      {"gr\xfc\xdfe\n", []string{"gr\xfc\xdfe"}, ""},
		"as long as may be":            {long + "\n", []string{long}, ""},
		"too long":                     {"harbour-7\n\n" + long + "y\r\n", nil, "line 3 is longer than 128 bytes"},
		"no line feed anywhere":        {strings.Repeat("ab\x01", 1<<20), nil, "line 1 is longer than 128 bytes"},
		"UTF-16, little end first":     {"\xff\xfea\x00\n\x00", nil, "UTF-16"},
		"UTF-16, big end first":        {"\xfe\xff\x00a\x00\n", nil, "UTF-16"},
		"UTF-16 without a mark":        {"a\x00b\x00\n\x00", nil, "line 1 holds a zero byte"},
		"a program":                    {"ok\n\x7fELF\x02\x01\x01\x00\n", nil, "line 2 holds a zero byte"},
		"as many as may be":            {"#!comment: all\n" + many(MaxWords) + "w1\n\n", nil, ""},
		"too many":                     {many(MaxWords) + "one more\n", nil, "more than 10000 passwords"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseWords([]byte(tt.list))
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || breakwater.KindOf(err) != breakwater.KindInvalid || got != nil {
					t.Fatalf("%d words, %v; want the error %q", len(got), err, tt.err)
				}
				if strings.Contains(err.Error(), "xxxx") || strings.Contains(err.Error(), "one more") {
					t.Errorf("the error shows a password: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == nil && name == "as many as may be" {
				if len(got) != MaxWords {
					t.Errorf("%d words", len(got))
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWordsAreGuessed: what a list says is what is guessed, to the byte.
func TestWordsAreGuessed(t *testing.T) {
	words, err := ParseWords([]byte("\ufeff#!comment: ours\r\n#harbour-7x\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	j := judge(t, Options{Words: words})
	if v := j.Plain("root", "#harbour-7x"); v.Reason != ReasonOwn {
		t.Errorf("%+v", v)
	}
	if v := j.Plain("root", "#!comment: ours"); v.Weak {
		t.Errorf("a comment is a password: %+v", v)
	}
}

func TestBuiltInList(t *testing.T) {
	j := judge(t, Options{})
	for _, w := range j.builtIn {
		if strings.HasPrefix(w, "#") || strings.TrimSpace(w) != w {
			t.Errorf("%q is in the list", w)
		}
	}
	if len(j.builtIn) != 2320 { // docs/rules.md says so
		t.Errorf("%d words", len(j.builtIn))
	}
}

func TestTooLongAWordIsRefused(t *testing.T) {
	if _, err := New(Options{Words: []string{strings.Repeat("x", maxWord+1)}}); breakwater.KindOf(err) != breakwater.KindInvalid {
		t.Errorf("got %v", err)
	}
}
