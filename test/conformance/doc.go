// Package conformance drives a real breakwater server with the official Go SDK:
// the sample calls of the contract with real values, signed with an access key
// and with a token, each answer checked field by field. It is a module of its
// own, so that the product does not depend on the SDK.
//
//	BREAKWATER_BIN=$PWD/bin/breakwater go test ./...
//
// The tests start the binary on an empty data directory and a free loopback
// port, read credentials.json as a user would, and stop it at the end.
//
// TestResults pushes an image with planted cases for every check and its clean
// twin, and holds the 17 result operations, the image list's counters, the scope
// of scans and the report against what was planted. Credentials are made anew for
// each run; when the server has ended, its log and its data directory are searched
// for every one of them.
package conformance
