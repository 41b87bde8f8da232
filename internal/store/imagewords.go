package store

import "hash/maphash"

// words numbers distinct texts from 0 on. A Go map costs three times as much
// for the short texts that tags are: here a word is its letters once, four bytes
// for where they end, and about six in an open hash table of numbers.
type words struct {
	seed  maphash.Seed
	text  []byte
	ends  []uint32
	table []uint32 // number + 1 of a word whose hash leads there; 0: free. A power of two long
}

func newWords() words {
	return words{seed: maphash.MakeSeed(), table: make([]uint32, 64)}
}

func (w *words) count() int { return len(w.ends) }

// at is the word of that number; it shares the memory of w.
func (w *words) at(n uint32) []byte {
	from := uint32(0)
	if n > 0 {
		from = w.ends[n-1]
	}
	return w.text[from:w.ends[n]]
}

// find is the number of a word.
func (w *words) find(word string) (n uint32, ok bool) {
	_, n, ok = w.probe(word)
	return n, ok
}

// probe follows the hash to the word, or to the free place where it belongs.
func (w *words) probe(word string) (place, n uint32, ok bool) {
	mask := uint32(len(w.table) - 1)
	for place = uint32(maphash.String(w.seed, word)) & mask; w.table[place] != 0; place = (place + 1) & mask {
		if n = w.table[place] - 1; string(w.at(n)) == word {
			return place, n, true
		}
	}
	return place, 0, false
}

// code is the number of a word, given out at first sight.
func (w *words) code(word string) uint32 {
	place, n, ok := w.probe(word)
	if ok {
		return n
	}
	n = uint32(len(w.ends))
	w.text = append(w.text, word...)
	w.ends = append(w.ends, uint32(len(w.text)))
	w.table[place] = n + 1
	if len(w.ends) > len(w.table)/4*3 {
		w.grow()
	}
	return n
}

func (w *words) grow() {
	w.table = make([]uint32, 2*len(w.table))
	for n := range w.ends {
		place, _, _ := w.probe(string(w.at(uint32(n))))
		w.table[place] = uint32(n) + 1
	}
}
