package worker

import (
	"context"
	"runtime/debug"

	"breakwater"
	"breakwater/internal/scan"
)

// Local scans in this process. A panic ends the one scan.
type Local struct{ Scanner *scan.Scanner }

var _ Executor = Local{}

// Scan looks into one image manifest.
func (l Local) Scan(ctx context.Context, t Task) (inv breakwater.Inventory, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &breakwater.Error{Kind: breakwater.KindInternal, Code: string(breakwater.CodeUnknown), Message: "the scanner stopped unexpectedly",
				Err: breakwater.Errorf(breakwater.KindInternal, "%v\n%s", p, debug.Stack())}
		}
	}()
	return l.Scanner.Scan(ctx, t.Source, t.Digest, t.Scope)
}
