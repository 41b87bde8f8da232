package baseline

import (
	"slices"
	"strings"

	"breakwater"
)

// directive compares one directive in every configuration that could have it.
// It is not applicable where there is none, or nothing to compare.
func (v *view) directive(d *Directive) ([]breakwater.CheckCase, bool) {
	var cases []breakwater.CheckCase
	for _, kind := range d.Kind {
		all := v.instancesOf(kind)
		for i := range all {
			if d.within != nil {
				cases = append(cases, d.eachSection(&all[i])...)
			} else {
				cases = append(cases, d.compare(&all[i], d.find(&all[i]))...)
			}
		}
	}
	return cases, len(cases) > 0
}

// find are the directives of the key in the sections asked for.
func (d *Directive) find(in *instance) []item {
	found := in.of(d.Key)
	if d.section == nil {
		return found
	}
	return slices.DeleteFunc(slices.Clone(found), func(it item) bool { return !d.section.MatchString(it.section) })
}

// compare holds those that count against Want.
func (d *Directive) compare(in *instance, found []item) []breakwater.CheckCase {
	if len(found) == 0 && in.partial {
		return nil
	}
	if len(found) == 0 {
		return d.absent(in.main, 0, "")
	}
	if d.Want.Absent {
		d := *d
		d.Take = "each"
		return d.judged(found)
	}
	switch d.Take {
	case "first":
		found = found[:1]
	case "each":
	case "any":
		for _, it := range found {
			if d.Want.holds(it.entry.Value) {
				return d.judged([]item{it})
			}
		}
		found = found[len(found)-1:]
	default:
		found = found[len(found)-1:]
	}
	return d.judged(found)
}

func (d *Directive) judged(found []item) []breakwater.CheckCase {
	var cases []breakwater.CheckCase
	for _, it := range found {
		current := it.entry.Key + " " + it.entry.Value
		if it.section != "" {
			current += " (" + it.section + ")"
		}
		cases = append(cases, caseOf(it.file, it.entry.Line, !d.Want.holds(it.entry.Value), strings.TrimSpace(current), d.suggest()))
	}
	return cases
}

// absent is the comparison when the directive is not there.
func (d *Directive) absent(file *breakwater.ConfigFile, line int, section string) []breakwater.CheckCase {
	current, failed := d.Key[0]+" is not set", true
	switch {
	case d.Want.Absent || d.Missing == "pass":
		failed = false
	case d.Missing == "skip":
		return nil
	case d.Default != nil:
		failed = !d.Want.holds(*d.Default)
		current += ", which means " + *d.Default
	}
	if section != "" {
		current += " (" + section + ")"
	}
	return []breakwater.CheckCase{caseOf(file, line, failed, current, d.suggest())}
}

func (d *Directive) suggest() string {
	if d.Suggest != "" {
		return d.Suggest
	}
	return d.Key[0] + ": " + d.Want.say()
}

// eachSection compares within every section of the pattern: a directive of the
// section itself, or of the nearest one around it.
func (d *Directive) eachSection(in *instance) []breakwater.CheckCase {
	var cases []breakwater.CheckCase
	for _, s := range d.sections(in) {
		if d.If != nil && !d.If.trueIn(in, s.section) {
			continue
		}
		if found := nearestItems(in, d.Key, s.section); len(found) > 0 {
			cases = append(cases, d.compare(in, found)...)
		} else {
			cases = append(cases, d.absent(s.file, s.entry.Line, s.section)...)
		}
	}
	return cases
}

// sections are the distinct sections that match Within, with an entry in or at
// the head of each, in their order.
func (d *Directive) sections(in *instance) []item {
	var out []item
	seen := map[string]bool{}
	for _, it := range in.items {
		// A section may be named by an outer part of the one an entry stands in.
		for end := len(it.section); end > 0; end = strings.LastIndexByte(it.section[:end], '/') {
			name := it.section[:end]
			if !seen[name] && d.within.MatchString(name) {
				seen[name] = true
				out = append(out, item{it.file, it.entry, name})
			}
		}
	}
	slices.SortFunc(out, func(a, b item) int { return strings.Compare(a.section, b.section) })
	return out
}

// nearestItems are the directives of the keys in a section, or, where it has
// none, in the nearest section around it.
func nearestItems(in *instance, keys []string, section string) []item {
	for {
		var found []item
		for _, it := range in.of(keys) {
			if it.section == section {
				found = append(found, it)
			}
		}
		if len(found) > 0 || section == "" {
			return found
		}
		section = section[:max(0, strings.LastIndexByte(section, '/'))]
	}
}

// trueIn reports whether a condition holds in a section.
func (d *Directive) trueIn(in *instance, section string) bool {
	found := nearestItems(in, d.Key, section)
	if len(found) == 0 {
		return d.Want.Absent || d.Default != nil && d.Want.holds(*d.Default)
	}
	for _, it := range found {
		if d.Want.holds(it.entry.Value) {
			return true
		}
	}
	return false
}
