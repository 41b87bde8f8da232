package baseline

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"breakwater"
	"breakwater/internal/password"
)

func read(t testing.TB, path, content string) breakwater.ConfigFile {
	t.Helper()
	j := hasty(t)
	c, ok := Read(context.Background(), j, j.Budget(), File{Path: path, Mode: 0o644}, []byte(content))
	if !ok {
		t.Fatalf("%s is not wanted", path)
	}
	return c
}

func TestWants(t *testing.T) {
	for path, kind := range map[string]string{
		"etc/passwd": kindPasswd, "etc/passwd-": kindBackup, "etc/ssh/sshd_config": kindSSHD, "etc/ssh/sshd_config.d/50-cloud.conf": kindSSHD, "usr/etc/ssh/sshd_config": kindSSHD,
		"etc/pam.d/common-password": kindPAM, "usr/lib/pam.d/login": kindPAM, "etc/nginx/sites-available/default": kindNginx, "usr/local/nginx/conf/nginx.conf": kindNginx,
		"opt/bitnami/nginx/conf/server_blocks/a.conf": kindNginx, "usr/local/apache2/conf/httpd.conf": kindApache, "etc/httpd/conf.d/ssl.conf": kindApache,
		"usr/local/tomcat/conf/tomcat-users.xml": kindTomcatUsers, "opt/apache-tomcat-9.0.1/conf/server.xml": kindTomcatServer, "etc/tomcat10/web.xml": kindTomcatWeb,
		"etc/mysql/mariadb.conf.d/50-server.cnf": kindMySQL, "etc/my.cnf": kindMySQL, "root/.my.cnf": kindMySQL, "opt/bitnami/mariadb/conf/my.cnf": kindMySQL,
		"var/lib/postgresql/data/pg_hba.conf": kindPgHBA, "opt/bitnami/postgresql/conf/postgresql.conf": kindPostgreSQL, "etc/postgresql/16/main/pg_hba.conf": kindPgHBA,
		"etc/redis.conf": kindRedis, "usr/local/etc/redis/redis.conf": kindRedis, "etc/mongod.conf": kindMongoDB, "etc/mongod.conf.orig": kindMongoDB,
		"usr/local/etc/php/php.ini": kindPHP, "usr/local/etc/php/conf.d/opcache.ini": kindPHP, "etc/php/8.2/fpm/php.ini": kindPHP, "etc/php/8.2/fpm/pool.d/www.conf": kindFPM,
		"etc/php82/php-fpm.d/www.conf": kindFPM, "usr/local/etc/php-fpm.d/zz-docker.conf": kindFPM, "etc/php-fpm.conf": kindFPM,
		"var/www/html/.htpasswd": kindHtpasswd, "etc/nginx/htpasswd": kindHtpasswd, "var/spool/cron/crontabs/root": kindCron, "etc/crontabs/root": kindCron,
		"root/.rhosts": kindRhosts, "home/a/.ssh/authorized_keys": kindAuthorizedKeys, "usr/lib/sysctl.d/50-default.conf": kindSysctl, "usr/local/etc/sudoers": kindSudoers,
		"usr/local/etc/php/php.ini-development": "", "usr/lib/python3/passwd": "", "etc/hostname": "", "usr/share/nginx/html/index.html": "", "chroot/etc/passwd": "", "passwd": "",
	} {
		if got := kindOf(path); got != kind {
			t.Errorf("%s is %q, want %q", path, got, kind)
		}
	}
}

// No value of a password may be in a fact, whatever file it stands in.
func TestSecretsNeverLeave(t *testing.T) {
	const secret = "Hunter2!" // weak, so that it is judged and masked
	for path, content := range map[string]string{
		"etc/redis/redis.conf":           "requirepass SECRET\nmasterauth \"SECRET\"\nuser bob on >SECRET ~*\nsentinel auth-pass m SECRET\nuser al on #" + strings.Repeat("ab", 32),
		"root/.my.cnf":                   "[client]\nuser=bob\npassword=SECRET\n[x]\npassword = 'SECRET'\nurl = mysql://u:SECRET@h/d",
		"opt/tomcat/conf/server.xml":     `<Server><Connector keystorePass="SECRET" secret='SECRET'/><Realm connectionPassword="SECRET"/></Server>`,
		"etc/tomcat9/tomcat-users.xml":   `<tomcat-users><user username="bob" password="SECRET" roles="x"/></tomcat-users>`,
		"etc/mongod.conf":                "net:\n  tls:\n    certificateKeyFilePassword: SECRET\nurl: mongodb://u:SECRET@h",
		"usr/local/etc/php/php.ini":      "mysqli.default_pw = SECRET\nsession.save_path = \"tcp://h:1?auth=SECRET\"",
		"etc/php/8.2/fpm/pool.d/w.conf":  "[w]\nenv[DB_PASSWORD] = SECRET\nphp_value[x.password] = SECRET",
		"etc/nginx/nginx.conf":           "http { fastcgi_param DB_PASSWORD SECRET; proxy_set_header Authorization \"Basic SECRET\"; set $db_password SECRET; env API_TOKEN=SECRET; }",
		"etc/apache2/apache2.conf":       "SetEnv DB_PASSWORD SECRET\nAuthLDAPBindPassword SECRET\nSetEnv URL http://u:SECRET@h/",
		"etc/pam.d/x":                    "auth required pam_mysql.so user=a passwd=SECRET db=c",
		"etc/sudoers":                    "bob ALL = /usr/bin/mysql --password=SECRET x",
		"etc/crontab":                    "PW=SECRET\n* * * * * root /usr/bin/mysqldump -pSECRET x",
		"etc/profile":                    "export TMOUT=1; export PASSWORD=SECRET",
		"etc/postgresql/postgresql.conf": "primary_conninfo = 'host=a user=b password=SECRET'",
		"etc/postgresql/pg_hba.conf":     "host all all 10.0.0.0/8 ldap ldapserver=a ldapbindpasswd=SECRET",
		"etc/docker/daemon.json":         `{"http-proxy": "http://u:SECRET@proxy:1", "x": {"password": "password=SECRET"}}`,
		"etc/nginx/.htpasswd":            "bob:SECRET\n",
		"etc/shadow":                     "bob:$1$5la1TNlf$qyqOVeNNph6qrA/9yFnzO0:1::::::\n",
		"root/.ssh/authorized_keys":      "command=\"SECRET\" ssh-ed25519 SECRET SECRET",
	} {
		c := read(t, path, strings.ReplaceAll(content, "SECRET", secret))
		out, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, never := range []string{secret, "qwerty", "$1$", "abababab"} {
			if strings.Contains(string(out), never) {
				t.Errorf("%s gives %q away: %s", path, never, out)
			}
		}
		if len(c.Entries)+len(c.Accounts) == 0 {
			t.Errorf("%s says nothing", path)
		}
	}
}

func TestShadow(t *testing.T) {
	text := "root::1:0:99999:7:::\nbob:" + guessed + ":1:0:90:7:::\nwww:*:1:0:99999:7:::\nold:!:1::::::\nal:" + strong + ":1::::::\nx:$2b$31$VM/q26CYLAJlMKtcDfD/euGPA56GqXHehjiXdGYFQW11xvpFP0QTS:1::::::\n"
	c := read(t, "etc/shadow", text)
	want := []breakwater.Account{
		{Name: "root", UID: -1, GID: -1, Password: "empty", MinDays: 0, MaxDays: 99999, Line: 1},
		{Name: "bob", UID: -1, GID: -1, Password: "hash", Scheme: "md5crypt", MinDays: 0, MaxDays: 90, Line: 2},
		{Name: "www", UID: -1, GID: -1, Password: "locked", MinDays: 0, MaxDays: 99999, Line: 3},
		{Name: "old", UID: -1, GID: -1, Password: "locked", MinDays: -1, MaxDays: -1, Line: 4},
		{Name: "al", UID: -1, GID: -1, Password: "hash", Scheme: "sha512crypt", MinDays: -1, MaxDays: -1, Line: 5},
		{Name: "x", UID: -1, GID: -1, Password: "hash", Scheme: "bcrypt", MinDays: -1, MaxDays: -1, Line: 6},
	}
	if diff := cmp.Diff(want, c.Accounts); diff != "" {
		t.Error(diff)
	}
	var weak []string
	for _, w := range c.Weak {
		weak = append(weak, fmt.Sprintf("%s %s %d %s %s %q", w.Service, w.User, w.Line, w.Scheme, w.Reason, w.Masked))
	}
	if diff := cmp.Diff([]string{`system root 1 none empty ""`, `system bob 2 md5crypt built_in_list "q***3"`}, weak); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(c.Untried, "al: ") || !strings.Contains(c.Untried, "x: one guess costs") {
		t.Error(c.Untried)
	}
}

func TestEntries(t *testing.T) {
	for _, tc := range []struct{ path, text, want string }{
		{"etc/nginx/nginx.conf", "user www; # x\nhttp {\n  log_format a '$x; {'\n    'b';\n  server { listen 80; location /a { deny all; } }\n  server { listen ${PORT}; }\n}",
			"|user|www|1\n|{}|http|2\nhttp|log_format|a $x; { b|3\nhttp|{}|server|5\nhttp/server|listen|80|5\nhttp/server|{}|location /a|5\nhttp/server/location /a|deny|all|5\nhttp|{}|server|6\nhttp/server#2|listen|${PORT}|6"},
		{"etc/nginx/lua.conf", "content_by_lua_block {\n if x then { } end }\ngzip on;", "|gzip|on|3"},
		{"etc/apache2/apache2.conf", "Listen 80\n<VirtualHost *:80>\n<IfModule x>\nServerName a \\\n b\n</IfModule>\n</VirtualHost>\nUser c", "|Listen|80|1\n|{}|VirtualHost *:80|2\nVirtualHost *:80|ServerName|a b|4\n|User|c|8"},
		{"etc/ssh/sshd_config", "Port 22\nMatch User a\n X11Forwarding no # x\nMatch all\nBanner=none", "|Port|22|1\nMatch User a|X11Forwarding|no|3\n|Banner|none|5"},
		{"etc/pam.d/x", "@include common-auth\n-session optional [a=1 b=2] /lib/security/pam_x.so y=z", "x|@include|common-auth|1"},
		{"etc/pam.d/y", "auth [success=1 default=ignore] /lib/pam_unix.so nullok", "y|auth|[success=1 default=ignore] pam_unix.so nullok|1"},
		{"etc/mongod.conf", "net:\n  port: 1\n  bindIp: [a, b]\n", "|net.port|1|2\n|net.bindIp|a|3\n|net.bindIp|b|3"},
		{"etc/docker/daemon.json", "{\"a\": {\"b\": [1, true]},\n\"c\": null}", "|a.b|1|1\n|a.b|true|1\n|c||2"},
		{"opt/tomcat/conf/web.xml", "<a>\n<b c='d'>e</b></a>", "|a||1\na|b|e|2\na/b|@c|d|2"},
		{"etc/mysql/my.cnf", "[mysqld]\nskip-networking\nbind-address = \"x\" # y\n!includedir /etc/z/", "mysqld|skip_networking||2\nmysqld|bind_address|x|3\nmysqld|!includedir|/etc/z/|4"},
		{"etc/crontab", "SHELL=/bin/sh\nX=y\n17 * * * * root cd / && x\n@daily bob /a b", "|SHELL|/bin/sh|1\n|X||2\nroot|17 * * * *|cd|3\nbob|@daily|/a|4"},
	} {
		var got []string
		for _, e := range read(t, tc.path, tc.text).Entries {
			got = append(got, fmt.Sprintf("%s|%s|%s|%d", e.Section, e.Key, e.Value, e.Line))
		}
		want := strings.Split(tc.want, "\n")
		if tc.path == "etc/pam.d/x" {
			want = append(want, got[len(got)-1])
			if len(got) != 2 || !strings.HasPrefix(got[1], "x|session|optional") {
				t.Errorf("%v", got)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", tc.path, diff)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, tc := range map[string]struct{ path, text string }{
		"size":     {"etc/login.defs", strings.Repeat("#\n", MaxFile)},
		"entries":  {"etc/login.defs", strings.Repeat("A b\n", maxEntries+1)},
		"value":    {"etc/login.defs", "A " + strings.Repeat("b", maxValue+1)},
		"accounts": {"etc/passwd", strings.Repeat("a:x:1:1::/:/\n", maxEntries+1)},
		"nginx":    {"etc/nginx/nginx.conf", strings.Repeat("a {", 100_000) + " b c;"},
		"apache":   {"etc/apache2/apache2.conf", strings.Repeat("<Directory /x>\n", 50_000) + "A b"},
		"xml":      {"opt/tomcat/conf/web.xml", strings.Repeat("<a>", 100_000)},
		"yaml":     {"etc/mongod.conf", "a: " + strings.Repeat("{b: ", 200) + "1" + strings.Repeat("}", 200)},
	} {
		began := time.Now()
		c := read(t, tc.path, tc.text)
		if !c.Cut {
			t.Errorf("%s: not cut", name)
		}
		if len(c.Entries) > maxEntries || len(c.Accounts) > maxEntries {
			t.Errorf("%s: %d entries", name, len(c.Entries))
		}
		for _, e := range c.Entries {
			if len(e.Value) > maxValue || len(e.Key) > maxName || strings.Count(e.Section, "/") > maxNesting*2 {
				t.Fatalf("%s: a long entry", name)
			}
		}
		if took := time.Since(began); took > 5*time.Second && !race {
			t.Errorf("%s took %v", name, took)
		}
	}
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]\n"
	if n := len(read(t, "etc/mongod.conf", bomb).Entries); n > 100 {
		t.Errorf("a YAML bomb makes %d entries", n)
	}
}

// The files of the machine that the tests run on must say something.
func TestFilesOfThisMachine(t *testing.T) {
	n := 0
	_ = filepath.WalkDir("/etc", func(path string, d os.DirEntry, err error) error {
		rel := strings.TrimPrefix(path, "/")
		if err != nil || d.IsDir() || !Wants(rel) {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil
		}
		n++
		j := hasty(t)
		c, ok := Read(t.Context(), j, password.NewBudget(0), File{Path: rel}, content)
		if !ok || c.Cut {
			t.Errorf("%s: %v, cut %v", path, ok, c.Cut)
		}
		return nil
	})
	if n == 0 {
		t.Skip("this machine has no /etc to read")
	}
}

func FuzzRead(f *testing.F) {
	paths := []string{"etc/passwd", "etc/shadow", "etc/group", "etc/nginx/nginx.conf", "etc/apache2/apache2.conf", "etc/ssh/sshd_config", "opt/tomcat/conf/server.xml", "etc/tomcat9/tomcat-users.xml",
		"etc/mongod.conf", "etc/docker/daemon.json", "etc/pam.d/su", "etc/sudoers", "etc/crontab", "etc/redis/redis.conf", "etc/mysql/my.cnf", "usr/local/etc/php/php.ini", "etc/profile", "etc/postgresql/pg_hba.conf", "etc/nginx/.htpasswd", "etc/security/limits.conf"}
	for i, tc := range ruleCases {
		_, content, _ := strings.Cut(tc.fail, ": ")
		f.Add(uint8(i%len(paths)), strings.ReplaceAll(content, `\n`, "\n"))
	}
	r := rules(f)
	f.Fuzz(func(t *testing.T, which uint8, content string) {
		path := paths[int(which)%len(paths)]
		c, ok := Read(t.Context(), nil, nil, File{Path: path}, []byte(content))
		if !ok || len(c.Entries) > maxEntries {
			t.Fatal(path)
		}
		for _, e := range c.Entries {
			if len(e.Value) > maxValue || e.Secret && e.Value != "" && e.Value != "***" {
				t.Fatalf("%+v", e)
			}
		}
		inv := breakwater.Inventory{Configs: []breakwater.ConfigFile{c}}
		for _, res := range Evaluate(inv, r) {
			if !res.Passed && len(res.Cases) == 0 {
				t.Fatalf("%+v", res)
			}
		}
	})
}
