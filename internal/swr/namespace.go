package swr

import (
	"context"

	"breakwater"
	"breakwater/internal/door"
	"breakwater/internal/store"
)

// namespaceInfo is an organisation on the wire.
type namespaceInfo struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	CreatorName string `json:"creator_name"`
	Auth        int64  `json:"auth"`
}

func showsAs(n breakwater.Namespace, r breakwater.Role) namespaceInfo {
	return namespaceInfo{ID: n.ID, Name: n.Name, CreatorName: n.CreatorName, Auth: authOf(r)}
}

// authOf is a role in the contract's numbers: 7 manage, 3 edit, 1 read.
func authOf(r breakwater.Role) int64 {
	switch {
	case r.Allows(breakwater.RoleAdmin):
		return 7
	case r.Allows(breakwater.RoleOperator):
		return 3
	}
	return 1
}

type createNamespaceIn struct {
	Body struct {
		Namespace string `json:"namespace"`
	} `body:""`
}

func (s *server) createNamespace(ctx context.Context, in createNamespaceIn) (nothing, error) {
	c := caller(ctx)
	_, err := s.db.CreateNamespace(ctx, breakwater.Namespace{
		ProjectID: c.ProjectID, Name: in.Body.Namespace, CreatorID: c.UserID, CreatorName: c.UserName,
	})
	return nothing{}, err
}

type listNamespacesIn struct {
	Namespace string `query:"namespace"`
	Filter    string `query:"filter"`
}

type listNamespacesOut struct {
	Namespaces []namespaceInfo `json:"namespaces"`
}

// listNamespaces answers all of the project's organisations, or the one that is
// named. mode::visible adds organisations where only a repository is granted;
// rights are given by project here, so there are none to add.
func (s *server) listNamespaces(ctx context.Context, in listNamespacesIn) (listNamespacesOut, error) {
	c := caller(ctx)
	if in.Filter != "" {
		f, err := parseFilter(in.Filter, "namespace", "mode")
		if err != nil {
			return listNamespacesOut{}, err
		}
		if _, err := f.word("mode", "visible"); err != nil {
			return listNamespacesOut{}, err
		}
		in.Namespace = f["namespace"]
	}
	rows, err := s.namespaces(ctx, c.ProjectID, in.Namespace)
	if err != nil {
		return listNamespacesOut{}, err
	}
	out := listNamespacesOut{Namespaces: make([]namespaceInfo, len(rows))}
	for i, n := range rows {
		out.Namespaces[i] = showsAs(n, c.Role)
	}
	return out, nil
}

func (s *server) namespaces(ctx context.Context, projectID, name string) ([]breakwater.Namespace, error) {
	if name == "" {
		return s.db.Namespaces(ctx, projectID)
	}
	n, err := s.db.Namespace(ctx, projectID, name)
	if breakwater.IsNotFound(err) {
		return nil, nil
	}
	return []breakwater.Namespace{n}, err
}

type namespaceIn struct {
	Namespace string `path:"namespace"`
}

func (s *server) showNamespace(ctx context.Context, in namespaceIn) (namespaceInfo, error) {
	c := caller(ctx)
	n, err := s.db.Namespace(ctx, c.ProjectID, in.Namespace)
	return showsAs(n, c.Role), err
}

func (s *server) deleteNamespace(ctx context.Context, in namespaceIn) (nothing, error) {
	project := caller(ctx).ProjectID
	err := s.db.Tx(ctx, func(tx *store.DB) error {
		err := tx.DeleteNamespace(ctx, project, in.Namespace)
		if breakwater.KindOf(err) == breakwater.KindConflict {
			return &breakwater.Error{Kind: breakwater.KindConflict, Code: door.CodeNotEmpty,
				Message: "the organization still holds repositories", Err: err}
		}
		return err
	})
	return nothing{}, err
}
