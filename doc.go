// Package breakwater is the language of the product: the nouns every room
// speaks (digests, projects, registries, images, artifacts, packages,
// advisories, findings, tasks), the states they pass through, and the one
// error type. It does no I/O and imports the standard library only.
//
// The two ideas that shape these types are told in ARCHITECTURE.md: facts
// (what bytes contain) and verdicts (what advisories and rules say of those
// facts) are kept apart, and everything that has content is named by its
// digest.
package breakwater
