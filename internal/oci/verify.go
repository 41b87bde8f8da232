package oci

import (
	"hash"
	"io"

	"breakwater"
)

// Verify wraps the bytes of a blob: they must be exactly size bytes (any
// number, when size is negative) and have the digest d, else the read that
// completes them fails instead of answering io.EOF. It never passes on more
// than size bytes.
func Verify(rc io.ReadCloser, d breakwater.Digest, size int64) io.ReadCloser {
	return &verifier{rc: rc, want: d, hash: d.Hash(), left: size, open: size < 0}
}

type verifier struct {
	rc   io.ReadCloser
	want breakwater.Digest
	hash hash.Hash
	left int64 // bytes still to come, unless open
	open bool  // the size is not known
	err  error // sticky
}

func (v *verifier) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	if !v.open && v.left == 0 {
		v.err = v.finish()
		return 0, v.err
	}
	if !v.open && int64(len(p)) > v.left {
		p = p[:v.left]
	}
	n, err := v.rc.Read(p)
	_, _ = v.hash.Write(p[:n])
	if !v.open {
		v.left -= int64(n)
	}
	switch {
	case err == io.EOF && !v.open && v.left > 0:
		v.err = wrongBlob("the blob is shorter than its manifest says")
	case err == io.EOF:
		v.err = v.checkDigest()
	case err != nil:
		v.err = err
	case !v.open && v.left == 0:
		// A reader of a self-ending format may never ask for the end, so the
		// verdict comes with the last byte.
		if err := v.finish(); err != io.EOF {
			v.err = err
		}
	}
	return n, v.err
}

// finish is called with all bytes read: nothing may follow them.
func (v *verifier) finish() error {
	var extra [1]byte
	for {
		n, err := v.rc.Read(extra[:])
		if n > 0 {
			return wrongBlob("the blob is longer than its manifest says")
		}
		if err == io.EOF {
			return v.checkDigest()
		}
		if err != nil {
			return err
		}
	}
}

func (v *verifier) checkDigest() error {
	if breakwater.DigestOfHash(v.want.Algorithm(), v.hash) != v.want {
		return wrongBlob("the blob does not have the digest its manifest says")
	}
	return io.EOF
}

func (v *verifier) Close() error { return v.rc.Close() }

func wrongBlob(message string) error {
	e := breakwater.Errorf(breakwater.KindUnavailable, "%s", message)
	e.Code = string(breakwater.CodeDownloadFailed)
	return e
}
