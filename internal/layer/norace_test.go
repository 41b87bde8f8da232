//go:build !race

package layer_test

// manyEntries is the largest honest count of files in a layer.
const manyEntries = 1_000_000
