package oci

import (
	"context"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"

	"breakwater"
)

// Keychain answers the user name and the password, for ClientOptions, that this
// machine's user keeps for a registry's host: in Docker's config.json, its
// credential helpers, or Podman's auth.json, as go-containerregistry finds
// them. Nothing kept is no error, and two empty strings. A token of the
// registry itself comes as a password without a name. An identity token, which
// some log in with in a browser, must be exchanged in a way that Client does
// not know, and is refused rather than left out in silence.
func Keychain(ctx context.Context, host string) (username, password string, err error) {
	a, err := authn.Resolve(ctx, authn.DefaultKeychain, keyOf(host))
	if err != nil {
		return "", "", keychainError(err)
	}
	if a == authn.Anonymous {
		return "", "", nil
	}
	c, err := authn.Authorization(ctx, a)
	switch {
	case err != nil:
		return "", "", keychainError(err)
	case c.RegistryToken != "":
		return "", c.RegistryToken, nil
	case c.IdentityToken != "":
		e := breakwater.Errorf(breakwater.KindUnavailable,
			"the login kept for this registry is an identity token, which is not supported: log in with a user name and a password or access token")
		return "", "", coded(e, breakwater.CodeAuthentication)
	}
	return c.Username, c.Password, nil
}

// keyOf is a host as authn asks about it.
type keyOf string

func (k keyOf) String() string { return k.RegistryStr() }

func (k keyOf) RegistryStr() string {
	if isHub(string(k)) {
		return hubKey
	}
	return string(k)
}

// keychainError leaves out what a helper printed beyond its first line: nobody
// promises that it holds no secret.
func keychainError(err error) error {
	reason, _, _ := strings.Cut(err.Error(), "\n")
	reason, _, _ = strings.Cut(reason, ", out: ")
	if len(reason) > 200 {
		reason = strings.ToValidUTF8(reason[:200], "")
	}
	e := breakwater.Errorf(breakwater.KindUnavailable, "the credentials kept for this registry cannot be read: %s", reason)
	return coded(e, breakwater.CodeAuthentication)
}
