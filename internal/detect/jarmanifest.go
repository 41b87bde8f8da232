package detect

import (
	"archive/zip"
	"io"
	"strings"
)

// manifest is the main section of a jar's META-INF/MANIFEST.MF: attributes by
// their name, up to the first empty line (the sections after it speak of single
// files and packages in the jar).
type manifest map[string]string

// readManifest is nil when the jar has none that can be read. A line that begins
// with a space goes on with the one before it.
func readManifest(f *zip.File) manifest {
	if f == nil {
		return nil
	}
	rc, err := f.Open()
	if err != nil {
		return nil
	}
	defer rc.Close()
	b, err := io.ReadAll(io.LimitReader(rc, jarManifest))
	if err != nil {
		return nil
	}
	m := manifest{}
	name := ""
	var value strings.Builder
	flush := func() {
		if _, twice := m[name]; name != "" && !twice {
			m[name] = strings.TrimSpace(value.String())
		}
		name = ""
		value.Reset()
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\r\n")
		if more, ok := strings.CutPrefix(line, " "); ok {
			value.WriteString(more)
			continue
		}
		flush()
		if line == "" && len(m) > 0 {
			break
		}
		key, first, _ := strings.Cut(line, ":")
		name = key
		value.WriteString(first)
	}
	flush()
	return m
}

// symbolic is the name of the bundle, without its directives.
func (m manifest) symbolic() string {
	name, _, _ := strings.Cut(m["Bundle-SymbolicName"], ";")
	return strings.TrimSpace(name)
}

// version is the first word of the first attribute that tells one; some have
// the build's date behind it.
func (m manifest) version() string {
	for _, key := range []string{"Implementation-Version", "Bundle-Version", "Specification-Version"} {
		if words := strings.Fields(m[key]); len(words) > 0 && len(words[0]) <= maxVersion {
			return words[0]
		}
	}
	return ""
}

// vendor is Implementation-Vendor-Id where it is a group: Maven's archiver fills
// it with the group of what it builds, and others follow it.
func (m manifest) vendor() string {
	id := m["Implementation-Vendor-Id"]
	if strings.Contains(id, ".") && !strings.ContainsAny(id, " :/") {
		return id
	}
	return ""
}

// titled is a title that is a coordinate, "org.apache.xmlgraphics:batik-all".
func (m manifest) titled() (group, artifact string, ok bool) {
	group, artifact, ok = strings.Cut(m["Implementation-Title"], ":")
	if !ok || group == "" || artifact == "" || strings.ContainsAny(group+artifact, " :/;,") {
		return "", "", false
	}
	return group, artifact, true
}
