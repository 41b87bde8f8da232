package detect

import (
	"strings"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem/language/java/archive"
	archivemeta "github.com/google/osv-scalibr/extractor/filesystem/language/java/archive/metadata"
	"github.com/google/osv-scalibr/purl"
)

// A jar built without Maven's pom.properties, as all of Spring, Tomcat and Kotlin
// are, tells its artifact by its file name or its manifest, and its group not at
// all or in words of its own. Advisories are looked up by both, so for artifacts
// that are widely used, and that no other group publishes, both are known here.

// coordinate is group and artifact.
type coordinate struct{ group, artifact string }

// known finds the coordinate of a well-known artifact by what its file, or its
// bundle, is called; version tells apart groups that followed each other.
// Quarkus puts the group before the name: io.netty.netty-common. A name over
// maxName is nobody's, and each of its dots would be asked for.
func known(name, version string) (coordinate, bool) {
	if len(name) > maxName {
		return coordinate{}, false
	}
	if c, ok := knownExactly(name, version); ok {
		return c, true
	}
	for i, r := range name {
		if r != '.' {
			continue
		}
		if c, ok := knownExactly(name[i+1:], version); ok && c.group == name[:i] {
			return c, true
		}
	}
	return coordinate{}, false
}

func knownExactly(name, version string) (coordinate, bool) {
	if artifact, ok := tomcatParts[name]; ok {
		return coordinate{"org.apache.tomcat", artifact}, true
	}
	if part, ok := strings.CutPrefix(name, "org.apache.tomcat-"); ok { // its bundles
		if strings.HasPrefix(part, "embed-") {
			return coordinate{"org.apache.tomcat.embed", "tomcat-" + part}, true
		}
		return coordinate{"org.apache.tomcat", "tomcat-" + part}, true
	}
	if name == "apache-cassandra" {
		return coordinate{"org.apache.cassandra", "cassandra-all"}, true
	}
	if group, ok := movedGroup(name, version); ok {
		return coordinate{group, name}, true
	}
	if group, ok := artifacts[name]; ok {
		return coordinate{group, name}, true
	}
	// From before groups were domains; they are their own.
	if strings.HasPrefix(name, "commons-") {
		return coordinate{name, name}, true
	}
	for _, f := range families {
		if strings.HasPrefix(name, f.prefix) {
			return coordinate{f.group, name}, true
		}
	}
	return coordinate{}, false
}

// movedGroup is the group of artifacts that changed it with a major version.
func movedGroup(name, version string) (string, bool) {
	before := func(major, older, newer string) (string, bool) {
		first, _, _ := strings.Cut(version, ".")
		if len(first) < len(major) || len(first) == len(major) && first < major {
			return older, true
		}
		return newer, true
	}
	switch {
	case name == "groovy" || strings.HasPrefix(name, "groovy-"):
		return before("4", "org.codehaus.groovy", "org.apache.groovy")
	case name == "hibernate-core" || name == "hibernate-envers" || name == "hibernate-jcache":
		return before("6", "org.hibernate", "org.hibernate.orm")
	case name == "okhttp":
		return before("3", "com.squareup.okhttp", "com.squareup.okhttp3")
	case name == "retrofit":
		return before("2", "com.squareup.retrofit", "com.squareup.retrofit2")
	case name == "dom4j":
		return before("2", "dom4j", "org.dom4j")
	case name == "hsqldb":
		return before("2", "hsqldb", "org.hsqldb")
	case name == "ehcache":
		return before("3", "net.sf.ehcache", "org.ehcache")
	case strings.HasPrefix(name, "play_") || strings.HasPrefix(name, "play-server_"):
		return before("3", "com.typesafe.play", "org.playframework")
	}
	return "", false
}

// tomcatParts are the names that Tomcat's own distribution gives its jars.
// Its launcher stands for the distribution, which
// is an artifact too.
var tomcatParts = map[string]string{
	"bootstrap": "tomcat", "catalina": "tomcat-catalina", "catalina-ant": "tomcat-catalina-ant", "catalina-ha": "tomcat-catalina-ha",
	"catalina-ssi": "tomcat-ssi", "catalina-storeconfig": "tomcat-storeconfig", "catalina-tribes": "tomcat-tribes",
	"jasper": "tomcat-jasper", "jasper-el": "tomcat-jasper-el", "tomcat-api": "tomcat-api", "tomcat-coyote": "tomcat-coyote",
	"tomcat-coyote-ffm": "tomcat-coyote-ffm", "tomcat-dbcp": "tomcat-dbcp", "tomcat-jdbc": "tomcat-jdbc", "tomcat-jni": "tomcat-jni",
	"tomcat-juli": "tomcat-juli", "tomcat-util": "tomcat-util", "tomcat-util-scan": "tomcat-util-scan", "tomcat-websocket": "tomcat-websocket",
	"tomcat-catalina": "tomcat-catalina", "tomcat-jasper": "tomcat-jasper", "tomcat-tribes": "tomcat-tribes", "tomcat-annotations-api": "tomcat-annotations-api",
}

// maker tells whether the manifest fits a name that other projects use too.
func (m manifest) maker(name string) bool {
	switch name {
	case "bootstrap", "catalina", "jasper":
		return strings.HasPrefix(m["Implementation-Title"], "Apache Tomcat")
	}
	return true
}

// identity is what a jar without pom.properties is, when it is well known or says
// so. base is its file name, or the path of one.
func identity(base string, m manifest) (c coordinate, version string, ok bool) {
	name, version := fileName(base)
	if version == "" {
		version = m.version()
	}
	if version == "" {
		return c, "", false
	}
	if c, ok = known(name, version); ok && m.maker(name) {
		return c, version, true
	}
	if s := m.symbolic(); s != "" {
		if c, ok = known(s, version); ok && m.maker(s) {
			return c, version, true
		}
	}
	if group, artifact, ok := m.titled(); ok {
		return coordinate{group, artifact}, version, true
	}
	return coordinate{}, version, false
}

// fileName splits log4j-core-2.14.1.jar; the version is empty when there is none.
func fileName(base string) (name, version string) {
	base = base[strings.LastIndexByte(base, '/')+1:]
	stem := base[:max(strings.LastIndexByte(base, '.'), 0)]
	if len(stem) > maxName {
		return stem, ""
	}
	if artifacts[stem] != "" {
		return stem, ""
	}
	for i := len(stem) - 2; i > 0; i-- { // log4j-1.2-api-2.17.1 is no log4j 1.2-api-2.17.1
		if stem[i] == '-' && stem[i+1] >= '0' && stem[i+1] <= '9' && artifacts[stem[:i]] != "" {
			return stem[:i], stem[i+1:]
		}
	}
	if p := archive.ParseFilename(base); p != nil {
		return p.ArtifactID, p.Version
	}
	if stem == "" {
		stem = base
	}
	return stem, ""
}

// settle corrects what the extractor made of a jar without pom.properties, and
// answers the artifact whose group is a guess: some title or symbolic name, or
// the artifact again, which is right for a few old ones only.
func settle(found []*extractor.Package, base string, m manifest) (out []*extractor.Package, guessed string) {
	if c, version, ok := identity(base, m); ok {
		return []*extractor.Package{c.as(version)}, ""
	}
	for _, p := range found {
		if p == nil || p.Name == "unknown" {
			continue
		}
		group, artifact, ok := strings.Cut(p.Name, ":")
		if !ok {
			out = append(out, p)
			continue
		}
		c := coordinate{group, artifact}
		if to, ok := known(artifact, p.Version); ok && m.maker(artifact) {
			out = append(out, to.as(p.Version))
			continue
		}
		sure := strings.HasPrefix(artifact, group+".") // org.apache.felix.framework
		switch {
		case m.vendor() != "":
			c.group, sure = m.vendor(), true
		case strings.HasSuffix(m.symbolic(), "."+artifact): // most bundles are called by group and artifact
			c.group = strings.TrimSuffix(m.symbolic(), "."+artifact)
		}
		if !sure && p.Version != "" && m["Spring-Boot-Version"] == "" { // else an application, whose advisories nobody writes
			guessed = artifact
		}
		out = append(out, c.as(p.Version))
	}
	return out, guessed
}

// itself is the jar's own identity where the pom.properties in it are of what it
// was shaded with only; nil when they are not, or when it is not well known.
func itself(found []*extractor.Package, base string, m manifest) *extractor.Package {
	name, version := fileName(base)
	if version == "" {
		return nil
	}
	c, ok := known(name, version)
	if !ok || !m.maker(name) {
		return nil
	}
	for _, p := range found {
		if p == nil {
			continue
		}
		if _, artifact, _ := strings.Cut(p.Name, ":"); artifact == c.artifact || artifact == name {
			return nil
		}
	}
	return c.as(version)
}

func (c coordinate) as(version string) *extractor.Package {
	return &extractor.Package{
		Name: c.group + ":" + c.artifact, Version: version, PURLType: purl.TypeMaven,
		Metadata: &archivemeta.Metadata{GroupID: c.group, ArtifactID: c.artifact},
	}
}
