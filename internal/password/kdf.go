package password

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/scrypt"
)

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// decode64 reads base64 with and without padding, and passlib's with a dot for a plus.
func decode64(s string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.ReplaceAll(strings.TrimRight(s, "="), ".", "+"))
}

// settings reads "m=65536,t=3,p=4" into the places of names, in any order.
// Each name must be there once.
func settings(s string, names string) (map[string]uint64, bool) {
	out := map[string]uint64{}
	for field := range strings.SplitSeq(s, ",") {
		k, v, ok := strings.Cut(field, "=")
		n, err := strconv.ParseUint(v, 10, 32)
		if !ok || err != nil {
			return nil, false
		}
		out[k] = n
	}
	for name := range strings.SplitSeq(names, ",") {
		if _, ok := out[name]; !ok {
			return nil, false
		}
	}
	return out, true
}

// argon2Hash reads the PHC form: $argon2id$v=19$m=…,t=…,p=…$salt$key.
func argon2Hash(hash, _ string) (target, string) {
	parts := strings.Split(hash, "$")
	t := target{scheme: "argon2"}
	if len(parts) != 6 {
		return t, broken
	}
	t.scheme = parts[1]
	if t.scheme != "argon2id" && t.scheme != "argon2i" || parts[2] != "v=19" {
		t.scheme = "argon2"
		return t, lacking
	}
	set, ok := settings(parts[3], "m,t,p")
	salt, err := decode64(parts[4])
	want, err2 := decode64(parts[5])
	if !ok || err != nil || err2 != nil || len(want) < 4 || len(want) > 128 {
		return t, broken
	}
	memory, passes, threads := set["m"], set["t"], set["p"]
	if memory < 8 || passes < 1 || threads < 1 || threads > 16 {
		return t, "the hash asks for absurd parameters"
	}
	t.memory = int64(memory) << 10
	t.cost = times(costArgon2, memory*passes)
	t.fits = func(p []byte) bool {
		derive := argon2.IDKey
		if t.scheme == "argon2i" {
			derive = argon2.Key
		}
		return equal(derive(p, salt, uint32(passes), uint32(memory), uint8(threads), uint32(len(want))), want)
	}
	return t, ""
}

// scryptHash reads passlib's $scrypt$ln=…,r=…,p=…$salt$key.
func scryptHash(hash, _ string) (target, string) {
	parts := strings.Split(hash, "$")
	if len(parts) != 5 {
		return target{scheme: "scrypt"}, broken
	}
	set, ok := settings(parts[2], "ln,r,p")
	salt, err := decode64(parts[3])
	want, err2 := decode64(parts[4])
	if !ok || err != nil || err2 != nil || len(want) < 4 || len(want) > 128 {
		return target{scheme: "scrypt"}, broken
	}
	n, r, p := set["ln"], set["r"], set["p"]
	t, refused := scryptTarget(n, r, p)
	t.fits = func(pass []byte) bool {
		key, err := scrypt.Key(pass, salt, 1<<n, int(r), int(p), len(want))
		return err == nil && equal(key, want)
	}
	return t, refused
}

// pbkdf2Hash reads passlib's $pbkdf2[-digest]$rounds$salt$key.
func pbkdf2Hash(hash, _ string) (target, string) {
	parts := strings.Split(hash, "$")
	if len(parts) != 5 {
		return target{scheme: "pbkdf2"}, broken
	}
	digest := strings.TrimPrefix(strings.TrimPrefix(parts[1], "pbkdf2"), "-")
	salt, err := decode64(parts[3])
	if err != nil {
		return target{scheme: "pbkdf2"}, broken
	}
	return pbkdf2Target(digest, parts[2], salt, parts[4])
}

// pbkdf2Django reads Django's pbkdf2_digest$rounds$salt$key; the salt is text.
func pbkdf2Django(hash, _ string) (target, string) {
	parts := strings.Split(hash, "$")
	if len(parts) != 4 {
		return target{scheme: "pbkdf2"}, broken
	}
	return pbkdf2Target(strings.TrimPrefix(parts[0], "pbkdf2_"), parts[1], []byte(parts[2]), parts[3])
}

func pbkdf2Target(digest, rounds string, salt []byte, key string) (target, string) {
	t := target{scheme: "pbkdf2"}
	want, err := decode64(key)
	n, err2 := strconv.ParseUint(rounds, 10, 32)
	if err != nil || err2 != nil || n < 1 || len(want) < 4 || len(want) > 128 {
		return t, broken
	}
	cost := costPBKDF2
	var sum func() hash.Hash
	switch digest {
	case "", "sha1":
		sum = sha1.New
	case "sha256":
		sum = sha256.New
	case "sha512":
		sum, cost = sha512.New, costPBKDF2Wide
	default:
		return t, lacking
	}
	blocks := uint64((len(want) + sum().Size() - 1) / sum().Size())
	t.cost = times(cost, n*blocks)
	t.fits = func(p []byte) bool {
		got, err := pbkdf2.Key(sum, string(p), salt, int(n), len(want))
		return err == nil && equal(got, want)
	}
	return t, ""
}

// scramHash reads PostgreSQL's SCRAM-SHA-256$rounds:salt$stored:server (RFC 5803).
func scramHash(hash, _ string) (target, string) {
	t := target{scheme: "scram-sha-256"}
	parts := strings.Split(hash, "$")
	if len(parts) != 3 {
		return t, broken
	}
	rounds, salt64, ok := strings.Cut(parts[1], ":")
	stored64, _, ok2 := strings.Cut(parts[2], ":")
	n, err := strconv.ParseUint(rounds, 10, 32)
	salt, err2 := decode64(salt64)
	stored, err3 := decode64(stored64)
	if !ok || !ok2 || err != nil || err2 != nil || err3 != nil || n < 1 || len(stored) != sha256.Size {
		return t, broken
	}
	t.cost = times(costPBKDF2, n)
	t.fits = func(p []byte) bool {
		salted, err := pbkdf2.Key(sha256.New, string(p), salt, int(n), sha256.Size)
		if err != nil {
			return false
		}
		mac := hmac.New(sha256.New, salted)
		mac.Write([]byte("Client Key"))
		got := sha256.Sum256(mac.Sum(nil))
		return equal(got[:], stored)
	}
	return t, ""
}
