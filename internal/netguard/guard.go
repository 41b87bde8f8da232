package netguard

import (
	"fmt"
	"net/netip"
	"syscall"

	"breakwater"
)

// Options adjust the guard; the zero value allows public and private addresses
// and nothing else.
type Options struct {
	Allow []netip.Prefix // also these, as far as they are loopback or reserved
	Deny  []netip.Prefix // never these
}

// Guard judges addresses. It holds no state and is safe for concurrent use.
type Guard struct {
	allow, deny []netip.Prefix
}

// New makes a guard.
func New(opts Options) (*Guard, error) {
	allow, err := normal(opts.Allow)
	if err != nil {
		return nil, err
	}
	deny, err := normal(opts.Deny)
	if err != nil {
		return nil, err
	}
	return &Guard{allow: allow, deny: deny}, nil
}

// ParsePrefixes reads networks in CIDR form; a single address means itself.
func ParsePrefixes(list []string) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, 0, len(list))
	for _, s := range list {
		if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, breakwater.Invalid("networks", "a network must be an address or address/bits")
		}
		out = append(out, p)
	}
	return out, nil
}

// normal masks prefixes and turns mapped ones into plain IPv4, so that one
// comparison serves.
func normal(list []netip.Prefix) ([]netip.Prefix, error) {
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		if !p.IsValid() {
			return nil, breakwater.Invalid("networks", "a network must be an address or address/bits")
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		out[i] = p.Masked()
	}
	return out, nil
}

// RefusedError says that an address may not be dialled, and of which class it is.
type RefusedError struct {
	Addr  netip.Addr
	Class Class
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the address %s is refused: %s", e.Addr, e.Class)
}

// Check is nil for an address that may be dialled and a *RefusedError otherwise.
func (g *Guard) Check(addr netip.Addr) error {
	addr = addr.WithZone("").Unmap()
	if err := g.judge(addr, addr); err != nil {
		return err
	}
	for _, inner := range carried(addr) {
		if err := g.judge(inner, addr); err != nil {
			return err
		}
	}
	return nil
}

func (g *Guard) judge(addr, shown netip.Addr) error {
	class := ClassOf(addr)
	switch {
	case class.never():
		return &RefusedError{Addr: shown, Class: class}
	case within(g.deny, addr):
		return &RefusedError{Addr: shown, Class: Denied}
	case class == Public, class == Private, within(g.allow, addr):
		return nil
	}
	return &RefusedError{Addr: shown, Class: class}
}

func within(list []netip.Prefix, addr netip.Addr) bool {
	for _, p := range list {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// Control is for net.Dialer.Control: it runs after the name was resolved and
// before the socket connects, once per address that is tried.
func (g *Guard) Control(network, address string, _ syscall.RawConn) error {
	switch network {
	case "tcp", "tcp4", "tcp6":
	default:
		return &RefusedError{Class: Denied}
	}
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return &RefusedError{Class: Denied}
	}
	return g.Check(ap.Addr())
}
