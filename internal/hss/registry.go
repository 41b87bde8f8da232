package hss

import (
	"context"
	"fmt"
	"slices"

	"breakwater"
	"breakwater/internal/catalog"
	"breakwater/internal/store"
)

type listRegistryIn struct {
	EnterpriseProject string `query:"enterprise_project_id"`
	Offset            int    `query:"offset"`
	Limit             int    `query:"limit"`
	Name              string `query:"registry_name"`
	ID                string `query:"registry_id"`
	Types             string `query:"registry_type"`
	Addr              string `query:"registry_addr"`
	Status            string `query:"status"`
}

type listRegistryOut struct {
	List  []registryInfo `json:"data_list"`
	Total int            `json:"total_num"`
}

// listRegistry shows the project's own registry among the foreign ones.
func (s *Server) listRegistry(ctx context.Context, in listRegistryIn) (out listRegistryOut, err error) {
	if _, err := s.embedded(ctx); err != nil {
		return out, err
	}
	rows, total, err := s.db.Registries(ctx, project(ctx), store.RegistryFilter{
		EnterpriseProjectID: in.EnterpriseProject, ID: in.ID, Name: in.Name, Addr: in.Addr, Types: registryTypes(in.Types),
		Status: breakwater.RegistryStatus(in.Status), Offset: in.Offset, Limit: in.Limit,
	})
	if err != nil {
		return out, err
	}
	out = listRegistryOut{List: make([]registryInfo, 0, len(rows)), Total: total}
	for _, r := range rows {
		if r.Type == breakwater.RegistrySwrPrivate {
			if r.ImagesNum, err = s.countImages(ctx, r); err != nil {
				return out, err
			}
		}
		out.List = append(out.List, s.registryInfo(r))
	}
	return out, nil
}

// countImages is how many images the embedded registry holds now; its row says
// so only as of the last synchronisation.
func (s *Server) countImages(ctx context.Context, r breakwater.Registry) (int64, error) {
	_, total, err := s.db.Images(ctx, r.ProjectID, store.ImageFilter{RegistryID: r.ID}, store.ImagePage{Limit: 1})
	return int64(total), err
}

// embedded is the project's own registry, made when it is first needed.
func (s *Server) embedded(ctx context.Context) (r breakwater.Registry, err error) {
	if r, err = s.db.EmbeddedRegistry(ctx, project(ctx)); !breakwater.IsNotFound(err) {
		return r, err
	}
	err = s.db.Tx(ctx, func(tx *store.DB) error {
		r, err = s.catalog.Embedded(ctx, tx, project(ctx))
		return err
	})
	return r, err
}

type addRegistryIn struct {
	EnterpriseProject string          `query:"enterprise_project_id"`
	Body              addRegistryBody `body:""`
}

type addRegistryBody struct {
	Name         string   `json:"registry_name"`
	Type         string   `json:"registry_type"`
	APIVersion   string   `json:"api_version"`
	Protocol     string   `json:"protocol"`
	Addr         string   `json:"registry_addr"`
	Username     string   `json:"registry_username"`
	Password     string   `json:"registry_password"`
	Namespace    string   `json:"namespace"`
	ClusterID    string   `json:"connect_cluster_id"`
	Channel      string   `json:"get_scan_image_channel"`
	Repositories []string `json:"repositories"`
}

// addRegistry keeps the password first: from the moment the row is there, its
// probe may ask for it.
func (s *Server) addRegistry(ctx context.Context, in addRegistryIn) (struct{}, error) {
	r, err := newRegistry(project(ctx), in)
	if err != nil {
		return struct{}{}, err
	}
	if err := s.keys.Put(ctx, r.ID, in.Body.Password); err != nil {
		return struct{}{}, fmt.Errorf("hss.AddRegistry: %w", err)
	}
	err = s.catalog.AddRegistry(ctx, r)
	if breakwater.KindOf(err) == breakwater.KindConflict {
		// The row is certainly not there. After any other failure it may be,
		// and a later sweep decides.
		_ = s.keys.Delete(context.WithoutCancel(ctx), r.ID)
	}
	return struct{}{}, err
}

type updateRegistryIn struct {
	ID   string             `path:"id"`
	Body updateRegistryBody `body:""`

	_ struct{} `ignore:"enterprise_project_id"`
}

type updateRegistryBody struct {
	APIVersion   *string   `json:"api_version"`
	Protocol     *string   `json:"protocol"`
	Addr         *string   `json:"registry_addr"`
	Username     *string   `json:"registry_username"`
	Password     *string   `json:"registry_password"`
	Namespace    *string   `json:"namespace"`
	ClusterID    *string   `json:"connect_cluster_id"`
	Channel      *string   `json:"get_scan_image_channel"`
	Repositories *[]string `json:"repositories"`
}

// updateRegistry changes what the body names and probes the registry anew.
func (s *Server) updateRegistry(ctx context.Context, in updateRegistryIn) (struct{}, error) {
	r, err := s.db.Registry(ctx, project(ctx), in.ID)
	if err != nil {
		return struct{}{}, err
	}
	if r.Type == breakwater.RegistrySwrPrivate {
		return struct{}{}, breakwater.Errorf(breakwater.KindConflict, "Breakwater's own registry cannot be changed")
	}
	if r, err = in.Body.apply(r); err != nil {
		return struct{}{}, err
	}
	restore, err := s.changePassword(ctx, r.ID, in.Body.Password)
	if err != nil {
		return struct{}{}, fmt.Errorf("hss.UpdateRegistry: %w", err)
	}
	if err := s.catalog.ChangeRegistry(ctx, r); err != nil {
		restore()
		return struct{}{}, err
	}
	return struct{}{}, nil
}

type deleteRegistryIn struct {
	ID string `path:"id"`

	_ struct{} `ignore:"enterprise_project_id"`
}

func (s *Server) deleteRegistry(ctx context.Context, in deleteRegistryIn) (struct{}, error) {
	return struct{}{}, s.removeRegistries(ctx, []string{in.ID})
}

type batchDeleteRegistryIn struct {
	Body struct {
		IDs []string `json:"ids"`
	} `body:""`

	_ struct{} `ignore:"enterprise_project_id"`
}

// batchDeleteRegistry removes all of the registries or, when one of them cannot
// be removed, none.
func (s *Server) batchDeleteRegistry(ctx context.Context, in batchDeleteRegistryIn) (struct{}, error) {
	ids := in.Body.IDs
	if len(ids) == 0 || len(ids) > maxBatch {
		return struct{}{}, breakwater.Invalid("ids", "must have 1 to %d elements", maxBatch)
	}
	for i, id := range ids {
		_, err := s.db.Registry(ctx, project(ctx), id)
		if err != nil {
			return struct{}{}, at(err, "ids[%d]", i)
		}
	}
	slices.Sort(ids)
	return struct{}{}, s.removeRegistries(ctx, slices.Compact(ids))
}

func (s *Server) removeRegistries(ctx context.Context, ids []string) error {
	if err := s.catalog.RemoveRegistries(ctx, project(ctx), ids); err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.keys.Delete(context.WithoutCancel(ctx), id); err != nil {
			return fmt.Errorf("hss.DeleteRegistry(%s): %w", id, err)
		}
	}
	return nil
}

// newRegistry is the registry that a request describes, checked beyond its schema.
func newRegistry(projectID string, in addRegistryIn) (breakwater.Registry, error) {
	b := in.Body
	r := breakwater.Registry{
		ID: breakwater.NewID(breakwater.PrefixRegistry), ProjectID: projectID, EnterpriseProjectID: in.EnterpriseProject,
		Name: b.Name, Type: breakwater.RegistryType(b.Type), APIVersion: b.APIVersion, Protocol: b.Protocol, Addr: b.Addr,
		Username: b.Username, Namespace: b.Namespace, ClusterID: b.ClusterID, Channel: b.Channel, Repositories: b.Repositories,
	}
	if r.EnterpriseProjectID == store.AllEnterpriseProjects {
		r.EnterpriseProjectID = "0" // a registry has one label; without a choice it is the default one
	}
	if r.Name == catalog.EmbeddedName {
		return r, breakwater.Errorf(breakwater.KindConflict, "this name belongs to Breakwater's own registry")
	}
	if err := plain("registry_name", r.Name); err != nil {
		return r, err
	}
	return checkRegistry(r)
}
