package registry

import (
	"net/http"
	"strings"
	"time"

	"breakwater"
	"breakwater/internal/auth"
)

// maxScopes is how many scopes one token may be asked for.
const maxScopes = 50

// maxTokenForm bounds the form of a token request.
const maxTokenForm = 64 << 10

// challenge is the WWW-Authenticate header of a 401: where to get a token, and
// for what. The token endpoint itself asks for Basic credentials.
func (r *Registry) challenge(c *call, scope string) string {
	if c.kind == kindToken {
		return `Basic realm="breakwater"`
	}
	s := `Bearer realm="` + r.externalURL(c.req) + `/v2/token",service="` + r.opts.Service + `"`
	if scope != "" {
		s += `,scope="` + scope + `"`
		if c.who.token {
			s += `,error="insufficient_scope"`
		}
	}
	return s
}

// externalURL is scheme and host as the client reached us.
func (r *Registry) externalURL(req *http.Request) string {
	if r.opts.ExternalURL != "" {
		return strings.TrimSuffix(r.opts.ExternalURL, "/")
	}
	scheme := "http"
	if req.TLS != nil {
		scheme = "https"
	}
	if p := req.Header.Get("X-Forwarded-Proto"); p == "http" || p == "https" {
		scheme = p // a client that lies misleads itself only
	}
	host := strings.Map(func(c rune) rune {
		if c == '"' || c == '\\' || c < ' ' {
			return -1
		}
		return c
	}, req.Host)
	return scheme + "://" + host
}

// token turns Basic credentials, or nobody, into a token. GET is Docker's form
// of the request, POST the OAuth2 one with grant_type=password.
func (r *Registry) token(c *call) error {
	c.req.Body = http.MaxBytesReader(c.w, c.req.Body, maxTokenForm)
	if err := c.req.ParseForm(); err != nil {
		return ociError(breakwater.KindInvalid, codeUnsupported, "the request cannot be read")
	}
	form := c.req.Form
	user, password, ok := c.req.BasicAuth()
	if c.req.Method == http.MethodPost && !ok {
		if form.Get("grant_type") != "password" {
			return ociError(breakwater.KindInvalid, codeUnsupported, "grant_type must be password")
		}
		user, password, ok = form.Get("username"), form.Get("password"), true
	}
	if !ok && c.req.Header.Get("Authorization") != "" {
		return errSignIn("")
	}
	if service := form.Get("service"); service != "" && service != r.opts.Service {
		return ociError(breakwater.KindInvalid, codeUnsupported, "the service is another one")
	}
	wanted, err := scopes(form["scope"])
	if err != nil {
		return err
	}
	var caller breakwater.Caller
	if ok {
		if caller, err = r.signIn(c.ctx(), c.req, user, password); err != nil {
			return err
		}
	}
	return r.answerToken(c, caller, wanted)
}

// scopes reads the scopes asked for; one parameter may hold several.
func scopes(params []string) (out []auth.Access, err error) {
	for _, p := range params {
		for s := range strings.FieldsSeq(p) {
			if len(out) == maxScopes {
				return nil, ociError(breakwater.KindInvalid, codeUnsupported, "too many scopes")
			}
			a, err := auth.ParseScope(s)
			if err != nil {
				return nil, recode(err, codeUnsupported)
			}
			out = append(out, a)
		}
	}
	return out, nil
}

func (r *Registry) answerToken(c *call, caller breakwater.Caller, wanted []auth.Access) error {
	role := caller.Role
	if caller.UserID == "" {
		role = breakwater.RoleViewer // nobody may pull, of what is public
	}
	access := make([]auth.Access, 0, len(wanted))
	for _, w := range wanted {
		if caller.UserID == "" && w.Type != "repository" {
			continue
		}
		access = append(access, auth.Grant(role, w))
	}
	subject := auth.Subject{UserID: caller.UserID, ProjectID: caller.ProjectID, AK: caller.AK}
	token, expires, err := r.opts.Signer.RegistryToken(subject, r.opts.Service, access, r.opts.TokenLife)
	if err != nil {
		return err
	}
	now := r.opts.Now().UTC()
	c.w.Header().Set("Cache-Control", "no-store")
	return writeJSON(c.w, http.StatusOK, map[string]any{
		"token": token, "access_token": token,
		"expires_in": int(expires.Sub(now).Round(time.Second) / time.Second),
		"issued_at":  now.Truncate(time.Second).Format(time.RFC3339),
	})
}
