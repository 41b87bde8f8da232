package breakwater

import "time"

// ScanStatus is how the latest scan of an image stands. The last good verdict
// stays served whatever the status says.
//
//	unscan ──► waiting_for_scan ──► scanning ──► success
//	   ▲              │  ▲              │
//	   └── stopped ◄──┘  └─ rescan ─────┴──────► failed
type ScanStatus string

// The scan states of the contract. download_failed and image_oversized are the
// wire's own words for two scan codes; they are kept as failed plus code and
// rendered by WireStatus.
const (
	ScanNone     ScanStatus = "unscan"
	ScanWaiting  ScanStatus = "waiting_for_scan"
	ScanRunning  ScanStatus = "scanning"
	ScanSuccess  ScanStatus = "success"
	ScanFailed   ScanStatus = "failed"
	ScanDownload ScanStatus = "download_failed"
	ScanOversize ScanStatus = "image_oversized"
)

// Level is how bad an image is: the worst of its unexempted findings.
type Level string

// The levels of the contract; the empty level means never scanned.
const (
	LevelUnknown  Level = ""
	LevelSecurity Level = "Security" // every check ran and found nothing
	LevelLow      Level = "Low"
	LevelMedium   Level = "Medium"
	LevelHigh     Level = "High"
)

// Platform is what an image runs on (OCI image-index.md).
type Platform struct {
	OS           string `json:"os,omitempty"`
	Architecture string `json:"architecture,omitempty"`
	Variant      string `json:"variant,omitempty"`
	OSVersion    string `json:"os_version,omitempty"`
}

func (p Platform) String() string {
	s := p.OS + "/" + p.Architecture
	if p.Variant != "" {
		s += "/" + p.Variant
	}
	return s
}

// Artifact is one manifest or index by its digest. The same digest in two
// registries is one artifact with two names.
type Artifact struct {
	Digest       Digest
	MediaType    string
	ArtifactType string // artifactType, or the config's media type
	ConfigDigest Digest // the image_id of the wire; empty for an index
	Size         int64  // compressed bytes: config and layers; for an index the sum of its children
	Platform     Platform
	Created      time.Time // when the image was built, from its config; zero if unknown
	Children     []Child   // of an index, in its order
	Subject      Digest    // what a referrer refers to
	Scannable    bool      // an image manifest, or an index with at least one
}

// Child is one entry of an index.
type Child struct {
	Digest   Digest
	Platform Platform
	Image    bool // false for attestations, signatures and other non-images
}

// IsIndex reports whether the artifact lists others.
func (a Artifact) IsIndex() bool { return len(a.Children) > 0 }

// Image is one tag of one repository of one registry: the row the image list shows.
type Image struct {
	ID                  int64
	ProjectID           string
	EnterpriseProjectID string
	RegistryID          string
	RegistryName        string
	RegistryType        RegistryType
	Namespace           string
	Name                string // repository below the namespace; may hold slashes
	Version             string // the tag
	Digest              Digest
	ConfigDigest        Digest
	Size                int64 // bytes
	MultiArch           bool
	Scannable           bool
	Latest              bool // the newest pushed or updated tag of its repository
	Updated             time.Time
	Synced              time.Time
	Scanned             time.Time // when the last good scan ended; zero: never
	ScanStatus          ScanStatus
	ScanCode            ScanCode // why the latest scan failed
	ScanDetail          string   // for people, beside the code
	Level               Level
	VulNum              int
	UnsafeSettingNum    int
	MaliciousFileNum    int
	Risky               bool
	InstanceID          string
	InstanceName        string
	InstanceURL         string
	OwnerDomain         string // of a shared image
	SharedStatus        string
}

// WireStatus is the status in the seven words of an answer.
func (i Image) WireStatus() ScanStatus {
	if i.ScanStatus != ScanFailed {
		return i.ScanStatus
	}
	switch i.ScanCode {
	case CodeDownloadFailed:
		return ScanDownload
	case CodeOverSized:
		return ScanOversize
	}
	return ScanFailed
}
