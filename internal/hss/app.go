package hss

import (
	"cmp"
	"context"
	"slices"

	"breakwater"
	"breakwater/internal/store"
)

type listImageAppsIn struct {
	ImageID   string `path:"image_id"`
	Offset    int    `query:"offset"`
	Limit     int    `query:"limit"`
	ImageType string `query:"image_type"`
	Namespace string `query:"namespace"`
	Name      string `query:"image_name"`
	Tag       string `query:"tag_name"`
	AppName   string `query:"app_name"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageAppsOut struct {
	Total int       `json:"total_num"`
	List  []appInfo `json:"data_list"`
}

// appInfo is one installed package; the same version in several places is one.
type appInfo struct {
	Name    string `json:"app_name"`
	Type    string `json:"app_type"`
	Version string `json:"app_version"`
	VulNum  int    `json:"vul_num"`
}

func (s *Server) listImageApps(ctx context.Context, in listImageAppsIn) (out listImageAppsOut, err error) {
	row, err := s.image(ctx, imageName{imageID: in.ImageID, kind: in.ImageType, namespace: in.Namespace, name: in.Name, tag: in.Tag})
	if err != nil {
		return out, err
	}
	packages, err := s.packages(ctx, row)
	if err != nil {
		return out, err
	}
	findings, _, err := s.db.ImageFindings(ctx, row.Digest, store.FindingFilter{})
	if err != nil {
		return out, err
	}
	apps := countApps(packages, findings, in.AppName)
	out.Total = len(apps)
	from := min(in.Offset, len(apps))
	out.List = append([]appInfo{}, apps[from:min(from+in.Limit, len(apps))]...)
	return out, nil
}

// packages is what the last good scans found in the image, over all platforms;
// none before the first.
func (s *Server) packages(ctx context.Context, row store.ImageRow) (out []breakwater.Package, err error) {
	digests := []breakwater.Digest{row.Digest}
	if len(row.Children) > 0 {
		digests = nil
	}
	for _, c := range row.Children {
		digests = append(digests, c.Digest)
	}
	for _, d := range digests {
		inv, err := s.db.Inventory(ctx, d)
		if breakwater.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, inv.Packages...)
	}
	return out, nil
}

// countApps folds packages into apps, sorted by name, version and type, each
// with the number of findings of its version. A package that an OS package owns
// is judged under that one's name, so it has none of its own.
func countApps(packages []breakwater.Package, findings []store.Finding, name string) []appInfo {
	found := map[breakwater.PackageVersion]int{}
	for _, f := range findings {
		key := f.Package
		key.ID = 0
		found[key]++
	}
	apps := map[appInfo]int{} // vul_num is the value; the key's stays zero
	for _, p := range packages {
		if name != "" && p.Name != name {
			continue
		}
		key := appInfo{Name: p.Name, Type: p.Type, Version: p.Version}
		n := 0
		if p.OwnedBy == "" && p.Ecosystem != "" {
			n = found[versionOf(p)]
		}
		apps[key] = max(apps[key], n)
	}
	out := make([]appInfo, 0, len(apps))
	for a, n := range apps {
		a.VulNum = n
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b appInfo) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Type, b.Type))
	})
	return out
}
