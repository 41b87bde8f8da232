package upstream

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"breakwater"
)

const maxAddr = 512

// Base turns the protocol and the address of a registry (host, host:port, with
// or without a path; IPv6 with or without brackets) into a URL. A scheme
// before the address is accepted when it is the protocol. No error repeats the
// address.
func Base(protocol, addr string) (*url.URL, error) {
	if protocol != "http" && protocol != "https" {
		return nil, breakwater.Invalid("protocol", "the protocol must be http or https")
	}
	if scheme, rest, ok := strings.Cut(addr, "://"); ok {
		if !strings.EqualFold(scheme, protocol) {
			return nil, badAddr("the registry address names another protocol")
		}
		addr = rest
	}
	if addr == "" || len(addr) > maxAddr {
		return nil, badAddr("the registry address must have 1 to 512 characters")
	}
	host, path, _ := strings.Cut(addr, "/")
	host, err := checkHost(host)
	if err != nil {
		return nil, err
	}
	u := &url.URL{Scheme: protocol, Host: host}
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" { // a slash at the end, or two
			continue
		}
		if segment == "." || segment == ".." || strings.ContainsFunc(segment, notPath) {
			return nil, badAddr("the path of the registry address holds characters that do not belong there")
		}
		u.Path += "/" + segment
	}
	return u, nil
}

func notPath(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("-._~", r)
}

// checkHost reads host or host:port and gives it back as it stands in a URL.
func checkHost(s string) (string, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() && a.Zone() == "" {
		return "[" + a.String() + "]", nil // IPv6 without brackets has no port
	}
	host, port, hasPort := s, "", false
	if strings.HasPrefix(s, "[") {
		inner, rest, ok := strings.Cut(s[1:], "]")
		a, err := netip.ParseAddr(inner)
		if !ok || err != nil || !a.Is6() || a.Zone() != "" {
			return "", badAddr("the registry address is not a host")
		}
		host = "[" + a.String() + "]"
		if rest != "" {
			if port, hasPort = strings.CutPrefix(rest, ":"); !hasPort {
				return "", badAddr("the registry address is not a host")
			}
		}
	} else {
		host, port, hasPort = strings.Cut(s, ":")
		if host == "" || len(host) > 253 || strings.ContainsFunc(host, notHost) {
			return "", badAddr("the registry address is not a host")
		}
	}
	if !hasPort {
		return strings.ToLower(host), nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strings.HasPrefix(port, "+") {
		return "", badAddr("the port of the registry address must be 1 to 65535")
	}
	return strings.ToLower(host) + ":" + strconv.FormatUint(n, 10), nil
}

func notHost(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '.' && r != '_'
}

func badAddr(message string) error { return breakwater.Invalid("registry_addr", "%s", message) }
