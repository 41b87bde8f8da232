package breakwater

import "time"

// ScanCode is why a scan, or one check of it, failed, in the contract's words.
type ScanCode string

// The scan codes of the contract (seed 002, scan_failed_code).
const (
	CodeUnknown           ScanCode = "unknown_error"
	CodeAuthentication    ScanCode = "authentication_failed"
	CodeDownloadFailed    ScanCode = "download_failed"
	CodeOverSized         ScanCode = "image_over_sized"
	CodeNotFound          ScanCode = "get_detail_info_not_found"
	CodeLayers            ScanCode = "image_layer_over_sized"
	CodeSchemaV1          ScanCode = "schema_v1_not_support"
	CodeAccessSwr         ScanCode = "access_swr_failed"
	CodeSwrAuthentication ScanCode = "swr_authentication_error"
	CodeVulnerability     ScanCode = "failed_to_scan_vulnerability"
	CodeFile              ScanCode = "failed_to_scan_file"
	CodeSoftware          ScanCode = "failed_to_scan_software"
	CodeSensitive         ScanCode = "failed_to_check_sensitive_information"
	CodeBaseline          ScanCode = "failed_to_check_baseline"
	CodeCompliance        ScanCode = "failed_to_check_software_compliance"
	CodeBaseImage         ScanCode = "failed_to_query_basic_image_information"
	CodeBuildCommand      ScanCode = "failed_to_check_build_cmd"
	CodeTimedOut          ScanCode = "response_timed_out"
	CodeDatabase          ScanCode = "database_error"
	CodeSend              ScanCode = "failed_to_send_the_scan_request"
)

// Describe is the code for people: what went wrong and what to do about it.
func (c ScanCode) Describe() string {
	switch c {
	case "":
		return ""
	case CodeAuthentication:
		return "The registry refused the credentials. Update the registry's user name and password."
	case CodeDownloadFailed:
		return "The image could not be downloaded. Check that the registry answers, then scan again."
	case CodeOverSized:
		return "The image is larger than the scan limits allow. Make the image smaller, or raise the limit."
	case CodeNotFound:
		return "The registry no longer holds this image. Synchronise the registry."
	case CodeLayers:
		return "The image has more or larger layers than the scan limits allow. Use fewer or smaller layers, or raise the limit."
	case CodeSchemaV1:
		return "Schema 1 manifests cannot be scanned. Push the image again with a current client."
	case CodeAccessSwr:
		return "The embedded registry could not be read."
	case CodeSwrAuthentication:
		return "The scan has no right to read the image."
	case CodeVulnerability:
		return "The vulnerability check failed."
	case CodeFile:
		return "The file check failed."
	case CodeSoftware:
		return "The software check failed."
	case CodeSensitive:
		return "The sensitive information check failed."
	case CodeBaseline:
		return "The baseline check failed."
	case CodeCompliance:
		return "The software compliance check failed."
	case CodeBaseImage:
		return "The base image could not be determined."
	case CodeBuildCommand:
		return "The build command check failed."
	case CodeTimedOut:
		return "The scan took longer than its time limit."
	case CodeDatabase:
		return "The results could not be stored."
	case CodeSend:
		return "The scan could not be started."
	}
	return "The scan failed for a reason that is not known."
}

// Check is one of the eight things a scan looks at.
type Check string

// The checks. A build that lacks one reports it as StateNotBuilt, never as clean.
const (
	CheckVulnerability Check = "vulnerability"
	CheckSoftware      Check = "software"
	CheckFile          Check = "file"
	CheckSecret        Check = "secret"
	CheckBaseline      Check = "baseline"
	CheckCompliance    Check = "compliance"
	CheckBuildCommand  Check = "build_command"
	CheckBaseImage     Check = "base_image"
)

// CheckState is what became of a check.
type CheckState string

// The states of a check.
const (
	StateDone          CheckState = "done"
	StateNotApplicable CheckState = "not_applicable" // nothing in the image that it could look at
	StateFailed        CheckState = "failed"
	StateNotBuilt      CheckState = "not_built"
	StateNotAsked      CheckState = "not_asked" // the scan's scope left it out
)

// Coverage says what a check did and what it could not see.
type Coverage struct {
	Check   Check      `json:"check"`
	State   CheckState `json:"state"`
	Code    ScanCode   `json:"code,omitempty"`
	Reason  string     `json:"reason,omitempty"`
	Skipped []Skip     `json:"skipped,omitempty"` // capped at MaxSkips; Reason says if more were left out
}

// MaxSkips bounds the skipped files that one coverage lists.
const MaxSkips = 100

// Skip is a file that was not looked into, and why.
type Skip struct {
	Layer  Digest `json:"layer,omitempty"`
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// OS is the distribution of an image, from its os-release.
type OS struct {
	ID        string `json:"id,omitempty"`         // debian, alpine, rhel …
	VersionID string `json:"version_id,omitempty"` // 12, 3.19.1 …
	Codename  string `json:"codename,omitempty"`   // VERSION_CODENAME
	Name      string `json:"name,omitempty"`       // PRETTY_NAME
}

// History is one step of how an image was built, from its config.
type History struct {
	CreatedBy string `json:"created_by,omitempty"`
	Empty     bool   `json:"empty,omitempty"`
}

// Inventory is all the facts of one image (one platform): what a scan answers.
type Inventory struct {
	Digest   Digest     `json:"digest"`
	Platform Platform   `json:"platform"`
	Scanner  string     `json:"scanner"` // version of what wrote these facts
	OS       OS         `json:"os"`
	Layers   []LayerRef `json:"layers"`
	Packages []Package  `json:"packages"` // sorted; see Package
	// History and Setup are of the image's configuration, credentials masked.
	History []History `json:"history,omitempty"`
	Setup   Setup     `json:"setup,omitzero"`
	// Files counts the files that a container would see; their list is kept apart.
	Files    FileStat     `json:"files,omitzero"`
	FileList FileList     `json:"file_list,omitempty"` // layers are numbers into Layers
	Notable  []Notable    `json:"notable,omitempty"`   // sorted by path; capped at MaxNotable
	Configs  []ConfigFile `json:"configs,omitempty"`   // sorted by kind and path
	Secrets  []Secret     `json:"secrets,omitempty"`   // sorted by where, path, line
	Malware  []Malware    `json:"malware,omitempty"`   // sorted by path
	Coverage []Coverage   `json:"coverage"`
	Bytes    int64        `json:"bytes"`   // compressed bytes read from the source; 0 when every layer was cached
	Entries  int64        `json:"entries"` // tar entries seen, over all layers
}

// Carry takes over from an earlier scan of the same image what this one was not
// asked to look for, so that a scan of fewer checks blanks nothing.
func (inv *Inventory) Carry(before Inventory) {
	for i, c := range inv.Coverage {
		if c.State != StateNotAsked {
			continue
		}
		for _, old := range before.Coverage {
			if old.Check == c.Check && old.State != StateNotAsked && old.State != StateNotBuilt {
				inv.Coverage[i] = old
				inv.carry(c.Check, before)
			}
		}
	}
}

func (inv *Inventory) carry(c Check, before Inventory) {
	switch c {
	case CheckFile:
		inv.Malware = before.Malware
	case CheckSecret:
		inv.Secrets = before.Secrets
	case CheckBaseline:
		inv.Configs = before.Configs
	}
}

// Failed is the code of the first check that failed alone, and why. That of the
// software comes before all others: vulnerabilities, which then fail too, are
// judged of it.
func (inv *Inventory) Failed() (ScanCode, string) {
	var first Coverage
	for _, c := range inv.Coverage {
		if c.State == StateFailed && (first.Check == "" || c.Check == CheckSoftware) {
			first = c
		}
	}
	return first.Code, first.Reason
}

// MaxNotable bounds the entries with telling permissions that an inventory lists.
const MaxNotable = 10_000

// FileKind is what a file's first bytes say it is.
type FileKind string

// The kinds of file.
const (
	FileEmpty   FileKind = "empty"
	FileText    FileKind = "text"
	FileScript  FileKind = "script"  // text that begins with #!
	FileELF     FileKind = "elf"     // programs and libraries of Linux
	FilePE      FileKind = "pe"      // of Windows
	FileMachO   FileKind = "macho"   // of macOS
	FileArchive FileKind = "archive" // zip, tar, gzip, xz … and what is built on them
	FileMedia   FileKind = "media"   // pictures, fonts, sound, video
	FileData    FileKind = "data"    // anything else
)

// FileStat counts files and their bytes.
type FileStat struct {
	Num    int64                  `json:"num"`
	Bytes  int64                  `json:"bytes"`
	ByKind map[FileKind]KindCount `json:"by_kind,omitempty"`
	// Unlisted is how many files were counted and not put into the list of
	// files, because it is as long as it may be.
	Unlisted int64 `json:"unlisted,omitempty"`
}

// KindCount counts the files of one kind.
type KindCount struct {
	Num   int64 `json:"num"`
	Bytes int64 `json:"bytes"`
}

// LayerRef is one layer of an image, bottom first.
type LayerRef struct {
	Digest Digest `json:"digest"`
	DiffID Digest `json:"diff_id,omitempty"`
	Size   int64  `json:"size"`
}

// Scope is the scan_scope bit mask of the contract.
type Scope int32

// The scopes of the contract.
const (
	ScopeAll           Scope = 0x7fffffff
	ScopeVulnerability Scope = 0x000f0000
	ScopeBaseline      Scope = 0x0000f000
	ScopeMalware       Scope = 0x00000f00
	ScopeSensitive     Scope = 0x000000f0
	ScopeCompliance    Scope = 0x0000000f
)

// Has reports whether the scope asks for a check. The contract has bits for five
// of the eight; the others come along with every scan, since they cost nothing.
func (s Scope) Has(c Check) bool {
	bits := map[Check]Scope{
		CheckVulnerability: ScopeVulnerability, CheckBaseline: ScopeBaseline, CheckFile: ScopeMalware,
		CheckSecret: ScopeSensitive, CheckCompliance: ScopeCompliance,
	}[c]
	return bits == 0 || s&bits != 0
}

// Checks are the eight, in the order in which they are reported.
func Checks() []Check {
	return []Check{CheckVulnerability, CheckSoftware, CheckFile, CheckSecret, CheckBaseline, CheckCompliance, CheckBuildCommand, CheckBaseImage}
}

// Code is the scan code that says that the check failed.
func (c Check) Code() ScanCode {
	switch c {
	case CheckVulnerability:
		return CodeVulnerability
	case CheckSoftware:
		return CodeSoftware
	case CheckFile:
		return CodeFile
	case CheckSecret:
		return CodeSensitive
	case CheckBaseline:
		return CodeBaseline
	case CheckCompliance:
		return CodeCompliance
	case CheckBuildCommand:
		return CodeBuildCommand
	}
	return CodeBaseImage
}

// TaskState is how a scan or sync task stands: running ──► finished | stopped | failed | timed_out.
type TaskState string

// The task states.
const (
	TaskRunning  TaskState = "running"
	TaskFinished TaskState = "finished"
	TaskStopped  TaskState = "stopped"
	TaskTimedOut TaskState = "timed_out"
	TaskFailed   TaskState = "failed"
)

// ScanTask is one request to scan a set of images.
type ScanTask struct {
	ID         string
	ProjectID  string
	Name       string
	Type       string // TaskCycle or TaskManual
	Scope      Scope
	RateLimit  int // images an hour; 0: no limit
	All        bool
	State      TaskState
	Total      int
	Success    int
	Failed     int
	Risky      int
	FailReason string
	Begin      time.Time
	End        time.Time
}

// SyncTask is one request to synchronise a set of registries.
type SyncTask struct {
	ID         string
	ProjectID  string
	Name       string
	Type       string // TaskAutoSync or TaskManualSync
	State      TaskState
	Total      int
	Success    int
	Failed     int
	FailReason string
	Begin      time.Time
	End        time.Time
}
