package detect

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"strings"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/purl"
)

// readBunLock reads bun.lock. An entry is a list whose first element is
// NAME@VERSION; what comes from a workspace, a file or a repository has
// something else behind the @.
func readBunLock(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	var lock struct {
		Packages map[string][]json.RawMessage `json:"packages"`
	}
	if json.Unmarshal(withoutTrailingCommas(b), &lock) != nil {
		return Facts{}, errForm
	}
	var f Facts
	for _, entry := range lock.Packages {
		var id string
		if len(entry) == 0 || json.Unmarshal(entry[0], &id) != nil {
			continue
		}
		i := strings.LastIndexByte(id, '@')
		if i <= 0 || strings.ContainsAny(id[i+1:], ":/") {
			continue
		}
		f.Packages = append(f.Packages, app(purl.TypeNPM, id[:i], id[i+1:], in.Path))
	}
	return f, nil
}

// withoutTrailingCommas is the JSON below what bun writes: a comma before a
// closing bracket goes.
func withoutTrailingCommas(b []byte) []byte {
	out := make([]byte, 0, len(b))
	comma := -1 // where the last comma is, while only space has followed it
	text, escaped := false, false
	for _, c := range b {
		if text {
			switch {
			case escaped:
				escaped = false
			case c == '\\':
				escaped = true
			case c == '"':
				text = false
			}
			out = append(out, c)
			continue
		}
		switch c {
		case ' ', '\t', '\r', '\n':
		case ',':
			comma = len(out)
		case '}', ']':
			if comma >= 0 {
				out[comma] = ' '
			}
			comma = -1
		default:
			text = c == '"'
			comma = -1
		}
		out = append(out, c)
	}
	return out
}

// readNuGetLock reads packages.lock.json: for each framework, packages by name.
// Projects of the solution have no resolved version.
func readNuGetLock(_ context.Context, _ *Detector, in input) (Facts, error) {
	var lock struct {
		Dependencies map[string]map[string]struct {
			Type     string `json:"type"`
			Resolved string `json:"resolved"`
		} `json:"dependencies"`
	}
	if err := decode(in, &lock); err != nil {
		return Facts{}, err
	}
	var f Facts
	for _, framework := range lock.Dependencies {
		for name, p := range framework {
			if p.Resolved != "" && p.Type != "Project" {
				f.Packages = append(f.Packages, app(purl.TypeNuget, name, p.Resolved, in.Path))
			}
		}
	}
	return f, nil
}

// readNuGetConfig reads packages.config, the list of a .NET Framework project.
func readNuGetConfig(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	var list struct {
		Packages []struct {
			ID      string `xml:"id,attr"`
			Version string `xml:"version,attr"`
		} `xml:"package"`
	}
	if xml.Unmarshal(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), &list) != nil {
		return Facts{}, errForm
	}
	var f Facts
	for _, p := range list.Packages {
		if p.ID != "" && p.Version != "" {
			f.Packages = append(f.Packages, app(purl.TypeNuget, p.ID, p.Version, in.Path))
		}
	}
	return f, nil
}

// isGradleLock matches the lock file of a project, of its build, and the older
// form with a file for each configuration.
func isGradleLock(p string) bool {
	return lock("gradle.lockfile", "buildscript-gradle.lockfile")(p) ||
		strings.HasSuffix(p, ".lockfile") && strings.Contains("/"+p, "/gradle/dependency-locks/") && !insidePackage(p)
}

// readGradleLock reads lines of GROUP:ARTIFACT:VERSION=CONFIGURATIONS.
func readGradleLock(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	var found []*extractor.Package
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line, _, _ := strings.Cut(strings.TrimSpace(lines.Text()), "=")
		parts := strings.Split(line, ":")
		if strings.HasPrefix(line, "#") || len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
			continue
		}
		found = append(found, coordinate{parts[0], parts[1]}.as(parts[2]))
	}
	if lines.Err() != nil {
		err = errForm
	}
	return Facts{Packages: convert(found, in.Path)}, err
}
