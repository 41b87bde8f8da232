package match

import (
	"slices"

	"breakwater"

	"github.com/google/osv-scalibr/semantic"
)

// The rules that a verdict can rest on.
const (
	RuleRange    = "range"
	RuleVersions = "versions"
)

// point is one event of a range with its version read. from says that it is
// "introduced: 0", before every version.
type point struct {
	event   breakwater.Event
	text    string
	version semantic.Version
	from    bool
}

// line is a range ready to be walked: points in the ecosystem's order, limits apart.
type line struct {
	points []point
	limits []point
}

// readLine sorts the events. It refuses a range in which any event is no version.
func (o order) readLine(r breakwater.Range) (line, error) {
	var l line
	for _, e := range r.Events {
		p := point{event: e, text: e.Introduced + e.Fixed + e.LastAffected + e.Limit}
		if p.text == "" || e.Limit == "*" {
			continue
		}
		if p.from = e.Introduced == "0"; !p.from {
			v, err := o.parse(p.text)
			if err != nil {
				return line{}, err
			}
			p.version = v
		}
		if e.Limit != "" {
			l.limits = append(l.limits, p)
		} else {
			l.points = append(l.points, p)
		}
	}
	var bad error
	// Stable: events of one version keep the record's order, so that
	// "fixed 2, introduced 2" and "introduced 2, fixed 2" both mean what they say.
	slices.SortStableFunc(l.points, func(a, b point) int {
		switch {
		case a.from && b.from:
			return 0
		case a.from:
			return -1
		case b.from:
			return 1
		}
		c, err := a.version.Compare(b.version)
		if err != nil {
			bad = err
		}
		return c
	})
	return l, bad
}

// reached reports whether v is at the point or past it.
func (p point) reached(v semantic.Version) (at, past bool) {
	if p.from {
		return true, true
	}
	c, err := v.Compare(p.version)
	if err != nil {
		return false, false
	}
	return c >= 0, c > 0
}

// holds walks the line: is v inside?
func (l line) holds(v semantic.Version) bool {
	if len(l.limits) > 0 && !slices.ContainsFunc(l.limits, func(p point) bool {
		at, _ := p.reached(v)
		return !at
	}) {
		return false
	}
	inside := false
	for _, p := range l.points {
		at, past := p.reached(v)
		switch {
		case p.event.Introduced != "" && at:
			inside = true
		case p.event.Fixed != "" && at, p.event.LastAffected != "" && past:
			inside = false
		}
	}
	return inside
}

// decision is what one record says of one package version.
type decision struct {
	affected bool
	rule     string
	fixed    string
	unread   int // ranges that could not be evaluated
}

// decide evaluates one entry of a record. text is the installed version as it
// is written, v the same one read, nil when it cannot be.
func (o order) decide(entry breakwater.Affected, text string, v semantic.Version) decision {
	var d decision
	if v == nil {
		if d.affected = slices.Contains(entry.Versions, text); d.affected {
			d.rule = RuleVersions
		}
		return d
	}
	lines := make([]line, 0, len(entry.Ranges))
	for _, r := range entry.Ranges {
		l, err := o.readLine(r)
		if err != nil {
			d.unread++
			continue
		}
		lines = append(lines, l)
		if l.holds(v) {
			d.affected, d.rule = true, RuleRange
		}
	}
	if !d.affected && o.listed(entry.Versions, text, v, len(lines) == 0) {
		d.affected, d.rule = true, RuleVersions
	}
	if d.affected {
		d.fixed = firstFix(lines, v)
	}
	return d
}

// listed looks v up among the versions listed one by one. Where the record has
// no range, versions that are equal though written differently count too ("2.0"
// and "2.0.0"); with ranges the ranges have said so already.
func (o order) listed(versions []string, text string, v semantic.Version, loose bool) bool {
	if slices.Contains(versions, text) {
		return true
	}
	if !loose {
		return false
	}
	for _, s := range versions {
		w, err := o.parse(s)
		if err != nil {
			continue
		}
		if c, err := v.Compare(w); err == nil && c == 0 {
			return true
		}
	}
	return false
}

// firstFix is the lowest "fixed" version above v that no line holds; empty when
// there is none.
func firstFix(lines []line, v semantic.Version) string {
	var fixes []point
	for _, l := range lines {
		for _, p := range l.points {
			if p.event.Fixed == "" {
				continue
			}
			if at, _ := p.reached(v); !at {
				fixes = append(fixes, p)
			}
		}
	}
	slices.SortStableFunc(fixes, func(a, b point) int {
		c, _ := a.version.Compare(b.version)
		return c
	})
	for _, f := range fixes {
		if !slices.ContainsFunc(lines, func(l line) bool { return l.holds(f.version) }) {
			return f.text
		}
	}
	return ""
}
