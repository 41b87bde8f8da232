package hss

import (
	"net/netip"
	"strconv"
	"strings"

	"breakwater"
)

// addr is where a registry lives: host[:port][/path], as the contract writes it.
type addr struct {
	host string // a name, an IPv4 address, or an IPv6 address in brackets
	port string // empty: the protocol's own
	path string // empty, or beginning with a slash
}

func (a addr) String() string {
	s := a.host
	if a.port != "" {
		s += ":" + a.port
	}
	return s + a.path
}

// parseAddr reads a registry address strictly. A scheme, user information, a
// query, spaces and control characters are refused, not repaired; a slash at
// the end is dropped.
func parseAddr(field, s string) (a addr, err error) {
	if strings.Contains(s, "://") {
		return a, breakwater.Invalid(field, "must be host[:port][/path] without a scheme; the scheme is the protocol field")
	}
	if strings.Contains(s, "@") {
		return a, breakwater.Invalid(field, "must not hold user information")
	}
	wrong := breakwater.Invalid(field, "must be host[:port][/path]")
	authority, path, _ := strings.Cut(s, "/")
	if path = strings.Trim(path, "/"); path != "" {
		a.path = "/" + path
	}
	if !isAddrPath(a.path) {
		return a, wrong
	}
	if strings.HasPrefix(authority, "[") {
		end := strings.Index(authority, "]")
		if end < 0 {
			return a, wrong
		}
		ip, err := netip.ParseAddr(authority[1:end])
		if err != nil || !ip.Is6() || ip.Zone() != "" {
			return a, wrong
		}
		a.host, authority = authority[:end+1], authority[end+1:]
		if authority != "" && !strings.HasPrefix(authority, ":") {
			return a, wrong
		}
		a.port = strings.TrimPrefix(authority, ":")
		if authority == ":" {
			return a, wrong
		}
	} else {
		host, port, hasPort := strings.Cut(authority, ":")
		if !isHost(host) || hasPort && port == "" {
			return a, wrong
		}
		a.host, a.port = host, port
	}
	if a.port == "" {
		return a, nil
	}
	if n, err := strconv.ParseUint(a.port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != a.port {
		return a, breakwater.Invalid(field, "has a port outside 1 to 65535")
	}
	return a, nil
}

// isHost accepts a DNS name or an IPv4 address: labels of letters, digits,
// hyphens and (as container networks use them) underscores. An international
// name is written in its xn-- form.
func isHost(s string) bool {
	s = strings.TrimSuffix(s, ".")
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if !isWord(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

func isAddrPath(path string) bool {
	return path == "" || isRepositoryPath(strings.TrimPrefix(path, "/"))
}

// isRepositoryPath accepts parts of letters, digits and . _ - ~ joined by single
// slashes; a part begins with a letter or digit, so "." and ".." are none.
func isRepositoryPath(s string) bool {
	for part := range strings.SplitSeq(s, "/") {
		if part == "" || !isWord(part[0]) {
			return false
		}
		for _, c := range []byte(part) {
			if !isWord(c) && !strings.ContainsRune("._-~", rune(c)) {
				return false
			}
		}
	}
	return true
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
