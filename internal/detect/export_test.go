package detect

import (
	"bytes"
	"context"
	"io"
)

// Detect offers one file as a scan does, whole from memory.
func (d *Detector) Detect(ctx context.Context, f File, r io.Reader) (Facts, bool, error) {
	head := make([]byte, min(f.Size, HeadBytes))
	if _, err := io.ReadFull(r, head); err != nil {
		return Facts{}, false, err
	}
	w, ok := d.Want(f, head)
	if !ok {
		return Facts{}, false, nil
	}
	rest, err := io.ReadAll(io.LimitReader(r, max(0, min(f.Size, 1<<30)-int64(len(head)))))
	if err != nil {
		return Facts{}, true, err
	}
	return d.Read(ctx, w, f, bytes.NewReader(append(head, rest...))), true, nil
}
