package upstream_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/netguard"
	"breakwater/internal/oci"
	"breakwater/internal/upstream"
	"breakwater/internal/upstreamtest"
)

const secret = `p"a$s w:rd`

func guarded(t *testing.T, allow ...string) *http.Client {
	t.Helper()
	prefixes, err := netguard.ParsePrefixes(allow)
	if err != nil {
		t.Fatal(err)
	}
	g, err := netguard.New(netguard.Options{Allow: prefixes})
	if err != nil {
		t.Fatal(err)
	}
	c, err := g.Client(netguard.ClientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func start(t *testing.T, opts upstreamtest.Options) *upstreamtest.Server {
	t.Helper()
	srv := upstreamtest.Start(opts)
	t.Cleanup(srv.Close)
	return srv
}

func lister(t *testing.T, reg breakwater.Registry, password string) upstream.Lister {
	t.Helper()
	l, err := upstream.New(reg, password, upstream.Options{
		HTTP: guarded(t, "127.0.0.0/8"), RequestTimeout: 2 * time.Second, IdleTimeout: 100 * time.Millisecond,
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// all walks to the end; fresh makes a new Lister for every page, as a restart does.
func all(t *testing.T, fresh func() upstream.Lister) (tags []upstream.Tag, pages int) {
	t.Helper()
	for cursor := ""; ; pages++ {
		page, err := fresh().Page(context.Background(), cursor)
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, page.Tags...)
		if page.Done {
			return tags, pages + 1
		}
		if page.Next == "" || page.Next == cursor || pages > 1000 {
			t.Fatalf("page %d does not lead on", pages)
		}
		cursor = page.Next
	}
}

func refs(tags []upstream.Tag) []string {
	var out []string
	for _, tag := range tags {
		out = append(out, tag.Namespace+" "+tag.Name+":"+tag.Version)
	}
	slices.Sort(out)
	return out
}

func wantCode(t *testing.T, err error, codes ...breakwater.ScanCode) {
	t.Helper()
	var e *breakwater.Error
	if !errors.As(err, &e) || e.Kind != breakwater.KindUnavailable || !slices.Contains(codes, breakwater.ScanCode(e.Code)) {
		t.Errorf("err = %v, want code %v", err, codes)
	}
	if err != nil && strings.Contains(err.Error(), secret) {
		t.Errorf("the error tells the password: %v", err)
	}
}

var kinds = []upstreamtest.Kind{upstreamtest.HarborV2, upstreamtest.HarborV1, upstreamtest.Artifactory, upstreamtest.Plain}

func TestListAndPull(t *testing.T) {
	amd := upstreamtest.Image(map[string]string{"etc/os-release": "ID=debian\nVERSION_ID=12\n"})
	arm := upstreamtest.PlatformImage("linux/arm64", map[string]string{"a": "b"})
	index := upstreamtest.Index(amd, arm)
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			srv := start(t, upstreamtest.Options{Kind: kind, Username: "admin", Password: secret})
			srv.Tag("team/app", "v1", amd)
			srv.Tag("team/app", "latest", amd)
			srv.Tag("team/app", "v2", index)
			srv.Tag("team/sub/debian", "bookworm", arm)
			srv.Tag("team/moved", "t", amd)
			srv.Tag("team/moved", "t", arm) // what it named before has no tag now
			srv.Tag("other/x", "1", amd)
			if kind == upstreamtest.HarborV2 {
				srv.Tag("team/chart", "1.0", upstreamtest.Chart("chart"))
			}
			l := lister(t, srv.Registry("reg1"), secret)
			if err := l.Probe(context.Background()); err != nil {
				t.Fatal(err)
			}
			tags, _ := all(t, func() upstream.Lister { return l })
			want := []string{"other x:1", "team app:latest", "team app:v1", "team app:v2", "team moved:t", "team sub/debian:bookworm"}
			if diff := cmp.Diff(want, refs(tags)); diff != "" {
				t.Fatal(diff)
			}
			for _, tag := range tags {
				wantDigest := map[string]breakwater.Digest{"v2": index.Digest, "t": arm.Digest, "bookworm": arm.Digest}[tag.Version]
				if wantDigest == "" {
					wantDigest = amd.Digest
				}
				if tag.Digest != wantDigest {
					t.Errorf("%s is %s", tag.Version, tag.Digest)
				}
				if strings.HasPrefix(string(kind), "harbor") && (tag.Size == 0 || tag.Pushed.IsZero()) {
					t.Errorf("size %d, pushed %s", tag.Size, tag.Pushed)
				}
				src := l.Source(tag.Namespace, tag.Name)
				m, err := src.Manifest(context.Background(), string(tag.Digest))
				if err != nil {
					t.Fatal(err)
				}
				got, err := oci.Resolve(context.Background(), src, m)
				if err != nil || !got.Artifact.Scannable || len(got.Children) != map[string]int{"v2": 2}[tag.Version] {
					t.Errorf("Resolve(%s) = %+v, %v", tag.Version, got, err)
				}
			}
		})
	}
}

// Three thousand repositories, with a new Lister for every page: the cursor
// alone carries the walk.
func TestThreeThousand(t *testing.T) {
	image := upstreamtest.Image(map[string]string{"f": "x"})
	counts := map[upstreamtest.Kind]int{
		upstreamtest.HarborV2: 3000, upstreamtest.Artifactory: 3000, upstreamtest.HarborV1: 600, upstreamtest.Plain: 600,
	}
	for kind, count := range counts {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			srv := start(t, upstreamtest.Options{Kind: kind, Username: "admin", Password: secret})
			var want []string
			for i := range count {
				project, name := fmt.Sprintf("p%02d", i%12), fmt.Sprintf("group/app-%04d", i)
				srv.Tag(project+"/"+name, "v1", image)
				want = append(want, project+" "+name+":v1")
			}
			slices.Sort(want)
			reg := srv.Registry("reg1")
			tags, pages := all(t, func() upstream.Lister { return lister(t, reg, secret) })
			if diff := cmp.Diff(want, refs(tags)); diff != "" {
				t.Error(diff)
			}
			if pages < count/600 {
				t.Errorf("%d pages", pages)
			}
		})
	}
}

// What stays is told, whatever comes and goes around it between two pages.
func TestListsMoveMeanwhile(t *testing.T) {
	image := upstreamtest.Image(map[string]string{"f": "x"})
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			srv := start(t, upstreamtest.Options{Kind: kind, Username: "admin", Password: secret})
			name := func(i int) string { return fmt.Sprintf("team/app-%04d", i) }
			for i := range 400 {
				srv.Tag(name(i), "v1", image)
			}
			reg, got := srv.Registry("reg1"), map[string]bool{}
			l := lister(t, reg, secret)
			for cursor, n := "", 0; ; n++ {
				if n%2 == 1 {
					l = lister(t, reg, secret)
				}
				page, err := l.Page(context.Background(), cursor)
				if err != nil {
					t.Fatal(err)
				}
				for _, tag := range page.Tags {
					got[tag.Namespace+"/"+tag.Name] = true
				}
				if page.Done || n > 100 {
					break
				}
				cursor = page.Next
				if n < 3 { // those told already go away, and the lists move up
					for i := n * 30; i < n*30+25; i++ {
						srv.Remove(name(i))
					}
					srv.Tag(fmt.Sprintf("team/aaa-%d", n), "v1", image)
					srv.Remove("gone/soon")
					srv.Tag(name(200), "v2", image)
				}
			}
			for i := 90; i < 400; i++ {
				if !got[name(i)] {
					t.Errorf("%s was left out", name(i))
				}
			}
		})
	}
}

func TestWrongPassword(t *testing.T) {
	image := upstreamtest.Image(map[string]string{"f": "x"})
	for _, kind := range kinds {
		for _, user := range []string{"admin", "robot$team+ci"} {
			srv := start(t, upstreamtest.Options{Kind: kind, Username: user, Password: secret})
			srv.Tag("library/open", "v1", image)
			srv.Tag("team/app", "v1", image)
			reg := srv.Registry("reg1")
			if err := lister(t, reg, secret).Probe(context.Background()); err != nil {
				t.Errorf("%s, %s, right: %v", kind, user, err)
			}
			wrong := lister(t, reg, secret+"x")
			wantCode(t, wrong.Probe(context.Background()), breakwater.CodeAuthentication)
			_, err := wrong.Page(context.Background(), "")
			wantCode(t, err, breakwater.CodeAuthentication)
			// And from the middle: a cursor does not replace a password.
			page, err := lister(t, reg, secret).Page(context.Background(), "")
			if err != nil || !page.Done {
				t.Fatalf("%s, %s: %v", kind, user, err)
			}
			_, err = wrong.Source("team", "app").Manifest(context.Background(), "v1")
			wantCode(t, err, breakwater.CodeAuthentication)
		}
	}
}

func TestFaults(t *testing.T) {
	image := upstreamtest.Image(map[string]string{"f": "x"})
	// The request that all walks make late: the tags, or the artifacts.
	path := map[upstreamtest.Kind]string{
		upstreamtest.HarborV2: "/artifacts", upstreamtest.HarborV1: "/tags",
		upstreamtest.Artifactory: "/tags/list", upstreamtest.Plain: "/tags/list",
	}
	tests := []struct {
		name  string
		fault upstreamtest.Fault
		code  breakwater.ScanCode // empty: it recovers by itself
	}{
		{"500 twice", upstreamtest.Fault{Times: 2}, ""},
		{"500 for ever", upstreamtest.Fault{}, breakwater.CodeDownloadFailed},
		{"429 once", upstreamtest.Fault{Times: 1, Code: 429, RetryAfter: "3"}, ""},
		{"429 for a day", upstreamtest.Fault{Times: 1, Code: 429, RetryAfter: "86400"}, breakwater.CodeDownloadFailed},
		{"hang-up once", upstreamtest.Fault{Times: 1, How: upstreamtest.HangUp}, ""},
		{"hang-up for ever", upstreamtest.Fault{How: upstreamtest.HangUp}, breakwater.CodeDownloadFailed},
		{"broken body once", upstreamtest.Fault{Times: 1, How: upstreamtest.BreakBody}, ""},
		{"broken body for ever", upstreamtest.Fault{How: upstreamtest.BreakBody}, breakwater.CodeDownloadFailed},
		{"garbage", upstreamtest.Fault{How: upstreamtest.Garbage}, breakwater.CodeDownloadFailed},
	}
	for _, kind := range kinds {
		srv := start(t, upstreamtest.Options{Kind: kind, Username: "admin", Password: secret})
		for i := range 5 {
			srv.Tag(fmt.Sprintf("team/app%d", i), "v1", image)
		}
		for _, tt := range tests {
			l := lister(t, srv.Registry("reg1"), secret)
			tt.fault.Path, tt.fault.Skip = path[kind], 2
			srv.Break(tt.fault)
			page, err := l.Page(context.Background(), "")
			srv.Mend()
			if tt.code != "" {
				wantCode(t, err, tt.code)
				// The same cursor works once the registry is well again.
				page, err = l.Page(context.Background(), "")
			}
			if err != nil || !page.Done || len(page.Tags) != 5 {
				t.Errorf("%s, %s: %d tags, %v", kind, tt.name, len(page.Tags), err)
			}
		}
	}
}

// A 404 for what is still listed is a fault; what left the list is gone.
func TestNotFoundIsChecked(t *testing.T) {
	image := upstreamtest.Image(map[string]string{"f": "x"})
	for kind, path := range map[upstreamtest.Kind]string{
		upstreamtest.HarborV2: "sub%252Fapp", upstreamtest.HarborV1: "/tags", upstreamtest.Artifactory: "/_catalog",
	} {
		srv := start(t, upstreamtest.Options{Kind: kind, Username: "admin", Password: secret})
		srv.Tag("team/sub/app", "v1", image)
		srv.Tag("zoo/x", "v1", image)
		l := lister(t, srv.Registry("reg1"), secret)
		srv.Break(upstreamtest.Fault{Path: path, Code: 404})
		_, err := l.Page(context.Background(), "")
		wantCode(t, err, breakwater.CodeDownloadFailed, breakwater.CodeNotFound)
		srv.Mend()
		page, err := l.Page(context.Background(), "")
		if err != nil || len(page.Tags) != 2 {
			t.Errorf("%s: %d tags, %v", kind, len(page.Tags), err)
		}
	}
}

func TestSlowRegistry(t *testing.T) {
	srv := start(t, upstreamtest.Options{Kind: upstreamtest.HarborV2, Username: "admin", Password: secret})
	l, err := upstream.New(srv.Registry("reg1"), secret, upstream.Options{
		HTTP: guarded(t, "127.0.0.0/8"), RequestTimeout: 50 * time.Millisecond, Attempts: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []upstreamtest.Failure{upstreamtest.Silence, upstreamtest.StallBody} {
		srv.Break(upstreamtest.Fault{How: how})
		wantCode(t, l.Probe(context.Background()), breakwater.CodeTimedOut)
		srv.Mend()
	}
}

func TestDownloadFaults(t *testing.T) {
	image := upstreamtest.Image(map[string]string{"f": strings.Repeat("some content ", 10000)})
	doc, err := oci.Parse(oci.Manifest{Body: image.Body})
	if err != nil {
		t.Fatal(err)
	}
	srv := start(t, upstreamtest.Options{Kind: upstreamtest.HarborV2, Username: "admin", Password: secret})
	srv.Tag("team/app", "v1", image)
	src := lister(t, srv.Registry("reg1"), secret).Source("team", "app")
	read := func() error {
		rc, err := src.Blob(context.Background(), doc.Layers[0].Digest, doc.Layers[0].Size)
		if err != nil {
			return err
		}
		defer rc.Close()
		buf := make([]byte, 512)
		for err == nil {
			_, err = rc.Read(buf)
		}
		if err.Error() == "EOF" {
			return nil
		}
		return err
	}
	for _, how := range []upstreamtest.Failure{upstreamtest.BreakBody, upstreamtest.StallBody} {
		srv.Break(upstreamtest.Fault{Path: "/blobs/", Times: 2, How: how})
		if err := read(); err != nil {
			t.Errorf("%s: %v", how, err)
		}
		srv.Mend()
	}
	srv.Break(upstreamtest.Fault{Path: "/blobs/", How: upstreamtest.WrongByte})
	wantCode(t, read(), breakwater.CodeDownloadFailed)
	srv.Mend()
	srv.SetPassword("another")
	wantCode(t, read(), breakwater.CodeAuthentication)
	srv.SetPassword(secret)
	srv.Lose(doc.Layers[0].Digest)
	if err := read(); !breakwater.IsNotFound(err) {
		t.Errorf("a lost blob: %v", err)
	}
}

func TestRealmAndAddresses(t *testing.T) {
	thief := start(t, upstreamtest.Options{Kind: upstreamtest.Plain, Username: "admin", Password: secret})
	for _, realm := range []string{thief.URL + "/token", "http://169.254.169.254/latest/meta-data/"} {
		for _, kind := range []upstreamtest.Kind{upstreamtest.Plain, upstreamtest.HarborV2} {
			srv := start(t, upstreamtest.Options{Kind: kind, Username: "robot$ci", Password: secret, Realm: realm})
			wantCode(t, lister(t, srv.Registry("reg1"), secret).Probe(context.Background()), breakwater.CodeAuthentication)
		}
	}
	if n := thief.Count(""); n != 0 {
		t.Errorf("the foreign realm was asked %d times", n)
	}
	// Without an allowance for loopback the registry itself is out of reach.
	l, err := upstream.New(thief.Registry("reg1"), secret, upstream.Options{HTTP: guarded(t)})
	if err != nil {
		t.Fatal(err)
	}
	err = l.Probe(context.Background())
	wantCode(t, err, breakwater.CodeDownloadFailed)
	if !strings.Contains(err.Error(), "loopback") || thief.Count("") != 0 {
		t.Errorf("err = %v", err)
	}
	for _, addr := range []string{"169.254.169.254", "[::ffff:169.254.169.254]", "0.0.0.0", "[fe80::1]", "224.0.0.1"} {
		l := lister(t, breakwater.Registry{Type: breakwater.RegistryHarbor, APIVersion: "V2", Protocol: "http", Addr: addr}, "")
		wantCode(t, l.Probe(context.Background()), breakwater.CodeDownloadFailed)
	}
}

func TestPlainVariants(t *testing.T) {
	image := upstreamtest.Image(map[string]string{"f": "x"})
	base := upstreamtest.Options{Kind: upstreamtest.Plain, Username: "u", Password: secret}
	tests := []struct {
		name string
		set  func(*upstreamtest.Options, *breakwater.Registry)
		want []string // nil: refused
	}{
		{"bearer", func(*upstreamtest.Options, *breakwater.Registry) {}, []string{" top:v1", "a b/c:v1"}},
		{"basic", func(o *upstreamtest.Options, _ *breakwater.Registry) { o.BasicOnly = true }, []string{" top:v1", "a b/c:v1"}},
		{"open", func(o *upstreamtest.Options, _ *breakwater.Registry) { o.Username = "" }, []string{" top:v1", "a b/c:v1"}},
		{"no digest header", func(o *upstreamtest.Options, _ *breakwater.Registry) { o.NoDigestHeader = true }, []string{" top:v1", "a b/c:v1"}},
		{"no catalogue", func(o *upstreamtest.Options, _ *breakwater.Registry) { o.NoCatalogue = true }, nil},
		{"no catalogue, named", func(o *upstreamtest.Options, r *breakwater.Registry) {
			o.NoCatalogue = true
			r.Repositories = []string{"a/b/c", "not/there"}
		}, []string{"a b/c:v1"}},
	}
	for _, tt := range tests {
		opts, reg := base, breakwater.Registry{}
		tt.set(&opts, &reg)
		srv := start(t, opts)
		srv.Tag("a/b/c", "v1", image)
		srv.Tag("top", "v1", image)
		reg2 := srv.Registry("reg1")
		reg2.Repositories = reg.Repositories
		l := lister(t, reg2, secret)
		if err := l.Probe(context.Background()); (err == nil) != (tt.want != nil) {
			t.Errorf("%s: Probe: %v", tt.name, err)
		}
		page, err := l.Page(context.Background(), "")
		if (err == nil) != (tt.want != nil) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := cmp.Diff(tt.want, refs(page.Tags)); diff != "" {
			t.Errorf("%s:\n%s", tt.name, diff)
		}
	}
}

func TestProbeWrongAddress(t *testing.T) {
	plain := start(t, upstreamtest.Options{Kind: upstreamtest.Plain})
	for _, kind := range []breakwater.RegistryType{breakwater.RegistryHarbor, breakwater.RegistryJfrog} {
		reg := plain.Registry("reg1")
		reg.Type = kind
		if err := lister(t, reg, "").Probe(context.Background()); breakwater.KindOf(err) != breakwater.KindUnavailable {
			t.Errorf("a plain registry as %s: %v", kind, err)
		}
	}
	for _, reg := range []breakwater.Registry{
		{Type: "Nexus", Protocol: "https", Addr: "h"},
		{Type: breakwater.RegistryHarbor, APIVersion: "V3", Protocol: "https", Addr: "h"},
		{Type: breakwater.RegistryOther, Protocol: "https", Addr: "h", Repositories: []string{"../x"}},
	} {
		if _, err := upstream.New(reg, "", upstream.Options{HTTP: http.DefaultClient}); breakwater.KindOf(err) != breakwater.KindInvalid {
			t.Errorf("New(%+v): %v", reg, err)
		}
	}
}

// A cursor that is none of this walk's is the start.
func TestForeignCursor(t *testing.T) {
	srv := start(t, upstreamtest.Options{Kind: upstreamtest.Plain})
	srv.Tag("a/b", "v1", upstreamtest.Image(map[string]string{"f": "x"}))
	for _, cursor := range []string{"harbor.e30", "oci.!", "oci.", "oci.W10", "x", "oci." + strings.Repeat("a", 1<<16)} {
		page, err := lister(t, srv.Registry("r"), "").Page(context.Background(), cursor)
		if err != nil || !page.Done || len(page.Tags) != 1 {
			t.Errorf("%.20q: %+v, %v", cursor, page, err)
		}
	}
}

func TestRedirectToMetadata(t *testing.T) {
	for _, kind := range kinds {
		srv := start(t, upstreamtest.Options{Kind: kind, Username: "admin", Password: secret})
		srv.Tag("team/app", "v1", upstreamtest.Image(map[string]string{"f": "x"}))
		l := lister(t, srv.Registry("reg1"), secret)
		srv.Break(upstreamtest.Fault{How: upstreamtest.Redirect, To: "http://169.254.169.254/latest/meta-data/"})
		for _, err := range []error{l.Probe(context.Background()), func() error { _, err := l.Page(context.Background(), ""); return err }()} {
			wantCode(t, err, breakwater.CodeDownloadFailed)
			if err != nil && !strings.Contains(err.Error(), "cloud metadata") {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}
