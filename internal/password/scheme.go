package password

import (
	"encoding/hex"
	"strings"
	"time"
)

// What one guess costs on one core, measured with BenchmarkSchemes on the
// machine that docs/performance.md names. They decide how many guesses a budget
// pays for, the same everywhere.
const (
	costDigest     = 500 * time.Nanosecond // the fast ones: a few runs of a digest
	costMD5Crypt   = 150 * time.Microsecond
	costSHA256     = 130 * time.Nanosecond // one round of sha256crypt
	costSHA512     = 250 * time.Nanosecond // one round of sha512crypt
	costBcrypt     = 60 * time.Microsecond // 2^cost times
	costYescrypt   = 270 * time.Nanosecond // for each N·r
	costScrypt     = 250 * time.Nanosecond // for each N·r·p
	costArgon2     = 1700 * time.Nanosecond
	costPBKDF2     = 170 * time.Nanosecond // one iteration with SHA-256 or SHA-1
	costPBKDF2Wide = 430 * time.Nanosecond // one iteration with SHA-512
)

// never is a cost above every budget: of parameters whose true cost overflows.
const never = time.Duration(1) << 62

// maxHash bounds a hash, in bytes; none that is in use is near it.
const maxHash = 512

// target is a hash that can be guessed.
type target struct {
	scheme string
	cost   time.Duration // of one guess
	memory int64         // of one guess, in bytes
	// fits says whether the password is the one; several goroutines may ask.
	fits func(password []byte) bool
}

// parser reads one family of hashes. It answers false for what is not of its
// family, and with a reason for what is and cannot be guessed.
type parser struct {
	prefix string
	parse  func(hash, account string) (t target, refused string)
}

// parsers are asked in this order, by the beginning of the hash.
func parsers() []parser {
	return []parser{
		{"$6$", sha512crypt}, {"$5$", sha256crypt}, {"$1$", md5crypt}, {"$apr1$", md5crypt},
		{"$y$", yescryptHash}, {"$7$", scryptCrypt},
		{"$2a$", bcryptHash}, {"$2b$", bcryptHash}, {"$2x$", bcryptHash}, {"$2y$", bcryptHash},
		{"$argon2", argon2Hash}, {"$scrypt$", scryptHash}, {"$pbkdf2", pbkdf2Hash}, {"pbkdf2_", pbkdf2Django},
		{"SCRAM-SHA-256$", scramHash}, {"md5", postgresMD5},
		{"{SHA}", ldapDigest}, {"{SSHA}", ldapDigest}, {"{MD5}", ldapDigest}, {"*", mysqlNative}, {"", hexDigest},
	}
}

// parse is the hash as something to guess, or why it cannot be. The account is
// part of some schemes.
func parse(hash, account string) (t target, refused string) {
	if len(hash) > maxHash {
		return target{scheme: "unknown"}, "the hash is longer than any scheme's"
	}
	for _, p := range parsers() {
		if strings.HasPrefix(hash, p.prefix) {
			t, refused = p.parse(hash, account)
			if refused == "" && (t.cost <= 0 || t.fits == nil) {
				refused = broken
			}
			return t, refused
		}
	}
	return target{scheme: "unknown"}, unknown
}

// Why a hash is not guessed.
const (
	broken  = "the hash is malformed"
	unknown = "the scheme of the hash is not known"
	lacking = "the scheme of the hash is not supported"
)

// Scheme is the name of what made a hash, by its look alone: yescrypt,
// sha512crypt, bcrypt, mysql_native …; "unknown" when it looks like none of
// them. It never fails.
func Scheme(hash string) string {
	switch {
	case len(hash) > maxHash:
		return "unknown"
	case strings.HasPrefix(hash, "$gy$"):
		return "gost-yescrypt"
	case strings.HasPrefix(hash, "$sha1$"):
		return "sha1crypt"
	case strings.HasPrefix(hash, "$3$"):
		return "nt"
	}
	t, _ := parse(hash, "")
	if t.scheme == "unknown" && len(hash) == 13 && isCrypt64(hash) {
		return "descrypt"
	}
	return t.scheme
}

const crypt64 = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

func isCrypt64(s string) bool { return strings.Trim(s, crypt64) == "" }

// times multiplies a cost without overflowing.
func times(cost time.Duration, n uint64) time.Duration {
	if n == 0 || n > uint64(never/cost) {
		return never
	}
	return cost * time.Duration(n)
}

// hexDigest is a bare digest in hexadecimal, told by its length.
func hexDigest(hash, _ string) (target, string) {
	want, err := hex.DecodeString(strings.ToLower(hash))
	sum, name := sumOf(len(want))
	if err != nil || sum == nil {
		return target{scheme: "unknown"}, unknown
	}
	return target{scheme: name, cost: costDigest, fits: func(p []byte) bool { return equal(sum(p), want) }}, ""
}
