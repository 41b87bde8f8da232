package oci_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/oci"
)

// TestArchiveNamedPipe: a pipe that nobody writes to does not outlive the context.
func TestArchiveNamedPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := exec.CommandContext(t.Context(), "mkfifo", name).Run(); err != nil {
		t.Skip("needs mkfifo:", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan error, 1)
	go func() {
		_, err := oci.OpenArchive(ctx, name, oci.ArchiveOptions{})
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("it waits for a writer")
	}
}

// TestArchiveGlobalHeader: what git and others put before all entries is no file
// beside the only folder.
func TestArchiveGlobalHeader(t *testing.T) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	body := `{"schemaVersion":2,"manifests":[]}`
	err := errors.Join(
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"comment": "x"}}),
		w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "image/index.json", Size: int64(len(body)), Mode: 0o644}))
	if err == nil {
		_, err = w.Write([]byte(body))
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	a, err := oci.OpenArchive(t.Context(), "-", oci.ArchiveOptions{Stdin: &b, TempDir: t.TempDir()})
	if err == nil {
		defer a.Close()
	}
	if err != nil && strings.Contains(err.Error(), "neither") {
		t.Errorf("the folder is not seen: %v", err)
	}
}

// endless is a stream of one byte.
type endless struct {
	of   byte
	read int64
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.of
	}
	e.read += int64(len(p))
	return len(p), nil
}

// TestStreamOfNothing: a stream that cannot be an archive is refused by its first
// block, and not when the disk is full of it.
func TestStreamOfNothing(t *testing.T) {
	for of, say := range map[byte]string{0: "nothing in it", 'x': "not a tar archive"} {
		in := &endless{of: of}
		_, err := oci.OpenArchive(t.Context(), "-", oci.ArchiveOptions{Stdin: in, TempDir: t.TempDir(), Limit: 1 << 30})
		if err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("a stream of %q: %v", of, err)
		}
		if in.read > 1<<20 {
			t.Errorf("%d bytes of %q were read", in.read, of)
		}
	}
}

// TestOnePlatformByDigest: one platform of an index is an image that has a digest,
// too.
func TestOnePlatformByDigest(t *testing.T) {
	src := newMemory()
	m, amd := full(src, "amd64", "for amd64")
	other, arm := full(src, "arm64", "for arm64")
	both := src.put(indexJSON(amd, arm))
	a, err := oci.OpenArchive(t.Context(), write(t, tarOf(t, layout(src, indexEntry(both))...)), oci.ArchiveOptions{TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Close() }()
	for _, want := range []oci.Manifest{m, other} {
		got, root, err := a.Pick(t.Context(), want.Digest.String(), breakwater.Platform{})
		if err != nil || got.Digest != want.Digest || root.Digest != want.Digest {
			t.Errorf("%s: %v, %s, %v", want.Digest, got.Digest, root.Digest, err)
		}
	}
	for _, digest := range []string{someDigest, breakwater.DigestOf([]byte("for arm64")).String()} { // absent; a layer
		if _, _, err := a.Pick(t.Context(), digest, breakwater.Platform{}); !breakwater.IsNotFound(err) {
			t.Errorf("%s: %v", digest, err)
		}
	}
}
