package compliance

import (
	"strconv"
	"time"
)

// Epoch names the stretch of days around now in which Check answers the same:
// it changes on each day that an end of support is near, or is past, or that an
// exception ends.
func (r *Rules) Epoch(now time.Time) string {
	passed := 0
	count := func(day time.Time) {
		if !now.Before(day) {
			passed++
		}
	}
	ends := func(e endings) {
		for _, end := range e {
			count(end.Add(-soon))
			count(end.Add(time.Nanosecond)) // what asks whether it is after the day
			count(end.AddDate(0, 0, 1))
		}
	}
	for i := range r.systems {
		ends(r.systems[i].Ends)
	}
	for i := range r.products {
		ends(r.products[i].Ends)
	}
	for _, e := range r.exceptions {
		count(e.Until.AddDate(0, 0, 1))
	}
	return strconv.Itoa(passed)
}
