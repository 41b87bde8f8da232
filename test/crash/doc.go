// Package crash holds tests that kill the real binary with SIGKILL in the
// middle of its work, 20 times for each kind of work, start it again on the
// same data, and look at what is there.
//
//	push    go-containerregistry pushes, a chunked upload goes on over all kills
//	sync    a Harbor of 3,000 repositories (internal/upstreamtest)
//	scan    a scan task over images of several layers, some stalled in a layer
//	import  `breakwater db update` beside the server; the starter set inside it
//
// The processes that scans run in are killed, too, and given too little memory:
// a scan fails by a code, and the server lives.
//
// Moments are chosen by progress that a test sees from outside (requests begun,
// bytes sent, blobs asked for, rows written), so they spread over the work on a
// slow machine as on a fast one. After each kill what was acknowledged must be
// there, what was not must be there whole or not at all, and in the end all work
// is done as if nothing had happened. A SIGTERM, beside that, loses no job.
//
// The tests have the build tag crash and need the built binary:
//
//	make build && BREAKWATER_BIN=$PWD/bin/breakwater go test -tags crash ./test/crash/
//
// They run on SQLite and, with fewer kills, on PostgreSQL when
// BREAKWATER_TEST_POSTGRES holds a connection string.
package crash
