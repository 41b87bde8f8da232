package child

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// The environment that a parent gives a child.
const (
	envURL    = "BREAKWATER_EXEC_URL"
	envToken  = "BREAKWATER_EXEC_TOKEN"
	envMemory = "BREAKWATER_EXEC_MEMORY"
	envSoft   = "BREAKWATER_EXEC_SOFT"
)

// Endpoint is where a child finds its parent's desk, and what it may use.
type Endpoint struct {
	URL    string // "unix:/path/of/socket", or http or https and a host and path
	Token  string
	Memory int64 // bytes it may take; 0: it sets itself no limit
	Soft   int64 // bytes from where it collects garbage harder; 0: the runtime's own way
}

// ReadEndpoint reads it from the environment: pass os.Getenv. The token is not
// for anybody else, so unset the variables afterwards.
func ReadEndpoint(getenv func(string) string) (Endpoint, error) {
	ep := Endpoint{URL: getenv(envURL), Token: getenv(envToken)}
	if ep.URL == "" || ep.Token == "" {
		return Endpoint{}, errors.New(envURL + " or " + envToken + " is not set: this command is for the scanner's own use")
	}
	for name, n := range map[string]*int64{envMemory: &ep.Memory, envSoft: &ep.Soft} {
		v := getenv(name)
		if v == "" {
			continue
		}
		var err error
		if *n, err = strconv.ParseInt(v, 10, 64); err != nil || *n < 0 {
			return Endpoint{}, errors.New(name + " is not a number of bytes")
		}
	}
	return ep, nil
}

// EnvNames are the variables that ReadEndpoint reads.
func EnvNames() []string { return []string{envURL, envToken, envMemory, envSoft} }

// environ is what ReadEndpoint reads.
func (ep Endpoint) environ() []string {
	return []string{
		envURL + "=" + ep.URL, envToken + "=" + ep.Token,
		envMemory + "=" + strconv.FormatInt(ep.Memory, 10), envSoft + "=" + strconv.FormatInt(ep.Soft, 10),
	}
}

// address is the network and address to dial, empty for what the URL says, and
// the base of all requests.
func (ep Endpoint) address() (network, address, base string, err error) {
	if path, ok := strings.CutPrefix(ep.URL, "unix:"); ok {
		return "unix", path, "http://parent", nil
	}
	u, err := url.Parse(ep.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return "", "", "", errors.New("the parent's address must be unix: and a path, or http or https and a host")
	}
	return "", "", strings.TrimRight(u.String(), "/"), nil
}
