package detect

import (
	"strings"

	"github.com/google/osv-scalibr/extractor"
	archivemeta "github.com/google/osv-scalibr/extractor/filesystem/language/java/archive/metadata"
)

// A jar built without Maven's pom.properties, as all of Spring is, tells its
// artifact by its manifest or its file name, and its group not at all or in words
// of its own. Advisories are looked up by both, so for artifacts that are widely
// used, and that no other group publishes, the group is known here.

// groupOf is the group of a well-known artifact; "" when it is none.
func groupOf(artifact string) string {
	switch artifact {
	case "spring-aop", "spring-aspects", "spring-beans", "spring-context", "spring-context-support", "spring-core",
		"spring-expression", "spring-jdbc", "spring-jms", "spring-messaging", "spring-orm", "spring-oxm", "spring-tx",
		"spring-web", "spring-webflux", "spring-webmvc", "spring-websocket":
		return "org.springframework"
	case "log4j-api", "log4j-core", "log4j-1.2-api", "log4j-slf4j-impl", "log4j-web":
		return "org.apache.logging.log4j"
	case "jackson-core", "jackson-databind", "jackson-annotations":
		return "com.fasterxml.jackson.core"
	case "commons-text", "commons-lang3", "commons-compress", "commons-configuration2", "commons-collections4":
		return "org.apache.commons"
	case "logback-core", "logback-classic":
		return "ch.qos.logback"
	case "snakeyaml":
		return "org.yaml"
	case "xstream":
		return "com.thoughtworks.xstream"
	case "struts2-core":
		return "org.apache.struts"
	case "postgresql":
		return "org.postgresql"
	case "h2":
		return "com.h2database"
	}
	// From before groups were domains; they are their own.
	if strings.HasPrefix(artifact, "commons-") || artifact == "junit" || artifact == "joda-time" || artifact == "log4j" {
		return artifact
	}
	for _, known := range []struct{ prefix, group string }{
		{"spring-boot", "org.springframework.boot"},
		{"spring-security-", "org.springframework.security"},
		{"spring-cloud-", "org.springframework.cloud"},
		{"spring-data-", "org.springframework.data"},
		{"tomcat-embed-", "org.apache.tomcat.embed"},
		{"netty-", "io.netty"},
		{"jetty-", "org.eclipse.jetty"},
		{"shiro-", "org.apache.shiro"},
	} {
		if strings.HasPrefix(artifact, known.prefix) {
			return known.group
		}
	}
	return ""
}

// settleGroups gives the packages of a jar without pom.properties the group that
// is known of their artifact, and answers one whose group is a guess: then it is
// some title or the artifact again, which is right for a few old ones only.
func settleGroups(found []*extractor.Package) (guessed string) {
	for _, p := range found {
		if p == nil {
			continue
		}
		group, artifact, ok := strings.Cut(p.Name, ":")
		if !ok {
			continue
		}
		if known := groupOf(artifact); known != "" {
			p.Name = known + ":" + artifact
			p.Metadata = &archivemeta.Metadata{GroupID: known, ArtifactID: artifact}
		} else if !strings.Contains(group, ".") && p.Version != "" {
			guessed = artifact
		}
	}
	return guessed
}
