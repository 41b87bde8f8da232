package detect

import "strings"

// family is a group all of whose artifacts begin alike.
type family struct{ prefix, group string }

// families are tried in their order: the more telling prefix stands first.
var families = []family{
	{"spring-boot-admin-", "de.codecentric"},
	{"spring-boot", "org.springframework.boot"},
	{"spring-security-", "org.springframework.security"},
	{"spring-cloud-gcp-", "com.google.cloud"},
	{"spring-cloud-", "org.springframework.cloud"},
	{"spring-data-", "org.springframework.data"},
	{"spring-integration-", "org.springframework.integration"},
	{"spring-batch-", "org.springframework.batch"},
	{"spring-ldap-", "org.springframework.ldap"},
	{"spring-session-", "org.springframework.session"},
	{"spring-ws-", "org.springframework.ws"},
	{"spring-plugin-", "org.springframework.plugin"},
	{"spring-rabbit", "org.springframework.amqp"},
	{"tomcat-embed-", "org.apache.tomcat.embed"},
	{"tomcat-i18n-", "org.apache.tomcat"},
	{"netty-socketio", "com.corundumstudio.socketio"},
	{"netty-", "io.netty"},
	{"jetty-ee8-", "org.eclipse.jetty.ee8"},
	{"jetty-ee9-", "org.eclipse.jetty.ee9"},
	{"jetty-ee10-", "org.eclipse.jetty.ee10"},
	{"jetty-", "org.eclipse.jetty"},
	{"shiro-", "org.apache.shiro"},
	{"bcprov", "org.bouncycastle"},
	{"bcpkix", "org.bouncycastle"},
	{"bcmail-", "org.bouncycastle"},
	{"bcpg-", "org.bouncycastle"},
	{"bctls-", "org.bouncycastle"},
	{"bcutil-", "org.bouncycastle"},
	{"kotlin-", "org.jetbrains.kotlin"},
	{"kotlinx-coroutines-", "org.jetbrains.kotlinx"},
	{"kotlinx-serialization-", "org.jetbrains.kotlinx"},
	{"lucene-", "org.apache.lucene"},
	{"solr-", "org.apache.solr"},
	{"kafka_2.", "org.apache.kafka"},
	{"akka-", "com.typesafe.akka"},
	{"pekko-", "org.apache.pekko"},
	{"micrometer-", "io.micrometer"},
	{"ant-apache-", "org.apache.ant"},
	{"scala3-", "org.scala-lang"},
}

// artifacts are the groups of single artifacts.
var artifacts = func() map[string]string {
	m := map[string]string{}
	add := func(group, names string) {
		for _, n := range strings.Fields(names) {
			m[n] = group
		}
	}
	add("org.springframework", `spring spring-aop spring-aspects spring-beans spring-context spring-context-indexer spring-context-support spring-core
		spring-expression spring-instrument spring-jcl spring-jdbc spring-jms spring-messaging spring-orm spring-oxm spring-r2dbc spring-test spring-tx
		spring-web spring-webflux spring-webmvc spring-webmvc-portlet spring-websocket`)
	add("org.springframework.amqp", "spring-amqp")
	add("org.springframework.graphql", "spring-graphql")
	add("org.springframework.kafka", "spring-kafka spring-kafka-test")
	add("org.springframework.security.oauth", "spring-security-oauth spring-security-oauth2")
	add("org.springframework.vault", "spring-vault-core")
	add("org.springframework.webflow", "spring-webflow spring-binding spring-js")
	add("org.springframework.ws", "spring-xml")
	add("org.apache.logging.log4j", "log4j-api log4j-core log4j-1.2-api log4j-slf4j-impl log4j-slf4j2-impl log4j-web log4j-jul log4j-jcl log4j-to-slf4j log4j-layout-template-json")
	add("log4j", "log4j")
	add("commons-logging", "commons-logging-api commons-logging-adapters")
	add("junit", "junit")
	add("joda-time", "joda-time")
	add("com.fasterxml.jackson.core", "jackson-core jackson-databind jackson-annotations")
	add("com.fasterxml.jackson.dataformat", "jackson-dataformat-xml jackson-dataformat-yaml jackson-dataformat-cbor jackson-dataformat-smile")
	add("com.fasterxml.jackson.datatype", "jackson-datatype-jsr310 jackson-datatype-jdk8")
	add("org.codehaus.jackson", "jackson-core-asl jackson-mapper-asl jackson-jaxrs jackson-xc")
	add("org.apache.commons", `commons-text commons-lang3 commons-compress commons-configuration2 commons-collections4 commons-vfs2 commons-csv commons-math3
		commons-pool2 commons-dbcp2 commons-exec commons-email commons-beanutils2 commons-fileupload2-core commons-imaging commons-crypto`)
	add("ch.qos.logback", "logback-core logback-classic logback-access")
	add("org.yaml", "snakeyaml")
	add("com.thoughtworks.xstream", "xstream")
	add("org.apache.struts", "struts2-core struts2-rest-plugin struts2-spring-plugin struts2-json-plugin struts-core")
	add("struts", "struts")
	add("opensymphony", "xwork")
	add("org.postgresql", "postgresql")
	add("com.h2database", "h2")
	add("mysql", "mysql-connector-java")
	add("com.mysql", "mysql-connector-j")
	add("org.mariadb.jdbc", "mariadb-java-client")
	add("com.microsoft.sqlserver", "mssql-jdbc")
	add("com.oracle.database.jdbc", "ojdbc6 ojdbc8 ojdbc10 ojdbc11 ojdbc17")
	add("org.apache.derby", "derby derbyclient derbynet derbytools derbyshared")
	add("org.xerial", "sqlite-jdbc")
	add("org.xerial.snappy", "snappy-java")
	add("com.mchange", "c3p0 mchange-commons-java")
	add("org.bouncycastle", "bc-fips bctls-fips")
	add("org.conscrypt", "conscrypt-openjdk-uber conscrypt-openjdk")
	add("com.squareup.okhttp3", "okhttp-jvm okhttp-urlconnection okhttp-sse okhttp-tls logging-interceptor mockwebserver")
	add("com.squareup.okio", "okio okio-jvm")
	add("com.squareup.moshi", "moshi moshi-kotlin")
	add("io.grpc", `grpc-alts grpc-api grpc-auth grpc-census grpc-context grpc-core grpc-googleapis grpc-grpclb grpc-inprocess grpc-netty grpc-netty-shaded
		grpc-okhttp grpc-protobuf grpc-protobuf-lite grpc-rls grpc-services grpc-stub grpc-util grpc-xds`)
	add("io.projectreactor", "reactor-core reactor-test")
	add("io.projectreactor.netty", "reactor-netty reactor-netty-core reactor-netty-http")
	add("org.reactivestreams", "reactive-streams")
	add("org.apache.kafka", `kafka-clients kafka-streams kafka-streams-test-utils kafka-server kafka-server-common kafka-metadata kafka-raft kafka-storage
		kafka-storage-api kafka-tools kafka-tools-api kafka-group-coordinator kafka-group-coordinator-api kafka-coordinator-common kafka-share-coordinator
		kafka-transaction-coordinator kafka-log4j-appender kafka-shell kafka-generator connect-api connect-runtime connect-json connect-transforms
		connect-file connect-mirror connect-mirror-client connect-basic-auth-extension`)
	add("org.apache.zookeeper", "zookeeper zookeeper-jute")
	add("org.elasticsearch", "elasticsearch elasticsearch-core elasticsearch-cli elasticsearch-x-content elasticsearch-geo elasticsearch-lz4 elasticsearch-secure-sm elasticsearch-plugin-classloader")
	add("org.elasticsearch.client", "elasticsearch-rest-client elasticsearch-rest-high-level-client transport")
	add("co.elastic.clients", "elasticsearch-java")
	add("org.opensearch", "opensearch opensearch-core opensearch-cli opensearch-x-content opensearch-geo opensearch-secure-sm opensearch-common")
	add("org.opensearch.client", "opensearch-rest-client opensearch-rest-high-level-client opensearch-java")
	add("org.apache.ant", "ant ant-launcher ant-antlr ant-commons-logging ant-commons-net ant-jsch ant-junit ant-junit4 ant-junitlauncher ant-jmf ant-jdepend ant-javamail ant-jai ant-netrexx ant-swing ant-testutil ant-xz ant-imageio ant-nodeps")
	add("xalan", "xalan serializer")
	add("xerces", "xercesImpl xmlParserAPIs")
	add("xml-apis", "xml-apis xml-apis-ext")
	add("org.apache.poi", "poi poi-ooxml poi-ooxml-schemas poi-ooxml-lite poi-ooxml-full poi-scratchpad poi-excelant")
	add("org.apache.xmlbeans", "xmlbeans")
	add("org.jdom", "jdom jdom2")
	add("org.apache.velocity", "velocity velocity-engine-core velocity-tools")
	add("org.freemarker", "freemarker")
	add("org.beanshell", "bsh")
	add("org.python", "jython jython-standalone")
	add("org.scala-lang", "scala-library scala-reflect scala-compiler")
	add("org.clojure", "clojure")
	add("org.quartz-scheduler", "quartz quartz-jobs")
	add("com.graphql-java", "graphql-java")
	add("com.jayway.jsonpath", "json-path")
	add("org.testng", "testng")
	add("org.hamcrest", "hamcrest hamcrest-core hamcrest-library")
	add("org.aspectj", "aspectjweaver aspectjrt")
	add("org.ow2.asm", "asm asm-analysis asm-commons asm-tree asm-util")
	add("cglib", "cglib cglib-nodep")
	add("org.projectlombok", "lombok")
	add("com.github.ben-manes.caffeine", "caffeine")
	add("com.lmax", "disruptor")
	add("org.hibernate.common", "hibernate-commons-annotations")
	add("com.google.protobuf", "protobuf-java protobuf-java-util protobuf-javalite protobuf-kotlin")
	return m
}()
