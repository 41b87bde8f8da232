//go:build !race

package password

const race = false
