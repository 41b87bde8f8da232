//go:build crash

package crash

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"breakwater"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// TestKillPush kills the server while three clients push images of several
// layers and a fourth goes on with one chunked upload over all the kills.
func TestKillPush(t *testing.T) {
	each(t, func(t *testing.T, p place) {
		s := newServer(t, p.dsn, "--starter=false")
		s.start()
		all := &pushes{server: s, want: map[string]string{}, hashed: map[string]bool{}}
		chunks := &chunked{server: s}
		for round := range p.kills {
			m := newMeter(round)
			var clients sync.WaitGroup
			for n := range 3 {
				clients.Go(func() { all.push(m, n, round) })
			}
			clients.Go(func() { chunks.send(m) })
			<-m.enough
			s.kill()
			clients.Wait()
			s.start()
			all.check(round)
			chunks.check()
		}
		for n := range 3 {
			all.finish(n)
		}
		chunks.finish()
		all.check(p.kills)
		s.until("every image is scanned", func() bool { return s.total("scan_status=success") == len(all.want) })
		all.pull(slices.Sorted(maps.Keys(all.want))...)
	})
}

// pushes is what was pushed: every reference that was answered, with its digest.
type pushes struct {
	server *server
	mu     sync.Mutex
	next   int
	want   map[string]string // answered 201
	open   [3][]int          // begun by a client and not answered
	hashed map[string]bool   // blob files that have been checked
}

// imageNumber is always the same image: a base that all share, a layer that
// some share, and its own.
func imageNumber(t *testing.T, n int) (ref string, img v1.Image) {
	return fmt.Sprintf("g/app%d:v%d", n%5, n), build(t,
		map[string]string{"etc/base": noise(-1, 200_000)},
		map[string]string{"usr/shared": noise(-2-n/4, 100_000)},
		map[string]string{"srv/package-lock.json": lockFile("p0", fmt.Sprint("p", n)), "srv/data": noise(n, 50_000+n%7*40_000)},
	)
}

// push goes on pushing until the server is gone: first what this client was at
// when it was killed before, then new images.
func (p *pushes) push(m *meter, client, round int) {
	t := p.server.t
	for {
		p.mu.Lock()
		if len(p.open[client]) == 0 {
			p.open[client] = []int{p.next}
			p.next++
		}
		n := p.open[client][0]
		p.mu.Unlock()
		ref, img := imageNumber(t, n)
		if err := p.write(ref, img, m); err != nil {
			if !p.server.down.Load() && !m.over() {
				t.Errorf("round %d: push of %s: %v", round, ref, err)
				m.stop()
			}
			return
		}
		p.answered(client, ref, img)
	}
}

func (p *pushes) answered(client int, ref string, img v1.Image) {
	d, err := img.Digest()
	if err != nil {
		p.server.t.Error(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.want[ref], p.open[client] = d.String(), p.open[client][1:]
}

// finish pushes what a client was at when it was killed for the last time.
func (p *pushes) finish(client int) {
	for len(p.open[client]) > 0 {
		ref, img := imageNumber(p.server.t, p.open[client][0])
		must(p.server.t, p.write(ref, img, newMeter(0)))
		p.answered(client, ref, img)
	}
}

// write pushes once; the library's own retries are off.
func (p *pushes) write(ref string, img v1.Image, m *meter) error {
	r, err := p.reference(ref)
	if err != nil {
		return err
	}
	return remote.Write(r, img, remote.WithAuth(p.server.docker()), remote.WithTransport(m), remote.WithJobs(2),
		remote.WithRetryPredicate(func(error) bool { return false }), remote.WithRetryStatusCodes())
}

func (p *pushes) reference(ref string) (name.Reference, error) {
	return name.ParseReference(strings.TrimPrefix(p.server.base, "http://")+"/"+ref, name.Insecure)
}

// check holds the registry, the image list and the files against what was
// answered. A push without an answer may be there, but then as a whole.
func (p *pushes) check(round int) {
	t := p.server.t
	listed, tagged := map[string]string{}, p.tags()
	for ref, i := range p.server.images("") {
		listed[ref] = i.Digest
	}
	if diff := cmp.Diff(tagged, listed); diff != "" {
		t.Fatalf("round %d: the tags (-) and the image list (+) differ:\n%s", round, diff)
	}
	for ref, digest := range p.want {
		if listed[ref] != digest {
			t.Fatalf("round %d: %s was answered with %s and is %q", round, ref, digest, listed[ref])
		}
	}
	var doubtful []string
	for client := range p.open {
		for _, n := range p.open[client] {
			ref, img := imageNumber(t, n)
			d, err := img.Digest()
			must(t, err)
			if got, ok := listed[ref]; ok && got != d.String() {
				t.Fatalf("round %d: %s is %s, pushed was %s", round, ref, got, d)
			} else if ok {
				doubtful = append(doubtful, ref)
			}
		}
	}
	if extra := len(listed) - len(p.want); extra != len(doubtful) {
		t.Fatalf("round %d: %d images that nobody pushed", round, extra-len(doubtful))
	}
	p.pull(doubtful...)
	for ref := range p.want { // one of those that were answered, another each time
		p.pull(ref)
		break
	}
	checkBlobs(t, p.server.data, p.hashed)
}

// tags is every tag of the catalogue with its digest.
func (p *pushes) tags() map[string]string {
	t := p.server.t
	host, err := name.NewRegistry(strings.TrimPrefix(p.server.base, "http://"), name.Insecure)
	must(t, err)
	repos, err := remote.Catalog(t.Context(), host, remote.WithAuth(p.server.docker()))
	must(t, err)
	out := map[string]string{}
	for _, r := range repos {
		repo := host.Repo(strings.Split(r, "/")...)
		tags, err := remote.List(repo, remote.WithAuth(p.server.docker()))
		if err != nil && strings.Contains(err.Error(), "NAME_UNKNOWN") {
			continue
		}
		must(t, err)
		for _, tag := range tags {
			d, err := remote.Head(repo.Tag(tag), remote.WithAuth(p.server.docker()))
			must(t, err)
			out[r+":"+tag] = d.Digest.String()
		}
	}
	return out
}

// pull reads images to the last byte and checks all digests.
func (p *pushes) pull(refs ...string) {
	t := p.server.t
	t.Helper()
	for _, ref := range refs {
		r, err := p.reference(ref)
		must(t, err)
		img, err := remote.Image(r, remote.WithAuth(p.server.docker()))
		if err != nil {
			t.Fatalf("%s: %v", ref, err)
		}
		if err := validate.Image(img); err != nil {
			t.Fatalf("%s: %v", ref, err)
		}
	}
}

// chunked is one upload session that lives as long as the test.
type chunked struct {
	server   *server
	location string
	acked    int // bytes that were answered
	sent     int // bytes that were sent, answered or not
}

const (
	chunk     = 16 << 10
	perRound  = 60
	streamLen = 21 * perRound * chunk
)

var stream = sync.OnceValue(func() string { return noise(-1000, streamLen) })

// send appends chunks until the server is gone.
func (c *chunked) send(m *meter) {
	t := c.server.t
	if c.location == "" {
		status, h, err := c.do(m, "POST", "/v2/g/chunks/blobs/uploads/", 0, 0)
		if err != nil {
			return
		}
		if c.location = h.Get("Location"); status != http.StatusAccepted {
			t.Errorf("begin an upload: %d", status)
		}
	}
	for range perRound {
		from := c.acked
		c.sent = max(c.sent, from+chunk)
		status, h, err := c.do(m, "PATCH", c.location, from, from+chunk)
		if err != nil {
			return
		}
		if want := fmt.Sprintf("0-%d", from+chunk-1); status != http.StatusAccepted || h.Get("Range") != want {
			t.Errorf("chunk at %d: %d, Range %s, want %s", from, status, h.Get("Range"), want)
			return
		}
		c.acked = from + chunk
	}
}

// check asks where the session stands: nothing that was answered is lost, and
// what was not answered may be there in part.
func (c *chunked) check() {
	t := c.server.t
	if c.location == "" {
		return
	}
	status, h, err := c.do(http.DefaultTransport, "GET", c.location, 0, 0)
	must(t, err)
	var last int
	if _, err := fmt.Sscanf(h.Get("Range"), "0-%d", &last); status != http.StatusNoContent || err != nil {
		t.Fatalf("the upload after the kill: %d, Range %q", status, h.Get("Range"))
	}
	size := last + 1
	if last == 0 {
		size = 0
	}
	if size < c.acked || size > c.sent {
		t.Fatalf("the upload holds %d bytes; %d were answered, %d sent", size, c.acked, c.sent)
	}
	c.acked = size
}

// finish ends the session with the digest of what it holds, and reads it back.
func (c *chunked) finish() {
	t := c.server.t
	d := breakwater.DigestOf([]byte(stream()[:c.acked])).String()
	status, _, err := c.do(http.DefaultTransport, "PUT", c.location+"?digest="+d, 0, 0)
	if err != nil || status != http.StatusCreated {
		t.Fatalf("the end of the upload of %d bytes: %d, %v", c.acked, status, err)
	}
	status, h, err := c.do(http.DefaultTransport, "HEAD", "/v2/g/chunks/blobs/"+d, 0, 0)
	if err != nil || status != http.StatusOK || h.Get("Content-Length") != fmt.Sprint(c.acked) {
		t.Fatalf("the blob: %d, %s bytes, want %d, %v", status, h.Get("Content-Length"), c.acked, err)
	}
}

func (c *chunked) do(via http.RoundTripper, method, path string, from, to int) (int, http.Header, error) {
	req, err := http.NewRequest(method, c.server.base+path, strings.NewReader(stream()[from:to]))
	if err != nil {
		return 0, nil, err
	}
	login := c.server.docker()
	req.SetBasicAuth(login.Username, login.Password)
	if to > from {
		req.Header.Set("Content-Range", fmt.Sprintf("%d-%d", from, to-1))
	}
	resp, err := via.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, resp.Header, nil
}
