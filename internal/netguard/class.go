package netguard

import "net/netip"

// Class is what sort of address an address is.
type Class string

// The classes. Denied stands for any address that the operator refuses.
const (
	Public      Class = "public"
	Private     Class = "private"
	Loopback    Class = "loopback"
	LinkLocal   Class = "link-local"
	Metadata    Class = "cloud metadata"
	Multicast   Class = "multicast"
	Unspecified Class = "unspecified"
	Broadcast   Class = "broadcast"
	Reserved    Class = "reserved"
	Denied      Class = "denied by the operator"
)

// never reports whether no option lets an address of this class through.
func (c Class) never() bool {
	switch c {
	case LinkLocal, Metadata, Multicast, Unspecified, Broadcast:
		return true
	}
	return false
}

// ClassOf sorts an address by its own bits; an address carried inside it is
// another question.
func ClassOf(addr netip.Addr) Class {
	addr = addr.WithZone("").Unmap()
	switch {
	case !addr.IsValid(), addr.IsUnspecified():
		return Unspecified
	case isMetadata(addr):
		return Metadata
	case addr.IsLoopback():
		return Loopback
	case addr.IsLinkLocalUnicast():
		return LinkLocal
	case addr.IsMulticast():
		return Multicast
	case addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return Broadcast
	case addr.IsPrivate(), carrierGrade.Contains(addr):
		return Private
	case isReserved(addr):
		return Reserved
	}
	return Public
}

var carrierGrade = netip.MustParsePrefix("100.64.0.0/10")

// isMetadata knows the addresses where clouds hand credentials to whoever
// asks. Most are link-local already; these hide in other ranges.
func isMetadata(addr netip.Addr) bool {
	switch addr.String() {
	case "169.254.169.254", "169.254.170.2", // nearly every cloud; container credentials
		"100.100.100.200", // Alibaba, inside the carrier-grade range
		"192.0.0.192",     // Oracle
		"168.63.129.16",   // Azure's host agent, a public address
		"fd00:ec2::254",   // Amazon over IPv6
		"fd20:ce::254":    // Google over IPv6
		return true
	}
	return false
}

// reserved is the IANA special-purpose space that no registry lives in.
var reserved = [...]netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("100::/64"),
	netip.MustParsePrefix("2001:db8::/32"),
	netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("5f00::/16"),
	netip.MustParsePrefix("fec0::/10"), // site-local, given up in 2004
}

func isReserved(addr netip.Addr) bool { return within(reserved[:], addr) }

var (
	compatible = netip.MustParsePrefix("::/96")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
)

// carried is the IPv4 addresses that a packet to this IPv6 address may end up
// at, by way of a translator or a tunnel.
func carried(addr netip.Addr) []netip.Addr {
	if !addr.Is6() {
		return nil
	}
	b := addr.As16()
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte(b[i : i+4])) }
	switch {
	case addr.IsLoopback():
		return nil
	case compatible.Contains(addr), nat64.Contains(addr):
		return []netip.Addr{at(12)}
	case nat64Local.Contains(addr): // RFC 6052: the place depends on the prefix in use
		return []netip.Addr{at(12), netip.AddrFrom4([4]byte{b[6], b[7], b[9], b[10]})}
	case sixToFour.Contains(addr):
		return []netip.Addr{at(2)}
	case teredo.Contains(addr): // the server, and the client with its bits turned
		return []netip.Addr{at(4), netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]})}
	case (b[8]|2) == 2 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP
		return []netip.Addr{at(12)}
	}
	return nil
}
