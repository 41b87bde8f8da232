// Package worker is what each kind of job does.
//
// # The way of a scan
//
//	Scan{project, digest}
//	   ─► where can this project read it?      store.Locations; nobody waits any more: done
//	   ─► scanning                             one short transaction
//	   ─► facts, without any lock              Executor: here, or later a Kubernetes Job
//	   ─► one transaction: facts, distinct packages, verdicts of the new ones,
//	      counters, success, the tasks' images, and the job itself
//
// A failure that another try may cure is tried again; the last one, or one that
// no try will cure, is written beside the last good result with its code. A
// scan that fails never blanks what is known.
//
// Verdicts are shared: an import of advisories re-matches the package versions
// that the changed advisories name (feeds.go, match.go), without any registry.
package worker
