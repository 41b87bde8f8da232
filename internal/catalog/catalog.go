package catalog

import (
	"context"
	"fmt"
	"time"

	"breakwater"
	"breakwater/internal/job"
	"breakwater/internal/store"
)

// EmbeddedName is the name of a project's own registry in lists.
const EmbeddedName = "SWR"

// Options of a catalogue.
type Options struct {
	// NoScanOnSync leaves images found in foreign registries unscanned until
	// somebody asks. Pushed images are always scanned.
	NoScanOnSync bool
	// Resolvers is how many new manifests of one page are read at once; 0: 8.
	Resolvers int
}

// Catalog records images.
type Catalog struct {
	db    *store.DB
	queue *job.Queue
	opts  Options
}

// New is a catalogue over db whose jobs go to queue.
func New(db *store.DB, queue *job.Queue, o Options) *Catalog {
	if o.Resolvers == 0 {
		o.Resolvers = 8
	}
	return &Catalog{db: db, queue: queue, opts: o}
}

// Entry is one tag of one repository, and what it names.
type Entry struct {
	Registry   breakwater.Registry
	Namespace  string
	Name       string
	Version    string
	Artifact   breakwater.Artifact
	Children   []breakwater.Artifact // of an index: its image children
	Updated    time.Time             // when the tag was pushed or moved
	Synced     time.Time             // when a sync saw it; zero for a push
	Generation int64                 // of the sync; 0 for a push
}

// Record makes an image known, or moves it to another digest, and asks for the
// scan of what is new. It runs in tx; the job appears with the row.
func (c *Catalog) Record(ctx context.Context, tx *store.DB, e Entry) error {
	before, err := tx.Artifact(ctx, e.Artifact.Digest)
	if err != nil && !breakwater.IsNotFound(err) {
		return fmt.Errorf("catalog.Record: %w", err)
	}
	// One registry's failure to give a manifest takes nothing from what another gave.
	if e.Artifact.MediaType == "" && before.MediaType != "" {
		e.Artifact = before
	}
	completed := err == nil && before.MediaType == "" && e.Artifact.MediaType != ""
	for _, child := range e.Children {
		if _, err := tx.PutArtifact(ctx, child); err != nil {
			return fmt.Errorf("catalog.Record: %w", err)
		}
	}
	if _, err := tx.PutArtifact(ctx, e.Artifact); err != nil {
		return fmt.Errorf("catalog.Record: %w", err)
	}
	put, err := tx.PutImage(ctx, e.image(), e.Generation)
	if err != nil {
		return fmt.Errorf("catalog.Record: %w", err)
	}
	if !put.Created && !put.Moved && !completed {
		return nil
	}
	if err := tx.RefreshLatest(ctx, e.Registry.ID, e.Namespace, e.Name); err != nil {
		return fmt.Errorf("catalog.Record: %w", err)
	}
	embedded := e.Registry.Type == breakwater.RegistrySwrPrivate
	if !e.Artifact.Scannable || (c.opts.NoScanOnSync && !embedded) {
		return nil
	}
	if err := tx.MarkImages(ctx, e.Registry.ProjectID, []int64{put.ID}, breakwater.ScanWaiting); err != nil {
		return fmt.Errorf("catalog.Record: %w", err)
	}
	return c.enqueueScans(ctx, tx, e.Registry.ProjectID, e.Artifact, breakwater.ScopeAll, !embedded)
}

func (e Entry) image() breakwater.Image {
	return breakwater.Image{
		ProjectID: e.Registry.ProjectID, EnterpriseProjectID: e.Registry.EnterpriseProjectID,
		RegistryID: e.Registry.ID, RegistryName: e.Registry.Name, RegistryType: e.Registry.Type,
		Namespace: e.Namespace, Name: e.Name, Version: e.Version,
		Digest: e.Artifact.Digest, ConfigDigest: e.Artifact.ConfigDigest, Size: e.Artifact.Size,
		MultiArch: e.Artifact.IsIndex(), Scannable: e.Artifact.Scannable,
		Updated: e.Updated, Synced: e.Synced, ScanStatus: breakwater.ScanNone,
	}
}

// enqueueScans asks for the scan of an artifact, or of the image children of an index.
func (c *Catalog) enqueueScans(ctx context.Context, tx *store.DB, projectID string, a breakwater.Artifact, scope breakwater.Scope, background bool) error {
	if scope == breakwater.ScopeAll {
		scope = 0 // the same job as one that nobody limited
	}
	var jobs []job.Args
	if !a.IsIndex() {
		jobs = append(jobs, job.Scan{ProjectID: projectID, Digest: a.Digest.String(), Scope: int32(scope), Background: background})
	}
	for _, child := range a.Children {
		if child.Image {
			jobs = append(jobs, job.Scan{ProjectID: projectID, Digest: child.Digest.String(), Scope: int32(scope), Background: background})
		}
	}
	return c.queue.Enqueue(ctx, tx, jobs...)
}

// Forget removes an image from the list. What was learned of its digest stays
// for the other names it may have. NotFound is no error: gone is gone.
func (c *Catalog) Forget(ctx context.Context, tx *store.DB, r breakwater.Registry, namespace, name, version string) error {
	err := tx.DeleteImage(ctx, r.ProjectID, r.ID, namespace, name, version)
	if breakwater.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("catalog.Forget: %w", err)
	}
	return tx.RefreshLatest(ctx, r.ID, namespace, name)
}

// ForgetRepository removes all images of a repository from the list, at the cost
// of one.
func (c *Catalog) ForgetRepository(ctx context.Context, tx *store.DB, r breakwater.Registry, namespace, name string) error {
	if err := tx.DeleteRepositoryImages(ctx, r.ProjectID, r.ID, namespace, name); err != nil {
		return fmt.Errorf("catalog.ForgetRepository: %w", err)
	}
	return nil
}

// Embedded is the project's own registry as a row of the registry list, made
// when it is first needed.
func (c *Catalog) Embedded(ctx context.Context, tx *store.DB, projectID string) (breakwater.Registry, error) {
	r, err := tx.EmbeddedRegistry(ctx, projectID)
	if !breakwater.IsNotFound(err) {
		return r, err
	}
	err = tx.EnsureEmbedded(ctx, breakwater.Registry{
		ID: breakwater.NewID(breakwater.PrefixRegistry), ProjectID: projectID, EnterpriseProjectID: "0", Name: EmbeddedName,
		Type: breakwater.RegistrySwrPrivate, APIVersion: "V2", ClusterID: breakwater.LocalCluster, Channel: "Swr",
		Status: breakwater.RegistrySuccess,
	})
	if err != nil {
		return r, err
	}
	return tx.EmbeddedRegistry(ctx, projectID)
}
