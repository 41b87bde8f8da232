package hss

import (
	"context"

	"breakwater"
)

type listImageBasicImageIn struct {
	ImageID   string `path:"image_id"`
	Offset    int    `query:"offset"`
	Limit     int    `query:"limit"`
	ImageType string `query:"image_type"`
	Namespace string `query:"namespace"`
	Name      string `query:"image_name"`
	Version   string `query:"image_version"`
	OSName    string `query:"os_name"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageBasicImageOut struct {
	Total int          `json:"total_num"`
	List  []basicImage `json:"data_list"`
}

// basicImage is the base of an image on the wire, and, as an extension, what it
// brings.
type basicImage struct {
	OSName    string `json:"os_name"`
	OSVersion string `json:"os_version"`
	Layer     string `json:"layer_digest"`

	Name      string `json:"base_image_name"`
	Tag       string `json:"base_image_tag"`
	Digest    string `json:"base_image_digest,omitempty"`
	Layers    int    `json:"base_layer_num"`
	Inherited int    `json:"inherited_num"`
	Added     int    `json:"added_num"`
	Newest    string `json:"newest_tag,omitempty"`
	Removes   int    `json:"newest_removes_num"`
}

// listImageBasicImage is the known image that this one is built on; of a
// multi-arch image one for each platform. layer_digest is the last layer of the
// base. An image whose base nobody knows has none.
func (s *Server) listImageBasicImage(ctx context.Context, in listImageBasicImageIn) (out listImageBasicImageOut, err error) {
	row, err := s.anyImage(ctx, imageName{imageID: in.ImageID, kind: in.ImageType, namespace: in.Namespace, name: in.Name, tag: in.Version})
	if err != nil {
		return out, err
	}
	inventories, err := s.inventories(ctx, row)
	if err != nil {
		return out, err
	}
	var all []basicImage
	for _, inv := range inventories {
		b, err := s.db.ImageBase(ctx, project(ctx), inv.Digest)
		if breakwater.IsNotFound(err) {
			continue
		}
		if err != nil {
			return out, err
		}
		one := basicImage{
			OSName: inv.OS.ID, OSVersion: inv.OS.VersionID, Layer: inv.Layers[b.Layers-1].Digest.String(),
			Name: b.Name, Tag: b.Version, Digest: b.Digest.String(), Layers: b.Layers,
			Inherited: b.Inherited, Added: b.Added, Newest: b.Newest, Removes: max(b.Removes, 0),
		}
		if in.OSName == "" || in.OSName == one.OSName {
			all = append(all, one)
		}
	}
	out.Total, out.List = len(all), cutPage(all, in.Offset, in.Limit)
	return out, nil
}
