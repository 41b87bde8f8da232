package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"breakwater/internal/netguard"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// config is what an operator can set: in a YAML file, by BREAKWATER_… in the
// environment (dashes are underscores), by flags; the later wins. docs/configuration.md
// is held to this list by a test.
type config struct {
	Data     string `koanf:"data"`
	Listen   string `koanf:"listen"`
	Endpoint string `koanf:"endpoint"`
	Postgres string `koanf:"postgres"`
	TLSCert  string `koanf:"tls-cert"`
	TLSKey   string `koanf:"tls-key"`
	CA       string `koanf:"ca"`

	AllowNetworks []string `koanf:"allow-networks"`
	DenyNetworks  []string `koanf:"deny-networks"`
	TrustedRealms []string `koanf:"trusted-realms"`

	ScanWorkers int           `koanf:"scan-workers"`
	SyncWorkers int           `koanf:"sync-workers"`
	ScanTime    time.Duration `koanf:"scan-time"`
	ScanMemory  int64         `koanf:"scan-memory"`
	InProcess   bool          `koanf:"scan-in-process"`
	Rules       string        `koanf:"rules"`
	Clamd       string        `koanf:"clamd"`
	ScanOnSync  bool          `koanf:"scan-on-sync"`
	SyncEvery   time.Duration `koanf:"sync-every"`

	FeedURL   string        `koanf:"feed-url"`
	FeedDir   string        `koanf:"feed-dir"`
	FeedEvery time.Duration `koanf:"feed-every"`
	Feeds     []string      `koanf:"feeds"`
	KEVURL    string        `koanf:"kev-url"`
	EPSSURL   string        `koanf:"epss-url"`
	Starter   bool          `koanf:"starter"`

	MaxBlob int64 `koanf:"max-blob"`

	LogLevel  string        `koanf:"log-level"`
	LogFormat string        `koanf:"log-format"`
	Grace     time.Duration `koanf:"grace"`
	Project   string        `koanf:"project"`
	MasterKey string        `koanf:"master-key"`

	named bool // the operator named the endpoint
}

// serveFlags declares every setting with its default and its words.
func serveFlags(f *pflag.FlagSet) {
	f.String("config", "", "YAML file with these settings")
	dataFlags(f)
	f.String("listen", "127.0.0.1:8480", "address to serve on")
	f.String("endpoint", "", "public base URL, as clients reach this server (default: from listen)")
	f.String("tls-cert", "", "PEM certificate; serves HTTPS together with tls-key")
	f.String("tls-key", "", "PEM key of tls-cert")
	f.String("ca", "", "PEM certificates to trust beside the system's when reading registries and feeds")
	f.StringSlice("allow-networks", nil, "networks that may be dialled although they are loopback or reserved")
	f.StringSlice("deny-networks", nil, "networks that are never dialled")
	f.StringSlice("trusted-realms", nil, "hosts of token servers that may be sent a registry's password though they are not the registry's own")
	f.Int("scan-workers", 0, "scans at once (0: one for each core)")
	f.Int("sync-workers", 0, "registries synchronised at once (0: 4)")
	f.Duration("scan-time", 30*time.Minute, "how long one scan may take")
	f.Int64("scan-memory", 1<<30, "bytes of memory that one scan may take before it is ended")
	f.Bool("scan-in-process", false, "scan in the server's own process, where a crash of a parser ends the server")
	ruleFlags(f)
	f.Bool("scan-on-sync", true, "scan images found in foreign registries by themselves")
	f.Duration("sync-every", 24*time.Hour, "age at which a registry is synchronised by itself")
	f.String("feed-url", "", "base URL of the OSV bucket or a mirror (default: the public bucket)")
	f.String("feed-dir", "", "directory of OSV zips to read instead of feed-url")
	f.Duration("feed-every", 24*time.Hour, "age at which advisories are updated by themselves (0: never)")
	f.StringSlice("feeds", nil, "OSV ecosystems to read (default: all that packages are found for)")
	f.String("kev-url", "", "URL of CISA's KEV catalogue (default: the public one)")
	f.String("epss-url", "", "URL of FIRST's EPSS scores (default: the public one)")
	f.Bool("starter", true, "on an empty database, begin with the advisories that ship in the binary")
	f.Int64("max-blob", 10<<30, "largest blob that can be pushed, in bytes")
	f.String("log-level", "info", "debug, info, warn or error")
	f.String("log-format", "text", "text or json")
	f.Duration("grace", 20*time.Second, "how long running work may finish at shutdown")
	f.String("project", "default", "name of the project made at the first start")
}

// ruleFlags are what every command that scans takes.
func ruleFlags(f *pflag.FlagSet) {
	f.String("rules", "", "directory with your own rules: secrets.toml, malware.yaml, malware-hashes.txt, baseline.yaml, build.yaml, software.yaml, passwords.txt")
	f.String("clamd", "", "ClamAV's daemon, which is shown every file: unix:/run/clamav/clamd.ctl or tcp:127.0.0.1:3310")
}

func dataFlags(f *pflag.FlagSet) {
	f.String("data", "data", "data directory: database, blobs, keys")
	f.String("postgres", "", "PostgreSQL connection string (default: SQLite in the data directory)")
	f.String("master-key", "", "key that seals passwords and secrets; better in BREAKWATER_MASTER_KEY than on a command line (default: a file in the data directory)")
}

// loadConfig reads file, environment and flags.
func loadConfig(f *pflag.FlagSet) (config, error) {
	k := koanf.New(".")
	name, _ := f.GetString("config")
	if name != "" {
		if err := k.Load(file.Provider(name), yaml.Parser()); err != nil {
			return config{}, fmt.Errorf("configuration file: %w", err)
		}
		if err := knownSettings(k.Keys()); err != nil {
			return config{}, fmt.Errorf("configuration file: %w", err)
		}
	}
	environment := env.Provider(".", env.Opt{Prefix: "BREAKWATER_", TransformFunc: func(key, value string) (string, any) {
		key = strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(key, "BREAKWATER_")), "_", "-")
		if flag := f.Lookup(key); flag != nil && flag.Value.Type() == "stringSlice" {
			return key, strings.Split(value, ",")
		}
		return key, value
	}})
	if err := k.Load(environment, nil); err != nil {
		return config{}, fmt.Errorf("environment: %w", err)
	}
	if err := k.Load(posflag.Provider(f, ".", k), nil); err != nil {
		return config{}, fmt.Errorf("flags: %w", err)
	}
	var c config
	if err := k.Unmarshal("", &c); err != nil {
		return config{}, fmt.Errorf("configuration: %w", err)
	}
	return c, nil
}

// knownSettings refuses a key that is no setting of serve, which has all of them.
func knownSettings(keys []string) error {
	known := pflag.NewFlagSet("", pflag.ContinueOnError)
	serveFlags(known)
	for _, key := range keys {
		if key == "config" || known.Lookup(key) == nil {
			return fmt.Errorf("%q is no setting", key)
		}
	}
	return nil
}

// check refuses bad combinations and fills the endpoint.
func (c *config) check() error {
	if c.Data == "" {
		return errors.New("--data: a directory is needed")
	}
	if _, port, err := net.SplitHostPort(c.Listen); c.Listen != "" && (err != nil || !validPort(port)) {
		return errors.New("--listen: HOST:PORT, such as 127.0.0.1:8480")
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("--tls-cert and --tls-key go together")
	}
	c.named = c.Endpoint != ""
	if !c.named {
		scheme := "http://"
		if c.TLSCert != "" {
			scheme = "https://"
		}
		c.Endpoint = scheme + c.Listen
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || (u.Path != "" && u.Path != "/") {
		return errors.New("--endpoint: a base URL such as https://breakwater.example.com, without a path")
	}
	c.Endpoint = strings.TrimSuffix(c.Endpoint, "/")
	return nil
}

// validPort takes a number; 0 lets the system choose.
func validPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}

// external is where docker clients are sent for tokens: the endpoint that the
// operator named, or else the address that the request came to.
func (c *config) external() string {
	if c.named {
		return c.Endpoint
	}
	return ""
}

func (c *config) host() string { u, _ := url.Parse(c.Endpoint); return u.Host }

// client dials what the operator allows.
func (c *config) client() (*http.Client, error) {
	guard, err := c.guard()
	if err != nil {
		return nil, err
	}
	var roots []byte
	if c.CA != "" {
		if roots, err = os.ReadFile(c.CA); err != nil {
			return nil, fmt.Errorf("--ca: %w", err)
		}
	}
	return guard.Client(netguard.ClientOptions{RootCAs: roots})
}

func (c *config) guard() (*netguard.Guard, error) {
	var nets [2][]netip.Prefix
	for i, list := range [][]string{c.AllowNetworks, c.DenyNetworks} {
		var err error
		if nets[i], err = netguard.ParsePrefixes(list); err != nil {
			return nil, err
		}
	}
	return netguard.New(netguard.Options{Allow: nets[0], Deny: nets[1]})
}
