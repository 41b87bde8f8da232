// Package pattern finds which of many literal byte patterns occur in bytes, and
// where, in one pass.
//
// # How data flows
//
//	patterns ─► New: trie ─► automaton (one row of next states a state) ─► Set
//	bytes ─► Each or Feed: skip loop ⇄ automaton ─► f(id, end) for every occurrence
//
// # The automaton
//
// It is Aho and Corasick's (Communications of the ACM 18, 1975) with every
// transition worked out beforehand, so that a byte costs one look-up whatever
// the patterns. Bytes that no pattern tells apart share a class, and a row has
// one cell a class: some hundred keywords take about a megabyte.
//
// # The skip loop
//
// Most places of most texts are the beginning of nothing. As long as no
// occurrence is under way, three bytes are looked up in a table of the patterns'
// first three (five bits of each byte, which also folds case), and the automaton
// is entered only where they fit. Sets with a pattern shorter than three bytes,
// or with so many beginnings that the table says yes too often, go without.
//
// A Set never changes after New; any number of goroutines may use it.
package pattern
