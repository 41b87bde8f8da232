package hss

import (
	"archive/zip"
	"bytes"
	"io"
)

// wrapZip is a zip that holds content uncompressed under name. Its headers are
// made by archive/zip, which is shown zeros in the content's place: it needs only
// their number, and the checksum it is told.
func wrapZip(name string, content segments, crc uint32) (segments, error) {
	out := &gap{}
	z := zip.NewWriter(out)
	size := content.size()
	w, err := z.CreateRaw(&zip.FileHeader{
		Name: name, Method: zip.Store, CRC32: crc, CompressedSize64: uint64(size), UncompressedSize64: uint64(size),
	})
	if err != nil {
		return nil, err
	}
	if err := z.Flush(); err != nil {
		return nil, err
	}
	out.inside = true
	if _, err := io.CopyN(w, zeros{}, size); err != nil {
		return nil, err
	}
	if err := z.Flush(); err != nil {
		return nil, err
	}
	out.inside, out.behind = false, true
	if err := z.Close(); err != nil {
		return nil, err
	}
	return append(append(segments{text(out.before.String())}, content...), text(out.after.String())), nil
}

// gap keeps what is written before and after the content, and drops the content.
type gap struct {
	before, after  bytes.Buffer
	inside, behind bool
}

func (g *gap) Write(b []byte) (int, error) {
	switch {
	case g.inside:
		return len(b), nil
	case g.behind:
		return g.after.Write(b)
	}
	return g.before.Write(b)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
