package child

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"breakwater"
	"breakwater/internal/oci"
)

// Task is one image manifest to look into. Source gives the manifest and its
// blobs; nothing else is asked of it.
type Task struct {
	Digest breakwater.Digest
	Source oci.Source
	Scope  breakwater.Scope
}

// Cache keeps layer facts, as the scanner asks of one. Get answers an error of
// kind NotFound for a key that it does not hold.
type Cache interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Put(ctx context.Context, key string, b []byte) error
}

// DeskOptions shape a Desk; the zero value is good.
type DeskOptions struct {
	Cache  Cache         // keeps layer facts; nil keeps none
	Claims *Claims       // shared by the desks that share a cache; nil: its own
	Wall   time.Duration // how long one task may take once it was taken; 30 min
	Result int64         // bytes of a result; 256 MiB
	// Version is what every cache key begins with; it ends with a slash and the
	// layer's digest.
	Version string
}

// Desk is the parent's side of one child, as an HTTP handler: see the package's
// comment for what it serves. It does one task at a time.
type Desk struct {
	token string
	opts  DeskOptions
	ctx   context.Context // over when the desk is closed
	close context.CancelFunc
	mux   http.Handler

	mu    sync.Mutex
	now   *errand       // the task at hand; nil between tasks
	woken chan struct{} // closed, and made anew, when now changes
}

// errand is a task being done.
type errand struct {
	order
	source oci.Source
	ctx    context.Context // over when the task is

	once     sync.Once
	outcome  chan outcome // one, from whoever ends the task first
	finished chan struct{}
	taken    chan struct{} // closed when the child has the order
	takeOnce sync.Once
	requests sync.WaitGroup
	heavy    chan struct{}   // places for requests that hold facts in memory
	last     chan struct{}   // the place for the one that ends the task
	claimed  map[string]bool // keys ever claimed; guarded by Claims.mu

	docMu sync.Mutex
	read  bool // the manifest came
	body  oci.Manifest
	doc   oci.Doc
	sizes map[breakwater.Digest]int64 // of the blobs that the manifest names
}

type outcome struct {
	inventory breakwater.Inventory
	err       error
}

// The reasons why Do ends without the child's own word.
var (
	errWall     = errors.New("the scan took longer than its time limit")
	errNotTaken = errors.New("nobody took the task")
	errClosed   = errors.New("the desk is closed")
)

// childError is an error that the child itself reported, and so no sign of its
// own ill health unless it says so.
type childError struct {
	error
	retire bool
}

func (e childError) Unwrap() error { return e.error }

// NewToken is a fresh random token for NewDesk.
func NewToken() string { return rand.Text() + rand.Text() }

// NewDesk makes a desk whose every request must bear the token.
func NewDesk(token string, opts DeskOptions) (*Desk, error) {
	if len(token) < 20 {
		return nil, errors.New("child.NewDesk: the token is too short")
	}
	opts.Wall = cmp.Or(opts.Wall, 30*time.Minute)
	opts.Result = cmp.Or(opts.Result, 256<<20)
	if opts.Claims == nil {
		opts.Claims = NewClaims()
	}
	d := &Desk{token: token, opts: opts, woken: make(chan struct{})}
	d.ctx, d.close = context.WithCancel(context.Background())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /task", d.task)
	mux.HandleFunc("GET /leash", d.leash)
	mux.HandleFunc("GET /task/{id}/manifest/{digest}", d.during(d.manifest))
	mux.HandleFunc("GET /task/{id}/blob/{digest}", d.during(d.blob))
	mux.HandleFunc("GET /task/{id}/facts", d.during(d.getFacts))
	mux.HandleFunc("PUT /task/{id}/facts", d.during(d.putFacts))
	mux.HandleFunc("POST /task/{id}/result", d.during(d.result))
	mux.HandleFunc("POST /task/{id}/fault", d.during(d.fault))
	d.mux = mux
	return d, nil
}

// Close ends the task at hand and lets the child go: its leash ends.
func (d *Desk) Close() { d.close() }

// ServeHTTP implements http.Handler.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(d.token)) != 1 {
		writeFault(w, breakwater.Errorf(breakwater.KindUnauthenticated, "the token is missing or wrong"))
		return
	}
	d.mux.ServeHTTP(w, r)
}

// Do has one task done and answers its facts, or the child's error, or why
// there is neither: the cause of ctx, errWall, errNotTaken. No request of the
// task is running any more when it returns, so the Source may be closed.
func (d *Desk) Do(ctx context.Context, t Task) (breakwater.Inventory, error) {
	e, end, err := d.begin(t)
	if err != nil {
		return breakwater.Inventory{}, err
	}
	defer end()
	return d.await(ctx, e)
}

// await waits for the end of a task, whoever brings it about.
func (d *Desk) await(ctx context.Context, e *errand) (breakwater.Inventory, error) {
	var wall <-chan time.Time
	start := time.NewTimer(startTime)
	defer start.Stop()
	taken := e.taken
	for {
		select {
		case o := <-e.outcome:
			return o.inventory, o.err
		case <-taken:
			taken = nil
			start.Stop()
			timer := time.NewTimer(d.opts.Wall)
			defer timer.Stop()
			wall = timer.C
			continue
		case <-wall:
			e.finish(outcome{err: errWall})
		case <-start.C:
			e.finish(outcome{err: errNotTaken})
		case <-d.ctx.Done():
			e.finish(outcome{err: errClosed})
		case <-ctx.Done():
			e.finish(outcome{err: context.Cause(ctx)})
		}
		o := <-e.outcome // the child's, if it was there first
		return o.inventory, o.err
	}
}

// begin puts the task on the desk. end takes it off, cuts what is still being
// sent, and waits for it.
func (d *Desk) begin(t Task) (e *errand, end func(), err error) {
	if t.Source == nil {
		return nil, nil, errors.New("child.Desk.Do: no source")
	}
	e = &errand{
		order:   order{ID: rand.Text(), Digest: t.Digest, Scope: t.Scope},
		source:  t.Source,
		outcome: make(chan outcome, 1), finished: make(chan struct{}), taken: make(chan struct{}),
		heavy: make(chan struct{}, maxHeavy), last: make(chan struct{}, 1),
		claimed: map[string]bool{}, sizes: map[breakwater.Digest]int64{},
	}
	var cancel context.CancelFunc
	e.ctx, cancel = context.WithCancel(d.ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now != nil {
		cancel()
		return nil, nil, errors.New("child.Desk.Do: another task is being done")
	}
	d.place(e)
	return e, func() {
		d.mu.Lock()
		d.place(nil)
		d.mu.Unlock()
		cancel()
		d.opts.Claims.releaseAll(e)
		e.requests.Wait()
	}, nil
}

// place is called with the lock held.
func (d *Desk) place(e *errand) {
	d.now = e
	close(d.woken)
	d.woken = make(chan struct{})
}

// wasTaken reports whether the child got the order.
func (e *errand) wasTaken() bool {
	select {
	case <-e.taken:
		return true
	default:
		return false
	}
}

// finish settles the outcome; the first one counts.
func (e *errand) finish(o outcome) {
	e.once.Do(func() {
		e.outcome <- o
		close(e.finished)
	})
}

func (e *errand) isFinished() bool {
	select {
	case <-e.finished:
		return true
	default:
		return false
	}
}

// task answers the order at hand, waiting for one. A child that asks again while
// its task runs did not get the answer, and gets it again.
func (d *Desk) task(w http.ResponseWriter, r *http.Request) {
	patience := time.NewTimer(pollTime)
	defer patience.Stop()
	for {
		d.mu.Lock()
		e, woken := d.now, d.woken
		d.mu.Unlock()
		if e != nil && !e.isFinished() {
			w.Header().Set("Content-Type", "application/json")
			err := json.NewEncoder(w).Encode(e.order)
			if err == nil {
				err = http.NewResponseController(w).Flush()
			}
			if err == nil && r.Context().Err() == nil {
				e.takeOnce.Do(func() { close(e.taken) })
			}
			return
		}
		select {
		case <-woken:
		case <-patience.C:
			w.WriteHeader(http.StatusNoContent)
			return
		case <-d.ctx.Done():
			w.WriteHeader(http.StatusGone)
			return
		case <-r.Context().Done():
			return
		}
	}
}

// leash is answered in part and never ends while both sides live.
func (d *Desk) leash(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	if http.NewResponseController(w).Flush() != nil {
		return
	}
	select {
	case <-d.ctx.Done():
	case <-r.Context().Done():
	}
}

// request is one request that belongs to the task at hand.
type request struct {
	*errand
	w http.ResponseWriter
	r *http.Request
	// settled says that the answer may be sent although the task is over.
	settled func()
}

// during wraps what may be asked only about the task at hand. When the task
// ends, the request's context does, and so do reads and writes that stand still.
func (d *Desk) during(f func(ctx context.Context, q request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		e := d.join(r.PathValue("id"))
		if e == nil {
			w.WriteHeader(http.StatusGone)
			return
		}
		defer e.requests.Done()
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		cutOff := context.AfterFunc(e.ctx, func() {
			cancel()
			rc := http.NewResponseController(w)
			_ = rc.SetReadDeadline(time.Unix(1, 0))
			_ = rc.SetWriteDeadline(time.Unix(1, 0))
		})
		settled := false
		q := request{e, w, r, func() { settled = cutOff() }}
		if err := f(ctx, q); err != nil {
			writeFault(w, err)
		}
		if !settled && !cutOff() {
			// The deadlines are spoilt, and with them the connection.
			panic(http.ErrAbortHandler)
		}
	}
}

// hold waits for a place of a few, so that a child cannot make its parent hold
// as many large bodies as it opens connections.
func hold(ctx context.Context, places chan struct{}) (release func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join counts a request to the task with the id, nil when that is not at hand.
func (d *Desk) join(id string) *errand {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now == nil || d.now.ID != id {
		return nil
	}
	d.now.requests.Add(1)
	return d.now
}
