//go:build crash

package crash

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"breakwater/internal/iam"
	"breakwater/internal/store"
	"breakwater/internal/storetest"
)

// patience is how long anything may take; nothing here measures speed.
const patience = 2 * time.Minute

// place is where a test runs: which database, and how often it kills.
type place struct {
	dsn   string // of PostgreSQL; empty: SQLite in the data directory
	kills int
	small bool // less work, for the second database
}

// each runs f on SQLite with 20 kills, and on PostgreSQL with a few.
func each(t *testing.T, f func(t *testing.T, p place)) {
	t.Run("sqlite", func(t *testing.T) { f(t, place{kills: 20}) })
	if dsn := os.Getenv("BREAKWATER_TEST_POSTGRES"); dsn != "" {
		t.Run("postgres", func(t *testing.T) { f(t, place{dsn: storetest.PostgresSchema(t, dsn), kills: 4, small: true}) })
	}
}

// server is one data directory and the process that serves it, if one does.
type server struct {
	t     *testing.T
	data  string
	dsn   string
	args  []string
	base  string
	creds iam.Credentials
	token string
	cmd   *exec.Cmd
	ended chan struct{} // closed when cmd is over
	exit  error         // how; read after ended
	down  atomic.Bool   // on purpose
}

// newServer is a server on an empty data directory, not started yet.
func newServer(t *testing.T, dsn string, args ...string) *server {
	t.Helper()
	s := &server{t: t, dsn: dsn, data: filepath.Join(t.TempDir(), "data"), args: args}
	t.Cleanup(func() {
		if s.ended != nil {
			s.kill()
		}
		if t.Failed() {
			t.Logf("the server's last words:\n%s", tail(s.log(), 4000))
		}
	})
	return s
}

func (s *server) log() string { return s.data + ".log" }

// run is the binary with a command on this data directory.
func (s *server) run(ctx context.Context, args ...string) *exec.Cmd {
	bin := os.Getenv("BREAKWATER_BIN")
	if bin == "" {
		s.t.Fatal("BREAKWATER_BIN must name the breakwater binary (make build makes bin/breakwater)")
	}
	args = append(args, "--data", s.data)
	if s.dsn != "" {
		args = append(args, "--postgres", s.dsn)
	}
	cmd := exec.CommandContext(ctx, bin, args...)
	// No setting of whoever runs the tests reaches the server.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "BREAKWATER_") })
	return cmd
}

// start begins to serve, on another free port than before, and waits until it does.
func (s *server) start(more ...string) {
	s.t.Helper()
	listen := freePort(s.t)
	s.base = "http://" + listen
	args := append([]string{"serve", "--listen", listen, "--allow-networks", "127.0.0.0/8", "--feed-every", "0", "--log-level", "warn"}, s.args...)
	s.cmd = s.run(context.Background(), append(args, more...)...)
	must(s.t, os.MkdirAll(filepath.Dir(s.data), 0o700))
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(s.t, err)
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.down.Store(false)
	must(s.t, s.cmd.Start())
	ended := make(chan struct{})
	s.ended = ended
	go func(cmd *exec.Cmd) { s.exit = cmd.Wait(); close(ended) }(s.cmd)
	s.until("the server answers", func() bool {
		resp, err := http.Get(s.base + "/readyz")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	s.creds, err = iam.ReadCredentials(filepath.Join(s.data, "credentials.json"))
	must(s.t, err)
	if s.token == "" {
		s.signIn()
	}
}

// kill ends the process as a power cut would, and waits for its end.
func (s *server) kill() {
	s.down.Store(true)
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// terminate asks the process to end and answers how it did.
func (s *server) terminate() error {
	s.down.Store(true)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.ended:
		return s.exit
	case <-time.After(patience):
		return errors.New("the server does not end")
	}
}

// until asks again and again until the answer is yes. A server that ends
// meanwhile without having been asked to fails the test.
func (s *server) until(what string, done func() bool) {
	s.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-s.ended:
			if !s.down.Load() {
				s.t.Fatalf("%s: the server ended: %v", what, s.exit)
			}
		default:
		}
		select {
		case <-limit.C:
			s.t.Fatalf("%s: not within %s", what, patience)
		case <-tick.C:
		}
	}
}

// look opens the database beside the server, as an operator's command does.
func (s *server) look() *store.DB {
	s.t.Helper()
	db, err := store.Open(s.t.Context(), store.Options{Path: filepath.Join(s.data, "breakwater.db"), Postgres: s.dsn, MaxConns: 2})
	must(s.t, err)
	s.t.Cleanup(func() { _ = db.Close() })
	return db
}

// count is the number that a statement answers.
func count(t *testing.T, db *store.DB, statement string, args ...any) int {
	t.Helper()
	var n int
	if err := db.Writer().QueryRowContext(t.Context(), statement, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return n
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// tail is the end of a file.
func tail(name string, n int64) string {
	f, err := os.Open(name)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > n {
		_, _ = f.Seek(-n, io.SeekEnd)
	}
	b, _ := io.ReadAll(f)
	return string(b)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
