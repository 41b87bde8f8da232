package detect

import (
	"regexp"
	"runtime/debug"
	"strings"
)

// A program that was built from its own source has no version in the list of its
// modules, "(devel)", yet its makers mostly have the linker write one into a
// variable, and the linker's flags are kept unless -trimpath was given.

var (
	linkedVersion = regexp.MustCompile(`^v?\d+\.\d+(\.\d+)?([-+][0-9A-Za-z.+-]+)?$`)
	linkedName    = regexp.MustCompile(`(?i)^(app|build|git|release)?_?version$`)
)

// linked is the version that the linker wrote into a variable of the program or
// of its module: -X main.version=v1.2.3. It is empty when there is none, or when
// several disagree.
func linked(info *debug.BuildInfo) string {
	found := ""
	for _, s := range info.Settings {
		if s.Key != "-ldflags" || len(s.Value) > 64<<10 {
			continue
		}
		words := strings.FieldsFunc(s.Value, func(r rune) bool { return strings.ContainsRune(" \t\r\n'\"", r) })
		for i, word := range words {
			flag := strings.TrimPrefix(word, "-")
			if v, ok := strings.CutPrefix(flag, "-X="); ok {
				word = v
			} else if v, ok := strings.CutPrefix(flag, "X="); ok {
				word = v
			} else if i == 0 || words[i-1] != "-X" && words[i-1] != "--X" {
				continue
			}
			name, value, ok := strings.Cut(word, "=")
			dot := strings.LastIndexByte(name, '.')
			if !ok || dot < 0 || !linkedName.MatchString(name[dot+1:]) || !linkedVersion.MatchString(value) {
				continue
			}
			if pkg := name[:dot]; pkg != "main" && pkg != info.Main.Path && !strings.HasPrefix(pkg, info.Main.Path+"/") {
				continue
			}
			value = strings.TrimPrefix(value, "v") // some write both
			if found != "" && found != value {
				return ""
			}
			found = value
		}
	}
	return found
}
