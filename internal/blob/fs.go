package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"time"

	"breakwater"
)

// FS keeps blobs in a directory of a file system. Several processes may share
// the directory; the same session must not be written to by two of them.
type FS struct {
	dir      string
	mu       sync.Mutex
	sessions map[string]*session // being written, or remembered for their hash

	shardMu sync.Mutex
	shards  map[string]bool // directories of blobs known to be durable
}

var _ Store = (*FS)(nil)

// OpenFS is the store in dir, which it makes when it is not there.
func OpenFS(dir string) (*FS, error) {
	s := &FS{dir: filepath.Clean(dir), sessions: map[string]*session{}, shards: map[string]bool{}}
	for _, d := range []string{s.uploads(), filepath.Join(s.dir, "blobs")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("blob.OpenFS: %w", err)
		}
	}
	return s, nil
}

// shard makes the directory that a blob goes to, and makes it durable before
// this process first puts one there: who made it may not have come so far.
func (s *FS) shard(dir string) error {
	s.shardMu.Lock()
	defer s.shardMu.Unlock()
	return s.durable(dir)
}

func (s *FS) durable(dir string) error {
	if s.shards[dir] || len(dir) <= len(s.dir) {
		return nil
	}
	parent := filepath.Dir(dir)
	if err := s.durable(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncDir(parent); err != nil {
		return err
	}
	s.shards[dir] = true
	return nil
}

func (s *FS) uploads() string { return filepath.Join(s.dir, "uploads") }

// path is where a blob lies. d has been parsed, or comes from our own tables;
// either way it is parsed again, for it becomes a path.
func (s *FS) path(d breakwater.Digest) (string, error) {
	if _, err := breakwater.ParseDigest(string(d)); err != nil {
		return "", err
	}
	hex := d.Hex()
	return filepath.Join(s.dir, "blobs", d.Algorithm(), hex[:2], hex), nil
}

// Open implements Store.
func (s *FS) Open(_ context.Context, d breakwater.Digest) (io.ReadSeekCloser, int64, error) {
	path, err := s.path(d)
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, absent(err, "blob")
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, fmt.Errorf("blob.Open: %w", err)
	}
	return f, info.Size(), nil
}

// Stat implements Store.
func (s *FS) Stat(_ context.Context, d breakwater.Digest) (int64, error) {
	path, err := s.path(d)
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, absent(err, "blob")
	}
	return info.Size(), nil
}

// Delete implements Store.
func (s *FS) Delete(_ context.Context, d breakwater.Digest) error {
	path, err := s.path(d)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("blob.Delete: %w", err)
	}
	return nil
}

// All implements Store.
func (s *FS) All(ctx context.Context) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		err := filepath.WalkDir(filepath.Join(s.dir, "blobs"), func(path string, entry fs.DirEntry, err error) error {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil || entry.IsDir() {
				return err
			}
			algorithm := filepath.Base(filepath.Dir(filepath.Dir(path)))
			d, err := breakwater.ParseDigest(algorithm + ":" + entry.Name())
			if err != nil {
				return nil // not ours
			}
			info, err := entry.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil // removed meanwhile
			}
			if err != nil {
				return err
			}
			if !yield(Info{Digest: d, Size: info.Size(), Modified: info.ModTime()}, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield(Info{}, fmt.Errorf("blob.All: %w", err))
		}
	}
}

// Sweep implements Store.
func (s *FS) Sweep(ctx context.Context, before time.Time) (n int, err error) {
	entries, err := os.ReadDir(s.uploads())
	if err != nil {
		return 0, fmt.Errorf("blob.Sweep: %w", err)
	}
	for _, entry := range entries {
		if ctx.Err() != nil {
			return n, ctx.Err()
		}
		info, err := entry.Info()
		if err != nil || !info.ModTime().Before(before) {
			continue // gone meanwhile, or in use
		}
		u, err := s.Upload(entry.Name())
		if err != nil {
			continue // not ours
		}
		if u.Abort(ctx) == nil {
			n++
		}
	}
	return n, nil
}

// absent turns "no such file" into NotFound.
func absent(err error, what string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return breakwater.NotFound(what)
	}
	return fmt.Errorf("blob: %w", err)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	return errors.Join(err, d.Close())
}
