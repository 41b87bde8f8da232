package pattern

import "slices"

// Options say how a Set compares. The zero value compares bytes exactly.
type Options struct {
	// Fold makes ASCII letters equal to their other case. Bytes above 127 are
	// compared exactly.
	Fold bool
}

// Set is a compiled set of patterns. Make it with New.
type Set struct {
	class   [256]uint8
	next    []uint32 // row + class -> row; rows are state number * width
	width   uint32   // classes
	low     uint32   // rows below it: depth of at most two, no occurrence; 0 without the skip loop
	match   uint32   // rows from it on: an occurrence ends here
	depth   []uint8  // of the states below low
	outFrom []uint32 // of the states from match on, and one more
	out     []int32  // pattern ids
	begins  []uint64 // bits: the first three bytes of patterns; nil without the skip loop
	longest int
}

// State is how far occurrences have come between two calls of Feed. It belongs
// to the Set that gave it. The zero value is Start.
type State uint32

// Start is the state before the first byte.
func (s *Set) Start() State { return 0 }

// Longest is the length of the longest pattern.
func (s *Set) Longest() int { return s.longest }

// Each calls f for every occurrence of every pattern in b, overlapping ones
// included, in the order of their ends, longer ones first. The id is the index
// of the pattern given to New, end is the offset behind the occurrence. It stops
// when f returns false.
func (s *Set) Each(b []byte, f func(id, end int) bool) { s.Feed(0, b, f) }

// Feed is Each over a stream that comes in chunks: st is what the call before
// returned, or Start. Ends are relative to this chunk, and an occurrence that
// began in an earlier one is told as well. When f returns false, Feed stops and
// its state must not be used.
func (s *Set) Feed(st State, b []byte, f func(id, end int) bool) State {
	row, i := uint32(st), 0
	for {
		if s.begins != nil && row == 0 {
			i = s.skip(b, i)
		}
		begun := i
		for {
			if i >= len(b) {
				return State(row)
			}
			row = s.next[row+uint32(s.class[b[i]])]
			i++
			if row >= s.match {
				if !s.tell(row, i, f) {
					return State(row)
				}
				continue
			}
			if row < s.low && i-begun >= 3 {
				break
			}
		}
		// What is left under way began at most two bytes ago: the skip loop
		// judges it faster.
		if back := i - int(s.depth[row/s.width]); back >= 0 {
			row, i = 0, back
		}
	}
}

// skip returns the first place from i on where a pattern may begin, or the place
// behind which too few bytes are left to tell.
func (s *Set) skip(b []byte, i int) int {
	if len(b)-i < 3 {
		return i
	}
	begins := s.begins
	h := uint32(b[i]&31)<<5 | uint32(b[i+1]&31)<<10
	for j, c := range b[i+2:] {
		h = h>>5 | uint32(c&31)<<10
		if begins[h>>6&511]>>(h&63)&1 != 0 {
			return i + j
		}
	}
	return len(b) - 2
}

func (s *Set) tell(row uint32, end int, f func(id, end int) bool) bool {
	n := (row - s.match) / s.width
	for _, id := range s.out[s.outFrom[n]:s.outFrom[n+1]] {
		if !f(int(id), end) {
			return false
		}
	}
	return true
}

// IDs returns the ids of the patterns that occur in b, sorted, each once.
func (s *Set) IDs(b []byte) []int {
	var ids []int
	s.Each(b, func(id, _ int) bool {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		return true
	})
	slices.Sort(ids)
	return ids
}
