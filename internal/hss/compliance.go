package hss

import (
	"context"
	"strings"

	"breakwater"
)

type listImageNonCompliantAppIn struct {
	ImageID   string `path:"image_id"`
	Offset    int    `query:"offset"`
	Limit     int    `query:"limit"`
	ImageType string `query:"image_type"`
	Namespace string `query:"namespace"`
	Name      string `query:"image_name"`
	Version   string `query:"image_version"`
	AppName   string `query:"app_name"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageNonCompliantAppOut struct {
	Total int               `json:"total_num"`
	List  []nonCompliantApp `json:"data_list"`
}

type nonCompliantApp struct {
	ID      string `json:"id"`
	Name    string `json:"app_name"`
	Path    string `json:"app_path"`
	Version string `json:"app_version"`
	Layer   string `json:"layer_digest"`
}

// listImageNonCompliantApp is the software of an image that the rules forbid.
func (s *Server) listImageNonCompliantApp(ctx context.Context, in listImageNonCompliantAppIn) (out listImageNonCompliantAppOut, err error) {
	row, err := s.anyImage(ctx, imageName{imageID: in.ImageID, kind: in.ImageType, namespace: in.Namespace, name: in.Name, tag: in.Version})
	if err != nil {
		return out, err
	}
	found, err := s.db.Findings(ctx, row.Digest, breakwater.CheckCompliance)
	if err != nil {
		return out, err
	}
	var all []nonCompliantApp
	for _, f := range found {
		if in.AppName != "" && in.AppName != f.Subject {
			continue
		}
		all = append(all, nonCompliantApp{
			ID: findingID(f), Name: cut(f.Subject, 128), Path: cut("/"+strings.TrimPrefix(f.Path, "/"), 128), Version: cut(f.Version, 64), Layer: f.Layer.String(),
		})
	}
	out.Total, out.List = len(all), cutPage(all, in.Offset, in.Limit)
	return out, nil
}

type listLocalImageAppInfoIn struct {
	Offset  int    `query:"offset"`
	Limit   int    `query:"limit"`
	ImageID string `query:"image_id"`
	AppName string `query:"app_name"`

	_ struct{} `ignore:"enterprise_project_id"`
}

// listLocalImageAppInfo is the software of the image with that image id, whichever
// registry holds it: an image on a host has the same id.
func (s *Server) listLocalImageAppInfo(ctx context.Context, in listLocalImageAppInfoIn) (out listImageAppsOut, err error) {
	row, err := s.anyImage(ctx, imageName{imageID: in.ImageID})
	if err != nil {
		return out, err
	}
	apps, err := s.apps(ctx, row, in.AppName)
	out.Total, out.List = len(apps), cutPage(apps, in.Offset, in.Limit)
	return out, err
}
