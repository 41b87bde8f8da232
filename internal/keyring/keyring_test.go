package keyring_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/keyring"
)

func open(t *testing.T, dir string, opts keyring.Options) *keyring.Keyring {
	t.Helper()
	k, err := keyring.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealBindsContextAndKey(t *testing.T) {
	k := open(t, t.TempDir(), keyring.Options{})
	other := open(t, t.TempDir(), keyring.Options{})
	sealed := k.Seal([]byte("hunter2"), "access-key:AK1")
	if bytes.Contains(sealed, []byte("hunter2")) {
		t.Fatal("the sealed message holds the secret")
	}
	if bytes.Equal(sealed, k.Seal([]byte("hunter2"), "access-key:AK1")) {
		t.Fatal("two seals of one secret are equal")
	}
	flipped := bytes.Clone(sealed)
	flipped[len(flipped)-1] ^= 1
	tests := []struct {
		name    string
		ring    *keyring.Keyring
		sealed  []byte
		context string
		good    bool
	}{
		{"right", k, sealed, "access-key:AK1", true},
		{"other context", k, sealed, "access-key:AK2", false},
		{"other key", other, sealed, "access-key:AK1", false},
		{"changed", k, flipped, "access-key:AK1", false},
		{"cut", k, sealed[:len(sealed)-1], "access-key:AK1", false},
		{"empty", k, nil, "access-key:AK1", false},
		{"unknown version", k, append([]byte{9}, sealed[1:]...), "access-key:AK1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plain, err := tt.ring.Unseal(tt.sealed, tt.context)
			if (err == nil) != tt.good {
				t.Fatalf("err = %v, want good = %t", err, tt.good)
			}
			if tt.good && string(plain) != "hunter2" {
				t.Fatalf("plain = %q", plain)
			}
		})
	}
}

func TestKeysArePurposeBoundAndStable(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir, keyring.Options{})
	again := open(t, dir, keyring.Options{})
	if !bytes.Equal(k.Key("token"), again.Key("token")) {
		t.Error("a key changes over a restart")
	}
	if bytes.Equal(k.Key("token"), k.Key("docker")) {
		t.Error("two purposes share a key")
	}
	if n := len(k.Key("token")); n != 32 {
		t.Errorf("a key has %d bytes", n)
	}
}

func TestMasterKeyFile(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, keyring.Options{})
	path := filepath.Join(dir, "master.key")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Fatalf("mode = %04o", mode)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("readable by others", func(t *testing.T) {
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(path, 0o600)
		if _, err := keyring.Open(dir, keyring.Options{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Fatalf("err = %v", err)
		}
	})
	t.Run("given by option", func(t *testing.T) {
		raw, _ := hex.DecodeString(strings.TrimSpace(string(text)))
		open(t, dir, keyring.Options{MasterKey: base64.StdEncoding.EncodeToString(raw)})
	})
	t.Run("wrong key", func(t *testing.T) {
		wrong := strings.Repeat("ab", 32)
		_, err := keyring.Open(dir, keyring.Options{MasterKey: wrong})
		if err == nil || strings.Contains(err.Error(), wrong) {
			t.Fatalf("err = %v", err)
		}
	})
	t.Run("bad text", func(t *testing.T) {
		_, err := keyring.Open(t.TempDir(), keyring.Options{MasterKey: "s3cret"})
		if breakwater.KindOf(err) != breakwater.KindInvalid || strings.Contains(err.Error(), "s3cret") {
			t.Fatalf("err = %v", err)
		}
	})
	t.Run("lost", func(t *testing.T) {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.Open(dir, keyring.Options{}); err == nil || !strings.Contains(err.Error(), "gone") {
			t.Fatalf("err = %v", err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Fatal("a fresh key was made over sealed secrets")
		}
	})
}

func TestPasswords(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	k := open(t, dir, keyring.Options{})
	const password = `p$a"ss 'w' ord`
	if _, err := k.Get(ctx, "reg1"); !breakwater.IsNotFound(err) {
		t.Fatalf("Get before Put: %v", err)
	}
	for _, id := range []string{"reg2", "reg1"} {
		if err := k.Put(ctx, id, "old"); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Put(ctx, "reg1", password); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, keyring.Options{})
	if got, err := again.Get(ctx, "reg1"); err != nil || got != password {
		t.Fatalf("Get = %q, %v", got, err)
	}
	leftover := filepath.Join(dir, "registry", ".tmp-1")
	if err := os.WriteFile(leftover, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	ids, err := again.List(ctx)
	if diff := cmp.Diff([]string{"reg1", "reg2"}, ids); err != nil || diff != "" {
		t.Fatalf("List: %v\n%s", err, diff)
	}
	if _, err := os.Stat(leftover); err != nil {
		t.Error("List swept what may be another process's write")
	}
	later := open(t, dir, keyring.Options{Now: func() time.Time { return time.Now().Add(2 * time.Hour) }})
	if _, err := later.List(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(leftover); err == nil {
		t.Error("List left an interrupted write behind")
	}
	// One registry's file in another's place must not open.
	b, err := os.ReadFile(filepath.Join(dir, "registry", "reg1"))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte(password)) {
		t.Error("the file holds the password in the clear")
	}
	if err := os.WriteFile(filepath.Join(dir, "registry", "reg2"), b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Get(ctx, "reg2"); err == nil || strings.Contains(fmt.Sprint(got, err), password) {
		t.Fatalf("a swapped file opened: %q, %v", got, err)
	}
	for range 2 {
		if err := k.Delete(ctx, "reg1"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Get(ctx, "reg1"); !breakwater.IsNotFound(err) {
		t.Fatalf("Get after Delete: %v", err)
	}
}

func TestBadIDs(t *testing.T) {
	k := open(t, t.TempDir(), keyring.Options{})
	for _, id := range []string{"", ".", "..", "../master.key", "a/b", `a\b`, "a b", "é", strings.Repeat("a", 129)} {
		if err := k.Put(context.Background(), id, "x"); breakwater.KindOf(err) != breakwater.KindInvalid {
			t.Errorf("Put(%q) = %v", id, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	var rings [4]*keyring.Keyring
	var wg sync.WaitGroup
	for i := range rings {
		wg.Go(func() { // several first starts at once agree on one key
			k, err := keyring.Open(dir, keyring.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			rings[i] = k
			for n := range 5 {
				if err := k.Put(ctx, "reg", fmt.Sprintf("password-%d-%d", i, n)); err != nil {
					t.Error(err)
				}
				if got, err := k.Get(ctx, "reg"); err != nil || !strings.HasPrefix(got, "password-") {
					t.Errorf("Get = %q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestNothingPrintsTheKey(t *testing.T) {
	k := open(t, t.TempDir(), keyring.Options{MasterKey: strings.Repeat("ab", 32)})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		if got := fmt.Sprintf(verb, k); strings.Contains(got, "abab") || strings.Contains(got, "171") {
			t.Errorf("%s prints %s", verb, got)
		}
		if got := fmt.Sprintf(verb, []any{k}); strings.Contains(got, "171") {
			t.Errorf("%s of a slice prints %s", verb, got)
		}
	}
}
