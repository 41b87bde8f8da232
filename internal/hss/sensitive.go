package hss

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"breakwater"
)

type listImageSensitiveIn struct {
	ImageID      string `path:"image_id"`
	Offset       int    `query:"offset"`
	Limit        int    `query:"limit"`
	ImageType    string `query:"image_type"`
	Namespace    string `query:"namespace"`
	Name         string `query:"image_name"`
	Version      string `query:"image_version"`
	FilePath     string `query:"file_path"`
	Severity     string `query:"severity"`
	HandleStatus string `query:"handle_status"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageSensitiveOut struct {
	Total int             `json:"total_num"`
	List  []sensitiveInfo `json:"data_list"`
}

type sensitiveInfo struct {
	ID           string `json:"sensitive_info_id"`
	Severity     string `json:"severity"`
	Name         string `json:"name"`
	Description  string `json:"description"`
	Position     string `json:"position"`
	FilePath     string `json:"file_path"`
	Content      string `json:"content"`
	Scanned      int64  `json:"latest_scan_time,omitempty"`
	HandleStatus string `json:"handle_status"`
	Accept       string `json:"operate_accept"`
}

// listImageSensitive is the credentials seen in an image, masked: in its files,
// in its environment, labels and history. file_path selects those whose path
// holds it.
func (s *Server) listImageSensitive(ctx context.Context, in listImageSensitiveIn) (out listImageSensitiveOut, err error) {
	out.List = []sensitiveInfo{}
	row, err := s.anyImage(ctx, imageName{imageID: in.ImageID, kind: in.ImageType, namespace: in.Namespace, name: in.Name, tag: in.Version})
	if err != nil || in.HandleStatus == "handled" { // nothing can be handled yet, so nothing is
		return out, err
	}
	found, err := s.db.Findings(ctx, row.Digest, breakwater.CheckSecret)
	if err != nil {
		return out, err
	}
	var all []sensitiveInfo
	for _, f := range found {
		place := secretPlace(f)
		if in.Severity != "" && in.Severity != string(f.Severity) || in.FilePath != "" && !strings.Contains(place, in.FilePath) {
			continue
		}
		all = append(all, sensitiveInfo{
			ID: findingID(f), Severity: string(f.Severity), Name: cut(f.Title, 128), Description: cut(f.Rule, 128),
			Position: cut(secretPosition(f), 128), FilePath: cut(place, 128), Content: cut(f.Current, 128),
			Scanned: millis(row.Scanned), HandleStatus: "unhandled", Accept: "ignore",
		})
	}
	out.Total, out.List = len(all), cutPage(all, in.Offset, in.Limit)
	return out, nil
}

// secretPlace is the file, or what stands for one.
func secretPlace(f breakwater.Finding) string {
	if f.Where == breakwater.WhereFile {
		return "/" + f.Path
	}
	return string(f.Where) + ":" + f.Path
}

func secretPosition(f breakwater.Finding) string {
	var parts []string
	if f.Line > 0 && f.Where == breakwater.WhereFile {
		parts = append(parts, fmt.Sprintf("line %d", f.Line))
	}
	if f.Layer != "" {
		parts = append(parts, "layer "+short(f.Layer))
	}
	if f.Deleted != "" {
		parts = append(parts, "deleted by layer "+short(f.Deleted))
	}
	return strings.Join(parts, "; ")
}

// findingID names a finding in the same words after every scan.
func findingID(f breakwater.Finding) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%d\n%s\n%s\n%s", f.Check, f.Rule, f.Where, f.Path, f.Line, f.Layer, f.Subject, f.Version))
	return hex.EncodeToString(sum[:16])
}
