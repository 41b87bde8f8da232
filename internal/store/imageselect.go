package store

import (
	"math"
	"math/bits"
	"slices"
)

// selection is a filter made ready for columns: the registries that its
// registry conditions select, from the registry table of the same moment.
type selection struct {
	ImageFilter
	registries map[string]bool // nil: any
}

// choose answers which rows the filter selects, as a bitmap in buf, and how
// many. The cheapest and usually sharpest conditions come first; words of 64
// rows that nothing is left of are passed over by the rest.
func (c *columns) choose(f selection, buf bitmap) (sel bitmap, count int) {
	sel = append(buf[:0], c.flags[flagAlive]...)
	if !c.chooseFlags(f.ImageFilter, sel) || !c.chooseWords(f.ImageFilter, sel) || !c.chooseOrigins(f, sel) {
		return sel, 0
	}
	if f.IDs != nil {
		c.chooseIDs(f.IDs, sel)
	}
	for n, col := range [][]int64{c.updated, c.scanned, c.synced} {
		r := f.ranges()[n]
		if r.from == nil && r.to == nil {
			continue
		}
		from, to := int64(1), int64(math.MaxInt64)
		if r.from != nil {
			from = max(from, *r.from)
		}
		if r.to != nil {
			to = *r.to
		}
		if from > to {
			return sel, 0
		}
		between(sel, col, from, to)
	}
	if f.Size != nil {
		between(sel, c.size, *f.Size, *f.Size)
	}
	return sel, sel.count()
}

// chooseFlags keeps the rows whose flags are right; false when there can be none.
func (c *columns) chooseFlags(f ImageFilter, sel bitmap) bool {
	keep := func(flag int, want bool) {
		for n, w := range c.flags[flag] {
			if !want {
				w = ^w
			}
			sel[n] &= w
		}
	}
	if f.ScanStatus != "" {
		flag := statusFlag(f.ScanStatus)
		if flag == 0 {
			return false
		}
		keep(flag, true)
	}
	if f.Level != "" {
		flag := levelFlag(f.Level)
		if flag == 0 {
			return false
		}
		keep(flag, true)
	}
	for _, x := range []struct {
		want *bool
		flag int
	}{{f.Latest, flagLatest}, {f.MultiArch, flagMultiArch}, {f.HasMalicious, flagMalicious}, {f.HasUnsafe, flagUnsafe}, {f.HasVul, flagVul}} {
		if x.want != nil {
			keep(x.flag, *x.want)
		}
	}
	if f.Risky != nil {
		for n := range sel {
			w := c.flags[flagMalicious][n] | c.flags[flagUnsafe][n] | c.flags[flagVul][n]
			if !*f.Risky {
				w = ^w
			}
			sel[n] &= w
		}
	}
	return true
}

// chooseWords keeps the rows with these texts; false when no row has one of them.
func (c *columns) chooseWords(f ImageFilter, sel bitmap) bool {
	for _, x := range []struct {
		word string
		col  []uint32
	}{{f.Name, c.name}, {f.Namespace, c.namespace}, {f.Version, c.version}} {
		if x.word == "" {
			continue
		}
		code, ok := c.words.find(x.word)
		if !ok || !storable(x.word) {
			return false
		}
		equal(sel, x.col, code)
	}
	return true
}

// chooseOrigins keeps the rows of the right registries, enterprise projects and
// instances: each distinct origin is looked at once.
func (c *columns) chooseOrigins(f selection, sel bitmap) bool {
	ep := f.EnterpriseProjectID
	if ep == AllEnterpriseProjects {
		ep = ""
	}
	if f.registries == nil && ep == "" && f.InstanceID == "" && f.InstanceName == "" {
		return true
	}
	if !storable(ep) || !storable(f.InstanceID) || !storable(f.InstanceName) {
		return false
	}
	right := make([]bool, len(c.origins))
	found := 0
	for n, o := range c.origins {
		right[n] = (f.registries == nil || f.registries[o.registryID]) && (ep == "" || ep == o.enterpriseProjectID) &&
			(f.InstanceID == "" || f.InstanceID == o.instanceID) && (f.InstanceName == "" || f.InstanceName == o.instanceName)
		if right[n] {
			found++
		}
	}
	if found == 0 || found == len(right) {
		return found > 0
	}
	for n, w := range sel {
		if w == 0 {
			continue
		}
		var keep uint64
		for i, o := range c.origin[n<<6 : min(n<<6+64, len(c.origin))] {
			var b uint64
			if right[o] {
				b = 1
			}
			keep |= b << (i & 63)
		}
		sel[n] = w & keep
	}
	return true
}

func (c *columns) chooseIDs(ids []int64, sel bitmap) {
	keep := make(bitmap, len(sel))
	for _, id := range ids {
		if s, ok := c.slot(id); ok {
			keep.set(s, true)
		}
	}
	for n := range sel {
		sel[n] &= keep[n]
	}
}

// equal keeps the rows whose code is want.
func equal(sel bitmap, col []uint32, want uint32) {
	for n, w := range sel {
		if w == 0 {
			continue
		}
		var keep uint64
		for i, v := range col[n<<6 : min(n<<6+64, len(col))] {
			var b uint64
			if v == want {
				b = 1
			}
			keep |= b << (i & 63)
		}
		sel[n] = w & keep
	}
}

// between keeps the rows whose number is in the range, both ends included, by
// one unsigned comparison each.
func between(sel bitmap, col []int64, from, to int64) {
	width := uint64(to) - uint64(from)
	for n, w := range sel {
		if w == 0 {
			continue
		}
		var keep uint64
		for i, v := range col[n<<6 : min(n<<6+64, len(col))] {
			var b uint64
			if uint64(v)-uint64(from) <= width {
				b = 1
			}
			keep |= b << (i & 63)
		}
		sel[n] = w & keep
	}
}

// page answers the ids of one page of the selected rows, in its order. A small
// selection is sorted; of a large one the order kept for all rows is walked from
// the nearer end.
func (c *columns) page(sel bitmap, count int, p ImagePage) []int64 {
	offset, limit := p.bounds()
	if offset >= count {
		return nil
	}
	limit = min(limit, count-offset)
	order, key, down := c.byUpdated, c.updated, true
	if p.SortScanned {
		order, key, down = c.byScanned, c.scanned, p.Desc
	}
	if down { // count from the small end, turn the page round at last
		offset = count - offset - limit
	}
	var slots []uint32
	switch {
	case count == c.alive:
		slots = order[offset : offset+limit]
	case count*bits.Len(uint(count))*4 < c.alive:
		slots = make([]uint32, 0, count)
		for n, w := range sel {
			for ; w != 0; w &= w - 1 {
				slots = append(slots, uint32(n<<6+bits.TrailingZeros64(w)))
			}
		}
		slices.SortFunc(slots, c.compare(key))
		slots = slots[offset : offset+limit]
	case offset <= count-offset-limit:
		slots = walk(order, sel, offset, limit)
	default:
		slots = walkBack(order, sel, count-offset-limit, limit)
	}
	ids := make([]int64, len(slots))
	for n, s := range slots {
		ids[n] = c.id[s]
	}
	if down {
		slices.Reverse(ids)
	}
	return ids
}

// walk passes over skip selected slots and takes the next n.
func walk(order []uint32, sel bitmap, skip, n int) []uint32 {
	out := make([]uint32, 0, n)
	for _, s := range order {
		if !sel.get(s) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if out = append(out, s); len(out) == n {
			break
		}
	}
	return out
}

// walkBack is walk from the other end; its answer is in the order's direction.
func walkBack(order []uint32, sel bitmap, skip, n int) []uint32 {
	out := make([]uint32, 0, n)
	for at := len(order) - 1; at >= 0 && len(out) < n; at-- {
		s := order[at]
		switch {
		case !sel.get(s):
		case skip > 0:
			skip--
		default:
			out = append(out, s)
		}
	}
	slices.Reverse(out)
	return out
}

// wantsRegistry reports whether the registry table decides part of the filter.
func (f ImageFilter) wantsRegistry() bool {
	return f.RegistryID != "" || f.RegistryName != "" || f.Type != ""
}
