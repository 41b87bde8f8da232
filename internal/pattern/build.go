package pattern

import (
	"errors"
	"fmt"
	"slices"
)

// maxCells bounds the automaton: states times classes, four bytes each.
const maxCells = 1 << 24

// dense is the share of three-byte beginnings (one in dense) above which the
// skip loop costs more than it saves.
const dense = 8

// node is a state while the trie is built.
type node struct {
	kids  map[uint8]int32 // class -> node
	fail  int32
	depth int32
	ids   []int32
}

// New compiles patterns. It refuses an empty set, an empty pattern, and a set
// whose automaton would be larger than 64 MiB. Equal patterns are told each by
// its own id.
func New(patterns [][]byte, opts Options) (*Set, error) {
	if len(patterns) == 0 {
		return nil, errors.New("pattern: no patterns")
	}
	s := &Set{}
	total, shortest := 0, 1<<30
	for i, p := range patterns {
		if len(p) == 0 {
			return nil, fmt.Errorf("pattern: pattern %d is empty", i)
		}
		total += len(p)
		s.longest = max(s.longest, len(p))
		shortest = min(shortest, len(p))
		if total > maxCells {
			return nil, fmt.Errorf("pattern: the patterns are longer than %d bytes together", maxCells)
		}
	}
	s.classes(patterns, opts.Fold)
	nodes, order := s.trie(patterns)
	if cells := len(nodes) * int(s.width); cells > maxCells {
		return nil, fmt.Errorf("pattern: %d states of %d classes are more than %d cells", len(nodes), s.width, maxCells)
	}
	if shortest >= 3 {
		s.beginnings(patterns)
	}
	s.fill(nodes, order)
	return s, nil
}

// classes gives each byte that a pattern names a class of its own, and all
// others class 0.
func (s *Set) classes(patterns [][]byte, fold bool) {
	var used [256]bool
	for _, p := range patterns {
		for _, c := range p {
			if fold {
				c = lower(c)
			}
			used[c] = true
		}
	}
	n := 1
	for c, yes := range used {
		if yes && n < 256 {
			s.class[c] = uint8(n)
			n++
		}
	}
	// With all 256 bytes in use the last one shares class 0, which is its own.
	if fold {
		for c := 'A'; c <= 'Z'; c++ {
			s.class[c] = s.class[lower(byte(c))]
		}
	}
	s.width = uint32(n)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}

// trie builds the nodes and their order by depth, with failure links and the
// ids of every pattern that ends at a node, its own first.
func (s *Set) trie(patterns [][]byte) ([]node, []int32) {
	nodes := []node{{}}
	for id, p := range patterns {
		at := int32(0)
		for _, c := range p {
			k := s.class[c]
			next, ok := nodes[at].kids[k]
			if !ok {
				next = int32(len(nodes))
				nodes = append(nodes, node{depth: nodes[at].depth + 1})
				if nodes[at].kids == nil {
					nodes[at].kids = map[uint8]int32{}
				}
				nodes[at].kids[k] = next
			}
			at = next
		}
		nodes[at].ids = append(nodes[at].ids, int32(id))
	}
	order := make([]int32, 1, len(nodes))
	for i := 0; i < len(order); i++ {
		at := order[i]
		for _, k := range sortedKeys(nodes[at].kids) {
			kid := nodes[at].kids[k]
			if at != 0 {
				nodes[kid].fail = follow(nodes, nodes[at].fail, k)
			}
			nodes[kid].ids = append(nodes[kid].ids, nodes[nodes[kid].fail].ids...)
			order = append(order, kid)
		}
	}
	return nodes, order
}

func follow(nodes []node, at int32, k uint8) int32 {
	for {
		if next, ok := nodes[at].kids[k]; ok {
			return next
		}
		if at == 0 {
			return 0
		}
		at = nodes[at].fail
	}
}

func sortedKeys(m map[uint8]int32) []uint8 {
	keys := make([]uint8, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// beginnings fills the table of the skip loop, or leaves it nil when it is dense.
func (s *Set) beginnings(patterns [][]byte) {
	bits := make([]uint64, 512)
	n := 0
	for _, p := range patterns {
		h := uint32(p[0]&31) | uint32(p[1]&31)<<5 | uint32(p[2]&31)<<10
		if bits[h>>6]>>(h&63)&1 == 0 {
			bits[h>>6] |= 1 << (h & 63)
			n++
		}
	}
	if n < 512*64/dense {
		s.begins = bits
	}
}

// fill numbers the states (shallow ones first, those with an occurrence last)
// and works out every transition.
func (s *Set) fill(nodes []node, order []int32) {
	rank := func(n *node) int {
		switch {
		case len(n.ids) > 0:
			return 2
		case n.depth <= 2 && s.begins != nil:
			return 0
		}
		return 1
	}
	byRank := slices.Clone(order)
	slices.SortStableFunc(byRank, func(a, b int32) int { return rank(&nodes[a]) - rank(&nodes[b]) })
	row := make([]uint32, len(nodes))
	s.match = uint32(len(nodes)) * s.width
	s.outFrom = []uint32{0}
	for i, at := range byRank {
		n := &nodes[at]
		row[at] = uint32(i) * s.width
		switch rank(n) {
		case 0:
			s.low = row[at] + s.width
			s.depth = append(s.depth, uint8(n.depth))
		case 2:
			s.match = min(s.match, row[at])
			s.out = append(s.out, n.ids...)
			s.outFrom = append(s.outFrom, uint32(len(s.out)))
		}
	}
	s.next = make([]uint32, len(nodes)*int(s.width))
	for _, at := range order {
		to := s.next[row[at]:][:s.width]
		if at != 0 {
			copy(to, s.next[row[nodes[at].fail]:][:s.width])
		}
		for k, kid := range nodes[at].kids {
			to[k] = row[kid]
		}
	}
}
