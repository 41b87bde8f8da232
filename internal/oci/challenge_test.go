package oci

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPickChallenge(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		want  challenge
	}{
		{"harbor", []string{`Bearer realm="http://h/service/token",service="harbor-registry"`},
			challenge{scheme: "bearer", realm: "http://h/service/token", service: "harbor-registry"}},
		{"artifactory", []string{`Bearer realm="https://h/artifactory/api/docker/k/v2/token",service="h",scope="repository:a,b:pull"`},
			challenge{scheme: "bearer", realm: "https://h/artifactory/api/docker/k/v2/token", service: "h", scope: "repository:a,b:pull"}},
		{"basic", []string{`Basic realm="a, \"b\" c"`}, challenge{scheme: "basic", realm: `a, "b" c`}},
		{"two in one line", []string{`Basic realm="x", BEARER Realm = "http://h/t" , Service=plain`},
			challenge{scheme: "bearer", realm: "http://h/t", service: "plain"}},
		{"two lines", []string{"Negotiate", `Basic realm=x`}, challenge{scheme: "basic", realm: "x"}},
		{"bearer without a realm", []string{`Bearer service="x"`}, challenge{}},
		{"open quote", []string{`Bearer realm="http://h`}, challenge{}},
		{"nothing", nil, challenge{}},
		{"nonsense", []string{`= , "`, `,,,`, `realm="x"`}, challenge{}},
	}
	for _, tt := range tests {
		got := pickChallenge(http.Header{"Www-Authenticate": tt.lines})
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(challenge{})); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

// FuzzHeaders feeds the readers of headers that a registry writes: they end,
// and what they find is in the text.
func FuzzHeaders(f *testing.F) {
	f.Add(`Bearer realm="http://h/service/token",service="harbor-registry"`)
	f.Add(`Basic realm="a, \"b\" c", Digest x=y`)
	f.Add(`</v2/_catalog?last=b&n=2>; rel="next"`)
	f.Add(`<http://x/a,b?p=1>; rel="prev", </c?p=3>; rel=next`)
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range parseChallenges(s) {
			if c.scheme == "" || len(c.realm)+len(c.service)+len(c.scope) > len(s) {
				t.Errorf("parseChallenges(%q) finds %+v", s, c)
			}
		}
		if q, err := NextQuery([]string{s}, "n=2"); err == nil && (q == "n=2" || len(q) > maxCursor) {
			t.Errorf("NextQuery(%q) = %q", s, q)
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"architecture":"amd64","os":"linux","created":"2026-01-02T03:04:05Z","rootfs":{"type":"layers","diff_ids":[]},"history":[{"created_by":"x"}]}`))
	f.Add([]byte(`{"created":"never"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseConfig(raw)
		if err == nil && !c.Created.IsZero() && c.Created.Location().String() != "UTC" {
			t.Errorf("created in %s", c.Created.Location())
		}
	})
}

func TestNextQuery(t *testing.T) {
	tests := []struct{ link, want string }{
		{`</v2/_catalog?last=b&n=2>; rel="next"`, "last=b&n=2"},
		{`</a?p=1>; rel="prev" , </a?p=3>; rel="next"`, "p=3"},
		{`<https://elsewhere/a?p=3>;title=x; REL=next`, "p=3"},
		{`</a?x=1,2>; rel="next last"`, "x=1,2"},
		{`</a?p=3>; rel="last"`, ""},
		{`</a?p=3`, ""},
		{``, ""},
	}
	for _, tt := range tests {
		if got, err := NextQuery([]string{tt.link}, "n=2"); err != nil || got != tt.want {
			t.Errorf("NextQuery(%q) = %q, %v", tt.link, got, err)
		}
	}
	for _, bad := range []string{`</a?n=2>; rel="next"`, `</a>; rel="next"`, `<:x?y>; rel="next"`} {
		if got, err := NextQuery([]string{bad}, "n=2"); err == nil {
			t.Errorf("NextQuery(%q) = %q", bad, got)
		}
	}
}
