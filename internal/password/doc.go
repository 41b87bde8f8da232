// Package password judges whether a password, or the one behind a hash, is weak.
//
// # How data flows
//
//	hash ─► parse (scheme.go): scheme, parameters, what one guess costs
//	        refused before computing: unknown, broken, or absurdly costly
//	     ─► guesses (guess.go), the likeliest first:
//	        empty ─► the account's name ─► words of the host ─► the operator's list ─► the built-in list
//	     ─► as many as the budget pays for, on all cores (crack.go)
//	     ─► Verdict: weak and why, with the value masked; or how much was not tried
//	password ─► Plain: the same lists, and length and variety
//
// # The budget
//
// An image has 20 s of CPU time and a hash 5 s, unless Options say otherwise.
// What a guess costs is taken from a table of measured figures (scheme.go), not
// from a clock, so the same image has the same verdicts on every machine and
// under every load. A clock of CPU time stands behind it: guessing ends when
// it has really used three times the budget, and the verdict says so.
//
// A hash whose parameters ask for more than the budget or more than 64 MiB of
// memory for one guess (bcrypt cost 31, a billion rounds) is never computed.
//
// No password leaves the package: a Verdict has its first and last character at
// most. Verdicts are kept in memory (never the passwords), so that a hash that
// is in a hundred images is guessed once.
package password
