package detect

import (
	"bytes"
	"compress/zlib"
	"context"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"breakwater"

	"github.com/google/osv-scalibr/purl"
)

// minBinary is the least size that is looked at as a program; the smallest Go
// program is a thousand times larger.
const minBinary = 4 << 10

// maxAuditable bounds the decompressed list in a Rust program; the library that
// scalibr uses reads it without a limit.
const maxAuditable = 8 << 20

// isBinary reports whether the first four bytes are ELF's, PE's or Mach-O's.
func isBinary(head []byte) bool {
	if len(head) < 4 {
		return false
	}
	switch string(head[:4]) {
	case "\x7fELF", "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe":
		return true
	}
	return head[0] == 'M' && head[1] == 'Z'
}

// The marks that a linker leaves where the lists are. Searching for them is far
// cheaper than parsing the tables of every shared library. The two bytes before
// Go's (\xff and a space) are left out: a search that begins with a byte which
// programs are full of takes several times as long.
var (
	goMark   = []byte("Go buildinf:")
	rustMark = []byte(".dep-v0")
)

// readBinary reads the modules that a Go program and the crates that a program
// built with cargo-auditable carry inside.
func readBinary(_ context.Context, _ *Detector, in input) (Facts, error) {
	var f Facts
	isGo, isRust, err := marks(in)
	if err != nil {
		return f, err
	}
	if isGo {
		if info, err := buildinfo.Read(in.r); err == nil { // else only the words occur in it
			f.Packages = goModules(info, in.Path)
		}
	}
	if isRust {
		crates, err := auditable(in)
		for _, c := range crates {
			f.Packages = append(f.Packages, app(purl.TypeCargo, c.Name, c.Version, in.Path))
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// marks searches the content, in pieces that overlap by the longest mark when it
// is not in memory.
func marks(in input) (isGo, isRust bool, err error) {
	if m, ok := in.r.(*Memory); ok {
		return m.pieces.contains(goMark), m.pieces.contains(rustMark), nil
	}
	const piece = 1 << 20
	buf := make([]byte, min(in.Size, piece+int64(len(goMark))))
	for at := int64(0); at < in.Size && !(isGo && isRust); at += piece {
		n, err := in.r.ReadAt(buf, at)
		if err != nil && err != io.EOF {
			return false, false, err
		}
		isGo = isGo || bytes.Contains(buf[:n], goMark)
		isRust = isRust || bytes.Contains(buf[:n], rustMark)
	}
	return isGo, isRust, nil
}

// goModules lists the standard library, the main module and its dependencies,
// each replaced module under the name it was replaced with.
func goModules(info *buildinfo.BuildInfo, path string) []breakwater.Package {
	var out []breakwater.Package
	add := func(name, version string) {
		if name != "" {
			out = append(out, app(purl.TypeGolang, name, strings.TrimPrefix(version, "v"), path))
		}
	}
	// "go1.20-pre3 +a813be86df", "go1.22.1 X:boringcrypto": the version is the first word.
	version, _, _ := strings.Cut(info.GoVersion, " ")
	if v, ok := strings.CutPrefix(version, "go"); ok {
		add("stdlib", v)
		if info.Path == "cmd/go" {
			add("toolchain", v) // as the Go vulnerability database calls the go command
		}
	}
	main := info.Main.Version
	if main == "" || main == "(devel)" {
		if v := linked(info); v != "" {
			main = v
		}
	}
	add(info.Main.Path, main)
	for _, m := range info.Deps {
		m = replaced(m)
		add(m.Path, m.Version)
	}
	return out
}

// replaced follows a replacement unless it points at a directory, whose path
// names no module; its version is "(devel)" or missing.
func replaced(m *debug.Module) *debug.Module {
	if m.Replace == nil || m.Replace.Path == "" || m.Replace.Version == "" || m.Replace.Version == "(devel)" {
		return m
	}
	return m.Replace
}

// crate is one entry of the list that cargo-auditable embeds.
type crate struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Kind    string `json:"kind"` // "build" was needed to compile only
}

// auditable reads the section .dep-v0: zlib over JSON.
func auditable(in input) ([]crate, error) {
	section := rustSection(in)
	if section == nil {
		return nil, nil
	}
	z, err := zlib.NewReader(io.LimitReader(section, maxAuditable))
	if err != nil {
		return nil, fmt.Errorf("auditable: %w", err)
	}
	defer z.Close()
	b, err := io.ReadAll(io.LimitReader(z, maxAuditable+1))
	if err != nil {
		return nil, fmt.Errorf("auditable: %w", err)
	}
	if len(b) > maxAuditable {
		return nil, fmt.Errorf("auditable: larger than %d bytes", maxAuditable)
	}
	var list struct {
		Packages []crate `json:"packages"`
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("auditable: %w", err)
	}
	out := list.Packages[:0]
	for _, c := range list.Packages {
		if c.Kind != "build" {
			out = append(out, c)
		}
	}
	return out, nil
}

func rustSection(in input) io.Reader {
	if f, err := elf.NewFile(in.r); err == nil {
		if s := f.Section(".dep-v0"); s != nil && s.Type != elf.SHT_NOBITS {
			return s.Open()
		}
		return nil
	}
	if f, err := pe.NewFile(in.r); err == nil {
		if s := f.Section(".dep-v0"); s != nil {
			return s.Open()
		}
		return nil
	}
	if f, err := macho.NewFile(in.r); err == nil {
		if s := f.Section(".dep-v0"); s != nil {
			return s.Open()
		}
	}
	return nil
}
