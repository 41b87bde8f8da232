package report

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "",
		"libssl3:amd64":        "libssl3:amd64",
		"Zoë 数据库 κόσμος 🦀":     "Zoë 数据库 κόσμος 🦀",
		"\x1b[31mred\x1b[0m":   `\x1b[31mred\x1b[0m`,
		"\u009b31m":            `\u009b31m`,
		"a\r\nb\tc\x00d\x7f":   `a\x0d\x0ab\x09c\x00d\x7f`,
		"gpj.\u202eexe":        `gpj.\u202eexe`,
		"\u2066a\u2069\u200f":  `\u2066a\u2069\u200f`,
		"a\u200b\u200d\ufeffb": `a\u200b\u200d\ufeffb`,
		"a\u2028b\u2029c":      `a\u2028b\u2029c`,
		"a\u00a0b\u3000c":      `a\u00a0b\u3000c`,
		"bad\xff\xfe":          `bad\xff\xfe`,
		"\U000e0041":           `\U000e0041`,
		"\u3164\u2800":         `\u3164\u2800`,
		"\ue000\U000f0000":     `\ue000\U000f0000`,
		"e\u0301\u0301\u0301x": "e\u0301\u0301" + `\u0301x`,
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
	if got := plain(strings.Repeat("ä", 5000)); utf8.RuneCountInString(got) != maxRunes+1 {
		t.Errorf("a long text keeps %d letters", utf8.RuneCountInString(got))
	}
}

func TestCut(t *testing.T) {
	tests := []struct {
		in      string
		columns int
		want    string
	}{
		{"short", 5, "short"},
		{"usr/lib/python3/dist-packages/yaml/__init__.py", 20, "usr/li…ml/__init__.py"[0:6] + "…l/__init__.py"},
		{"数据库连接池", 12, "数据库连接池"},
		{"数据库连接池", 7, "数…接池"},
		{"abc", 1, "…"},
		{"abc", 0, ""},
	}
	for _, test := range tests {
		got := cut(test.in, test.columns)
		if w := widths().StringWidth(got); w > test.columns {
			t.Errorf("cut(%q, %d) = %q takes %d columns", test.in, test.columns, got, w)
		}
		if got != test.want {
			t.Errorf("cut(%q, %d) = %q, want %q", test.in, test.columns, got, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	tests := []struct {
		in      string
		columns int
		want    []string
	}{
		{"", 10, nil},
		{"one two three", 8, []string{"one two", "three"}},
		{"a verylongword b", 6, []string{"a", "verylo", "ngword", "b"}},
		{"数据库连接", 4, []string{"数据", "库连", "接"}},
		{"数", 1, []string{"数"}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, wrap(test.in, test.columns)); diff != "" {
			t.Errorf("wrap(%q, %d) (-want +got):\n%s", test.in, test.columns, diff)
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 20: "1.0 MiB", 5 << 30: "5.0 GiB", 1 << 50: "1024.0 TiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// safe reports whether text can be printed: one line, valid, visible.
func safe(s string) bool {
	for _, r := range s {
		if r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Cc, r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

func FuzzPlain(f *testing.F) {
	f.Add(evil, 10)
	f.Add("数据库\u0301\u0301\u0301", 3)
	f.Fuzz(func(t *testing.T, s string, columns int) {
		text := plain(s)
		if !safe(text) {
			t.Fatalf("plain(%q) = %q", s, text)
		}
		columns %= 200
		short := cut(text, columns)
		if w := widths().StringWidth(short); w > max(columns, 0) || !utf8.ValidString(short) {
			t.Fatalf("cut to %d columns takes %d: %q", columns, w, short)
		}
		if columns > 1 {
			joined := strings.Join(wrap(text, columns), "")
			if strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(text, " ", "") {
				t.Fatalf("wrap lost something of %q: %q", text, joined)
			}
		}
	})
}
