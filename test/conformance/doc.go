// Package conformance drives a real breakwater server with the official Go SDK:
// the sample calls of the contract with real values, signed with an access key
// and with a token, each answer checked field by field. It is a module of its
// own, so that the product does not depend on the SDK.
//
//	BREAKWATER_BIN=$PWD/bin/breakwater go test ./...
//
// The tests start the binary on an empty data directory and a free loopback
// port, read credentials.json as a user would, and stop it at the end.
package conformance
