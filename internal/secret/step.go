package secret

import (
	"slices"
	"strings"

	"breakwater"
)

// Variable is one that a build step sets. By is the instruction: ENV, ARG, or RUN,
// whose build arguments repeat what an ARG before it said.
type Variable struct{ By, Name, Value string }

// Step looks at one step of a history, and at the variables that it sets as at
// environment variables. It returns the text masked, and the secrets, with the
// name as their path. A build argument is reported with the first step that has
// it, and a variable of ENV that its name alone gives away not again, when Text has
// told of it as a variable of the image.
func (r *Redactor) Step(name, text string, vars []Variable) (masked string, found []breakwater.Secret) {
	if text == "" {
		return text, nil
	}
	where := breakwater.WhereHistory
	hits := r.finder.lists(where, text, r.finder.search(where, "", text))
	var whole spans                     // values that are masked as they are
	again := make([]int32, len(text)+1) // how many values of build arguments begin and, less than 0, end at a byte
	known := tellings(hits)
	for _, v := range vars[:min(len(vars), maxVariables)] {
		places := v.places(text)
		if v.By == "RUN" {
			for _, p := range places {
				again[p[0]]++
				again[p[1]]--
			}
		}
		more, parts := r.variable(v, text, places, hits, known)
		hits, whole = append(hits, more...), append(whole, parts...)
	}
	for i := range len(text) {
		again[i+1] += again[i] // how many a byte is in
	}
	hits = inOrder(text, hits)
	masked = r.hide(text, hits, whole)
	hits = slices.DeleteFunc(hits, func(h finding) bool {
		return h.from < h.to && again[h.from] > 0 && again[h.to-1] > 0 && r.steps[told{h.rule.id, h.secret}]
	})
	for _, h := range hits {
		r.steps[told{h.rule.id, h.secret}] = true
	}
	return masked, r.report(where, name, text, hits)
}

// The variables of one step that are looked at, and the places where each is set.
const (
	maxVariables = 100
	maxPlaces    = 100
)

// variable answers what is found in one variable and known of none of the hits,
// and which parts of the text it is to be masked in.
func (r *Redactor) variable(v Variable, text string, places spans, hits []finding, known map[told]bool) (more []finding, parts spans) {
	if v.Value == "" {
		return nil, nil
	}
	more = r.finder.search(breakwater.WhereEnv, v.Name, v.Value)
	if namedSecret(v.Name, v.Value) {
		said := slices.ContainsFunc(hits, func(h finding) bool { return h.secret != "" && strings.Contains(v.Value, h.secret) })
		if len(more) == 0 && !said && (v.By != "ENV" || !r.env[v.Name+"="+v.Value]) {
			more = append(more, named(v.rule(), v.Value))
		}
		parts = append(parts, places...)
		r.remember(v.Value)
	}
	more = slices.DeleteFunc(more, func(h finding) bool { return known[told{h.rule.id, h.secret}] })
	for i := range more {
		h := &more[i]
		for _, p := range places {
			parts.add(p[0]+h.from, p[0]+h.to, len(text))
		}
		if len(places) > 0 {
			h.shift(places[0][0])
		} else { // not to be seen as it is: escaped, or replaced
			h.start, h.end, h.from, h.to = 0, 0, 0, 0
		}
		known[told{h.rule.id, h.secret}] = true
	}
	return more, parts
}

func (v Variable) rule() *rule {
	if v.By == "ENV" {
		return envRule
	}
	return argRule
}

// places are where the text sets the variable to its value, the first of them.
func (v Variable) places(text string) (out spans) {
	set := v.Name + "="
	for i := 0; len(out) < maxPlaces; {
		n := strings.Index(text[i:], set)
		if n < 0 {
			return out
		}
		i += n + len(set)
		at := i
		if at < len(text) && (text[at] == '"' || text[at] == '\'') {
			at++
		}
		if strings.HasPrefix(text[at:], v.Value) {
			out.add(at, at+len(v.Value), len(text))
		}
	}
	return out
}
