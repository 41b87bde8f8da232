package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"breakwater"
)

// ImageRow is an image as the list shows it.
type ImageRow struct {
	breakwater.Image
	// Children are the images of an index, in its order; none for a plain image.
	Children []ImageChild
}

// ImageChild is one platform of a multi-arch image. Its ID tells it from every
// image (see ChildID); its status and times are the project's own, its counters
// are its digest's. It carries the namespace, name and version of its index.
type ImageChild struct {
	breakwater.Image
	Platform breakwater.Platform
}

// childIDs begins the ids of children on the wire. Image ids are counted from 1
// and never reach it; 2^52 is still exact in a JavaScript number.
const childIDs = 1 << 52

// ChildID is the id of the child of an index whose artifact row is artifactID:
// DB.Image finds it, and it is no image's id.
func ChildID(artifactID int64) int64 { return childIDs + artifactID }

const imageColumns = `i.id, i.project_id, i.enterprise_project_id, i.registry_id, r.name, r.type, i.namespace, i.name, i.version,
	i.digest, i.config_digest, i.size, i.multi_arch, i.scannable, i.latest, i.updated_ms, i.synced_ms, i.scanned_ms,
	i.scan_status, i.scan_code, i.scan_detail, i.level, i.vul_num, i.unsafe_setting_num, i.malicious_file_num,
	i.instance_id, i.instance_name, i.instance_url, i.owner_domain, i.shared_status`

const imageTables = ` FROM image i JOIN registry r ON r.id = i.registry_id WHERE `

func scanImage(scan func(...any) error) (ImageRow, error) {
	var i ImageRow
	var updated, synced, scanned int64
	err := scan(&i.ID, &i.ProjectID, &i.EnterpriseProjectID, &i.RegistryID, &i.RegistryName, &i.RegistryType, &i.Namespace, &i.Name, &i.Version,
		&i.Digest, &i.ConfigDigest, &i.Size, &i.MultiArch, &i.Scannable, &i.Latest, &updated, &synced, &scanned,
		&i.ScanStatus, &i.ScanCode, &i.ScanDetail, &i.Level, &i.VulNum, &i.UnsafeSettingNum, &i.MaliciousFileNum,
		&i.InstanceID, &i.InstanceName, &i.InstanceURL, &i.OwnerDomain, &i.SharedStatus)
	i.Updated, i.Synced, i.Scanned = fromMS(updated), fromMS(synced), fromMS(scanned)
	settle(&i.Image)
	return i, err
}

// settle fills what follows from the columns. The code of the last failure is
// kept while a new scan is under way, so that stopping it can bring the failure
// back, and shown only with a status that it explains.
func settle(i *breakwater.Image) {
	i.Risky = i.VulNum > 0 || i.UnsafeSettingNum > 0 || i.MaliciousFileNum > 0
	switch i.ScanStatus {
	case breakwater.ScanNone, breakwater.ScanWaiting, breakwater.ScanRunning:
		i.ScanCode, i.ScanDetail = "", ""
	}
}

// Image is one image of the project, or one platform of a multi-arch image of
// it when id is a ChildID; NotFound when the project holds no such thing.
func (db *DB) Image(ctx context.Context, projectID string, id int64) (row ImageRow, err error) {
	err = db.View(ctx, func(tx *DB) error {
		if id >= childIDs {
			row, err = tx.imageOfChild(ctx, projectID, id)
			return err
		}
		row, err = scanImage(tx.queryRow(ctx, `SELECT `+imageColumns+imageTables+`i.id = ? AND i.project_id = ?`, id, projectID).Scan)
		if err != nil {
			return notFound(err, "image")
		}
		rows := []ImageRow{row}
		err = tx.addChildren(ctx, projectID, rows)
		row = rows[0]
		return err
	})
	return row, wrap(err, "store.Image(%d)", id)
}

// imageOfChild answers a child in the dress of the first image that holds it.
func (db *DB) imageOfChild(ctx context.Context, projectID string, id int64) (ImageRow, error) {
	row, err := scanImage(db.queryRow(ctx, `SELECT `+imageColumns+` FROM artifact a
		JOIN artifact_child c ON c.digest = a.digest AND c.image JOIN artifact p ON p.id = c.parent_id
		JOIN image i ON i.digest = p.digest AND i.project_id || '' = ? JOIN registry r ON r.id = i.registry_id
		WHERE a.id = ? ORDER BY i.id LIMIT 1`, projectID, id-childIDs).Scan)
	if err != nil {
		return row, notFound(err, "image")
	}
	rows := []ImageRow{row}
	if err := db.addChildren(ctx, projectID, rows); err != nil {
		return row, err
	}
	for _, c := range rows[0].Children {
		if c.ID == id {
			return ImageRow{Image: c.Image}, nil
		}
	}
	return row, breakwater.NotFound("image")
}

// imagesBySQL is Images by the definition of the filter, without columns in memory.
func (db *DB) imagesBySQL(ctx context.Context, projectID string, f ImageFilter, p ImagePage) (rows []ImageRow, total int, err error) {
	c := db.where(projectID, f)
	err = db.queryRow(ctx, `SELECT count(*)`+imageTables+c.text.String(), c.args...).Scan(&total)
	if err != nil {
		return nil, 0, err
	}
	offset, limit := p.bounds()
	rows, err = db.selectImages(ctx, c.text.String()+` ORDER BY `+p.orderBy()+` LIMIT ? OFFSET ?`, append(c.args, limit, offset)...)
	if err != nil {
		return nil, 0, err
	}
	return rows, total, db.addChildren(ctx, projectID, rows)
}

// pageQuery reads rows of a project by their ids. Here, and wherever ids or
// digests lead to the rows, project_id || ” keeps SQLite from taking an index on
// the project for the better way.
func (db *DB) pageQuery() string {
	return `SELECT ` + imageColumns + imageTables + `i.project_id || '' = ? AND i.id ` + db.inIDs()
}

func (db *DB) selectImages(ctx context.Context, where string, args ...any) ([]ImageRow, error) {
	return db.scanImages(db.query(ctx, `SELECT `+imageColumns+imageTables+where, args...))
}

func (db *DB) scanImages(rows *sql.Rows, err error) (out []ImageRow, _ error) {
	err = each(rows, err, func(scan func(...any) error) error {
		row, err := scanImage(scan)
		out = append(out, row)
		return err
	})
	return out, err
}

// FindImages answers up to limit images that the filter selects, by id.
func (db *DB) FindImages(ctx context.Context, projectID string, f ImageFilter, limit int) (rows []ImageRow, err error) {
	err = db.View(ctx, func(tx *DB) error {
		c := tx.where(projectID, f)
		rows, err = tx.selectImages(ctx, c.text.String()+` ORDER BY i.id LIMIT ?`, append(c.args, limit)...)
		if err != nil {
			return err
		}
		return tx.addChildren(ctx, projectID, rows)
	})
	return rows, wrap(err, "store.FindImages")
}

// SelectImageIDs answers the ids of all images that the filter selects, in order.
func (db *DB) SelectImageIDs(ctx context.Context, projectID string, f ImageFilter) (ids []int64, err error) {
	c := db.where(projectID, f)
	rows, err := db.query(ctx, `SELECT i.id`+imageTables+c.text.String()+` ORDER BY i.id`, c.args...)
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, wrap(err, "store.SelectImageIDs")
}

// childrenQuery reads the children of indexes by the digests of those.
func (db *DB) childrenQuery() string {
	return `SELECT p.digest, c.digest, c.platform, COALESCE(a.id, 0), COALESCE(a.config_digest, ''), COALESCE(a.size, 0),
		COALESCE(a.level, ''), COALESCE(a.vul_num, 0), COALESCE(a.unsafe_num, 0), COALESCE(a.malicious_num, 0), COALESCE(a.scannable, FALSE),
		COALESCE(cs.scan_status, 'unscan'), COALESCE(cs.scan_code, ''), COALESCE(cs.scan_detail, ''), COALESCE(cs.scanned_ms, 0)
		FROM artifact p JOIN artifact_child c ON c.parent_id = p.id
		LEFT JOIN artifact a ON a.digest = c.digest LEFT JOIN child_scan cs ON cs.project_id = ? AND cs.digest = c.digest
		WHERE p.digest ` + db.inTexts() + ` AND c.image ORDER BY p.digest, c.position`
}

// addChildren fills in the children of the multi-arch rows.
func (db *DB) addChildren(ctx context.Context, projectID string, images []ImageRow) error {
	parents := map[breakwater.Digest][]ImageChild{}
	var digests []breakwater.Digest
	for _, i := range images {
		if _, seen := parents[i.Digest]; i.MultiArch && !seen {
			parents[i.Digest] = nil
			digests = append(digests, i.Digest)
		}
	}
	if len(digests) == 0 {
		return nil
	}
	rows, err := db.queryList(ctx, db.childrenQuery(), projectID, jsonSet(digests))
	err = each(rows, err, func(scan func(...any) error) error {
		var parent breakwater.Digest
		var platform string
		var scanned int64
		var c ImageChild
		if err := scan(&parent, &c.Digest, &platform, &c.ID, &c.ConfigDigest, &c.Size, &c.Level, &c.VulNum, &c.UnsafeSettingNum, &c.MaliciousFileNum, &c.Scannable,
			&c.ScanStatus, &c.ScanCode, &c.ScanDetail, &scanned); err != nil {
			return err
		}
		if c.ID != 0 {
			c.ID = ChildID(c.ID)
		}
		c.Scanned = fromMS(scanned)
		if err := json.Unmarshal([]byte(platform), &c.Platform); err != nil {
			return err
		}
		parents[parent] = append(parents[parent], c)
		return nil
	})
	if err != nil {
		return err
	}
	for n := range images {
		if images[n].MultiArch {
			images[n].Children = dress(images[n].Image, parents[images[n].Digest])
		}
	}
	return nil
}

// dress gives the children the names of the image that holds them.
func dress(parent breakwater.Image, children []ImageChild) []ImageChild {
	out := make([]ImageChild, len(children))
	for n, c := range children {
		i := parent
		i.ID, i.Digest, i.ConfigDigest, i.Size, i.MultiArch, i.Scannable = c.ID, c.Digest, c.ConfigDigest, c.Size, false, c.Scannable
		i.Level, i.VulNum, i.UnsafeSettingNum, i.MaliciousFileNum = c.Level, c.VulNum, c.UnsafeSettingNum, c.MaliciousFileNum
		i.ScanStatus, i.ScanCode, i.ScanDetail, i.Scanned = c.ScanStatus, c.ScanCode, c.ScanDetail, c.Scanned
		settle(&i)
		out[n] = ImageChild{Image: i, Platform: c.Platform}
	}
	return out
}

// wrap says which operation failed, once; errors made for the user stay as they are.
func wrap(err error, format string, args ...any) error {
	var known *breakwater.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}
