package hss

import (
	"bytes"
	"context"
	"encoding/json"

	"breakwater"
	"breakwater/internal/match"
	"breakwater/internal/report"
)

type showImageReportIn struct {
	ImageID   string `path:"image_id"`
	ImageType string `query:"image_type"`
	Namespace string `query:"namespace"`
	Name      string `query:"image_name"`
	Tag       string `query:"tag_name"`
	Format    string `query:"format"`
}

// showImageReport is an extension: everything that is known of a scanned image in
// one document (our own JSON, SARIF, CycloneDX or SPDX), with what was not looked
// at. A multi-arch image has one for each platform, named by its image_id.
func (s *Server) showImageReport(ctx context.Context, in showImageReportIn) (map[string]json.RawMessage, error) {
	row, err := s.anyImage(ctx, imageName{imageID: in.ImageID, kind: in.ImageType, namespace: in.Namespace, name: in.Name, tag: in.Tag})
	if err != nil {
		return nil, err
	}
	if len(row.Children) > 0 {
		return nil, breakwater.Invalid("image_id", "names a multi-arch image; a report is about one platform, named by its own image_id")
	}
	all, err := s.db.Results(ctx, project(ctx), row.Digest)
	if err != nil {
		return nil, err
	}
	name := row.Name + ":" + row.Version
	if row.Namespace != "" {
		name = row.Namespace + "/" + name
	}
	r := report.Report{
		Name: name, Digest: row.Digest, Version: s.opts.Version, Time: row.Scanned,
		Inventory: all.Inventory, Vulnerabilities: all.Vulnerabilities, Findings: all.Findings, Feeds: all.Feeds,
	}
	if r.Spoken, err = s.db.Spoken(ctx, report.Ecosystems(r.Inventory)); err != nil {
		return nil, err
	}
	if b := all.Base; b != nil {
		r.Base = &report.Base{Name: b.Reference(), Digest: b.Digest, Layers: b.Layers, Newest: b.Newest, Removes: b.Removes}
	}
	var out bytes.Buffer
	if err := report.Write(&out, in.Format, r, report.Options{Compare: match.Compare}); err != nil {
		return nil, err
	}
	var document map[string]json.RawMessage
	if err := json.Unmarshal(out.Bytes(), &document); err != nil {
		return nil, breakwater.Wrap(breakwater.KindInternal, err, "the report is no JSON object")
	}
	return document, nil
}
