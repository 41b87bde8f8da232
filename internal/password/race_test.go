//go:build race

package password

// race says that the race detector, which is many times slower, watches the tests.
const race = true
