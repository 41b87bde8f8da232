package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"breakwater"
)

// Manifest is a manifest or an index that a repository holds.
type Manifest struct {
	Digest       breakwater.Digest
	MediaType    string
	ArtifactType string
	Index        bool
	ConfigDigest breakwater.Digest // of an image
	Size         int64             // compressed bytes of what it names
	Subject      breakwater.Digest
	Annotations  map[string]string
	Body         []byte // nil in lists
	BodySize     int64
	Created      time.Time
}

// listChunk keeps statements below the databases' limits on parameters.
const listChunk = 500

// ManifestByDigest is a manifest with its body and media type.
func (db *DB) ManifestByDigest(ctx context.Context, repositoryID int64, d breakwater.Digest) (Manifest, error) {
	m := Manifest{Digest: d}
	err := db.queryRow(ctx, `SELECT media_type, body FROM manifest WHERE repo_id = ? AND digest = ?`, repositoryID, string(d)).Scan(&m.MediaType, &m.Body)
	m.BodySize = int64(len(m.Body))
	return m, notFound(err, "manifest")
}

// ManifestByTag is the manifest that a tag names, with its body and media type.
func (db *DB) ManifestByTag(ctx context.Context, repositoryID int64, tag string) (Manifest, error) {
	var m Manifest
	var digest string
	err := db.queryRow(ctx, `SELECT m.digest, m.media_type, m.body FROM tag t JOIN manifest m ON m.repo_id = t.repo_id AND m.digest = t.digest
		WHERE t.repo_id = ? AND t.name = ?`, repositoryID, tag).Scan(&digest, &m.MediaType, &m.Body)
	m.Digest, m.BodySize = breakwater.Digest(digest), int64(len(m.Body))
	return m, notFound(err, "manifest")
}

// PutManifest keeps a manifest with the blobs and children it names. Pushed
// again it changes nothing but the media type it is served as.
func (db *DB) PutManifest(ctx context.Context, repositoryID int64, m Manifest, blobs, children []breakwater.Digest) error {
	annotations, err := json.Marshal(m.Annotations)
	if err != nil {
		return fmt.Errorf("store.PutManifest: %w", err)
	}
	err = db.Tx(ctx, func(tx *DB) error {
		_, err := tx.exec(ctx, `INSERT INTO manifest (repo_id, digest, media_type, artifact_type, is_index, config_digest, size, subject, annotations, body, created_ms)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (repo_id, digest) DO UPDATE SET media_type = excluded.media_type`,
			repositoryID, string(m.Digest), m.MediaType, m.ArtifactType, m.Index, string(m.ConfigDigest), m.Size, string(m.Subject), string(annotations), m.Body, ms(tx.Now()))
		if err != nil {
			return err
		}
		if err := tx.putRefs(ctx, repositoryID, m.Digest, blobs, true); err != nil {
			return err
		}
		return tx.putRefs(ctx, repositoryID, m.Digest, children, false)
	})
	if isForeign(err) {
		return breakwater.NotFound("repository") // deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("store.PutManifest(%s): %w", m.Digest, err)
	}
	return nil
}

func (db *DB) putRefs(ctx context.Context, repositoryID int64, d breakwater.Digest, targets []breakwater.Digest, blob bool) error {
	for chunk := range slices.Chunk(targets, listChunk) {
		var args []any
		for _, t := range chunk {
			args = append(args, repositoryID, string(d), string(t), blob)
		}
		_, err := db.exec(ctx, `INSERT INTO manifest_ref (repo_id, digest, target, is_blob) VALUES `+
			strings.Repeat(`, (?, ?, ?, ?)`, len(chunk))[2:]+` ON CONFLICT (repo_id, digest, target) DO NOTHING`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// MissingManifests are those of the given digests that the repository does not hold.
func (db *DB) MissingManifests(ctx context.Context, repositoryID int64, digests []breakwater.Digest) (missing []breakwater.Digest, err error) {
	held := map[breakwater.Digest]bool{}
	for chunk := range slices.Chunk(digests, listChunk) {
		rows, err := db.query(ctx, `SELECT digest FROM manifest WHERE repo_id = ? AND digest IN (`+marks(len(chunk))+`)`, append([]any{repositoryID}, anys(chunk)...)...)
		err = each(rows, err, func(scan func(...any) error) error {
			var d string
			err := scan(&d)
			held[breakwater.Digest(d)] = true
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("store.MissingManifests: %w", err)
		}
	}
	for _, d := range digests {
		if !held[d] {
			missing = append(missing, d)
		}
	}
	return missing, nil
}

// DeleteManifest removes a manifest and the tags that name it, and answers
// those, so that the caller can forget their images in the same transaction.
func (db *DB) DeleteManifest(ctx context.Context, repositoryID int64, d breakwater.Digest) (tags []string, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		tags = nil
		rows, err := tx.query(ctx, `DELETE FROM tag WHERE repo_id = ? AND digest = ? RETURNING name`, repositoryID, string(d))
		err = each(rows, err, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			tags = append(tags, name)
			return err
		})
		if err != nil {
			return err
		}
		n, err := tx.affected(ctx, `DELETE FROM manifest WHERE repo_id = ? AND digest = ?`, repositoryID, string(d))
		if err != nil {
			return err
		}
		if n == 0 {
			return breakwater.NotFound("manifest")
		}
		return tx.TouchRepository(ctx, repositoryID)
	})
	if err != nil {
		return nil, fmt.Errorf("store.DeleteManifest(%s): %w", d, err)
	}
	return tags, nil
}

// Referrers are the manifests, without their bodies, whose subject is the given
// digest, by digest after last; artifactType narrows them when it is set.
func (db *DB) Referrers(ctx context.Context, repositoryID int64, subject breakwater.Digest, artifactType string, last breakwater.Digest, limit int) (out []Manifest, err error) {
	query := `SELECT digest, media_type, artifact_type, annotations, LENGTH(body) FROM manifest WHERE repo_id = ? AND subject = ? AND digest > ?`
	args := []any{repositoryID, string(subject), string(last)}
	if artifactType != "" {
		query, args = query+` AND artifact_type = ?`, append(args, artifactType)
	}
	rows, err := db.query(ctx, query+` ORDER BY digest LIMIT ?`, append(args, limit)...)
	err = each(rows, err, func(scan func(...any) error) error {
		m := Manifest{Subject: subject}
		var digest, annotations string
		if err := scan(&digest, &m.MediaType, &m.ArtifactType, &annotations, &m.BodySize); err != nil {
			return err
		}
		m.Digest = breakwater.Digest(digest)
		err := json.Unmarshal([]byte(annotations), &m.Annotations)
		out = append(out, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store.Referrers: %w", err)
	}
	return out, nil
}
