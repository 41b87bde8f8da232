package blob_test

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"breakwater"
	"breakwater/internal/blob"
)

const limit = 1 << 20

func open(t *testing.T, dir string) *blob.FS {
	t.Helper()
	s, err := blob.OpenFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func session(t *testing.T, s *blob.FS, name string) blob.Upload {
	t.Helper()
	u, err := s.Upload(name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sha512Of(b []byte) breakwater.Digest {
	sum := sha512.Sum512(b)
	return breakwater.Digest("sha512:" + hex.EncodeToString(sum[:]))
}

// files lists what is in dir, by path below it.
func files(t *testing.T, dir string) (out []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	}))
	return out
}

func TestUpload(t *testing.T) {
	ctx := context.Background()
	body := bytes.Repeat([]byte("breakwater "), 50_000)
	for _, c := range []struct {
		name    string
		digest  breakwater.Digest
		restart bool
	}{
		{"sha256", breakwater.DigestOf(body), false},
		{"sha256 over a restart", breakwater.DigestOf(body), true},
		{"sha512", sha512Of(body), false},
		{"sha512 over a restart", sha512Of(body), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := open(t, dir)
			u := session(t, s, "1-uplx")
			must(t, u.Create(ctx))
			n, err := u.Append(ctx, 0, bytes.NewReader(body[:1000]), limit)
			if err != nil || n != 1000 {
				t.Fatalf("Append = %d, %v", n, err)
			}
			if c.restart {
				s = open(t, dir)
				u = session(t, s, "1-uplx")
			}
			if n, err := u.Size(ctx); err != nil || n != 1000 {
				t.Fatalf("Size = %d, %v", n, err)
			}
			if _, err := u.Append(ctx, 999, strings.NewReader("x"), limit); !errors.Is(err, blob.ErrOffset) {
				t.Fatalf("Append at another offset = %v, want ErrOffset", err)
			}
			if _, err := u.Append(ctx, 1000, bytes.NewReader(body[1000:]), limit); err != nil {
				t.Fatal(err)
			}
			if n, err := u.Finish(ctx, c.digest); err != nil || n != int64(len(body)) {
				t.Fatalf("Finish = %d, %v", n, err)
			}
			if _, err := u.Size(ctx); !breakwater.IsNotFound(err) {
				t.Errorf("Size after Finish = %v, want NotFound", err)
			}
			f, size, err := s.Open(ctx, c.digest)
			must(t, err)
			got, err := io.ReadAll(f)
			must(t, err)
			must(t, f.Close())
			if size != int64(len(body)) || !bytes.Equal(got, body) {
				t.Errorf("read %d bytes, stated %d", len(got), size)
			}
			if list := files(t, dir); len(list) != 1 {
				t.Errorf("files: %v, want the blob alone", list)
			}
			info, err := os.Stat(filepath.Join(dir, files(t, dir)[0]))
			must(t, err)
			if info.Mode().Perm() != 0o600 {
				t.Errorf("the blob has mode %v", info.Mode())
			}
		})
	}
}

func TestUploadRefuses(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, dir)
	u := session(t, s, "a")
	for what, err := range map[string]error{
		"Append": func() error { _, err := u.Append(ctx, 0, strings.NewReader("x"), limit); return err }(),
		"Finish": func() error { _, err := u.Finish(ctx, breakwater.DigestOf(nil)); return err }(),
		"Abort":  u.Abort(ctx),
	} {
		if !breakwater.IsNotFound(err) {
			t.Errorf("%s without a session: %v, want NotFound", what, err)
		}
	}
	must(t, u.Create(ctx))
	if err := u.Create(ctx); err == nil {
		t.Error("a session was made twice")
	}
	if _, err := u.Append(ctx, 0, strings.NewReader("12345"), 4); breakwater.KindOf(err) != breakwater.KindTooLarge {
		t.Errorf("over the limit: %v", err)
	}
	boom := errors.New("boom")
	n, err := u.Append(ctx, 0, io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(boom)), limit)
	if n != 3 || !errors.Is(err, boom) {
		t.Errorf("a body that breaks off: %d, %v", n, err)
	}
	if _, err := u.Finish(ctx, breakwater.DigestOf([]byte("abd"))); !errors.Is(err, blob.ErrDigest) {
		t.Errorf("another digest: %v", err)
	}
	if _, err := u.Finish(ctx, "sha256:../../../etc/passwd"); breakwater.KindOf(err) != breakwater.KindInvalid {
		t.Errorf("a digest that is a path: %v", err)
	}
	if n, err := u.Finish(ctx, breakwater.DigestOf([]byte("abc"))); n != 3 || err != nil {
		t.Errorf("what came before stays: %d, %v", n, err)
	}
	for _, name := range []string{"", ".", "..", "a/b", "a.b", "a\x00", strings.Repeat("a", 129)} {
		if _, err := s.Upload(name); !breakwater.IsNotFound(err) {
			t.Errorf("a session named %q: %v, want NotFound", name, err)
		}
	}
}

// TestOneWriter holds a session in an Append that has not ended.
func TestOneWriter(t *testing.T) {
	ctx := context.Background()
	s := open(t, t.TempDir())
	u := session(t, s, "a")
	must(t, u.Create(ctx))
	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := u.Append(ctx, 0, r, limit)
		done <- err
	}()
	_, err := w.Write([]byte("x")) // returns once Append reads
	must(t, err)
	if _, err := u.Append(ctx, 0, strings.NewReader("y"), limit); breakwater.KindOf(err) != breakwater.KindConflict {
		t.Errorf("a second writer: %v, want Conflict", err)
	}
	if err := u.Abort(ctx); breakwater.KindOf(err) != breakwater.KindConflict {
		t.Errorf("Abort meanwhile: %v, want Conflict", err)
	}
	must(t, w.Close())
	must(t, <-done)
	must(t, u.Abort(ctx))
}

func TestSameBlobTwice(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, dir)
	d := breakwater.DigestOf([]byte("same"))
	for _, name := range []string{"a", "b"} {
		u := session(t, s, name)
		must(t, u.Create(ctx))
		_, err := u.Append(ctx, 0, strings.NewReader("same"), limit)
		must(t, err)
		_, err = u.Finish(ctx, d)
		must(t, err)
	}
	if list := files(t, dir); len(list) != 1 {
		t.Errorf("files: %v, want one", list)
	}
	n := 0
	for info, err := range s.All(ctx) {
		must(t, err)
		if n++; info.Digest != d || info.Size != 4 || info.Modified.IsZero() {
			t.Errorf("%+v", info)
		}
	}
	if n != 1 {
		t.Errorf("All yields %d", n)
	}
	must(t, s.Delete(ctx, d))
	must(t, s.Delete(ctx, d))
	if _, err := s.Stat(ctx, d); !breakwater.IsNotFound(err) {
		t.Errorf("Stat after Delete: %v", err)
	}
	if _, _, err := s.Open(ctx, d); !breakwater.IsNotFound(err) {
		t.Errorf("Open after Delete: %v", err)
	}
}

func TestSweep(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s := open(t, dir)
	must(t, session(t, s, "old").Create(ctx))
	must(t, session(t, s, "new").Create(ctx))
	must(t, os.Chtimes(filepath.Join(dir, "uploads", "old"), time.Time{}, time.Now().Add(-2*time.Hour)))
	n, err := s.Sweep(ctx, time.Now().Add(-time.Hour))
	if n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want 1", n, err)
	}
	if _, err := session(t, s, "new").Size(ctx); err != nil {
		t.Errorf("the young session: %v", err)
	}
}
