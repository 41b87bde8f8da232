package child

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"breakwater"
)

// Options of a Pool; the zero value is good.
type Options struct {
	// Command is what a child runs: it must end in Serve. Empty: this binary
	// with the argument "exec".
	Command []string
	// Env is added to the environment of a child, which else holds nothing but
	// what Serve needs.
	Env []string

	Size    int           // children at a time; 2
	Memory  int64         // bytes that a child may take; 1 GiB
	Soft    int64         // bytes from where it collects garbage harder; 320 MiB
	Recycle int           // scans of one child; 20
	Wall    time.Duration // one scan, waiting for a free child not counted; 30 min
	Result  int64         // bytes of one result; 256 MiB
	Nice    int           // niceness of a child, 0 to 19; Linux only
	TempDir string        // where the children's directories go; the system's

	Cache   Cache  // keeps layer facts; nil keeps none
	Version string // what every cache key begins with: the scanner's version
}

// Pool scans in child processes. It starts them when they are needed, keeps
// them for the next scan, and replaces those that died or did enough.
type Pool struct {
	opts   Options
	dir    *workDir
	claims *Claims
	places chan struct{}
	serial atomic.Int64

	ctx   context.Context // over when the pool is closed
	close context.CancelCauseFunc

	mu   sync.Mutex
	idle []*process
	busy sync.WaitGroup
}

var errPoolClosed = errors.New("the scanner is shutting down")

// New makes a pool; it starts no process yet. What pools of dead processes left
// in TempDir is removed.
func New(opts Options) (*Pool, error) {
	opts.Size = cmp.Or(opts.Size, 2)
	opts.Memory = cmp.Or(opts.Memory, 1<<30)
	opts.Soft = cmp.Or(opts.Soft, min(320<<20, opts.Memory))
	opts.Recycle = cmp.Or(opts.Recycle, 20)
	opts.TempDir = cmp.Or(opts.TempDir, os.TempDir())
	switch {
	case opts.Size < 1 || opts.Recycle < 1 || opts.Wall < 0 || opts.Result < 0:
		return nil, errors.New("child.New: sizes and times must be positive")
	case opts.Soft < 1 || opts.Soft > opts.Memory:
		return nil, errors.New("child.New: the soft memory limit must lie below the hard one")
	case opts.Nice < 0 || opts.Nice > 19:
		return nil, errors.New("child.New: the niceness must be 0 to 19")
	}
	if err := opts.findCommand(); err != nil {
		return nil, fmt.Errorf("child.New: %w", err)
	}
	dir, err := newWorkDir(opts.TempDir)
	if err != nil {
		return nil, fmt.Errorf("child.New: %w", err)
	}
	p := &Pool{opts: opts, dir: dir, claims: NewClaims(), places: make(chan struct{}, opts.Size)}
	p.ctx, p.close = context.WithCancelCause(context.Background())
	return p, nil
}

// findCommand makes the command independent of the directory it is started in.
func (o *Options) findCommand() (err error) {
	if len(o.Command) == 0 {
		return nil
	}
	name := o.Command[0]
	if !strings.ContainsRune(name, filepath.Separator) {
		name, err = exec.LookPath(name)
	}
	if err == nil {
		name, err = filepath.Abs(name)
	}
	o.Command = append([]string{name}, o.Command[1:]...)
	return err
}

// Scan looks into one image manifest in a child. It waits for a free one. The
// error is a *breakwater.Error: the scan's own, or
//
//	more memory than the limit         KindTooLarge, CodeOverSized
//	longer than Wall                   KindTooLarge, CodeTimedOut
//	a child that crashed or lies       KindInternal, CodeUnknown, its last words as the cause
//	a child that could not be started  KindInternal, CodeSend
//	ctx ended, or the pool was closed  KindUnavailable, CodeUnknown
func (p *Pool) Scan(ctx context.Context, t Task) (breakwater.Inventory, error) {
	if _, err := breakwater.ParseDigest(t.Digest.String()); err != nil {
		return breakwater.Inventory{}, err
	}
	if !p.enter() {
		return breakwater.Inventory{}, stopped(errPoolClosed)
	}
	defer p.busy.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.ctx, func() { cancel(errPoolClosed) })()
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	case <-ctx.Done():
		return breakwater.Inventory{}, stopped(context.Cause(ctx))
	}
	for first := true; ; first = false {
		c, err := p.take()
		if err != nil {
			return breakwater.Inventory{}, unstarted(err)
		}
		inv, err := c.scan(ctx, t)
		again := p.giveBack(c, err)
		err = explain(ctx, c, err)
		if first && again && ctx.Err() == nil {
			continue // an idle child that died unseen; a fresh one may live
		}
		return inv, err
	}
}

// enter counts a scan, unless the pool is closed.
func (p *Pool) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() != nil {
		return false
	}
	p.busy.Add(1)
	return true
}

// take is the child that was used last, so that few are kept, or a fresh one.
func (p *Pool) take() (*process, error) {
	for {
		p.mu.Lock()
		n := len(p.idle) - 1
		if n < 0 {
			p.mu.Unlock()
			return start(p.opts, p.claims, p.dir.child(p.serial.Add(1)))
		}
		c := p.idle[n]
		p.idle = p.idle[:n]
		p.mu.Unlock()
		if !c.dead() {
			return c, nil
		}
		c.end()
	}
}

// giveBack keeps a child for the next scan, or ends it. It reports whether the
// child died without having begun.
func (p *Pool) giveBack(c *process, err error) (again bool) {
	again = errors.Is(err, errDied) && !c.began
	if c.reusable(err) && c.scans < p.opts.Recycle {
		p.mu.Lock()
		if p.ctx.Err() == nil {
			p.idle = append(p.idle, c)
			p.mu.Unlock()
			return again
		}
		p.mu.Unlock()
	}
	c.end()
	return again
}

// Close ends all scans and all children and removes their files. It waits for
// all of it.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.close(errPoolClosed)
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		c.end()
	}
	p.busy.Wait()
	return p.dir.remove()
}

// explain turns how a scan ended into the error that its caller sees.
func explain(ctx context.Context, c *process, err error) error {
	var own childError
	var product *breakwater.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		if errors.As(own.error, &product) {
			return own.error
		}
		return coded(breakwater.CodeUnknown, breakwater.Wrap(breakwater.KindInternal, own.error, "the scan failed"))
	case ctx.Err() != nil:
		return stopped(context.Cause(ctx))
	case errors.Is(err, errWall):
		return coded(breakwater.CodeTimedOut, breakwater.Errorf(breakwater.KindTooLarge, "the scan took longer than its time limit"))
	case errors.Is(err, errDied):
		return c.obituary()
	case errors.Is(err, errNotTaken):
		return unstarted(fmt.Errorf("%w within %s\n%s", err, startTime, c.stderr))
	case errors.As(err, &product):
		return err
	}
	return crashed(err)
}

func stopped(cause error) error {
	return coded(breakwater.CodeUnknown, breakwater.Wrap(breakwater.KindUnavailable, cause, "the scan was stopped"))
}

func unstarted(cause error) error {
	return coded(breakwater.CodeSend, breakwater.Wrap(breakwater.KindInternal, cause, "the scanner could not be started"))
}

func crashed(cause error) error {
	return coded(breakwater.CodeUnknown, breakwater.Wrap(breakwater.KindInternal, cause, "the scanner stopped unexpectedly"))
}
