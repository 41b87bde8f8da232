package oci

import (
	"net"
	"net/url"
	"strconv"
	"strings"

	"breakwater"
)

// Docker Hub is the registry of names without a host. It answers at another
// host than its name, and its tokens come from a third.
const (
	hubName  = "docker.io"
	hubHost  = "registry-1.docker.io"
	hubRealm = "auth.docker.io"
	hubKey   = "index.docker.io" // what Docker's configuration calls it
)

// Location is where an image is found: a reference with its registry.
type Location struct {
	Host string // host or host:port to ask
	Reference
	// RealmHosts are for ClientOptions: where this registry signs in.
	RealmHosts []string
}

// Base is the address for NewClient.
func (l Location) Base(scheme string) *url.URL { return &url.URL{Scheme: scheme, Host: l.Host} }

// Locate reads an image name as people write it for a container runtime:
//
//	debian                                Docker Hub, library/debian, tag latest
//	team/app:1.2                          Docker Hub, team/app
//	registry.example:5000/a/b@sha256:…    that host
//
// The first component is a host when it holds a dot or a colon or is
// "localhost". A scheme, a user or spaces are refused.
func Locate(name string) (Location, error) {
	if strings.Contains(name, "://") {
		return Location{}, breakwater.Invalid("image", "the image name starts with its registry's host, without http:// or https://")
	}
	host, rest, found := strings.Cut(name, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" {
		host, rest = hubName, name
	}
	if err := checkHost(host); err != nil {
		return Location{}, err
	}
	if path, _, _ := strings.Cut(rest, "@"); path == rest && !strings.Contains(path, ":") {
		rest += ":latest"
	}
	r, err := ParseReference(rest)
	if err != nil {
		return Location{}, err
	}
	l := Location{Host: host, Reference: r}
	if isHub(host) {
		l.Host, l.RealmHosts = hubHost, []string{hubRealm}
		if !strings.Contains(r.Repository, "/") {
			l.Repository = "library/" + r.Repository
		}
	}
	return l, nil
}

func isHub(host string) bool { return host == hubName || host == hubKey || host == hubHost }

// checkHost admits a host name, an IPv4 address or an IPv6 address in brackets,
// with or without a port.
func checkHost(host string) error {
	bad := breakwater.Invalid("image", "the registry's host in the image name is malformed")
	name := host
	if h, port, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return bad
		}
		name = h
		if strings.HasPrefix(host, "[") {
			name = "[" + h + "]"
		}
	}
	if strings.HasPrefix(name, "[") {
		ip := net.ParseIP(strings.Trim(name, "[]"))
		if ip == nil || ip.To4() != nil || !strings.HasSuffix(name, "]") {
			return bad
		}
		return nil
	}
	if name == "" || len(name) > 253 || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
		return bad
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if !alphanumeric(c) && (c < 'A' || c > 'Z') && c != '.' && c != '-' {
			return bad
		}
	}
	return nil
}
