package store

import (
	"context"
	"fmt"
	"slices"

	"breakwater"
)

// ManifestTexts are the manifests that these tags of a repository name, by
// digest. Together they are at most budget bytes even when every tag repeats its
// manifest: one that is larger than its even share is left out.
func (db *DB) ManifestTexts(ctx context.Context, repositoryID int64, tags []breakwater.RepositoryTag, budget int) (map[breakwater.Digest]string, error) {
	out := make(map[breakwater.Digest]string, len(tags))
	if len(tags) == 0 {
		return out, nil
	}
	share := budget / len(tags)
	for chunk := range slices.Chunk(tags, listChunk) {
		args := []any{repositoryID}
		for _, t := range chunk {
			args = append(args, string(t.Digest))
		}
		rows, err := db.query(ctx, `SELECT digest, body FROM manifest WHERE repo_id = ? AND digest IN (`+marks(len(chunk))+`) AND LENGTH(body) <= ?`, append(args, share)...)
		err = each(rows, err, func(scan func(...any) error) error {
			var d string
			var body []byte
			err := scan(&d, &body)
			out[breakwater.Digest(d)] = string(body)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("store.ManifestTexts: %w", err)
		}
	}
	return out, nil
}

// ScannedTags are the names of those tags of a repository of the embedded
// registry whose image has been scanned, as it is now, to a good end.
func (db *DB) ScannedTags(ctx context.Context, r breakwater.Repository, tags []breakwater.RepositoryTag) (map[string]bool, error) {
	out := map[string]bool{}
	for chunk := range slices.Chunk(tags, listChunk) {
		args := []any{r.ProjectID, string(breakwater.RegistrySwrPrivate), r.Namespace, r.Name}
		for _, t := range chunk {
			args = append(args, t.Name)
		}
		rows, err := db.query(ctx, `SELECT i.version FROM image i JOIN registry g ON g.id = i.registry_id
			WHERE g.project_id = ? AND g.type = ? AND i.namespace = ? AND i.name = ? AND i.scanned_ms > 0 AND i.version IN (`+marks(len(chunk))+`)`, args...)
		err = each(rows, err, func(scan func(...any) error) error {
			var version string
			err := scan(&version)
			out[version] = true
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("store.ScannedTags: %w", err)
		}
	}
	return out, nil
}
