package child

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"breakwater"
	"breakwater/internal/oci"
)

// TestServeOverTCP: the protocol needs neither a unix socket nor a process.
func TestServeOverTCP(t *testing.T) {
	d, err := NewDesk(NewToken(), DeskOptions{Cache: &memory{}, Version: testVersion})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.StripPrefix("/exec/7", d))
	defer server.Close()
	served, exited := make(chan error, 1), make(chan int, 1)
	go func() {
		served <- Serve(context.Background(), Endpoint{URL: server.URL + "/exec/7/", Token: d.token},
			func(c Cache) (Scanner, error) { return planted{c}, nil },
			ServeOptions{Exit: func(code int) { exited <- code }})
	}()
	m := newImage("one", "two")
	for range 2 {
		inv, err := d.Do(t.Context(), m.task(plantGood))
		if err != nil || inv.Digest != m.digest || len(inv.Layers) != 2 {
			t.Errorf("%+v %v", inv, err)
		}
	}
	if _, err := d.Do(t.Context(), m.task(plantPanic)); err == nil || !strings.Contains(err.Error(), "planted panic") {
		t.Errorf("got %v", err)
	}
	if err := <-served; err == nil || !strings.Contains(err.Error(), "planted panic") {
		t.Errorf("Serve went on after a panic: %v", err)
	}
}

// TestServeEndsWithItsParent: a scan that heeds nothing ends with the leash.
func TestServeEndsWithItsParent(t *testing.T) {
	d, err := NewDesk(NewToken(), DeskOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(d)
	defer server.Close()
	exited := make(chan int, 1)
	ctx, cancel := context.WithCancel(t.Context())
	var serve sync.WaitGroup
	serve.Go(func() {
		_ = Serve(ctx, Endpoint{URL: server.URL, Token: d.token},
			func(c Cache) (Scanner, error) { return waiting{}, nil },
			ServeOptions{Exit: func(code int) { exited <- code; cancel() }})
	})
	serve.Go(func() {
		if _, err := d.Do(t.Context(), newImage("a").task(plantGood)); !errors.Is(err, errClosed) {
			t.Error(err)
		}
	})
	time.Sleep(100 * time.Millisecond)
	d.Close()
	select {
	case code := <-exited:
		if code != exitLeash {
			t.Errorf("exit %d", code)
		}
	case <-time.After(20 * time.Second):
		t.Error("it lives on")
	}
	serve.Wait()
}

// waiting scans until its context ends, which here is the end of the process.
type waiting struct{}

func (waiting) Scan(ctx context.Context, _ oci.Source, _ breakwater.Digest, _ breakwater.Scope) (breakwater.Inventory, error) {
	<-ctx.Done()
	return breakwater.Inventory{}, ctx.Err()
}

// TestHostileRequests is what a child that was taken over may try.
func TestHostileRequests(t *testing.T) {
	m := newImage("one", "two")
	secret := breakwater.DigestOf([]byte("another image's layer"))
	m.blobs[secret] = []byte("another image's layer")
	key := func(d breakwater.Digest) string { return "?key=" + testVersion + "/" + d.String() }
	result := func(change func(*breakwater.Inventory)) string {
		inv := breakwater.Inventory{Digest: m.digest, Layers: []breakwater.LayerRef{{Digest: m.layers[0], Size: 3}, {Digest: m.layers[1], Size: 3}}}
		change(&inv)
		b, _ := json.Marshal(inv)
		return string(b)
	}
	tests := []struct {
		name, method, path, body string
		token                    string // "": the right one
		unread                   bool   // the manifest was not asked for
		want                     int
		ends                     bool // the task, with an error
	}{
		{name: "no token", method: "GET", path: "/manifest/" + m.digest.String(), token: "x", want: 401},
		{name: "the manifest", method: "GET", path: "/manifest/" + m.digest.String(), want: 200},
		{name: "another manifest", method: "GET", path: "/manifest/" + secret.String(), want: 404},
		{name: "a tag", method: "GET", path: "/manifest/latest", want: 404},
		{name: "a layer", method: "GET", path: "/blob/" + m.layers[0].String(), want: 200},
		{name: "a layer too early", method: "GET", path: "/blob/" + m.layers[0].String(), unread: true, want: 404},
		{name: "a blob of another image", method: "GET", path: "/blob/" + secret.String(), want: 404},
		{name: "no digest", method: "GET", path: "/blob/..%2f..%2fetc%2fpasswd", want: 400},
		{name: "facts of another layer", method: "GET", path: "/facts" + key(secret), want: 403},
		{name: "facts of another version", method: "GET", path: "/facts?key=other/" + m.layers[0].String(), want: 403},
		{name: "facts without a layer", method: "GET", path: "/facts?key=" + testVersion + "/x", want: 400},
		{name: "facts not asked for", method: "PUT", path: "/facts" + key(m.layers[0]), body: "x", want: 403},
		{name: "facts put for another layer", method: "PUT", path: "/facts" + key(secret), body: "x", want: 403},
		{name: "another task", method: "GET", path: "/../OTHER/manifest/" + m.digest.String(), want: 410},
		{name: "deleting", method: "DELETE", path: "/facts", want: 405},
		{name: "a result", method: "POST", path: "/result", body: result(func(*breakwater.Inventory) {}), want: 204, ends: true},
		{name: "a result without reading", method: "POST", path: "/result", unread: true, body: result(func(*breakwater.Inventory) {}), want: 500, ends: true},
		{name: "other layers", method: "POST", path: "/result", body: result(func(i *breakwater.Inventory) { i.Layers[1].Digest = secret }), want: 500, ends: true},
		{name: "a layer less", method: "POST", path: "/result", body: result(func(i *breakwater.Inventory) { i.Layers = i.Layers[:1] }), want: 500, ends: true},
		{name: "counts below zero", method: "POST", path: "/result", body: result(func(i *breakwater.Inventory) { i.Bytes = -1 }), want: 500, ends: true},
		{name: "two results", method: "POST", path: "/result", body: result(func(*breakwater.Inventory) {}) + "{}", want: 500, ends: true},
		{name: "a memory bomb", method: "POST", path: "/result", body: `{"packages":[` + strings.Repeat("{},", 2<<20) + `{}]}`, want: 413, ends: true},
		{name: "deep", method: "POST", path: "/result", body: strings.Repeat("[", 1<<20), want: 500, ends: true},
		{name: "an endless error", method: "POST", path: "/fault", body: `{"message":"` + strings.Repeat("x", maxFault) + `"}`, want: 400, ends: true},
		{name: "an error", method: "POST", path: "/fault", body: `{"kind":"not_found"}`, want: 204, ends: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := NewDesk(NewToken(), DeskOptions{Cache: &memory{}, Version: testVersion})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(d)
			defer server.Close()
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := d.Do(ctx, m.task(plantGood))
				done <- err
			}()
			r := &remote{base: server.URL, token: d.token, http: server.Client()}
			o, err := r.next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			r.now.Store(&o)
			if !tt.unread {
				if _, err := r.Manifest(t.Context(), m.digest.String()); err != nil {
					t.Fatal(err)
				}
			}
			path := strings.Replace("/task/"+o.ID+tt.path, o.ID+"/../", "", 1)
			req, _ := http.NewRequest(tt.method, server.URL+path, strings.NewReader(tt.body))
			token := tt.token
			if token == "" {
				token = d.token
			}
			req.Header.Set("Authorization", "Bearer "+token)
			res, err := server.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if res.StatusCode != tt.want {
				t.Errorf("%d %s, want %d", res.StatusCode, body, tt.want)
			}
			if bytes.Contains(body, []byte("another image's")) {
				t.Error("it was handed out")
			}
			if !tt.ends {
				cancel()
				if err := <-done; !errors.Is(err, context.Canceled) {
					t.Errorf("the task ended: %v", err)
				}
			} else if err := <-done; (err == nil) != (tt.name == "a result") {
				t.Errorf("the task ended: %v", err)
			}
			cancel()
		})
	}
}

// TestEveryLayerIsChecked finds every field of an inventory that names a layer,
// so that a new one is not forgotten.
func TestEveryLayerIsChecked(t *testing.T) {
	m := newImage("one")
	d, _ := NewDesk(NewToken(), DeskOptions{})
	e, end, err := d.begin(m.task(plantGood))
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	if _, err := e.manifest(t.Context()); err != nil {
		t.Fatal(err)
	}
	fresh := func() *breakwater.Inventory {
		return &breakwater.Inventory{Digest: m.digest, Layers: []breakwater.LayerRef{{Digest: m.layers[0], Size: 3}}}
	}
	if err := checkInventory(fresh(), m.digest, e.doc); err != nil {
		t.Fatal(err)
	}
	found := 0
	var walk func(typ reflect.Type, at func(*breakwater.Inventory) reflect.Value, name string)
	walk = func(typ reflect.Type, at func(*breakwater.Inventory) reflect.Value, name string) {
		switch {
		case typ == reflect.TypeFor[breakwater.Digest]():
			inv := fresh()
			at(inv).SetString("sha256:evil")
			found++
			if checkInventory(inv, m.digest, e.doc) == nil {
				t.Errorf("%s is not checked", name)
			}
		case typ.Kind() == reflect.Struct && typ != reflect.TypeFor[time.Time]():
			for i := range typ.NumField() {
				walk(typ.Field(i).Type, func(inv *breakwater.Inventory) reflect.Value { return at(inv).Field(i) }, name+"."+typ.Field(i).Name)
			}
		case typ.Kind() == reflect.Slice:
			walk(typ.Elem(), func(inv *breakwater.Inventory) reflect.Value {
				s := at(inv)
				if s.Len() == 0 {
					s.Set(reflect.MakeSlice(typ, 1, 1))
				}
				return s.Index(0)
			}, name+"[]")
		}
	}
	walk(reflect.TypeFor[breakwater.Inventory](), func(inv *breakwater.Inventory) reflect.Value { return reflect.ValueOf(inv).Elem() }, "Inventory")
	if found < 10 {
		t.Errorf("only %d digests found", found)
	}
}

func TestFaultCrosses(t *testing.T) {
	tests := []struct {
		name string
		in   error
		want breakwater.Error // of the error that comes out; Err is compared by text
		text string
	}{
		{"product", &breakwater.Error{Kind: breakwater.KindInvalid, Field: "f", Code: "c", Message: "m", Err: errors.New("e")},
			breakwater.Error{Kind: breakwater.KindInvalid, Field: "f", Code: "c", Message: "m"}, "f: m: f: m: e"},
		{"wrapped", fmt.Errorf("op: %w", breakwater.NotFound("it")), breakwater.Error{Kind: breakwater.KindNotFound, Message: "it not found"}, "it not found: op: it not found"},
		{"unknown words", &breakwater.Error{Kind: "evil", Code: "<script>", Message: "a\x1b[31mb\nc"},
			breakwater.Error{Kind: breakwater.KindInternal, Code: "unknown_error", Message: "a\ufffd[31mb\nc"}, "a\ufffd[31mb\nc: a\ufffd[31mb\nc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := faultOf(tt.in).err()
			var e *breakwater.Error
			if !errors.As(out, &e) {
				t.Fatal(out)
			}
			if e.Kind != tt.want.Kind || e.Field != tt.want.Field || e.Code != tt.want.Code || e.Message != tt.want.Message || e.Error() != tt.text {
				t.Errorf("%#v, %q", e, e.Error())
			}
		})
	}
	if out := faultOf(errors.New("plain")).err(); breakwater.KindOf(out) != breakwater.KindInternal || out.Error() != "plain" {
		t.Error(out)
	}
	long := faultOf(errors.New(strings.Repeat("ä", 1<<20)))
	if n := len(long.err().Error()); n > maxDetail+8 {
		t.Errorf("%d bytes", n)
	}
}

func TestWatchdog(t *testing.T) {
	code := 0
	watchdog(t.Context(), 1, func(c int) { code = c })
	if code != exitMemory {
		t.Errorf("exit %d", code)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*watchTime)
	defer cancel()
	watchdog(ctx, 1<<50, func(c int) { t.Errorf("exit %d", c) })
}

func TestLastWords(t *testing.T) {
	var l lastWords
	fmt.Fprint(&l, "panic: why\n")
	for i := range 10000 {
		fmt.Fprintf(&l, "frame %d\n", i)
	}
	s := l.String()
	if !strings.HasPrefix(s, "panic: why\n") || !strings.HasSuffix(s, "frame 9999\n") || len(s) > maxDetail+100 {
		t.Errorf("%d bytes: %.40s … %s", len(s), s, s[len(s)-40:])
	}
	l.reset()
	fmt.Fprint(&l, "short")
	if s := l.String(); s != "short" {
		t.Error(s)
	}
}

func TestClaims(t *testing.T) {
	errandOf := func(ctx context.Context) *errand { return &errand{ctx: ctx, claimed: map[string]bool{}} }
	layer := breakwater.DigestOf(nil)
	synctest.Test(t, func(t *testing.T) {
		c := NewClaims()
		a, b := errandOf(t.Context()), errandOf(t.Context())
		took := func(e *errand) time.Duration {
			began := time.Now()
			if err := c.acquire(t.Context(), e, "k", layer); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		if d := took(a); d != 0 {
			t.Errorf("a free claim took %s", d)
		}
		if d := took(b); d != claimIdle {
			t.Errorf("a holder that does nothing held for %s", d)
		}
		if d := took(a); d != 0 {
			t.Errorf("one who lost the claim waits %s", d)
		}
		// b reads: its claim lasts as long, and a third waits no longer than it must.
		c.reading(b, layer, +1)
		d := errandOf(t.Context())
		if took := took(d); took != claimWait {
			t.Errorf("waited %s for a slow reader", took)
		}
		go func() {
			time.Sleep(time.Second)
			c.reading(b, layer, -1)
		}()
		if took := took(d); took != time.Second+claimIdle {
			t.Errorf("waited %s after the end of reading", took)
		}
		c.releaseAll(d)
		go func() {
			time.Sleep(time.Second)
			c.releaseAll(d)
		}()
		if len(c.held) != 0 {
			t.Errorf("%d claims are left", len(c.held))
		}
		synctest.Wait()
		time.Sleep(2 * time.Second)
	})
	synctest.Test(t, func(t *testing.T) {
		c := NewClaims()
		a := errandOf(t.Context())
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := c.acquire(t.Context(), a, "k", layer); err != nil {
			t.Error(err)
		}
		if err := c.acquire(over, errandOf(t.Context()), "k", layer); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		c.releaseAll(a)
	})
}

// FuzzFrugal: whatever the bytes, they are refused or decoded without taking
// much more memory than was allowed, and what is good JSON of little cost passes.
func FuzzFrugal(f *testing.F) {
	for _, s := range []string{`{"packages":[{},{}]}`, `{"os":{"id":"a\"b\\"}}`, `[[[`, `{} }`, `"\`, `{"a":[1,2,[3]]} x`, strings.Repeat("[", 100)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var plain, checked breakwater.Inventory
		want := json.Unmarshal(raw, &plain)
		err := decodeFrugal(raw, &checked, 1<<20)
		if want != nil && err == nil {
			t.Fatalf("decoded %q", raw)
		}
		elements := len(plain.Packages) + len(plain.Layers) + len(plain.Secrets) + len(plain.Configs) + len(plain.Notable) + len(plain.History)
		if err == nil && elements*elementCost > 1<<20 {
			t.Fatalf("%d elements passed", elements)
		}
	})
}

// FuzzFault: no error of a child is more than it may be.
func FuzzFault(f *testing.F) {
	f.Add([]byte(`{"kind":"invalid","code":"a","message":"m","detail":"d","retire":true}`))
	f.Add([]byte(`{"kind":"","detail":"\u0000"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var in fault
		if json.Unmarshal(raw, &in) != nil {
			return
		}
		err := in.err()
		var e *breakwater.Error
		if errors.As(err, &e) && (!knownKind(e.Kind) || !word(e.Code) || len(e.Message) > 4*maxMessage) {
			t.Fatalf("%#v", e)
		}
		if strings.ContainsAny(err.Error(), "\x00\x1b\r") {
			t.Fatalf("%q", err)
		}
	})
}

// TestElementCost: no element of an array of an inventory is larger than it is
// counted, grown slices included.
func TestElementCost(t *testing.T) {
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() {
		case reflect.Slice:
			if n := typ.Elem().Size(); 2*n > elementCost {
				t.Errorf("%s has %d bytes", typ.Elem(), n)
			}
			walk(typ.Elem())
		case reflect.Struct:
			for i := range typ.NumField() {
				walk(typ.Field(i).Type)
			}
		case reflect.Map:
			walk(typ.Elem())
		}
	}
	walk(reflect.TypeFor[breakwater.Inventory]())
}

// TestHeavyRequestsWait: however many connections a child opens, its parent
// reads one result and a few bodies of facts at a time.
func TestHeavyRequestsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		places := make(chan struct{}, 2)
		var releases []func()
		for range 2 {
			release, err := hold(t.Context(), places)
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, release)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := hold(ctx, places); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a third was let in: %v", err)
		}
		releases[0]()
		if _, err := hold(t.Context(), places); err != nil {
			t.Error(err)
		}
	})
}
