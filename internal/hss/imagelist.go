package hss

import (
	"context"

	"breakwater"
	"breakwater/internal/store"
)

type listRegistryImagesIn struct {
	EnterpriseProject string `query:"enterprise_project_id"`
	Namespace         string `query:"namespace"`
	Name              string `query:"image_name"`
	Version           string `query:"image_version"`
	RegistryName      string `query:"registry_name"`
	Offset            int    `query:"offset"`
	ImageType         string `query:"image_type"`
	SortKey           string `query:"sort_key"`
	SortDir           string `query:"sort_dir"`
	Limit             int    `query:"limit"`
	Latest            bool   `query:"latest_version"`
	Size              *int64 `query:"image_size"`
	ScanStatus        string `query:"scan_status"`
	UpdateFrom        *int64 `query:"start_latest_update_time"`
	UpdateTo          *int64 `query:"end_latest_update_time"`
	ScanFrom          *int64 `query:"start_latest_scan_time"`
	ScanTo            *int64 `query:"end_latest_scan_time"`
	SyncFrom          *int64 `query:"start_latest_sync_time"`
	SyncTo            *int64 `query:"end_latest_sync_time"`
	HasMalicious      *bool  `query:"has_malicious_file"`
	HasUnsafe         *bool  `query:"has_unsafe_setting"`
	HasVul            *bool  `query:"has_vul"`
	Risky             *bool  `query:"risky"`
	InstanceID        string `query:"instance_id"`
	InstanceName      string `query:"instance_name"`
	MultiArch         *bool  `query:"is_multarch"`
	Severity          string `query:"severity_level"`
}

type listRegistryImagesOut struct {
	Total int         `json:"total_num"`
	List  []imageInfo `json:"data_list"`
}

func (s *Server) listRegistryImages(ctx context.Context, in listRegistryImagesIn) (out listRegistryImagesOut, err error) {
	page := store.ImagePage{Offset: in.Offset, Limit: in.Limit, SortScanned: in.SortKey == "latest_scan_time", Desc: in.SortDir == "desc"}
	rows, total, err := s.db.Images(ctx, project(ctx), in.filter(), page)
	if err != nil {
		return out, err
	}
	out = listRegistryImagesOut{Total: total, List: make([]imageInfo, 0, len(rows))}
	for _, r := range rows {
		out.List = append(out.List, newImageInfo(r))
	}
	return out, nil
}

// filter is the request's conditions. latest_version=false does not narrow the
// list (false is its default); the other flags select either side.
func (in listRegistryImagesIn) filter() store.ImageFilter {
	f := store.ImageFilter{
		EnterpriseProjectID: in.EnterpriseProject, Namespace: in.Namespace, Name: in.Name, Version: in.Version,
		RegistryName: in.RegistryName, InstanceID: in.InstanceID, InstanceName: in.InstanceName,
		Type: breakwater.ImageType(in.ImageType), ScanStatus: breakwater.ScanStatus(in.ScanStatus), Level: breakwater.Level(in.Severity),
		MultiArch: in.MultiArch, HasMalicious: in.HasMalicious, HasUnsafe: in.HasUnsafe, HasVul: in.HasVul, Risky: in.Risky, Size: in.Size,
		UpdatedFrom: in.UpdateFrom, UpdatedTo: in.UpdateTo, ScannedFrom: in.ScanFrom, ScannedTo: in.ScanTo, SyncedFrom: in.SyncFrom, SyncedTo: in.SyncTo,
	}
	if in.Latest {
		f.Latest = &in.Latest
	}
	return f
}
