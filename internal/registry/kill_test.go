package registry_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"breakwater"
	"breakwater/internal/registry/registrytest"
)

// childDir makes the test binary a registry instead, in a directory.
const childDir = "BREAKWATER_REGISTRY_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		w, err := registrytest.Child(dir)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(w.Server.URL)
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent goes
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is a registry that can be killed with kill -9.
type child struct {
	url       string
	kill      func()
	responses atomic.Int64
	killAt    int64 // the response at which it dies
}

func startChild(t *testing.T, dir string, killAt int64) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	c := &child{url: strings.TrimSpace(line), killAt: killAt}
	c.kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(c.kill)
	return c
}

// do sends one request; ok is false when the registry is dead.
func (c *child) do(method, path, body, contentRange string) (a answer, ok bool) {
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		return a, false
	}
	req.SetBasicAuth("alpha@operator", registrytest.Password)
	if contentRange != "" {
		req.Header.Set("Content-Range", contentRange)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, false
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return a, false
	}
	if c.responses.Add(1) == c.killAt {
		c.kill()
	}
	return answer{res.StatusCode, res.Header, b}, true
}

func killLayer(i int64) string { return strings.Repeat(fmt.Sprintf("%08d", i), 16<<10) }

// push pushes image i in two chunks; true means that the registry said it is there.
func (c *child) push(t *testing.T, i int64) bool {
	layer := killLayer(i)
	half := len(layer) / 2
	a, ok := c.do("POST", "/v2/g/app/blobs/uploads/", "", "")
	loc := a.header.Get("Location")
	for _, step := range []struct {
		method, path, body, contentRange string
		status                           int
	}{
		{"PATCH", loc, layer[:half], fmt.Sprintf("0-%d", half-1), 202},
		{"PATCH", loc, layer[half:], fmt.Sprintf("%d-%d", half, len(layer)-1), 202},
		{"PUT", loc + "?digest=" + breakwater.DigestOf([]byte(layer)).String(), "", "", 201},
		{"POST", "/v2/g/app/blobs/uploads/?digest=" + breakwater.DigestOf([]byte(config)).String(), config, "", 201},
		{"PUT", fmt.Sprint("/v2/g/app/manifests/v", i), imageManifest(config, layer, ""), "", 201},
	} {
		if !ok {
			return false
		}
		if a, ok = c.do(step.method, step.path, step.body, step.contentRange); ok && a.status != step.status {
			t.Errorf("image %d, %s: %d %s", i, step.method, a.status, a.body)
			return false
		}
	}
	return ok
}

// TestKill kills the registry 20 times while three clients push. Every image
// that it said it has is there afterwards, and every tag that it lists names an
// image that is there whole.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	var next atomic.Int64
	var mu sync.Mutex
	said := map[int64]bool{}
	for range 20 {
		c := startChild(t, dir, 1+rand.Int64N(30))
		var clients sync.WaitGroup
		for range 3 {
			clients.Go(func() {
				for i := next.Add(1); c.push(t, i); i = next.Add(1) {
					mu.Lock()
					said[i] = true
					mu.Unlock()
				}
			})
		}
		clients.Wait()
		c.kill()
	}
	c := startChild(t, dir, -1)
	a, ok := c.do("GET", "/v2/g/app/tags/list", "", "")
	var list struct{ Tags []string }
	if err := json.Unmarshal(a.body, &list); !ok || err != nil {
		t.Fatalf("tags: %d %s", a.status, a.body)
	}
	for i := range said {
		if !slices.Contains(list.Tags, fmt.Sprint("v", i)) {
			t.Errorf("image %d is lost", i)
		}
	}
	for _, tag := range list.Tags {
		var i int64
		_, err := fmt.Sscanf(tag, "v%d", &i)
		must(t, err)
		layer := killLayer(i)
		m, _ := c.do("GET", "/v2/g/app/manifests/"+tag, "", "")
		l, _ := c.do("GET", "/v2/g/app/blobs/"+breakwater.DigestOf([]byte(layer)).String(), "", "")
		g, _ := c.do("GET", "/v2/g/app/blobs/"+breakwater.DigestOf([]byte(config)).String(), "", "")
		if string(m.body) != imageManifest(config, layer, "") || string(l.body) != layer || string(g.body) != config {
			t.Errorf("%s is not whole: %d %d %d", tag, m.status, l.status, g.status)
		}
	}
	if len(said) == 0 {
		t.Error("no push came through")
	}
	t.Logf("%d images pushed, %d said to be there, %d listed", next.Load(), len(said), len(list.Tags))
}
