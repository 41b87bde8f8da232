package store

import (
	"maps"
	"slices"
	"strings"

	"breakwater"
)

// explain tells what is different for people between two sets of verdicts of
// one package version, sorted by advisory. A verdict that rests on a newer
// record and says the same of the package is no change.
func (s *recordSet) explain(d diff, rules map[string]int64) (out []Change) {
	was, is := map[string]verdictRow{}, map[string]verdictRow{} // by id, of what is on one side only
	for v := range d.was {
		if !d.is[v] {
			was[s.byRow[v.advisory].name] = v
		}
	}
	for v := range d.is {
		if !d.was[v] {
			is[s.byRow[v.advisory].name] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		old := was[name]
		if v, ok := is[name]; ok {
			if c := s.change(d.packageID, old, v); c.OldSeverity != c.NewSeverity || c.OldFixed != c.NewFixed {
				c.What, c.Why = FindingChanged, s.whyChanged(old, v, rules)
				out = append(out, c)
			}
			continue
		}
		c := s.change(d.packageID, old, verdictRow{})
		c.What, c.Why = FindingWent, s.whyWent(old)
		if standsFor(d.is, name) {
			c.Why = WhyMerged
		}
		out = append(out, c)
	}
	for _, name := range slices.Sorted(maps.Keys(is)) {
		v := is[name]
		if _, ok := was[name]; ok {
			continue
		}
		c := s.change(d.packageID, verdictRow{}, v)
		c.What, c.Why = FindingCame, s.whyCame(v, rules)
		if standsFor(d.was, name) || slices.ContainsFunc(slices.Collect(maps.Keys(was)), func(other string) bool { return names(v, other) }) {
			c.Why = WhyMerged
		}
		out = append(out, c)
	}
	return out
}

// change is the facts of a change; an empty verdict is none. The feed is the
// newer record's.
func (s *recordSet) change(packageID int64, old, v verdictRow) Change {
	r := s.byRow[v.advisory]
	if v.advisory == 0 {
		r = s.byRow[old.advisory]
	}
	shown := func(v verdictRow) breakwater.Severity {
		if s.listed[v.advisory] {
			return breakwater.SeverityHigh
		}
		return v.severity
	}
	return Change{Package: breakwater.PackageVersion{ID: packageID}, AdvisoryID: r.name, CVE: s.cves[r.name], Feed: r.feed,
		Generation: r.state.generation, Dated: fromMS(r.state.dated), Newest: fromMS(r.state.newest),
		OldSeverity: shown(old), NewSeverity: shown(v), OldFixed: old.fixed, NewFixed: v.fixed}
}

// standsFor reports whether one of the verdicts names the record as another of
// the same problem.
func standsFor(verdicts map[verdictRow]bool, name string) bool {
	for v := range verdicts {
		if names(v, name) {
			return true
		}
	}
	return false
}

func names(v verdictRow, name string) bool {
	return strings.Contains(v.also, `"`+name+`"`) // JSON; ids need no escape
}

func (s *recordSet) whyCame(v verdictRow, rules map[string]int64) Why {
	r := s.byRow[v.advisory]
	if r.since <= rules[r.feed] {
		return WhyRules
	}
	for _, other := range s.byName[[2]string{r.feed, r.name}] {
		if other.since < r.since {
			return WhyChanged
		}
	}
	return WhyPublished
}

func (s *recordSet) whyWent(old verdictRow) Why {
	r := s.byRow[old.advisory]
	for _, now := range s.byName[[2]string{r.feed, r.name}] {
		switch {
		case !now.shown():
		case now.withdrawn:
			return WhyWithdrawn
		case now.id == r.id:
			return WhyRules // the same record says something else now
		default:
			return WhyUnaffected
		}
	}
	return WhyRemoved
}

func (s *recordSet) whyChanged(old, v verdictRow, rules map[string]int64) Why {
	r := s.byRow[v.advisory]
	switch {
	case old.advisory != v.advisory:
		return WhyChanged
	case old.also != v.also:
		return WhyMerged
	case r.since <= rules[r.feed]:
		return WhyRules
	}
	return WhyChanged // of a record that is merged with it
}
