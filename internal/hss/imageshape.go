package hss

import (
	"time"
	"unicode/utf8"

	"breakwater"
	"breakwater/internal/store"
)

// imageInfo is a row of the image list. Times that never came, and the level of
// an image that was never judged, are left out.
type imageInfo struct {
	ID           int64              `json:"id"`
	Namespace    string             `json:"namespace"`
	Name         string             `json:"image_name"`
	ImageID      string             `json:"image_id"`
	Digest       string             `json:"image_digest"`
	Version      string             `json:"image_version"`
	Type         string             `json:"image_type"`
	RegistryID   string             `json:"registry_id"`
	RegistryName string             `json:"registry_name"`
	RegistryType string             `json:"registry_type"`
	Latest       bool               `json:"latest_version"`
	ScanStatus   string             `json:"scan_status"`
	FailedDesc   string             `json:"scan_failed_desc,omitempty"`
	FailedCode   string             `json:"scan_failed_code,omitempty"`
	Size         int64              `json:"image_size"`
	Updated      int64              `json:"latest_update_time,omitempty"`
	Scanned      int64              `json:"latest_scan_time,omitempty"`
	Synced       int64              `json:"latest_sync_time,omitempty"`
	VulNum       int                `json:"vul_num"`
	UnsafeNum    int                `json:"unsafe_setting_num"`
	MaliciousNum int                `json:"malicious_file_num"`
	DomainName   string             `json:"domain_name,omitempty"`
	SharedStatus string             `json:"shared_status,omitempty"`
	Scannable    bool               `json:"scannable"`
	MultiArch    bool               `json:"is_multiple_arch"`
	InstanceName string             `json:"instance_name"`
	InstanceID   string             `json:"instance_id"`
	InstanceURL  string             `json:"instance_url"`
	Severity     string             `json:"severity_level,omitempty"`
	Association  []associationImage `json:"association_images,omitempty"`
}

// associationImage is one platform of a multi-arch image.
type associationImage struct {
	ID           int64  `json:"id"`
	ImageID      string `json:"image_id"`
	Name         string `json:"image_name"`
	Version      string `json:"image_version"`
	Type         string `json:"image_type"`
	Namespace    string `json:"namespace"`
	Digest       string `json:"image_digest"`
	ScanStatus   string `json:"scan_status"`
	VulNum       int    `json:"vul_num"`
	UnsafeNum    int    `json:"unsafe_setting_num"`
	MaliciousNum int    `json:"malicious_file_num"`
}

func newImageInfo(r store.ImageRow) imageInfo {
	info := imageInfo{
		ID: r.ID, Namespace: r.Namespace, Name: r.Name, ImageID: imageID(r.Image), Digest: r.Digest.String(), Version: r.Version,
		Type: string(r.RegistryType.ImageType()), RegistryID: r.RegistryID, RegistryName: r.RegistryName, RegistryType: string(r.RegistryType),
		Latest: r.Latest, ScanStatus: string(r.WireStatus()), FailedDesc: failure(r.Image), FailedCode: string(r.ScanCode),
		Size: r.Size, Updated: millis(r.Updated), Scanned: millis(r.Scanned), Synced: millis(r.Synced),
		VulNum: r.VulNum, UnsafeNum: r.UnsafeSettingNum, MaliciousNum: r.MaliciousFileNum,
		DomainName: r.OwnerDomain, SharedStatus: r.SharedStatus, Scannable: r.Scannable, MultiArch: r.MultiArch,
		InstanceName: r.InstanceName, InstanceID: r.InstanceID, InstanceURL: r.InstanceURL, Severity: string(r.Level),
	}
	for _, c := range r.Children {
		info.Association = append(info.Association, associationImage{
			ID: c.ID, ImageID: imageID(c.Image), Name: c.Name, Version: c.Version, Type: info.Type, Namespace: c.Namespace,
			Digest: c.Digest.String(), ScanStatus: string(c.WireStatus()),
			VulNum: c.VulNum, UnsafeNum: c.UnsafeSettingNum, MaliciousNum: c.MaliciousFileNum,
		})
	}
	return info
}

// failure is why the latest scan failed, for people: what the code means, and
// what exactly happened where that is known.
func failure(i breakwater.Image) string {
	if i.ScanCode == "" || i.ScanDetail == "" {
		return i.ScanCode.Describe()
	}
	return i.ScanCode.Describe() + " (" + i.ScanDetail + ")"
}

// millis is a time on the wire: milliseconds UTC, zero for one that never came.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// cut shortens text to at most n characters; a cut text ends in an ellipsis.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
