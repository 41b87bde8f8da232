package layer

import (
	"fmt"
	"path"
	"strings"
)

// The prefixes of OCI layer change sets (OCI image spec, layer.md, "Whiteouts").
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
	metadata = ".wh..wh." // aufs's own bookkeeping, not content
)

// Clean is the safe form of a path of an archive: relative to the root, with
// slashes, without "." and "..". The root itself is "". A path that climbs out
// of the root is refused, as unpackers refuse it.
func Clean(name string, limit int) (string, error) {
	if len(name) > limit {
		return "", fmt.Errorf("%w: longer than %d bytes", ErrPath, limit)
	}
	if strings.IndexByte(name, 0) >= 0 {
		return "", fmt.Errorf("%w: zero byte", ErrPath)
	}
	clean := path.Clean(strings.TrimLeft(name, "/"))
	switch {
	case clean == ".":
		return "", nil
	case clean == "..", strings.HasPrefix(clean, "../"):
		return "", fmt.Errorf("%w: leaves the root", ErrPath)
	}
	return clean, nil
}

// removal says what a name means as a whiteout. kind is File when it is none.
func removal(name string) (kind Kind, target string, err error) {
	dir, base := path.Split(name)
	if !strings.HasPrefix(base, whiteout) {
		return File, name, nil
	}
	switch {
	case base == opaque:
		return Opaque, strings.TrimSuffix(dir, "/"), nil
	case strings.HasPrefix(base, metadata):
		return Ignored, name, nil
	}
	rest := strings.TrimPrefix(base, whiteout)
	if rest == "" || rest == "." || rest == ".." {
		return File, "", fmt.Errorf("%w: a whiteout of nothing", ErrPath)
	}
	return Whiteout, dir + rest, nil
}
