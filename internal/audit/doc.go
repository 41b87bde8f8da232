// Package audit judges the facts of an image by rules: everything beside
// advisories.
//
//	Inventory ─┬─► secrets, malicious files (facts that are findings already)
//	           ├─► baseline: configuration, accounts, permissions × rules
//	           ├─► compliance: packages × rules, end-of-life tables
//	           └─► history: build steps × rules
//	                                         ──► []breakwater.Finding, by check
//
// It is pure: the same facts, rules and day give the same findings, without the
// image. When rules change, so does Version, and whoever keeps findings judges
// the facts again. A check whose rules crash fails alone: its coverage says so,
// and the others are done.
package audit
