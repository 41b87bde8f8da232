package oci

import (
	"runtime"
	"slices"
	"strings"

	"breakwater"
)

// ParsePlatform reads os/architecture or os/architecture/variant, and an
// architecture alone for linux on it. Names that are common for an architecture
// (x86_64, aarch64, armhf) become Go's, which image configs use.
func ParsePlatform(s string) (breakwater.Platform, error) {
	parts := strings.Split(s, "/")
	if len(parts) == 1 && s != "" {
		parts = []string{"linux", s}
		if s == "linux" || s == "windows" {
			parts = []string{s, runtime.GOARCH}
		}
	}
	if len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") || len(s) > 100 || printable(s) != s {
		return breakwater.Platform{}, breakwater.Invalid("platform", "a platform is os/architecture or os/architecture/variant, such as linux/arm64")
	}
	p := breakwater.Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return normal(p), nil
}

// normal is a platform in one spelling: Go's names of architectures, and no
// variant where it is the only one (arm64's v8, amd64's v1).
func normal(p breakwater.Platform) breakwater.Platform {
	p.OS, p.Architecture, p.Variant = strings.ToLower(p.OS), strings.ToLower(p.Architecture), strings.ToLower(p.Variant)
	switch p.Architecture {
	case "x86_64", "x86-64":
		p.Architecture = "amd64"
	case "aarch64":
		p.Architecture = "arm64"
	case "i386", "i686":
		p.Architecture = "386"
	case "armhf":
		p.Architecture, p.Variant = "arm", "v7"
	case "armel":
		p.Architecture, p.Variant = "arm", "v6"
	}
	if p.Architecture == "arm64" && (p.Variant == "v8" || p.Variant == "8") || p.Architecture == "amd64" && p.Variant == "v1" {
		p.Variant = ""
	}
	return p
}

func here() breakwater.Platform {
	return breakwater.Platform{OS: "linux", Architecture: runtime.GOARCH}
}

// matches: what want, which is normal, does not say may be anything.
func matches(p, want breakwater.Platform) bool {
	p = normal(p)
	return p.OS == want.OS && p.Architecture == want.Architecture &&
		(want.Variant == "" || p.Variant == want.Variant) && (want.OSVersion == "" || p.OSVersion == want.OSVersion)
}

// platforms lists those of an index for people, each once, not too many of them.
func platforms(images []Descriptor) string {
	var out []string
	for _, d := range images {
		text := printable(d.Platform.String())
		if slices.Contains(out, text) {
			continue
		}
		if len(out) == 20 {
			out = append(out, "…")
			break
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}
