// Package catalog is which images exist, and the requests to look at them.
//
// # How images become known
//
// Record is the only function that makes an image known and asks for its first
// scan; Forget is its opposite. Two journeys meet there: a push to the embedded
// registry calls Record in the transaction that writes the tag, and Sync calls
// it page by page for what a foreign registry holds.
//
//	Sync: BeginSync ─► generation, cursor
//	      page of tags ◄─ upstream.Lister   (nothing is locked meanwhile)
//	      digests not known yet ─► oci.Resolve (manifest, config, children)
//	      one transaction: Record each, stamp the generation, save the cursor
//	      … until the last page; then one transaction: what was not stamped is
//	      gone upstream and is removed, the registry and its sync tasks are closed
//
// A restart continues at the saved cursor. A page that fails leaves what was
// recorded, and the registry says why.
//
// # How scans are asked for
//
// StartScan writes a task and its images in one transaction, marks them waiting
// and enqueues one Dispatch job, which sends them to the scanners in batches at
// the task's rate (Dispatch). StopScan takes back what has not begun.
package catalog
