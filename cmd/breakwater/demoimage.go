package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"runtime"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// demoStep is one step of how a demo image was built: a layer, or (without
// files) a line of its history.
type demoStep struct {
	By    string // as a Dockerfile says it
	Env   string // NAME=value that the image has from here on
	Files []demoFile
}

// demoFile is one file of a demo layer: read from this machine, or written here.
type demoFile struct {
	Name string // in the image
	From string // on this machine
	Body string // when From is empty
	Mode int64
}

// osFiles is this machine's own package database, if it has one.
func osFiles() []demoFile {
	var out []demoFile
	for _, name := range []string{
		"/etc/os-release", "/usr/lib/os-release", "/etc/debian_version", "/etc/alpine-release",
		"/var/lib/dpkg/status", "/lib/apk/db/installed",
		"/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages",
	} {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			out = append(out, demoFile{Name: name[1:], From: name, Mode: 0o644})
		}
	}
	return out
}

// binaryFile is this program itself.
func binaryFile() ([]demoFile, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return []demoFile{{Name: "usr/local/bin/breakwater", From: self, Mode: 0o755}}, nil
}

// appFiles is a small application whose lock files name versions with known problems.
func appFiles() []demoFile {
	return []demoFile{
		{Name: "srv/shop/package-lock.json", Mode: 0o644, Body: `{
  "name": "shop", "version": "1.4.0", "lockfileVersion": 3, "requires": true,
  "packages": {
    "": {"name": "shop", "version": "1.4.0", "dependencies": {"lodash": "4.17.15", "minimist": "1.2.0", "jquery": "3.3.1", "handlebars": "4.0.11"}},
    "node_modules/handlebars": {"version": "4.0.11"},
    "node_modules/jquery": {"version": "3.3.1"},
    "node_modules/lodash": {"version": "4.17.15"},
    "node_modules/minimist": {"version": "1.2.0"}
  }
}
`},
		{Name: "srv/shop/requirements.txt", Mode: 0o644, Body: "django==3.2.4\njinja2==2.11.2\npyyaml==5.3\nrequests==2.19.1\nurllib3==1.24.1\n"},
		{Name: "srv/shop/Gemfile.lock", Mode: 0o644, Body: "GEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.10.3)\n    rack (2.0.6)\n    rails-html-sanitizer (1.0.3)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  nokogiri\n  rack\n  rails-html-sanitizer\n"},
		{Name: "srv/shop/Cargo.lock", Mode: 0o644, Body: "version = 3\n\n[[package]]\nname = \"smallvec\"\nversion = \"0.6.9\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\n[[package]]\nname = \"time\"\nversion = \"0.1.42\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n"},
	}
}

// demoImage builds an image step by step.
func demoImage(created time.Time, steps ...demoStep) (v1.Image, error) {
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, "application/vnd.oci.image.manifest.v1+json"), "application/vnd.oci.image.config.v1+json")
	var env []string
	for _, s := range steps {
		add := mutate.Addendum{History: v1.History{Created: v1.Time{Time: created}, CreatedBy: s.By, Comment: "breakwater demo", EmptyLayer: len(s.Files) == 0}}
		if s.Env != "" {
			env = append(env, s.Env)
		}
		var err error
		if len(s.Files) > 0 {
			add.MediaType = "application/vnd.oci.image.layer.v1.tar+gzip"
			if add.Layer, err = demoLayer(created, s.Files); err != nil {
				return nil, err
			}
		}
		if img, err = mutate.Append(img, add); err != nil {
			return nil, err
		}
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture, cfg.Created = "linux", runtime.GOARCH, v1.Time{Time: created}
	cfg.Config.Env = env
	return mutate.ConfigFile(img, cfg)
}

func demoLayer(created time.Time, files []demoFile) (v1.Layer, error) {
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	seen := map[string]bool{}
	for _, f := range files {
		if err := addDirs(tw, created, path.Dir(f.Name), seen); err != nil {
			return nil, err
		}
		body := []byte(f.Body)
		if f.From != "" {
			var err error
			if body, err = os.ReadFile(f.From); err != nil {
				return nil, err
			}
		}
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.Name, Mode: f.Mode, Size: int64(len(body)), ModTime: created}); err != nil {
			return nil, err
		}
		if _, err := tw.Write(body); err != nil {
			return nil, err
		}
	}
	if err := tw.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	if err != nil {
		return nil, fmt.Errorf("demo layer: %w", err)
	}
	return layer, nil
}

// addDirs writes the directories above a file, outermost first, once each.
func addDirs(tw *tar.Writer, created time.Time, dir string, seen map[string]bool) error {
	var missing []string
	for ; dir != "." && dir != "/" && !seen[dir]; dir = path.Dir(dir) {
		seen[dir] = true
		missing = append(missing, dir)
	}
	slices.Reverse(missing)
	for _, d := range missing {
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: d + "/", Mode: 0o755, ModTime: created}); err != nil {
			return err
		}
	}
	return nil
}
