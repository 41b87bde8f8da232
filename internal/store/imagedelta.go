package store

import "slices"

// fewMoves is up to how many rows an order is mended row by row; beyond, it is
// merged in one pass.
const fewMoves = 32

// apply brings the columns up to date: rows that are gone, and rows that are
// new or changed, in any order.
func (c *columns) apply(gone []int64, changed []imageFacts) {
	var died []uint32
	for _, id := range gone {
		if s, ok := c.slot(id); ok {
			died = append(died, s)
		}
	}
	known := make([]uint32, len(changed)) // slot + 1
	var updated, scanned []uint32         // slots that leave their place in an order
	for n, f := range changed {
		s, ok := c.slot(f.id)
		if !ok {
			continue
		}
		known[n] = s + 1
		if c.updated[s] != f.updated {
			updated = append(updated, s)
		}
		if c.scanned[s] != f.scanned {
			scanned = append(scanned, s)
		}
	}
	c.byUpdated = c.leave(c.byUpdated, c.updated, append(updated, died...))
	c.byScanned = c.leave(c.byScanned, c.scanned, append(scanned, died...))
	for _, s := range died {
		c.flags[flagAlive].set(s, false)
		delete(c.stray, c.id[s])
	}
	for n, f := range changed {
		s := known[n] - 1
		if known[n] == 0 {
			s = c.place(f.id)
			updated, scanned = append(updated, s), append(scanned, s)
			c.alive++
		}
		c.write(s, f)
	}
	c.alive -= len(died)
	c.byUpdated = c.enter(c.byUpdated, c.updated, updated)
	c.byScanned = c.enter(c.byScanned, c.scanned, scanned)
	if dead := len(c.id) - c.alive; dead > 4096 && dead > c.alive/4 || c.words.count() > 4*c.alive+4096 || len(c.stray) > 4096 {
		c.compact()
	}
}

// place appends a slot for a new row. Ids come in order but for those that
// concurrent transactions committed the other way round.
func (c *columns) place(id int64) uint32 {
	ordered := c.sorted == len(c.id) && (c.sorted == 0 || id > c.id[c.sorted-1])
	s := c.add(id)
	if ordered {
		c.sorted++
	} else {
		c.stray[id] = s
	}
	return s
}

// leave takes slots out of an order, by the keys under which they stand in it.
func (c *columns) leave(order []uint32, key []int64, slots []uint32) []uint32 {
	if len(slots) > fewMoves {
		out := make(bitmap, (len(c.id)+63)/64)
		for _, s := range slots {
			out.set(s, true)
		}
		return slices.DeleteFunc(order, out.get)
	}
	for _, s := range slots {
		if n, ok := slices.BinarySearchFunc(order, s, c.compare(key)); ok {
			order = slices.Delete(order, n, n+1)
		}
	}
	return order
}

// enter puts slots into an order, by their keys now.
func (c *columns) enter(order []uint32, key []int64, slots []uint32) []uint32 {
	compare := c.compare(key)
	if len(slots) <= fewMoves {
		for _, s := range slots {
			n, _ := slices.BinarySearchFunc(order, s, compare)
			order = slices.Insert(order, n, s)
		}
		return order
	}
	slices.SortFunc(slots, compare)
	// Merge from the end, so that nothing is overwritten before it is read.
	n, m := len(order)-1, len(slots)-1
	order = append(order, slots...)
	for at := len(order) - 1; m >= 0; at-- {
		if n >= 0 && compare(order[n], slots[m]) > 0 {
			order[at] = order[n]
			n--
		} else {
			order[at] = slots[m]
			m--
		}
	}
	return order
}

// compact moves the living rows into fresh columns in the order of their ids.
func (c *columns) compact() {
	living := slices.Clone(c.byUpdated)
	slices.SortFunc(living, func(a, b uint32) int {
		if c.id[a] < c.id[b] {
			return -1
		}
		return 1
	})
	fresh := newColumns(slack(len(living)))
	word := func(n uint32) uint32 { return fresh.words.code(string(c.words.at(n))) }
	slots := make([]uint32, len(c.id))
	for _, from := range living {
		to := fresh.add(c.id[from])
		slots[from] = to
		fresh.updated[to], fresh.synced[to], fresh.scanned[to], fresh.size[to] = c.updated[from], c.synced[from], c.scanned[from], c.size[from]
		fresh.namespace[to], fresh.name[to], fresh.version[to] = word(c.namespace[from]), word(c.name[from]), word(c.version[from])
		fresh.origin[to] = fresh.originCode(c.origins[c.origin[from]])
		for n := range c.flags {
			fresh.flags[n].set(to, c.flags[n].get(from))
		}
	}
	fresh.byUpdated, fresh.byScanned, fresh.alive, fresh.sorted = c.byUpdated, c.byScanned, c.alive, c.alive
	for n := range fresh.byUpdated {
		fresh.byUpdated[n], fresh.byScanned[n] = slots[fresh.byUpdated[n]], slots[fresh.byScanned[n]]
	}
	*c = *fresh
}
