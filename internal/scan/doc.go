// Package scan turns one image into its inventory.
//
//	Source ─► manifest ─► config (platform, history)
//	            │
//	            └─► each layer, several at a time:
//	                  Cache has its facts? ──yes──────────────────┐
//	                  no: Blob ─► layer ─► detect ─► LayerFacts ──┤ (stored)
//	                                                              ▼
//	                     merge, bottom first: removals, replacements, ownership
//	                                                              ▼
//	                                           breakwater.Inventory, sorted
//
// Facts of a layer depend on nothing but its bytes and Version, so they are
// kept under both and shared by every image that holds the layer; while one
// scan reads a layer, others that need it wait for that result. Whatever the
// order layers are finished in, the merge runs from the bottom up, and the same
// image gives the same bytes.
//
// An error carries a breakwater.ScanCode:
//
//	too large together, or decompressed        CodeOverSized
//	too many layers, entries, or a bomb        CodeLayers
//	longer than Limits.Wall                    CodeTimedOut
//	broken, truncated or wrong bytes           CodeDownloadFailed
//	what the Source itself says                passes through
//	anything else                              CodeUnknown
package scan
