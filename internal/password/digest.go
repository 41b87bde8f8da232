package password

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"strings"
)

// The schemes that run a digest once or twice, and so guess millions a second.

// sumOf is the digest that has this many bytes, and its name.
func sumOf(length int) (func([]byte) []byte, string) {
	switch length {
	case md5.Size:
		return func(p []byte) []byte { s := md5.Sum(p); return s[:] }, "md5"
	case sha1.Size:
		return func(p []byte) []byte { s := sha1.Sum(p); return s[:] }, "sha1"
	case sha256.Size:
		return func(p []byte) []byte { s := sha256.Sum256(p); return s[:] }, "sha256"
	case sha512.Size:
		return func(p []byte) []byte { s := sha512.Sum512(p); return s[:] }, "sha512"
	}
	return nil, ""
}

// mysqlNative reads mysql_native_password: a star and the SHA-1 of the SHA-1 in hexadecimal.
func mysqlNative(hash, _ string) (target, string) {
	t := target{scheme: "mysql_native", cost: costDigest}
	want, err := hex.DecodeString(strings.ToLower(hash[1:]))
	if err != nil || len(want) != sha1.Size {
		t.scheme = "unknown"
		return t, unknown
	}
	t.fits = func(p []byte) bool {
		if len(p) == 0 {
			return false // the empty password has an empty hash
		}
		once := sha1.Sum(p)
		twice := sha1.Sum(once[:])
		return equal(twice[:], want)
	}
	return t, ""
}

// postgresMD5 reads PostgreSQL's md5 and the MD5 of password and account in hexadecimal.
func postgresMD5(hash, account string) (target, string) {
	want, err := hex.DecodeString(strings.ToLower(hash[3:]))
	if err != nil || len(want) != md5.Size {
		return target{scheme: "unknown"}, unknown
	}
	t := target{scheme: "postgres_md5", cost: costDigest}
	t.fits = func(p []byte) bool {
		got := md5.Sum(append(append(make([]byte, 0, len(p)+len(account)), p...), account...))
		return equal(got[:], want)
	}
	return t, ""
}

// ldapDigest reads RFC 2307's {SHA}, {SSHA} (salted) and {MD5}, as htpasswd and
// LDAP write them, in base64.
func ldapDigest(hash, _ string) (target, string) {
	name, rest, _ := strings.Cut(hash[1:], "}")
	t := target{scheme: map[string]string{"SHA": "ldap_sha1", "SSHA": "ldap_salted_sha1", "MD5": "ldap_md5"}[name], cost: costDigest}
	raw, err := decode64(rest)
	size := sha1.Size
	if name == "MD5" {
		size = md5.Size
	}
	if err != nil || len(raw) < size || name != "SSHA" && len(raw) != size {
		return t, broken
	}
	sum, _ := sumOf(size)
	want, salt := raw[:size], raw[size:]
	t.fits = func(p []byte) bool { return equal(sum(append(append([]byte(nil), p...), salt...)), want) }
	return t, ""
}
