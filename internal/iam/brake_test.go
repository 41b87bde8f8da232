package iam

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

func TestGuessingIsSlowed(t *testing.T) {
	h, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost) // the cheapest: the brake is tested, not bcrypt
	if err != nil {
		t.Fatal(err)
	}
	ctx, now, b := context.Background(), time.Unix(1e9, 0), newBrake()
	check := func(guesser, password string, wantGood, wantTired bool) {
		t.Helper()
		good, tired, err := b.check(ctx, guesser, now, string(h), password)
		if err != nil || good != wantGood || tired != wantTired {
			t.Errorf("%s with %q: %v %v %v, want %v %v", guesser, password, good, tired, err, wantGood, wantTired)
		}
	}
	for range guessBurst {
		check("here ada", "wrong", false, false)
	}
	check("here ada", "right", false, true) // not even looked at
	check("there ada", "right", true, false)
	check("here bob", "wrong", false, false)
	now = now.Add(guessEvery)
	check("here ada", "right", true, false)
}

// TestBrakeIsBounded: an attacker with many names cannot make it grow.
func TestBrakeIsBounded(t *testing.T) {
	b, now := newBrake(), time.Unix(1e9, 0)
	for i := range 3 * maxGuessers {
		b.failures(fmt.Sprint("guesser ", i), now, 1)
	}
	if n := len(b.guessers); n > maxGuessers {
		t.Errorf("%d guessers are kept", n)
	}
	b.failures("last", now, 1)
	now = now.Add(time.Hour)
	b.makeRoom(now)
	if b.failures("last", now, 0) {
		t.Error("a guesser who waited is still slowed")
	}
}

func TestBrakeEndsWithItsCaller(t *testing.T) {
	b := newBrake()
	for range cap(b.slots) {
		b.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := b.check(ctx, "ada", time.Unix(1e9, 0), "", "x"); err == nil {
		t.Error("a check waited for nobody")
	}
}
