package oci_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/oci"
)

func TestLocate(t *testing.T) {
	hub := func(repository, tag string, d breakwater.Digest) oci.Location {
		return oci.Location{Host: "registry-1.docker.io", RealmHosts: []string{"auth.docker.io"}, Reference: oci.Reference{Repository: repository, Tag: tag, Digest: d}}
	}
	at := func(host, repository, tag string) oci.Location {
		return oci.Location{Host: host, Reference: oci.Reference{Repository: repository, Tag: tag}}
	}
	tests := []struct {
		in   string
		want oci.Location
	}{
		{"debian", hub("library/debian", "latest", "")},
		{"debian:12", hub("library/debian", "12", "")},
		{"debian@" + someDigest, hub("library/debian", "", someDigest)},
		{"debian:12@" + someDigest, hub("library/debian", "12", someDigest)},
		{"team/app", hub("team/app", "latest", "")},
		{"docker.io/debian", hub("library/debian", "latest", "")},
		{"docker.io/library/debian:12", hub("library/debian", "12", "")},
		{"index.docker.io/team/app:1", hub("team/app", "1", "")},
		{"registry.example/a/b/c:1", at("registry.example", "a/b/c", "1")},
		{"registry.example:5000/app", at("registry.example:5000", "app", "latest")},
		{"localhost/app:1", at("localhost", "app", "1")},
		{"localhost:5000/app:1", at("localhost:5000", "app", "1")},
		{"127.0.0.1:5000/app:1", at("127.0.0.1:5000", "app", "1")},
		{"[::1]:5000/app:1", at("[::1]:5000", "app", "1")},
		{"[fd00::1]/app:1", at("[fd00::1]", "app", "1")},
	}
	for _, tt := range tests {
		got, err := oci.Locate(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.in, d)
		}
	}
	for _, bad := range []string{
		"", "https://registry.example/app", "user:secret@registry.example/app", "Debian", "debian:", "debian@sha256:1", "a//b", "../etc", "registry.example:0/a",
		"registry.example:99999/a", "registry.example:x/a", "-x.example/a", ".example/a", "ex ample.com/a", "[::1/a", "[1.2.3.4]/a", "[x]:5/a", "registry.example/", "a\n.b/c",
	} {
		if got, err := oci.Locate(bad); breakwater.KindOf(err) != breakwater.KindInvalid {
			t.Errorf("%q: %+v %v", bad, got, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzLocate: what passes is a good reference, and passes again as itself.
func FuzzLocate(f *testing.F) {
	for _, s := range []string{"debian", "a.b:1/c:d@" + someDigest, "[::1]:5000/x", "localhost/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := oci.Locate(s)
		if err != nil {
			return
		}
		if oci.CheckRepository(l.Repository) != nil || l.Tag != "" && oci.CheckTag(l.Tag) != nil || l.Tag == "" && l.Digest == "" {
			t.Fatalf("%q: %+v", s, l)
		}
		again, err := oci.Locate(l.Host + "/" + l.Reference.String())
		if err != nil || cmp.Diff(l, again) != "" {
			t.Fatalf("%q: %+v, then %+v %v", s, l, again, err)
		}
	})
}
