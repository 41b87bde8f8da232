package registry

import (
	"context"
	"time"

	"breakwater"
	"breakwater/internal/store"
)

// Entry is one tag of one repository, and what it names.
type Entry struct {
	Registry  breakwater.Registry
	Namespace string
	Name      string
	Version   string
	Artifact  breakwater.Artifact
	Children  []breakwater.Artifact // of an index: its image children
	Updated   time.Time
}

// Catalog is told of every tag in the transaction that writes it.
type Catalog interface {
	Embedded(ctx context.Context, tx *store.DB, projectID string) (breakwater.Registry, error)
	Record(ctx context.Context, tx *store.DB, e Entry) error
	Forget(ctx context.Context, tx *store.DB, r breakwater.Registry, namespace, name, version string) error
}
