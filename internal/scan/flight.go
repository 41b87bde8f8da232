package scan

import (
	"errors"
	"sync"
)

// flight is the layers that the scans of one scanner are reading now, so that two
// of them read a layer that both need once. The zero value is ready.
type flight struct {
	mu      sync.Mutex
	reading map[string]*reading
}

// reading is one layer under way. What came of it may be looked at once done is
// closed.
type reading struct {
	done chan struct{}
	got  loaded
	err  error
}

// errGivenUp is what others hear of a reading that ended without an answer.
var errGivenUp = errors.New("the reading was given up")

// join is the reading of the key that is under way. There being none, it is the
// caller's: mine, and the caller must end it.
func (f *flight) join(key string) (r *reading, mine bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.reading[key]; ok {
		return r, false
	}
	if f.reading == nil {
		f.reading = map[string]*reading{}
	}
	r = &reading{done: make(chan struct{}), err: errGivenUp}
	f.reading[key] = r
	return r, true
}

// end tells everybody who waits for it what came of the reading.
func (f *flight) end(key string, r *reading) {
	f.mu.Lock()
	delete(f.reading, key)
	f.mu.Unlock()
	close(r.done)
}
