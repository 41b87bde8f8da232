package breakwater

import (
	"strings"
	"time"
)

// The limits of names in the embedded registry. A repository name below its
// namespace may hold slashes.
const (
	MaxNamespace  = 64
	MaxRepository = 128
)

// The categories a repository can be put into; CategoryOther when nobody said.
const (
	CategoryAppServer = "app_server"
	CategoryLinux     = "linux"
	CategoryFramework = "framework_app"
	CategoryDatabase  = "database"
	CategoryLang      = "lang"
	CategoryOther     = "other"
	CategoryWindows   = "windows"
	CategoryArm       = "arm"
)

// Namespace groups repositories of the embedded registry. Its name is unique
// in the whole installation, as an address is.
type Namespace struct {
	ID          int64
	ProjectID   string
	Name        string
	CreatorID   string
	CreatorName string
	Created     time.Time
}

// Repository is a name of the embedded registry that holds manifests and tags.
type Repository struct {
	ID          int64
	ProjectID   string
	NamespaceID int64
	Namespace   string
	Name        string // below the namespace; may hold slashes
	Category    string
	Description string
	Public      bool // anybody may pull, without signing in
	CreatorID   string
	CreatorName string
	Downloads   int64 // manifests fetched with GET
	Created     time.Time
	Updated     time.Time // the newest push, delete or change of settings
}

// Path is the name that clients push to and pull from.
func (r Repository) Path() string { return r.Namespace + "/" + r.Name }

// RepositoryTag is one tag of a repository and what it points at.
type RepositoryTag struct {
	ID           int64
	RepositoryID int64
	Name         string
	Digest       Digest
	ConfigDigest Digest // the image id; empty for an index
	MediaType    string
	Index        bool  // the tag names a manifest list
	Size         int64 // compressed bytes of what it names
	Created      time.Time
	Updated      time.Time // when it last came to point at something else
}

// CheckNamespace refuses what the registry could not serve as the first
// component of an image name: one lower-case path component of at most
// MaxNamespace characters that starts with a letter. "manage" is refused,
// because the management API lives below /v2/manage/.
func CheckNamespace(name string) error {
	if name == "" || len(name) > MaxNamespace {
		return Invalid("namespace", "the name must have 1 to %d characters", MaxNamespace)
	}
	if name[0] < 'a' || name[0] > 'z' || !validComponent(name) || strings.Contains(name, "--") {
		return Invalid("namespace", "the name must be lower-case letters and digits with single separators, starting with a letter")
	}
	if name == "manage" {
		return Invalid("namespace", "the name is reserved")
	}
	return nil
}

// CheckRepository refuses what could not be the rest of an image name: path
// components joined by slashes, at most MaxRepository characters.
func CheckRepository(name string) error {
	if name == "" || len(name) > MaxRepository {
		return Invalid("repository", "the name must have 1 to %d characters", MaxRepository)
	}
	for start := 0; ; {
		end := start
		for end < len(name) && name[end] != '/' {
			end++
		}
		if !validComponent(name[start:end]) {
			return Invalid("repository", "the name must be lower-case letters and digits with single separators")
		}
		if end == len(name) {
			return nil
		}
		start = end + 1
	}
}

// validComponent is the grammar of the OCI distribution spec: runs of letters
// and digits, joined by one '.', one or two '_' or any number of '-'.
func validComponent(s string) bool {
	alnum := func(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' }
	if s == "" || !alnum(s[0]) || !alnum(s[len(s)-1]) {
		return false
	}
	for i := 0; i < len(s); {
		if alnum(s[i]) {
			i++
			continue
		}
		run := i
		for s[i] == s[run] { // ends before the last byte, which is alphanumeric
			i++
		}
		switch length := i - run; {
		case s[run] == '-', s[run] == '.' && length == 1, s[run] == '_' && length <= 2:
		default:
			return false
		}
		if !alnum(s[i]) {
			return false
		}
	}
	return true
}

// ParseCategory accepts the repository categories; the empty one is CategoryOther.
func ParseCategory(s string) (string, error) {
	switch s {
	case "":
		return CategoryOther, nil
	case CategoryAppServer, CategoryLinux, CategoryFramework, CategoryDatabase, CategoryLang, CategoryOther, CategoryWindows, CategoryArm:
		return s, nil
	}
	return "", Invalid("category", "the category must be app_server, linux, framework_app, database, lang, other, windows or arm")
}
