package iam

import (
	"context"
	"crypto/hmac"
	"net/http"
	"strings"

	"breakwater"
	"breakwater/internal/auth"
)

// errSignIn is what everybody hears who is not let in: nothing tells a wrong
// password from a missing user.
func errSignIn(message string) error {
	return breakwater.Errorf(breakwater.KindUnauthenticated, "%s", message)
}

// SignIn finds the caller of a request by its signature or its X-Auth-Token. It
// is the door.Options.SignIn of every door.
func (s *Server) SignIn(r *http.Request, body []byte) (breakwater.Caller, error) {
	if auth.IsSigned(r) {
		return s.signedBy(r, body)
	}
	switch token := r.Header.Values("X-Auth-Token"); {
	case len(token) > 1:
		return breakwater.Caller{}, errSignIn("there must be one X-Auth-Token")
	case len(token) == 1:
		return s.holderOf(r.Context(), token[0])
	}
	return breakwater.Caller{}, errSignIn("sign the request with an access key or send an X-Auth-Token")
}

func (s *Server) signedBy(r *http.Request, body []byte) (breakwater.Caller, error) {
	var caller breakwater.Caller
	_, err := auth.VerifySignature(r, body, s.now(), func(ak string) ([]byte, error) {
		key, c, err := s.db.AccessKey(r.Context(), ak)
		if err != nil {
			return nil, err
		}
		if key.Temporary || s.ended(key) {
			return nil, breakwater.NotFound("access key")
		}
		caller = c
		return s.secretOf(key)
	})
	if err != nil {
		return breakwater.Caller{}, err
	}
	return caller, nil
}

func (s *Server) ended(k breakwater.AccessKey) bool {
	return !k.Expires.IsZero() && !s.now().Before(k.Expires)
}

func (s *Server) secretOf(k breakwater.AccessKey) ([]byte, error) {
	return s.ring.Unseal(k.SealedSK, k.SealContext())
}

// holderOf is the caller a user token speaks for, as the database knows them now.
func (s *Server) holderOf(ctx context.Context, token string) (breakwater.Caller, error) {
	sub, err := s.signer.ParseUserToken(token)
	if err != nil {
		return breakwater.Caller{}, err
	}
	const ended = "the token is invalid or has ended"
	user, err := s.db.User(ctx, sub.UserID)
	if breakwater.IsNotFound(err) {
		return breakwater.Caller{}, errSignIn(ended)
	}
	if err != nil {
		return breakwater.Caller{}, err
	}
	if !hmac.Equal([]byte(auth.Stamp(user.PasswordHash)), []byte(sub.Stamp)) {
		return breakwater.Caller{}, errSignIn(ended)
	}
	caller, err := s.db.Caller(ctx, sub.UserID, sub.ProjectID)
	if breakwater.IsNotFound(err) {
		return breakwater.Caller{}, errSignIn(ended)
	}
	return caller, err
}

// DockerLogin finds the caller of a docker login: the user name is
// {project}@{AK}, the password auth.DockerPassword of the key. Temporary keys
// count here. The caller's role says what may be pulled and pushed.
func (s *Server) DockerLogin(ctx context.Context, username, password string) (breakwater.Caller, error) {
	const wrong = "the docker user name or password is wrong"
	project, ak, ok := strings.Cut(username, "@")
	if !ok || len(ak) > 128 {
		return breakwater.Caller{}, errSignIn(wrong)
	}
	key, caller, err := s.db.AccessKey(ctx, ak)
	if breakwater.IsNotFound(err) {
		return breakwater.Caller{}, errSignIn(wrong)
	}
	if err != nil {
		return breakwater.Caller{}, err
	}
	sk, err := s.secretOf(key)
	if err != nil {
		return breakwater.Caller{}, err
	}
	if !auth.CheckDockerPassword(ak, sk, password) || s.ended(key) || project != caller.ProjectName {
		return breakwater.Caller{}, errSignIn(wrong)
	}
	return caller, nil
}
