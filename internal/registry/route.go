package registry

import (
	"strings"

	"breakwater"
)

type kind int

const (
	kindRoot      kind = iota
	kindToken          // /v2/token
	kindCatalog        // /v2/_catalog
	kindTags           // /v2/NAME/tags/list
	kindManifest       // /v2/NAME/manifests/REF
	kindBlob           // /v2/NAME/blobs/DIGEST
	kindUploads        // /v2/NAME/blobs/uploads/
	kindUpload         // /v2/NAME/blobs/uploads/ID
	kindReferrers      // /v2/NAME/referrers/DIGEST
)

// route is a path, understood. Ref is a tag, a digest or an upload's id, not
// yet checked; the names are.
type route struct {
	kind       kind
	namespace  string
	repository string
	ref        string
}

// path is the name that scopes and answers speak of.
func (r route) path() string { return r.namespace + "/" + r.repository }

// maxPath bounds a path before anything of it is looked at.
const maxPath = 1024

// parse reads a path from its end, because names may hold slashes and words
// such as "blobs" or "manifests" too.
func parse(path string) (route, error) {
	if path == "/service/token" {
		return route{kind: kindToken}, nil
	}
	rest, ok := strings.CutPrefix(path, "/v2")
	if !ok || len(path) > maxPath {
		return route{}, errUnknownPath()
	}
	switch rest {
	case "", "/":
		return route{kind: kindRoot}, nil
	case "/token":
		return route{kind: kindToken}, nil
	case "/_catalog":
		return route{kind: kindCatalog}, nil
	}
	rest, ok = strings.CutPrefix(rest, "/")
	if !ok {
		return route{}, errUnknownPath()
	}
	r, name, ok := parseTail(rest)
	if !ok {
		return route{}, errUnknownPath()
	}
	var err error
	r.namespace, r.repository, err = splitName(name)
	return r, err
}

// parseTail cuts the operation from the end of a path and leaves the name.
func parseTail(rest string) (r route, name string, ok bool) {
	if name, ok = strings.CutSuffix(rest, "/tags/list"); ok {
		return route{kind: kindTags}, name, true
	}
	for _, suffix := range []string{"/blobs/uploads/", "/blobs/uploads"} {
		if name, ok = strings.CutSuffix(rest, suffix); ok {
			return route{kind: kindUploads}, name, true
		}
	}
	i := strings.LastIndexByte(rest, '/')
	if i < 0 {
		return route{}, "", false
	}
	head, ref := rest[:i], rest[i+1:]
	if ref == "" {
		return route{}, "", false
	}
	for _, tail := range []struct {
		suffix string
		kind   kind
	}{
		{"/blobs/uploads", kindUpload},
		{"/manifests", kindManifest},
		{"/blobs", kindBlob},
		{"/referrers", kindReferrers},
	} {
		if name, ok = strings.CutSuffix(head, tail.suffix); ok {
			return route{kind: tail.kind, ref: ref}, name, true
		}
	}
	return route{}, "", false
}

// splitName holds a name to the grammar: a namespace and, below it, a
// repository. A single component is no name here.
func splitName(name string) (namespace, repository string, err error) {
	namespace, repository, ok := strings.Cut(name, "/")
	if !ok {
		return "", "", ociError(breakwater.KindInvalid, codeNameInvalid, "the name must be namespace/repository")
	}
	if err := breakwater.CheckNamespace(namespace); err != nil {
		return "", "", recode(err, codeNameInvalid)
	}
	if err := breakwater.CheckRepository(repository); err != nil {
		return "", "", recode(err, codeNameInvalid)
	}
	return namespace, repository, nil
}
