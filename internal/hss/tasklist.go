package hss

import (
	"context"

	"breakwater"
	"breakwater/internal/store"
)

type listImageScanTaskIn struct {
	Side     string `query:"global_image_type"`
	Offset   int    `query:"offset"`
	Limit    int    `query:"limit"`
	Type     string `query:"type"`
	TaskType string `query:"task_type"`
	Name     string `query:"task_name"`
	ID       string `query:"task_id"`
	From     int64  `query:"create_time"`
	To       int64  `query:"end_time"`
	Status   string `query:"task_status"`
	Scope    *int32 `query:"scan_scope"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageScanTaskOut struct {
	List  []taskInfo `json:"data_list"`
	Total int        `json:"total_num"`
}

// listImageScanTask is the scan tasks or, with type image_sync, the
// synchronisations. There are none of images on hosts.
func (s *Server) listImageScanTask(ctx context.Context, in listImageScanTaskIn) (out listImageScanTaskOut, err error) {
	out.List = []taskInfo{}
	if in.Side == "local" {
		return out, nil
	}
	f := in.filter()
	if in.Type == "image_sync" {
		rows, total, err := s.db.SyncTasks(ctx, project(ctx), f)
		for _, t := range rows {
			out.List = append(out.List, syncTaskInfo(t, s.opts.Now()))
		}
		out.Total = total
		return out, err
	}
	rows, total, err := s.db.ScanTasks(ctx, project(ctx), f)
	if err != nil {
		return out, err
	}
	out.Total = total
	for _, t := range rows {
		info := scanTaskInfo(t, s.opts.Now())
		if info.FailedImages, err = s.failedImages(ctx, t); err != nil {
			return out, err
		}
		out.List = append(out.List, info)
	}
	return out, nil
}

func (in listImageScanTaskIn) filter() store.TaskFilter {
	f := store.TaskFilter{ID: in.ID, Name: in.Name, Type: in.TaskType, From: in.From, To: in.To, Offset: in.Offset, Limit: in.Limit}
	if in.Scope != nil && in.Type != "image_sync" {
		scope := breakwater.Scope(*in.Scope)
		f.Scope = &scope
	}
	if in.Status != "" {
		running := in.Status == "scanning"
		f.Running = &running
	}
	return f
}
