package registry

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net"
	"net/http"
	"sync"
	"time"

	"breakwater"

	"golang.org/x/time/rate"
)

const (
	// signInMemory is how long a good sign-in by password is believed without
	// asking again: a push makes hundreds of requests, and a password check is
	// slow on purpose.
	signInMemory = time.Minute
	// A sign-in may fail failureBurst times at once, and then failureRate times
	// a second, for each address and user name.
	failureBurst = 20
	failureRate  = 0.2
	// maxSignIns bounds both memories; full, they start again.
	maxSignIns = 10_000
)

// signins remembers who signed in just now, under a keyed hash of what they
// sent, and who failed to.
type signins struct {
	now    func() time.Time
	key    []byte
	mu     sync.Mutex
	good   map[[sha256.Size]byte]goodSignIn
	failed map[string]*rate.Limiter
}

type goodSignIn struct {
	caller  breakwater.Caller
	expires time.Time
}

func newSignins(now func() time.Time) *signins {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // crypto/rand.Read never fails; it ends the program instead
	return &signins{now: now, key: key, good: map[[sha256.Size]byte]goodSignIn{}, failed: map[string]*rate.Limiter{}}
}

func (s *signins) hash(user, password string) (sum [sha256.Size]byte) {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(user))
	m.Write([]byte{0})
	m.Write([]byte(password))
	m.Sum(sum[:0])
	return sum
}

func (s *signins) recall(key [sha256.Size]byte) (breakwater.Caller, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.good[key]
	return g.caller, ok && s.now().Before(g.expires)
}

func (s *signins) remember(key [sha256.Size]byte, c breakwater.Caller) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.good) >= maxSignIns {
		clear(s.good)
	}
	s.good[key] = goodSignIn{caller: c, expires: s.now().Add(signInMemory)}
}

// limiter is the failures of one address and user name; nil when there were none.
func (s *signins) limiter(who string, make bool) *rate.Limiter {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.failed[who]
	if l == nil && make {
		if len(s.failed) >= maxSignIns {
			clear(s.failed)
		}
		l = rate.NewLimiter(failureRate, failureBurst)
		s.failed[who] = l
	}
	return l
}

// signIn checks a password, with a memory and a limit on failures.
func (r *Registry) signIn(ctx context.Context, req *http.Request, user, password string) (breakwater.Caller, error) {
	key := r.signins.hash(user, password)
	if caller, ok := r.signins.recall(key); ok {
		return caller, nil
	}
	host, _, err := net.SplitHostPort(req.RemoteAddr)
	if err != nil {
		host = req.RemoteAddr
	}
	from := host + "\x00" + user
	if len(from) > 512 {
		from = from[:512]
	}
	now := r.signins.now()
	if l := r.signins.limiter(from, false); l != nil && l.TokensAt(now) < 1 {
		return breakwater.Caller{}, &httpError{
			err:    ociError(breakwater.KindForbidden, codeTooMany, "too many failed sign-ins, try again later"),
			status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {"5"}},
		}
	}
	caller, err := r.opts.Authenticate(ctx, user, password)
	switch breakwater.KindOf(err) {
	case "":
		r.signins.remember(key, caller)
		return caller, nil
	case breakwater.KindUnauthenticated, breakwater.KindNotFound, breakwater.KindForbidden, breakwater.KindInvalid:
		r.signins.limiter(from, true).AllowN(now, 1)
		return breakwater.Caller{}, &httpError{err: ociError(breakwater.KindUnauthenticated, codeUnauthorized, "the user or the password is wrong")}
	}
	return breakwater.Caller{}, err
}
