package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	f := pflag.NewFlagSet("test", pflag.ContinueOnError)
	serveFlags(f)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestConfigurationDocument holds docs/configuration.md to the flags.
func TestConfigurationDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	flags(t).VisitAll(func(f *pflag.Flag) {
		if !strings.Contains(string(doc), "`"+f.Name+"`") {
			t.Errorf("docs/configuration.md does not speak of %s", f.Name)
		}
	})
}

func TestLoadConfig(t *testing.T) {
	name := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(name, []byte("listen: 10.0.0.1:1\nfeed-every: 12h\nallow-networks: [127.0.0.0/8, 10.0.0.0/8]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BREAKWATER_LISTEN", "10.0.0.2:2")
	t.Setenv("BREAKWATER_DENY_NETWORKS", "192.0.2.0/24,198.51.100.0/24")
	c, err := loadConfig(flags(t, "--config", name, "--data", "elsewhere"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.check(); err != nil {
		t.Fatal(err)
	}
	switch {
	case c.Listen != "10.0.0.2:2":
		t.Errorf("listen = %s: the environment wins over the file", c.Listen)
	case c.Data != "elsewhere":
		t.Errorf("data = %s: a flag wins", c.Data)
	case c.FeedEvery != 12*time.Hour || len(c.AllowNetworks) != 2 || len(c.DenyNetworks) != 2:
		t.Errorf("config = %+v", c)
	case c.Endpoint != "http://10.0.0.2:2" || !c.Starter || !c.ScanOnSync:
		t.Errorf("defaults: %+v", c)
	}
}

func TestConfigRefused(t *testing.T) {
	for name, args := range map[string][]string{
		"half of TLS":          {"--tls-cert", "x"},
		"endpoint with a path": {"--endpoint", "https://host/path"},
		"endpoint scheme":      {"--endpoint", "ftp://host"},
		"no data":              {"--data", ""},
		"no port":              {"--listen", "127.0.0.1"},
		"port out of range":    {"--listen", "127.0.0.1:99999"},
	} {
		c, err := loadConfig(flags(t, args...))
		if err != nil {
			t.Fatal(err)
		}
		if c.check() == nil {
			t.Errorf("%s is not refused", name)
		}
	}
}

// A mistyped name must not leave a default in force.
func TestUnknownSettingIsRefused(t *testing.T) {
	for _, body := range []string{"fed-every: 1h\n", "feed:\n  every: 1h\n", "config: other.yaml\n"} {
		name := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(name, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		key, _, _ := strings.Cut(body, ":")
		if _, err := loadConfig(flags(t, "--config", name)); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// TestEndpointOfTokens: docker clients are sent to the endpoint that the
// operator named, and otherwise to where they came.
func TestEndpointOfTokens(t *testing.T) {
	for endpoint, want := range map[string]string{"": "", "https://breakwater.example.com/": "https://breakwater.example.com"} {
		c, err := loadConfig(flags(t, "--endpoint", endpoint))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.check(); err != nil {
			t.Fatal(err)
		}
		if got := c.external(); got != want {
			t.Errorf("endpoint %q: tokens at %q, want %q", endpoint, got, want)
		}
	}
}
