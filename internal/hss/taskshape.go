package hss

import (
	"context"
	"math"
	"time"

	"breakwater"
)

// maxFailedImages bounds the failures that the list shows of one task; the
// count beside it is the whole one.
const maxFailedImages = 1000

// taskInfo is a scan or synchronisation task on the wire.
type taskInfo struct {
	ID           string        `json:"task_id"`
	Name         string        `json:"task_name"`
	Begin        int64         `json:"begin_time"`
	End          int64         `json:"end_time,omitempty"`
	RemainMin    *int64        `json:"remain_min,omitempty"` // absent while nobody can know
	Type         string        `json:"task_type"`
	ImageType    string        `json:"image_type"`
	Status       int           `json:"task_status"`
	Scope        int32         `json:"scan_scope,omitempty"`
	RateLimit    int           `json:"rate_limit"`
	All          bool          `json:"is_all"`
	Failed       int           `json:"failed_num"`
	Success      int           `json:"success_num"`
	Total        int           `json:"total_num"`
	Risky        int           `json:"risky_num"`
	SyncType     string        `json:"sync_task_type,omitempty"`
	FailedReason string        `json:"failed_reason,omitempty"`
	FailedImages []failedImage `json:"failed_images"`

	_ struct{} `ignore:"policy_id"`
}

type failedImage struct {
	ID           int64  `json:"id"`
	RegistryID   string `json:"registry_id"`
	RegistryName string `json:"registry_name"`
	Name         string `json:"image_name"`
	Version      string `json:"image_version"`
	Namespace    string `json:"namespace"`
	RegistryType string `json:"registry_type,omitempty"`
	Reason       string `json:"failed_reason"`
}

func scanTaskInfo(t breakwater.ScanTask, now time.Time) taskInfo {
	p := progress{state: t.State, done: t.Success + t.Failed, total: t.Total, begin: t.Begin, rate: t.RateLimit}
	return taskInfo{
		ID: t.ID, Name: t.Name, Begin: millis(t.Begin), End: millis(t.End), RemainMin: p.remaining(now), Type: t.Type, ImageType: "registry",
		Status: p.status(), Scope: int32(t.Scope), RateLimit: t.RateLimit, All: t.All,
		Failed: t.Failed, Success: t.Success, Total: t.Total, Risky: t.Risky, FailedReason: cut(t.FailReason, 128),
	}
}

func syncTaskInfo(t breakwater.SyncTask, now time.Time) taskInfo {
	p := progress{state: t.State, done: t.Success + t.Failed, total: t.Total, begin: t.Begin}
	return taskInfo{
		ID: t.ID, Name: t.Name, Begin: millis(t.Begin), End: millis(t.End), RemainMin: p.remaining(now), Type: t.Type, ImageType: "registry",
		Status: p.status(), Failed: t.Failed, Success: t.Success, Total: t.Total, SyncType: t.Type, FailedReason: cut(t.FailReason, 128),
		FailedImages: []failedImage{},
	}
}

func (s *Server) failedImages(ctx context.Context, t breakwater.ScanTask) ([]failedImage, error) {
	out := []failedImage{}
	if t.Failed == 0 {
		return out, nil
	}
	rows, err := s.db.FailedTaskImages(ctx, t.ID, maxFailedImages)
	for _, i := range rows {
		out = append(out, failedImage{
			ID: i.ImageID, RegistryID: i.RegistryID, RegistryName: i.RegistryName, Name: i.Name, Version: i.Version,
			Namespace: i.Namespace, RegistryType: string(i.RegistryType), Reason: cut(i.Code.Describe(), 128),
		})
	}
	return out, err
}

// progress is how far a task has come.
type progress struct {
	state       breakwater.TaskState
	done, total int
	begin       time.Time
	rate        int // images an hour; 0: no limit
}

// status is the contract's number: percent while running, 100 when finished,
// negative for the other ends. A running task is never at 100.
func (p progress) status() int {
	switch p.state {
	case breakwater.TaskFinished:
		return 100
	case breakwater.TaskStopped:
		return -1
	case breakwater.TaskTimedOut:
		return -2
	case breakwater.TaskFailed:
		return -3
	}
	if p.total == 0 {
		return 0
	}
	return min(99, p.done*100/p.total)
}

// remaining is the minutes left: at the pace so far, and not sooner than the
// rate limit allows. Before anything is done only the limit can say; without
// one the answer is nil, because a guess would be taken for a fact.
func (p progress) remaining(now time.Time) *int64 {
	if p.state != breakwater.TaskRunning {
		return new(int64)
	}
	left := float64(max(0, p.total-p.done))
	minutes := 0.0
	if p.rate > 0 {
		minutes = left * 60 / float64(p.rate)
	}
	if p.done > 0 {
		minutes = max(minutes, now.Sub(p.begin).Minutes()/float64(p.done)*left)
	} else if p.rate == 0 {
		return nil
	}
	n := int64(min(math.Ceil(minutes), math.MaxInt32-100))
	return &n
}
