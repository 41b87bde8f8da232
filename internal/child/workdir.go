package child

import (
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const dirPattern = "breakwater-exec-"

// workDir is where the children of a pool have their directories. While the
// pool lives it holds a lock on it, so that others can tell it from what a
// process that was killed left behind.
type workDir struct {
	path string
	lock *os.File
}

// newWorkDir makes one in parent, and removes those that nobody holds.
func newWorkDir(parent string) (*workDir, error) {
	parent, err := filepath.Abs(parent)
	if err != nil {
		return nil, err
	}
	sweep(parent)
	path, err := os.MkdirTemp(parent, dirPattern) // mode 0700
	if err != nil {
		return nil, err
	}
	lock, err := lockFile(filepath.Join(path, "lock"))
	if err != nil {
		_ = os.RemoveAll(path)
		return nil, err
	}
	return &workDir{path, lock}, nil
}

// child is the directory of the child with that number.
func (d *workDir) child(n int64) string { return filepath.Join(d.path, strconv.FormatInt(n, 10)) }

func (d *workDir) remove() error {
	err := os.RemoveAll(d.path)
	_ = d.lock.Close()
	return err
}

// sweep removes directories of pools whose process died. What it cannot remove
// stays for the next time.
func sweep(parent string) {
	dirs, _ := filepath.Glob(filepath.Join(parent, dirPattern+"*"))
	for _, dir := range dirs {
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() || time.Since(info.ModTime()) < time.Minute {
			continue // the young ones may be about to take their lock
		}
		lock, err := lockFile(filepath.Join(dir, "lock"))
		if err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}
}
