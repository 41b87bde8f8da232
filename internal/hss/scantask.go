package hss

import (
	"context"

	"breakwater"
	"breakwater/internal/store"
)

type createManualImageScanTaskIn struct {
	EnterpriseProject string          `query:"enterprise_project_id"`
	Side              string          `query:"global_image_type"`
	Body              *manualScanBody `body:""`
}

type manualScanBody struct {
	Scope     *int32        `json:"scan_scope"`
	RateLimit int           `json:"rate_limit"`
	All       bool          `json:"is_all"`
	Query     manualQuery   `json:"query_info"`
	Images    []manualImage `json:"image_info"`
}

// manualQuery is the filters of is_all. The first group speaks of images on
// hosts, which this product does not look at.
type manualQuery struct {
	LocalImageType string `json:"local_image_type"`
	HostID         string `json:"host_id"`
	HostName       string `json:"host_name"`
	PublicIP       string `json:"public_ip"`
	PrivateIP      string `json:"private_ip"`
	ClusterID      string `json:"cluster_id"`
	ContainerID    string `json:"container_id"`
	ContainerName  string `json:"container_name"`
	PodID          string `json:"pod_id"`
	PodName        string `json:"pod_name"`
	AppName        string `json:"app_name"`

	HasVul     *bool  `json:"has_vul"`
	Namespace  string `json:"namespace"`
	Name       string `json:"image_name"`
	Version    string `json:"image_version"`
	ImageType  string `json:"image_type"`
	ScanStatus string `json:"scan_status"`
	Size       *int64 `json:"image_size"`
	UpdateFrom *int64 `json:"start_latest_update_time"`
	UpdateTo   *int64 `json:"end_latest_update_time"`
	ScanFrom   *int64 `json:"start_latest_scan_time"`
	ScanTo     *int64 `json:"end_latest_scan_time"`
}

// manualImage names one image: by id, by its names, or by its manifest's digest.
type manualImage struct {
	ID           int64  `json:"id"`
	ImageID      string `json:"image_id"`
	Digest       string `json:"image_digest"`
	RegistryID   string `json:"registry_id"`
	RegistryName string `json:"registry_name"`
	Name         string `json:"image_name"`
	Version      string `json:"image_version"`
	Namespace    string `json:"namespace"`
	InstanceID   string `json:"instance_id"`
	InstanceURL  string `json:"instance_url"`
	RegistryType string `json:"registry_type"`
}

func (s *Server) createManualImageScanTask(ctx context.Context, in createManualImageScanTaskIn) (struct{}, error) {
	if in.Side == "local" {
		return struct{}{}, breakwater.Invalid("global_image_type", "no hosts are connected here; only images in registries can be scanned")
	}
	b := in.Body
	if b == nil || !b.All && len(b.Images) == 0 {
		return struct{}{}, breakwater.Invalid("image_info", "is needed when is_all is not true")
	}
	scope, err := b.scope()
	if err != nil {
		return struct{}{}, err
	}
	var ids []int64
	if b.All {
		ids, err = s.queriedImages(ctx, b.Query, in.EnterpriseProject)
	} else {
		ids, err = selectEach(ctx, "image_info", b.Images, s.manualImages)
	}
	if err != nil {
		return struct{}{}, err
	}
	return struct{}{}, s.startScan(ctx, breakwater.ScanTask{Scope: scope, RateLimit: b.RateLimit, All: b.All}, ids)
}

// scope is what to look for; the bits are the contract's.
func (b *manualScanBody) scope() (breakwater.Scope, error) {
	if b.Scope == nil {
		return breakwater.ScopeAll, nil
	}
	scope := breakwater.Scope(*b.Scope)
	if scope == 0 {
		return 0, breakwater.Invalid("scan_scope", "selects nothing to look for")
	}
	if scope&(breakwater.ScopeVulnerability|breakwater.ScopeBaseline|breakwater.ScopeMalware|breakwater.ScopeSensitive|breakwater.ScopeCompliance) == 0 {
		return 0, breakwater.Invalid("scan_scope", "selects nothing that is looked for")
	}
	return scope, nil
}

func (s *Server) queriedImages(ctx context.Context, q manualQuery, enterpriseProject string) ([]int64, error) {
	for _, host := range []struct{ field, value string }{
		{"local_image_type", q.LocalImageType}, {"host_id", q.HostID}, {"host_name", q.HostName}, {"public_ip", q.PublicIP},
		{"private_ip", q.PrivateIP}, {"cluster_id", q.ClusterID}, {"container_id", q.ContainerID}, {"container_name", q.ContainerName},
		{"pod_id", q.PodID}, {"pod_name", q.PodName}, {"app_name", q.AppName},
	} {
		if host.value != "" {
			return nil, breakwater.Invalid("query_info."+host.field, "selects among images on hosts; images in registries do not have it")
		}
	}
	return s.db.SelectImageIDs(ctx, project(ctx), store.ImageFilter{
		EnterpriseProjectID: enterpriseProject, Namespace: q.Namespace, Name: q.Name, Version: q.Version,
		Type: breakwater.ImageType(q.ImageType), ScanStatus: breakwater.ScanStatus(q.ScanStatus), HasVul: q.HasVul, Size: q.Size,
		UpdatedFrom: q.UpdateFrom, UpdatedTo: q.UpdateTo, ScannedFrom: q.ScanFrom, ScannedTo: q.ScanTo,
	})
}

// manualImages finds what an element names: the id says it all, names come
// next, a digest alone stands for every image of the project that has it.
func (s *Server) manualImages(ctx context.Context, m manualImage) ([]store.ImageRow, error) {
	f := store.ImageFilter{
		RegistryID: m.RegistryID, RegistryName: m.RegistryName, Namespace: m.Namespace, Name: m.Name, Version: m.Version, InstanceID: m.InstanceID,
	}
	if m.RegistryType != "" {
		f.Type = breakwater.RegistryType(m.RegistryType).ImageType()
	}
	var digest breakwater.Digest
	var err error
	if m.Digest != "" {
		if digest, err = breakwater.ParseDigest(m.Digest); err != nil {
			return nil, breakwater.Invalid("image_digest", "must be algorithm:hex in lower case")
		}
	}
	switch {
	case m.ID != 0:
		if f.IDs, err = s.imageIDs(ctx, m.ID); err != nil {
			return nil, err
		}
	case m.Name != "" && m.Version != "":
	case digest != "":
		if f.IDs, err = s.db.ImagesOfDigest(ctx, project(ctx), digest, maxSameName); err != nil {
			return nil, err
		}
	default:
		return nil, breakwater.Errorf(breakwater.KindInvalid, "needs id, image_name with image_version, or image_digest")
	}
	rows, err := s.db.FindImages(ctx, project(ctx), f, maxSameName)
	if err != nil {
		return nil, err
	}
	return keep(rows, func(r store.ImageRow) bool {
		return (digest == "" || r.Digest == digest) && (m.InstanceURL == "" || r.InstanceURL == m.InstanceURL) && (m.ImageID == "" || m.ID != 0 || imageID(r.Image) == m.ImageID)
	}), nil
}

// imageIDs is the row behind an id: itself, or for one platform of a multi-arch
// image the row of the whole image, which is what gets scanned.
func (s *Server) imageIDs(ctx context.Context, id int64) ([]int64, error) {
	row, err := s.db.Image(ctx, project(ctx), id)
	if err != nil {
		return nil, err
	}
	if id < store.ChildID(0) {
		return []int64{id}, nil
	}
	parents, err := s.db.FindImages(ctx, project(ctx), store.ImageFilter{RegistryID: row.RegistryID, Namespace: row.Namespace, Name: row.Name, Version: row.Version}, 1)
	ids := []int64{}
	for _, p := range parents {
		ids = append(ids, p.ID)
	}
	return ids, err
}

type stopImageScanTaskIn struct {
	TaskID string `path:"task_id"`

	_ struct{} `ignore:"enterprise_project_id"`
}

func (s *Server) stopImageScanTask(ctx context.Context, in stopImageScanTaskIn) (struct{}, error) {
	return struct{}{}, s.catalog.StopScan(ctx, project(ctx), in.TaskID)
}
