package oci

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"breakwater"
)

const (
	maxTokenAnswer = 64 << 10
	maxTokens      = 1000 // kept at once; a sync walks thousands of scopes
	tokenLife      = time.Minute
	tokenMargin    = 15 * time.Second
)

type token struct {
	value   string
	expires time.Time
}

// basic is the Authorization header of the credentials as they are.
func (c *Client) basic() string {
	switch {
	case c.opts.Username == "" && c.opts.Password == "":
		return ""
	case c.opts.Username == "":
		return "Bearer " + c.opts.Password
	}
	pair := c.opts.Username + ":" + c.opts.Password
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// authorization is the header to send before being challenged: what the last
// challenge taught. Empty means to try without.
func (c *Client) authorization(ctx context.Context, scope string) (string, error) {
	if c.opts.Preemptive {
		return c.basic(), nil
	}
	c.mu.Lock()
	asked, t := c.asked, c.tokens[scope]
	c.mu.Unlock()
	switch {
	case asked.scheme == "basic":
		return c.basic(), nil
	case asked.scheme != "bearer":
		return "", nil
	case t.value != "" && c.opts.Now().Before(t.expires):
		return "Bearer " + t.value, nil
	}
	asked.scope = scope
	return c.exchange(ctx, asked, scope)
}

// answer turns a challenge into the header that meets it.
func (c *Client) answer(ctx context.Context, asked challenge, scope string) (string, error) {
	switch asked.scheme {
	case "basic":
		if c.basic() == "" {
			return "", errSignIn("the registry asks for a user name and a password")
		}
		c.mu.Lock()
		c.asked = asked
		c.mu.Unlock()
		return c.basic(), nil
	case "bearer":
		if asked.scope == "" {
			asked.scope = scope
		}
		return c.exchange(ctx, asked, scope)
	}
	return "", errSignIn("the registry refuses access and offers no way to sign in")
}

// exchange gets a bearer token from the realm of a challenge and keeps it
// under our own name of the scope.
func (c *Client) exchange(ctx context.Context, asked challenge, scope string) (string, error) {
	if c.opts.Username == "" && c.opts.Password != "" {
		return c.basic(), nil // the password is a token already
	}
	realm, err := c.checkRealm(asked.realm)
	if err != nil {
		return "", err
	}
	q := realm.Query()
	if asked.service != "" {
		q.Set("service", asked.service)
	}
	if asked.scope != "" {
		q.Del("scope")
		for s := range strings.FieldsSeq(asked.scope) {
			q.Add("scope", s)
		}
	}
	realm.RawQuery = q.Encode()
	t, err := c.fetchToken(ctx, realm)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.tokens) >= maxTokens {
		clear(c.tokens)
	}
	c.asked, c.tokens[scope] = asked, t
	return "Bearer " + t.value, nil
}

// checkRealm holds a realm to the rule: credentials go to the registry's own
// host or to one the operator allowed. With no credentials to lose any host
// may hand out a token; the guard judges its address when it is dialled.
func (c *Client) checkRealm(realm string) (*url.URL, error) {
	u, err := url.Parse(realm)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Opaque != "" {
		return nil, errSignIn("the registry sends sign-in to an address that is none")
	}
	if c.base.Scheme == "https" && u.Scheme == "http" {
		return nil, errSignIn("the registry sends sign-in from https down to http")
	}
	if c.basic() != "" && !c.ownRealm(u) {
		return nil, errSignIn("the registry sends sign-in to another host, which is not allowed to see the password")
	}
	return u, nil
}

func (c *Client) ownRealm(u *url.URL) bool {
	host := hostPort(u)
	if host == hostPort(c.base) {
		return true
	}
	if own := publishedRealm(c.base.Hostname()); own != "" && own == host {
		return true
	}
	for _, allowed := range c.opts.RealmHosts {
		allowed = strings.ToLower(allowed)
		if allowed == host || allowed == strings.ToLower(u.Hostname()) && u.Port() == "" {
			return true
		}
	}
	return false
}

// publishedRealm is the sign-in host of large public registries that keep it
// apart, as their operators document it.
func publishedRealm(registry string) string {
	switch strings.ToLower(registry) {
	case "registry-1.docker.io", "index.docker.io", "docker.io":
		return "auth.docker.io:443"
	case "registry.gitlab.com":
		return "gitlab.com:443"
	}
	return ""
}

// hostPort is the origin's host and port with the scheme's port filled in.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return strings.ToLower(u.Hostname()) + ":" + port
}

// fetchToken asks the realm, with the credentials if there are any. A refusal
// here is the registry's word on the password.
func (c *Client) fetchToken(ctx context.Context, realm *url.URL) (token, error) {
	a, err := retry(ctx, c, func() (answered, error) {
		return c.attempt(ctx, http.MethodGet, realm, http.Header{}, c.basic(), maxTokenAnswer)
	})
	var ch challenged
	if errors.As(err, &ch) { // a realm's own challenge is not one to answer
		err = ch.error
	}
	if err != nil {
		return token{}, err
	}
	var w struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"`
	}
	if err := json.Unmarshal(a.Body, &w); err != nil {
		return token{}, unavailable(breakwater.CodeAuthentication, nil, "the sign-in service answered with something that is not a token")
	}
	value := w.Token
	if value == "" {
		value = w.AccessToken
	}
	if value == "" || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return token{}, unavailable(breakwater.CodeAuthentication, nil, "the sign-in service answered without a token")
	}
	life := tokenLife
	if w.ExpiresIn > 0 {
		life = time.Duration(min(w.ExpiresIn, 3600)) * time.Second
	}
	return token{value: value, expires: c.opts.Now().Add(life - min(tokenMargin, life/2))}, nil
}
