package netguard_test

import (
	"errors"
	"net/netip"
	"testing"

	"breakwater/internal/netguard"
)

func guard(t *testing.T, allow, deny []string) *netguard.Guard {
	t.Helper()
	a, err := netguard.ParsePrefixes(allow)
	if err != nil {
		t.Fatal(err)
	}
	d, err := netguard.ParsePrefixes(deny)
	if err != nil {
		t.Fatal(err)
	}
	g, err := netguard.New(netguard.Options{Allow: a, Deny: d})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestCheck(t *testing.T) {
	plain := guard(t, nil, nil)
	open := guard(t, []string{"127.0.0.0/8", "::1", "169.254.0.0/16", "0.0.0.0/0", "::/0"}, nil)
	strict := guard(t, []string{"10.0.0.0/8"}, []string{"10.1.0.0/16", "::ffff:192.168.0.0/112", "203.0.114.0/24"})
	tests := []struct {
		addr                string
		plain, open, strict netguard.Class // empty: allowed
	}{
		{"8.8.8.8", "", "", ""},
		{"203.0.114.9", "", "", netguard.Denied},
		{"10.1.2.3", "", "", netguard.Denied},
		{"10.2.2.3", "", "", ""},
		{"192.168.1.1", "", "", netguard.Denied},
		{"::ffff:192.168.1.1", "", "", netguard.Denied},
		{"172.16.0.1", "", "", ""},
		{"100.64.1.1", "", "", ""},
		{"fd12::1", "", "", ""},
		{"2606:4700::1111", "", "", ""},
		{"127.0.0.1", netguard.Loopback, "", netguard.Loopback},
		{"127.9.9.9", netguard.Loopback, "", netguard.Loopback},
		{"::1", netguard.Loopback, "", netguard.Loopback},
		{"::ffff:127.0.0.1", netguard.Loopback, "", netguard.Loopback},
		{"198.18.0.1", netguard.Reserved, "", netguard.Reserved},
		{"240.0.0.1", netguard.Reserved, "", netguard.Reserved},
		{"0.1.2.3", netguard.Reserved, "", netguard.Reserved},
		{"2001:db8::1", netguard.Reserved, "", netguard.Reserved},
		{"0.0.0.0", netguard.Unspecified, netguard.Unspecified, netguard.Unspecified},
		{"::", netguard.Unspecified, netguard.Unspecified, netguard.Unspecified},
		{"169.254.1.1", netguard.LinkLocal, netguard.LinkLocal, netguard.LinkLocal},
		{"169.254.169.254", netguard.Metadata, netguard.Metadata, netguard.Metadata},
		{"::ffff:169.254.169.254", netguard.Metadata, netguard.Metadata, netguard.Metadata},
		{"100.100.100.200", netguard.Metadata, netguard.Metadata, netguard.Metadata},
		{"fd00:ec2::254", netguard.Metadata, netguard.Metadata, netguard.Metadata},
		{"fe80::1%eth0", netguard.LinkLocal, netguard.LinkLocal, netguard.LinkLocal},
		{"224.0.0.1", netguard.Multicast, netguard.Multicast, netguard.Multicast},
		{"ff02::1", netguard.Multicast, netguard.Multicast, netguard.Multicast},
		{"255.255.255.255", netguard.Broadcast, netguard.Broadcast, netguard.Broadcast},
		// An IPv4 address in IPv6 clothes is judged as what it is.
		{"::169.254.169.254", netguard.Metadata, netguard.Metadata, netguard.Metadata},
		{"::127.0.0.1", netguard.Loopback, "", netguard.Loopback},
		{"64:ff9b::a9fe:a9fe", netguard.Metadata, netguard.Metadata, netguard.Metadata},
		{"64:ff9b::808:808", "", "", ""},
		{"64:ff9b:1::a9fe:a9fe", netguard.Metadata, netguard.Metadata, netguard.Metadata},
		{"2002:a9fe:a9fe::1", netguard.Metadata, netguard.Metadata, netguard.Metadata},
		{"2002:7f00:1::", netguard.Loopback, "", netguard.Loopback},
		{"2002:808:808::1", "", "", ""},
		{"2001:0:808:808::5601:5601", netguard.Metadata, netguard.Metadata, netguard.Metadata},
		{"2606::5efe:169.254.169.254", netguard.Metadata, netguard.Metadata, netguard.Metadata},
	}
	for _, tt := range tests {
		addr := netip.MustParseAddr(tt.addr)
		for name, g := range map[string]struct {
			guard *netguard.Guard
			want  netguard.Class
		}{"plain": {plain, tt.plain}, "open": {open, tt.open}, "strict": {strict, tt.strict}} {
			err := g.guard.Check(addr)
			var refused *netguard.RefusedError
			if got := errors.As(err, &refused); got != (g.want != "") || got && refused.Class != g.want {
				t.Errorf("%s, %s guard: %v, want %q", tt.addr, name, err, g.want)
			}
		}
	}
}

func TestControl(t *testing.T) {
	g := guard(t, nil, nil)
	for address, good := range map[string]bool{
		"8.8.8.8:443": true, "[2606:4700::1111]:443": true, "127.0.0.1:80": false, "[fe80::1%lo]:80": false,
		"registry.example:443": false, "": false,
	} {
		if err := g.Control("tcp", address, nil); (err == nil) != good {
			t.Errorf("Control(%q) = %v", address, err)
		}
	}
	if err := g.Control("udp", "8.8.8.8:53", nil); err == nil {
		t.Error("udp passed")
	}
}

func TestParsePrefixes(t *testing.T) {
	for _, bad := range []string{"", "x", "10.0.0.0/33", "10.0.0", "host/8"} {
		if _, err := netguard.ParsePrefixes([]string{bad}); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}
