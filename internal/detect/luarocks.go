package detect

import (
	"context"
	"path"
	"regexp"
	"strings"
)

// typeLuaRocks is the type of package URLs of rocks.
const typeLuaRocks = "luarocks"

// isInstalledRock matches rocks-5.1/NAME/VERSION/NAME-VERSION.rockspec below a
// directory of LuaRocks, which keeps its installed packages there.
func isInstalledRock(p string) bool {
	if !strings.HasSuffix(p, ".rockspec") {
		return false
	}
	parts := strings.Split(p, "/")
	n := len(parts)
	return n >= 4 && strings.HasPrefix(parts[n-4], "rocks") && parts[n-1] == parts[n-3]+"-"+parts[n-2]+".rockspec"
}

// rockLicence is the field of the description, a table of Lua.
var rockLicence = regexp.MustCompile(`\blicense\s*=\s*["']([^"'\n]{1,200})["']`)

// readRock takes name and version from the path, as LuaRocks does, and the licence
// from the file. scalibr's extractor reads no licence and has another type of URL.
func readRock(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	dir := path.Dir(in.Path)
	p := app(typeLuaRocks, path.Base(path.Dir(dir)), path.Base(dir), in.Path)
	if m := rockLicence.FindSubmatch(b); m != nil {
		p.Licences = licences([]string{string(m[1])})
	}
	return one(p), nil
}
