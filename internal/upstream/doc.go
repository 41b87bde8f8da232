// Package upstream tells what a foreign registry holds: every tag with its
// digest, page by page, and the bytes behind them.
//
//	Registry + password ──► New ──► Lister
//	                                  ├─ Probe   reachable, and the credentials are good
//	                                  ├─ Page    tags from a cursor on; the next cursor
//	                                  └─ Source  one repository's manifests and blobs (package oci)
//
// # Listing
//
// Harbor is walked by its REST interface, projects → repositories → artifacts;
// Artifactory by its list of Docker repositories and then, like any OCI
// registry, by catalogue → tags → digest of each tag. A cursor holds the
// position on every level by page and name. It may be saved with the work of
// the page it came with and used by another process on another day: where the
// lists have moved meanwhile, the walk goes back to the start of the list that
// moved. An image may therefore be told twice; none that stayed is left out.
//
// Harbor answers a wrong password with the public projects and status 200. A
// sync that believed this would remove every private image, so the first page
// of each Lister checks the credentials before it lists.
//
// # Names
//
//	Harbor        project / rest            namespace = project, name = rest
//	Artifactory   repository key, image     namespace = key, name = image
//	any OCI       a/b/c                     namespace = a, name = b/c
//	              a                         namespace empty, name = a
//
// Artifacts without a tag and artifacts that are not images are not told. Of
// Artifactory's repositories the virtual ones are left out: they show the
// images of others again.
//
// # Limits
//
// A page is about 500 tags or 60 requests. A list has at most 10,000 pages,
// one answer at most 16 MiB; every request has a time limit and a number of
// tries. Errors are *breakwater.Error of KindUnavailable with a message for
// people; no error holds a credential.
package upstream
