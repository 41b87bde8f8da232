package osv

import (
	"context"
	"errors"
	"net/http"
	"time"

	"breakwater"
)

// Source is somewhere feeds come from: a Mirror, a Dir or the Starter.
type Source interface {
	// Names lists the feeds that the source offers or is asked for, in the order
	// in which they should be imported.
	Names(ctx context.Context) ([]string, error)
	// Open makes a feed's bytes ready to read. previous is what was last
	// imported; ErrNotModified says that the source still has the same bytes. A
	// feed that the source does not have is an error of kind NotFound.
	Open(ctx context.Context, name string, previous breakwater.Feed) (*Dump, error)
}

var (
	_ Source = (*Mirror)(nil)
	_ Source = (*Dir)(nil)
	_ Source = (*Starter)(nil)
)

// ErrNotModified says that a feed is the one that was imported last.
var ErrNotModified = errors.New("the feed has not changed")

// Progress tells how far an import has come. Total is 0 where it is not known.
type Progress struct {
	Feed  string
	Step  string // StepDownload, StepImport
	Done  int64
	Total int64
}

// The steps of Progress.
const (
	StepDownload = "download" // Done and Total are bytes
	StepImport   = "import"   // Done and Total are records
)

// Options are what every source can be told.
type Options struct {
	Limits   Limits
	Now      func() time.Time // nil: time.Now
	Progress func(Progress)   // called from the reading goroutine; may be nil

	// Of a Mirror.
	Client  *http.Client // needed: dials what the operator allows; redirects are its matter
	BaseURL string       // "": the public OSV bucket
	KEVURL  string       // "": CISA's, or BaseURL/kev.json when BaseURL is set
	EPSSURL string       // "": FIRST's, or BaseURL/epss.csv.gz when BaseURL is set
	TempDir string       // for downloads; "": the system's
	Feeds   []string     // names asked for; nil: DefaultFeeds
}

func (o Options) clock() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}

func (o Options) progress(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}

// DefaultFeeds lists the ecosystems whose packages a scan can find, with the
// two small feeds that rank them first.
func DefaultFeeds() []string {
	return []string{
		breakwater.FeedKEV, breakwater.FeedEPSS,
		"Debian", "Ubuntu", "Alpine", "AlmaLinux", "Rocky Linux", "Red Hat", "SUSE", "openSUSE",
		"Azure Linux", "Chainguard", "Wolfi", "MinimOS", "Mageia", "openEuler", "Alpaquita",
		"npm", "PyPI", "Go", "Maven", "RubyGems", "Packagist", "crates.io", "NuGet", "Bitnami",
		"Hex", "Pub", "SwiftURL", "CRAN",
	}
}
