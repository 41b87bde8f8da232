package auth_test

import (
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/auth"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

func newSigner(t *testing.T, key string, at time.Time) *auth.Signer {
	t.Helper()
	s, err := auth.NewSigner([]byte(strings.Repeat(key, 32)), func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestUserToken(t *testing.T) {
	s := newSigner(t, "k", now)
	sub := auth.Subject{UserID: "usr1", ProjectID: "prj1", Stamp: "s"}
	token, expires, err := s.UserToken(sub)
	if err != nil || !expires.Equal(now.Add(24*time.Hour)) {
		t.Fatal(expires, err)
	}
	if got, err := s.ParseUserToken(token); err != nil || got != sub {
		t.Errorf("got %+v, %v", got, err)
	}
	registry, _, err := s.RegistryToken(sub, "svc", nil, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"iss": "breakwater", "aud": "api", "sub": "usr1", "exp": now.Add(time.Hour).Unix()}).
		SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	for name, parse := range map[string]func() (auth.Subject, error){
		"another key":      func() (auth.Subject, error) { return newSigner(t, "x", now).ParseUserToken(token) },
		"after its end":    func() (auth.Subject, error) { return newSigner(t, "k", now.Add(25*time.Hour)).ParseUserToken(token) },
		"a registry token": func() (auth.Subject, error) { return s.ParseUserToken(registry) },
		"no algorithm":     func() (auth.Subject, error) { return s.ParseUserToken(none) },
		"empty":            func() (auth.Subject, error) { return s.ParseUserToken("") },
		"huge":             func() (auth.Subject, error) { return s.ParseUserToken(strings.Repeat("a", 1<<20)) },
		"changed":          func() (auth.Subject, error) { return s.ParseUserToken(token[:len(token)-2] + "AA") },
	} {
		if got, err := parse(); breakwater.KindOf(err) != breakwater.KindUnauthenticated || got != (auth.Subject{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestRegistryToken(t *testing.T) {
	s := newSigner(t, "k", now)
	sub := auth.Subject{UserID: "usr1", ProjectID: "prj1", AK: "AK1"}
	access := []auth.Access{{Type: "repository", Name: "group/app", Actions: []string{"pull"}}}
	token, _, err := s.RegistryToken(sub, "svc", access, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	got, list, err := s.ParseRegistryToken(token, "svc")
	if diff := cmp.Diff(access, list); err != nil || got != sub || diff != "" {
		t.Errorf("%+v %v %s", got, err, diff)
	}
	if !auth.Allows(list, "group/app", "pull") || auth.Allows(list, "group/app", "push") || auth.Allows(list, "group/ap", "pull") {
		t.Error("Allows")
	}
	if _, _, err := s.ParseRegistryToken(token, "other"); err == nil {
		t.Error("another service's token was taken")
	}
}

func TestScopes(t *testing.T) {
	for _, tc := range []struct {
		scope string
		role  breakwater.Role
		want  auth.Access
	}{
		{"repository:g/a:pull,push,pull", "operator", auth.Access{Type: "repository", Name: "g/a", Actions: []string{"pull", "push"}}},
		{"repository:host:5000/g/a:pull", "viewer", auth.Access{Type: "repository", Name: "host:5000/g/a", Actions: []string{"pull"}}},
		{"repository:g/a:*", "robot", auth.Access{Type: "repository", Name: "g/a", Actions: []string{"pull", "push"}}},
		{"repository:g/a:push,delete", "viewer", auth.Access{Type: "repository", Name: "g/a", Actions: []string{}}},
		{"registry:catalog:*", "viewer", auth.Access{Type: "registry", Name: "catalog", Actions: []string{"*"}}},
		{"registry:catalog:*", "nobody", auth.Access{Type: "registry", Name: "catalog", Actions: []string{}}},
	} {
		a, err := auth.ParseScope(tc.scope)
		if err != nil {
			t.Fatalf("%s: %v", tc.scope, err)
		}
		if diff := cmp.Diff(tc.want, auth.Grant(tc.role, a)); diff != "" {
			t.Errorf("%s for %s:\n%s", tc.scope, tc.role, diff)
		}
	}
	for _, bad := range []string{"", "repository", "repository:x", "repository::pull", strings.Repeat("a", 600) + ":b:c"} {
		if _, err := auth.ParseScope(bad); err == nil {
			t.Errorf("%.20q was accepted", bad)
		}
	}
}

func FuzzParseScope(f *testing.F) {
	f.Add("repository:g/a:pull,push")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := auth.ParseScope(s); err == nil && a.Name == "" {
			t.Errorf("%q has no name", s)
		}
	})
}

func TestPasswords(t *testing.T) {
	h, err := auth.HashPassword("correct horse")
	if err != nil || !auth.CheckPassword(h, "correct horse") || auth.CheckPassword(h, "wrong horse") || auth.CheckPassword("", "correct horse") {
		t.Error("bcrypt", err)
	}
	for _, bad := range []string{"short", strings.Repeat("x", 73)} {
		if _, err := auth.HashPassword(bad); breakwater.KindOf(err) != breakwater.KindInvalid || strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if auth.Stamp(h) == auth.Stamp(h+"x") || len(auth.Stamp(h)) != 16 {
		t.Error("Stamp")
	}
}

func TestDockerPassword(t *testing.T) {
	const want = "af6af60d75ad5736c62cfda4495469235ee3f29d0cdfb41477a5329a7ddcd5f7"
	if got := auth.DockerPassword("AK1", []byte(secret)); got != want {
		t.Errorf("got %s", got)
	}
	if !auth.CheckDockerPassword("AK1", []byte(secret), want) || auth.CheckDockerPassword("AK1", nil, want) || auth.CheckDockerPassword("AK2", []byte(secret), want) {
		t.Error("CheckDockerPassword")
	}
}
