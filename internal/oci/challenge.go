package oci

import (
	"net/http"
	"strings"
)

// challenge is one WWW-Authenticate challenge of a kind that can be answered.
type challenge struct {
	scheme                string // "basic" or "bearer", lower case; empty: none
	realm, service, scope string
}

// maxChallenge bounds a header that is parsed.
const maxChallenge = 8 << 10

// pickChallenge chooses among the challenges of an answer: Bearer before
// Basic, as it is the one that can say no to a single repository.
func pickChallenge(h http.Header) (best challenge) {
	for _, line := range h.Values("WWW-Authenticate") {
		if len(line) > maxChallenge {
			continue
		}
		for _, c := range parseChallenges(line) {
			switch {
			case c.scheme == "bearer" && c.realm != "":
				return c
			case c.scheme == "basic" && best.scheme == "":
				best = c
			}
		}
	}
	return best
}

// parseChallenges reads one header line (RFC 9110, 11.6.1): schemes, each
// followed by parameters whose values are tokens or quoted strings. What does
// not parse ends the reading.
func parseChallenges(s string) (out []challenge) {
	for {
		s = strings.TrimLeft(s, " \t,")
		word := leadingToken(s)
		if word == "" {
			return out
		}
		rest := strings.TrimLeft(s[len(word):], " \t")
		if !strings.HasPrefix(rest, "=") {
			out = append(out, challenge{scheme: strings.ToLower(word)})
			s = rest
			continue
		}
		value, after, ok := paramValue(strings.TrimLeft(rest[1:], " \t"))
		if !ok || len(out) == 0 {
			return out
		}
		c := &out[len(out)-1]
		switch strings.ToLower(word) {
		case "realm":
			c.realm = value
		case "service":
			c.service = value
		case "scope":
			c.scope = value
		}
		s = after
	}
}

func paramValue(s string) (value, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		value = leadingToken(s)
		return value, s[len(value):], value != ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return b.String(), s[i+1:], true
		case '\\':
			if i++; i == len(s) {
				return "", "", false
			}
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

func leadingToken(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return s[:i]
		}
	}
	return s
}
