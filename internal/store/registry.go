package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"breakwater"
)

const registryColumns = `id, project_id, enterprise_project_id, name, type, api_version, protocol, addr, username, namespace,
	cluster_id, channel, repositories, status, fail_reason, fail_detail, images_num, latest_sync_ms, created_ms, updated_ms`

func scanRegistry(scan func(...any) error) (r breakwater.Registry, err error) {
	var repositories string
	var synced, created, updated int64
	err = scan(&r.ID, &r.ProjectID, &r.EnterpriseProjectID, &r.Name, &r.Type, &r.APIVersion, &r.Protocol, &r.Addr, &r.Username,
		&r.Namespace, &r.ClusterID, &r.Channel, &repositories, &r.Status, &r.FailReason, &r.FailDetail, &r.ImagesNum, &synced, &created, &updated)
	if err != nil {
		return r, err
	}
	r.LatestSync, r.Created, r.Updated = fromMS(synced), fromMS(created), fromMS(updated)
	return r, json.Unmarshal([]byte(repositories), &r.Repositories)
}

// PutRegistry adds a registry; Conflict when the project has one of that name.
func (db *DB) PutRegistry(ctx context.Context, r breakwater.Registry) error {
	return db.putRegistry(ctx, r, "")
}

// EnsureEmbedded adds the project's own registry unless somebody was faster.
func (db *DB) EnsureEmbedded(ctx context.Context, r breakwater.Registry) error {
	return db.putRegistry(ctx, r, ` ON CONFLICT (project_id, name) DO NOTHING`)
}

func (db *DB) putRegistry(ctx context.Context, r breakwater.Registry, clash string) error {
	now := ms(db.Now())
	_, err := db.exec(ctx, `INSERT INTO registry (`+registryColumns+`) VALUES (`+marks(20)+`)`+clash,
		r.ID, r.ProjectID, r.EnterpriseProjectID, r.Name, r.Type, r.APIVersion, r.Protocol, r.Addr, r.Username, r.Namespace,
		r.ClusterID, r.Channel, list(r.Repositories), r.Status, r.FailReason, r.FailDetail, 0, ms(r.LatestSync), now, now)
	if isUnique(err) {
		return breakwater.Errorf(breakwater.KindConflict, "a registry of this name exists already")
	}
	if err != nil {
		return fmt.Errorf("store.PutRegistry(%s): %w", r.ID, err)
	}
	return nil
}

func list(in []string) string {
	if in == nil {
		in = []string{}
	}
	b, _ := json.Marshal(in) // a []string always marshals
	return string(b)
}

// UpdateRegistry writes everything of a registry that a user may change.
func (db *DB) UpdateRegistry(ctx context.Context, r breakwater.Registry) error {
	n, err := db.affected(ctx, `UPDATE registry SET api_version = ?, protocol = ?, addr = ?, username = ?, namespace = ?, cluster_id = ?,
		channel = ?, repositories = ?, status = ?, fail_reason = ?, fail_detail = ?, updated_ms = ? WHERE project_id = ? AND id = ?`,
		r.APIVersion, r.Protocol, r.Addr, r.Username, r.Namespace, r.ClusterID, r.Channel, list(r.Repositories),
		r.Status, r.FailReason, r.FailDetail, ms(db.Now()), r.ProjectID, r.ID)
	if err == nil && n == 0 {
		return breakwater.NotFound("registry")
	}
	if err != nil {
		return fmt.Errorf("store.UpdateRegistry(%s): %w", r.ID, err)
	}
	return nil
}

// Registry is one registry of a project.
func (db *DB) Registry(ctx context.Context, projectID, id string) (breakwater.Registry, error) {
	r, err := scanRegistry(db.queryRow(ctx, `SELECT `+registryColumns+` FROM registry WHERE project_id = ? AND id = ?`, projectID, id).Scan)
	return r, notFound(err, "registry")
}

// RegistryByID is a registry of any project: for workers, never for doors.
func (db *DB) RegistryByID(ctx context.Context, id string) (breakwater.Registry, error) {
	r, err := scanRegistry(db.queryRow(ctx, `SELECT `+registryColumns+` FROM registry WHERE id = ?`, id).Scan)
	return r, notFound(err, "registry")
}

// EmbeddedRegistry is the project's row of Breakwater's own registry.
func (db *DB) EmbeddedRegistry(ctx context.Context, projectID string) (breakwater.Registry, error) {
	r, err := scanRegistry(db.queryRow(ctx, `SELECT `+registryColumns+` FROM registry WHERE project_id = ? AND type = ? ORDER BY created_ms, id LIMIT 1`,
		projectID, breakwater.RegistrySwrPrivate).Scan)
	return r, notFound(err, "registry")
}

// RegistryFilter narrows Registries; zero fields do not.
type RegistryFilter struct {
	EnterpriseProjectID string // "all_granted_eps": every one
	ID                  string
	Name                string
	Addr                string
	Types               []breakwater.RegistryType
	Status              breakwater.RegistryStatus
	Offset              int
	Limit               int // 0: all
}

// Registries is a page of a project's registries, oldest first, and how many there are.
func (db *DB) Registries(ctx context.Context, projectID string, f RegistryFilter) (page []breakwater.Registry, total int, err error) {
	where, args := []string{`project_id = ?`}, []any{projectID}
	add := func(on bool, clause string, arg ...any) {
		if on {
			where, args = append(where, clause), append(args, arg...)
		}
	}
	add(f.EnterpriseProjectID != "" && f.EnterpriseProjectID != "all_granted_eps", `enterprise_project_id = ?`, f.EnterpriseProjectID)
	add(f.ID != "", `id = ?`, f.ID)
	add(f.Name != "", `name = ?`, f.Name)
	add(f.Addr != "", `addr = ?`, f.Addr)
	add(f.Status != "", `status = ?`, f.Status)
	add(len(f.Types) > 0, `type IN (`+marks(len(f.Types))+`)`, anys(f.Types)...)
	from := ` FROM registry WHERE ` + strings.Join(where, ` AND `)
	if err := db.queryRow(ctx, `SELECT count(*)`+from, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("store.Registries: %w", err)
	}
	if f.Limit == 0 {
		f.Limit = total + 1
	}
	rows, err := db.query(ctx, `SELECT `+registryColumns+from+` ORDER BY created_ms, id LIMIT ? OFFSET ?`, append(args, f.Limit, f.Offset)...)
	err = each(rows, err, func(scan func(...any) error) error {
		r, err := scanRegistry(scan)
		page = append(page, r)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("store.Registries: %w", err)
	}
	return page, total, nil
}

// DeleteRegistry removes a registry's row; its images must be gone.
func (db *DB) DeleteRegistry(ctx context.Context, projectID, id string) error {
	n, err := db.affected(ctx, `DELETE FROM registry WHERE project_id = ? AND id = ?`, projectID, id)
	if err == nil && n == 0 {
		return breakwater.NotFound("registry")
	}
	if err != nil {
		return fmt.Errorf("store.DeleteRegistry(%s): %w", id, err)
	}
	return nil
}

// SetRegistryStatus records what a probe or a sync found.
func (db *DB) SetRegistryStatus(ctx context.Context, id string, status breakwater.RegistryStatus, reason, detail string) error {
	_, err := db.exec(ctx, `UPDATE registry SET status = ?, fail_reason = ?, fail_detail = ? WHERE id = ?`, status, reason, detail, id)
	if err != nil {
		return fmt.Errorf("store.SetRegistryStatus(%s): %w", id, err)
	}
	return nil
}

// SyncPoint is how far a sync has come.
type SyncPoint struct {
	Generation int64
	Cursor     string
}

// BeginSync continues the sync under way, or begins the next generation.
func (db *DB) BeginSync(ctx context.Context, registryID string) (p SyncPoint, err error) {
	err = db.writeRow(ctx, `UPDATE registry SET sync_generation = CASE WHEN sync_running THEN sync_generation ELSE sync_generation + 1 END,
		sync_cursor = CASE WHEN sync_running THEN sync_cursor ELSE '' END, sync_running = TRUE
		WHERE id = ? RETURNING sync_generation, sync_cursor`, registryID).Scan(&p.Generation, &p.Cursor)
	return p, notFound(err, "registry")
}

// SaveSync keeps the cursor with the page it covers. NotFound when the registry
// was deleted or changed meanwhile: that sync is over.
func (db *DB) SaveSync(ctx context.Context, registryID string, p SyncPoint) error {
	n, err := db.affected(ctx, `UPDATE registry SET sync_cursor = ? WHERE id = ? AND sync_generation = ? AND sync_running`, p.Cursor, registryID, p.Generation)
	if err == nil && n == 0 {
		return breakwater.NotFound("sync")
	}
	return err
}

// EndSync ends a sync that saw everything.
func (db *DB) EndSync(ctx context.Context, registryID string, generation int64) error {
	n, err := db.affected(ctx, `UPDATE registry SET sync_running = FALSE, sync_cursor = '', latest_sync_ms = ?,
		images_num = (SELECT count(*) FROM image WHERE registry_id = registry.id)
		WHERE id = ? AND sync_generation = ? AND sync_running`, ms(db.Now()), registryID, generation)
	if err == nil && n == 0 {
		return breakwater.NotFound("sync")
	}
	return err
}

// DropSync forgets a sync under way, so that the next begins from the start.
func (db *DB) DropSync(ctx context.Context, registryID string) error {
	_, err := db.exec(ctx, `UPDATE registry SET sync_running = FALSE, sync_cursor = '' WHERE id = ?`, registryID)
	return err
}

// CountRegistryImages brings images_num of the embedded registry up to date.
func (db *DB) CountRegistryImages(ctx context.Context, registryID string, synced time.Time) error {
	_, err := db.exec(ctx, `UPDATE registry SET latest_sync_ms = ?, images_num = (SELECT count(*) FROM image WHERE registry_id = registry.id) WHERE id = ?`,
		ms(synced), registryID)
	return err
}

// StaleRegistries are the foreign registries whose last whole sync ended before
// synced, and for which no sync task began since tried.
func (db *DB) StaleRegistries(ctx context.Context, synced, tried time.Time) (out []breakwater.Registry, err error) {
	rows, err := db.query(ctx, `SELECT `+registryColumns+` FROM registry WHERE latest_sync_ms < ? AND type IN (?, ?, ?)
		AND NOT EXISTS (SELECT 1 FROM sync_task_registry s JOIN sync_task t ON t.id = s.task_id WHERE s.registry_id = registry.id AND t.begin_ms > ?)
		ORDER BY project_id, id`, ms(synced), breakwater.RegistryHarbor, breakwater.RegistryJfrog, breakwater.RegistryOther, ms(tried))
	err = each(rows, err, func(scan func(...any) error) error {
		r, err := scanRegistry(scan)
		out = append(out, r)
		return err
	})
	return out, err
}
