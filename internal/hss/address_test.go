package hss

import (
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestParseAddr(t *testing.T) {
	for in, want := range map[string]string{
		"harbor.example.com": "harbor.example.com", "harbor.example.com:8443": "harbor.example.com:8443", "10.1.2.3": "10.1.2.3",
		"[fd00::1]": "[fd00::1]", "[fd00::1]:5000/x": "[fd00::1]:5000/x", "my_harbor:80": "my_harbor:80", "host.": "host.",
		"frog.example.com/artifactory/": "frog.example.com/artifactory", "a/b-c/d.e": "a/b-c/d.e", "xn--bcher-kva.example": "xn--bcher-kva.example",
	} {
		if a, err := parseAddr("f", in); err != nil || a.String() != want {
			t.Errorf("%s: %s, %v", in, a, err)
		}
	}
	for _, in := range []string{
		"", "/", ":80", "host:", "host:0", "host:65536", "host:080", "host:+1", "http://host", "//host", "user@host", "u:p@host", "host?x", "host#x",
		"host/a?b", "host/../x", "host/./x", "host/a//b", "host /x", " host", "ho\tst", "ho\nst", "-host", "host-", "a..b", "[::1", "::1", "[::1]x", "[::1]:",
		"[1.2.3.4]", "[fe80::1%eth0]", "bücher.example", "host\\x", "host%2e", strings.Repeat("a", 64), "host/é", "$(x)", "`x`", "a'b", "a;b",
	} {
		if a, err := parseAddr("f", in); err == nil {
			t.Errorf("%q was taken as %s", in, a)
		} else if len(in) > 5 && strings.Contains(err.Error(), in) {
			t.Errorf("the error repeats %q", in)
		}
	}
}

// FuzzParseAddr: what is taken reads back the same, and holds nothing that a
// URL, a header or a shell would see as more than an address.
func FuzzParseAddr(f *testing.F) {
	for _, seed := range []string{"harbor.example.com:8443/path", "[fd00::1]:5000", "user@host", "http://x", "a/../b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := parseAddr("f", in)
		if err != nil {
			return
		}
		again, err := parseAddr("f", a.String())
		if err != nil || again != a {
			t.Errorf("%q: %q reads back as %q, %v", in, a, again, err)
		}
		if strings.ContainsAny(a.String(), "@?#%\\ '\"`$;&|<>()*!") || strings.Contains(a.path, "..") && strings.Contains(a.path, "/../") ||
			strings.ContainsFunc(a.String(), func(r rune) bool { return r > 127 || unicode.IsControl(r) }) {
			t.Errorf("%q is taken as %q", in, a)
		}
	})
}

// FuzzVerify: no token but the signed one opens a download.
func FuzzVerify(f *testing.F) {
	c := newComponent("", "v1", []byte("key"), func() time.Time { return time.Unix(0, 0) })
	f.Add(c.file(zipped), "zzz.AAAA")
	f.Fuzz(func(t *testing.T, file, token string) {
		if err := c.verify(file, token); err == nil {
			t.Errorf("%q opens %q", token, file)
		}
	})
}

func TestSegmentsReadAnywhere(t *testing.T) {
	whole := "onetwothree!"
	s := segments{text("one"), text(""), text("two"), text("three"), text("!")}
	for from := range len(whole) + 1 {
		for to := from; to <= len(whole); to++ {
			b := make([]byte, to-from)
			n, err := s.ReadAt(b, int64(from))
			if string(b[:n]) != whole[from:to] || err != nil && from != to {
				t.Errorf("[%d:%d]: %q, %v", from, to, b[:n], err)
			}
		}
	}
	b := make([]byte, 5)
	if n, err := s.ReadAt(b, 9); n != 3 || err == nil {
		t.Errorf("past the end: %d, %v", n, err)
	}
	short := segments{{strings.NewReader("ab"), 4}, text("cd")}
	if _, err := short.ReadAt(b, 0); err == nil {
		t.Error("a piece that became shorter was not noticed")
	}
}

func TestImageTag(t *testing.T) {
	for in, want := range map[string]string{
		"v1.2.3": "v1.2.3", "": "dev", "1.0+meta": "1.0-meta", "-x": "x", "..": "dev", "é": "dev", "v1-dirty": "v1-dirty", strings.Repeat("a", 90): strings.Repeat("a", maxTag),
	} {
		if got := imageTag(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
