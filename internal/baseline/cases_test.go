package baseline

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"breakwater"
	"breakwater/internal/password"
)

// hasty is a judge that gives a strong hash little time.
func hasty(t testing.TB) *password.Judge {
	t.Helper()
	j, err := password.New(password.Options{PerHash: 30 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// fixture makes an inventory from lines:
//
//	path[ mode uid gid]: content, with \n for a new line
//	!setup field=value          (user, env, port, volume, cmd, health)
//	!notable kind mode path
func fixture(t testing.TB, text string) breakwater.Inventory {
	t.Helper()
	j := hasty(t)
	var inv breakwater.Inventory
	inv.Setup.User = "app"
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "!setup "):
			setupLine(t, &inv.Setup, strings.TrimPrefix(line, "!setup "))
		case strings.HasPrefix(line, "!notable "):
			var n breakwater.Notable
			if _, err := fmt.Sscanf(strings.TrimPrefix(line, "!notable "), "%s %o %s", &n.Kind, &n.Mode, &n.Path); err != nil {
				t.Fatal(line, err)
			}
			inv.Notable = append(inv.Notable, n)
		default:
			head, content, ok := strings.Cut(line, ": ")
			if !ok {
				t.Fatalf("no content in %q", line)
			}
			f := File{Mode: 0o600}
			if n, err := fmt.Sscanf(head, "%s %o %d %d", &f.Path, &f.Mode, &f.UID, &f.GID); n == 0 {
				t.Fatal(line, err)
			}
			c, ok := Read(context.Background(), j, j.Budget(), f, []byte(strings.ReplaceAll(content, `\n`, "\n")))
			if !ok {
				t.Fatalf("%s is not wanted", f.Path)
			}
			inv.Configs = append(inv.Configs, c)
		}
	}
	return inv
}

func setupLine(t testing.TB, s *breakwater.Setup, line string) {
	key, value, _ := strings.Cut(line, "=")
	switch key {
	case "user":
		s.User = value
	case "env":
		s.Env = append(s.Env, value)
	case "port":
		s.Ports = append(s.Ports, value)
	case "volume":
		s.Volumes = append(s.Volumes, value)
	case "cmd":
		s.Cmd = strings.Fields(value)
	case "health":
		s.Health = true
	default:
		t.Fatal(line)
	}
}

const sshd, defs, pwq = "etc/ssh/sshd_config: ", "etc/login.defs: ", "etc/security/pwquality.conf: "
const sudoersFile, sysctlFile, shellFile = "etc/sudoers: ", "etc/sysctl.conf: ", "etc/profile: "
const ngx, apa, tom, web = "etc/nginx/nginx.conf: ", "etc/apache2/apache2.conf: ", "usr/local/tomcat/conf/server.xml: ", "usr/local/tomcat/conf/web.xml: "
const tomUsers, tomContext = "usr/local/tomcat/conf/tomcat-users.xml: ", "usr/local/tomcat/conf/context.xml: "
const sql, pgs, hba, red, mgo = "etc/mysql/my.cnf: ", "etc/postgresql/16/main/postgresql.conf: ", "etc/postgresql/16/main/pg_hba.conf: ", "etc/redis/redis.conf: ", "etc/mongod.conf: "
const phpFile, pool = "usr/local/etc/php/php.ini: ", "usr/local/etc/php-fpm.d/www.conf: "
const passwdFile, shadowFile, groupFile = "etc/passwd: ", "etc/shadow: ", "etc/group: "
const strong = "$6$ZGh2m21HgY5BvxJS$4Ffv2VE0vdmyPE1zsNwoSJZg4h8X5rhT4zPZiwsgqXKMRTNeecQ6.dFVuYca0uPq9cmPTADtgyH80AFiXEGNz1"
const guessed = "$1$5la1TNlf$qyqOVeNNph6qrA/9yFnzO0" // qwerty123

// ruleCases has for each rule an image that passes it and one that fails it.
// TestEveryRule refuses a rule that is not here, or that cannot do both.
var ruleCases = []struct{ id, pass, fail string }{
	{"BW-SSH-001", sshd + `Include x\nPermitRootLogin no\nPermitRootLogin yes`, sshd + `PermitRootLogin=yes`},
	{"BW-SSH-002", sshd + `Match User a\nPermitRootLogin no`, sshd + `PermitRootLogin no\nMatch Address 10.0.0.0/8\n  PermitRootLogin yes`},
	{"BW-SSH-003", sshd + `Port 22`, sshd + `permitemptypasswords yes`},
	{"BW-SSH-004", sshd + `PasswordAuthentication no`, sshd + `Match User a\nPasswordAuthentication no`},
	{"BW-SSH-005", sshd + `Port 22`, sshd + `X11Forwarding yes`},
	{"BW-SSH-006", sshd + `MaxAuthTries 3`, sshd + `Port 22`},
	{"BW-SSH-007", sshd + `LoginGraceTime 1m`, sshd + `LoginGraceTime 1m30s`},
	{"BW-SSH-008", sshd + `Protocol 2`, sshd + `Protocol 2,1`},
	{"BW-SSH-009", sshd + `Port 22`, sshd + `IgnoreRhosts no`},
	{"BW-SSH-010", sshd + `HostbasedAuthentication "no"`, sshd + `HostbasedAuthentication "yes"`},
	{"BW-SSH-011", sshd + `Port 22`, sshd + `PermitUserEnvironment yes`},
	{"BW-SSH-012", sshd + `Ciphers -3des-cbc,aes128-cbc`, sshd + `Ciphers aes256-ctr,aes128-cbc`},
	{"BW-SSH-013", sshd + `MACs hmac-sha2-256-etm@openssh.com`, sshd + `MACs +hmac-md5,hmac-sha2-256`},
	{"BW-SSH-014", sshd + `KexAlgorithms curve25519-sha256`, sshd + `KexAlgorithms curve25519-sha256,diffie-hellman-group14-sha1`},
	{"BW-SSH-015", sshd + `LogLevel verbose`, sshd + `LogLevel QUIET`},
	{"BW-SSH-016", sshd + `ClientAliveInterval 5m`, sshd + `Port 22`},
	{"BW-SSH-017", sshd + `Port 22`, sshd + `StrictModes no`},
	{"BW-SSH-018", sshd + `Port 22`, sshd + `PermitTunnel point-to-point`},
	{"BW-SSH-019", sshd + `AllowTcpForwarding no`, sshd + `Port 22`},
	{"BW-SSH-020", sshd + `UsePAM yes # why not`, sshd + `Port 22`},
	{"BW-SSH-021", `etc/ssh/sshd_config 644 0 0: Port 22`, `etc/ssh/sshd_config 664 0 0: Port 22`},
	{"BW-SSH-022", `etc/ssh/ssh_host_rsa_key 600 0 0: x`, `etc/ssh/ssh_host_rsa_key 644 0 0: x`},
	{"BW-SSH-023", sshd + `Port 22`, `etc/ssh/ssh_host_ed25519_key 600 0 0: x`},
	{"BW-SSH-024", sshd + `Port 22`, `root/.ssh/authorized_keys 600 0 0: ssh-ed25519 AAAA a@b`},
	{"BW-SSH-025", `home/a/.ssh/authorized_keys: command="x" ssh-ed25519 AAAA a@b`, `home/a/.ssh/authorized_keys: no-pty ssh-dss AAAA a@b`},

	{"BW-ACC-001", passwdFile + `root:x:0:0::/root:/bin/sh`, passwdFile + `root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/root:/bin/sh`},
	{"BW-ACC-002", passwdFile + "root:x:0:0::/root:/bin/sh\n" + shadowFile + `root:*:1::::::`, passwdFile + "root:x:0:0::/root:/bin/sh\n" + shadowFile + `root::1::::::`},
	{"BW-ACC-003", passwdFile + "a:x:1000:0::/a:/bin/sh\n" + shadowFile + `a:` + strong + `:1::::::`, passwdFile + `a:` + strong + `:1000:0::/a:/bin/sh`},
	{"BW-ACC-004", passwdFile + `root:x:0:0::/root:/bin/sh`, passwdFile + `root:x:0:0::/root:/bin/sh\n+::::::`},
	{"BW-ACC-005", passwdFile + `a:x:1:1::/:/bin/false\nb:x:2:1::/:/bin/false`, passwdFile + `a:x:1:1::/:/bin/false\na:x:2:1::/:/bin/false`},
	{"BW-ACC-006", passwdFile + `a:x:1:1::/:/bin/false\nb:x:2:1::/:/bin/false`, passwdFile + `a:x:1:1::/:/bin/false\nb:x:1:1::/:/bin/false`},
	{"BW-ACC-007", groupFile + `a:x:1:\nb:x:2:`, groupFile + `a:x:1:\nb:x:1:`},
	{"BW-ACC-008", passwdFile + `www:x:33:33::/var/www:/usr/sbin/nologin\nsync:x:4:4::/bin:/bin/sync`, passwdFile + `www:x:33:33::/var/www:/bin/bash`},
	{"BW-ACC-009", passwdFile + "www:x:33:33::/:/bin/false\n" + shadowFile + `www:!` + strong + `:1::::::`, passwdFile + "www:x:33:33::/:/bin/false\n" + shadowFile + `www:` + strong + `:1::::::`},
	{"BW-ACC-010", passwdFile + `a:x:1000:1000::/home/a:/bin/sh`, passwdFile + `a:x:1000:1000::/:/bin/sh`},
	{"BW-ACC-011", passwdFile + "a:x:1000:7::/a:/bin/sh\n" + groupFile + `a:x:7:`, passwdFile + "a:x:1000:8::/a:/bin/sh\n" + groupFile + `a:x:7:`},
	{"BW-ACC-012", passwdFile + `root:x:0:0::/root:/bin/sh\nsync:x:5:0::/:/bin/sync`, passwdFile + `root:x:0:0::/root:/bin/sh\na:x:5:0::/:/bin/sync`},
	{"BW-ACC-013", passwdFile + "a:x:1000:1000::/a:/bin/sh\n" + shadowFile + `a:` + strong + `:1::::::`, passwdFile + "a:x:1000:1000::/a:/bin/sh\n" + shadowFile + `a:` + guessed + `:1::::::`},
	{"BW-ACC-014", passwdFile + "root:x:0:0::/root:/bin/sh\n" + shadowFile + `root:!:1::::::`, passwdFile + "root:x:0:0::/root:/bin/sh\n" + shadowFile + `root:` + strong + `:1::::::`},
	{"BW-ACC-015", passwdFile + "a:x:1000:1000::/a:/bin/sh\n" + shadowFile + `a:` + strong + `:1:0:90:7:::`, passwdFile + "a:x:1000:1000::/a:/bin/sh\n" + shadowFile + `a:` + strong + `:1:0:99999:7:::`},
	{"BW-ACC-016", passwdFile + "a:x:1000:1000::/a:/bin/sh\n" + shadowFile + `a:*:1::::::`, passwdFile + "a:x:1000:1000::/a:/bin/sh\n" + shadowFile + `b:*:1::::::`},
	{"BW-ACC-017", groupFile + `shadow:x:42:`, groupFile + `shadow:x:42:bob`},
	{"BW-ACC-018", groupFile + `docker:x:99:\nusers:x:100:bob`, groupFile + `docker:x:99:bob`},
	{"BW-ACC-019", shadowFile + `a:` + strong + `:1::::::`, shadowFile + `a:` + guessed + `:1::::::`},
	{"BW-ACC-020", red + `requirepass kV9#tmQ2~zLwE8`, red + `requirepass foobared`},

	{"BW-FILE-001", `etc/passwd 644 0 0: root:x:0:0::/:/bin/sh`, `etc/passwd 666 0 0: root:x:0:0::/:/bin/sh`},
	{"BW-FILE-002", "etc/shadow 640 0 42: root:*:1::::::\n" + groupFile + `shadow:x:42:`, `etc/shadow 640 0 42: root:*:1::::::`},
	{"BW-FILE-003", `etc/group 644 0 0: root:x:0:`, `etc/group 644 1000 0: root:x:0:`},
	{"BW-FILE-004", `etc/gshadow 600 0 0: root:*::`, `etc/gshadow 644 0 0: root:*::`},
	{"BW-FILE-005", `etc/shadow- 600 0 0: x`, `etc/shadow- 644 0 0: x`},
	{"BW-FILE-006", `etc/passwd- 644 0 0: x`, `etc/passwd- 646 0 0: x`},
	{"BW-FILE-007", `!notable dir 1777 tmp`, `!notable file 0666 opt/app/run.sh`},
	{"BW-FILE-008", `!notable dir 1777 tmp`, `!notable dir 0777 srv/data`},
	{"BW-FILE-009", `!notable file 4755 usr/bin/sudo`, `!notable file 4755 usr/local/bin/rootsh`},
	{"BW-FILE-010", `!notable file 2755 usr/bin/wall`, `!notable file 2755 usr/local/bin/rootsh`},
	{"BW-FILE-011", `!notable device 0666 dev/null`, `!notable device 0660 srv/sda`},
	{"BW-FILE-012", `etc/pam.d/su 644 0 0: auth required pam_unix.so`, `etc/pam.d/su 666 0 0: auth required pam_unix.so`},
	{"BW-FILE-013", `root/.my.cnf 600 0 0: [client]`, `root/.my.cnf 644 0 0: [client]`},
	{"BW-FILE-014", `etc/nginx/.htpasswd 640 0 33: a:x`, `etc/nginx/.htpasswd 644 0 0: a:x`},
	{"BW-FILE-015", `opt/tomcat/conf/tomcat-users.xml 600 0 0: <tomcat-users/>`, `opt/tomcat/conf/tomcat-users.xml 644 0 0: <tomcat-users/>`},

	{"BW-IMG-001", `!setup user=1000:0`, `!setup user=0:0`},
	{"BW-IMG-002", "!setup user=app\n" + passwdFile + `app:x:9:9::/:/bin/false`, "!setup user=app\n" + passwdFile + `root:x:0:0::/:/bin/false`},
	{"BW-IMG-003", "!setup health=1\n!setup port=80/tcp", `!setup port=80/tcp`},
	{"BW-IMG-004", `!setup port=8022/tcp`, `!setup port=22/tcp`},
	{"BW-IMG-005", `!setup port=8080/tcp`, `!setup port=23`},
	{"BW-IMG-006", `!setup volume=/var/lib/data`, `!setup volume=/etc/`},
	{"BW-IMG-007", `!setup env=PATH=/bin`, `!setup env=LD_PRELOAD=/x.so`},
	{"BW-IMG-008", `!setup env=NODE_TLS_REJECT_UNAUTHORIZED=1`, `!setup env=NODE_TLS_REJECT_UNAUTHORIZED=0`},
	{"BW-IMG-009", `!setup env=PATH=/usr/bin:/bin`, `!setup env=PATH=/usr/bin::/bin`},
	{"BW-IMG-010", `!setup cmd=/app/server`, `!setup cmd=/bin/sh -c /usr/sbin/sshd -D`},
	{"BW-IMG-011", `!setup env=POSTGRES_HOST_AUTH_METHOD=md5`, `!setup env=POSTGRES_HOST_AUTH_METHOD=trust`},

	{"BW-LOGIN-001", defs + `PASS_MAX_DAYS	90`, defs + `PASS_MAX_DAYS	99999`},
	{"BW-LOGIN-002", defs + `PASS_MIN_DAYS 1`, defs + `PASS_MIN_DAYS 0`},
	{"BW-LOGIN-003", defs + `PASS_WARN_AGE 7`, defs + `PASS_WARN_AGE 3`},
	{"BW-LOGIN-004", defs + `UMASK 027`, defs + `UMASK 022`},
	{"BW-LOGIN-005", defs + `ENCRYPT_METHOD YESCRYPT`, defs + `ENCRYPT_METHOD MD5`},
	{"BW-LOGIN-006", defs + `UMASK 027`, defs + `SHA_CRYPT_MIN_ROUNDS 1000`},
	{"BW-LOGIN-007", defs + `LOGIN_RETRIES 5`, defs + `LOGIN_RETRIES 50`},
	{"BW-LOGIN-008", `etc/default/useradd: INACTIVE=30`, `etc/default/useradd: INACTIVE=-1`},
	{"BW-LOGIN-009", shellFile + `umask 027`, shellFile + `umask 000`},
	{"BW-LOGIN-010", shellFile + `readonly TMOUT=600`, shellFile + `export TMOUT=0`},
	{"BW-LOGIN-011", shellFile + `PATH="/usr/bin:/bin"`, shellFile + `PATH="/usr/bin:."`},
	{"BW-LOGIN-012", passwdFile + `root:x:0:0::/:/bin/sh`, `etc/hosts.equiv: + +`},
	{"BW-LOGIN-013", `etc/securetty: tty1`, `etc/securetty: tty1\npts/0`},
	{"BW-LOGIN-014", `etc/security/limits.conf: * hard core 0`, `etc/security/limits.conf: * soft core unlimited`},

	{"BW-PAM-001", "etc/pam.d/common-password: password requisite pam_pwquality.so retry=3\n" + pwq + `minlen = 12`, `etc/pam.d/common-password: password [success=1 default=ignore] pam_unix.so obscure yescrypt`},
	{"BW-PAM-002", `etc/pam.d/system-auth: password requisite pam_pwquality.so ucredit=-1`, `etc/pam.d/system-auth: password requisite pam_pwquality.so ucredit=1`},
	{"BW-PAM-003", "etc/pam.d/common-password: password requisite pam_pwquality.so\n" + pwq + `minclass=4`, "etc/pam.d/common-password: password requisite pam_pwquality.so\n" + pwq + `minclass=3`},
	{"BW-PAM-004", `etc/pam.d/system-auth: password requisite pam_cracklib.so dcredit=-2`, pwq + `dcredit=-1` + "\n" + `etc/pam.d/passwd: password required pam_unix.so`},
	{"BW-PAM-005", `etc/pam.d/system-auth: password requisite pam_pwquality.so ocredit=-1`, defs + `PASS_MIN_LEN 12`},
	{"BW-PAM-006", `etc/pam.d/common-auth: auth [success=1 default=ignore] pam_unix.so`, `etc/pam.d/common-auth: auth [success=1 default=ignore] pam_unix.so nullok`},
	{"BW-PAM-007", `etc/pam.d/system-auth: auth required pam_faillock.so preauth`, `etc/pam.d/system-auth: auth required pam_unix.so`},
	{"BW-PAM-008", `etc/security/faillock.conf: deny = 5`, `etc/security/faillock.conf: deny = 50`},
	{"BW-PAM-009", `etc/security/faillock.conf: unlock_time = 900`, `etc/security/faillock.conf: unlock_time = 60`},
	{"BW-PAM-010", `etc/pam.d/su: auth required pam_wheel.so use_uid`, `etc/pam.d/su: # auth required pam_wheel.so\nauth sufficient pam_rootok.so`},
	{"BW-PAM-011", `etc/pam.d/common-password: password required pam_pwhistory.so remember=24`, `etc/pam.d/common-password: password required pam_pwhistory.so remember=2`},
	{"BW-PAM-012", `etc/pam.d/common-password: password required pam_unix.so sha512`, `etc/pam.d/common-password: password required pam_unix.so md5 shadow`},
	{"BW-PAM-013", `etc/pam.d/sshd: auth required pam_unix.so`, `etc/pam.d/sshd: auth sufficient pam_permit.so`},
	{"BW-PAM-014", `etc/pam.d/login: auth required pam_unix.so`, `etc/pam.d/login: auth sufficient pam_rhosts.so`},
	{"BW-PAM-015", pwq + `retry = 3`, pwq + `retry = 10`},
	{"BW-PAM-016", pwq + `enforcing = 1`, pwq + `enforcing = 0`},
	{"BW-PAM-017", pwq + `minlen = 9`, pwq + `dictcheck = 0`},

	{"BW-PAM-018", `etc/pam.d/system-auth: auth required pam_faillock.so preauth` + "\n" + `etc/security/faillock.conf: deny = 4`, `etc/pam.d/system-auth: auth required pam_faillock.so preauth deny=0` + "\n" + `etc/security/faillock.conf: deny = 4`},

	{"BW-SUDO-001", sudoersFile + `root ALL=(ALL:ALL) ALL`, sudoersFile + `root ALL=(ALL) ALL\n@includedir /etc/sudoers.d` + "\n" + `etc/sudoers.d/app: app ALL=(ALL) NOPASSWD: ALL`},
	{"BW-SUDO-002", sudoersFile + `%sudo ALL=(ALL) ALL`, sudoersFile + `ALL ALL=(ALL) ALL`},
	{"BW-SUDO-003", sudoersFile + `Defaults use_pty`, sudoersFile + `Defaults env_reset`},
	{"BW-SUDO-004", sudoersFile + `Defaults env_reset`, sudoersFile + `Defaults:bob !authenticate`},
	{"BW-SUDO-005", sudoersFile + `Defaults timestamp_timeout=5`, sudoersFile + `Defaults timestamp_timeout=-1`},
	{"BW-SUDO-006", sudoersFile + `Defaults env_reset, mail_badpass`, sudoersFile + `Defaults !env_reset`},
	{"BW-SUDO-007", `etc/sudoers 440 0 0: root ALL=ALL`, `etc/sudoers 644 0 0: root ALL=ALL`},
	{"BW-SUDO-008", sudoersFile + `Defaults !visiblepw`, sudoersFile + `Defaults visiblepw`},

	{"BW-KERN-001", sysctlFile + `net.ipv4.conf.all.accept_redirects = 0`, sysctlFile + `net/ipv4/conf/all/accept_redirects=1`},
	{"BW-KERN-002", sysctlFile + `net.ipv4.conf.all.accept_source_route=0`, `etc/sysctl.d/9.conf: net.ipv4.conf.all.accept_source_route=1`},
	{"BW-KERN-003", sysctlFile + `kernel.randomize_va_space = 2`, sysctlFile + `kernel.randomize_va_space = 0`},
	{"BW-KERN-004", sysctlFile + `fs.suid_dumpable = 0`, sysctlFile + `fs.suid_dumpable = 2`},
	{"BW-KERN-005", sysctlFile + `net.ipv4.tcp_syncookies = 1`, sysctlFile + `net.ipv4.tcp_syncookies = 0`},
	{"BW-KERN-006", sysctlFile + `kernel.kptr_restrict = 1`, sysctlFile + `kernel.kptr_restrict = 0`},
	{"BW-KERN-007", `usr/lib/sysctl.d/50.conf: fs.protected_symlinks=1`, `usr/lib/sysctl.d/50.conf: -fs.protected_symlinks=0`},
	{"BW-KERN-008", sysctlFile + `net.ipv4.ip_forward = 0`, sysctlFile + `net.ipv4.ip_forward = 1`},

	{"BW-CRON-001", `etc/crontab 644 0 0: SHELL=/bin/sh`, `etc/cron.d/x 666 0 0: SHELL=/bin/sh`},
	{"BW-CRON-002", `etc/crontab: 17 * * * * root /usr/bin/x /tmp/y`, `etc/crontab: 17 * * * * root /tmp/y`},
	{"BW-CRON-003", `etc/crontab: PATH=/usr/bin:/bin`, `etc/crontab: PATH=/tmp:/bin`},
	{"BW-CRON-004", `etc/cron.allow 640 0 0: root`, `etc/cron.allow 666 0 0: root`},
	{"BW-CRON-005", `var/spool/cron/crontabs/bob 600 1000 0: @daily /usr/bin/x`, `var/spool/cron/crontabs/bob 660 1000 0: @daily /usr/bin/x`},

	{"BW-DOCK-001", `etc/docker/daemon.json: {"icc": false}`, `etc/docker/daemon.json: {"insecure-registries": ["a:5000"]}`},
	{"BW-DOCK-002", `etc/docker/daemon.json: {"hosts": ["unix:///x"]}`, `etc/docker/daemon.json: {"hosts": ["unix:///x", "tcp://0.0.0.0:2375"]}`},
	{"BW-DOCK-003", `etc/docker/daemon.json: {"no-new-privileges": true}`, `etc/docker/daemon.json: {}`},
	{"BW-DOCK-004", `etc/docker/daemon.json: {"icc": false}`, `etc/docker/daemon.json: {}`},

	{"BW-NGX-001", ngx + `http { server_tokens off; }`, ngx + `http { server { listen 80; } }`},
	{"BW-NGX-002", ngx + `http { }`, ngx + "http { include conf.d/*.conf; }\n" + `etc/nginx/conf.d/a.conf: server { location / { autoindex on; } }`},
	{"BW-NGX-003", ngx + `http { ssl_protocols TLSv1.2 TLSv1.3; }`, ngx + `http { ssl_protocols TLSv1 TLSv1.2; }`},
	{"BW-NGX-004", ngx + `http { ssl_ciphers "HIGH:!aNULL:!MD5"; }`, ngx + `http { ssl_ciphers HIGH:RC4-SHA; }`},
	{"BW-NGX-005", ngx + `user nginx;`, ngx + `user root;`},
	{"BW-NGX-006", ngx + `http { server { root /usr/share/nginx/html; } }`, ngx + `http { server { root /; } }`},
	{"BW-NGX-007", ngx + `http { access_log /var/log/x main; server { location = /favicon.ico { access_log off; } } }`, ngx + `http { access_log off; }`},
	{"BW-NGX-008", ngx + `http { }`, ngx + `http { dav_methods PUT DELETE; }`},
	{"BW-NGX-009", ngx + `http { }`, ngx + `http { proxy_ssl_verify off; }`},
	{"BW-NGX-010", ngx + `http { add_header X-A b; add_header X-Content-Type-Options "nosniff" always; }`, ngx + `http { add_header X-A b; }`},
	{"BW-NGX-011", ngx + `http { client_body_timeout 12s; }`, ngx + `http { client_body_timeout 10m; }`},
	{"BW-NGX-012", `etc/nginx/nginx.conf 644 0 0: user nginx;`, `etc/nginx/nginx.conf 666 0 0: user nginx;`},

	{"BW-APA-001", apa + `ServerTokens Prod`, apa + `ServerTokens OS`},
	{"BW-APA-002", apa + `Listen 80`, apa + `ServerSignature On`},
	{"BW-APA-003", apa + `TraceEnable Off`, apa + `Listen 80`},
	{"BW-APA-004", apa + `<Directory /var/www/>\nOptions -Indexes +FollowSymLinks\n</Directory>`, apa + `<Directory "/var/www/">\nOptions Indexes \\nFollowSymLinks\n</Directory>`},
	{"BW-APA-005", apa + `User ${APACHE_RUN_USER}`, apa + `<IfModule unixd_module>\nUser root\n</IfModule>`},
	{"BW-APA-006", apa + `SSLProtocol all -SSLv3 -TLSv1 -TLSv1.1`, apa + `SSLProtocol +TLSv1 +TLSv1.2`},
	{"BW-APA-007", apa + `SSLCipherSuite HIGH:!aNULL`, apa + `SSLCipherSuite HIGH:3DES`},
	{"BW-APA-008", apa + `<Directory />\nRequire all denied\n</Directory>`, apa + `<Directory />\nRequire all granted\n</Directory>`},
	{"BW-APA-009", apa + `<Directory />\nAllowOverride None\n</Directory>`, apa + `<Directory />\nAllowOverride All\n</Directory>`},
	{"BW-APA-010", apa + `Timeout 60`, apa + `Timeout 300`},
	{"BW-APA-011", apa + `Listen 80`, apa + `<Location /d>\nDav On\n</Location>`},
	{"BW-APA-012", apa + `DocumentRoot /var/www/html`, apa + `DocumentRoot "/"`},
	{"BW-APA-013", apa + `Listen 80`, apa + `LimitRequestBody 0`},
	{"BW-APA-014", apa + `Listen 80`, apa + `ProxyRequests On`},

	{"BW-TOM-001", tom + `<Server port="8005" shutdown="kV9#tmQ2"/>`, tom + `<Server port="8005" shutdown="SHUTDOWN"/>`},
	{"BW-TOM-002", tom + `<Server><Service><Engine><Host autoDeploy="false"/></Engine></Service></Server>`, tom + `<Server><Service><Engine><Host name="x"/></Engine></Service></Server>`},
	{"BW-TOM-003", tom + `<Server><Service><Connector port="1" protocol="HTTP/1.1"/><Connector protocol="AJP/1.3" secret="kV9#tmQ2~zLwE8"/></Service></Server>`, tom + `<Server><Service><Connector protocol="HTTP/1.1"/><Connector protocol="AJP/1.3" port="8009"/></Service></Server>`},
	{"BW-TOM-004", tom + `<Server/>`, tom + `<Server><Connector allowTrace="true"/></Server>`},
	{"BW-TOM-005", tom + `<Server/>`, tom + `<Server><Connector xpoweredBy="true"/></Server>`},
	{"BW-TOM-006", tom + `<Server><Connector sslProtocol="TLS" sslEnabledProtocols="TLSv1.2,TLSv1.3"/></Server>`, tom + `<Server><SSLHostConfig protocols="TLSv1+TLSv1.2"/></Server>`},
	{"BW-TOM-007", web + `<web-app><servlet><init-param><param-name>debug</param-name><param-value>0</param-value></init-param><init-param><param-name>listings</param-name><param-value>false</param-value></init-param></servlet></web-app>`,
		web + `<web-app><servlet><init-param><param-name>listings</param-name><param-value>true</param-value></init-param></servlet></web-app>`},
	{"BW-TOM-008", web + `<web-app><servlet><init-param><param-name>readonly</param-name><param-value>true</param-value></init-param></servlet></web-app>`,
		web + `<web-app><servlet><init-param><param-name>readonly</param-name><param-value>false</param-value></init-param></servlet></web-app>`},
	{"BW-TOM-009", web + `<web-app><session-config><session-timeout>30</session-timeout></session-config></web-app>`, web + `<web-app><session-config><session-timeout>-1</session-timeout></session-config></web-app>`},
	{"BW-TOM-010", tomContext + `<Context/>`, tomContext + `<Context privileged="true"/>`},
	{"BW-TOM-011", tomContext + `<Context/>`, tomContext + `<Context useHttpOnly="false"/>`},
	{"BW-TOM-012", tomUsers + `<tomcat-users><user username="a" password="x" roles="viewer"/></tomcat-users>`, tomUsers + `<tomcat-users><user username="a" password="x" roles="viewer, manager-gui"/></tomcat-users>`},
	{"BW-TOM-013", `usr/local/tomcat/conf/server.xml 644 0 0: <Server/>`, `usr/local/tomcat/conf/server.xml 666 0 0: <Server/>`},

	{"BW-SQL-001", sql + `[mysqld]\nuser = mysql`, sql + `[mysqld]\nuser=root # no`},
	{"BW-SQL-002", sql + `[mysqld]\nbind-address = 127.0.0.1`, sql + "!includedir /etc/mysql/conf.d/\n" + `etc/mysql/conf.d/a.cnf: [mysqld]\nbind-address = 0.0.0.0`},
	{"BW-SQL-003", sql + `[mysqld]\nlocal-infile=0`, sql + `[mysqld]\nlocal-infile`},
	{"BW-SQL-004", sql + `[mysqld]\nport=1`, sql + `[mysqld]\nskip-grant-tables`},
	{"BW-SQL-005", sql + `[mysqld]\nsecure-file-priv = NULL`, sql + `[mysqld]\nsecure-file-priv = ""`},
	{"BW-SQL-006", sql + `[mysqld]\nsymbolic-links=0`, sql + `[mysqld]\nsymbolic-links=1`},
	{"BW-SQL-007", sql + `[mysqld]\nport=1`, sql + `[mysqld]\ndefault_authentication_plugin=mysql_native_password`},
	{"BW-SQL-008", sql + `[client]\npassword =`, `root/.my.cnf: [client]\nuser=root\npassword=kV9#tmQ2~zLwE8`},
	{"BW-SQL-009", sql + `[mysqld]\nrequire_secure_transport=ON`, sql + `[mysqld]\nrequire_secure_transport=OFF`},
	{"BW-SQL-010", sql + `[mysqld]\nport=1`, sql + `[mysqld]\nskip-ssl`},
	{"BW-SQL-011", sql + `[mysqld]\nport=1`, sql + `[mysqld]\nallow-suspicious-udfs`},
	{"BW-SQL-012", sql + `[mysqld]\ngeneral_log=0`, sql + `[mysqld]\ngeneral_log=1`},

	{"BW-PG-001", hba + `host all all 127.0.0.1/32 trust\nhost all all 10.0.0.0/8 scram-sha-256`, hba + `host all all 10.0.0.0 255.0.0.0 trust`},
	{"BW-PG-002", hba + `local all all peer`, hba + `local all all trust`},
	{"BW-PG-003", hba + `local all all peer`, hba + `host all all 10.0.0.0/8 md5`},
	{"BW-PG-004", pgs + `#password_encryption = md5`, pgs + `password_encryption = 'md5'	# x`},
	{"BW-PG-005", pgs + `ssl = on`, pgs + `port 5432`},
	{"BW-PG-006", pgs + `port 5432`, pgs + `ssl_min_protocol_version = 'TLSv1'`},
	{"BW-PG-007", pgs + `log_connections on`, pgs + `port = 5432`},
	{"BW-PG-008", pgs + `port = 5432`, pgs + `fsync = off`},
	{"BW-PG-009", pgs + `unix_socket_permissions = 0770`, pgs + `unix_socket_permissions = 0777`},
	{"BW-PG-010", `etc/postgresql/16/main/pg_hba.conf 640 0 0: x`, `etc/postgresql/16/main/pg_hba.conf 666 0 0: x`},
	{"BW-PG-011", hba + `host app app 0.0.0.0/0 scram-sha-256`, hba + `host all all 0.0.0.0/0 scram-sha-256`},

	{"BW-RED-001", red + `user default on >x ~*`, red + `port 6379`},
	{"BW-RED-002", red + `port 6379`, red + `protected-mode no`},
	{"BW-RED-003", red + `bind 127.0.0.1 -::1`, red + `bind 0.0.0.0`},
	{"BW-RED-004", red + `user default on >kV9#tmQ2~zLwE8 ~*`, `usr/local/etc/redis/users.acl: user default on nopass ~* +@all`},
	{"BW-RED-005", red + `port 6379`, red + `enable-debug-command yes`},
	{"BW-RED-006", red + `unixsocketperm 700`, red + `unixsocketperm 777`},
	{"BW-RED-007", red + `port 6379`, red + `requirepass kV9#tmQ2~zLwE8`},
	{"BW-RED-008", `etc/redis/redis.conf 640 0 0: port 1`, `etc/redis/redis.conf 666 0 0: port 1`},

	{"BW-MGO-001", mgo + `security:\n  authorization: enabled`, mgo + `net:\n  port: 1`},
	{"BW-MGO-002", mgo + `net:\n  bindIp: 127.0.0.1`, mgo + `net:\n  bindIp: 127.0.0.1,0.0.0.0`},
	{"BW-MGO-003", mgo + `net:\n  tls:\n    mode: requireTLS`, mgo + `net:\n  port: 1`},
	{"BW-MGO-004", mgo + `security:\n  javascriptEnabled: false`, mgo + `net:\n  port: 1`},
	{"BW-MGO-005", mgo + `setParameter:\n  enableLocalhostAuthBypass: false`, mgo + `setParameter:\n  enableLocalhostAuthBypass: true`},
	{"BW-MGO-006", mgo + `port = 1`, `etc/mongodb.conf: port = 1\nhttpinterface = true`},
	{"BW-MGO-007", mgo + `net:\n  port: 1`, mgo + `net:\n  tls:\n    allowInvalidCertificates: true`},

	{"BW-PHP-001", phpFile + `[PHP]\nexpose_php = Off`, phpFile + `[PHP]\nengine = On`},
	{"BW-PHP-002", phpFile + `display_errors = Off` + "\n" + `usr/local/etc/php/conf.d/a.ini: extension=x`, phpFile + `display_errors = Off` + "\n" + `usr/local/etc/php/conf.d/a.ini: display_errors = On`},
	{"BW-PHP-003", phpFile + `engine = On`, phpFile + `allow_url_include = On ; why`},
	{"BW-PHP-004", phpFile + `log_errors = On`, phpFile + `log_errors = Off`},
	{"BW-PHP-005", phpFile + `session.cookie_httponly = 1`, phpFile + `session.cookie_httponly =`},
	{"BW-PHP-006", phpFile + `session.cookie_secure = 1`, phpFile + `;session.cookie_secure = 1`},
	{"BW-PHP-007", phpFile + `session.use_strict_mode = 1`, phpFile + `session.use_strict_mode = 0`},
	{"BW-PHP-008", phpFile + `disable_functions = exec,system`, phpFile + `disable_functions =`},
	{"BW-PHP-009", phpFile + `enable_dl = Off`, phpFile + `enable_dl = On`},
	{"BW-PHP-010", phpFile + `memory_limit = 128M`, phpFile + `memory_limit = -1`},
	{"BW-PHP-011", phpFile + `engine = On`, phpFile + `register_globals = On`},
	{"BW-PHP-012", pool + `[www]\nuser = www-data`, pool + `[www]\nuser = root`},
	{"BW-PHP-013", pool + `[www]\nuser = www-data`, pool + `[www]\nsecurity.limit_extensions =`},
	{"BW-PHP-014", pool + `[www]\nlisten.mode = 0660`, pool + `[www]\nlisten.mode = 0666`},
	{"BW-PHP-015", pool + `[www]\nenv[DB_PASSWORD] = $DB_PASSWORD`, pool + `[www]\nenv[DB_PASSWORD] = kV9#tmQ2~zLwE8`},
}

func TestEveryRule(t *testing.T) {
	r := rules(t)
	had := map[string]bool{}
	for _, tc := range ruleCases {
		had[tc.id] = true
		for want, text := range map[bool]string{true: tc.pass, false: tc.fail} {
			results := map[string]breakwater.BaselineResult{}
			for _, res := range Evaluate(fixture(t, text), r) {
				results[res.Rule] = res
			}
			res, ok := results[tc.id]
			if !ok {
				t.Errorf("%s is not applicable to %s", tc.id, text)
			} else if res.Passed != want {
				t.Errorf("%s passed = %v of %s\n%+v", tc.id, res.Passed, text, res.Cases)
			} else if len(res.Cases) == 0 || res.Cases[0].Suggest == "" || res.Cases[0].Current == "" {
				t.Errorf("%s says nothing: %+v", tc.id, res.Cases)
			}
		}
	}
	for _, rule := range r.All() {
		if !had[rule.ID] {
			t.Errorf("%s has no fixture", rule.ID)
		}
	}
}

func rules(t testing.TB) *Rules {
	t.Helper()
	r, err := LoadRules(nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
