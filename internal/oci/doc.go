// Package oci reads images as a registry serves them: names, manifests, and
// the Source that a scan takes bytes from.
//
//	reference text ──► ParseReference (repository, tag, digest; nothing else passes)
//	Source.Manifest ──► Manifest (≤ 4 MiB, digest checked) ──► Parse ──► Doc
//	                                                             │
//	Source.Blob ──► Verify (digest and size at the end) ──► ReadConfig ≤ 8 MiB
//	                                                             │
//	                                Resolve ──► breakwater.Artifact and its children
//
// Client is the Source of foreign registries: plain distribution protocol over
// an *http.Client that the caller guards (package netguard makes it), with
// Basic and Bearer sign-in, retries, idle time-outs and resumed downloads.
//
// Every byte read here is hostile. The limits, each with its error:
//
//	manifest or index      4 MiB             KindTooLarge, CodeOverSized
//	layers of an image     127               CodeLayers, by Doc.CheckImage
//	children of an index   256, all levels   CodeOverSized
//	indexes inside indexes 1 level below the first
//	config                 8 MiB             CodeOverSized
//	one blob               its stated size, never more
//	schema 1 manifests     not read          CodeSchemaV1
//
// Errors are *breakwater.Error: KindNotFound for what a registry does not hold,
// KindTooLarge over a limit, KindInvalid for a document that is wrong in
// itself, KindUnavailable for a registry that fails, refuses or lies. Code is
// the ScanCode that a scan ending this way carries. No message holds a
// credential or text of the registry's choosing at length.
package oci
