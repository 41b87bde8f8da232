package store

import (
	"context"

	"breakwater"
)

// Base is the image that an image with these chains is built on, as far as the
// project and the operator's list know: the one with the most layers in common,
// of several the one that was known first. It is not the image itself. NotFound
// when none is known.
func (db *DB) Base(ctx context.Context, projectID string, chains []string) (b breakwater.BaseImage, err error) {
	if len(chains) < 2 {
		return b, breakwater.NotFound("base image")
	}
	set := jsonSet(chains[:len(chains)-1])
	err = db.View(ctx, func(tx *DB) error {
		var namespace, name string
		err := tx.queryRow(ctx, `SELECT s.digest, s.chain, s.layers, i.namespace, i.name, i.version FROM artifact s
			LEFT JOIN artifact_child c ON c.digest = s.digest AND c.image LEFT JOIN artifact p ON p.id = c.parent_id
			JOIN image i ON i.digest IN (s.digest, p.digest)
			WHERE s.chain `+tx.inTexts()+` AND i.project_id || '' = ?
			ORDER BY s.layers DESC, i.id LIMIT 1`, set, projectID).Scan(&b.Digest, &b.Chain, &b.Layers, &namespace, &name, &b.Version)
		if err = notFound(err, "base image"); err != nil && !breakwater.IsNotFound(err) {
			return err
		}
		b.Name = name
		if namespace != "" {
			b.Name = namespace + "/" + name
		}
		var listed breakwater.BaseImage
		err = tx.queryRow(ctx, `SELECT name, version, chain, layers FROM base_image WHERE chain `+tx.inTexts()+` ORDER BY layers DESC, added_ms, name, version LIMIT 1`,
			set).Scan(&listed.Name, &listed.Version, &listed.Chain, &listed.Layers)
		if err = notFound(err, "base image"); err != nil && !breakwater.IsNotFound(err) {
			return err
		}
		if err == nil && listed.Layers >= b.Layers {
			// The operator's name counts, also for an image that is known here.
			listed.Listed = true
			if listed.Chain == b.Chain {
				listed.Digest = b.Digest
			}
			b = listed
		}
		if b.Layers == 0 {
			return breakwater.NotFound("base image")
		}
		return nil
	})
	return b, wrap(err, "store.Base")
}

// NewestOf is the newest other tag of the repository, in the project, that holds
// a manifest with this digest or an index with it: its tag and the digest to
// compare with. NotFound when the image is the newest.
func (db *DB) NewestOf(ctx context.Context, projectID string, digest breakwater.Digest) (version string, newest breakwater.Digest, err error) {
	err = db.queryRow(ctx, `SELECT n.version, COALESCE(nc.digest, n.digest) FROM image i JOIN image n ON n.registry_id = i.registry_id AND n.namespace = i.namespace AND n.name = i.name
		LEFT JOIN artifact na ON na.digest = n.digest LEFT JOIN artifact s ON s.digest = ?
		LEFT JOIN artifact_child nc ON nc.parent_id = na.id AND nc.image AND nc.platform = s.platform
		WHERE i.project_id || '' = ? AND n.project_id || '' = ? AND n.latest AND n.digest <> i.digest
		AND i.digest IN (SELECT CAST(? AS TEXT) UNION SELECT p.digest FROM artifact_child c JOIN artifact p ON p.id = c.parent_id WHERE c.digest = ?)
		ORDER BY n.updated_ms DESC, n.id LIMIT 1`, string(digest), projectID, projectID, string(digest), string(digest)).Scan(&version, &newest)
	return version, newest, wrap(notFound(err, "newer image"), "store.NewestOf(%s)", digest)
}

// PutBase adds an image to the operator's list of base images.
func (db *DB) PutBase(ctx context.Context, b breakwater.BaseImage) error {
	if b.Name == "" || b.Chain == "" || b.Layers < 1 {
		return breakwater.Invalid("name", "a base image has a name and at least one layer")
	}
	_, err := db.exec(ctx, `INSERT INTO base_image (name, version, chain, layers, added_ms) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		b.Name, b.Version, b.Chain, b.Layers, ms(db.Now()))
	return wrap(err, "store.PutBase(%s)", b.Name)
}

// DeleteBase takes a name off the list, one version of it or (empty) all;
// NotFound when it is not there.
func (db *DB) DeleteBase(ctx context.Context, name, version string) error {
	n, err := db.affected(ctx, `DELETE FROM base_image WHERE name = ? AND (? = '' OR version = ?)`, name, version, version)
	if err == nil && n == 0 {
		err = breakwater.NotFound("base image")
	}
	return wrap(err, "store.DeleteBase(%s)", name)
}

// Bases is the operator's list, by name.
func (db *DB) Bases(ctx context.Context) (out []breakwater.BaseImage, err error) {
	rows, err := db.query(ctx, `SELECT name, version, chain, layers FROM base_image ORDER BY name, version, added_ms, chain`)
	err = each(rows, err, func(scan func(...any) error) error {
		b := breakwater.BaseImage{Listed: true}
		err := scan(&b.Name, &b.Version, &b.Chain, &b.Layers)
		out = append(out, b)
		return err
	})
	return out, wrap(err, "store.Bases")
}

// ImageBase is the base of a scanned digest in the project's eyes, with what it
// brings: which findings lie in its layers and which above, and what its newest
// tag would remove. NotFound when no base is known or the digest was not scanned.
func (db *DB) ImageBase(ctx context.Context, projectID string, digest breakwater.Digest) (b breakwater.BaseImage, err error) {
	err = db.View(ctx, func(tx *DB) error {
		inv, err := tx.Inventory(ctx, digest)
		if err != nil {
			return err
		}
		if b, err = tx.Base(ctx, projectID, breakwater.Chains(inv.Layers)); err != nil {
			return err
		}
		found, _, err := tx.ImageFindings(ctx, digest, FindingFilter{})
		if err != nil {
			return err
		}
		rules, err := tx.Findings(ctx, digest, "")
		if err != nil {
			return err
		}
		inherited := b.Split(inv, found, rules)
		if base, err := tx.Inventory(ctx, b.Digest); err == nil {
			b.OS = base.OS
		} else if !breakwater.IsNotFound(err) {
			return err
		}
		return tx.compareNewest(ctx, projectID, &b, inherited)
	})
	return b, wrap(err, "store.ImageBase(%s)", digest)
}

// compareNewest finds the newest tag of the base and counts the inherited
// vulnerabilities that it does not have; -1 when it was not scanned.
func (db *DB) compareNewest(ctx context.Context, projectID string, b *breakwater.BaseImage, inherited []breakwater.Vulnerability) error {
	version, newest, err := db.newestBase(ctx, projectID, *b)
	if breakwater.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	b.Newest, b.Removes = version, -1
	if _, err := db.Inventory(ctx, newest); breakwater.IsNotFound(err) {
		return nil // nothing can be promised
	} else if err != nil {
		return err
	}
	its, _, err := db.ImageFindings(ctx, newest, FindingFilter{})
	if err != nil {
		return err
	}
	type problem struct{ id, name string }
	still := map[problem]bool{}
	for _, v := range its {
		still[problem{v.AdvisoryID, v.Package.Name}] = true
	}
	b.Removes = 0
	for _, v := range inherited {
		if !still[problem{v.AdvisoryID, v.Package.Name}] {
			b.Removes++
		}
	}
	return nil
}

// newestBase is the newest other tag of a base: of its repository, or, of a base
// from the operator's list, the one of the same name that was added last. The
// digest is empty when no scanned image has the listed layers.
func (db *DB) newestBase(ctx context.Context, projectID string, b breakwater.BaseImage) (version string, digest breakwater.Digest, err error) {
	if !b.Listed {
		return db.NewestOf(ctx, projectID, b.Digest)
	}
	var chain string
	err = db.queryRow(ctx, `SELECT n.version, n.chain, COALESCE((SELECT min(a.digest) FROM artifact a WHERE a.chain = n.chain AND a.layers = n.layers), '')
		FROM base_image n WHERE n.name = ? ORDER BY n.added_ms DESC, n.version DESC LIMIT 1`, b.Name).Scan(&version, &chain, &digest)
	if err == nil && chain == b.Chain {
		err = breakwater.NotFound("newer base image")
	}
	return version, digest, notFound(err, "newer base image")
}
