package keyring

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"breakwater"
)

const (
	masterFile = "master.key"
	proofFile  = "master.check"
	proofText  = "breakwater keyring"
)

// loadMaster takes the key from the options, else from the file, else makes
// the file. A directory that already holds secrets never gets a fresh key: that
// would quietly lose every password in it.
func loadMaster(dir string, opts Options) (key [keySize]byte, err error) {
	if opts.MasterKey != "" {
		return decodeMaster(opts.MasterKey, "the configured master key")
	}
	path := filepath.Join(dir, masterFile)
	key, err = readMaster(path)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if _, err := os.Lstat(filepath.Join(dir, proofFile)); err == nil {
		// Another process may have made both since we looked for the key.
		if key, err = readMaster(path); err == nil || !errors.Is(err, fs.ErrNotExist) {
			return key, err
		}
		return key, breakwater.Errorf(breakwater.KindInternal,
			"the master key file %s is gone but secrets sealed with it remain: put the file back or configure the key", path)
	}
	return makeMaster(dir, path)
}

func readMaster(path string) (key [keySize]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return key, breakwater.Wrap(breakwater.KindInternal, err, "the master key file cannot be read")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return key, breakwater.Wrap(breakwater.KindInternal, err, "the master key file cannot be read")
	}
	if !info.Mode().IsRegular() {
		return key, breakwater.Errorf(breakwater.KindInternal, "the master key file %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return key, breakwater.Errorf(breakwater.KindInternal,
			"the master key file %s has mode %04o: others than its owner may read it; run chmod 600 on it, and make a new key if somebody could have", path, mode)
	}
	b, err := readBounded(f, 4096)
	if err != nil {
		return key, breakwater.Wrap(breakwater.KindInternal, err, "the master key file cannot be read")
	}
	return decodeMaster(string(b), "the master key file "+path)
}

// decodeMaster accepts hex and both alphabets of base64; its errors never
// repeat the text.
func decodeMaster(text, where string) (key [keySize]byte, err error) {
	text = strings.TrimSpace(text)
	decoders := []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	}
	for _, decode := range decoders {
		if b, err := decode(text); err == nil && len(b) == keySize {
			return [keySize]byte(b), nil
		}
	}
	return key, breakwater.Errorf(breakwater.KindInvalid, "%s must be 32 bytes, as 64 hex digits or in base64", where)
}

// makeMaster writes a fresh key and links it into place, which fails when
// another process was first; then that process's key is the one.
func makeMaster(dir, path string) (key [keySize]byte, err error) {
	_, _ = rand.Read(key[:])
	tmp, err := writeTemp(dir, []byte(hex.EncodeToString(key[:])+"\n"))
	if err != nil {
		return key, err
	}
	defer os.Remove(tmp)
	if err := os.Link(tmp, path); errors.Is(err, fs.ErrExist) {
		return readMaster(path)
	} else if err != nil {
		return key, breakwater.Wrap(breakwater.KindInternal, err, "the master key file cannot be written")
	}
	return key, syncDir(dir)
}

// proveKey compares the key with the message that the directory's first key
// sealed, so that a wrong key is found at start and not at the first scan.
func (k *Keyring) proveKey() error {
	path := filepath.Join(k.dir, proofFile)
	sealed, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return replaceFile(k.dir, path, k.Seal([]byte(proofText), proofFile))
	}
	if err != nil {
		return err
	}
	if plain, err := k.Unseal(sealed, proofFile); err != nil || string(plain) != proofText {
		return breakwater.Errorf(breakwater.KindInternal,
			"the master key is not the one that sealed the secrets in %s: configure the right key", k.dir)
	}
	return nil
}
