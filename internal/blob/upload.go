package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"

	"breakwater"
)

// maxRemembered is how many sessions keep the state of their hash in memory.
// The others compute it again from their file.
const maxRemembered = 4096

// session is what memory knows of an upload. It is never needed: the file says
// the rest.
type session struct {
	busy bool
	sum  hash.Hash // sha256 of the first at bytes
	at   int64
}

type upload struct {
	store *FS
	name  string
}

var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// Upload implements Store. A name holds letters, digits, '-' and '_'.
func (s *FS) Upload(name string) (Upload, error) {
	if name == "" || len(name) > 128 {
		return nil, breakwater.NotFound("upload")
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return nil, breakwater.NotFound("upload")
		}
	}
	return &upload{store: s, name: name}, nil
}

func (u *upload) path() string { return filepath.Join(u.store.uploads(), u.name) }

// hold makes this call the session's only writer.
func (u *upload) hold() (*session, error) {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	se := u.store.sessions[u.name]
	if se == nil {
		se = &session{sum: sha256.New()}
		u.store.sessions[u.name] = se
	}
	if se.busy {
		return nil, breakwater.Errorf(breakwater.KindConflict, "another request is writing to this upload")
	}
	se.busy = true
	return se, nil
}

// release lets the next writer in. Forgotten sessions, and any beyond what may
// be remembered, leave memory.
func (u *upload) release(se *session, forget bool) {
	u.store.mu.Lock()
	defer u.store.mu.Unlock()
	se.busy = false
	if forget || len(u.store.sessions) > maxRemembered {
		delete(u.store.sessions, u.name)
	}
}

// Create implements Upload.
func (u *upload) Create(context.Context) error {
	f, err := os.OpenFile(u.path(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("blob.Create: %w", err)
	}
	return f.Close()
}

// Size implements Upload.
func (u *upload) Size(context.Context) (int64, error) {
	info, err := os.Stat(u.path())
	if err != nil {
		return 0, absent(err, "upload")
	}
	return info.Size(), nil
}

// Append implements Upload.
func (u *upload) Append(ctx context.Context, offset int64, r io.Reader, limit int64) (size int64, err error) {
	se, err := u.hold()
	if err != nil {
		return 0, err
	}
	gone := false
	defer func() { u.release(se, gone) }()
	f, err := os.OpenFile(u.path(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		gone = true
		return 0, absent(err, "upload")
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("blob.Append: %w", err)
	}
	size = info.Size()
	if size != offset {
		return size, ErrOffset
	}
	buffer := buffers.Get().(*[256 << 10]byte)
	defer buffers.Put(buffer)
	for {
		n, readErr := r.Read(buffer[:])
		if size+int64(n) > limit {
			return size, breakwater.Errorf(breakwater.KindTooLarge, "the blob is larger than %d bytes", limit)
		}
		if n > 0 {
			written, err := f.Write(buffer[:n])
			if se.at == size {
				_, _ = se.sum.Write(buffer[:written])
				se.at += int64(written)
			}
			size += int64(written)
			if err != nil {
				return size, fmt.Errorf("blob.Append: %w", err)
			}
		}
		if readErr == io.EOF {
			return size, nil
		}
		if readErr == nil {
			readErr = ctx.Err()
		}
		if readErr != nil {
			return size, readErr
		}
	}
}

// Finish implements Upload.
func (u *upload) Finish(ctx context.Context, d breakwater.Digest) (size int64, err error) {
	target, err := u.store.path(d)
	if err != nil {
		return 0, err
	}
	se, err := u.hold()
	if err != nil {
		return 0, err
	}
	gone := false
	defer func() { u.release(se, gone) }()
	f, err := os.OpenFile(u.path(), os.O_RDWR, 0)
	if err != nil {
		gone = true
		return 0, absent(err, "upload")
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("blob.Finish: %w", err)
	}
	size = info.Size()
	sum := se.sum
	if d.Algorithm() != "sha256" || se.at != size {
		if sum, err = hashOf(ctx, f, d); err != nil {
			return 0, fmt.Errorf("blob.Finish: %w", err)
		}
	}
	if breakwater.DigestOfHash(d.Algorithm(), sum) != d {
		return 0, ErrDigest
	}
	if err := u.place(f, target, size); err != nil {
		return 0, fmt.Errorf("blob.Finish: %w", err)
	}
	gone = true
	return size, nil
}

// place moves the verified file to its name. When the blob is there already,
// only the session goes; the directory is synced all the same, for whoever put
// the blob there may not have come so far yet.
func (u *upload) place(f *os.File, target string, size int64) error {
	dir := filepath.Dir(target)
	if info, err := os.Stat(target); err == nil && info.Size() == size {
		return errors.Join(os.Remove(u.path()), syncDir(dir))
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := u.store.shard(dir); err != nil {
		return err
	}
	if err := os.Rename(u.path(), target); err != nil {
		return err
	}
	return syncDir(dir)
}

// Abort implements Upload.
func (u *upload) Abort(context.Context) error {
	se, err := u.hold()
	if err != nil {
		return err
	}
	defer u.release(se, true)
	if err := os.Remove(u.path()); err != nil {
		return absent(err, "upload")
	}
	return nil
}

// hashOf reads the whole file again.
func hashOf(ctx context.Context, f *os.File, d breakwater.Digest) (hash.Hash, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	sum := d.Hash()
	buffer := buffers.Get().(*[256 << 10]byte)
	defer buffers.Put(buffer)
	for {
		n, err := f.Read(buffer[:])
		_, _ = sum.Write(buffer[:n])
		if err == io.EOF {
			return sum, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
	}
}
