package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"

	"breakwater"

	"golang.org/x/crypto/bcrypt"
)

// Limits of a password: bcrypt reads 72 bytes and no more.
const (
	MinPassword = 8
	MaxPassword = 72
)

const bcryptCost = 10

// nobody is the hash of a password that nobody knows, at bcryptCost: checking it
// takes as long as checking a real one.
const nobody = "$2a$10$abcdefghijklmnopqrstuuW2vZ0nJ1cJ6sVnXkqkq0u7Lr2bY1y8C"

// HashPassword is the bcrypt hash of a password that is long enough and not too long.
func HashPassword(password string) (string, error) {
	if len(password) > MaxPassword || utf8.RuneCountInString(password) < MinPassword {
		return "", breakwater.Invalid("password", "must be %d characters to %d bytes long", MinPassword, MaxPassword)
	}
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcryptCost)
	if err != nil {
		return "", breakwater.Wrap(breakwater.KindInternal, err, "hash a password")
	}
	return string(h), nil
}

// CheckPassword reports whether the password made the hash. An empty hash, of a
// user who is not there, is never right and takes as long.
func CheckPassword(hash, password string) bool {
	known := hash != ""
	if !known {
		hash = nobody
	}
	return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil && known
}

// Stamp is a short mark of a password hash: tokens carry it, so that a changed
// password ends them.
func Stamp(hash string) string {
	sum := sha256.Sum256([]byte("stamp:" + hash))
	return hex.EncodeToString(sum[:8])
}
