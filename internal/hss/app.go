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
	apps, err := s.apps(ctx, row, in.AppName)
	out.Total, out.List = len(apps), cutPage(apps, in.Offset, in.Limit)
	return out, err
}

// apps is the installed software of an image, with the findings of each.
func (s *Server) apps(ctx context.Context, row store.ImageRow, name string) ([]appInfo, error) {
	packages, err := s.packages(ctx, row)
	if err != nil {
		return nil, err
	}
	findings, _, err := s.db.ImageFindings(ctx, row.Digest, store.FindingFilter{})
	if err != nil {
		return nil, err
	}
	return countApps(packages, findings, name), nil
}

// packages is what the last good scans found in the image, over all platforms;
// none before the first.
func (s *Server) packages(ctx context.Context, row store.ImageRow) (out []breakwater.Package, err error) {
	inventories, err := s.inventories(ctx, row)
	for _, inv := range inventories {
		out = append(out, inv.Packages...)
	}
	return out, err
}

// countApps folds packages into apps, sorted by name, version and type, each
// with the number of findings of its version. A package that an OS package owns
// is judged under that one's name, so it has none of its own.
func countApps(packages []breakwater.Package, findings []breakwater.Vulnerability, name string) []appInfo {
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
