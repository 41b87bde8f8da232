// Package child runs scans in processes of their own, so that a parser that
// crashes, never ends or eats memory ends one scan and nothing else.
//
//	Pool.Scan ─► waits for one of Size places ─► an idle child, or a fresh one
//	                                               │
//	   Desk (HTTP/1.1, the parent's side) ◄────────┴────────► Serve (the child)
//	     GET  task                      what to scan; waits until there is something
//	     GET  task/ID/manifest/DIGEST   the manifest of the task, no other
//	     GET  task/ID/blob/DIGEST       config and layers that it names, streamed
//	     GET  task/ID/facts?key=KEY     the layer cache; see "One layer, one reader"
//	     PUT  task/ID/facts?key=KEY
//	     POST task/ID/result            the inventory: ends the task
//	     POST task/ID/fault             or why there is none
//	     GET  leash                     open as long as both sides live
//
// The child knows no database, no registry and no password: it has an address,
// a random token that every request must bear, and what the desk hands out for
// the task at hand. Locally the address is a unix socket in a directory of mode
// 0700; nothing in the protocol depends on that, and a Desk may as well be
// mounted on a TCP server for a process elsewhere.
//
// A blob is sent in chunks with a trailer that says how it ended, because its
// digest is known to be right only after the last byte: the parent's Source
// verifies, and a body without the good trailer is an error to the child. The
// bytes are hashed once.
//
// # What is believed
//
// Once a parser is exploited, the child's words are the attacker's. The desk
// therefore holds every request against the manifest that it passed on itself:
// blobs that it does not name are not there, facts can be kept only for its
// layers and only after they were asked for, and an inventory must be of the
// task's digest and of exactly its layers. Requests, results and facts have
// limits (limits.go), also on what they become in memory. What cannot be
// detected is a lie about one's own image, and about the layers that one shares
// with others and that nobody had scanned before; a child that answers
// nonsense is killed, and any child after some scans.
//
// # Limits of a child
//
//	wall clock       Options.Wall, from when the child takes the task: killed, CodeTimedOut
//	memory, soft     GOMEMLIMIT: collects harder, never fails
//	memory, hard     Linux: RLIMIT_DATA (the Go runtime reserves address space
//	                 without write permission, so RLIMIT_AS would count what is
//	                 never used) and the resident size every 50 ms; elsewhere a
//	                 watchdog in the child. CodeOverSized
//	scans            Options.Recycle, then a fresh process
//	life             its parent's: Pdeathsig on Linux, the leash everywhere
//	files            one directory that it stands in and that TMPDIR names;
//	                 removed after its death, and when the parent died too, by
//	                 the next Pool of the same TempDir
//
// # One layer, one reader
//
// The first task that asks the cache for facts that are not there gets a claim
// with its "not found"; others that ask wait. A claim ends with the PUT, with
// its task, or some seconds after its holder stopped reading the layer
// (claims.go says why nobody waits for ever).
package child
