package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// credentials is the file that the first start writes.
type credentials struct {
	Endpoint    string `json:"endpoint"`
	DomainID    string `json:"domain_id"`
	ProjectID   string `json:"project_id"`
	ProjectName string `json:"project_name"`
	User        string `json:"user"`
	Password    string `json:"password"`
	AccessKey   string `json:"access_key"`
	SecretKey   string `json:"secret_key"`
}

// patience is how long anything may take; nothing here measures speed.
const patience = 3 * time.Minute

// The server of all tests, set once by TestMain.
var (
	creds credentials
	token string
)

func TestMain(m *testing.M) {
	code, err := withServer(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		code = 1
	}
	os.Exit(code)
}

// withServer runs f beside a server on an empty data directory, with no setting
// but the ones here: variables of whoever runs the tests do not reach it. What
// the server logged is shown when f fails. A credential that a test planted and the server
// wrote down whole is a failure too.
func withServer(f func() int) (code int, err error) {
	binary := os.Getenv("BREAKWATER_BIN")
	if binary == "" {
		return 1, errors.New("BREAKWATER_BIN must name the breakwater binary (make build makes bin/breakwater)")
	}
	data, err := os.MkdirTemp("", "breakwater-conformance-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(data)
	listen, err := freePort()
	if err != nil {
		return 1, err
	}
	var log bytes.Buffer
	server := exec.Command(binary, "serve", "--data", filepath.Join(data, "data"), "--listen", listen,
		"--allow-networks", "127.0.0.0/8", "--feed-every", "0")
	server.Env = unset(os.Environ(), "BREAKWATER_")
	server.Stdout, server.Stderr = io.Discard, &log
	if err := server.Start(); err != nil {
		return 1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	defer func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		if wait := <-ended; wait != nil && err == nil {
			err = fmt.Errorf("the server did not end well: %w", wait)
		}
		leaked, walk := leaksIn(filepath.Join(data, "data"), log.Bytes())
		for _, l := range leaked {
			fmt.Fprintln(os.Stderr, "conformance:", l)
			code = 1
		}
		if err == nil {
			err = walk
		}
		if code != 0 || err != nil {
			showLog(log.Bytes())
		}
	}()
	if err := ready("http://"+listen, ended); err != nil {
		return 1, err
	}
	b, err := os.ReadFile(filepath.Join(data, "data", "credentials.json"))
	if err != nil {
		return 1, err
	}
	if err := json.Unmarshal(b, &creds); err != nil {
		return 1, err
	}
	if token, err = newToken(); err != nil {
		return 1, err
	}
	return f(), nil
}

// unset is env without the variables whose names begin with prefix.
func unset(env []string, prefix string) []string {
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, prefix) })
}

// showLog keeps the whole log in a file and prints what is not one request of many.
func showLog(log []byte) {
	if f, err := os.CreateTemp("", "breakwater-conformance-*.log"); err == nil {
		_, _ = f.Write(log)
		_ = f.Close()
		fmt.Fprintln(os.Stderr, "conformance: the server's whole log:", f.Name())
	}
	for line := range bytes.Lines(log) {
		if !bytes.Contains(line, []byte("level=INFO msg=request ")) {
			_, _ = os.Stderr.Write(line)
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// ready waits until the server says so, or has ended.
func ready(base string, ended chan error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("the server ended at once: %v", err)
		case <-ctx.Done():
			return errors.New("the server does not get ready")
		case <-tick.C:
			resp, err := http.Get(base + "/readyz")
			if err != nil {
				continue
			}
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
}

// newToken signs in with the password.
func newToken() (string, error) {
	body, err := json.Marshal(map[string]any{"auth": map[string]any{
		"identity": map[string]any{"methods": []string{"password"}, "password": map[string]any{"user": map[string]any{
			"name": creds.User, "password": creds.Password, "domain": map[string]any{"id": creds.DomainID}}}},
		"scope": map[string]any{"project": map[string]any{"id": creds.ProjectID}},
	}})
	if err != nil {
		return "", err
	}
	resp, err := http.Post(creds.Endpoint+"/v3/auth/tokens", "application/json", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("POST /v3/auth/tokens: %s", resp.Status)
	}
	return resp.Header.Get("X-Subject-Token"), nil
}

// until asks again and again until the answer is yes.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s", what, patience)
		case <-tick.C:
		}
	}
}
