package detect

import (
	"context"
	"encoding/json"
	"math"
	"path"
	"strings"

	"github.com/google/osv-scalibr/purl"
	packageurl "github.com/package-url/packageurl-go"
)

// isConda matches PREFIX/conda-meta/NAME-VERSION-BUILD.json, one file for each
// package of an environment (conda's documentation, "conda-meta").
func isConda(p string) bool {
	dir, base := path.Split(p)
	return strings.HasSuffix(base, ".json") && strings.HasSuffix("/"+dir, "/conda-meta/")
}

// readConda reads what conda installed. scalibr's extractor is not used: it calls
// the packages PyPI's, whose names and advisories they do not share, looks below
// envs/ only, where the base environment is not, and drops licence and size. The
// Python packages among them are listed by their own metadata too.
func readConda(_ context.Context, _ *Detector, in input) (Facts, error) {
	var doc struct {
		Name        string  `json:"name"`
		Version     string  `json:"version"`
		Build       string  `json:"build"`
		BuildString string  `json:"build_string"`
		Channel     string  `json:"channel"`
		Subdir      string  `json:"subdir"`
		Licence     licence `json:"license"`
		Paths       struct {
			Paths []struct {
				Size sloppyInt `json:"size_in_bytes"`
			} `json:"paths"`
		} `json:"paths_data"`
	}
	if err := decode(in, &doc); err != nil {
		return Facts{}, err
	}
	if doc.Name == "" || doc.Version == "" {
		return Facts{}, errForm
	}
	p := app(purl.TypeConda, doc.Name, doc.Version, in.Path)
	p.Licences = licences(doc.Licence)
	for _, file := range doc.Paths.Paths {
		if size := int64(file.Size); size > 0 && size <= math.MaxInt64-p.Size {
			p.Size += size
		}
	}
	q := map[string]string{}
	for key, value := range map[string]string{"build": doc.Build, "channel": condaChannel(doc.Channel, doc.Subdir), "subdir": doc.Subdir} {
		if value != "" && len(value) <= maxVersion {
			q[key] = value
		}
	}
	if doc.Build == "" && doc.BuildString != "" && len(doc.BuildString) <= maxVersion {
		q["build"] = doc.BuildString
	}
	p.PURL = packageurl.NewPackageURL(purl.TypeConda, "", p.Name, p.Version, packageurl.QualifiersFromMap(q), "").String()
	return one(p), nil
}

// condaChannel is the name at the end of a channel's address, which may hold a
// token before it.
func condaChannel(channel, subdir string) string {
	channel = strings.TrimSuffix(strings.TrimRight(channel, "/"), "/"+subdir)
	if channel == "" {
		return ""
	}
	return path.Base(channel)
}

// sloppyInt is a number, or nothing where something else stands.
type sloppyInt int64

func (n *sloppyInt) UnmarshalJSON(b []byte) error {
	var v int64
	if json.Unmarshal(b, &v) == nil {
		*n = sloppyInt(v)
	}
	return nil
}

var _ json.Unmarshaler = (*sloppyInt)(nil)
