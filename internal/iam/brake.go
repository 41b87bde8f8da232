package iam

import (
	"context"
	"runtime"
	"sync"
	"time"

	"breakwater/internal/auth"

	"golang.org/x/time/rate"
)

// Limits of password guessing, for each user and address.
const (
	guessBurst  = 10
	guessEvery  = 6 * time.Second
	maxGuessers = 4096
)

// brake slows password guessing down and keeps bcrypt from taking every core.
type brake struct {
	slots chan struct{} // one for each password being checked

	mu       sync.Mutex
	guessers map[string]*rate.Limiter
}

func newBrake() *brake {
	return &brake{slots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), guessers: map[string]*rate.Limiter{}}
}

// check reports whether the password made the hash. tired is true when this
// guesser has failed too often; then nothing was checked.
func (b *brake) check(ctx context.Context, guesser string, now time.Time, hash, password string) (good, tired bool, err error) {
	if b.failures(guesser, now, 0) {
		return false, true, nil
	}
	select {
	case b.slots <- struct{}{}:
		defer func() { <-b.slots }()
	case <-ctx.Done():
		return false, false, ctx.Err()
	}
	if auth.CheckPassword(hash, password) {
		return true, false, nil
	}
	b.failures(guesser, now, 1)
	return false, false, nil
}

// failures adds n failures to a guesser and reports whether none is left.
func (b *brake) failures(guesser string, now time.Time, n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.guessers[guesser]
	if l == nil {
		if n == 0 {
			return false
		}
		b.makeRoom(now)
		l = rate.NewLimiter(rate.Every(guessEvery), guessBurst)
		b.guessers[guesser] = l
	}
	l.AllowN(now, n)
	return l.TokensAt(now) < 1
}

// makeRoom forgets those who have waited long enough, or everybody when none has.
func (b *brake) makeRoom(now time.Time) {
	if len(b.guessers) < maxGuessers {
		return
	}
	for k, l := range b.guessers {
		if l.TokensAt(now) >= guessBurst {
			delete(b.guessers, k)
		}
	}
	if len(b.guessers) >= maxGuessers {
		clear(b.guessers)
	}
}
