package detect

import (
	"bufio"
	"bytes"
	"context"
	"strconv"
	"strings"
)

// Cargo.lock, poetry.lock, pdm.lock, uv.lock and pylock.toml are TOML that a program wrote: tables of packages,
// each with its name and version on lines of their own. They are read by line,
// because the parser that scalibr uses recurses by brackets until the stack
// overflows, which ends the process, and takes quadratic time over dotted keys.

// readTOML reads the [[package]] tables of a lock file, in pylock.toml [[packages]].
// What uv keeps as its own project (virtual) or as a directory beside it is no
// package of the index.
func readTOML(purlType string) func(context.Context, *Detector, input) (Facts, error) {
	return func(_ context.Context, _ *Detector, in input) (Facts, error) {
		b, err := in.all()
		if err != nil {
			return Facts{}, err
		}
		var f Facts
		var name, version string
		local := false
		flush := func() {
			if name != "" && version != "" && !local && len(f.Packages) <= maxPackages {
				f.Packages = append(f.Packages, app(purlType, name, version, in.Path))
			}
			name, version, local = "", "", false
		}
		table := false
		lines := bufio.NewScanner(bytes.NewReader(b))
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			line := strings.TrimSpace(lines.Text())
			if strings.HasPrefix(line, "[") {
				table = line == "[[package]]" || line == "[[packages]]"
				if table {
					flush()
				}
				continue
			}
			key, value, ok := strings.Cut(line, "=")
			if !table || !ok {
				continue
			}
			// The first of each counts: text over several lines could hold others.
			switch key = strings.TrimSpace(key); {
			case key == "name" && name == "":
				name = tomlString(value)
			case key == "version" && version == "":
				version = tomlString(value)
			case key == "source":
				kind, _, _ := strings.Cut(strings.TrimLeft(value, " {"), " ")
				local = kind == "virtual" || kind == "editable" || kind == "directory"
			}
		}
		flush()
		if lines.Err() != nil {
			return f, errForm
		}
		return f, nil
	}
}

// tomlString is a quoted value on one line; empty when it is something else.
func tomlString(s string) string {
	s = strings.TrimSpace(s)
	if len(s) < 2 {
		return ""
	}
	if s[0] == '\'' {
		value, _, _ := strings.Cut(s[1:], "'")
		return value
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil || s[0] != '"' {
		return ""
	}
	value, err := strconv.Unquote(quoted)
	if err != nil {
		return ""
	}
	return value
}
