package child

import (
	"context"
	"sync"
	"time"

	"breakwater"
)

// Claims is who is finding out the facts of which layer, over all the children
// of a pool. Waiting for another's facts always ends: with the facts or the end
// of the other's task; claimIdle after the other stopped reading the layer, so
// that two tasks that each hold what the other waits for do not stand still;
// and after claimWait at the latest, so that a child that reads slowly on
// purpose holds nobody up for long.
type Claims struct {
	mu   sync.Mutex
	held map[string]*claim
	idle time.Duration
	wait time.Duration
}

// NewClaims is a fresh set; children that share a cache should share one.
func NewClaims() *Claims {
	return &Claims{held: map[string]*claim{}, idle: claimIdle, wait: claimWait}
}

// claim is one layer's facts being found out by one task.
type claim struct {
	key     string
	layer   breakwater.Digest
	holder  *errand
	done    chan struct{} // closed when nobody needs to wait any more
	reading int           // open streams of the layer's blob
	timer   *time.Timer   // ends the claim while reading is 0
}

// acquire gets the claim on key for e, waiting for whoever holds it. It returns
// without the claim when e had it before and lost it, and after the longest
// wait; then e reads the layer beside the other.
func (c *Claims) acquire(ctx context.Context, e *errand, key string, layer breakwater.Digest) error {
	limit := time.NewTimer(c.wait)
	defer limit.Stop()
	for {
		other := c.try(e, key, layer)
		if other == nil {
			return nil
		}
		select {
		case <-other:
		case <-limit.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// try takes a claim that is free. It answers what to wait for otherwise, nil
// when there is nothing to wait for.
func (c *Claims) try(e *errand, key string, layer breakwater.Digest) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.ctx.Err() != nil || e.claimed[key] {
		return nil
	}
	if other := c.held[key]; other != nil {
		return other.done
	}
	n := &claim{key: key, layer: layer, holder: e, done: make(chan struct{})}
	n.timer = time.AfterFunc(c.idle, func() { c.expire(n) })
	c.held[key], e.claimed[key] = n, true
	return nil
}

// mayPut reports whether e has asked for the facts under key before.
func (c *Claims) mayPut(e *errand, key string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return e.claimed[key]
}

// room reports whether e may ask for one more key.
func (c *Claims) room(e *errand, key string, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return e.claimed[key] || len(e.claimed) < limit
}

// release ends e's claim on key, if it has it.
func (c *Claims) release(e *errand, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.held[key]; h != nil && h.holder == e {
		c.drop(h)
	}
}

// releaseAll ends all claims of a task that is over.
func (c *Claims) releaseAll(e *errand) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range e.claimed {
		if h := c.held[key]; h != nil && h.holder == e {
			c.drop(h)
		}
	}
}

// reading says that e begins (+1) or stops (-1) to read a layer.
func (c *Claims) reading(e *errand, layer breakwater.Digest, by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range e.claimed {
		h := c.held[key]
		if h == nil || h.holder != e || h.layer != layer {
			continue
		}
		h.reading = max(h.reading+by, 0)
		if h.reading > 0 {
			h.timer.Stop()
		} else {
			h.timer.Reset(c.idle)
		}
	}
}

func (c *Claims) expire(h *claim) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held[h.key] == h && h.reading == 0 {
		c.drop(h)
	}
}

func (c *Claims) drop(h *claim) {
	h.timer.Stop()
	close(h.done)
	delete(c.held, h.key)
}
