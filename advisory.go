package breakwater

import "time"

// Severity is how bad an advisory or a rule's finding is. Advisories have three
// levels, on the wire immediate_repair, delay_repair and not_needed_repair;
// rules have a fourth, critical, which counts as high wherever there are three.
type Severity string

// The severities.
const (
	SeverityCritical Severity = "critical" // of rules only
	SeverityHigh     Severity = "high"
	SeverityMedium   Severity = "medium"
	SeverityLow      Severity = "low"
)

// Rated reports whether it is one of the words that a rule may have.
func (s Severity) Rated() bool {
	switch s {
	case SeverityCritical, SeverityHigh, SeverityMedium, SeverityLow:
		return true
	}
	return false
}

// RepairNecessity is the severity in the wire's words.
func (s Severity) RepairNecessity() string {
	switch s {
	case SeverityHigh, SeverityCritical:
		return "immediate_repair"
	case SeverityLow:
		return "not_needed_repair"
	}
	return "delay_repair"
}

// ParseRepairNecessity is the reverse of RepairNecessity; empty for an unknown word.
func ParseRepairNecessity(s string) Severity {
	switch s {
	case "immediate_repair":
		return SeverityHigh
	case "delay_repair":
		return SeverityMedium
	case "not_needed_repair":
		return SeverityLow
	}
	return ""
}

// Level is the image level that one finding of this severity makes.
func (s Severity) Level() Level {
	switch s {
	case SeverityHigh, SeverityCritical:
		return LevelHigh
	case SeverityLow:
		return LevelLow
	}
	return LevelMedium
}

// Advisory is one OSV record: facts about which versions are affected.
type Advisory struct {
	ID         string    `json:"id"`
	Aliases    []string  `json:"aliases,omitempty"`  // other ids of the same problem
	Upstream   []string  `json:"upstream,omitempty"` // ids this record derives from (a distribution's CVEs)
	Published  time.Time `json:"published"`
	Modified   time.Time `json:"modified"`
	Withdrawn  time.Time `json:"withdrawn,omitzero"`
	Summary    string    `json:"summary,omitempty"` // at most 512 bytes
	URL        string    `json:"url,omitempty"`
	CVSS       []string  `json:"cvss,omitempty"`        // vectors, as published
	VendorWord string    `json:"vendor_word,omitempty"` // database_specific.severity and its like
	Score      float64   `json:"score"`                 // CVSS base score, -1 when unscored
	Severity   Severity  `json:"severity"`              // without KEV, which is joined when a verdict is read
	Affected   []Affected
	// Raw names the bytes that the record was read from; empty: not known. A
	// record with the Raw of one that is stored is that one, and may come without
	// anything but ID, Modified and Raw (see Unread).
	Raw string `json:"-"`
}

// Unread reports whether the record stands for a stored one with the same Raw,
// and holds nothing itself.
func (a Advisory) Unread() bool { return a.Raw != "" && a.Severity == "" }

// Affected is what an advisory says of one package.
type Affected struct {
	Ecosystem string   `json:"ecosystem"`
	Name      string   `json:"name"`
	Ranges    []Range  `json:"ranges,omitempty"`
	Versions  []string `json:"versions,omitempty"` // affected one by one
	Severity  Severity `json:"severity,omitempty"` // of this package alone, where the record has one
}

// Range is a list of events in the ecosystem's own order (OSV schema, affected[].ranges[]).
type Range struct {
	Type   string  `json:"type"` // SEMVER or ECOSYSTEM; GIT ranges are dropped by the reader
	Events []Event `json:"events"`
}

// Event opens or closes a range; exactly one field is set.
type Event struct {
	Introduced   string `json:"introduced,omitempty"`
	Fixed        string `json:"fixed,omitempty"`
	LastAffected string `json:"last_affected,omitempty"`
	Limit        string `json:"limit,omitempty"`
}

// Verdict is the match of one package version with one advisory.
type Verdict struct {
	PackageID  int64
	AdvisoryID string
	Fixed      string // the lowest version of the same branch that is not affected; empty: none known
	Rule       string // what decided: "range", "versions"
	// Severity and Score are the worst that the record, its entry for this
	// package, and the records merged into it say; Score is -1 when none is scored.
	Severity Severity
	Score    float64
	// Also names the other records of the same problem that this verdict stands for.
	Also []string
}

// Exploited is one line of CISA's catalogue of known exploited vulnerabilities.
type Exploited struct {
	CVE        string
	Added      time.Time // when CISA listed it
	Due        time.Time // until when US agencies must act
	Ransomware bool      // known to be used in ransomware campaigns
}

// Likelihood is one line of FIRST's exploit prediction (EPSS).
type Likelihood struct {
	CVE        string
	Score      float64 // probability of exploitation in the next 30 days, 0 to 1
	Percentile float64 // share of all CVEs with the same or a lower score
}

// The names of the two feeds that are not OSV ecosystems.
const (
	FeedKEV  = "kev"
	FeedEPSS = "epss"
)

// Feed is one source of advisory data and how far it has been read.
type Feed struct {
	Name      string // an OSV ecosystem directory, or "kev", or "epss"
	URL       string
	ETag      string    // of the bytes last imported; a Last-Modified date where the source gives no tag
	Newest    time.Time // newest record's modification time
	Dated     time.Time // the day the dump speaks of: the source's own date, or when it was fetched
	Imported  time.Time
	Checked   time.Time // when the source was last asked, changed or not
	Records   int
	Starter   bool // shipped in the binary; stale until an update succeeds
	LastError string
}
