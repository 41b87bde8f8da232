package detect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/google/osv-scalibr/purl"
	"gopkg.in/yaml.v3"
)

// pnpm-lock.yaml is read here: scalibr loses every package of the versions 6 to 8
// whose peers are scoped, "/a@1.0.0(@b/c@2.0.0)".

// readPnpm reads the packages of a lock file of any version. Their keys were
//
//	5     /name/1.0.0_peers, /@scope/name/1.0.0
//	6-8   /name@1.0.0(peer@2.0.0), /@scope/name@1.0.0
//	9     name@1.0.0, '@scope/name@1.0.0', name@https://…
//
// with the host of another registry before them. What comes from a file or a
// repository has name and version beside it, when it has any.
func readPnpm(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	docs := yaml.NewDecoder(bytes.NewReader(b))
	var f Facts
	for range maxPnpmDocs {
		var doc yaml.Node
		switch err := docs.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return f, nil
		case err != nil:
			return f, errForm
		}
		if !addPnpm(&f, &doc, in.Path) {
			return f, errForm
		}
	}
	return f, errMany
}

// maxPnpmDocs bounds the documents in one file: pnpm 11 writes two, its own
// tools before what the project needs.
const maxPnpmDocs = 8

// addPnpm adds the packages of one document, and is false when it has another form.
func addPnpm(f *Facts, doc *yaml.Node, path string) bool {
	version := ""
	if len(doc.Content) == 1 {
		version = word(doc.Content[0], "lockfileVersion")
	}
	slashes := len(version) > 0 && version[0] < '6' && (len(version) == 1 || version[1] == '.')
	return pairs(doc, "packages", func(key string, p *yaml.Node) {
		name, version := pnpmKey(key, slashes)
		if own := word(p, "name"); own != "" {
			name = own
		}
		if own := word(p, "version"); own != "" {
			version = own
		}
		if name == "" || version == "" || version[0] < '0' || version[0] > '9' {
			return
		}
		f.Packages = append(f.Packages, app(purl.TypeNPM, name, version, path))
	})
}

// pnpmKey takes a key apart, in which the version follows a slash or an @; both
// are empty when it names a file.
func pnpmKey(key string, slashes bool) (name, version string) {
	key, _, _ = strings.Cut(key, "(") // peers
	if strings.HasPrefix(key, "file:") || strings.HasPrefix(key, "link:") {
		return "", ""
	}
	if i := strings.Index(key[min(1, len(key)):], "@"); i >= 0 && strings.Contains(key[i+2:], ":") {
		return strings.TrimPrefix(key[:i+1], "/"), "" // name@https://…
	}
	parts := strings.Split(key, "/")
	n := len(parts)
	last := parts[n-1]
	switch i := strings.LastIndexByte(last, '@'); {
	case slashes && n >= 2:
		version, _, _ = strings.Cut(last, "_")
		name = parts[n-2]
		n -= 2
	case !slashes && i > 0:
		name, version = last[:i], last[i+1:]
		n--
	}
	if n > 0 && strings.HasPrefix(parts[n-1], "@") {
		name = parts[n-1] + "/" + name
	}
	return name, version
}
