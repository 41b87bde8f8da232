package child

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"breakwater"
)

// process is one child process with its desk and its directory.
type process struct {
	cmd    *exec.Cmd
	desk   *Desk
	server *http.Server
	dir    string
	stderr *lastWords
	memory int64

	exited chan struct{} // closed when the process is gone and was waited for
	fat    atomic.Bool   // killed for its memory
	endOne sync.Once

	// Of the goroutine that holds the process.
	scans int
	began bool // the last task was taken
}

var errDied = errors.New("the child process ended")

// start makes the directory, the socket and the process.
func start(opts Options, claims *Claims, dir string) (_ *process, err error) {
	temp := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(temp, 0o700); err != nil {
		return nil, err
	}
	token := NewToken()
	desk, err := NewDesk(token, DeskOptions{Cache: opts.Cache, Claims: claims, Wall: opts.Wall, Result: opts.Result, Version: opts.Version})
	if err != nil {
		return nil, err
	}
	socket, err := listen(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	c := &process{
		desk: desk, dir: dir, stderr: &lastWords{}, memory: opts.Memory, exited: make(chan struct{}),
		server: &http.Server{Handler: desk, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: time.Minute, ErrorLog: quiet()},
	}
	go func() { _ = c.server.Serve(&fewConns{Listener: socket}) }()
	c.cmd = command(opts.Command)
	c.cmd.Dir, c.cmd.Stderr, c.cmd.WaitDelay = temp, c.stderr, 2*time.Second
	c.cmd.Env = append(Endpoint{
		URL: "unix:" + socket.Addr().String(), Token: token, Memory: opts.Memory, Soft: opts.Soft,
	}.environ(), append([]string{"TMPDIR=" + temp}, opts.Env...)...)
	started := make(chan error)
	go c.run(started, opts.Nice)
	if err := <-started; err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// run starts the process and waits for its end, on one operating system thread:
// Linux ends a child with the thread that started it, not with the process.
func (c *process) run(started chan<- error, nice int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.exited)
	err := c.cmd.Start()
	if err == nil {
		tame(c.cmd.Process.Pid, nice)
	}
	started <- err
	if err == nil {
		_ = c.cmd.Wait()
	}
}

// scan does one task. Whatever it returns, the task is over; the process may
// still be running it, see reusable.
func (c *process) scan(ctx context.Context, t Task) (breakwater.Inventory, error) {
	c.scans++
	c.stderr.reset()
	ctx, cancel := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { c.watch(ctx) })
	watch.Go(func() {
		select {
		case <-c.exited:
			cancel(errDied)
		case <-ctx.Done():
		}
	})
	inv, err := c.do(ctx, t)
	cancel(nil)
	watch.Wait()
	return inv, err
}

func (c *process) do(ctx context.Context, t Task) (breakwater.Inventory, error) {
	e, end, err := c.desk.begin(t)
	if err != nil {
		return breakwater.Inventory{}, err
	}
	defer end()
	inv, err := c.desk.await(ctx, e)
	c.began = e.wasTaken()
	return inv, err
}

// watch kills the process when it takes more memory than it may.
func (c *process) watch(ctx context.Context) {
	tick := time.NewTicker(watchTime)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if resident(c.cmd.Process.Pid) > c.memory {
			c.fat.Store(true)
			kill(c.cmd.Process)
			return
		}
	}
}

func (c *process) dead() bool {
	select {
	case <-c.exited:
		return true
	default:
		return false
	}
}

// reusable reports whether a scan that ended with err leaves a process behind
// that is fit for the next one.
func (c *process) reusable(err error) bool {
	var own childError
	switch {
	case c.dead(), c.fat.Load():
		return false
	case errors.As(err, &own):
		return !own.retire
	}
	return err == nil
}

// end kills the process, waits for it, and removes everything of it.
func (c *process) end() {
	c.endOne.Do(func() {
		if c.cmd.Process != nil && !c.dead() {
			kill(c.cmd.Process)
		}
		<-c.exited
		c.desk.Close()
		_ = c.server.Close()
		_ = os.RemoveAll(c.dir)
	})
}

// obituary says why the process died.
func (c *process) obituary() error {
	state := "unknown"
	if c.cmd.ProcessState != nil {
		state = c.cmd.ProcessState.String()
	}
	words := c.stderr.String()
	cause := fmt.Errorf("the child process ended: %s\n%s", state, words)
	if c.fat.Load() || c.cmd.ProcessState.ExitCode() == exitMemory || outOfMemory(words) {
		return coded(breakwater.CodeOverSized, breakwater.Wrap(breakwater.KindTooLarge, cause, "the scan needed more memory than its limit"))
	}
	if !c.began {
		return unstarted(cause)
	}
	return crashed(cause)
}

// outOfMemory knows how the Go runtime says that the system gave it no memory,
// for its heap or for the stack of a thread. A program may print the same
// without need: then its scan is called too large in place of crashed, which
// costs nothing.
func outOfMemory(words string) bool {
	for line := range strings.Lines(words) {
		for _, says := range []string{
			"fatal error: runtime: out of memory", "fatal error: runtime: cannot allocate memory", "fatal error: out of memory",
			"runtime: out of memory", "runtime: failed to create new OS thread", "runtime/cgo: pthread_create failed",
		} {
			if strings.HasPrefix(line, says) {
				return true
			}
		}
	}
	return false
}

// listen makes the socket in the child's directory, or in one of its own where
// that path is longer than the system takes.
func listen(dir string) (net.Listener, error) {
	path := filepath.Join(dir, "s")
	if len(path) > maxSocketPath {
		return nil, fmt.Errorf("the path of the socket has %d characters, %d are possible: choose a shorter directory for temporary files", len(path), maxSocketPath)
	}
	return net.Listen("unix", path)
}

// maxSocketPath is what all systems take, with the final zero: sun_path has 104
// bytes on the BSDs and 108 on Linux.
const maxSocketPath = 103

// fewConns closes connections beyond maxConns at once.
type fewConns struct {
	net.Listener
	open atomic.Int64
}

func (l *fewConns) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= maxConns {
			return &countedConn{Conn: c, open: &l.open}, nil
		}
		l.open.Add(-1)
		_ = c.Close()
	}
}

type countedConn struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
