package hss

import (
	"context"
	"slices"

	"breakwater"
	"breakwater/internal/store"
)

const (
	// maxSameName bounds how many images one name may stand for: the same
	// namespace, name and version in different registries.
	maxSameName = 1000
	// maxNamed bounds the elements of a list of images; a request body of 1 MiB
	// holds few more.
	maxNamed = 20000
)

// selectEach finds the rows of every element of a list and answers their ids,
// each once. An element that is not there, or cannot be scanned, fails the whole
// request and is named: nothing is left out in silence.
func selectEach[E any](ctx context.Context, field string, elements []E, find func(context.Context, E) ([]store.ImageRow, error)) ([]int64, error) {
	if len(elements) > maxNamed {
		return nil, breakwater.Invalid(field, "must have at most %d elements", maxNamed)
	}
	var ids []int64
	for i, e := range elements {
		rows, err := find(ctx, e)
		if err == nil && len(rows) == 0 {
			err = breakwater.NotFound("image")
		}
		if err != nil {
			return nil, at(err, "%s[%d]", field, i)
		}
		rows = keep(rows, func(r store.ImageRow) bool { return r.Scannable })
		if len(rows) == 0 {
			return nil, at(breakwater.Errorf(breakwater.KindInvalid, "is not an image that can be scanned"), "%s[%d]", field, i)
		}
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func keep(rows []store.ImageRow, wanted func(store.ImageRow) bool) []store.ImageRow {
	return slices.DeleteFunc(rows, func(r store.ImageRow) bool { return !wanted(r) })
}

// startScan begins a manual task of the caller's project.
func (s *Server) startScan(ctx context.Context, t breakwater.ScanTask, ids []int64) error {
	t.ProjectID, t.Type = project(ctx), breakwater.TaskManual
	_, err := s.catalog.StartScan(ctx, t, ids)
	return err
}

// imageID is what the wire calls image_id: the hex of the config's digest, or
// of the manifest's for an index, which has no config.
func imageID(i breakwater.Image) string {
	if i.ConfigDigest == "" {
		return i.Digest.Hex()
	}
	return i.ConfigDigest.Hex()
}
