package store

import (
	"context"
	"time"

	"breakwater"
)

// MarkImages moves images of the project to waiting_for_scan: those that a scan
// can look at and that are not under way already. For an index its platforms
// wait, too. Any other status takes images that are under way back to how they
// stood: failed if the scan before failed, success if one ever ended well,
// unscan otherwise.
func (db *DB) MarkImages(ctx context.Context, projectID string, ids []int64, status breakwater.ScanStatus) error {
	if len(ids) == 0 {
		return nil
	}
	err := db.Tx(ctx, func(tx *DB) error {
		rev, err := tx.raise(ctx, projectID)
		if err != nil {
			return err
		}
		if status == breakwater.ScanWaiting {
			return tx.markWaiting(ctx, projectID, rev, jsonSet(ids))
		}
		return tx.markBack(ctx, projectID, rev, jsonSet(ids))
	})
	return wrap(err, "store.MarkImages(%s)", status)
}

func (db *DB) markWaiting(ctx context.Context, projectID string, rev int64, ids string) error {
	_, err := db.exec(ctx, `UPDATE image SET scan_status = 'waiting_for_scan', rev = ?
		WHERE project_id || '' = ? AND id `+db.inIDs()+` AND scannable AND scan_status NOT IN ('waiting_for_scan', 'scanning')`, rev, projectID, ids)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, `INSERT INTO child_scan (project_id, digest, scan_status)
		SELECT DISTINCT i.project_id, c.digest, 'waiting_for_scan' FROM image i JOIN artifact p ON p.digest = i.digest
		JOIN artifact_child c ON c.parent_id = p.id AND c.image
		WHERE i.project_id || '' = ? AND i.id `+db.inIDs()+` AND i.multi_arch AND i.scannable
		ON CONFLICT (project_id, digest) DO UPDATE SET scan_status = 'waiting_for_scan'
		WHERE child_scan.scan_status NOT IN ('waiting_for_scan', 'scanning')`, projectID, ids)
	return err
}

// before is how a row stood before the scan that is under way.
// The code of a check that failed alone stands beside a success.
const before = `CASE WHEN scan_code <> '' AND NOT (scanned_ms > 0 AND scan_code IN ('failed_to_scan_vulnerability', 'failed_to_scan_file',
	'failed_to_scan_software', 'failed_to_check_sensitive_information', 'failed_to_check_baseline', 'failed_to_check_software_compliance',
	'failed_to_query_basic_image_information', 'failed_to_check_build_cmd')) THEN 'failed' WHEN scanned_ms > 0 THEN 'success' ELSE 'unscan' END`

// markBack leaves alone the children that another index still waits for.
func (db *DB) markBack(ctx context.Context, projectID string, rev int64, ids string) error {
	_, err := db.exec(ctx, `UPDATE image SET scan_status = `+before+`, rev = ?
		WHERE project_id || '' = ? AND id `+db.inIDs()+` AND scan_status IN ('waiting_for_scan', 'scanning')`, rev, projectID, ids)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, `UPDATE child_scan SET scan_status = `+before+`
		WHERE project_id = ? AND scan_status IN ('waiting_for_scan', 'scanning') AND digest IN (
			SELECT c.digest FROM image i JOIN artifact p ON p.digest = i.digest JOIN artifact_child c ON c.parent_id = p.id
			WHERE i.project_id || '' = ? AND i.id `+db.inIDs()+`)
		AND NOT EXISTS (SELECT 1 FROM artifact_child c JOIN artifact p ON p.id = c.parent_id
			JOIN image i ON i.digest = p.digest AND i.project_id || '' = child_scan.project_id
			WHERE c.digest = child_scan.digest AND i.scan_status IN ('waiting_for_scan', 'scanning'))`, projectID, projectID, ids)
	return err
}

// SetScanState says how the scan of a digest stands for one project: it moves
// the project's images of that digest, and its indexes that hold it, as far as
// they are waiting or scanning; every other row, and every other project, stays
// as it is. Success sets the time of the last good scan; a failure leaves it,
// and the verdict, as they were.
func (db *DB) SetScanState(ctx context.Context, projectID string, digest breakwater.Digest, status breakwater.ScanStatus, code breakwater.ScanCode, detail string, at time.Time) error {
	err := db.Tx(ctx, func(tx *DB) error {
		rev, err := tx.raise(ctx, projectID)
		if err != nil {
			return err
		}
		s := scanState{status, code, detail, ms(at)}
		if err := tx.setImageState(ctx, projectID, digest, s, rev, false); err != nil {
			return err
		}
		return tx.setChildState(ctx, projectID, digest, s, rev)
	})
	return wrap(err, "store.SetScanState(%s)", digest)
}

type scanState struct {
	status breakwater.ScanStatus
	code   breakwater.ScanCode
	detail string
	at     int64
}

// set is the assignments of a state and what they bind.
func (s scanState) set() (text string, args []any) {
	switch s.status {
	case breakwater.ScanSuccess:
		return `scan_status = 'success', scan_code = ?, scan_detail = ?, scanned_ms = ?`, []any{string(s.code), s.detail, s.at}
	case breakwater.ScanFailed:
		if s.code == "" {
			s.code = breakwater.CodeUnknown
		}
		return `scan_status = 'failed', scan_code = ?, scan_detail = ?`, []any{string(s.code), s.detail}
	case breakwater.ScanWaiting, breakwater.ScanRunning:
		return `scan_status = ?`, []any{string(s.status)}
	}
	return `scan_status = ` + before, nil
}

func (db *DB) setImageState(ctx context.Context, projectID string, digest breakwater.Digest, s scanState, rev int64, multiArch bool) error {
	set, args := s.set()
	_, err := db.exec(ctx, `UPDATE image SET `+set+`, rev = ? WHERE project_id = ? AND digest = ? AND multi_arch = ? AND scan_status IN ('waiting_for_scan', 'scanning')`,
		append(args, rev, projectID, string(digest), multiArch)...)
	return err
}

// setChildState moves the digest as a platform of the project's indexes, then
// the indexes that are under way.
func (db *DB) setChildState(ctx context.Context, projectID string, digest breakwater.Digest, s scanState, rev int64) error {
	set, args := s.set()
	n, err := db.affected(ctx, `UPDATE child_scan SET `+set+` WHERE project_id = ? AND digest = ? AND scan_status IN ('waiting_for_scan', 'scanning')`,
		append(args, projectID, string(digest))...)
	if err != nil || n == 0 {
		return err
	}
	parents := map[breakwater.Digest][]scanState{}
	rows, err := db.query(ctx, `SELECT p.digest, COALESCE(cs.scan_status, 'unscan'), COALESCE(cs.scan_code, ''), COALESCE(cs.scan_detail, ''), COALESCE(cs.scanned_ms, 0)
		FROM artifact_child one JOIN artifact p ON p.id = one.parent_id
		JOIN artifact_child c ON c.parent_id = p.id AND c.image
		LEFT JOIN child_scan cs ON cs.project_id = ? AND cs.digest = c.digest
		WHERE one.digest = ? AND EXISTS (SELECT 1 FROM image i WHERE i.digest = p.digest AND i.project_id = ? AND i.scan_status IN ('waiting_for_scan', 'scanning'))
		ORDER BY p.digest, c.position`, projectID, string(digest), projectID)
	err = each(rows, err, func(scan func(...any) error) error {
		var parent breakwater.Digest
		var c scanState
		if err := scan(&parent, &c.status, &c.code, &c.detail, &c.at); err != nil {
			return err
		}
		parents[parent] = append(parents[parent], c)
		return nil
	})
	if err != nil {
		return err
	}
	for parent, children := range parents {
		if err := db.setImageState(ctx, projectID, parent, worst(children), rev, true); err != nil {
			return err
		}
	}
	return nil
}

// worst is how an index stands when its children stand so: under way until all
// have ended, then failed if one failed, with the first failure's code.
func worst(children []scanState) scanState {
	out := scanState{status: breakwater.ScanSuccess}
	var failed *scanState
	waiting, others := 0, 0
	for n := range children {
		c := &children[n]
		out.at = max(out.at, c.at)
		switch c.status {
		case breakwater.ScanWaiting:
			waiting++
			continue
		case breakwater.ScanRunning:
			return scanState{status: breakwater.ScanRunning}
		case breakwater.ScanFailed:
			if failed == nil {
				failed = c
			}
		}
		others++
	}
	switch {
	case waiting > 0 && others > 0:
		return scanState{status: breakwater.ScanRunning}
	case waiting > 0:
		return scanState{status: breakwater.ScanWaiting}
	case failed != nil:
		return *failed
	}
	return out
}
