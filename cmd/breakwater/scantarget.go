package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// target is where an image is: in an archive or a directory when path is set,
// and then image is its name there, if one was given; else in a registry.
type target struct{ path, image string }

// target reads what the user named. Beside --input an archive may be named as
// the image itself, by a path, or as skopeo and others write it:
// docker-archive:PATH[:NAME], oci-archive:PATH[:NAME], oci:PATH[:NAME],
// dir:PATH, docker://NAME.
func (f *scanFlags) target(args []string) (target, error) {
	switch {
	case len(args) == 2 && (f.input != "" || args[0] != "-" && !isPath(args[0])):
		return target{}, errors.New("one image at a time; before an IMAGE only the ARCHIVE that holds it may stand")
	case len(args) == 2:
		return target{args[0], args[1]}, nil
	case f.input != "" && len(args) > 0:
		return target{f.input, args[0]}, nil
	case f.input != "":
		return target{path: f.input}, nil
	case len(args) == 0 || args[0] == "":
		return target{}, errors.New("an IMAGE or --input is needed")
	}
	name := args[0]
	for _, transport := range []string{"docker-archive:", "oci-archive:", "oci-dir:", "oci:", "dir:"} {
		if rest, ok := strings.CutPrefix(name, transport); ok {
			at := split(rest)
			if at.path == "" {
				return target{}, fmt.Errorf("%q: a path must stand after %s", name, transport)
			}
			return at, nil
		}
	}
	if rest, ok := strings.CutPrefix(name, "docker://"); ok {
		return target{image: rest}, nil
	}
	if name == "-" || isPath(name) {
		return target{path: name}, nil
	}
	return target{image: name}, nil
}

// split takes PATH[:NAME] apart. A path that is there as it is has no name.
func split(s string) target {
	if _, err := os.Stat(s); err == nil {
		return target{path: s}
	}
	path, name, _ := strings.Cut(s, ":")
	return target{path, name}
}

// isPath tells a path from the name of an image: it begins as one, or it is
// there as a file or as a directory with an image in it, or it ends as archives do.
func isPath(name string) bool {
	for _, prefix := range []string{"/", "./", "../"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	if info, err := os.Stat(name); err == nil {
		if !info.IsDir() {
			return true
		}
		for _, file := range []string{"index.json", "manifest.json"} {
			if _, err := os.Stat(filepath.Join(name, file)); err == nil {
				return true
			}
		}
	}
	for _, suffix := range []string{".tar", ".tgz", ".tar.gz", ".tar.zst", ".tar.bz2", ".tar.xz"} {
		if strings.HasSuffix(name, suffix) && !strings.Contains(name, ":") {
			return true
		}
	}
	return false
}
