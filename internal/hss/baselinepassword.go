package hss

import (
	"context"

	"breakwater"
	"breakwater/internal/audit"
	"breakwater/internal/store"
)

type listImagePwdComplexityIn struct {
	Offset     int    `query:"offset"`
	Limit      int    `query:"limit"`
	ImageType  string `query:"image_type"`
	Namespace  string `query:"namespace"`
	Name       string `query:"image_name"`
	Version    string `query:"image_version"`
	InstanceID string `query:"instance_id"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImagePwdComplexityOut struct {
	Total int             `json:"total_num"`
	List  []pwdComplexity `json:"data_list"`
}

type pwdComplexity struct {
	ImageID   string `json:"image_id"`
	Namespace string `json:"namespace"`
	Name      string `json:"image_name"`
	Version   string `json:"image_version"`
	Type      string `json:"image_type"`
	Scanned   int64  `json:"latest_scan_time,omitempty"`
	MinLength bool   `json:"min_length"`
	Upper     bool   `json:"uppercase_letter"`
	Lower     bool   `json:"lowercase_letter"`
	Number    bool   `json:"number"`
	Special   bool   `json:"special_character"`
	Suggest   string `json:"suggestion"`
}

// listImagePwdComplexity is what images demand of a new password: of the image
// that is named, or of every scanned one, a page at a time.
func (s *Server) listImagePwdComplexity(ctx context.Context, in listImagePwdComplexityIn) (out listImagePwdComplexityOut, err error) {
	out.List = []pwdComplexity{}
	rows, err := s.scannedImages(ctx, imageName{kind: in.ImageType, namespace: in.Namespace, name: in.Name, tag: in.Version, instanceID: in.InstanceID}, in.Offset, in.Limit, &out.Total)
	if err != nil {
		return out, err
	}
	for _, row := range rows {
		p, err := s.policy(ctx, row)
		if err != nil {
			return out, err
		}
		out.List = append(out.List, pwdComplexity{
			ImageID: imageID(row.Image), Namespace: row.Namespace, Name: row.Name, Version: row.Version, Type: string(row.RegistryType), Scanned: millis(row.Scanned),
			MinLength: p.MinLength, Upper: p.Upper, Lower: p.Lower, Number: p.Digit, Special: p.Special, Suggest: cut(p.Suggest, 65534),
		})
	}
	return out, nil
}

// scannedImages is the named image, or a page of those whose scan ended well.
func (s *Server) scannedImages(ctx context.Context, n imageName, offset, limit int, total *int) ([]store.ImageRow, error) {
	if n.name != "" && n.tag != "" {
		row, err := s.anyImage(ctx, n)
		if err != nil {
			return nil, err
		}
		*total = 1
		return cutPage([]store.ImageRow{row}, offset, limit), nil
	}
	kind := n.kind
	if kind == "registry" {
		kind = ""
	}
	rows, num, err := s.db.Images(ctx, project(ctx), store.ImageFilter{
		Type: breakwater.ImageType(kind), Namespace: n.namespace, Name: n.name, Version: n.tag, InstanceID: n.instanceID, ScanStatus: breakwater.ScanSuccess,
	}, store.ImagePage{Offset: offset, Limit: limit})
	*total = num
	return rows, err
}

// policy is what an image demands of a new password; of a multi-arch image what
// every platform demands.
func (s *Server) policy(ctx context.Context, row store.ImageRow) (out breakwater.PasswordPolicy, err error) {
	inventories, err := s.inventories(ctx, row)
	for i, inv := range inventories {
		p := s.opts.Audit.Policy(inv)
		if i == 0 {
			out = p
			continue
		}
		out.Present = out.Present || p.Present
		out.MinLength, out.Upper, out.Lower = out.MinLength && p.MinLength, out.Upper && p.Upper, out.Lower && p.Lower
		out.Digit, out.Special = out.Digit && p.Digit, out.Special && p.Special
		if out.Suggest == "" {
			out.Suggest = p.Suggest
		}
	}
	return out, err
}

type listImageWeakPwdUsersIn struct {
	Offset     int    `query:"offset"`
	Limit      int    `query:"limit"`
	ImageType  string `query:"image_type"`
	Namespace  string `query:"namespace"`
	Name       string `query:"image_name"`
	Tag        string `query:"tag_name"`
	ImageID    string `query:"image_id"`
	User       string `query:"user_name"`
	InstanceID string `query:"instance_id"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageWeakPwdUsersOut struct {
	Total int           `json:"total_num"`
	List  []weakPwdUser `json:"data_list"`
}

type weakPwdUser struct {
	Namespace string `json:"namespace"`
	Name      string `json:"image_name"`
	Version   string `json:"image_version"`
	ImageID   string `json:"image_id"`
	Type      string `json:"image_type"`
	Scanned   int64  `json:"latest_scan_time,omitempty"`
	User      string `json:"user_name"`
	Service   string `json:"service_type"`
	Duration  int    `json:"duration"`
	Masked    string `json:"desensitized_weak_passwords"`
	Suggest   string `json:"suggestion"`
}

// listImageWeakPwdUsers is the accounts whose password was guessed: of the image
// that is named by its names or its image_id, or of all images that the names
// which are given select.
func (s *Server) listImageWeakPwdUsers(ctx context.Context, in listImageWeakPwdUsersIn) (out listImageWeakPwdUsersOut, err error) {
	if in.ImageID == "" && (in.Name == "" || in.Tag == "") {
		return s.weakPwdUsers(ctx, in)
	}
	row, err := s.anyImage(ctx, imageName{in.ImageID, in.ImageType, in.Namespace, in.Name, in.Tag, in.InstanceID})
	if err != nil {
		return out, err
	}
	found, err := s.db.Findings(ctx, row.Digest, breakwater.CheckBaseline)
	if err != nil {
		return out, err
	}
	var all []weakPwdUser
	for _, f := range found {
		if f.Rule == audit.RuleWeakPassword && (in.User == "" || in.User == f.Subject) {
			all = append(all, newWeakPwdUser(row, f))
		}
	}
	out.Total, out.List = len(all), cutPage(all, in.Offset, in.Limit)
	return out, nil
}

// weakPage is how many guessed passwords are read at once: an image has few of them.
const weakPage = 1000

// weakPwdUsers goes through what was guessed in all images of the project, and
// keeps one page of what the request selects.
func (s *Server) weakPwdUsers(ctx context.Context, in listImageWeakPwdUsersIn) (out listImageWeakPwdUsersOut, err error) {
	out.List = []weakPwdUser{}
	for offset := 0; ; offset += weakPage {
		found, _, err := s.db.RuleFindings(ctx, project(ctx), breakwater.CheckBaseline, audit.RuleWeakPassword, in.User, offset, weakPage)
		if err != nil {
			return out, err
		}
		for _, f := range found {
			if !in.selects(f.ImageRow) {
				continue
			}
			if out.Total >= in.Offset && len(out.List) < in.Limit {
				out.List = append(out.List, newWeakPwdUser(f.ImageRow, f.Finding))
			}
			out.Total++
		}
		if len(found) < weakPage {
			return out, nil
		}
	}
}

// selects holds an image against the names of the request; those that are absent
// select all.
func (in listImageWeakPwdUsersIn) selects(row store.ImageRow) bool {
	kind := in.ImageType == "" || in.ImageType == "registry" || in.ImageType == string(row.RegistryType.ImageType())
	return kind && (in.Namespace == "" || in.Namespace == row.Namespace) && (in.Name == "" || in.Name == row.Name) &&
		(in.Tag == "" || in.Tag == row.Version) && (in.InstanceID == "" || in.InstanceID == row.InstanceID)
}

// newWeakPwdUser shows one account. The contract knows one service type, system;
// others are named as they are. Duration is how long the guessing took, in
// milliseconds.
func newWeakPwdUser(row store.ImageRow, f breakwater.Finding) weakPwdUser {
	return weakPwdUser{
		Namespace: row.Namespace, Name: row.Name, Version: row.Version, ImageID: imageID(row.Image), Type: string(row.RegistryType), Scanned: millis(row.Scanned),
		User: cut(f.Subject, 32), Service: f.Service, Duration: int(f.Millis), Masked: cut(f.Current, 128), Suggest: cut(f.Remediation, 65534),
	}
}
