package detect

import (
	"bufio"
	"bytes"
	"context"
	"path"
	"strings"

	"breakwater"
)

// Release is what an os-release file says, as far as we use it (os-release(5)).
type Release struct {
	ID        string `json:"id,omitempty"`
	Like      string `json:"like,omitempty"`
	Name      string `json:"name,omitempty"`
	Pretty    string `json:"pretty,omitempty"`
	Version   string `json:"version,omitempty"`
	VersionID string `json:"version_id,omitempty"`
	Codename  string `json:"codename,omitempty"`
	CPE       string `json:"cpe,omitempty"`
}

// isRelease matches the file wherever it lies: etc/os-release is a link whose
// end differs between distributions, and the link may be in another layer.
func isRelease(p string) bool {
	return path.Base(p) == "os-release" || strings.HasPrefix(p, "usr/lib/os.release.d/")
}

func readRelease(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	var r Release
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		key, value, ok := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		if !ok || strings.HasPrefix(key, "#") {
			continue
		}
		value = unquote(value)
		switch key {
		case "ID":
			r.ID = strings.ToLower(value)
		case "ID_LIKE":
			r.Like = value
		case "NAME":
			r.Name = value
		case "PRETTY_NAME":
			r.Pretty = value
		case "VERSION":
			r.Version = value
		case "VERSION_ID":
			r.VersionID = value
		case "VERSION_CODENAME":
			r.Codename = value
		case "CPE_NAME":
			r.CPE = value
		}
	}
	return Facts{Release: &r}, lines.Err()
}

// unquote drops shell quotes and bounds the value; it becomes part of names.
func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		s = s[1 : len(s)-1]
	}
	if len(s) > maxVersion {
		s = s[:maxVersion]
	}
	return strings.ToValidUTF8(s, "?")
}

// OS is the release in the product's words.
func (r Release) OS() breakwater.OS {
	os := breakwater.OS{ID: r.ID, VersionID: r.VersionID, Codename: r.Codename, Name: r.Pretty}
	if os.Name == "" {
		os.Name = strings.TrimSpace(r.Name + " " + r.Version)
	}
	return os
}
