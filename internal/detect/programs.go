package detect

import (
	"bytes"
	"context"
	"path"
	"regexp"
	"strings"
)

// programs are the rows by the stem of the file's name. Each form was read off
// the program as its makers or Debian build it: most are what it prints when it is
// asked for its version. A string begins where something is that is no text.
var programs = func() map[string][]program {
	rows := map[string][]program{}
	add := func(stems string, p program) {
		for _, s := range strings.Fields(stems) {
			rows[s] = append(rows[s], p)
		}
	}
	judged := func(stems, name, mark, form string) { add(stems, program{name, true, told(mark, form)}) }
	listed := func(stems, name, mark, form string) { add(stems, program{name, false, told(mark, form)}) }

	add("python libpython", program{"python", true, pythonVersion})
	judged("node libnode", "node", "node.js/v", `node\.js/v(\d+\.\d+\.\d+)\x00`)
	judged("php php-cgi php-fpm libphp", "php", "X-Powered-By: PHP/", `PHP/(\d+\.\d+\.\d+[0-9A-Za-z.-]*)\x00`)
	judged("ruby libruby", "ruby", "ruby ", `[^ -~]ruby (\d+\.\d+\.\d+)[a-z0-9]* \(\d{4}-\d\d-\d\d `)
	judged("nginx nginx-debug", "nginx", "nginx version: nginx/", `nginx version: nginx/(\d+\.\d+\.\d+)`)
	judged("nginx nginx-debug openresty", "openresty", "nginx version: openresty/", `nginx version: openresty/(\d+(?:\.\d+){2,3})`)
	judged("httpd apache", "apache", "Apache/", `[^ -~]Apache/(\d+\.\d+\.\d+)(?: \(|\x00)`)
	judged("postgres", "postgresql", "postgres (PostgreSQL) ", `[^ -~]postgres \(PostgreSQL\) (\d+(?:\.\d+)+)`)
	judged("mariadbd mysqld", "mariadb", "-MariaDB", `[^ -~](\d+\.\d+\.\d+)-MariaDB`)
	add("redis-server", program{"redis", true, redisVersion("redis_version:")})
	add("valkey-server", program{"valkey", true, redisVersion("valkey_version:")})
	judged("memcached", "memcached", "memcached ", `[^ -~]memcached (\d+\.\d+\.\d+)[\x00\n]`)
	judged("haproxy", "haproxy", ", released 20", ` version (\d+\.\d+\.\d+)[0-9A-Za-z+~.-]*, released 20\d\d/`)
	judged("varnishd", "varnish", "varnish-", `[^ -~]varnish-(\d+\.\d+\.\d+) revision [0-9a-f]+`)
	judged("pgbouncer", "pgbouncer", "PgBouncer ", `[^ -~]PgBouncer (\d+\.\d+\.\d+)[\x00\n]`)
	judged("slapd", "openldap", "$OpenLDAP: slapd ", `\$OpenLDAP: slapd (\d+\.\d+\.\d+)`)
	judged("git", "git", "git/", `[^ -~]git/(\d+\.\d+\.\d+)\x00`)
	listed("perl", "perl", "v5.", `[^ -~]v(5\.\d+\.\d+)\x00`)
	listed("openssl libcrypto", "openssl", "OpenSSL ", `[^ -~]OpenSSL (\d+\.\d+\.\d+[a-z]*) {1,2}\d{1,2} [A-Z][a-z]{2} \d{4}`)
	listed("curl libcurl", "curl", "curl/", `[^ -~](?:lib)?curl/(\d+\.\d+\.\d+)\x00`)
	// The official image has its bytes under the first of its names.
	listed("busybox [", "busybox", "BusyBox v", `[^ -~]BusyBox v(\d+\.\d+\.\d+)`)
	return rows
}()

// pythonVersion finds "3.11.7" in a file that is named after 3.11. It stands
// alone, or as the end of a path where the linker made two strings one.
func pythonVersion(t *telling, base string) (version string, err error) {
	series := regexp.MustCompile(`\d\.\d+`).FindString(base)
	if series == "" {
		return "", nil
	}
	return told(series+".", `(?:[^ -~]|/)(`+regexp.QuoteMeta(series)+`\.\d+(?:(?:a|b|rc)\d+)?)\+?\x00`)(t, base)
}

// redisBuild is how redis and what came of it writes its build: the version, the
// host, the time, whether the sources were changed, and no commit. The version
// cannot be told from a host's name that begins with a digit.
var redisBuild = regexp.MustCompile(`(\d+\.\d+\.\d+)[0-9A-Za-z._-]*?\d{10}[0-9]*00000000$`)

// redisVersion finds the version that stands before the build, and that stands
// alone too.
func redisVersion(field string) func(*telling, string) (string, error) {
	return func(t *telling, _ string) (version string, err error) {
		if ok, err := t.has(field); !ok || err != nil {
			return "", err
		}
		var build []byte
		err = t.each("00000000\x00", func(text []byte, at int) bool {
			if m := redisBuild.FindSubmatchIndex(text[:at+len("00000000")]); m != nil {
				build = bytes.Clone(text[m[2]:m[3]])
			}
			return build != nil
		})
		if build == nil || err != nil {
			return "", err
		}
		// What of the digits is surely the version's own.
		err = t.each(string(redisCore.Find(build)), func(text []byte, at int) bool {
			from, to := bytes.LastIndexByte(text[:at], 0)+1, bytes.IndexByte(text[at:], 0)
			if from > 0 && to > 0 {
				if v := text[from : at+to]; len(v) > len(version) && semverOnly.Match(v) && bytes.Contains(build, v) {
					version = string(v)
				}
			}
			return false
		})
		return version, err
	}
}

var redisCore = regexp.MustCompile(`\d\.\d+\.\d`)

var semverOnly = regexp.MustCompile(`^\d+\.\d+\.\d+$`)

// isProgramText matches the files beside a program that say its version.
func isProgramText(p string) bool {
	switch path.Base(p) {
	case "release", "OTP_VERSION", "rabbit.app", "version.php":
		return sayings[path.Base(p)].place(path.Dir("/"+p)) && !strings.HasPrefix(p, "opt/bitnami/")
	}
	return false
}

// saying is one such file.
type saying struct {
	program
	place func(dir string) bool
	form  *regexp.Regexp
}

// sayings are the files by base name: of a Java runtime (JEP 223 has the form of
// the version), Erlang, RabbitMQ and WordPress.
var sayings = map[string]saying{
	"release":     {program{name: "java", judged: true}, func(string) bool { return true }, regexp.MustCompile(`(?m)^JAVA_VERSION="([0-9][0-9A-Za-z._+-]*)"`)},
	"OTP_VERSION": {program{name: "erlang"}, func(dir string) bool { return path.Base(path.Dir(dir)) == "releases" }, regexp.MustCompile(`^\s*(\d+(?:\.\d+)+(?:-rc\d+)?)\s*$`)},
	"rabbit.app":  {program{name: "rabbitmq", judged: true}, func(dir string) bool { return path.Base(dir) == "ebin" }, regexp.MustCompile(`\{vsn, *"(\d+\.\d+\.\d+[0-9A-Za-z.+-]*)"\}`)},
	"version.php": {program{name: "wordpress", judged: true}, func(dir string) bool { return path.Base(dir) == "wp-includes" }, regexp.MustCompile(`(?m)^\$wp_version = '([0-9][0-9A-Za-z.-]*)';`)},
}

func readProgramText(_ context.Context, _ *Detector, in input) (Facts, error) {
	b, err := in.all()
	if err != nil {
		return Facts{}, err
	}
	row := sayings[path.Base(in.Path)]
	m := row.form.FindSubmatch(b)
	if m == nil {
		return Facts{}, nil
	}
	return one(row.pkg(string(m[1]), in.Path)), nil
}
