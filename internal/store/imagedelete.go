package store

import (
	"context"

	"breakwater"
)

// DeleteImage forgets one tag; NotFound when the project does not hold it.
func (db *DB) DeleteImage(ctx context.Context, projectID, registryID, namespace, name, version string) error {
	err := db.Tx(ctx, func(tx *DB) error {
		n, err := tx.deleteImages(ctx, true,
			`project_id = ? AND registry_id = ? AND namespace = ? AND name = ? AND version = ?`, projectID, registryID, namespace, name, version)
		if err == nil && n == 0 {
			return breakwater.NotFound("image")
		}
		return err
	})
	return wrap(err, "store.DeleteImage(%s)", registryID)
}

// DeleteUnseenImages forgets up to limit images of a registry that no sync has
// put since generation began, and answers how many; call it until that is 0.
func (db *DB) DeleteUnseenImages(ctx context.Context, registryID string, generation int64, limit int) (n int, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		n, err = tx.deleteImages(ctx, true, `registry_id = ? AND seen_generation < ? LIMIT ?`, registryID, generation, limit)
		return err
	})
	return n, wrap(err, "store.DeleteUnseenImages(%s)", registryID)
}

// DeleteRegistryImages forgets up to limit images of a registry and answers how
// many; call it until that is 0, then delete the registry.
func (db *DB) DeleteRegistryImages(ctx context.Context, registryID string, limit int) (n int, err error) {
	err = db.Tx(ctx, func(tx *DB) error {
		n, err = tx.deleteImages(ctx, false, `registry_id = ? LIMIT ?`, registryID, limit)
		return err
	})
	return n, wrap(err, "store.DeleteRegistryImages(%s)", registryID)
}

// DeleteRepositoryImages forgets every tag of a repository.
func (db *DB) DeleteRepositoryImages(ctx context.Context, projectID, registryID, namespace, name string) error {
	err := db.Tx(ctx, func(tx *DB) error {
		_, err := tx.deleteImages(ctx, false, `project_id = ? AND registry_id = ? AND namespace = ? AND name = ?`, projectID, registryID, namespace, name)
		return err
	})
	return wrap(err, "store.DeleteRepositoryImages(%s)", registryID)
}

type repository struct{ registryID, namespace, name string }

// deleteImages forgets what the condition selects, leaves tombstones for the
// list, and, if asked, finds the latest version of the repositories anew.
func (db *DB) deleteImages(ctx context.Context, latest bool, where string, args ...any) (int, error) {
	ids := map[string][]int64{} // by project
	indexes := map[string][]breakwater.Digest{}
	projects := map[string]bool{}
	repos := map[repository]bool{}
	count := 0
	rows, err := db.query(ctx, `SELECT id, project_id, registry_id, namespace, name, digest, multi_arch FROM image WHERE `+where, args...)
	err = each(rows, err, func(scan func(...any) error) error {
		var id int64
		var project string
		var repo repository
		var digest breakwater.Digest
		var multi bool
		if err := scan(&id, &project, &repo.registryID, &repo.namespace, &repo.name, &digest, &multi); err != nil {
			return err
		}
		count++
		ids[project] = append(ids[project], id)
		projects[project], repos[repo] = true, true
		if multi {
			indexes[project] = append(indexes[project], digest)
		}
		return nil
	})
	if err != nil || count == 0 {
		return 0, err
	}
	if err := db.raiseAll(ctx, projects); err != nil {
		return 0, err
	}
	for project, gone := range ids {
		if err := db.bury(ctx, project, db.revs[project], gone); err != nil {
			return 0, err
		}
		if _, err := db.exec(ctx, `DELETE FROM image WHERE project_id || '' = ? AND id `+db.inIDs(), project, jsonSet(gone)); err != nil {
			return 0, err
		}
		if len(indexes[project]) > 0 {
			if err := db.forgetChildren(ctx, project, indexes[project]); err != nil {
				return 0, err
			}
		}
	}
	for r := range repos {
		if !latest {
			break
		}
		if err := db.RefreshLatest(ctx, r.registryID, r.namespace, r.name); err != nil {
			return 0, err
		}
	}
	return count, nil
}

// forgetChildren drops how the scans of the children of these indexes stood,
// where no image of the project holds the child any more.
func (db *DB) forgetChildren(ctx context.Context, projectID string, indexes []breakwater.Digest) error {
	_, err := db.exec(ctx, `DELETE FROM child_scan WHERE project_id = ? AND digest IN (
			SELECT c.digest FROM artifact p JOIN artifact_child c ON c.parent_id = p.id WHERE p.digest `+db.inTexts()+`)
		AND NOT EXISTS (SELECT 1 FROM artifact_child c JOIN artifact p ON p.id = c.parent_id
			JOIN image i ON i.digest = p.digest AND i.project_id || '' = child_scan.project_id WHERE c.digest = child_scan.digest)`,
		projectID, jsonSet(indexes))
	return err
}
