package baseline

import (
	"regexp"
	"strings"
)

// The kinds of file, as ConfigFile.Kind and the rules name them.
const (
	kindPasswd         = "passwd"
	kindShadow         = "shadow"
	kindGroup          = "group"
	kindGshadow        = "gshadow"
	kindBackup         = "account_backup" // passwd-, shadow- …: only its permissions
	kindLoginDefs      = "login.defs"
	kindUseradd        = "useradd"
	kindSSHD           = "sshd"
	kindHostKey        = "ssh_host_key"
	kindAuthorizedKeys = "authorized_keys"
	kindPAM            = "pam"
	kindPwquality      = "pwquality"
	kindFaillock       = "faillock"
	kindSudoers        = "sudoers"
	kindLimits         = "limits"
	kindSysctl         = "sysctl"
	kindSecuretty      = "securetty"
	kindCron           = "cron"
	kindCronAllow      = "cron_allow"
	kindRhosts         = "rhosts"
	kindShell          = "shell"
	kindNginx          = "nginx"
	kindApache         = "apache"
	kindTomcatServer   = "tomcat_server"
	kindTomcatWeb      = "tomcat_web"
	kindTomcatContext  = "tomcat_context"
	kindTomcatUsers    = "tomcat_users"
	kindMySQL          = "mysql"
	kindPostgreSQL     = "postgresql"
	kindPgHBA          = "pg_hba"
	kindRedis          = "redis"
	kindRedisACL       = "redis_acl"
	kindMongoDB        = "mongodb"
	kindPHP            = "php"
	kindFPM            = "php_fpm"
	kindDocker         = "docker"
	kindHtpasswd       = "htpasswd"
)

type place struct {
	at   *regexp.Regexp
	kind string
}

func at(kind, pattern string) place {
	return place{regexp.MustCompile("^(?:" + pattern + ")$"), kind}
}

// places are where distributions and well-known images put the files, for each
// first part of a path. The first that matches wins.
var places = map[string][]place{
	"etc": {
		at(kindPasswd, `etc/passwd`), at(kindShadow, `etc/shadow`), at(kindGroup, `etc/group`), at(kindGshadow, `etc/gshadow`),
		at(kindBackup, `etc/(passwd|shadow|group|gshadow)-|etc/security/opasswd`),
		at(kindLoginDefs, `etc/login\.defs`), at(kindUseradd, `etc/default/useradd`),
		at(kindSSHD, `etc/ssh/sshd_config(\.d/[^/]+\.conf)?`), at(kindHostKey, `etc/(ssh|dropbear)/(ssh_host_\w+_key|dropbear_\w+_host_key)`),
		at(kindPAM, `etc/pam\.d/[\w-]+`), at(kindPwquality, `etc/security/pwquality\.conf(\.d/[^/]+\.conf)?`), at(kindFaillock, `etc/security/faillock\.conf`),
		at(kindSudoers, `etc/sudoers(\.d/[^/.~]+)?`), at(kindLimits, `etc/security/limits\.(conf|d/[^/]+\.conf)`),
		at(kindSysctl, `etc/sysctl\.(conf|d/[^/]+\.conf)`), at(kindSecuretty, `etc/securetty`),
		at(kindCron, `etc/(ana)?crontab|etc/cron\.d/[\w-]+|etc/crontabs/[^/]+`), at(kindCronAllow, `etc/(cron|at)\.(allow|deny)`),
		at(kindRhosts, `etc/s?hosts\.equiv`),
		at(kindShell, `etc/(profile|bashrc|bash\.bashrc|bash/bashrc|zprofile|csh\.login)|etc/profile\.d/[^/]+\.sh`),
		at(kindNginx, `etc/nginx/([^/]+\.conf|(conf|http|stream|modules)\.d/[^/]+\.conf|(sites|conf)-(enabled|available)/[^/]+|(snippets|default\.d)/[^/]+\.conf)`),
		at(kindApache, `etc/(apache2|httpd)/([^/]+/)*[^/]+\.conf`),
		at(kindTomcatServer, `etc/tomcat\d*/server\.xml`), at(kindTomcatWeb, `etc/tomcat\d*/web\.xml`),
		at(kindTomcatContext, `etc/tomcat\d*/context\.xml`), at(kindTomcatUsers, `etc/tomcat\d*/tomcat-users\.xml`),
		at(kindMySQL, `etc/my\.cnf|etc/my\.cnf\.d/([^/]+/)*[^/]+\.cnf|etc/(mysql|mariadb)/([^/]+/)*[^/]+\.cnf`),
		at(kindPostgreSQL, `etc/postgresql/([^/]+/)*(postgresql\.conf|conf\.d/[^/]+\.conf)`), at(kindPgHBA, `etc/postgresql/([^/]+/)*pg_hba\.conf`),
		at(kindRedis, `etc/((redis|valkey|keydb)/)?(redis|valkey|keydb|sentinel)[\w.-]*\.conf`), at(kindRedisACL, `etc/(redis|valkey)/[^/]+\.acl`),
		at(kindMongoDB, `etc/(mongo/)?(mongod|mongodb|mongos)(\.conf)?(\.orig)?`),
		at(kindFPM, `etc/php[\w-]*/([\d.]+/)?(fpm/)?php-fpm(\.d/[^/]+)?\.conf|etc/php[\w-]*/([\d.]+/)?fpm/pool\.d/[^/]+\.conf|etc/php\d*-fpm\.(d/[^/]+\.)?conf`),
		at(kindPHP, `etc/php\.ini|etc/php\.d/[^/]+\.ini|etc/php\d*/([^/]+/)*(php|conf\.d/[^/]+)\.ini`),
		at(kindDocker, `etc/docker/daemon\.json`), at(kindHtpasswd, `etc/([^/]+/)*\.?htpasswd[\w.-]*|etc/([^/]+/)*[^/]+\.htpasswd`),
	},
	"usr": {
		at(kindLoginDefs, `usr/etc/login\.defs`), at(kindSSHD, `usr/etc/ssh/sshd_config(\.d/[^/]+\.conf)?|usr/local/etc/ssh/sshd_config`),
		at(kindPAM, `usr/(etc|lib)/pam\.d/[\w-]+`), at(kindSysctl, `usr/(local/)?lib/sysctl\.d/[^/]+\.conf`),
		at(kindSudoers, `usr/local/etc/sudoers(\.d/[^/.~]+)?|usr/etc/sudoers`),
		at(kindNginx, `usr/local/(nginx/conf|etc/nginx|openresty/nginx/conf)/([^/]+/)*[^/]+\.conf`),
		at(kindApache, `usr/local/apache2/conf/(httpd\.conf|extra/[^/]+\.conf)|usr/local/etc/(httpd|apache2\d*)/([^/]+/)*[^/]+\.conf`),
		at(kindTomcatServer, `usr/(local|share)/tomcat[\w.-]*/(conf|etc)/server\.xml`), at(kindTomcatWeb, `usr/(local|share)/tomcat[\w.-]*/(conf|etc)/web\.xml`),
		at(kindTomcatContext, `usr/(local|share)/tomcat[\w.-]*/(conf|etc)/context\.xml`), at(kindTomcatUsers, `usr/(local|share)/tomcat[\w.-]*/(conf|etc)/tomcat-users\.xml`),
		at(kindMySQL, `usr/local/etc/(mysql/)?my\.cnf|usr/local/mysql/my\.cnf`),
		at(kindRedis, `usr/local/etc/((redis|valkey)/)?(redis|valkey|sentinel)[\w.-]*\.conf`), at(kindRedisACL, `usr/local/etc/(redis|valkey)/[^/]+\.acl`),
		at(kindMongoDB, `usr/local/etc/mongod\.conf`),
		at(kindPHP, `usr/local/(etc|lib)/(php/)?(php|conf\.d/[^/]+)\.ini`), at(kindFPM, `usr/local/etc/php-fpm(\.d/[^/]+)?\.conf`),
		at(kindHtpasswd, `usr/local/([^/]+/){0,6}\.htpasswd`),
	},
	"opt": {
		at(kindNginx, `opt/bitnami/nginx/conf/([^/]+/)*[^/]+\.conf`), at(kindApache, `opt/bitnami/apache2?/conf/([^/]+/)*[^/]+\.conf`),
		at(kindTomcatServer, `opt/(bitnami/)?(apache-)?tomcat[\w.-]*/conf/server\.xml`), at(kindTomcatWeb, `opt/(bitnami/)?(apache-)?tomcat[\w.-]*/conf/web\.xml`),
		at(kindTomcatContext, `opt/(bitnami/)?(apache-)?tomcat[\w.-]*/conf/context\.xml`), at(kindTomcatUsers, `opt/(bitnami/)?(apache-)?tomcat[\w.-]*/conf/tomcat-users\.xml`),
		at(kindMySQL, `opt/bitnami/(mysql|mariadb)/conf/([^/]+/)*[^/]+\.cnf`),
		at(kindPostgreSQL, `opt/bitnami/postgresql/conf/(conf\.d/[^/]+|postgresql)\.conf`), at(kindPgHBA, `opt/bitnami/postgresql/conf/pg_hba\.conf`),
		at(kindRedis, `opt/bitnami/(redis|valkey|redis-sentinel)/etc/[^/]+\.conf`), at(kindMongoDB, `opt/bitnami/mongodb/conf/mongodb?\.conf`),
		at(kindPHP, `opt/bitnami/php/(etc|lib)/(conf\.d/[^/]+|php)\.ini`), at(kindFPM, `opt/bitnami/php/etc/php-fpm(\.d/[^/]+)?\.conf`),
		at(kindHtpasswd, `opt/([^/]+/){0,6}\.htpasswd`),
	},
	"root": {
		at(kindAuthorizedKeys, `root/\.ssh/authorized_keys2?`), at(kindRhosts, `root/\.[rs]hosts`), at(kindMySQL, `root/\.my\.cnf`),
		at(kindShell, `root/\.(bashrc|profile|bash_profile)`),
	},
	"home": {
		at(kindAuthorizedKeys, `home/[^/]+/\.ssh/authorized_keys2?`), at(kindRhosts, `home/[^/]+/\.[rs]hosts`), at(kindMySQL, `home/[^/]+/\.my\.cnf`),
		at(kindHtpasswd, `home/([^/]+/){1,6}\.htpasswd`),
	},
	"var": {
		at(kindCron, `var/spool/cron/(crontabs/|tabs/)?[\w-]+`), at(kindPostgreSQL, `var/lib/(postgresql|pgsql)/([^/]+/)*postgresql(\.auto)?\.conf`),
		at(kindPgHBA, `var/lib/(postgresql|pgsql)/([^/]+/)*pg_hba\.conf`), at(kindHtpasswd, `var/www/([^/]+/){0,6}\.htpasswd`),
	},
	"lib": {at(kindSysctl, `lib/sysctl\.d/[^/]+\.conf`)},
	"srv": {at(kindHtpasswd, `srv/([^/]+/){0,6}\.htpasswd`)},
	"app": {at(kindHtpasswd, `app/([^/]+/){0,6}\.htpasswd`)},
}

// maxPath bounds the paths that are looked at; no file of ours is deeper.
const maxPath = 512

// kindOf is the kind of the file at a path without a leading slash, or "". Nearly
// every path is passed over by its beginning.
func kindOf(path string) string {
	first, rest, ok := strings.Cut(path, "/")
	if !ok || len(path) > maxPath {
		return ""
	}
	starts, known := beginnings[first]
	if !known || starts != nil && !begins(rest, starts) && !strings.Contains(path[strings.LastIndexByte(path, '/'):], "htpasswd") {
		return ""
	}
	for _, p := range places[first] {
		if p.at.MatchString(path) {
			return p.kind
		}
	}
	return ""
}

// beginnings are how what follows the first part of a path begins, for the
// folders that have many other files; nil where all are looked at.
var beginnings = map[string][]string{
	"etc": {
		"passwd", "shadow", "group", "gshadow", "security/", "login.defs", "default/useradd", "ssh/", "dropbear/", "pam.d/", "sudoers", "sysctl.", "securetty", "crontab", "anacrontab",
		"cron.", "at.", "hosts.equiv", "shosts.equiv", "profile", "bash", "zprofile", "csh.login", "nginx/", "apache2/", "httpd/", "tomcat", "my", "mariadb/", "postgresql/", "redis", "valkey", "keydb",
		"sentinel", "mongo", "php", "docker/daemon.json",
	},
	"usr": {
		"etc/", "lib/pam.d/", "lib/sysctl.d/", "share/tomcat", "local/etc/", "local/lib/sysctl.d/", "local/lib/php.ini", "local/lib/conf.d/", "local/lib/php/php.ini", "local/lib/php/conf.d/", "local/nginx/",
		"local/openresty/", "local/apache2/conf/", "local/tomcat", "local/mysql/",
	},
	"opt":  {"bitnami/", "tomcat", "apache-tomcat"},
	"var":  {"spool/cron/", "lib/postgresql/", "lib/pgsql/"},
	"root": {"."}, "home": nil, "lib": {"sysctl.d/"}, "srv": {}, "app": {},
}

func begins(s string, starts []string) bool {
	for _, start := range starts {
		if strings.HasPrefix(s, start) {
			return true
		}
	}
	return false
}

// Wants reports whether Read has something to say of the file at this path
// (without a leading slash). It is cheap: it is asked of every file of an image.
func Wants(path string) bool { return kindOf(path) != "" }

// Kind is the kind of configuration that Read takes the file at this path for, or "".
func Kind(path string) string { return kindOf(path) }

// serviceOf names the service whose users and passwords a kind of file has.
func serviceOf(kind string) string {
	switch kind {
	case kindPasswd, kindShadow, kindGroup, kindGshadow:
		return "system"
	case kindTomcatServer, kindTomcatWeb, kindTomcatContext, kindTomcatUsers:
		return "tomcat"
	case kindRedisACL:
		return "redis"
	case kindFPM:
		return "php"
	case kindPgHBA:
		return "postgresql"
	case kindHtpasswd:
		return "http"
	}
	return kind
}
