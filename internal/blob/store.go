package blob

import (
	"context"
	"io"
	"iter"
	"time"

	"breakwater"
)

// Store is where blobs are.
type Store interface {
	// Open is the bytes of a blob and their number; NotFound when it is not
	// there. On a file system the dynamic type is *os.File.
	Open(ctx context.Context, d breakwater.Digest) (io.ReadSeekCloser, int64, error)

	// Stat is the number of bytes of a blob; NotFound when it is not there.
	Stat(ctx context.Context, d breakwater.Digest) (int64, error)

	// Delete removes a blob. One that is not there is no error.
	Delete(ctx context.Context, d breakwater.Digest) error

	// All yields every blob in no order.
	All(ctx context.Context) iter.Seq2[Info, error]

	// Upload is the handle of a session by its name; it touches nothing yet.
	Upload(name string) (Upload, error)

	// Sweep removes the sessions that nothing was written to since before, and
	// answers how many.
	Sweep(ctx context.Context, before time.Time) (int, error)
}

// Upload is one session. One call writes to it at a time: another meanwhile is
// a Conflict. Absent sessions are NotFound everywhere.
type Upload interface {
	// Create begins the session, empty.
	Create(ctx context.Context) error

	// Size is how many bytes it holds.
	Size(ctx context.Context) (int64, error)

	// Append adds what r holds and answers the new size. offset must be the size
	// so far, else nothing is read and the error is ErrOffset. More than limit
	// bytes in all is KindTooLarge. When r fails, what came before stays, and
	// the error is r's.
	Append(ctx context.Context, offset int64, r io.Reader, limit int64) (int64, error)

	// Finish makes the session the blob d and answers its size. Bytes of another
	// digest are ErrDigest, and the session stays as it was.
	Finish(ctx context.Context, d breakwater.Digest) (int64, error)

	// Abort removes the session.
	Abort(ctx context.Context) error
}

// Info is one blob of All.
type Info struct {
	Digest   breakwater.Digest
	Size     int64
	Modified time.Time
}

// The two refusals that callers tell apart; compare with errors.Is.
var (
	ErrOffset error = &breakwater.Error{Kind: breakwater.KindConflict, Code: "offset", Message: "the bytes do not follow those already there"}
	ErrDigest error = &breakwater.Error{Kind: breakwater.KindInvalid, Code: "digest", Field: "digest", Message: "the bytes do not have the digest given"}
)
