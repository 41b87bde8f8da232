// Package match decides which advisories apply to which package versions. It is
// pure: packages and advisories go in, verdicts and gaps come out.
//
// # How data flows
//
//	PackageVersion ─► the advisories of its (ecosystem, name)
//	    each: events sorted in the ecosystem's order ─► affected? ─► the fix of that branch
//	    records of one problem merged ─► Verdict
//	    what could not be decided ─► Gap
//
// # Evaluation
//
// The algorithm is the OSV schema's: a version is affected when it is listed in
// versions, or when walking a range's events in order leaves it inside one.
// "introduced" opens at its version ("0" before every version), "fixed" closes
// at its version, "last_affected" after it, and a range with limits speaks only
// of versions below one of them. Versions are compared the way the ecosystem
// itself does (order.go says which way).
//
// The fix that is named is the first version after the installed one at which
// no range of the record is open any more: on a branch of several, the fix of
// that branch.
//
// # One problem, one finding
//
// Records of one problem are merged for each package (merge.go):
//
//   - records that name each other as aliases, or share an alias, are one
//     problem, and so is a record that derives from exactly one other (Debian's
//     DEBIAN-CVE-2024-1 from CVE-2024-1);
//   - a bulletin that derives from several CVEs (a DSA, an erratum) is left out
//     when other records already report every one of them, and stands for
//     itself otherwise;
//   - the record shown is one that names a CVE when any does, of those the
//     ecosystem's own database's (PYSEC, GO, RUSTSEC, GHSA, DEBIAN-CVE …), of
//     those the lowest id. The verdict names the others in Also, and takes the
//     worst severity that any of them states.
//
// Withdrawn records never match. Errata that repair bugs or add features and
// name no CVE are not vulnerabilities and never match.
//
// # Unknown is said
//
// A package of an ecosystem that nobody here can compare, of a distribution
// without its release, or with a version that is none, makes a Gap; so does an
// advisory whose range cannot be read. A gap is never a verdict and never "clean".
package match
