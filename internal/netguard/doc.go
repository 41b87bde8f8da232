// Package netguard decides which addresses the product may dial for a user.
// Whoever adds a registry chooses a host name, and whatever answers chooses
// redirects and sign-in realms; none of them may point us at the cloud's
// metadata service, at this machine or at another tenant of the network.
//
//	host name ──► resolver ──► address ──► Guard.Check ──► connect
//	                              ▲ every dial, at dial time: a name that
//	                                resolves differently the second time, a
//	                                redirect and a realm all pass here
//
// An address belongs to one class:
//
//	link-local, metadata, multicast, unspecified, broadcast   never
//	loopback                                                  only inside Allow
//	reserved (documentation, benchmark, class E …)            only inside Allow
//	private (RFC 1918, ULA, CGNAT)                            unless inside Deny
//	public                                                    unless inside Deny
//
// Deny wins over Allow, and neither reaches the first line. An IPv6 address
// that carries an IPv4 one (mapped, compatible, NAT64, 6to4, Teredo, ISATAP)
// must be good in both readings.
//
// Guard.Client makes the one kind of *http.Client that talks to registries and
// feeds: at most five redirects, never from https down to http, no credential
// taken to another origin, headers within a time limit, and no proxy from the
// environment unless asked for.
package netguard
