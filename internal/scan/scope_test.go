package scan_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/malware"
)

// everything is an image that each of the checks that can be asked for finds
// something in.
func everything(t testing.TB, r *repository) breakwater.Digest {
	t.Helper()
	return r.imageOf(t, `{"architecture":"amd64","os":"linux","config":{"Env":["TOKEN=`+envToken+`"]},"history":[{"created_by":"ADD x /"}]}`,
		gz(t, entry{name: "srv/settings.py", body: "token = \"" + fileToken + "\"\n"}, entry{name: "opt/a.com", body: eicar},
			entry{name: "etc/ssh/sshd_config", body: "PermitRootLogin yes\n"}, entry{name: "app/yarn.lock", body: yarnLock}))
}

// found counts what each check found.
func found(inv breakwater.Inventory) map[breakwater.Check]int {
	return map[breakwater.Check]int{breakwater.CheckSecret: len(inv.Secrets), breakwater.CheckFile: len(inv.Malware), breakwater.CheckBaseline: len(inv.Configs), breakwater.CheckSoftware: len(inv.Packages)}
}

// TestScope: what is not asked for is not answered, whatever the cache holds, and
// blanks nothing that an earlier scan found.
func TestScope(t *testing.T) {
	all := map[breakwater.Check]int{breakwater.CheckSecret: 2, breakwater.CheckFile: 1, breakwater.CheckBaseline: 1, breakwater.CheckSoftware: 1}
	tests := []struct {
		name  string
		scope breakwater.Scope
		asked []breakwater.Check
	}{
		{"vulnerabilities", breakwater.ScopeVulnerability, nil},
		{"secrets", breakwater.ScopeSensitive, []breakwater.Check{breakwater.CheckSecret}},
		{"malware", breakwater.ScopeMalware, []breakwater.Check{breakwater.CheckFile}},
		{"baseline", breakwater.ScopeBaseline, []breakwater.Check{breakwater.CheckBaseline}},
		{"two", breakwater.ScopeBaseline | breakwater.ScopeMalware, []breakwater.Check{breakwater.CheckBaseline, breakwater.CheckFile}},
	}
	for _, warm := range []bool{false, true} {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				r := newRepository()
				digest := everything(t, r)
				s := newScanner(t, newMemory(), allChecks(t, malware.Options{}))
				before := breakwater.Inventory{}
				if warm {
					before = mustScan(t, s, r, digest, breakwater.ScopeAll)
				}
				inv := mustScan(t, s, r, digest, tt.scope)
				want := map[breakwater.Check]int{breakwater.CheckSoftware: 1, breakwater.CheckSecret: 0, breakwater.CheckFile: 0, breakwater.CheckBaseline: 0}
				for _, c := range tt.asked {
					want[c] = all[c]
				}
				if diff := cmp.Diff(want, found(inv)); diff != "" {
					t.Errorf("with a warm cache %v (-want +got):\n%s", warm, diff)
				}
				for c := range all {
					state := breakwater.StateNotAsked
					if want[c] > 0 {
						state = breakwater.StateDone
					}
					if got := coverageOf(inv, c); got.State != state {
						t.Errorf("coverage: %+v, want %s", got, state)
					}
				}
				if text := strings.Join(inv.Setup.Env, " "); strings.Contains(text, envToken) || !strings.Contains(text, "TOKEN=") {
					t.Errorf("the environment: %q", text)
				}
				if !warm {
					// A wider scan after a narrow one finds the rest.
					before = mustScan(t, s, r, digest, breakwater.ScopeAll)
				}
				if diff := cmp.Diff(all, found(before)); diff != "" {
					t.Errorf("the scan of all (-want +got):\n%s", diff)
				}
				inv.Carry(before)
				if diff := cmp.Diff(all, found(inv)); diff != "" {
					t.Errorf("carried on (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// daemon is a clamd that can be turned off, hang, and have a new database.
type daemon struct {
	addr    string
	version atomic.Pointer[string]
	hang    chan struct{} // closed at the end
	hanging atomic.Bool
	asked   atomic.Int64 // files
	serving sync.WaitGroup
}

func newDaemon(t testing.TB) *daemon {
	dir, err := os.MkdirTemp("", "clamd") // short: a socket's path has a limit
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{addr: filepath.Join(dir, "s"), hang: make(chan struct{})}
	d.release("1")
	t.Cleanup(func() { close(d.hang); d.serving.Wait(); _ = os.RemoveAll(dir) })
	return d
}

func (d *daemon) release(v string) {
	v = "ClamAV 1.4.1/" + v + "/Thu Jan  1 00:00:00 2026"
	d.version.Store(&v)
}

// start listens; what it answers ends it again.
func (d *daemon) start(t testing.TB) (stop func()) {
	t.Helper()
	l, err := net.Listen("unix", d.addr)
	if err != nil {
		t.Fatal(err)
	}
	d.serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.serving.Go(func() { defer c.Close(); d.serve(c) })
		}
	})
	once := sync.OnceFunc(func() { _ = l.Close() })
	t.Cleanup(once)
	return once
}

func (d *daemon) serve(c net.Conn) {
	in := bufio.NewReader(c)
	command, err := in.ReadString(0)
	if err != nil {
		return
	}
	if strings.HasPrefix(command, "zPING") {
		_, _ = io.WriteString(c, "PONG\x00")
		return
	}
	if !strings.HasPrefix(command, "zINSTREAM") {
		_, _ = io.WriteString(c, *d.version.Load()+"\x00")
		return
	}
	d.asked.Add(1)
	if d.hanging.Load() {
		<-d.hang
		return
	}
	var content []byte
	for {
		var size uint32
		if err := binary.Read(in, binary.BigEndian, &size); err != nil {
			return
		}
		if size == 0 {
			break
		}
		chunk := make([]byte, size)
		if _, err := io.ReadFull(in, chunk); err != nil {
			return
		}
		content = append(content, chunk...)
	}
	if strings.Contains(string(content), "PLANTED") {
		_, _ = io.WriteString(c, "stream: Planted.Thing-1 FOUND\x00")
		return
	}
	_, _ = io.WriteString(c, "stream: OK\x00")
}

// TestClamdAway fails the file check alone, and the next scan asks again.
func TestClamdAway(t *testing.T) {
	d := newDaemon(t)
	r := newRepository()
	digest := r.image(t, gz(t, entry{name: "opt/thing", body: "PLANTED"}, entry{name: "opt/a.com", body: eicar}, entry{name: "app/yarn.lock", body: yarnLock}))
	s := newScanner(t, newMemory(), allChecks(t, malware.Options{Clamd: "unix:" + d.addr, ClamdTimeout: 300 * time.Millisecond}))
	away := func(step string) {
		t.Helper()
		inv := mustScan(t, s, r, digest, breakwater.ScopeAll)
		for _, c := range inv.Coverage {
			failed := c.State == breakwater.StateFailed
			if failed != (c.Check == breakwater.CheckFile) || failed && (c.Code != breakwater.CodeFile || !strings.Contains(c.Reason, "clamd")) {
				t.Errorf("%s: %+v", step, c)
			}
		}
		if code, _ := inv.Failed(); code != breakwater.CodeFile || len(inv.Packages) != 1 || len(inv.Malware) != 1 {
			t.Errorf("%s: code %q, %d packages, %q", step, code, len(inv.Packages), malwareLines(inv))
		}
	}
	there := func(step string, asked int64) {
		t.Helper()
		before := d.asked.Load()
		inv := mustScan(t, s, r, digest, breakwater.ScopeAll)
		if diff := cmp.Diff([]string{"opt/a.com [] signature 0", "opt/thing [] clamd 0"}, malwareLines(inv)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
		if c := coverageOf(inv, breakwater.CheckFile); c.State != breakwater.StateDone {
			t.Errorf("%s: %+v", step, c)
		}
		if n := d.asked.Load() - before; n != asked {
			t.Errorf("%s: asked about %d files, want %d", step, n, asked)
		}
	}
	away("not started")
	stop := d.start(t)
	d.hanging.Store(true)
	away("hangs")
	d.hanging.Store(false)
	there("started", 3)
	there("facts are kept", 0)
	d.release("2")
	there("new signatures", 3)
	stop()
	away("gone again")
}

// TestClamdHangs: a daemon that accepts and never answers costs a few of its time
// limits, not one for each file.
func TestClamdHangs(t *testing.T) {
	d := newDaemon(t)
	d.start(t)
	d.hanging.Store(true)
	var layers []blobLayer
	for i := range 5 {
		var files []entry
		for j := range 40 {
			files = append(files, entry{name: "srv/f" + string(rune('a'+i)) + string(rune('0'+j)), body: strings.Repeat("x", 1+i*40+j)})
		}
		layers = append(layers, gz(t, files...))
	}
	r := newRepository()
	s := newScanner(t, nil, allChecks(t, malware.Options{Clamd: "unix:" + d.addr, ClamdTimeout: 200 * time.Millisecond}))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	inv, err := s.Scan(ctx, r, r.image(t, layers...), breakwater.ScopeAll)
	if err != nil {
		t.Fatal(err)
	}
	if c := coverageOf(inv, breakwater.CheckFile); c.State != breakwater.StateFailed || c.Code != breakwater.CodeFile {
		t.Errorf("%+v", c)
	}
	if n := d.asked.Load(); n > 30 {
		t.Errorf("asked about %d files", n)
	}
}
