package keyring

import (
	"io"
	"os"

	"breakwater"
)

// makeDir makes the directory for its owner only.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return breakwater.Wrap(breakwater.KindInternal, err, "the keyring directory cannot be made")
	}
	return nil
}

// readFile reads a sealed file, bounded.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInternal, err, "a keyring file cannot be read")
	}
	defer f.Close()
	return readBounded(f, maxSealed)
}

func readBounded(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInternal, err, "a keyring file cannot be read")
	}
	if int64(len(b)) > limit {
		return nil, breakwater.Errorf(breakwater.KindInternal, "a keyring file is larger than it can be")
	}
	return b, nil
}

// writeTemp writes b to a fresh 0600 file in dir, synced, and returns its name.
func writeTemp(dir string, b []byte) (name string, err error) {
	f, err := os.CreateTemp(dir, tempPrefix+"*") // mode 0600
	if err != nil {
		return "", breakwater.Wrap(breakwater.KindInternal, err, "a keyring file cannot be written")
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", breakwater.Wrap(breakwater.KindInternal, err, "a keyring file cannot be written")
	}
	return f.Name(), nil
}

// replaceFile puts b at path: readers and a crash see the old bytes or the new.
func replaceFile(dir, path string, b []byte) error {
	tmp, err := writeTemp(dir, b)
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		_ = os.Remove(tmp)
		return breakwater.Wrap(breakwater.KindInternal, err, "a keyring file cannot be written")
	}
	return syncDir(dir)
}

// syncDir makes a rename or a removal in dir survive a power loss.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return breakwater.Wrap(breakwater.KindInternal, err, "the keyring directory cannot be synced")
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return breakwater.Wrap(breakwater.KindInternal, err, "the keyring directory cannot be synced")
	}
	return nil
}
