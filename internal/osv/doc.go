// Package osv reads vulnerability feeds as streams: OSV dumps (one zip of JSON
// records for each ecosystem), CISA's catalogue of known exploited
// vulnerabilities (KEV) and FIRST's exploit prediction scores (EPSS).
//
// # How data flows
//
//	Source (Mirror over HTTP | Dir on disk | Starter in the binary)
//	   │ Open(name, previous feed) → ErrNotModified, or
//	   ▼
//	Dump ── Advisories ──► breakwater.Advisory, one record at a time
//	     ── Exploited  ──► the KEV list
//	     ── Likelihoods ─► EPSS, one line at a time
//
// A Dump is bytes that were fetched whole into a private file (or were already
// on disk), so a connection that breaks ends Open and not an import. Reading it
// fills a Report: how many records there were, how many were broken and why,
// and how new the newest one is.
//
// # What is refused
//
// Every byte is somebody else's. A zip is bounded in entries, in size for one
// entry and for all, and in how far it may blow up (Limits); entry names are
// never used as paths. A record that cannot be read is counted and skipped; a
// dump in which more than one record in a hundred is broken, or none is good,
// is an error, because it is more likely to be the wrong bytes than bad luck.
//
// # What is kept
//
// GIT ranges are dropped: packages in images have versions, not commits. Prose
// is cut to a one-line summary. Ecosystems and names are brought to their normal
// spelling (breakwater.NormalEcosystem, NormalName). Errata of the rpm
// distributions list their CVEs under "related"; they are read as what the
// erratum derives from.
package osv
