package netguard_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"breakwater/internal/netguard"
)

func client(t *testing.T, g *netguard.Guard, opts netguard.ClientOptions) *http.Client {
	t.Helper()
	c, err := g.Client(opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientRefusesAddresses(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a refused server was reached") }))
	defer srv.Close()
	c := client(t, guard(t, nil, nil), netguard.ClientOptions{})
	for _, url := range []string{srv.URL, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), strings.Replace(srv.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1)} {
		_, err := c.Get(url)
		var refused *netguard.RefusedError
		if !errors.As(err, &refused) || refused.Class != netguard.Loopback {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestRedirects(t *testing.T) {
	var seen http.Header
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Clone() }))
	defer other.Close()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	defer srv.Close()
	to := func(path, target string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, http.StatusFound) })
	}
	to("/metadata", "http://169.254.169.254/latest/meta-data/")
	to("/file", "file:///etc/passwd")
	to("/loop", "/loop")
	to("/other", strings.Replace(other.URL, "http://", "http://evil:pass@", 1)+"/x")
	to("/same", "/landed")
	mux.HandleFunc("/landed", func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Clone() })
	c := client(t, guard(t, []string{"127.0.0.0/8"}, nil), netguard.ClientOptions{})
	get := func(path string) error {
		req, err := http.NewRequest(http.MethodGet, srv.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Basic c2VjcmV0")
		res, err := c.Do(req)
		if err == nil {
			res.Body.Close()
		}
		return err
	}
	var refused *netguard.RefusedError
	if err := get("/metadata"); !errors.As(err, &refused) || refused.Class != netguard.Metadata {
		t.Errorf("to the metadata service: %v", err)
	}
	for _, path := range []string{"/file", "/loop"} {
		if err := get(path); !errors.Is(err, netguard.ErrRedirect) {
			t.Errorf("%s: %v", path, err)
		}
	}
	// The other server differs by port only, where net/http alone would keep
	// the header.
	if err := get("/other"); err != nil || seen.Get("Authorization") != "" || seen.Get("Referer") != "" {
		t.Errorf("to another origin: %v, %v", err, seen)
	}
	if err := get("/same"); err != nil || seen.Get("Authorization") == "" {
		t.Errorf("within the origin: %v, %v", err, seen)
	}
}

func TestTLS(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			http.Redirect(w, r, plain.URL, http.StatusFound)
			return
		}
		fmt.Fprint(w, "ok")
	}))
	defer srv.Close()
	srv.Config.ErrorLog = nil
	loop := guard(t, []string{"127.0.0.0/8"}, nil)
	if _, err := client(t, loop, netguard.ClientOptions{}).Get(srv.URL); err == nil {
		t.Error("a certificate of nobody was trusted")
	}
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	c := client(t, loop, netguard.ClientOptions{RootCAs: bundle})
	res, err := c.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if _, err := c.Get(srv.URL + "/down"); !errors.Is(err, netguard.ErrRedirect) {
		t.Errorf("from https down to http: %v", err)
	}
	if _, err := loop.Client(netguard.ClientOptions{RootCAs: []byte("nothing")}); err == nil {
		t.Error("an empty bundle passed")
	}
}
