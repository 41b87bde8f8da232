package hss

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// programFile is an open file of the component image under its path there.
type programFile struct {
	*os.File
	name string
	size int64
}

// maxLibraries bounds how many shared libraries one program may need.
const maxLibraries = 64

// openProgram opens an executable and all that it needs to run in an image that
// holds nothing else. "make build" links statically, so that is one file. A
// binary built with cgo also needs its loader and C libraries: they are taken
// from this machine, where it runs already, and keep their paths.
func openProgram(name string) (files []programFile, err error) {
	defer func() {
		if err != nil {
			closeAll(files)
			files = nil
		}
	}()
	main, parsed, err := openELF(name, "breakwater")
	if err != nil {
		return files, err
	}
	files = append(files, main)
	loader := interpreter(parsed)
	if loader == "" {
		return files, nil
	}
	f, _, err := openELF(loader, imagePath(loader))
	if err != nil {
		return files, err
	}
	files = append(files, f)
	needed, _ := parsed.ImportedLibraries() // none when there is no dynamic section
	for i := 0; i < len(needed); i++ {
		if i == maxLibraries {
			return files, fmt.Errorf("the program needs more than %d libraries", maxLibraries)
		}
		if filepath.Base(loader) == needed[i] {
			continue
		}
		f, library, err := openLibrary(needed[i], filepath.Dir(loader), parsed)
		if err != nil {
			return files, err
		}
		files = append(files, f)
		more, _ := library.ImportedLibraries()
		for _, m := range more {
			if !slices.Contains(needed, m) {
				needed = append(needed, m)
			}
		}
	}
	return files, nil
}

// interpreter is the loader that a dynamic program names; empty for a static one.
func interpreter(f *elf.File) string {
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP || p.Filesz > 4096 {
			continue
		}
		b := make([]byte, p.Filesz)
		if n, _ := p.ReadAt(b, 0); n == len(b) {
			return strings.TrimRight(string(b), "\x00")
		}
	}
	return ""
}

// openLibrary finds a library for the same machine in the directories that a
// loader searches by itself, without any cache or configuration.
func openLibrary(name, loaderDir string, program *elf.File) (programFile, *elf.File, error) {
	if name != filepath.Base(name) {
		return programFile{}, nil, fmt.Errorf("the library %s is named by a path", name)
	}
	candidates := []string{filepath.Join(loaderDir, name)}
	for _, pattern := range []string{"/lib/*-linux-*/", "/usr/lib/*-linux-*/", "/lib64/", "/usr/lib64/", "/lib/", "/usr/lib/"} {
		found, _ := filepath.Glob(pattern + name) // the patterns are well formed
		candidates = append(candidates, found...)
	}
	for _, path := range candidates {
		f, parsed, err := openELF(path, imagePath(path))
		if err != nil {
			continue
		}
		if parsed.Machine == program.Machine && parsed.Class == program.Class {
			return f, parsed, nil
		}
		_ = f.Close()
	}
	return programFile{}, nil, fmt.Errorf("the library %s is not where loaders look", name)
}

func imagePath(path string) string { return strings.TrimPrefix(filepath.Clean(path), "/") }

func openELF(path, name string) (programFile, *elf.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return programFile{}, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	var parsed *elf.File
	if err == nil {
		parsed, err = elf.NewFile(f)
	}
	if err != nil {
		_ = f.Close()
		return programFile{}, nil, err
	}
	return programFile{f, name, info.Size()}, parsed, nil
}

func closeAll(files []programFile) {
	for _, f := range files {
		_ = f.Close()
	}
}
