//go:build !race

package baseline

const race = false
