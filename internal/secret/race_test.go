//go:build race

package secret

// underRace: the race detector makes regular expressions, which is what these
// tests spend their time on, twenty times as slow, and finds nothing in one
// goroutine. They draw fewer texts; .ci/run runs them without it, with all.
const underRace = true
