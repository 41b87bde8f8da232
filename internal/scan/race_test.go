//go:build race

package scan_test

const underRace = true
