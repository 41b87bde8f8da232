// Package blob keeps bytes by their digest.
//
// # How data flows
//
//	Upload.Append ──► DIR/uploads/NAME, hashed on the way
//	Upload.Finish ──► hash compared, fsync, rename to DIR/blobs/ALGORITHM/ab/HEX, fsync of the directory
//	Store.Open    ──► an *os.File that a server hands to sendfile
//
// A blob is written once: it appears under its name whole, verified and
// durable, or not at all, and never changes afterwards. A crash leaves nothing
// but upload files. Those are the sessions themselves: an upload resumes after
// a restart from the size of its file, and what it would have remembered of the
// hash is computed again from the bytes. Sweep removes the abandoned ones.
//
// Files are 0600 and directories 0700. Names of sessions are made by the
// caller and held to letters, digits, '-' and '_'; names of blobs come from
// parsed digests. Nothing else becomes part of a path.
//
// Store is an interface because the same rooms run over S3, where a session is
// a multipart upload. FS is the file system.
package blob
