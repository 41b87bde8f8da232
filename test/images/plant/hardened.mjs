// The good twin of the planted image: the same kinds of file, each as the
// standards ask for it. No check but that of vulnerabilities may say anything.

const services = {
  'etc/ssh/sshd_config': `Port 2022
PermitRootLogin no
PermitEmptyPasswords no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding no
MaxAuthTries 4
LoginGraceTime 60
ClientAliveInterval 300
ClientAliveCountMax 3
LogLevel VERBOSE
IgnoreRhosts yes
HostbasedAuthentication no
PermitUserEnvironment no
AllowTcpForwarding no
MaxSessions 10
MaxStartups 10:30:60
DisableForwarding yes
AllowGroups operators
Banner /etc/issue.net
Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com,aes128-gcm@openssh.com
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org
`,
  'etc/login.defs': `MAIL_DIR /var/mail
PASS_MAX_DAYS 365
PASS_MIN_DAYS 1
PASS_WARN_AGE 7
PASS_MIN_LEN 14
UMASK 027
LOGIN_RETRIES 3
LOGIN_TIMEOUT 60
ENCRYPT_METHOD YESCRYPT
`,
  'etc/default/useradd': 'SHELL=/bin/bash\nINACTIVE=30\n',
  'etc/pam.d/common-auth': `auth required pam_faillock.so preauth silent deny=5 unlock_time=900
auth [success=2 default=ignore] pam_unix.so
auth [default=die] pam_faillock.so authfail deny=5 unlock_time=900
auth requisite pam_deny.so
auth required pam_permit.so
`,
  'etc/pam.d/common-account': 'account required pam_faillock.so\naccount [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\naccount requisite pam_deny.so\naccount required pam_permit.so\n',
  'etc/pam.d/common-password': `password requisite pam_pwquality.so retry=3
password requisite pam_pwhistory.so remember=24 enforce_for_root use_authtok
password [success=1 default=ignore] pam_unix.so obscure use_authtok yescrypt
password requisite pam_deny.so
password required pam_permit.so
`,
  'etc/pam.d/su': 'auth sufficient pam_rootok.so\nauth required pam_wheel.so use_uid group=wheel\n@include common-auth\n@include common-account\n',
  'etc/security/pwquality.conf': 'minlen = 14\ndcredit = -1\nucredit = -1\nlcredit = -1\nocredit = -1\nminclass = 4\nmaxrepeat = 3\ndictcheck = 1\nretry = 3\nenforcing = 1\nenforce_for_root\n',
  'etc/security/faillock.conf': 'deny = 5\nunlock_time = 900\nsilent\n',
  'etc/security/limits.conf': '* hard core 0\n',
  'etc/profile.d/timeout.sh': 'TMOUT=900\nreadonly TMOUT\nexport TMOUT\numask 027\n',
  'etc/sudoers': ['Defaults use_pty\nDefaults env_reset\nDefaults secure_path="/usr/sbin:/usr/bin:/sbin:/bin"\nDefaults logfile="/var/log/sudo.log"\nDefaults timestamp_timeout=5\nroot ALL=(ALL:ALL) ALL\n%wheel ALL=(ALL:ALL) ALL\n', 0o440],
  'etc/nginx/nginx.conf': `user www-data;
worker_processes auto;
error_log /var/log/nginx/error.log;
events { worker_connections 768; }
http {
    server_tokens off;
    access_log /var/log/nginx/access.log;
    client_header_timeout 10;
    client_body_timeout 10;
    keepalive_timeout 10;
    send_timeout 10;
    client_max_body_size 1m;
    add_header X-Content-Type-Options nosniff always;
    add_header X-Frame-Options SAMEORIGIN always;
    add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;
    add_header Content-Security-Policy "default-src 'self'" always;
    server {
        listen 443 ssl;
        server_name www.example.com;
        ssl_certificate /run/tls/server.crt;
        ssl_certificate_key /run/tls/server.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384;
        ssl_prefer_server_ciphers on;
        autoindex off;
        root /srv/www;
    }
}
`,
  'etc/apache2/apache2.conf': `ServerTokens Prod
ServerSignature Off
TraceEnable Off
User www-data
Group www-data
Timeout 10
KeepAlive On
LimitRequestBody 102400
DocumentRoot /srv/www
<Directory />
    Options None
    AllowOverride None
    Require all denied
</Directory>
<Directory /srv/www>
    Options None
    AllowOverride None
    Require all granted
</Directory>
SSLProtocol -all +TLSv1.2 +TLSv1.3
SSLCipherSuite ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384
ErrorLog /var/log/apache2/error.log
`,
  'etc/tomcat9/server.xml': [`<?xml version="1.0" encoding="UTF-8"?>
<Server port="-1" shutdown="NONE">
  <Service name="Catalina">
    <Connector port="8443" protocol="org.apache.coyote.http11.Http11NioProtocol" SSLEnabled="true" scheme="https" secure="true" allowTrace="false" xpoweredBy="false" server="web" sslEnabledProtocols="TLSv1.2,TLSv1.3" maxThreads="150"/>
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="webapps" unpackWARs="true" autoDeploy="false" deployOnStartup="false"/>
    </Engine>
  </Service>
</Server>
`, 0o640],
  'etc/tomcat9/tomcat-users.xml': ['<?xml version="1.0" encoding="UTF-8"?>\n<tomcat-users/>\n', 0o640],
  'etc/mysql/my.cnf': `[mysqld]
user = mysql
bind-address = 127.0.0.1
local_infile = 0
secure_file_priv = /var/lib/mysql-files
skip-symbolic-links
require_secure_transport = ON
default_password_lifetime = 90
log_error = /var/log/mysql/error.log
`,
  'etc/postgresql/15/main/pg_hba.conf': ['local all all peer\nhostssl app app 10.1.0.0/16 scram-sha-256\n', 0o640],
  'etc/postgresql/15/main/postgresql.conf': "listen_addresses = 'localhost'\nssl = on\nssl_min_protocol_version = 'TLSv1.2'\npassword_encryption = scram-sha-256\nlog_connections = on\nlog_disconnections = on\nlogging_collector = on\nunix_socket_permissions = 0770\n",
  'etc/redis/redis.conf': ['bind 127.0.0.1\nprotected-mode yes\nport 0\ntls-port 6379\naclfile /run/redis/users.acl\nenable-debug-command no\nenable-module-command no\n', 0o640],
  'etc/mongod.conf': 'net:\n  port: 27017\n  bindIp: 127.0.0.1\n  tls:\n    mode: requireTLS\n    certificateKeyFile: /run/tls/mongo.pem\nsecurity:\n  authorization: enabled\n  javascriptEnabled: false\nsetParameter:\n  enableLocalhostAuthBypass: false\nsystemLog:\n  destination: file\n  path: /var/log/mongodb/mongod.log\n  logAppend: true\n',
  'etc/php/8.2/fpm/php.ini': `[PHP]
expose_php = Off
display_errors = Off
display_startup_errors = Off
log_errors = On
error_log = /var/log/php/error.log
allow_url_fopen = Off
allow_url_include = Off
enable_dl = Off
memory_limit = 128M
post_max_size = 8M
upload_max_filesize = 2M
max_execution_time = 30
open_basedir = /srv/www
disable_functions = exec,passthru,shell_exec,system,proc_open,popen,show_source
session.cookie_httponly = 1
session.cookie_secure = 1
session.cookie_samesite = Strict
session.use_strict_mode = 1
session.use_only_cookies = 1
`,
  'srv/app/run': ['#!/bin/sh\nset -eu\nexec /srv/app/server\n', 0o755],
  'srv/app/application.properties': 'server.port=8443\nspring.datasource.username=app\nspring.datasource.password=${DB_PASSWORD}\n',
}

export function harden(image, read) {
  image.layer('COPY rootfs / # buildkit')
  for (const [path, content] of Object.entries(services)) {
    const [text, mode] = Array.isArray(content) ? content : [content, 0o644]
    image.file(path, text, { mode })
  }
  const line = (text, more) => text + more
  image.file('etc/passwd', line(read('etc/passwd'), 'app:x:10001:10001::/home/app:/usr/sbin/nologin\n'))
  image.file('etc/shadow', line(read('etc/shadow'), 'app:!:19700:1:365:7:::\n'), { mode: 0o640, gid: 42 })
  image.file('etc/group', line(read('etc/group'), 'app:x:10001:\n'))
  image.file('home/app/.keep', '', { uid: 10001, gid: 10001 })
  image.step('RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends ca-certificates=20230311+deb12u1 && rm -rf /var/lib/apt/lists/* # buildkit')
  image.step('WORKDIR /srv/app')
  image.step('USER 10001:10001')
  image.step('EXPOSE map[8443/tcp:{}]')
  image.step('HEALTHCHECK &{["CMD" "/srv/app/run" "health"] "30s" "5s" "0s" \'\\x03\'}')
  image.step('ENTRYPOINT ["/srv/app/run"]')
  image.config = {
    User: '10001:10001', WorkingDir: '/srv/app', Entrypoint: ['/srv/app/run'], ExposedPorts: { '8443/tcp': {} },
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'APP_MODE=production'],
    Labels: { 'org.opencontainers.image.title': 'hardened' },
    Healthcheck: { Test: ['CMD', '/srv/app/run', 'health'], Interval: 30e9, Timeout: 5e9, Retries: 3 },
  }
}
