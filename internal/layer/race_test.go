//go:build race

package layer_test

// manyEntries is smaller under the race detector, which makes each entry forty
// times as dear and looks for something else.
const manyEntries = 50_000
