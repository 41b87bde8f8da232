package hss

import (
	"context"

	"breakwater"
)

type listImageBuildCommandRisksIn struct {
	Offset    int    `query:"offset"`
	Limit     int    `query:"limit"`
	ImageType string `query:"image_type"`
	ImageID   string `query:"image_id"`
	RiskName  string `query:"risk_name"`
	RiskLevel string `query:"risk_level"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageBuildCommandRisksOut struct {
	Total int         `json:"total_num"`
	List  []buildRisk `json:"data_list"`
}

type buildRisk struct {
	Scanned     int64  `json:"latest_scan_time,omitempty"`
	Images      int    `json:"image_num"`
	ID          string `json:"risk_id"`
	Rule        string `json:"rule_id"`
	Name        string `json:"risk_name"`
	Level       string `json:"risk_level"`
	Description string `json:"description"`
	ImageType   string `json:"image_type"`
}

// listImageBuildCommandRisks is the risky ways in which the project's images, or
// one of them, were built, the most frequent first. Nothing of a pipeline is
// known yet, so image_type cicd has none.
func (s *Server) listImageBuildCommandRisks(ctx context.Context, in listImageBuildCommandRisksIn) (out listImageBuildCommandRisksOut, err error) {
	out.List = []buildRisk{}
	id, known, err := imageIDFilter(in.ImageID)
	if err != nil || !known || in.ImageType == "cicd" {
		return out, err
	}
	counts, err := s.db.RuleCounts(ctx, project(ctx), breakwater.CheckBuildCommand, id)
	if err != nil {
		return out, err
	}
	var all []buildRisk
	for _, c := range counts {
		rule := s.opts.Audit.BuildRule(c.Finding.Rule)
		if rule.ID == "" { // of rules that are no longer there
			rule = breakwater.Rule{ID: c.Finding.Rule, Title: c.Finding.Title, Severity: c.Finding.Severity, Description: c.Finding.Description}
		}
		if in.RiskName != "" && in.RiskName != rule.Title || in.RiskLevel != "" && in.RiskLevel != string(rule.Severity) {
			continue
		}
		all = append(all, buildRisk{
			Scanned: c.Scanned, Images: c.Images, ID: cut(rule.ID, 64), Rule: cut(rule.ID, 64), Name: cut(rule.Title, 512), Level: string(rule.Severity),
			Description: cut(rule.Description, 65534), ImageType: in.ImageType,
		})
	}
	out.Total, out.List = len(all), cutPage(all, in.Offset, in.Limit)
	return out, nil
}

// imageIDFilter is an optional image_id as a digest; known is false for what can
// be no image's.
func imageIDFilter(hex string) (id breakwater.Digest, known bool, err error) {
	if hex == "" {
		return "", true, nil
	}
	if id, err = breakwater.ParseDigest("sha256:" + hex); err != nil {
		return "", false, nil
	}
	return id, true, nil
}

type listImageBuildCommandRisksImagesIn struct {
	Offset    int    `query:"offset"`
	Limit     int    `query:"limit"`
	ImageType string `query:"image_type"`
	Rule      string `query:"rule_id"`
	ImageID   string `query:"image_id"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageBuildCommandRisksImagesOut struct {
	Total int               `json:"total_num"`
	List  []buildRiskImages `json:"data_list"`
}

type buildRiskImages struct {
	Namespace string           `json:"namespace"`
	Digest    string           `json:"image_digest"`
	ImageID   string           `json:"image_id"`
	Name      string           `json:"image_name"`
	Version   string           `json:"image_version"`
	Type      string           `json:"image_type"`
	Size      int64            `json:"image_size"`
	Scanned   int64            `json:"latest_scan_time,omitempty"`
	Detail    buildRiskDetails `json:"risk_detail_info"`
}

type buildRiskDetails struct {
	Num  int               `json:"risk_num"`
	List []buildRiskDetail `json:"risk_list"`
}

type buildRiskDetail struct {
	Remediation string `json:"remediation"`
	Instruction string `json:"build_instruction"`
}

// listImageBuildCommandRisksImages is the images that one rule speaks of, each
// with the instructions that it means and how to write them better.
func (s *Server) listImageBuildCommandRisksImages(ctx context.Context, in listImageBuildCommandRisksImagesIn) (out listImageBuildCommandRisksImagesOut, err error) {
	out.List = []buildRiskImages{}
	id, known, err := imageIDFilter(in.ImageID)
	if err != nil || !known || in.ImageType == "cicd" {
		return out, err
	}
	images, total, err := s.db.RuleImages(ctx, project(ctx), breakwater.CheckBuildCommand, in.Rule, id, in.Offset, in.Limit)
	if err != nil {
		return out, err
	}
	out.Total = total
	for _, i := range images {
		row := buildRiskImages{
			Namespace: i.Namespace, Digest: i.Digest.String(), ImageID: imageID(i.Image), Name: i.Name, Version: i.Version,
			Type: string(i.RegistryType.ImageType()), Size: i.Size, Scanned: millis(i.Scanned),
		}
		for _, f := range i.Findings {
			text := f.Remediation
			if f.Suggest != "" {
				text += "\n" + f.Suggest
			}
			row.Detail.List = append(row.Detail.List, buildRiskDetail{cut(text, 65534), cut(f.Current, 256)})
		}
		row.Detail.Num = len(row.Detail.List)
		out.List = append(out.List, row)
	}
	return out, nil
}
