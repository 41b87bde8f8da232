package upstream_test

import (
	"strings"
	"testing"

	"breakwater"
	"breakwater/internal/upstream"
)

func TestBase(t *testing.T) {
	tests := []struct {
		protocol, addr, want string // want empty: refused
	}{
		{"https", "harbor.example", "https://harbor.example"},
		{"https", "Harbor.Example:8443", "https://harbor.example:8443"},
		{"http", "10.0.0.5:80/", "http://10.0.0.5:80"},
		{"https", "host/artifactory", "https://host/artifactory"},
		{"https", "host:1/a//b/", "https://host:1/a/b"},
		{"https", "[fd00::1]:443/x", "https://[fd00::1]:443/x"},
		{"https", "[fd00::1]", "https://[fd00::1]"},
		{"https", "fd00::1", "https://[fd00::1]"},
		{"https", "https://host", "https://host"},
		{"https", "http://host", ""},
		{"ftp", "host", ""},
		{"https", "", ""},
		{"https", "/path", ""},
		{"https", "user:s3cret@host", ""},
		{"https", "host:0", ""},
		{"https", "host:65536", ""},
		{"https", "host:+1", ""},
		{"https", "host:", ""},
		{"https", "host:80:80", ""},
		{"https", "host name", ""},
		{"https", "host?x=1", ""},
		{"https", "host/a?x=1", ""},
		{"https", "host/../x", ""},
		{"https", "host/%2e%2e", ""},
		{"https", "host#x", ""},
		{"https", "[fe80::1%25eth0]:1", ""},
		{"https", "[::1", ""},
		{"https", "[host]:1", ""},
		{"https", "[::1]x", ""},
		{"https", "hôst", ""},
		{"https", "host\r\nX: y", ""},
		{"https", strings.Repeat("a", 600), ""},
	}
	for _, tt := range tests {
		u, err := upstream.Base(tt.protocol, tt.addr)
		if (err == nil) != (tt.want != "") || err == nil && u.String() != tt.want {
			t.Errorf("Base(%q, %q) = %v, %v", tt.protocol, tt.addr, u, err)
		}
		if err != nil && (breakwater.KindOf(err) != breakwater.KindInvalid || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("Base(%q, %q): %v", tt.protocol, tt.addr, err)
		}
	}
}

func FuzzBase(f *testing.F) {
	for _, s := range []string{"host", "host:1/x", "[::1]:5", "::1", "a@b", "https://x/y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, addr string) {
		u, err := upstream.Base("https", addr)
		if err != nil {
			return
		}
		if u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("Base(%q) = %#v", addr, u)
		}
		again, err := upstream.Base("https", u.String())
		if err != nil || again.String() != u.String() {
			t.Errorf("Base(%q) = %v, and of that %v, %v", addr, u, again, err)
		}
	})
}
