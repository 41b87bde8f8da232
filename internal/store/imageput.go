package store

import (
	"context"
	"database/sql"
	"errors"

	"breakwater"
)

// PutResult is what became of an image that was put.
type PutResult struct {
	ID      int64
	Created bool // it was not known before
	Moved   bool // it was known with another digest
}

// PutImage makes an image known, or brings it up to date; it is one image by
// registry, namespace, name and version. An image that is new or has moved to
// another digest is unscanned in its project, and carries the verdict that its
// digest has if anybody scanned that already; otherwise its scan stands as it
// is. A zero Updated means the time of the last change that we saw. Generation
// is remembered for DeleteUnseenImages.
func (db *DB) PutImage(ctx context.Context, img breakwater.Image, generation int64) (res PutResult, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		res, err = tx.putImage(ctx, img, generation)
		return err
	})
	return res, wrap(err, "store.PutImage(%s)", img.Digest)
}

func (db *DB) putImage(ctx context.Context, img breakwater.Image, generation int64) (res PutResult, err error) {
	rev, err := db.raise(ctx, img.ProjectID)
	if err != nil {
		return res, err
	}
	if img.EnterpriseProjectID == "" {
		img.EnterpriseProjectID = "0"
	}
	var digest breakwater.Digest
	var updated int64
	var multi bool
	err = db.queryRow(ctx, `SELECT id, digest, updated_ms, multi_arch FROM image WHERE registry_id = ? AND namespace = ? AND name = ? AND version = ? AND project_id = ?`,
		img.RegistryID, img.Namespace, img.Name, img.Version, img.ProjectID).Scan(&res.ID, &digest, &updated, &multi)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		res.Created = true
	case err != nil:
		return res, err
	default:
		res.Moved = digest != img.Digest
	}
	switch {
	case !img.Updated.IsZero():
		updated = ms(img.Updated)
	case res.Created || res.Moved:
		updated = ms(db.Now())
	}
	if res.Created {
		res.ID, err = db.insertImage(ctx, img, updated, generation, rev)
		return res, err
	}
	if err := db.updateImage(ctx, res.ID, img, updated, generation, rev); err != nil {
		return res, err
	}
	if res.Moved {
		return res, db.resetImage(ctx, img, res.ID, digest, multi)
	}
	return res, nil
}

func (db *DB) insertImage(ctx context.Context, i breakwater.Image, updated, generation, rev int64) (id int64, err error) {
	v, err := db.verdictOf(ctx, i.Digest)
	if err != nil {
		return 0, err
	}
	err = db.writeRow(ctx, `INSERT INTO image (project_id, enterprise_project_id, registry_id, namespace, name, version, digest, config_digest,
		size, multi_arch, scannable, updated_ms, synced_ms, level, vul_num, unsafe_setting_num, malicious_file_num, instance_id, instance_name, instance_url,
		owner_domain, shared_status, seen_generation, rev) VALUES (`+marks(24)+`) RETURNING id`,
		i.ProjectID, i.EnterpriseProjectID, i.RegistryID, i.Namespace, i.Name, i.Version, string(i.Digest), string(i.ConfigDigest),
		i.Size, i.MultiArch, i.Scannable, updated, ms(i.Synced), v.level, v.vul, v.unsafe, v.malicious, i.InstanceID, i.InstanceName, i.InstanceURL,
		i.OwnerDomain, i.SharedStatus, generation, rev).Scan(&id)
	return id, err
}

func (db *DB) updateImage(ctx context.Context, id int64, i breakwater.Image, updated, generation, rev int64) error {
	_, err := db.exec(ctx, `UPDATE image SET enterprise_project_id = ?, digest = ?, config_digest = ?, size = ?, multi_arch = ?, scannable = ?,
		updated_ms = ?, synced_ms = ?, instance_id = ?, instance_name = ?, instance_url = ?, owner_domain = ?, shared_status = ?,
		seen_generation = ?, rev = ? WHERE id = ? AND project_id = ?`,
		i.EnterpriseProjectID, string(i.Digest), string(i.ConfigDigest), i.Size, i.MultiArch, i.Scannable,
		updated, ms(i.Synced), i.InstanceID, i.InstanceName, i.InstanceURL, i.OwnerDomain, i.SharedStatus,
		generation, rev, id, i.ProjectID)
	return err
}

// resetImage forgets the scan of the digest that the image held before.
func (db *DB) resetImage(ctx context.Context, img breakwater.Image, id int64, before breakwater.Digest, multiArch bool) error {
	v, err := db.verdictOf(ctx, img.Digest)
	if err != nil {
		return err
	}
	_, err = db.exec(ctx, `UPDATE image SET scan_status = 'unscan', scan_code = '', scan_detail = '', scanned_ms = 0,
		level = ?, vul_num = ?, unsafe_setting_num = ?, malicious_file_num = ? WHERE id = ? AND project_id = ?`,
		v.level, v.vul, v.unsafe, v.malicious, id, img.ProjectID)
	if err != nil || !multiArch {
		return err
	}
	return db.forgetChildren(ctx, img.ProjectID, []breakwater.Digest{before})
}

// verdict is what an artifact says of itself in the image list.
type verdict struct {
	level                  string
	vul, unsafe, malicious int64
}

// verdictOf is what is known of a digest already, whoever scanned it. On PostgreSQL
// the artifact is held until the image that gets it is there: a judgement that is
// under way ends first, and a later one finds the image.
func (db *DB) verdictOf(ctx context.Context, d breakwater.Digest) (v verdict, err error) {
	query := `SELECT level, vul_num, unsafe_num, malicious_num FROM artifact WHERE digest = ?`
	if db.dialect == PostgreSQL {
		query += ` FOR SHARE`
	}
	err = db.queryRow(ctx, query, string(d)).Scan(&v.level, &v.vul, &v.unsafe, &v.malicious)
	if errors.Is(err, sql.ErrNoRows) {
		return verdict{}, nil
	}
	return v, err
}

// RefreshLatest marks the newest updated tag of a repository as its latest
// version, and only that one; of tags updated together the greatest by bytes.
func (db *DB) RefreshLatest(ctx context.Context, registryID, namespace, name string) error {
	err := db.Tx(ctx, func(tx *DB) error {
		var project, version string
		var id, newest, latest int64
		n := 0
		rows, err := tx.query(ctx, `SELECT id, project_id, version, updated_ms, latest FROM image WHERE registry_id = ? AND namespace = ? AND name = ?`,
			registryID, namespace, name)
		err = each(rows, err, func(scan func(...any) error) error {
			var i, updated int64
			var v string
			var is bool
			if err := scan(&i, &project, &v, &updated, &is); err != nil {
				return err
			}
			if is {
				latest, n = i, n+1
			}
			if id == 0 || updated > newest || updated == newest && v > version {
				id, version, newest = i, v, updated
			}
			return nil
		})
		if err != nil || id == 0 || n == 1 && latest == id {
			return err
		}
		rev, err := tx.raise(ctx, project)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `UPDATE image SET latest = (id = ?), rev = ? WHERE registry_id = ? AND namespace = ? AND name = ? AND latest <> (id = ?)`,
			id, rev, registryID, namespace, name, id)
		return err
	})
	return wrap(err, "store.RefreshLatest(%s)", registryID)
}
