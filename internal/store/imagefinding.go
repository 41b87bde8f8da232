package store

import (
	"context"
	"encoding/json"
	"strings"

	"breakwater"
)

// maxFindingText bounds each text of a finding that is kept.
const maxFindingText = 4096

// PutFindings replaces what rules say of an artifact, for the named checks only:
// those of others stay. rules is the version of what decided. The artifact's sums
// follow; RefreshCounters, which carries them to the images, comes after it in
// the same transaction.
func (db *DB) PutFindings(ctx context.Context, artifactID int64, checks []breakwater.Check, findings []breakwater.Finding, rules string) error {
	err := db.Tx(ctx, func(tx *DB) error {
		names := make([]string, len(checks))
		for i, c := range checks {
			names[i] = string(c)
		}
		if _, err := tx.exec(ctx, `DELETE FROM artifact_finding WHERE artifact_id = ? AND check_name `+tx.inTexts(), artifactID, jsonSet(names)); err != nil {
			return err
		}
		w := rowWriter{db: tx, columns: 8, head: `INSERT INTO artifact_finding (artifact_id, check_name, position, rule, severity, path, subject, body) VALUES `}
		position := map[breakwater.Check]int{}
		asked := map[breakwater.Check]bool{}
		for _, c := range checks {
			asked[c] = true
		}
		for _, f := range findings {
			if !asked[f.Check] {
				continue
			}
			body, err := json.Marshal(f)
			if err != nil {
				return err
			}
			w.add(artifactID, string(f.Check), position[f.Check], f.Rule, string(f.Severity), bounded(f.Path), bounded(f.Subject), string(body))
			position[f.Check]++
		}
		if err := w.flush(ctx); err != nil {
			return err
		}
		return tx.sumFindings(ctx, artifactID, rules)
	})
	return wrap(err, "store.PutFindings(%d)", artifactID)
}

func bounded(s string) string {
	if len(s) > maxFindingText {
		s = s[:maxFindingText]
	}
	return strings.ToValidUTF8(s, "?")
}

// sumFindings writes the artifact's sums: of all findings by severity, of unsafe
// settings (baseline rules that fail, weak passwords among them) and of malicious
// files, each file once.
func (db *DB) sumFindings(ctx context.Context, artifactID int64, rules string) error {
	_, err := db.exec(ctx, `UPDATE artifact SET rules = ?,
		rule_high = (SELECT count(*) FROM artifact_finding f WHERE f.artifact_id = artifact.id AND f.severity IN ('critical', 'high')),
		rule_medium = (SELECT count(*) FROM artifact_finding f WHERE f.artifact_id = artifact.id AND f.severity = 'medium'),
		rule_low = (SELECT count(*) FROM artifact_finding f WHERE f.artifact_id = artifact.id AND f.severity = 'low'),
		unsafe_num = (SELECT count(*) FROM artifact_finding f WHERE f.artifact_id = artifact.id AND f.check_name = 'baseline'),
		malicious_num = (SELECT count(DISTINCT f.path) FROM artifact_finding f WHERE f.artifact_id = artifact.id AND f.check_name = 'file')
		WHERE id = ?`, rules, artifactID)
	return err
}

// Findings are what rules say of a digest, of one check or (empty) of all, in
// the order of the checks and of their findings. Those of an index are its
// platforms', each once. NotFound when the digest is not known. The caller has
// made sure that the project holds the digest.
func (db *DB) Findings(ctx context.Context, digest breakwater.Digest, check breakwater.Check) (out []breakwater.Finding, err error) {
	err = db.View(ctx, func(tx *DB) error {
		digests, err := tx.scannedDigests(ctx, digest)
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		rows, err := tx.query(ctx, `SELECT f.body FROM artifact a JOIN artifact_finding f ON f.artifact_id = a.id
			WHERE a.digest `+tx.inTexts()+` AND (? = '' OR f.check_name = ?) ORDER BY f.check_name, a.id, f.position`,
			jsonSet(digests), string(check), string(check))
		return each(rows, err, func(scan func(...any) error) error {
			var body string
			if err := scan(&body); err != nil || seen[body] {
				return err
			}
			seen[body] = true
			var f breakwater.Finding
			err := json.Unmarshal([]byte(body), &f)
			out = append(out, f)
			return err
		})
	})
	return out, wrap(err, "store.Findings(%s)", digest)
}

// scannedDigests are the manifests whose facts answer for a digest: itself, or
// the image children of an index.
func (db *DB) scannedDigests(ctx context.Context, digest breakwater.Digest) ([]breakwater.Digest, error) {
	a, err := db.Artifact(ctx, digest)
	if err != nil || !a.IsIndex() {
		return []breakwater.Digest{digest}, err
	}
	var out []breakwater.Digest
	for _, c := range a.Children {
		if c.Image {
			out = append(out, c.Digest)
		}
	}
	return out, nil
}

// RuleCount is one rule and how many images of a project it speaks of.
type RuleCount struct {
	Finding breakwater.Finding // of one of the images
	Images  int
	Scanned int64 // when the last of them was scanned, ms
}

// RuleCounts are the rules of a check that speak of any image of the project, or
// of the one with that image id (its config digest, or the index's), the most
// images first.
func (db *DB) RuleCounts(ctx context.Context, projectID string, check breakwater.Check, imageID breakwater.Digest) (out []RuleCount, err error) {
	rows, err := db.query(ctx, `SELECT f.rule, min(f.body), count(DISTINCT i.id), max(i.scanned_ms)
		FROM image i `+imageArtifacts+` JOIN artifact_finding f ON f.artifact_id = s.id AND f.check_name = ?
		WHERE i.project_id = ? AND (? = '' OR i.config_digest = ? OR i.digest = ? OR s.config_digest = ?)
		GROUP BY f.rule ORDER BY 3 DESC, f.rule`, string(check), projectID, string(imageID), string(imageID), string(imageID), string(imageID))
	err = each(rows, err, func(scan func(...any) error) error {
		var c RuleCount
		var rule, body string
		if err := scan(&rule, &body, &c.Images, &c.Scanned); err != nil {
			return err
		}
		out = append(out, c)
		return json.Unmarshal([]byte(body), &out[len(out)-1].Finding)
	})
	return out, wrap(err, "store.RuleCounts(%s)", check)
}

// imageArtifacts joins image i with the manifests s whose facts answer for it.
const imageArtifacts = `JOIN artifact a ON a.digest = i.digest
	LEFT JOIN artifact_child c ON c.parent_id = a.id AND c.image
	JOIN artifact s ON s.digest = COALESCE(c.digest, a.digest)`

// RuleImage is an image and what one rule says of it.
type RuleImage struct {
	ImageRow
	Findings []breakwater.Finding
}

// RuleImages are the project's images that a rule speaks of, by id, and how many
// there are in all.
func (db *DB) RuleImages(ctx context.Context, projectID string, check breakwater.Check, rule string, imageID breakwater.Digest, offset, limit int) (out []RuleImage, total int, err error) {
	err = db.View(ctx, func(tx *DB) error {
		var ids []int64
		rows, err := tx.query(ctx, `SELECT DISTINCT i.id FROM image i `+imageArtifacts+` JOIN artifact_finding f ON f.artifact_id = s.id AND f.check_name = ? AND f.rule = ?
			WHERE i.project_id = ? AND (? = '' OR i.config_digest = ? OR i.digest = ? OR s.config_digest = ?) ORDER BY i.id`,
			string(check), rule, projectID, string(imageID), string(imageID), string(imageID), string(imageID))
		err = each(rows, err, func(scan func(...any) error) error {
			var id int64
			err := scan(&id)
			ids = append(ids, id)
			return err
		})
		if err != nil {
			return err
		}
		total = len(ids)
		from := min(max(offset, 0), total)
		to := total
		if limit > 0 {
			to = min(from+limit, total)
		}
		images, err := tx.scanImages(tx.query(ctx, tx.pageQuery()+` ORDER BY i.id`, projectID, jsonSet(ids[from:to])))
		if err != nil {
			return err
		}
		for _, i := range images {
			all, err := tx.Findings(ctx, i.Digest, check)
			if err != nil {
				return err
			}
			one := RuleImage{ImageRow: i}
			for _, f := range all {
				if f.Rule == rule {
					one.Findings = append(one.Findings, f)
				}
			}
			out = append(out, one)
		}
		return nil
	})
	return out, total, wrap(err, "store.RuleImages(%s, %s)", check, rule)
}

// FindImage is the first of the project's images with this image id: the digest
// of its configuration, for a multi-arch image that of its index or of one of its
// platforms' configurations, which then stands alone. NotFound when there is none.
func (db *DB) FindImage(ctx context.Context, projectID string, imageID breakwater.Digest) (row ImageRow, err error) {
	err = db.View(ctx, func(tx *DB) error {
		var id, child int64
		err := tx.queryRow(ctx, `SELECT i.id, 0 FROM image i WHERE i.project_id || '' = ? AND i.digest IN
			(SELECT CAST(? AS TEXT) UNION SELECT digest FROM artifact WHERE config_digest = ?) ORDER BY i.id LIMIT 1`,
			projectID, string(imageID), string(imageID)).Scan(&id, &child)
		if breakwater.IsNotFound(notFound(err, "image")) {
			err = tx.queryRow(ctx, `SELECT i.id, s.id FROM artifact s JOIN artifact_child c ON c.digest = s.digest AND c.image
				JOIN artifact p ON p.id = c.parent_id JOIN image i ON i.digest = p.digest AND i.project_id || '' = ?
				WHERE s.config_digest = ? ORDER BY i.id LIMIT 1`, projectID, string(imageID)).Scan(&id, &child)
		}
		if err != nil {
			return notFound(err, "image")
		}
		if child != 0 {
			id = childIDs + child
		}
		row, err = tx.Image(ctx, projectID, id)
		return err
	})
	return row, wrap(err, "store.FindImage")
}

// ImageFinding is one finding and the image that it is about.
type ImageFinding struct {
	ImageRow
	Finding breakwater.Finding
}

// RuleFindings are what one rule says of the project's images, by image, and how
// much it says in all; with a subject, only what it says of that one.
func (db *DB) RuleFindings(ctx context.Context, projectID string, check breakwater.Check, rule, subject string, offset, limit int) (out []ImageFinding, total int, err error) {
	const from = ` FROM image i ` + imageArtifacts + ` JOIN artifact_finding f ON f.artifact_id = s.id AND f.check_name = ? AND f.rule = ? WHERE i.project_id = ? AND (? = '' OR f.subject = ?)`
	err = db.View(ctx, func(tx *DB) error {
		if err := tx.queryRow(ctx, `SELECT count(*)`+from, string(check), rule, projectID, subject, subject).Scan(&total); err != nil {
			return err
		}
		var ids []int64
		rows, err := tx.query(ctx, `SELECT i.id, f.body`+from+` ORDER BY i.id, s.id, f.position LIMIT ? OFFSET ?`, string(check), rule, projectID, subject, subject, limit, offset)
		err = each(rows, err, func(scan func(...any) error) error {
			var f ImageFinding
			var body string
			if err := scan(&f.ID, &body); err != nil {
				return err
			}
			ids = append(ids, f.ID)
			out = append(out, f)
			return json.Unmarshal([]byte(body), &out[len(out)-1].Finding)
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		images, err := tx.scanImages(tx.query(ctx, tx.pageQuery(), projectID, jsonSet(ids)))
		if err != nil {
			return err
		}
		byID := map[int64]ImageRow{}
		for _, i := range images {
			byID[i.ID] = i
		}
		for n := range out {
			out[n].ImageRow = byID[out[n].ID]
		}
		return nil
	})
	return out, total, wrap(err, "store.RuleFindings(%s, %s)", check, rule)
}

// StaleFindings are artifacts whose findings other rules decided, at most limit,
// by id from after on.
func (db *DB) StaleFindings(ctx context.Context, rules string, after int64, limit int) (ids []int64, digests []breakwater.Digest, err error) {
	rows, err := db.query(ctx, `SELECT id, digest FROM artifact WHERE scanned_ms > 0 AND rules <> ? AND id > ? ORDER BY id LIMIT ?`, rules, after, limit)
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		var d breakwater.Digest
		err := scan(&id, &d)
		ids, digests = append(ids, id), append(digests, d)
		return err
	})
	return ids, digests, wrap(err, "store.StaleFindings")
}
