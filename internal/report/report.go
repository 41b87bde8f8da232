package report

import (
	"io"
	"slices"
	"strings"
	"time"

	"breakwater"
)

// Report is one scanned image and what was found in it.
type Report struct {
	Name    string // as the user named it: docker.io/library/debian:12, archive.tar
	File    bool   // Name is that of a file: it is no reference
	Digest  breakwater.Digest
	Made    bool      // Digest is of a manifest that was made up: no registry has it
	Tool    string    // the program that scanned; "breakwater" when empty
	Version string    // of the program
	Time    time.Time // when the scan ended
	// Inventory is what the image holds, and what was not looked at.
	Inventory       breakwater.Inventory
	Vulnerabilities []breakwater.Vulnerability
	Findings        []breakwater.Finding // of the other checks
	Exempted        int                  // how many findings the exemptions took out
	Unfixed         int                  // how many vulnerabilities without a repair were left out
	Feeds           []breakwater.Feed    // what advisories were known, and how old they are
	// Spoken tells of which of Ecosystems advisories speak at all; nil: not known.
	// Packages of the others were not judged, and the report says so.
	Spoken map[string]bool
	Base   *Base // nil: the base image is not known
}

// Base is the image that this one is built on: its Layers lowest layers are
// those of Name. What lies in them is inherited, the rest was added here.
type Base struct {
	Name   string            // docker.io/library/debian:12
	Digest breakwater.Digest // of the base image, if known
	Layers int               // how many of the lowest layers are its
	Newest string            // the newest tag of that base; empty: not known, or this one
	// Removes is how many findings the newest tag would remove; negative: not known.
	Removes int
}

// Options say how a report is written. The zero value works for every format.
type Options struct {
	// Width is how many columns a table may take; 0 means 120, and less than 80 is 80.
	Width int
	// Color lets a table use the terminal's colours. Whether it may (a terminal,
	// NO_COLOR) is the caller's to decide.
	Color bool
	// Compare orders two versions of an ecosystem. With it the upgrade that is
	// advised is one version; without it all the fixed versions are named.
	Compare func(ecosystem, a, b string) (int, error)
}

// The formats that Write knows.
const (
	FormatTable     = "table"
	FormatJSON      = "json"
	FormatSARIF     = "sarif"
	FormatCycloneDX = "cyclonedx"
	FormatSPDX      = "spdx"
)

// Formats lists the formats that Write knows.
func Formats() []string {
	return []string{FormatTable, FormatJSON, FormatSARIF, FormatCycloneDX, FormatSPDX}
}

// Write writes the report in one format. An unknown format is an error of kind
// Invalid and nothing is written; any other error is the writer's.
func Write(w io.Writer, format string, r Report, o Options) error {
	if !slices.Contains(Formats(), format) {
		return breakwater.Invalid("format", "the format must be one of %s", strings.Join(Formats(), ", "))
	}
	v := newView(r, o)
	switch format {
	case FormatJSON:
		return writeJSON(w, v)
	case FormatSARIF:
		return writeSARIF(w, v)
	case FormatCycloneDX:
		return writeCycloneDX(w, v)
	case FormatSPDX:
		return writeSPDX(w, v)
	}
	return writeTable(w, v, o)
}

// IgnoreUnfixed takes the vulnerabilities out that no version repairs, and
// counts them in Unfixed.
func IgnoreUnfixed(r *Report) {
	kept := make([]breakwater.Vulnerability, 0, len(r.Vulnerabilities))
	for _, v := range r.Vulnerabilities {
		if v.Fixed != "" {
			kept = append(kept, v)
		}
	}
	r.Unfixed += len(r.Vulnerabilities) - len(kept)
	r.Vulnerabilities = kept
}
