package scan

import (
	"slices"

	"breakwater"
	"breakwater/internal/detect"
)

// LayerFacts is all that a scan keeps of one layer.
type LayerFacts struct {
	Scanner string            `json:"scanner"`
	DiffID  breakwater.Digest `json:"diff_id"`
	Entries int64             `json:"entries"`
	Bytes   int64             `json:"bytes"`  // decompressed
	Weight  int64             `json:"weight"` // roughly what these facts take in memory
	// Absent marks a foreign layer that its registry does not hold.
	Absent bool       `json:"absent,omitempty"`
	Files  []FileFact `json:"files,omitempty"` // sorted by path
	// Removed are the paths of lower layers that this one deletes, with all
	// below them; Emptied are directories that lose only what lower layers held
	// in them. Both sorted.
	Removed []string `json:"removed,omitempty"`
	Emptied []string `json:"emptied,omitempty"`
	// Links are the symbolic links near the root, which is where distributions
	// move whole directories (lib → usr/lib, var/lib/rpm → …). Sorted by path.
	Links []Link `json:"links,omitempty"`
	// Hard are names of files of lower layers; Unnamed counts the hard links that
	// were too many to be followed.
	Hard    []HardLink `json:"hard,omitempty"`
	Unnamed int        `json:"unnamed,omitempty"`
	Names   Names      `json:"-"` // see Encode
	// List is every regular file, the first maxListed in the archive's order;
	// Unlisted counts the others.
	List     breakwater.FileList `json:"-"` // see Encode
	Unlisted breakwater.FileStat `json:"unlisted,omitzero"`
	// Notable are the entries whose permissions matter. Sorted by path.
	Notable []breakwater.Notable `json:"notable,omitempty"`
}

// FileFact is a file of interest and its facts, by check.
type FileFact struct {
	Path string `json:"path"`
	detect.Facts
	Config  *breakwater.ConfigFile `json:"config,omitempty"`
	Secrets []breakwater.Secret    `json:"secrets,omitempty"`
	Malware []breakwater.Malware   `json:"malware,omitempty"`
	Missed  []Miss                 `json:"missed,omitempty"`
	// Sum is the sha256 of a file with secrets or malware; Of is the name that its
	// bytes have in the archive, when this is another.
	Sum []byte `json:"sum,omitempty"`
	Of  string `json:"of,omitempty"`
}

// Miss is a check that did not, or not wholly, look at a file. What the package
// readers miss stands in detect.Facts.Skipped.
type Miss struct {
	Check  breakwater.Check `json:"check"`
	Reason string           `json:"reason"`
	// Failed: it could not look, and another time it may. Facts with such a miss
	// are not kept.
	Failed bool `json:"failed,omitempty"`
}

func (f *FileFact) failed() bool {
	return slices.ContainsFunc(f.Missed, func(m Miss) bool { return m.Failed })
}

func (f *LayerFacts) failed() bool {
	return slices.ContainsFunc(f.Files, func(one FileFact) bool { return one.failed() })
}

// empty: no record for a file without facts, such as every shared library: that
// it is there, and so replaces what was, stands in Names.
func (f *FileFact) empty() bool {
	return f.Facts.Empty() && f.Config == nil && len(f.Secrets) == 0 && len(f.Malware) == 0 && len(f.Missed) == 0
}

// weight is roughly what facts take in memory.
func (f *FileFact) weight() int {
	n := 128 + len(f.Path) + len(f.Skipped) + len(f.Sum) + len(f.Of)
	for _, p := range f.Packages {
		n += 256 + len(p.Name) + len(p.Version) + len(p.SourceName) + len(p.SourceVersion) + len(p.PURL)
	}
	for _, o := range f.Owns {
		n += len(o.All)
		for _, p := range o.Paths {
			n += 16 + len(p)
		}
	}
	if f.Licence != nil {
		for _, l := range f.Licence.Names {
			n += 16 + len(l)
		}
	}
	if c := f.Config; c != nil {
		for _, e := range c.Entries {
			n += 64 + len(e.Section) + len(e.Key) + len(e.Value)
		}
		n += 160 * (len(c.Accounts) + len(c.Weak))
	}
	for _, s := range f.Secrets {
		n += 192 + len(s.Path) + len(s.Masked)
	}
	for _, m := range f.Malware {
		n += 320 + len(m.Path) + len(m.Inside)
	}
	for _, m := range f.Missed {
		n += 64 + len(m.Reason)
	}
	return n
}

// Link is a symbolic link.
type Link struct {
	Path   string `json:"path"`
	Target string `json:"target"`
}
