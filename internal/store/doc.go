// Package store is every SQL statement of the product, for SQLite and
// PostgreSQL, its migrations and its transactions.
//
// # How data flows
//
// Rooms take a *DB. Outside a transaction a read runs on the reader pool and a
// write on the writer; DB.Tx hands its callback a *DB of the same type that
// runs everything in one write transaction, so any method joins any
// transaction. DB.View is the same for one consistent read.
//
// SQLite has one writer connection (WAL, synchronous=FULL: what was answered
// survives a power cut) and a pool of readers. PostgreSQL has one pool; a write
// transaction there also exposes its pgx.Tx, so that River can enqueue a job in
// it.
//
// One statement serves both dialects: placeholders are written ? and rebound.
// Where the dialects truly differ a twin stands beside the statement with the
// reason. Migrations are written once with three words that are substituted:
// %SERIAL% (a generated int64 key), %BLOB% (bytes) and %COLLATE% (byte order).
//
// Every tenant table carries project_id and every statement on it filters by
// it. Times are int64 milliseconds UTC, 0 for never.
//
// # The image list
//
// Whatever changes a row of image also raises its project's image_rev and
// stamps the row with it (imagerev.go). The list is answered from columns held
// in memory per project, brought up to date by the rows whose rev is newer
// (imageindex.go); the page itself is then read by primary key.
package store
