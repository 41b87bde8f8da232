package oci_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/oci"
)

const someDigest = "sha256:ba80cad9d3f78635ab00df7d2f9b78fbaaed801f0f811ac5b4c984c3cfedaf5c"

func TestParseReference(t *testing.T) {
	tests := []struct {
		in   string
		want oci.Reference
		bad  bool
	}{
		{in: "app:v1", want: oci.Reference{Repository: "app", Tag: "v1"}},
		{in: "team/sub/app:V1.0-rc_1", want: oci.Reference{Repository: "team/sub/app", Tag: "V1.0-rc_1"}},
		{in: "a__b/c--d/e.f:x@" + someDigest, want: oci.Reference{Repository: "a__b/c--d/e.f", Tag: "x", Digest: someDigest}},
		{in: "app@" + someDigest, want: oci.Reference{Repository: "app", Digest: someDigest}},
		{in: "app", bad: true},
		{in: "", bad: true},
		{in: ":v1", bad: true},
		{in: "app:", bad: true},
		{in: "App:v1", bad: true},
		{in: "a//b:v1", bad: true},
		{in: "/a:v1", bad: true},
		{in: "a/:v1", bad: true},
		{in: "../a:v1", bad: true},
		{in: "a..b:v1", bad: true},
		{in: "a___b:v1", bad: true},
		{in: "a-:v1", bad: true},
		{in: "a._b:v1", bad: true},
		{in: "a:.v1", bad: true},
		{in: "a:v1/../x", bad: true},
		{in: "a:v 1", bad: true},
		{in: "a@sha256:123", bad: true},
		{in: "a:" + strings.Repeat("x", 129), bad: true},
		{in: strings.Repeat("x", 256) + ":v1", bad: true},
	}
	for _, tt := range tests {
		got, err := oci.ParseReference(tt.in)
		if (err != nil) != tt.bad {
			t.Errorf("ParseReference(%q): %v", tt.in, err)
			continue
		}
		if tt.bad && breakwater.KindOf(err) != breakwater.KindInvalid {
			t.Errorf("ParseReference(%q): kind %s", tt.in, breakwater.KindOf(err))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("ParseReference(%q):\n%s", tt.in, diff)
		}
	}
}

// The two expressions of the distribution spec, as the judge of our readers.
var (
	specName = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
	specTag  = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
)

func FuzzReference(f *testing.F) {
	for _, s := range []string{"app:v1", "a/b@" + someDigest, "a__b:x", "a_-b:x", "A:b", "a:b:c", "a@b@c", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := oci.CheckRepository(s) == nil, len(s) <= oci.MaxRepository && specName.MatchString(s); got != want {
			t.Errorf("CheckRepository(%q) = %t, the spec says %t", s, got, want)
		}
		if got, want := oci.CheckTag(s) == nil, specTag.MatchString(s); got != want {
			t.Errorf("CheckTag(%q) = %t, the spec says %t", s, got, want)
		}
		r, err := oci.ParseReference(s)
		if err == nil && r.String() != s {
			t.Errorf("ParseReference(%q) prints as %q", s, r)
		}
	})
}
