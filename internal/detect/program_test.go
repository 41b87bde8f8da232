package detect_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"breakwater/internal/detect"
)

// saying is a program with these bytes among its own, far from its beginning.
func saying(t testing.TB, words string) []byte {
	return elfWith(t, ".rodata", []byte(strings.Repeat("\x00\xff\x01code", 1000)+words+strings.Repeat("\x00\x02", 5000)))
}

func TestPrograms(t *testing.T) {
	tests := []struct{ path, words, want string }{
		{"usr/local/lib/libpython3.12.so.1.0", "pymalloc_debug\x003.12.7\x00strict\x00", "Bitnami|python 3.12.7"},
		{"usr/local/lib/libpython3.6m.so.1.0", "/opt/python/3.6.15\x00lib/python3.6\x00", "Bitnami|python 3.6.15"},
		{"usr/local/bin/python3.13", "\x003.13.0rc2\x00", "Bitnami|python 3.13.0rc2"},
		{"usr/local/bin/python3.13", "\x003.12.1\x00", ""}, // of another series
		{"usr/local/bin/python3.1", "\x003.13.0\x00", ""},
		{"usr/local/bin/node", "/json\x00node.js/v20.20.2\x00(", "Bitnami|node 20.20.2"},
		{"usr/lib/libnode.so.115", "\x00node.js/v20.19.2\x00", "Bitnami|node 20.19.2"},
		{"usr/local/bin/php", "%s,%s\x00X-Powered-By: PHP/8.3.2\x00", "Bitnami|php 8.3.2"},
		{"usr/local/sbin/php-fpm", "\x00X-Powered-By: PHP/8.4.0RC1\x00", "Bitnami|php 8.4.0RC1"},
		{"usr/lib/apache2/modules/libphp8.2.so", "\x00X-Powered-By: PHP/8.2.36\x00", "Bitnami|php 8.2.36"},
		{"usr/local/lib/libruby.so.3.3.0", "\x00ruby 3.3.0 (2023-12-25 revision 5124f9ac75) [x86_64-linux]\x00", "Bitnami|ruby 3.3.0"},
		{"usr/local/bin/ruby", "\x00ruby 3.1.2p20 (2022-04-12 revision 4491bb740a) +YJIT [x86_64-linux]\x00", "Bitnami|ruby 3.1.2"},
		{"usr/sbin/nginx", "\x00nginx version: nginx/1.25.3\x00", "Bitnami|nginx 1.25.3"},
		{"usr/local/openresty/nginx/sbin/nginx", "\x00nginx version: openresty/1.25.3.1\x00", "Bitnami|openresty 1.25.3.1 (openresty 1.25.3)"},
		{"usr/local/apache2/bin/httpd", "\x00Apache/2.4.58\x00Apache/2.4.58 (Unix)\x00", "Bitnami|apache 2.4.58"},
		{"usr/local/pgsql/bin/postgres", "\x00postgres (PostgreSQL) 16.1\n\x00", "Bitnami|postgresql 16.1"},
		{"usr/sbin/mariadbd", "\x0010.11.19-MariaDB\x00", "Bitnami|mariadb 10.11.19"},
		{"usr/local/bin/redis-server", "\x00redis_version:%s\x00err\x007.2.4\x00c11-builtin\x007.2.43fa85f64a1b2-17048123450000000000\x00", "Bitnami|redis 7.2.4"},
		{"usr/local/bin/redis-server", "\x00redis_version:%s\x00err\x007.2.4\x003.7.2\x00A37.2.4buildkitsandbox-17048123450000000000\x00", "Bitnami|redis 7.2.4"},
		{"usr/local/bin/redis-server", "\x007.2.4\x007.2.4host-17048123450000000000\x00", ""}, // no redis
		{"usr/local/bin/redis-server", "\x00redis_version:%s\x007.0.1\x007.0.15\x007.0.1517048123450000000000\x00", "Bitnami|redis 7.0.15"},
		{"usr/local/bin/valkey-server", "\x00valkey_version:%s\x008.1.1\x008.1.117902820560000000000\x00", "Bitnami|valkey 8.1.1"},
		{"usr/local/bin/memcached", "\x00memcached 1.6.38\n\x00", "Bitnami|memcached 1.6.38"},
		{"usr/local/sbin/haproxy", "\x00 version 2.9.4-4e071ad, released 2024/01/31\x00", "Bitnami|haproxy 2.9.4"},
		{"usr/sbin/varnishd", "\x00varnish-7.4.2 revision cd1d10ab53a6f6115b2b4f3e2a1da94c1f749f80\x00", "Bitnami|varnish 7.4.2"},
		{"usr/bin/pgbouncer", "\x00PgBouncer 1.22.0\x00", "Bitnami|pgbouncer 1.22.0"},
		{"usr/local/libexec/slapd", "@(#) $OpenLDAP: slapd 2.6.7 (Feb  1 2024 12:00:00) $\n\x00", "Bitnami|openldap 2.6.7"},
		{"usr/local/bin/git", "\xff\xfegit/2.44.0\x00GIT_USER_AGENT\x00", "Bitnami|git 2.44.0"},
		{"usr/local/bin/perl5.38.2", "RAND_SEED\x00v5.38.2\x00panic", "|perl 5.38.2"},
		{"usr/local/lib/libcrypto.so.1.1", "\x00OpenSSL 1.1.1w  11 Sep 2023\x00", "|openssl 1.1.1w"},
		{"usr/local/lib/libcurl.so.4.8.0", "\x00libcurl/8.5.0\x00", "|curl 8.5.0"},
		{"bin/[", "\x00BusyBox v1.36.1 (2024-01-01 00:00:00 UTC)\x00", "|busybox 1.36.1"},
		// Where no such program lies, or where its document lies beside it.
		{"usr/lib/ruby/3.1.0/openssl.so", "\x00OpenSSL 3.0.22 25 Aug 2026\x00", ""},
		{"opt/bitnami/redis/bin/redis-server", "\x00redis_version:%s\x007.2.4\x007.2.4host-17048123450000000000\x00", ""},
		{"usr/local/bin/git", "\x00git version %s\x00", ""},
	}
	d := newDetector(t, detect.Options{})
	for _, tt := range tests {
		f := read(t, d, tt.path, saying(t, tt.words))
		got := strings.Join(render(f), ", ")
		if got != tt.want || f.Skipped != "" {
			t.Errorf("%s that says %q is %q (%s), want %q", tt.path, tt.words, got, f.Skipped, tt.want)
		}
		for _, p := range f.Packages {
			if name := strings.TrimPrefix(p.PURL, "pkg:generic/"); name != p.Name+"@"+p.Version || p.Type != detect.TypeProgram {
				t.Errorf("%s: %s, %s", tt.path, p.Type, p.PURL)
			}
		}
	}
}

// TestProgramsAtSeams: what a program says is found wherever it stands, and told
// once.
func TestProgramsAtSeams(t *testing.T) {
	d := newDetector(t, detect.Options{})
	words := "\x00node.js/v20.20.2\x00"
	for _, at := range []int{1<<20 - 400, 1<<20 - 200, 1<<20 - 30, 1<<20 - 20, 1<<20 - 10, 1 << 20, 1<<20 + 160, 2<<20 - 12} {
		body := make([]byte, 3<<20)
		copy(body, "\x7fELF\x02\x01\x01")
		copy(body[at:], words)
		if diff := cmp.Diff([]string{"Bitnami|node 20.20.2"}, render(read(t, d, "usr/local/bin/node", body))); diff != "" {
			t.Errorf("at %d (-want +got):\n%s", at, diff)
		}
	}
}

func TestProgramTexts(t *testing.T) {
	tests := []struct{ path, body, want string }{
		{"opt/java/openjdk/release", "IMPLEMENTOR=\"Eclipse Adoptium\"\nJAVA_VERSION=\"21.0.2\"\nOS_NAME=\"Linux\"\n", "Bitnami|java 21.0.2"},
		{"usr/lib/jvm/java-8/release", "JAVA_VERSION=\"1.8.0_392\"\nOS_NAME=\"Linux\"\n", "Bitnami|java 1.8.0_392 (java 8.0.392)"},
		{"usr/lib/jvm/java-17/release", "JAVA_VERSION=\"17.0.21.1\"\n", "Bitnami|java 17.0.21.1 (java 17.0.21)"},
		{"usr/lib/jvm/java-8/release", "JAVA_VERSION=\"1.8.0\"\n", "Bitnami|java 1.8.0 (java 8.0)"},
		{"usr/local/lib/erlang/releases/26/OTP_VERSION", "26.2.1\n", "|erlang 26.2.1"},
		{"opt/rabbitmq/plugins/rabbit-3.12.12/ebin/rabbit.app", "{application,rabbit,[{description,\"RabbitMQ\"},{vsn,\"3.12.12\"},{modules,[a]}]}.\n", "Bitnami|rabbitmq 3.12.12"},
		{"var/www/html/wp-includes/version.php", "<?php\n/**\n * @global string $wp_version\n */\n$wp_version = '6.4.3';\n", "Bitnami|wordpress 6.4.3"},
		{"srv/release", "VERSION=1\n", ""},
	}
	d := newDetector(t, detect.Options{})
	for _, tt := range tests {
		if got := strings.Join(render(read(t, d, tt.path, []byte(tt.body))), ", "); got != tt.want {
			t.Errorf("%s is %q, want %q", tt.path, got, tt.want)
		}
	}
}

func TestFromMakers(t *testing.T) {
	for _, tt := range []struct {
		program, name, version string
		want                   bool
	}{
		{"nginx", "nginx", "1.25.3-1~bookworm", true},
		{"nginx", "nginx", "1:1.24.0-1.el9.ngx", true},
		{"nginx", "nginx", "1.22.1-9+deb12u2", false},
		{"nginx", "nginx", "1.26.3-2~bpo12+1", false},
		{"node", "nodejs", "20.11.0-1nodesource1", true},
		{"node", "nodejs", "18.19.0+dfsg-6~deb12u2", false},
		{"postgresql", "postgresql-16", "16.1-1.pgdg120+1", true},
		{"postgresql", "postgresql-15", "15.20-0+deb12u1", false},
		{"mariadb", "mariadb-server", "1:11.2.2+maria~ubu2204", true},
		{"mariadb", "mariadb-server-core", "1:10.11.19-0+deb12u1", false},
		{"mariadb", "MariaDB-server", "11.2.2-1.el9", true},
		{"php", "php8.3-cli", "8.3.2-1+0~20240120.16+debian12~1.gbpb43448", true},
		{"redis", "redis-server", "6:7.2.4-1rl1~bookworm1", true},
		{"redis", "redis-server", "5:7.0.15-1~deb12u1", false},
		{"git", "git", "1:2.39.5-0+deb12u1", false},
	} {
		if got := detect.FromMakers(tt.program, tt.name, tt.version); got != tt.want {
			t.Errorf("%s of %s %s: %v", tt.program, tt.name, tt.version, got)
		}
	}
}

// TestNoPrograms: names that only look like one cost nothing.
func TestNoPrograms(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for _, p := range []string{"etc/nginx/nginx.conf", "usr/share/man/man1/git.1.gz", "usr/bin/python3-config", "srv/version.php", "srv/OTP_VERSION", "etc/init.d/redis-server", "app/node"} {
		if d.Wants(p) {
			t.Errorf("%s is wanted by its name", p)
		}
		if _, ok := d.Want(detect.File{Path: p, Size: 1 << 20}, []byte("#!/b")); ok {
			t.Errorf("%s is read", p)
		}
	}
}

// TestChattyProgram: a file that repeats a mark without end is given up, and said.
func TestChattyProgram(t *testing.T) {
	d := newDetector(t, detect.Options{})
	for path, mark := range map[string]string{"usr/bin/node": "node.js/v", "usr/bin/redis-server": "redis_version:00000000\x00", "usr/bin/python3.1": "3.1."} {
		body := append([]byte("\x7fELF\x02\x01\x01\x00"), strings.Repeat(mark, 1<<20)...)
		if f := read(t, d, path, body); len(f.Packages) != 0 || !strings.Contains(f.Skipped, "too often") {
			t.Errorf("%s: %v %s", path, f.Packages, f.Skipped)
		}
	}
}

func FuzzProgram(f *testing.F) {
	for _, words := range []string{"node.js/v20.20.2\x00", "\x00redis_version:\x007.2.4\x007.2.4host-17048123450000000000\x00", "\x003.12.7\x00", " version 2.9.4-4e071ad, released 2024/01/31"} {
		for i := range byte(6) {
			f.Add([]byte(words), i)
		}
	}
	d := newDetector(f, detect.Options{})
	names := []string{"node", "redis-server", "python3.12", "haproxy", "nginx", "libcrypto.so.3"}
	f.Fuzz(func(t *testing.T, words []byte, at byte) {
		path := "usr/bin/" + names[int(at)%len(names)]
		body := append(append([]byte("\x7fELF\x02\x01\x01"), words...), make([]byte, 4096)...)
		for _, p := range read(t, d, path, body).Packages {
			if p.Type == detect.TypeProgram && (p.Version == "" || strings.Trim(p.Version, "0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") != "") {
				t.Errorf("%s has the version %q", path, p.Version)
			}
		}
	})
}
