package auth

import (
	"errors"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// TestNobodyCostsAsMuch: the hash for absent users must be a whole one, or its
// check would return at once and tell who exists.
func TestNobodyCostsAsMuch(t *testing.T) {
	if cost, err := bcrypt.Cost([]byte(nobody)); err != nil || cost != bcryptCost {
		t.Errorf("cost %d, %v", cost, err)
	}
	if err := bcrypt.CompareHashAndPassword([]byte(nobody), []byte("x")); !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		t.Error(err)
	}
}
