package worker

import (
	"context"
	"errors"
	"time"

	"breakwater"
	"breakwater/internal/job"
	"breakwater/internal/oci"
	"breakwater/internal/store"
)

// scan looks into one manifest for one project.
func (w *Worker) scan(ctx context.Context, a job.Scan, last bool) error {
	digest, err := breakwater.ParseDigest(a.Digest)
	if err != nil {
		return err
	}
	places, err := w.db.Locations(ctx, a.ProjectID, digest)
	if err != nil {
		return err
	}
	if !wanted(places) {
		places, err = w.dismiss(ctx, a.ProjectID, digest)
		if err != nil || !wanted(places) {
			return err
		}
	}
	if err := w.db.SetScanState(ctx, a.ProjectID, digest, breakwater.ScanRunning, "", "", time.Time{}); err != nil {
		return err
	}
	began := time.Now()
	scope := breakwater.Scope(a.Scope)
	if scope == 0 {
		scope = breakwater.ScopeAll
	}
	inventory, err := w.facts(ctx, a.ProjectID, digest, scope, places)
	if ctx.Err() != nil {
		return ctx.Err() // a shutdown: the next start takes it up
	}
	if err == nil {
		err = w.finish(ctx, a.ProjectID, digest, inventory)
		if err == nil {
			w.heard("", began, inventory.Bytes)
			return nil
		}
		err = breakwater.Wrap(breakwater.KindInternal, err, "the results could not be stored")
		err.(*breakwater.Error).Code = string(breakwater.CodeDatabase)
	}
	if !last && transient(err) {
		return err
	}
	w.heard(codeOf(err), began, 0)
	w.opts.Logger.Warn("scan failed", "digest", digest, "project", a.ProjectID, "error", err)
	return w.fail(ctx, a.ProjectID, digest, err)
}

// errWanted undoes the end of a job.
var errWanted = errors.New("the scan is wanted after all")

// dismiss ends a scan that nobody waits for, unless somebody does by now, whose
// request found this job open and made no other. The job is closed first: whoever
// asks from then on makes a new one, and whoever asked before is seen.
func (w *Worker) dismiss(ctx context.Context, projectID string, digest breakwater.Digest) (places []store.Location, err error) {
	err = w.db.Tx(ctx, func(tx *store.DB) (err error) {
		if err = job.Complete(ctx, tx); err != nil {
			return err
		}
		if places, err = tx.Locations(ctx, projectID, digest); err == nil && wanted(places) {
			err = errWanted
		}
		return err
	})
	if errors.Is(err, errWanted) {
		err = nil
	}
	return places, err
}

func (w *Worker) heard(code breakwater.ScanCode, began time.Time, bytes int64) {
	if w.opts.Scanned != nil {
		w.opts.Scanned(code, time.Since(began), bytes)
	}
}

func wanted(places []store.Location) bool {
	for _, p := range places {
		if p.Wanted {
			return true
		}
	}
	return false
}

// facts reads the image from the first of its places that gives it.
func (w *Worker) facts(ctx context.Context, projectID string, digest breakwater.Digest, scope breakwater.Scope, places []store.Location) (inv breakwater.Inventory, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, w.opts.ScanTime, errScanTime)
	defer cancel()
	for _, p := range places {
		var src oci.Source
		if src, err = w.source(ctx, projectID, p); err == nil {
			inv, err = w.exec.Scan(ctx, Task{Digest: digest, Source: src, Scope: scope})
		}
		if errors.Is(context.Cause(ctx), errScanTime) {
			return inv, &breakwater.Error{Kind: breakwater.KindTooLarge, Code: string(breakwater.CodeTimedOut), Message: "the scan took longer than its time limit"}
		}
		if err == nil || !elsewhere(err) {
			return inv, err
		}
	}
	return inv, err
}

var errScanTime = errors.New("scan time is over")

// elsewhere: another registry may give what this one did not.
func elsewhere(err error) bool {
	switch codeOf(err) {
	case breakwater.CodeAuthentication, breakwater.CodeNotFound, breakwater.CodeDownloadFailed, breakwater.CodeAccessSwr:
		return true
	}
	return false
}

// transient: the same try later may succeed.
func transient(err error) bool {
	switch codeOf(err) {
	case breakwater.CodeDownloadFailed, breakwater.CodeAccessSwr, breakwater.CodeDatabase, "":
		return true
	}
	return false
}

func (w *Worker) source(ctx context.Context, projectID string, p store.Location) (oci.Source, error) {
	if p.Type == breakwater.RegistrySwrPrivate {
		return w.opts.Embedded(ctx, projectID, p.Namespace, p.Name)
	}
	r, err := w.db.Registry(ctx, projectID, p.RegistryID)
	if err != nil {
		return nil, err
	}
	lister, err := w.lister(ctx, r)
	if err != nil {
		return nil, err
	}
	return lister.Source(p.Namespace, p.Name), nil
}

// finish writes everything a good scan found, in one transaction.
func (w *Worker) finish(ctx context.Context, projectID string, digest breakwater.Digest, inv breakwater.Inventory) error {
	before, err := w.db.Inventory(ctx, digest)
	if err != nil && !breakwater.IsNotFound(err) {
		return err
	}
	if err == nil {
		inv.Carry(before)
	}
	findings := w.audit.Judge(&inv)
	return w.db.Tx(ctx, func(tx *store.DB) error {
		if err := Keep(ctx, tx, inv, findings, w.audit.Version()); err != nil {
			return err
		}
		code, detail := inv.Failed()
		return w.close(ctx, tx, projectID, digest, breakwater.ScanSuccess, code, detail)
	})
}

// Keep writes what a scan found and what follows from it: facts, the verdicts of
// package versions that nothing has judged yet, findings of rules, counters.
// The artifact is known. It belongs into a transaction.
func Keep(ctx context.Context, tx *store.DB, inv breakwater.Inventory, findings []breakwater.Finding, rules string) error {
	artifactID, fresh, err := tx.PutInventory(ctx, inv)
	if err != nil {
		return err
	}
	if err := MatchPackages(ctx, tx, fresh); err != nil {
		return err
	}
	if err := tx.PutFindings(ctx, artifactID, breakwater.Checks(), findings, rules); err != nil {
		return err
	}
	return tx.RefreshCounters(ctx, []int64{artifactID})
}

// fail writes why a scan failed beside the last good result.
func (w *Worker) fail(ctx context.Context, projectID string, digest breakwater.Digest, cause error) error {
	code, detail := codeOf(cause), ""
	if code == "" {
		code = breakwater.CodeUnknown
	}
	var e *breakwater.Error
	if errors.As(cause, &e) && e.Kind != breakwater.KindInternal {
		detail = e.Message
	}
	return w.db.Tx(ctx, func(tx *store.DB) error {
		return w.close(ctx, tx, projectID, digest, breakwater.ScanFailed, code, detail)
	})
}

func (w *Worker) close(ctx context.Context, tx *store.DB, projectID string, digest breakwater.Digest, status breakwater.ScanStatus, code breakwater.ScanCode, detail string) error {
	if err := tx.SetScanState(ctx, projectID, digest, status, code, detail, tx.Now()); err != nil {
		return err
	}
	parents, err := tx.Parents(ctx, digest)
	if err != nil {
		return err
	}
	if err := tx.CloseTaskImages(ctx, projectID, append(parents, digest)); err != nil {
		return err
	}
	return job.Complete(ctx, tx)
}
