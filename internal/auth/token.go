package auth

import (
	"time"

	"breakwater"

	"github.com/golang-jwt/jwt/v5"
)

// UserTokenLife is how long a user token is good.
const UserTokenLife = 24 * time.Hour

// maxToken bounds a token before anything of it is parsed.
const maxToken = 8 << 10

const (
	issuer   = "breakwater"
	audience = "api"
	minKey   = 32
)

// Subject is who a token speaks for.
type Subject struct {
	UserID    string
	ProjectID string
	AK        string // the access key of a docker login; empty otherwise
	Stamp     string // of user tokens: Stamp of the password they were made with
}

// Access is one thing that a registry token allows.
type Access struct {
	Type    string   `json:"type"` // "repository" or "registry"
	Name    string   `json:"name"` // "group/app", or "catalog"
	Actions []string `json:"actions"`
}

// Signer makes and reads tokens under one key.
type Signer struct {
	key []byte
	now func() time.Time
}

// NewSigner wants a key of at least 32 bytes; now is the clock, nil means time.Now.
func NewSigner(key []byte, now func() time.Time) (*Signer, error) {
	if len(key) < minKey {
		return nil, breakwater.Errorf(breakwater.KindInternal, "the token key is shorter than %d bytes", minKey)
	}
	if now == nil {
		now = time.Now
	}
	return &Signer{key: key, now: now}, nil
}

type claims struct {
	jwt.RegisteredClaims
	Project string   `json:"prj"`
	AK      string   `json:"ak,omitempty"`
	Stamp   string   `json:"stp,omitempty"`
	Access  []Access `json:"access,omitempty"`
}

// UserToken is a token for the JSON APIs, and when it ends.
func (s *Signer) UserToken(sub Subject) (token string, expires time.Time, err error) {
	return s.issue(sub, audience, nil, UserTokenLife)
}

// ParseUserToken is the reverse of UserToken; any fault of the token is the one
// error of kind Unauthenticated.
func (s *Signer) ParseUserToken(token string) (Subject, error) {
	sub, _, err := s.parse(token, audience)
	return sub, err
}

// RegistryToken is a token for the registry that calls itself service.
func (s *Signer) RegistryToken(sub Subject, service string, access []Access, life time.Duration) (token string, expires time.Time, err error) {
	return s.issue(sub, "registry:"+service, access, life)
}

// ParseRegistryToken is the reverse of RegistryToken.
func (s *Signer) ParseRegistryToken(token, service string) (Subject, []Access, error) {
	return s.parse(token, "registry:"+service)
}

func (s *Signer) issue(sub Subject, aud string, access []Access, life time.Duration) (string, time.Time, error) {
	now := s.now().UTC().Truncate(time.Second)
	expires := now.Add(life)
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Subject: sub.UserID, Audience: jwt.ClaimStrings{aud},
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires), ID: breakwater.NewSecret(8),
		},
		Project: sub.ProjectID, AK: sub.AK, Stamp: sub.Stamp, Access: access,
	})
	signed, err := t.SignedString(s.key)
	if err != nil {
		return "", time.Time{}, breakwater.Wrap(breakwater.KindInternal, err, "sign a token")
	}
	return signed, expires, nil
}

func (s *Signer) parse(token, aud string) (Subject, []Access, error) {
	if len(token) > maxToken {
		return Subject{}, nil, refuse("the token is invalid or has ended")
	}
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) { return s.key, nil },
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithIssuer(issuer), jwt.WithAudience(aud),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(s.now))
	if err != nil {
		return Subject{}, nil, refuse("the token is invalid or has ended")
	}
	return Subject{UserID: c.Subject, ProjectID: c.Project, AK: c.AK, Stamp: c.Stamp}, c.Access, nil
}
