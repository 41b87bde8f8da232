package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"breakwater"
	"breakwater/internal/oci"
)

// Scanner is what a child does with a task.
type Scanner interface {
	Scan(ctx context.Context, src oci.Source, digest breakwater.Digest, scope breakwater.Scope) (breakwater.Inventory, error)
}

// ServeOptions shape Serve; the zero value is good.
type ServeOptions struct {
	// Exit ends this process, from any goroutine; os.Exit when nil.
	Exit func(code int)
}

// Serve is the life of a child: it takes tasks from the desk at ep and does
// them one after the other with the scanner that newScanner makes once. It
// returns nil when the desk has no more to do. It ends the process itself when
// the parent is gone, and where the parent cannot watch its memory, when it
// takes more than ep.Memory. A panic of the scanner fails the task, and ends
// Serve with an error, because what a panic leaves behind is not to be trusted.
func Serve(ctx context.Context, ep Endpoint, newScanner func(cache Cache) (Scanner, error), opts ServeOptions) error {
	exit := opts.Exit
	if exit == nil {
		exit = os.Exit
	}
	r, err := newRemote(ep)
	if err != nil {
		return fmt.Errorf("child.Serve: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go r.leash(ctx, func() { exit(exitLeash) })
	if err := limitMemory(ctx, ep, exit); err != nil {
		return fmt.Errorf("child.Serve: %w", err)
	}
	s, err := newScanner(r)
	if err != nil {
		return fmt.Errorf("child.Serve: %w", err)
	}
	for {
		o, err := r.next(ctx)
		if errors.Is(err, errGone) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("child.Serve: %w", err)
		}
		r.now.Store(&o)
		if err := r.work(ctx, s, o); err != nil {
			return fmt.Errorf("child.Serve(%s): %w", o.Digest, err)
		}
		debug.FreeOSMemory() // an idle child is a small one
	}
}

// work does one task and reports it. Its error ends the child.
func (r *remote) work(ctx context.Context, s Scanner, o order) error {
	inv, err, panicked := scanSafely(ctx, s, r, o)
	if err == nil {
		if err = r.post(ctx, "/result", inv); err == nil || !refused(err) {
			return settledOr(err)
		}
		return nil // the parent knows what it refused, and why
	}
	f := faultOf(err)
	f.Retire = panicked
	perr := settledOr(r.post(ctx, "/fault", f))
	if panicked {
		return errors.Join(err, perr)
	}
	return perr
}

// settledOr lets pass that the parent ended the task before its result came.
func settledOr(err error) error {
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// refused reports whether the desk answered, with an error.
func refused(err error) bool { return breakwater.KindOf(err) != breakwater.KindUnavailable }

func scanSafely(ctx context.Context, s Scanner, src oci.Source, o order) (inv breakwater.Inventory, err error, panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			panicked = true
			err = coded(breakwater.CodeUnknown, breakwater.Wrap(breakwater.KindInternal, fmt.Errorf("%v\n%s", p, debug.Stack()), "the scanner stopped unexpectedly"))
		}
	}()
	inv, err = s.Scan(ctx, src, o.Digest, o.Scope)
	return inv, err, false
}

func limitMemory(ctx context.Context, ep Endpoint, exit func(int)) error {
	if ep.Soft > 0 {
		debug.SetMemoryLimit(ep.Soft)
	}
	if ep.Memory <= 0 {
		return nil
	}
	if !parentWatches {
		go watchdog(ctx, ep.Memory, exit)
	}
	return limitData(ep.Memory)
}

// watchdog ends the process when the Go runtime holds more memory than limit.
func watchdog(ctx context.Context, limit int64, exit func(int)) {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	tick := time.NewTicker(watchTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(s)
		if int64(s[0].Value.Uint64()-s[1].Value.Uint64()) > limit {
			exit(exitMemory)
			return
		}
	}
}
