package osv

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"breakwater"

	cvss20 "github.com/pandatix/go-cvss/20"
	cvss30 "github.com/pandatix/go-cvss/30"
	cvss31 "github.com/pandatix/go-cvss/31"
	cvss40 "github.com/pandatix/go-cvss/40"
)

// unscored is the score of a record that no CVSS vector speaks of.
const unscored = -1

// rate decides the severity of the whole record: the worst base score of its
// CVSS 3 and 4 vectors (of CVSS 2 only where there is no newer one), computed
// here; where there is none the scores of its entries, else a bare number, else
// the word its database uses, else Medium. A word that means High makes High
// whatever the score.
func rate(a *breakwater.Advisory, r record) {
	var s scores
	for _, v := range r.Severity {
		s.add(v.Score)
	}
	word := vendorWord(r)
	for _, f := range r.Affected {
		if len(s.vectors) == 0 || word == "" {
			entryWord, entry := rateAffected(f)
			word = firstWord(word, entryWord)
			if len(r.Severity) == 0 {
				for _, v := range entry.vectors {
					s.add(v)
				}
			}
		}
	}
	a.CVSS, a.Score, a.VendorWord = s.vectors, s.value(), word
	if len(s.vectors) == 0 {
		a.Score = plainScore(r.DatabaseSpecific)
	}
	if a.Severity = levelOf(a.Score, word); a.Severity == "" {
		a.Severity = breakwater.SeverityMedium
	}
}

// scores collects the vectors of a record or an entry.
type scores struct {
	vectors     []string
	current, v2 float64
	hasCurrent  bool
	hasV2       bool
}

func (s *scores) add(vector string) bool {
	value, version, ok := scoreVector(vector)
	if !ok {
		return false
	}
	if !slices.Contains(s.vectors, vector) {
		s.vectors = append(s.vectors, vector)
	}
	if version == 2 {
		s.v2, s.hasV2 = max(s.v2, value), true
	} else {
		s.current, s.hasCurrent = max(s.current, value), true
	}
	return true
}

func (s *scores) value() float64 {
	switch {
	case s.hasCurrent:
		return s.current
	case s.hasV2:
		return s.v2
	}
	return unscored
}

// rateAffected is what an entry says of its own package: its vectors, and the
// word of the distributions that rate each package (Debian's urgency, Ubuntu's
// priority) or of RustSec's notices.
func rateAffected(f affected) (word string, s scores) {
	for _, v := range f.Severity {
		if !s.add(v.Score) {
			word = firstWord(word, wordOfType(v))
		}
	}
	for _, raw := range []json.RawMessage{f.EcosystemSpecific, f.DatabaseSpecific} {
		var own struct {
			Urgency       any `json:"urgency"`
			Severity      any `json:"severity"`
			Priority      any `json:"ubuntu_priority"`
			Informational any `json:"informational"`
			Categories    any `json:"categories"`
		}
		if json.Unmarshal(raw, &own) != nil {
			continue
		}
		for _, v := range []any{own.Urgency, own.Severity, own.Priority, own.Informational} {
			if s, ok := v.(string); ok {
				word = firstWord(word, s)
			}
		}
		if list, ok := own.Categories.([]any); ok && slices.Contains(list, any("malicious")) {
			word = "malicious"
		}
	}
	return word, s
}

// vendorWord is the database's own word for the whole record.
func vendorWord(r record) string {
	if strings.HasPrefix(r.ID, "MAL-") {
		return "malicious"
	}
	var word string
	for _, s := range r.Severity {
		if _, _, ok := scoreVector(s.Score); !ok {
			word = firstWord(word, wordOfType(s))
		}
	}
	var own struct {
		Severity any `json:"severity"`
	}
	if json.Unmarshal(r.DatabaseSpecific, &own) == nil {
		if s, ok := own.Severity.(string); ok {
			word = firstWord(word, s)
		}
	}
	// The errata of the rpm distributions begin with it: "Important: kernel …".
	if before, _, ok := strings.Cut(r.Summary, ":"); ok && word == "" && !strings.Contains(before, " ") {
		word = firstWord(word, before)
	}
	return word
}

// wordOfType is a severity entry that is a word and not a vector, as Ubuntu has it.
func wordOfType(s severity) string {
	if strings.HasPrefix(s.Type, "CVSS") {
		return ""
	}
	return s.Score
}

// firstWord keeps have, else next when it is a word that levelOfWord knows.
func firstWord(have, next string) string {
	next = strings.ToLower(strings.Trim(strings.TrimSpace(next), "*"))
	if have == "" && levelOfWord(next) != "" {
		return next
	}
	return have
}

// levelOf is the severity of a score and a word; empty when neither speaks.
func levelOf(score float64, word string) breakwater.Severity {
	level := levelOfWord(word)
	switch {
	case score >= 7 || level == breakwater.SeverityHigh:
		return breakwater.SeverityHigh
	case score >= 4:
		return breakwater.SeverityMedium
	case score >= 0:
		return breakwater.SeverityLow
	}
	return level
}

// levelOfWord ranks the words that the databases use, in lower case. "not yet
// assigned" and "unknown" are no words: they say nothing.
func levelOfWord(word string) breakwater.Severity {
	switch word {
	case "critical", "important", "high", "malicious":
		return breakwater.SeverityHigh
	case "moderate", "medium", "unsound":
		return breakwater.SeverityMedium
	case "low", "negligible", "unimportant", "minor", "none", "unmaintained", "notice", "end-of-life":
		return breakwater.SeverityLow
	}
	return ""
}

// worse reports whether a is worse than b; anything is worse than nothing.
func worse(a, b breakwater.Severity) bool { return severityRank(a) > severityRank(b) }

func severityRank(s breakwater.Severity) int {
	switch s {
	case breakwater.SeverityHigh:
		return 3
	case breakwater.SeverityMedium:
		return 2
	case breakwater.SeverityLow:
		return 1
	}
	return 0
}

// scoreVector computes the base score of a CVSS vector and tells its major
// version; ok is false for anything else.
func scoreVector(vector string) (score float64, version int, ok bool) {
	if len(vector) > 512 {
		return 0, 0, false
	}
	switch {
	case strings.HasPrefix(vector, "CVSS:4.0/"):
		if v, err := cvss40.ParseVector(vector); err == nil {
			return v.Score(), 4, true
		}
	case strings.HasPrefix(vector, "CVSS:3.1/"):
		if v, err := cvss31.ParseVector(vector); err == nil {
			return v.BaseScore(), 3, true
		}
	case strings.HasPrefix(vector, "CVSS:3.0/"):
		if v, err := cvss30.ParseVector(vector); err == nil {
			return v.BaseScore(), 3, true
		}
	case strings.HasPrefix(vector, "AV:"):
		if v, err := cvss20.ParseVector(vector); err == nil {
			return v.BaseScore(), 2, true
		}
	}
	return 0, 0, false
}

// plainScore is a bare number that some databases give instead of a vector,
// the newest CVSS version first.
func plainScore(raw json.RawMessage) float64 {
	var own struct {
		V4 any `json:"cvss_v4"`
		V3 any `json:"cvss_v3"`
		V2 any `json:"cvss_v2"`
	}
	if json.Unmarshal(raw, &own) != nil {
		return unscored
	}
	for _, v := range []any{own.V4, own.V3, own.V2} {
		var score float64
		switch v := v.(type) {
		case float64:
			score = v
		case string:
			parsed, err := strconv.ParseFloat(v, 64)
			if err != nil {
				continue
			}
			score = parsed
		default:
			continue
		}
		if score >= 0 && score <= 10 && !math.IsNaN(score) {
			return score
		}
	}
	return unscored
}
