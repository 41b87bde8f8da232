package detect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater/internal/detect"
)

func mf(lines string) member {
	return member{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n" + lines}
}

// TestJarsWithoutPom: what is not built by Maven is found under the name that
// advisories use, and what is only guessed says so.
func TestJarsWithoutPom(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for _, tt := range []struct {
		name, path, body string
		want             []string
		guessed          bool
	}{
		{"Tomcat's own name, version in the manifest", "usr/local/tomcat/lib/catalina.jar", jar(t, mf("Bundle-SymbolicName: org.apache.tomcat-catalina\nBundle-Version: 9.0.70\nImplementation-Title: Apache Tomcat\nImplementation-Version: 9.0.70\n")),
			[]string{"Maven|org.apache.tomcat:tomcat-catalina 9.0.70"}, false},
		{"Tomcat before it made bundles", "opt/tomcat/lib/tomcat-coyote.jar", jar(t, mf("Specification-Title: Apache Tomcat\nImplementation-Title: Apache Tomcat\nImplementation-Version: 8.5.5\n")),
			[]string{"Maven|org.apache.tomcat:tomcat-coyote 8.5.5"}, false},
		{"Tomcat's launcher is the distribution", "usr/local/tomcat/bin/bootstrap.jar", jar(t, mf("Main-Class: org.apache.catalina.startup.Bootstrap\nImplementation-Title: Apache Tomcat Bootstrap\nImplementation-Version: 9.0.70\n")),
			[]string{"Maven|org.apache.tomcat:tomcat 9.0.70"}, false},
		{"Tomcat embedded, under another name", "app/websocket.jar", jar(t, mf("Bundle-SymbolicName: org.apache.tomcat-embed-websocket\nBundle-Version: 9.0.65\nImplementation-Title: Apache Tomcat\n")),
			[]string{"Maven|org.apache.tomcat.embed:tomcat-embed-websocket 9.0.65"}, false},
		{"another one's launcher", "app/bootstrap-1.2.jar", jar(t, mf("Implementation-Title: Other\n")), []string{"Maven|bootstrap:bootstrap 1.2"}, true},
		{"Tomcat as Debian calls it", "usr/share/java/tomcat10-coyote-10.1.60.jar", jar(t, mf("Bundle-SymbolicName: org.apache.tomcat-coyote\nBundle-Version: 10.1.60\n")),
			[]string{"Maven|org.apache.tomcat:tomcat-coyote 10.1.60"}, false},
		{"a title that is a coordinate", "lib/batik-all.jar", jar(t, mf("Implementation-Title: org.apache.xmlgraphics:batik-all\nImplementation-Version: 1.16\n")),
			[]string{"Maven|org.apache.xmlgraphics:batik-all 1.16"}, false},
		{"Bouncy Castle", "lib/bcprov-jdk15on-1.66.jar", jar(t, mf("Bundle-SymbolicName: bcprov\nExtension-Name: org.bouncycastle.bcprovider\nImplementation-Vendor-Id: org.bouncycastle\nImplementation-Version: 1.66.0.0\n")),
			[]string{"Maven|org.bouncycastle:bcprov-jdk15on 1.66"}, false},
		{"Groovy 2 and 4", "x.war", jar(t, member{"WEB-INF/lib/groovy-json-2.4.21.jar", jar(t, mf("Bundle-SymbolicName: groovy-json\n"))}, member{"WEB-INF/lib/groovy-4.0.2.jar", jar(t, mf("Bundle-SymbolicName: groovy\n"))}),
			[]string{"Maven|org.apache.groovy:groovy 4.0.2", "Maven|org.codehaus.groovy:groovy-json 2.4.21"}, false},
		{"the vendor's id is the group", "lib/thing-core-1.0.jar", jar(t, mf("Bundle-SymbolicName: thing\nImplementation-Vendor-Id: com.example.thing\n")),
			[]string{"Maven|com.example.thing:thing-core 1.0"}, false},
		{"a bundle's name holds group and artifact", "lib/thing-1.0.jar", jar(t, mf("Bundle-SymbolicName: com.example.thing\n")),
			[]string{"Maven|com.example:thing 1.0"}, true},
		{"a dotted name that is no group", "lib/odd-1.0.jar", jar(t, mf("Automatic-Module-Name: com.example.other\nImplementation-Title: odd\nImplementation-Version: 1.0\n")),
			[]string{"Maven|odd:odd 1.0"}, true},
		{"Quarkus writes the group before the name", "app/lib/main/org.springframework.spring-core-5.3.0.jar", jar(t, mf("")),
			[]string{"Maven|org.springframework:spring-core 5.3.0"}, false},
		{"Cassandra's file is called otherwise", "opt/cassandra/lib/apache-cassandra-4.1.0.jar", jar(t, mf("Implementation-Title: Cassandra\nImplementation-Version: 4.1.0\n")),
			[]string{"Maven|org.apache.cassandra:cassandra-all 4.1.0"}, false},
		{"shaded, and itself without a pom", "lib/kotlin-compiler-1.3.31.jar", jar(t, mf(""), pom("com.google.guava", "guava", "31.1-jre")),
			[]string{"Maven|com.google.guava:guava 31.1-jre", "Maven|org.jetbrains.kotlin:kotlin-compiler 1.3.31"}, false},
		{"shaded, with its own pom", "lib/netty-common-4.1.1.jar", jar(t, mf(""), pom("org.jctools", "jctools-core", "3.1"), pom("io.netty", "netty-common", "4.1.1")),
			[]string{"Maven|io.netty:netty-common 4.1.1", "Maven|org.jctools:jctools-core 3.1"}, false},
		{"a manifest of long lines", "lib/x.jar", jar(t, member{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nBundle-SymbolicName: org.apache.to\r\n mcat-catalina;singleton:=true\r\nBundle-Version: 9.0.1\r\n\r\nName: a\r\nBundle-Version: 7\r\n"}),
			[]string{"Maven|org.apache.tomcat:tomcat-catalina 9.0.1"}, false},
		{"a number in the artifact", "lib/log4j-1.2-api-2.17.1.jar", jar(t, mf("")), []string{"Maven|org.apache.logging.log4j:log4j-1.2-api 2.17.1"}, false},
		{"a number in the artifact and no version", "lib/log4j-1.2-api.jar", jar(t, mf("Implementation-Version: 2.17.1\n")), []string{"Maven|org.apache.logging.log4j:log4j-1.2-api 2.17.1"}, false},
		{"what begins like a family and is not of it", "x.war", jar(t, member{"WEB-INF/lib/netty-socketio-1.7.18.jar", jar(t, mf(""))}, member{"WEB-INF/lib/jetty-ee10-servlets-12.0.1.jar", jar(t, mf(""))},
			member{"WEB-INF/lib/spring-boot-admin-server-2.6.9.jar", jar(t, mf(""))}, member{"WEB-INF/lib/commons-imaging-1.0.jar", jar(t, mf(""))}),
			[]string{"Maven|com.corundumstudio.socketio:netty-socketio 1.7.18", "Maven|de.codecentric:spring-boot-admin-server 2.6.9",
				"Maven|org.apache.commons:commons-imaging 1.0", "Maven|org.eclipse.jetty.ee10:jetty-ee10-servlets 12.0.1"}, false},
		{"an application of Spring Boot", "app/shop-1.0.jar", jar(t, mf("Start-Class: com.example.Shop\nSpring-Boot-Version: 3.0.0\n")), []string{"Maven|shop:shop 1.0"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := read(t, d, tt.path, []byte(tt.body))
			if diff := cmp.Diff(tt.want, render(f)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (f.Skipped != "") != tt.guessed {
				t.Errorf("guessed is %v: %q", tt.guessed, f.Skipped)
			}
		})
	}
}

// TestJarNamesWithoutEnd: a name that a small jar makes as long as a manifest may
// be costs no more than to read it.
func TestJarNamesWithoutEnd(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for name, body := range map[string]string{
		"of a bundle": jar(t, mf("Bundle-SymbolicName: "+strings.Repeat(".", 1<<20-100)+"\nBundle-Version: 1\n")),
		"of a title":  jar(t, mf("Implementation-Title: a:"+strings.Repeat(".", 1<<20-100)+"\nBundle-Version: 1\n")),
		"of files":    jar(t, member{strings.Repeat("-0", 30_000) + ".jar", jar(t)}, member{strings.Repeat(".", 60_000) + ".jar", jar(t)}),
	} {
		from := time.Now()
		_ = read(t, d, "app/a.jar", []byte(body))
		if took := time.Since(from); took > 5*time.Second {
			t.Errorf("a name %s took %v", name, took)
		}
	}
}
