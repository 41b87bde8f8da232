package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"breakwater"
)

// maxResumes is how often one blob may break off: a registry that does so more
// often is not going to deliver.
const maxResumes = 8

// errStalled is the cause of a body that was given up for standing still.
var errStalled = errors.New("the answer stood still")

// download is the body of a blob that survives its connections. It passes on
// what came and, when a connection breaks or stands still, asks for the rest.
// Whether the bytes are right is Verify's to say, over all connections.
type download struct {
	ctx    context.Context // of the whole download; the reader has no other place for it
	client *Client
	path   string
	scope  string
	size   int64 // negative: not known, then a broken end cannot be told from the end

	body    io.ReadCloser
	conn    context.Context         // of the present connection
	stop    context.CancelCauseFunc // ends it
	offset  int64                   // bytes passed on
	skip    int64                   // bytes to drop first, when the registry starts over
	resumes int
}

// start connects at the present offset.
func (d *download) start() error {
	header := http.Header{
		"Accept":          {"*/*"},
		"Accept-Encoding": {"identity"}, // the digest is over the bytes as stored
	}
	if d.offset > 0 {
		header.Set("Range", rangeFrom(d.offset))
	}
	res, err := signed(d.ctx, d.client, d.scope, func(authorization string) (*http.Response, error) {
		return retry(d.ctx, d.client, func() (*http.Response, error) { return d.connect(header, authorization) })
	})
	if err != nil {
		return err
	}
	d.skip = 0
	if d.offset > 0 {
		switch {
		case res.StatusCode == http.StatusOK: // it does not know ranges
			d.skip = d.offset
		case !strings.HasPrefix(res.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", d.offset)):
			d.Close()
			return unavailable(breakwater.CodeDownloadFailed, nil, "the registry resumed the download at another place")
		}
	}
	return nil
}

// connect is one connection; its context outlives the call, until Close.
func (d *download) connect(header http.Header, authorization string) (*http.Response, error) {
	ctx, stop := context.WithCancelCause(d.ctx)
	idle := time.AfterFunc(d.client.opts.RequestTimeout, func() { stop(errStalled) })
	res, err := d.client.send(ctx, http.MethodGet, d.client.url(d.path, ""), header, authorization)
	idle.Stop()
	if err != nil {
		err = transportError(d.ctx, because(ctx, err))
		stop(nil)
		return nil, err
	}
	if err := d.client.check(res); err != nil {
		res.Body.Close()
		stop(nil)
		return nil, err
	}
	d.body, d.conn, d.stop = res.Body, ctx, stop
	return res, nil
}

// because puts the reason a context was ended in the place of "canceled".
func because(ctx context.Context, err error) error {
	if err != nil && err != io.EOF && errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

func (d *download) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := d.read(p)
		if n > 0 {
			d.offset += int64(n)
			// The error, if any, comes again with the next read.
			return n, nil
		}
		switch {
		case err == nil:
			continue
		case err == io.EOF && (d.size < 0 || d.offset >= d.size):
			return 0, io.EOF
		case d.ctx.Err() != nil:
			return 0, contextError(d.ctx)
		case d.resumes >= maxResumes:
			return 0, final(transportError(d.ctx, err))
		}
		d.resumes++
		d.Close()
		if err := d.start(); err != nil {
			return 0, final(err)
		}
	}
}

// read is one read of the present connection that may not take longer than
// the idle time-out, less what is to be skipped.
func (d *download) read(p []byte) (int, error) {
	idle := time.AfterFunc(d.client.opts.IdleTimeout, func() { d.stop(errStalled) })
	defer idle.Stop()
	if d.skip > 0 {
		n, err := io.CopyN(io.Discard, d.body, min(d.skip, 64<<10))
		d.skip -= n
		return 0, because(d.conn, err)
	}
	n, err := d.body.Read(p)
	return n, because(d.conn, err)
}

// final takes off the mark of an error that nobody will try again.
func final(err error) error {
	var t temporary
	if errors.As(err, &t) {
		return t.error
	}
	return err
}

// Close ends the connection. It is safe to call twice.
func (d *download) Close() error {
	if d.body == nil {
		return nil
	}
	err := d.body.Close()
	d.stop(nil)
	d.body = nil
	return err
}
