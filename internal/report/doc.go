// Package report writes what a scan found of one image in the formats that
// people and tools read. It does no input or output but writing to the writer
// that it is given, and it knows neither the clock nor the terminal: the caller
// says both.
//
// # How data flows
//
//	ParseExemptions ─► Exempt: what the operator accepts is taken out, and counted
//	IgnoreUnfixed:             what cannot be repaired is taken out, and counted
//	Report ─► Write ─► view: a sorted copy with what all formats derive
//	                        (layer numbers, inherited or not, counts, upgrades, gaps)
//	    table      for a terminal: every foreign byte neutralised (text.go)
//	    json       our own schema, version 1 (Schema)
//	    sarif      2.1.0, for code scanning
//	    cyclonedx  1.6, an SBOM with vulnerabilities
//	    spdx       2.3, an SBOM
//	Threshold: whether the report is bad enough to fail a build
//
// # Same in, same out
//
// The same Report makes the same bytes, whatever order its lists come in.
// Serial numbers and namespaces are derived from the image's digest, its name
// and the time of the scan.
//
// # Severity
//
// Advisories have three levels. A report has a fourth: an advisory of high
// severity with a CVSS base score of 9.0 or more is shown, and counts, as
// critical (CVSS 3.1 specification, section 5, "Qualitative Severity Rating
// Scale"). Rules of ours say critical themselves.
//
// # Unknown is said
//
// Every format says what was not looked at: the table under each check, JSON in
// "coverage", SARIF as notifications of the invocation, CycloneDX and SPDX as
// annotations. A CycloneDX composition is "incomplete" where the check behind it
// has a gap, and "unknown" otherwise, because software that left no package data
// behind cannot be ruled out.
package report
