package password

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"strconv"
	"strings"

	"github.com/go-crypt/x/bcrypt"
	"github.com/go-crypt/x/crypt"
	"github.com/go-crypt/x/yescrypt"
	"golang.org/x/crypto/scrypt"
)

// The schemes of crypt(3), as crypt(5) describes them.

func sha512crypt(hash, _ string) (target, string) {
	return shaCrypt(hash[3:], "sha512crypt", sha512.New, 86, int64(costSHA512))
}

func sha256crypt(hash, _ string) (target, string) {
	return shaCrypt(hash[3:], "sha256crypt", sha256.New, 43, int64(costSHA256))
}

// shaCrypt reads [rounds=N$]salt$sum. Rounds are 5,000 unless said, and at least
// 1,000 and at most 999,999,999 whatever is said; 16 bytes of the salt count.
func shaCrypt(rest, scheme string, sum func() hash.Hash, length int, cost int64) (target, string) {
	t := target{scheme: scheme}
	rounds := int64(5000)
	if said, after, ok := strings.Cut(strings.TrimPrefix(rest, "rounds="), "$"); ok && strings.HasPrefix(rest, "rounds=") {
		n, err := strconv.ParseUint(said, 10, 63)
		if err != nil {
			return t, broken
		}
		rounds, rest = int64(min(max(n, 1000), 999_999_999)), after
	}
	salt, want, ok := strings.Cut(rest, "$")
	if !ok || len(want) != length || !isCrypt64(want) {
		return t, broken
	}
	salt = salt[:min(len(salt), 16)]
	if salt == "" {
		return t, broken
	}
	t.cost = times(1, uint64(cost*rounds))
	t.fits = func(p []byte) bool { return equal(crypt.KeySHACrypt(sum, p, []byte(salt), int(rounds)), []byte(want)) }
	return t, ""
}

// md5crypt reads $1$salt$sum, and Apache's $apr1$ that differs in its name only.
func md5crypt(hash, _ string) (target, string) {
	end := strings.IndexByte(hash[1:], '$') + 2
	magic, rest := hash[:end], hash[end:]
	t := target{scheme: "md5crypt", cost: costMD5Crypt}
	if magic == "$apr1$" {
		t.scheme = "apr1"
	}
	salt, want, ok := strings.Cut(rest, "$")
	if !ok || len(want) != 22 || !isCrypt64(want) {
		return t, broken
	}
	salt = salt[:min(len(salt), 8)]
	t.fits = func(p []byte) bool { return equal(md5Crypt(p, []byte(salt), magic), []byte(want)) }
	return t, ""
}

// md5Crypt is the algorithm of FreeBSD's crypt with either magic; the library's
// knows only one of them.
func md5Crypt(p, salt []byte, magic string) []byte {
	h := md5.New()
	write := func(parts ...[]byte) {
		for _, b := range parts {
			h.Write(b)
		}
	}
	write(p, salt, p)
	alternate := h.Sum(nil)
	h.Reset()
	write(p, []byte(magic), salt)
	for n := len(p); n > 0; n -= len(alternate) {
		write(alternate[:min(n, len(alternate))])
	}
	for n := len(p); n > 0; n >>= 1 {
		if n&1 != 0 {
			write([]byte{0})
		} else {
			write(p[:1])
		}
	}
	sum := h.Sum(nil)
	for i := range 1000 {
		h.Reset()
		first, last := sum, p
		if i&1 != 0 {
			first, last = p, sum
		}
		write(first)
		if i%3 != 0 {
			write(salt)
		}
		if i%7 != 0 {
			write(p)
		}
		write(last)
		sum = h.Sum(nil)
	}
	var ordered []byte
	for i := range 5 {
		last := i + 12
		if i == 4 {
			last = 5
		}
		ordered = append(ordered, sum[last], sum[i+6], sum[i])
	}
	return yescrypt.Encode64(append(ordered, sum[11]))
}

// yescryptHash reads $y$ with the parameters that libxcrypt makes: j, N, r.
func yescryptHash(hash, _ string) (target, string) {
	t := target{scheme: "yescrypt"}
	parts := strings.Split(hash, "$")
	if len(parts) != 5 || len(parts[4]) != 43 {
		return t, broken
	}
	if len(parts[2]) != 3 || parts[2][0] != 'j' {
		return t, lacking
	}
	n, r := strings.IndexByte(crypt64, parts[2][1])+1, strings.IndexByte(crypt64, parts[2][2])+1
	if n < 10 || n > 18 || r < 1 || r > 32 {
		return t, lacking
	}
	t.cost = times(costYescrypt, uint64(r)<<n)
	t.memory = int64(128*r) << n
	t.fits = func(p []byte) bool {
		got, err := yescrypt.Hash(p, []byte(hash))
		return err == nil && equal(got, []byte(hash))
	}
	return t, ""
}

// scryptCrypt reads libxcrypt's $7$: one character for log2 N, five for r, five for p.
func scryptCrypt(hash, _ string) (target, string) {
	t := target{scheme: "scrypt"}
	salt, want, ok := strings.Cut(hash[3:], "$")
	if !ok || len(salt) < 11 || len(want) != 43 {
		return t, broken
	}
	number := func(s string) (n uint64) {
		for i := range len(s) {
			n |= uint64(max(0, strings.IndexByte(crypt64, s[i]))) << (6 * i)
		}
		return n
	}
	n, r, p := number(salt[:1]), number(salt[1:6]), number(salt[6:11])
	salt = salt[11:]
	t, refused := scryptTarget(n, r, p)
	t.fits = func(pass []byte) bool {
		key, err := scrypt.Key(pass, []byte(salt), 1<<n, int(r), int(p), 32)
		return err == nil && equal(yescrypt.Encode64(key), []byte(want))
	}
	return t, refused
}

// scryptTarget is a target with scrypt's cost and memory for 2^n, r and p.
func scryptTarget(n, r, p uint64) (target, string) {
	t := target{scheme: "scrypt"}
	if n < 1 || n > 40 || r < 1 || r > 1<<16 || p < 1 || p > 1<<16 {
		return t, "the hash asks for absurd parameters"
	}
	t.cost = times(costScrypt, r*p<<min(n, 30))
	if n > 30 {
		t.cost = never
	}
	t.memory = int64(128 * r << min(n, 30))
	return t, ""
}

// bcryptHash reads $2b$cost$ and 53 characters.
func bcryptHash(hash, _ string) (target, string) {
	t := target{scheme: "bcrypt"}
	if len(hash) != 60 || hash[6] != '$' {
		return t, broken
	}
	cost, err := strconv.Atoi(hash[4:6])
	if err != nil || cost < 4 || cost > 31 || strings.Trim(hash[7:], crypt64) != "" {
		return t, broken
	}
	salt, err := base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding).DecodeString(hash[7:29])
	if err != nil || len(salt) != 16 {
		return t, broken
	}
	t.cost = times(costBcrypt, 1<<cost)
	t.fits = func(p []byte) bool {
		key, err := bcrypt.Key(p[:min(len(p), 72)], salt, cost)
		return err == nil && equal(bytes.TrimRight(key, "="), []byte(hash[29:]))
	}
	return t, ""
}
