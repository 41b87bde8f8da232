package keyring

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"breakwater"
)

const (
	registryDir = "registry"
	tempPrefix  = ".tmp-"

	// maxPassword is far above what a registry accepts and keeps files small.
	maxPassword = 64 << 10
	maxID       = 128
)

// Put keeps the password of a registry, in the place of an older one.
func (k *Keyring) Put(ctx context.Context, registryID, password string) error {
	path, err := k.path(ctx, registryID)
	if err != nil {
		return err
	}
	if len(password) > maxPassword {
		return breakwater.Invalid("password", "the password is too long")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	dir := filepath.Dir(path)
	if err := makeDir(dir); err != nil {
		return err
	}
	return replaceFile(dir, path, k.Seal([]byte(password), passwordContext(registryID)))
}

// Get is the password of a registry; NotFound when none was put.
func (k *Keyring) Get(ctx context.Context, registryID string) (string, error) {
	path, err := k.path(ctx, registryID)
	if err != nil {
		return "", err
	}
	k.mu.RLock()
	sealed, err := readFile(path)
	k.mu.RUnlock()
	if errors.Is(err, fs.ErrNotExist) {
		return "", breakwater.NotFound("the password of the registry")
	}
	if err != nil {
		return "", err
	}
	plain, err := k.Unseal(sealed, passwordContext(registryID))
	return string(plain), err
}

// Delete forgets the password of a registry; forgetting twice is fine.
func (k *Keyring) Delete(ctx context.Context, registryID string) error {
	path, err := k.path(ctx, registryID)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	err = os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return breakwater.Wrap(breakwater.KindInternal, err, "the password of the registry cannot be removed")
	}
	return syncDir(filepath.Dir(path))
}

// leftOver is the age at which a temporary file is nobody's write any more, another
// process may be using the directory, and at which whatever a password was put for
// is there or never will be.
const leftOver = time.Hour

// List is the ids of all registries that have a password, sorted. It also
// sweeps what an interrupted write left behind an hour ago or more.
func (k *Keyring) List(ctx context.Context) ([]string, error) { return k.list(ctx, 0) }

// Settled is List without the passwords that were put within the last hour, whose
// registries may be on their way into the database.
func (k *Keyring) Settled(ctx context.Context) ([]string, error) { return k.list(ctx, leftOver) }

// list is the ids whose passwords are of this age or older.
func (k *Keyring) list(ctx context.Context, age time.Duration) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k.mu.Lock() // a sweep must not meet a write half done
	defer k.mu.Unlock()
	dir := filepath.Join(k.dir, registryDir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInternal, err, "the keyring directory cannot be read")
	}
	old := func(e fs.DirEntry, age time.Duration) bool {
		info, err := e.Info()
		return err == nil && k.now().Sub(info.ModTime()) >= age
	}
	var ids []string
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), tempPrefix):
			if old(e, leftOver) {
				_ = os.Remove(filepath.Join(dir, e.Name()))
			}
		case validID(e.Name()) && e.Type().IsRegular():
			if age == 0 || old(e, age) {
				ids = append(ids, e.Name())
			}
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func (k *Keyring) path(ctx context.Context, registryID string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if !validID(registryID) {
		return "", breakwater.Invalid("registry_id", "the registry id is not one of ours")
	}
	return filepath.Join(k.dir, registryDir, registryID), nil
}

// validID admits what is safe as a file name on every system; NewID makes such.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, c := range []byte(id) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func passwordContext(registryID string) string { return "registry:" + registryID }
