package detect

import (
	"bytes"
	"context"
	"regexp"
	"strings"

	"github.com/google/osv-scalibr/purl"
)

// mix.lock and rebar.lock are terms of Elixir and Erlang that a program wrote.
// scalibr reads only the first, and there it loses the first entry where it
// stands behind the bracket, takes the application's name for the package's, and
// takes a package of a private organisation for a public one.

// isHexLock matches both, except those of fetched dependencies.
func isHexLock(p string) bool {
	if !lock("mix.lock", "rebar.lock")(p) {
		return false
	}
	p = "/" + p
	return !strings.Contains(p, "/deps/") && !strings.Contains(p, "/_build/")
}

// mixEntry is one of
//
//	"app": {:hex, :package, "1.2.3", "hash", [:mix], [{:dep, …}], "hexpm", "hash"},
//	"app": {:git, "https://…", "revision", [branch: "main"]},
var mixEntry = regexp.MustCompile(`"([^"\n]+)":\s*\{:(hex|git),\s*(?::"?([^",\s]+)"?|"[^"\n]*"),\s*"([^"\n]+)"`)

// rebarEntry is one of
//
//	{<<"app">>,{pkg,<<"package">>,<<"1.2.3">>},0}
//	{<<"app">>,{git,"https://…",{ref,"revision"}},0}
//
// with line breaks anywhere.
var rebarEntry = regexp.MustCompile(`<<"([^"\n]+)">>\s*,\s*\{\s*(?:pkg\s*,\s*<<"([^"\n]+)">>\s*,\s*<<"([^"\n]+)">>|(?:git|git_subdir|hg)\s*,\s*"[^"\n]*"\s*,\s*\{\s*\w+\s*,\s*"([^"\n]+)")`)

// readHexLock lists packages of hex.pm, and those of repositories by their
// revision, of which no advisory speaks.
func readHexLock(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	entry, last := mixEntry, "}"
	if strings.HasSuffix(in.Path, "rebar.lock") {
		entry, last = rebarEntry, "."
	}
	var f Facts
	found := entry.FindAllSubmatchIndex(b, maxPackages+1)
	for i, at := range found {
		group := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return string(b[at[2*n]:at[2*n+1]])
		}
		name, version, public := "", "", true
		if entry == mixEntry {
			end := len(b)
			if i+1 < len(found) {
				end = found[i+1][0]
			}
			name, version = group(3), group(4)
			public = group(2) == "hex" && name != "" && mixPublic(b[at[1]:end])
		} else {
			name, version = group(2), group(3)
			public = version != ""
			if !public {
				version = group(4)
			}
		}
		if name == "" {
			name = group(1)
		}
		p := app(purl.TypeHex, name, version, in.Path)
		if !public {
			p.Ecosystem = ""
		}
		f.Packages = append(f.Packages, p)
	}
	switch end := bytes.TrimSpace(b); {
	case len(found) > maxPackages:
		err = errMany
	case len(end) > 0 && !bytes.HasSuffix(end, []byte(last)):
		err = errForm // cut off
	}
	return f, err
}

// mixPublic reports whether the rest of an entry, after its version, names the
// public repository: the word after the last list. The oldest files name none.
func mixPublic(rest []byte) bool {
	rest, _, _ = bytes.Cut(rest, []byte("\n"))
	i := bytes.LastIndex(rest, []byte("],"))
	if i < 0 {
		return true
	}
	_, rest, _ = bytes.Cut(rest[i:], []byte(`"`))
	repository, _, ok := bytes.Cut(rest, []byte(`"`))
	return !ok || string(repository) == "hexpm"
}
