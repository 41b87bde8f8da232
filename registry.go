package breakwater

import "time"

// RegistryType is where images come from, in the wire's words.
type RegistryType string

// The registry types of the contract. SwrPrivate is Breakwater's own embedded registry.
const (
	RegistryHarbor        RegistryType = "Harbor"
	RegistryJfrog         RegistryType = "Jfrog"
	RegistrySwrPrivate    RegistryType = "SwrPrivate"
	RegistrySwrShared     RegistryType = "SwrShared"
	RegistrySwrEnterprise RegistryType = "SwrEnterprise"
	RegistryOther         RegistryType = "Other" // any OCI registry
)

// ImageType is the registry type in the words that images use.
type ImageType string

// The image types of the contract, and "other" of ours.
const (
	ImagePrivate  ImageType = "private_image"
	ImageShared   ImageType = "shared_image"
	ImageInstance ImageType = "instance_image"
	ImageHarbor   ImageType = "harbor"
	ImageJfrog    ImageType = "jfrog"
	ImageOther    ImageType = "other"
)

// ImageType is the word that images of this registry type carry.
func (t RegistryType) ImageType() ImageType {
	switch t {
	case RegistrySwrPrivate:
		return ImagePrivate
	case RegistrySwrShared:
		return ImageShared
	case RegistrySwrEnterprise:
		return ImageInstance
	case RegistryHarbor:
		return ImageHarbor
	case RegistryJfrog:
		return ImageJfrog
	}
	return ImageOther
}

// RegistryStatus is how access to a registry stands:
//
//	accessing ──► success ◄──► fail
//	    ▲            │          │
//	    └── changed ─┴──────────┘
type RegistryStatus string

// The registry states of the contract.
const (
	RegistryAccessing RegistryStatus = "accessing"
	RegistrySuccess   RegistryStatus = "success"
	RegistryFail      RegistryStatus = "fail"
)

// The reasons of the contract for RegistryFail.
const (
	FailCreateJob  = "CREATE_JOB_FAILED" // the probe could not be started
	FailRequestAPI = "REQUEST_API_ERROR" // the registry is unreachable, refuses us or answers wrongly
	FailServer     = "SERVER_ERROR"      // our own fault
)

// LocalCluster is the id and name of the built-in executor.
const LocalCluster = "local"

// Registry is a place images are read from. Its password lives in the keyring
// under its ID and nowhere else.
type Registry struct {
	ID                  string
	ProjectID           string
	EnterpriseProjectID string // a label; "0" is the default one
	Name                string // unique in the project
	Type                RegistryType
	APIVersion          string // V1 or V2
	Protocol            string // http or https
	Addr                string // host[:port][/path]
	Username            string
	Namespace           string // project of the registry that component images are pushed to
	ClusterID           string
	Channel             string   // get_scan_image_channel: Swr or Other
	Repositories        []string // repositories to look at where the catalogue is forbidden; empty: the catalogue
	Status              RegistryStatus
	FailReason          string // one of the Fail… reasons, when Status is fail
	FailDetail          string // for people: what exactly went wrong, without any credential
	ImagesNum           int64
	LatestSync          time.Time
	Created             time.Time
	Updated             time.Time
}

// SyncStatus is how one registry of a sync task stands: running ──► finished | failed.
type SyncStatus string

// The sync states of the contract.
const (
	SyncRunning  SyncStatus = "running"
	SyncFinished SyncStatus = "finished"
	SyncFailed   SyncStatus = "failed"
)

// Task types of the contract.
const (
	TaskCycle      = "cycle"
	TaskManual     = "manual"
	TaskAutoSync   = "autoSync"
	TaskManualSync = "manualSync"
)
