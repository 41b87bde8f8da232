package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"breakwater"
	"breakwater/internal/oci"
)

// opened is one image, ready to be read.
type opened struct {
	name     string // as the user named it, or as its archive does
	file     bool   // the name is a file's
	made     bool   // the manifest was made up for a Docker archive
	source   oci.Source
	manifest oci.Manifest
	doc      oci.Doc
	close    func()
}

// open finds the image: in an archive or a layout, or in a registry; of a
// multi-arch image that of the wanted platform.
func (f *scanFlags) open(ctx context.Context, args []string) (img *opened, err error) {
	var want breakwater.Platform
	if f.platform != "" {
		if want, err = oci.ParsePlatform(f.platform); err != nil {
			return nil, fmt.Errorf("--platform: %s", message(err))
		}
	}
	at, err := f.target(args)
	if err != nil {
		return nil, err
	}
	if at.path != "" {
		img, err = openArchive(ctx, at, want)
	} else {
		img, err = f.openRegistry(ctx, at.image, want)
	}
	if err != nil {
		return nil, err
	}
	if img.doc, err = oci.Parse(img.manifest); err != nil {
		img.close()
		return nil, err
	}
	img.doc.Digest = img.manifest.Digest
	return img, nil
}

// openArchive takes the only image of an archive, or the one that is named.
func openArchive(ctx context.Context, at target, want breakwater.Platform) (*opened, error) {
	a, err := oci.OpenArchive(ctx, at.path, oci.ArchiveOptions{})
	if err != nil {
		return nil, at.fail(err)
	}
	m, root, err := a.Pick(ctx, at.image, want)
	if err != nil {
		_ = a.Close()
		return nil, at.fail(err)
	}
	img := &opened{source: a, manifest: m, made: root.Made, close: func() { _ = a.Close() }}
	img.name, img.file = at.name(root)
	return img, nil
}

// fail says which archive an error is about, without the word of an API's field.
func (at target) fail(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	name := at.path
	if name == "-" {
		name = "standard input"
	}
	return fmt.Errorf("%s: %w", name, &plainError{err})
}

// name is what the report calls an image of an archive, and whether that is a
// file's name: what the user called it, else what the archive does. An archive
// often knows a tag only; the name of the file stands before it.
func (at target) name(r oci.Root) (name string, file bool) {
	base := filepath.Base(at.path)
	if at.path == "-" {
		base = "stdin"
	}
	for _, name := range append([]string{at.image}, r.Names...) {
		switch {
		case name == "" || breakwater.Digest(name) == r.Digest:
		case strings.ContainsAny(name, ":/"):
			return name, false
		default:
			return base + ":" + name, true
		}
	}
	if at.path == "-" {
		return base, true
	}
	return at.path, true
}

// openRegistry reads with the credentials that docker and podman keep.
func (f *scanFlags) openRegistry(ctx context.Context, image string, want breakwater.Platform) (*opened, error) {
	at, err := oci.Locate(image)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", image, &plainError{err})
	}
	dial := config{AllowNetworks: []string{"0.0.0.0/0", "::/0"}} // whoever runs the command may dial whatever they may dial
	client, err := dial.client()
	if err != nil {
		return nil, err
	}
	user, password, err := oci.Keychain(ctx, at.Host)
	if err != nil {
		return nil, err
	}
	scheme := "https"
	if f.plainHTTP {
		scheme = "http"
	}
	c, err := oci.NewClient(at.Base(scheme), oci.ClientOptions{HTTP: client, Username: user, Password: password, RealmHosts: at.RealmHosts})
	if err != nil {
		return nil, err
	}
	img := &opened{name: image, source: c.Repository(at.Repository), close: func() {}}
	m, err := img.source.Manifest(ctx, at.Version())
	if err != nil {
		return nil, registryError(image, at, err)
	}
	if img.manifest, err = oci.Choose(ctx, img.source, m, want); err != nil {
		return nil, fmt.Errorf("%s: %w", image, &plainError{err})
	}
	return img, nil
}

// registryError says which registry was asked; who meant an image that only
// their container engine holds is told how to scan that.
func registryError(image string, at oci.Location, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	err = fmt.Errorf("%s at %s: %w", image, at.Host, err)
	if host, _, _ := strings.Cut(image, "/"); host != at.Host {
		err = fmt.Errorf("%w\nbreakwater: an image that only docker or podman here has: docker save %s | breakwater scan --input -", err, image)
	}
	return err
}

// plainError is an error in the words that are for people, without the field of
// an API that it may name.
type plainError struct{ error }

func (e *plainError) Error() string { return message(e.error) }

func (e *plainError) Unwrap() error { return e.error }

func message(err error) string {
	text := err.Error()
	var known *breakwater.Error
	if errors.As(err, &known) && known.Field != "" {
		text = strings.Replace(text, known.Field+": "+known.Message, known.Message, 1)
	}
	return text
}
