package oci

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"breakwater"
)

// open finds out what the files are.
func open(ctx context.Context, f files) (*Archive, error) {
	a, err := newArchive(ctx, f)
	if errors.Is(err, errNoArchive) {
		if top := f.top(); len(top) == 1 {
			a, err = newArchive(ctx, folder{f, top[0] + "/"})
		}
	}
	if errors.Is(err, errNoArchive) {
		err = whatElse(f)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return a, nil
}

const nothingIn = "there is nothing in it"

// errNoArchive says that there is neither index.json nor manifest.json.
var errNoArchive = errors.New("no archive")

func newArchive(ctx context.Context, f files) (*Archive, error) {
	a := &Archive{files: f, made: map[breakwater.Digest][]byte{}, paths: map[breakwater.Digest]string{}}
	index, err := a.small("index.json", MaxManifest)
	if err == nil {
		if err := f.odd(); err != nil {
			return nil, err
		}
		return a, a.readLayout(index)
	}
	if !breakwater.IsNotFound(err) {
		return nil, err
	}
	manifest, err := a.small("manifest.json", MaxManifest)
	if breakwater.IsNotFound(err) {
		return nil, errNoArchive
	}
	if err == nil {
		err = f.odd()
	}
	if err != nil {
		return nil, err
	}
	return a, a.readDocker(ctx, manifest)
}

// whatElse says what the files are that are no image archive, as far as can be
// seen, and what to do about it.
func whatElse(f files) error {
	top := f.top()
	system := 0
	for _, name := range []string{"bin", "dev", "etc", "lib", "opt", "proc", "root", "sbin", "tmp", "usr", "var"} {
		if slices.Contains(top, name) {
			system++
		}
	}
	t, isTar := f.(*tarFiles)
	switch {
	case len(top) == 0:
		return badArchive(nothingIn)
	case slices.Contains(top, "repositories"):
		return badArchive("the archive is of a form that Docker wrote before version 1.10, without manifest.json: save the image again")
	case isTar && t.cut:
		return badArchive("the archive ends too early: it has no index.json, no manifest.json and no mark of its end")
	case system >= 2 || slices.Contains(top, "etc"):
		return badArchive("this is a file system, not an image: it has " + strings.Join(top[:min(len(top), 6)], ", ") +
			" and no index.json or manifest.json. Make an image of it with \"docker import\" or \"podman import\", and save that")
	}
	return badArchive("this is neither a Docker archive nor an OCI layout: it has no index.json and no manifest.json")
}

// folder is the files below a folder of others.
type folder struct {
	files
	prefix string // ends in a slash
}

func (f folder) open(name string) (io.ReadCloser, int64, error) {
	name, err := cleanEntry(name)
	if err != nil {
		return nil, 0, err
	}
	return f.files.open(f.prefix + name)
}
