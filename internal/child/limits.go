package child

import "time"

// The limits of the protocol, each on one request unless it says otherwise.
const (
	maxFacts    = 64 << 20 // the facts of one layer as they are kept
	maxFault    = 64 << 10
	maxDetail   = 8 << 10 // of an error's text for the operator, and of standard error
	maxMessage  = 1 << 10 // of an error's text for the user
	maxTask     = 64 << 10
	maxKey      = 512 // bytes of a cache key
	maxKeys     = 4   // cache keys of one layer in one task
	maxHeader   = 16 << 10
	maxConns    = 64 // connections of one child; it needs about one for each layer it reads at a time
	maxHeavy    = 4  // requests of one child that hold facts in memory
	maxInMemory = 1 << 30
	// blobBuffer is the piece that a blob is copied by. Larger ones were not
	// faster through a unix socket.
	blobBuffer = 128 << 10
)

const (
	pollTime  = 25 * time.Second // one wait for a task; shorter than what proxies allow
	startTime = time.Minute      // from the start of a process to its taking a task
	// claimIdle is how long a claim lasts while its holder does not read the
	// layer: time to finish the last file and to send the facts.
	claimIdle = 15 * time.Second
	// claimWait is how long anybody waits for another's facts before reading
	// the layer itself: many times what a 5 GB layer takes.
	claimWait = 5 * time.Minute
	watchTime = 50 * time.Millisecond // between two looks at a child's memory
)

// The exit statuses of Serve's own, besides 0 and what the command makes of an error.
const (
	exitLeash  = 85 // the parent is gone
	exitMemory = 86 // the watchdog saw too much memory in use
)
