package swr

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"breakwater"
	"breakwater/internal/auth"
)

type createSecretIn struct {
	Project string `query:"projectname"`
}

// secretOut is a docker login: as a command in a header, and as the part of
// docker's config.json that holds it in the body.
type secretOut struct {
	Auths map[string]authInfo `json:"auths"`

	command string
	expires time.Time
}

type authInfo struct {
	Auth string `json:"auth"`
}

// SetHeaders says the login as a command, and until when it is good.
func (o secretOut) SetHeaders(h http.Header) {
	h.Set("X-Swr-Dockerlogin", o.command)
	h.Set("X-Swr-Expireat", o.expires.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// secretSize is the number of random bytes in a secret key.
const secretSize = 32

// createSecret makes an access key that is good for docker logins only, with the
// caller's own rights, and answers the login made from it. The secret key itself
// is not shown to anybody.
func (s *server) createSecret(ctx context.Context, in createSecretIn) (secretOut, error) {
	c := caller(ctx)
	if in.Project != "" && in.Project != c.ProjectName {
		return secretOut{}, breakwater.NotFound("project")
	}
	now := s.db.Now()
	k := breakwater.AccessKey{
		AK: breakwater.NewID(breakwater.PrefixAccessKey), UserID: c.UserID, ProjectID: c.ProjectID,
		Temporary: true, Created: now, Expires: now.Add(s.ttl),
	}
	sk := []byte(breakwater.NewSecret(secretSize))
	k.SealedSK = s.keys.Seal(sk, k.SealContext())
	if err := s.db.CreateAccessKey(ctx, k); err != nil {
		return secretOut{}, err
	}
	user, password := c.ProjectName+"@"+k.AK, auth.DockerPassword(k.AK, sk)
	return secretOut{
		Auths:   map[string]authInfo{s.host: {Auth: base64.StdEncoding.EncodeToString([]byte(user + ":" + password))}},
		command: fmt.Sprintf("docker login -u %s -p %s %s", user, password, s.host),
		expires: k.Expires,
	}, nil
}
