package breakwater

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"strings"
)

// Digest names bytes by their hash: "sha256:" and 64 lower-case hex digits, or
// "sha512:" and 128 (OCI image spec, descriptor.md, "Digests"). The zero value
// names nothing.
type Digest string

// ParseDigest accepts the two registered algorithms and nothing else; the
// error is of kind Invalid and never repeats s.
func ParseDigest(s string) (Digest, error) {
	algorithm, encoded, ok := strings.Cut(s, ":")
	if !ok {
		return "", Invalid("digest", "a digest is algorithm:hex")
	}
	want := 0
	switch algorithm {
	case "sha256":
		want = sha256.Size * 2
	case "sha512":
		want = sha512.Size * 2
	default:
		return "", Invalid("digest", "the digest algorithm must be sha256 or sha512")
	}
	if len(encoded) != want {
		return "", Invalid("digest", "the digest has the wrong length")
	}
	for i := 0; i < len(encoded); i++ {
		c := encoded[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", Invalid("digest", "the digest must be lower-case hex")
		}
	}
	return Digest(s), nil
}

// DigestOf is the sha256 digest of b.
func DigestOf(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// DigestOfHash turns a finished hash into a digest of the named algorithm.
func DigestOfHash(algorithm string, h hash.Hash) Digest {
	return Digest(algorithm + ":" + hex.EncodeToString(h.Sum(nil)))
}

// Algorithm is the part before the colon.
func (d Digest) Algorithm() string { a, _, _ := strings.Cut(string(d), ":"); return a }

// Hex is the part after the colon.
func (d Digest) Hex() string { _, h, _ := strings.Cut(string(d), ":"); return h }

// Hash returns a fresh hash of the digest's algorithm; sha256 when the digest is zero.
func (d Digest) Hash() hash.Hash {
	if d.Algorithm() == "sha512" {
		return sha512.New()
	}
	return sha256.New()
}

func (d Digest) String() string { return string(d) }
