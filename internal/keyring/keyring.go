package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"sync"
	"time"

	"breakwater"
)

const (
	keySize     = 32
	nonceSize   = 12
	sealVersion = 1 // first byte of every sealed message; tells a later format apart

	// maxSealed bounds a sealed file that is read back: passwords are short.
	maxSealed = 1 << 20
)

// Options say where the master key comes from; the zero value means the file
// master.key inside the directory, made at first start.
type Options struct {
	// MasterKey is 32 bytes as 64 hex digits or in base64. When it is given no
	// key file is read or written.
	MasterKey string

	// Now tells how old a left-over file is; time.Now when nil.
	Now func() time.Time
}

// Keyring seals and opens secrets. It is safe for concurrent use.
type Keyring struct {
	dir    string
	now    func() time.Time
	master [keySize]byte
	aead   cipher.AEAD
	mu     sync.RWMutex // guards the files of the registry store
}

// Open reads the master key, or makes it on an empty directory, and refuses a
// directory whose secrets were sealed with another key.
func Open(dir string, opts Options) (*Keyring, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	master, err := loadMaster(dir, opts)
	if err != nil {
		return nil, err
	}
	k := &Keyring{dir: dir, now: opts.Now, master: master}
	if k.now == nil {
		k.now = time.Now
	}
	block, err := aes.NewCipher(k.derive("seal"))
	if err != nil {
		return nil, breakwater.Wrap(breakwater.KindInternal, err, "the master key cannot be used")
	}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return nil, breakwater.Wrap(breakwater.KindInternal, err, "the master key cannot be used")
	}
	if err := k.proveKey(); err != nil {
		return nil, err
	}
	return k, nil
}

// Seal encrypts plain for the given context: the same context opens it again
// and no other does. Two seals of one secret differ.
func (k *Keyring) Seal(plain []byte, context string) []byte {
	out := make([]byte, 1+nonceSize, 1+nonceSize+len(plain)+k.aead.Overhead())
	out[0] = sealVersion
	_, _ = rand.Read(out[1:]) // crypto/rand.Read never fails; it ends the program instead
	return k.aead.Seal(out, out[1:1+nonceSize], plain, []byte(context))
}

// Unseal opens what Seal made for the same context. It fails for a changed
// message, another context or another master key, and does not say which.
func (k *Keyring) Unseal(sealed []byte, context string) ([]byte, error) {
	if len(sealed) < 1+nonceSize+k.aead.Overhead() || sealed[0] != sealVersion {
		return nil, breakwater.Errorf(breakwater.KindInternal, "keyring: not a sealed message")
	}
	plain, err := k.aead.Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], []byte(context))
	if err != nil {
		return nil, breakwater.Errorf(breakwater.KindInternal, "keyring: the sealed message does not open")
	}
	return plain, nil
}

// Key is 32 bytes for one purpose, always the same for one master key and
// telling nothing about it or about another purpose's key.
func (k *Keyring) Key(purpose string) []byte { return k.derive("key:" + purpose) }

func (k *Keyring) derive(info string) []byte {
	key, err := hkdf.Key(sha256.New, k.master[:], nil, "breakwater/"+info, keySize)
	if err != nil {
		// Only a length beyond 255 hashes can fail, and the length is ours.
		panic("keyring: hkdf: " + err.Error())
	}
	return key
}

// String hides the secrets: a Keyring that slips into a log prints its name.
func (k *Keyring) String() string { return "keyring(sealed)" }

// GoString does the same for %#v.
func (k *Keyring) GoString() string { return k.String() }

// Format covers every other verb, so that %x or %d do not reach the fields.
func (k *Keyring) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, k.String()) }
