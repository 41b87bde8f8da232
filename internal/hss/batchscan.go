package hss

import (
	"context"

	"breakwater"
	"breakwater/internal/store"
)

type batchScanSwrImageIn struct {
	EnterpriseProject string        `query:"enterprise_project_id"`
	Body              batchScanBody `body:""`
}

type batchScanBody struct {
	RepoType   string      `json:"repo_type"`
	Images     []namedScan `json:"image_info_list"`
	All        bool        `json:"operate_all"`
	Namespace  string      `json:"namespace"`
	Name       string      `json:"image_name"`
	Version    string      `json:"image_version"`
	ImageType  string      `json:"image_type"`
	ScanStatus string      `json:"scan_status"`
	Latest     bool        `json:"latest_version"`
	Size       *int64      `json:"image_size"`
	UpdateFrom *int64      `json:"start_latest_update_time"`
	UpdateTo   *int64      `json:"end_latest_update_time"`
	ScanFrom   *int64      `json:"start_latest_scan_time"`
	ScanTo     *int64      `json:"end_latest_scan_time"`
}

// namedScan is one image of the list form.
type namedScan struct {
	Namespace   string `json:"namespace"`
	Name        string `json:"image_name"`
	Version     string `json:"image_version"`
	InstanceID  string `json:"instance_id"`
	InstanceURL string `json:"instance_url"`
}

// batchScanSwrImage scans the listed images, or with operate_all every image
// that the filters select.
func (s *Server) batchScanSwrImage(ctx context.Context, in batchScanSwrImageIn) (struct{}, error) {
	b := in.Body
	var ids []int64
	var err error
	switch {
	case b.All:
		ids, err = s.db.SelectImageIDs(ctx, project(ctx), b.filter(in.EnterpriseProject))
	case len(b.Images) == 0:
		err = breakwater.Invalid("image_info_list", "is needed when operate_all is not true")
	default:
		ids, err = selectEach(ctx, "image_info_list", b.Images, func(ctx context.Context, n namedScan) ([]store.ImageRow, error) {
			return s.namedImages(ctx, n, breakwater.ImageType(b.ImageType))
		})
	}
	if err != nil {
		return struct{}{}, err
	}
	return struct{}{}, s.startScan(ctx, breakwater.ScanTask{Scope: breakwater.ScopeAll, All: b.All}, ids)
}

func (b batchScanBody) filter(enterpriseProject string) store.ImageFilter {
	f := store.ImageFilter{
		EnterpriseProjectID: enterpriseProject, Type: breakwater.ImageType(b.ImageType),
		Namespace: b.Namespace, Name: b.Name, Version: b.Version, ScanStatus: breakwater.ScanStatus(b.ScanStatus), Size: b.Size,
		UpdatedFrom: b.UpdateFrom, UpdatedTo: b.UpdateTo, ScannedFrom: b.ScanFrom, ScannedTo: b.ScanTo,
	}
	if b.Latest {
		f.Latest = &b.Latest
	}
	return f
}

// namedImages finds the image that an element of the list names.
func (s *Server) namedImages(ctx context.Context, n namedScan, kind breakwater.ImageType) ([]store.ImageRow, error) {
	for _, need := range []struct{ field, value string }{{"namespace", n.Namespace}, {"image_name", n.Name}, {"image_version", n.Version}} {
		if need.value == "" {
			return nil, breakwater.Invalid(need.field, "is required")
		}
	}
	rows, err := s.db.FindImages(ctx, project(ctx), store.ImageFilter{
		Type: kind, Namespace: n.Namespace, Name: n.Name, Version: n.Version, InstanceID: n.InstanceID,
	}, maxSameName)
	if err != nil {
		return nil, err
	}
	return keep(rows, func(r store.ImageRow) bool { return n.InstanceURL == "" || r.InstanceURL == n.InstanceURL }), nil
}
