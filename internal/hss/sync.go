package hss

import (
	"context"

	"breakwater"
	"breakwater/internal/store"
)

type createImageSynchronizeTaskIn struct {
	EnterpriseProject string `query:"enterprise_project_id"`
	Body              struct {
		All        bool           `json:"sync_all_registries"`
		Registries []syncRegistry `json:"registry_info"`
	} `body:""`
}

type syncRegistry struct {
	ID   string `json:"registry_id"`
	Type string `json:"registry_type"`
}

// createImageSynchronizeTask synchronises every registry, or those that are
// named: by id, or by type alone for all of that type.
func (s *Server) createImageSynchronizeTask(ctx context.Context, in createImageSynchronizeTaskIn) (struct{}, error) {
	own, err := s.embedded(ctx)
	if err != nil {
		return struct{}{}, err
	}
	var registries []breakwater.Registry
	if in.Body.All {
		registries, _, err = s.db.Registries(ctx, own.ProjectID, store.RegistryFilter{EnterpriseProjectID: in.EnterpriseProject})
	} else {
		registries, err = s.namedRegistries(ctx, in.Body.Registries)
	}
	if err != nil {
		return struct{}{}, err
	}
	if len(registries) == 0 {
		return struct{}{}, breakwater.Invalid("enterprise_project_id", "has no registry to synchronise")
	}
	_, err = s.catalog.StartSync(ctx, own.ProjectID, breakwater.TaskManualSync, registries)
	return struct{}{}, err
}

// namedRegistries finds each of the list, or says which one is not there.
func (s *Server) namedRegistries(ctx context.Context, named []syncRegistry) (out []breakwater.Registry, err error) {
	if len(named) == 0 || len(named) > maxBatch {
		return nil, breakwater.Invalid("registry_info", "must have 1 to %d elements when sync_all_registries is false", maxBatch)
	}
	seen := map[string]bool{}
	for i, n := range named {
		if n.ID == "" && n.Type == "" {
			return nil, breakwater.Invalid("registry_info", "element %d names neither registry_id nor registry_type", i)
		}
		found, _, err := s.db.Registries(ctx, project(ctx), store.RegistryFilter{ID: n.ID, Types: registryTypes(n.Type)})
		if err == nil && len(found) == 0 {
			err = breakwater.NotFound("registry")
		}
		if err != nil {
			return nil, at(err, "registry_info[%d]", i)
		}
		for _, r := range found {
			if !seen[r.ID] {
				seen[r.ID] = true
				out = append(out, r)
			}
		}
	}
	return out, nil
}

type listAssociateRegistriesIn struct {
	TaskID string `path:"task_id"`
	Name   string `query:"registry_name"`
	Types  string `query:"registry_type"`
	Offset int    `query:"offset"`
	Limit  int    `query:"limit"`
	Status string `query:"sync_status"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listAssociateRegistriesOut struct {
	List  []associateRegistry `json:"data_list"`
	Total int                 `json:"total_num"`
}

type associateRegistry struct {
	ID     string `json:"registry_id"`
	Name   string `json:"registry_name"`
	Type   string `json:"registry_type"`
	Status string `json:"sync_status"`
	Reason string `json:"failed_reason,omitempty"`
}

func (s *Server) listAssociateRegistries(ctx context.Context, in listAssociateRegistriesIn) (out listAssociateRegistriesOut, err error) {
	rows, total, err := s.db.SyncRegistries(ctx, project(ctx), in.TaskID, store.SyncRegistryFilter{
		Name: in.Name, Types: registryTypes(in.Types), Status: breakwater.SyncStatus(in.Status), Offset: in.Offset, Limit: in.Limit,
	})
	if err != nil {
		return out, err
	}
	out = listAssociateRegistriesOut{List: make([]associateRegistry, 0, len(rows)), Total: total}
	for _, r := range rows {
		out.List = append(out.List, associateRegistry{ID: r.RegistryID, Name: r.RegistryName, Type: string(r.RegistryType), Status: string(r.Status), Reason: r.FailedReason})
	}
	return out, nil
}

type runImageSynchronizeIn struct {
	EnterpriseProject string `query:"enterprise_project_id"`
	Body              struct {
		ImageType string `json:"image_type"`
	} `body:""`
}

type runImageSynchronizeOut struct {
	Code        int    `json:"error_code"`
	Description string `json:"error_description"`
}

// runImageSynchronize is the older form: it names a sort of images. The
// embedded registry is always in step, so its synchronisation ends at once.
func (s *Server) runImageSynchronize(ctx context.Context, in runImageSynchronizeIn) (out runImageSynchronizeOut, err error) {
	if _, err := s.embedded(ctx); err != nil {
		return out, err
	}
	kind := breakwater.RegistrySwrPrivate
	if breakwater.ImageType(in.Body.ImageType) == breakwater.ImageShared {
		kind = breakwater.RegistrySwrShared
	}
	registries, _, err := s.db.Registries(ctx, project(ctx), store.RegistryFilter{EnterpriseProjectID: in.EnterpriseProject, Types: []breakwater.RegistryType{kind}})
	if err != nil {
		return out, err
	}
	if len(registries) == 0 {
		return runImageSynchronizeOut{Description: "There is no registry of this sort; nothing was synchronised."}, nil
	}
	_, err = s.catalog.StartSync(ctx, project(ctx), breakwater.TaskManualSync, registries)
	return out, err
}
