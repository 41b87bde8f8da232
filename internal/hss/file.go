package hss

import (
	"context"
	"math"
	"path"
	"strings"

	"breakwater"
	"breakwater/internal/store"
)

type listImageFilesIn struct {
	ImageID   string `path:"image_id"`
	Offset    int    `query:"offset"`
	Limit     int    `query:"limit"`
	ImageType string `query:"image_type"`
	Namespace string `query:"namespace"`
	Name      string `query:"image_name"`
	Tag       string `query:"tag_name"`
	FileName  string `query:"file_name"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageFilesOut struct {
	Total int        `json:"total_num"`
	List  []fileInfo `json:"data_list"`
}

// fileInfo is one file. The wire's size is a 32-bit number: a larger file shows
// the largest.
type fileInfo struct {
	Name string `json:"file_name"`
	Path string `json:"file_path"`
	Size int32  `json:"size"`
}

// listImageFiles is the files that a container of the image would see, by path;
// of a multi-arch image those of the first platform that has any. file_name
// selects those whose name holds it.
func (s *Server) listImageFiles(ctx context.Context, in listImageFilesIn) (out listImageFilesOut, err error) {
	out.List = []fileInfo{}
	row, err := s.anyImage(ctx, imageName{imageID: in.ImageID, kind: in.ImageType, namespace: in.Namespace, name: in.Name, tag: in.Tag})
	if err != nil {
		return out, err
	}
	list, err := s.files(ctx, row)
	if err != nil {
		return out, err
	}
	for e, err := range list.All() {
		if err != nil {
			return out, err
		}
		if in.FileName != "" && !strings.Contains(path.Base(e.Path), in.FileName) {
			continue
		}
		if out.Total >= in.Offset && len(out.List) < in.Limit {
			out.List = append(out.List, fileInfo{cut(path.Base(e.Path), 256), cut("/"+e.Path, 256), int32(min(e.Size, math.MaxInt32))})
		}
		out.Total++
	}
	return out, nil
}

func (s *Server) files(ctx context.Context, row store.ImageRow) (breakwater.FileList, error) {
	digests := []breakwater.Digest{row.Digest}
	for _, c := range row.Children {
		digests = append(digests, c.Digest)
	}
	for _, d := range digests {
		list, err := s.db.Files(ctx, d)
		if err == nil && len(list) > 0 {
			return list, nil
		}
		if err != nil && !breakwater.IsNotFound(err) {
			return nil, err
		}
	}
	return nil, nil
}

type showImageFilesStatIn struct {
	ImageID   string `path:"image_id"`
	ImageType string `query:"image_type"`
	Namespace string `query:"namespace"`
	Name      string `query:"image_name"`
	Tag       string `query:"tag_name"`

	_ struct{} `ignore:"enterprise_project_id"`
}

// fileStat counts; the wire's numbers have 32 bits, so a larger sum shows the
// largest. The report of the image has the real ones, by kind.
type fileStat struct {
	Num  int32 `json:"total_files_num"`
	Size int32 `json:"total_files_size"`
}

// showImageFilesStat counts the files of an image, those of all platforms of a
// multi-arch image together.
func (s *Server) showImageFilesStat(ctx context.Context, in showImageFilesStatIn) (out fileStat, err error) {
	row, err := s.anyImage(ctx, imageName{imageID: in.ImageID, kind: in.ImageType, namespace: in.Namespace, name: in.Name, tag: in.Tag})
	if err != nil {
		return out, err
	}
	inventories, err := s.inventories(ctx, row)
	if err != nil {
		return out, err
	}
	var num, size int64
	for _, inv := range inventories {
		num, size = num+inv.Files.Num, size+inv.Files.Bytes
	}
	out.Num, out.Size = int32(min(num, math.MaxInt32)), int32(min(size, math.MaxInt32))
	return out, nil
}

type listImageMalwareIn struct {
	ImageID   string `path:"image_id"`
	Offset    int    `query:"offset"`
	Limit     int    `query:"limit"`
	ImageType string `query:"image_type"`
	Namespace string `query:"namespace"`
	Name      string `query:"image_name"`
	Tag       string `query:"tag_name"`
	FileName  string `query:"file_name"`

	_ struct{} `ignore:"enterprise_project_id"`
}

type listImageMalwareOut struct {
	Total int           `json:"total_num"`
	List  []malwareInfo `json:"data_list"`
}

type malwareInfo struct {
	Name        string `json:"file_name"`
	Path        string `json:"file_path"`
	Size        int32  `json:"size"`
	Description string `json:"description"`
}

// listImageMalware is the malicious files of an image, also those that a later
// layer hides.
func (s *Server) listImageMalware(ctx context.Context, in listImageMalwareIn) (out listImageMalwareOut, err error) {
	row, err := s.anyImage(ctx, imageName{imageID: in.ImageID, kind: in.ImageType, namespace: in.Namespace, name: in.Name, tag: in.Tag})
	if err != nil {
		return out, err
	}
	found, err := s.db.Findings(ctx, row.Digest, breakwater.CheckFile)
	if err != nil {
		return out, err
	}
	var all []malwareInfo
	for _, f := range found {
		if in.FileName != "" && !strings.Contains(path.Base(f.Path), in.FileName) {
			continue
		}
		all = append(all, malwareInfo{cut(path.Base(f.Path), 256), cut("/"+f.Path, 256), int32(min(f.Size, math.MaxInt32)), cut(describeMalware(f), 256)})
	}
	out.Total, out.List = len(all), cutPage(all, in.Offset, in.Limit)
	return out, nil
}

// describeMalware says what it is, how it was found and where, the most telling
// first: the wire's text is short.
func describeMalware(f breakwater.Finding) string {
	text := f.Title + " (" + f.Rule + ", " + f.Engine + ", " + string(f.Severity) + ")"
	if f.Subject != "" {
		text += " in " + f.Subject
	}
	if f.Deleted != "" {
		text += "; deleted by layer " + short(f.Deleted)
	}
	return text + "; layer " + short(f.Layer) + "; sha256 " + f.SHA256
}

// short is enough of a digest to find it among an image's layers.
func short(d breakwater.Digest) string {
	h := d.Hex()
	return h[:min(len(h), 12)]
}
