package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"breakwater"
)

// PutArtifact makes a manifest or an index known, with the list of its children;
// the children's own rows are put by calls of their own, before it. What a digest
// names never changes, so a known digest is left as it is; except one that could
// not be read so far (no media type), which is completed.
func (db *DB) PutArtifact(ctx context.Context, a breakwater.Artifact) (id int64, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		id, err = tx.putArtifact(ctx, a)
		return err
	})
	return id, wrap(err, "store.PutArtifact(%s)", a.Digest)
}

func (db *DB) putArtifact(ctx context.Context, a breakwater.Artifact) (id int64, err error) {
	platform, err := json.Marshal(a.Platform)
	if err != nil {
		return 0, err
	}
	err = db.writeRow(ctx, `INSERT INTO artifact (digest, media_type, artifact_type, config_digest, size, platform, subject, scannable, created_ms)
		VALUES (`+marks(9)+`) ON CONFLICT (digest) DO UPDATE SET media_type = excluded.media_type, artifact_type = excluded.artifact_type,
			config_digest = excluded.config_digest, size = excluded.size, platform = excluded.platform, subject = excluded.subject,
			scannable = excluded.scannable, created_ms = excluded.created_ms
			WHERE artifact.media_type = '' AND excluded.media_type <> ''
		RETURNING id`,
		string(a.Digest), a.MediaType, a.ArtifactType, string(a.ConfigDigest), a.Size, string(platform), string(a.Subject), a.Scannable, ms(a.Created)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		err = db.queryRow(ctx, `SELECT id FROM artifact WHERE digest = ?`, string(a.Digest)).Scan(&id)
		return id, err
	}
	if err != nil {
		return 0, err
	}
	for n, c := range a.Children {
		platform, err := json.Marshal(c.Platform)
		if err != nil {
			return 0, err
		}
		_, err = db.exec(ctx, `INSERT INTO artifact_child (parent_id, position, digest, platform, image) VALUES (?, ?, ?, ?, ?)`,
			id, n, string(c.Digest), string(platform), c.Image)
		if err != nil {
			return 0, err
		}
	}
	if a.IsIndex() {
		return id, db.judgeIndexes(ctx, []int64{id})
	}
	return id, nil
}

const artifactColumns = `id, digest, media_type, artifact_type, config_digest, size, platform, subject, scannable, created_ms`

func scanArtifact(scan func(...any) error) (id int64, a breakwater.Artifact, err error) {
	var platform string
	var created int64
	err = scan(&id, &a.Digest, &a.MediaType, &a.ArtifactType, &a.ConfigDigest, &a.Size, &platform, &a.Subject, &a.Scannable, &created)
	if err != nil {
		return 0, a, err
	}
	a.Created = fromMS(created)
	return id, a, json.Unmarshal([]byte(platform), &a.Platform)
}

// Artifact is what a digest names, with its children; NotFound when it is not known.
func (db *DB) Artifact(ctx context.Context, d breakwater.Digest) (breakwater.Artifact, error) {
	known, err := db.KnownArtifacts(ctx, []breakwater.Digest{d})
	if err != nil {
		return breakwater.Artifact{}, err
	}
	a, ok := known[d]
	if !ok {
		return a, breakwater.NotFound("artifact")
	}
	return a, nil
}

// KnownArtifacts answers those of the digests that are known, with their children.
func (db *DB) KnownArtifacts(ctx context.Context, digests []breakwater.Digest) (known map[breakwater.Digest]breakwater.Artifact, err error) {
	known = map[breakwater.Digest]breakwater.Artifact{}
	if len(digests) == 0 {
		return known, nil
	}
	err = db.View(ctx, func(tx *DB) error {
		names := map[int64]breakwater.Digest{}
		var ids []int64
		rows, err := tx.query(ctx, `SELECT `+artifactColumns+` FROM artifact WHERE digest `+tx.inTexts(), jsonSet(digests))
		err = each(rows, err, func(scan func(...any) error) error {
			id, a, err := scanArtifact(scan)
			ids, names[id], known[a.Digest] = append(ids, id), a.Digest, a
			return err
		})
		if err != nil || len(ids) == 0 {
			return err
		}
		rows, err = tx.query(ctx, `SELECT parent_id, digest, platform, image FROM artifact_child WHERE parent_id `+tx.inIDs()+` ORDER BY parent_id, position`, jsonSet(ids))
		return each(rows, err, func(scan func(...any) error) error {
			var parent int64
			var platform string
			var c breakwater.Child
			if err := scan(&parent, &c.Digest, &platform, &c.Image); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(platform), &c.Platform); err != nil {
				return err
			}
			a := known[names[parent]]
			a.Children = append(a.Children, c)
			known[a.Digest] = a
			return nil
		})
	})
	return known, wrap(err, "store.KnownArtifacts")
}
