// Package job is durable work over River, on both databases.
//
// # How work flows
//
// A room enqueues in the transaction that made the work necessary
// (Queue.Enqueue with the *store.DB of that transaction): the row and its job
// appear together or not at all. A worker fetches a job, does it, and closes it
// with Complete inside the transaction that writes the result, so a job is done
// exactly when its result is visible. A handler must be safe to run twice.
//
//	available ──► running ──► completed
//	    ▲            │
//	    │            ├─ error ──► retryable ──► available   (the third is final: cancelled)
//	    │            ├─ Snooze ─► scheduled ──► available
//	    └── crash ───┘            after MaxAttempts: discarded. Failed rows are kept
//
// A job is unique by kind and arguments while it is open (available, running,
// retryable, scheduled): asking twice is asking once.
//
// # After a crash
//
// A process that dies leaves its jobs in running. Each Queue has a stable
// Instance name (kept in the data directory); at start it puts jobs that its own
// instance was running back to available. On PostgreSQL with several instances
// the others' jobs are left alone; a node that never returns is covered by
// River's rescuer after RescueAfter.
//
// riversqlite has no rival for enqueueing inside a SQLite transaction, and this
// room is thin so that it can be replaced: River is named nowhere else.
package job
